"""What is written to a store: frozen, typed, complete data like the queries of `query.py`.

    Insert ── Conflict          Replace · Assign          Update · Delete ── Condition, values
    all ── Output* (what to give back); Replace, Update, Delete ── Expectation

The planner has made every default explicit, and has checked every value against its field's type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from repositories.query import Condition, Output, Param, Row, Sort, Values
from repositories.schema import Field, Resource, Value


@dataclass(frozen=True, slots=True)
class Expectation:
    """The condition of a conditional write, checked inside it against the record it is about.

    With `present` (`If-Match`) the record must exist, and its tag be one of `tags`; without (`If-None-Match`) no such
    record may exist. The tag is `representation_tag` of the record's JSON under `outputs`; `tags` None: any record's.
    """

    outputs: tuple[Output, ...]
    tags: frozenset[str] | None = None
    present: bool = True


@dataclass(frozen=True, slots=True)
class Conflict:
    """What becomes of a row whose values of `fields` (the primary key, or a unique set) a record has already.

    The record's `merge` fields are set to the row's values; with none the row is passed over. Null is in conflict with
    nothing. Two rows of one write that would merge into one record are a `CardinalityViolation`; of rows to be passed
    over, the first is inserted.
    """

    fields: tuple[Field, ...]
    merge: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert `rows`, each with the values of `fields`, in that order; all of them or none.

    Fields not named are filled by the store's sequence if they have one, else with null: the planner has put in
    every default. The answer's records (inserted, or merged into) are in the order of `rows`.

    A sequence of rows is sent at once. Any other iterable is walked in batches, in bounded memory, once for each
    attempt, and perhaps once more when the write is refused (so it is no iterator, which would have nothing left for
    the second); what it raises ends the write, goes before what the store refuses, and passes unchanged.
    """

    resource: Resource
    fields: tuple[Field, ...]
    rows: Iterable[Row]
    returning: tuple[Output, ...] = ()
    conflict: Conflict | None = None

    def __post_init__(self) -> None:
        if isinstance(self.rows, Iterator):
            raise TypeError("rows that can be walked only once cannot be written again after a conflict")


@dataclass(frozen=True, slots=True)
class Replace:
    """Make the record with this key be `row`: replace it, or create it where `create` allows.

    `fields` begin with those of the primary key. Fields not named keep their value when a record is replaced, and are
    null (or the sequence's) when one is created; `initial` are fields with values for a new record only. Whether there
    was a record is told by `Document.created`.
    """

    resource: Resource
    fields: tuple[Field, ...]
    row: Row
    initial: tuple[tuple[Field, Value], ...] = ()
    create: bool = True
    returning: tuple[Output, ...] = ()
    expect: Expectation | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """Give records values of their own: each row begins with a primary key, whose record gets the row's other values.

    `fields` begin with those of the primary key; the others belong to no key, unique set or reference. Rows without a
    record are passed over. Nothing is given back but the number of records.
    """

    resource: Resource
    fields: tuple[Field, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """Set `changes` in every record that meets `where`. The answer's records come in the order of `order`.

    Without changes nothing is written, and the answer is the records as they are.
    """

    resource: Resource
    changes: tuple[tuple[Field, Param], ...]
    where: Condition
    values: Values
    returning: tuple[Output, ...] = ()
    order: tuple[Sort, ...] = ()
    expect: Expectation | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete every record that meets `where`, and what hangs on it by `onDelete`; answers as `Update` does."""

    resource: Resource
    where: Condition
    values: Values
    returning: tuple[Output, ...] = ()
    order: tuple[Sort, ...] = ()
    expect: Expectation | None = None


Write = Insert | Replace | Assign | Update | Delete

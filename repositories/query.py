"""What is asked of a store: reads and writes as frozen, typed, complete data, native to no database.

A query has two parts. Its *shape* (resource, columns, conditions, order) is hashable, so that a backend compiles it
once and keeps the statement. Its *values* stand apart in a tuple; the shape points at them with `Param`.

    Read ── Selection ── Output*, Condition, Sort*, Param (limit, offset)
      └──── values
    Insert · Replace · Update · Delete ── Output* (what to give back), Condition, values

No backend chooses a default: the planner has made every one explicit. In particular `Selection.order` always ends
with the fields of the primary key, unless an earlier key is unique and never null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from repositories.schema import Field, Resource, Value

Values = tuple[Value, ...]
#: The values of one record, in the order of the query's fields or outputs.
Row = tuple[Value, ...]


class Operator(StrEnum):
    """Comparison operators, in PostgREST's spelling. Every backend's table has exactly these."""

    EQ = "eq"
    NEQ = "neq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    LIKE = "like"
    ILIKE = "ilike"
    IN = "in"


class State(StrEnum):
    """What `is` can ask of a column. TRUE, FALSE and UNKNOWN are asked of booleans only."""

    NULL = "null"
    NOT_NULL = "not_null"
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Param:
    """The place of a value: an index into the query's `values`."""

    index: int


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the selection's resource, as an expression."""

    field: Field


@dataclass(frozen=True, slots=True)
class Comparison:
    """`column operator value`; unknown when the column is null (SQL's three-valued logic).

    The value has the column's type, and is never null. For LIKE and ILIKE it is a `patterns.Pattern`, for IN a tuple
    of values (empty: false for every row, even where the column is null).
    """

    column: Column
    operator: Operator
    value: Param


@dataclass(frozen=True, slots=True)
class Is:
    """`column IS state`: true or false, never unknown."""

    column: Column
    state: State


@dataclass(frozen=True, slots=True)
class Not:
    """The negation: unknown stays unknown."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class And:
    """The conjunction. Without conditions it is true."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """The disjunction. Without conditions it is false."""

    conditions: tuple[Condition, ...] = ()


Condition = Comparison | Is | Not | And | Or
#: The condition that every row meets.
ALL = And()


@dataclass(frozen=True, slots=True)
class Output:
    """One member of an answer's records: its name there, and where it comes from."""

    name: str
    column: Column


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key. Text sorts by code point, false before true, and nulls where `nulls_first` says."""

    column: Column
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records, which of their columns, in which order: the shape of a read."""

    resource: Resource
    outputs: tuple[Output, ...]
    where: Condition = ALL
    order: tuple[Sort, ...] = ()
    limit: Param | None = None
    offset: Param | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """Read the selection. With `count`, also the exact number of records that meet `where`, pages aside."""

    selection: Selection
    values: Values = ()
    count: bool = False


@dataclass(frozen=True, slots=True)
class Expectation:
    """The condition of a conditional write, checked inside it: the record exists and its tag is one of `tags`.

    The tag is `representation_tag` of the record's JSON under `outputs`. `tags` None: any record will do (`*`).
    """

    outputs: tuple[Output, ...]
    tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert `rows`, each with the values of `fields`, in that order; all of them or none.

    Fields not named are filled by the store's sequence if they have one, else with null: the planner has put in
    every default. The answer's records are in the order of `rows`.
    """

    resource: Resource
    fields: tuple[Field, ...]
    rows: Sequence[Row]
    returning: tuple[Output, ...] = ()


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


Write = Insert | Replace | Update | Delete

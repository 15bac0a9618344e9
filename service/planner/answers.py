"""What a write answers with: columns that it gives back itself, or records with embeds, read in its transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace

from repositories.expressions import is_grouped
from repositories.query import Among, Column, Condition, Output, Read, Row
from repositories.schema import Field, Resource, Value
from repositories.writes import Expectation, Write
from service.dialect.params import ColumnParam, EmbedParam, Level, Params
from service.errors import bad_syntax
from service.planner.reads import key_condition
from service.planner.relations import Relations
from service.planner.scope import PlanLimits, Scope
from service.planner.selections import Planning, plan_columns, plan_selection

#: Of how many shapes of writes the plan is kept, as far as it is the same for all of one shape.
DRAFTS = 1024


@dataclass(frozen=True, slots=True)
class Subject:
    """What a write is about: a resource, and the parameters of the request.

    `apart` says that the answer is to be read apart from the write, for a form that no write can give it.
    """

    relations: Relations
    resource: Resource
    params: Params
    limits: PlanLimits
    apart: bool = False

    @property
    def scope(self) -> Scope:
        """The resource as the request sees it."""
        return Scope(self.resource, self.limits)

    @property
    def reads(self) -> bool:
        """Whether the answer is read, since no write can give it back.

        A cast may fail: only after the rules of the data have been checked, whenever a store does that.
        """
        return self.apart or self.embeds or self.casts

    @property
    def casts(self) -> bool:
        """Whether the request selects values of other types."""
        return any(isinstance(param, ColumnParam) and param.cast for param in self.params.select or ())

    @property
    def embeds(self) -> bool:
        """Whether the request selects embedded records."""
        return any(isinstance(param, EmbedParam) for param in self.params.select or ())


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A read of records by their keys, which stand at `place` among its values."""

    read: Read
    place: int

    def of(self, keys: tuple[Row, ...]) -> Read:
        """The read of the records with these keys."""
        values = self.read.values
        return replace(self.read, values=(*values[: self.place], keys, *values[self.place + 1 :]))


@dataclass(frozen=True, slots=True)
class Precondition:
    """An `Expectation` of a record together with what is embedded in it: `read` gives the representation."""

    read: Read
    tags: frozenset[str]
    present: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge patches (RFC 7396) of JSON fields, in the records that `read` finds: their keys, then those fields."""

    read: Read
    patches: tuple[tuple[Field, dict[str, Value]], ...]


@dataclass(frozen=True, slots=True)
class WritePlan:
    """A planned write, and what else belongs into its transaction.

    `before` reads the records to answer with before they are deleted, `after` when they have been written: then the
    write gives their keys back, in whose order they are answered if the read has none of its own (`in_order`).
    """

    write: Write
    before: Read | None = None
    after: ReadBack | None = None
    in_order: bool = False
    precondition: Precondition | None = None
    merge: Merge | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the write is all there is to do."""
        return self.before is None and self.after is None and self.precondition is None and self.merge is None


def plan_outputs(subject: Subject, *, wanted: bool) -> tuple[Output, ...]:
    """What the write itself gives back: the answer's columns, or the keys to read the answer by.

    Raises `RequestError`, whether an answer is wanted or not.
    """
    if subject.reads:
        outputs = tuple(Output(field.name, Column(field)) for field in subject.resource.key)
    else:
        outputs = plan_columns(subject.scope, subject.params)
    return outputs if wanted else ()


def plan_after(subject: Subject, *, wanted: bool) -> ReadBack | None:
    """The read that answers, where the write cannot. Raises `RequestError`, whether an answer is wanted or not."""
    if not subject.reads:
        return None
    planning = Planning.of(subject.relations, subject.limits, subject.params)
    keys = planning.bindings.bind(())
    read = _plan_read(planning, subject, Level(order=subject.params.top.order), Among(keys))
    return ReadBack(read, keys.index) if wanted else None


def plan_before(subject: Subject, level: Level, key: tuple[Value, ...] | None = None) -> Read | None:
    """The read of the records at this level, or of the one with the key, where the write cannot answer with them."""
    if not subject.reads:
        return None
    return _plan_before(subject, level, key)


def _plan_before(subject: Subject, level: Level, key: tuple[Value, ...] | None) -> Read:
    planning = Planning.of(subject.relations, subject.limits, subject.params)
    return _plan_read(planning, subject, level, _keyed(subject, key, planning))


def plan_condition(
    subject: Subject, key: tuple[Value, ...], tags: frozenset[str] | None, *, present: bool
) -> tuple[Expectation | None, Precondition | None]:
    """The condition on the record with the key: for the write to check, or to be checked before it."""
    if tags is None:
        return Expectation((), None, present), None
    if not subject.embeds:
        return Expectation(plan_columns(subject.scope, subject.params), tags, present), None
    return None, Precondition(_plan_before(subject, Level(), key), tags, present)


def _keyed(subject: Subject, key: tuple[Value, ...] | None, planning: Planning) -> Condition | None:
    return None if key is None else key_condition(subject.scope, key, planning.bindings)


def _plan_read(planning: Planning, subject: Subject, level: Level, fixed: Condition | None) -> Read:
    selection, _ = plan_selection(planning, subject.scope, subject.params.select, level, None, fixed=fixed)
    planning.finish()
    if is_grouped(selection):
        raise bad_syntax("A write answers with its records, without aggregates over them.")
    return Read(selection, tuple(planning.bindings.values))

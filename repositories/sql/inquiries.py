"""Questions about a write that has failed, as SQL: the first of its records that breaks a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Exists,
    FromClause,
    MetaData,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSON

from repositories.query import Param
from repositories.schema import Reference, Resource, Unique
from repositories.sql.conditions import condition_sql
from repositories.sql.postgresql import given_rows, staged_rows
from repositories.sql.scopes import Scope
from repositories.sql.statements import Parameters, Statement
from repositories.sql.types import column_type, columns_of, converter, parameter_type
from repositories.writes import Insert, Update

_ROW, _TIMES = "number", "times"
_ONE = literal_column("1", BigInteger())


@dataclass(frozen=True, slots=True)
class Repeated:
    """The record has the same values of these fields as one before it."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lacking:
    """The record has no value of this field."""

    field: str


Rule = Unique | Reference | Repeated | Lacking


def inquiry(metadata: MetaData, write: Insert | Update, rules: Sequence[Rule], *, staged: bool) -> Statement:
    """One row: for each rule the index of the first record that breaks it, else null.

    The rows of an insert are the one parameter, as in `WriteCompiler`, or `staged`.
    """
    asked = _Inquiry(metadata, write.resource, Parameters(), isinstance(write, Update))
    # What is required, and no row twice, is asked of rows that find a record as well.
    as_given = all(isinstance(rule, Repeated | Lacking) for rule in rules)
    found = asked.candidates(write, staged=staged, as_given=as_given)
    return asked.parameters.statement(select(*(asked.first(found, rule).scalar_subquery() for rule in rules)))


def holder(metadata: MetaData, write: Insert | Update, rule: Unique, *, staged: bool) -> Statement:
    """Locks the record that has what the first of the write's records is to have. Parameters as of `inquiry`."""
    asked = _Inquiry(metadata, write.resource, Parameters(), isinstance(write, Update))
    return asked.parameters.statement(asked.holder(asked.candidates(write, staged=staged), rule.fields))


@dataclass(frozen=True, slots=True)
class _Inquiry:
    """A statement about the records that a write would have left: numbered, with the key of those they replace."""

    metadata: MetaData
    resource: Resource
    parameters: Parameters
    #: All candidates are made at once, not one after the other.
    at_once: bool
    _places: dict[str, int] = field(init=False)
    #: The records that may be in the way.
    _holder: FromClause = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_holder", self.metadata.tables[self.resource.name].alias("diglot_holder"))
        object.__setattr__(self, "_places", {name: place for place, name in enumerate(self.resource.fields)})

    def candidates(self, write: Insert | Update, *, staged: bool, as_given: bool = False) -> CTE:
        """The records that the write would have left, or, of an insert, the rows `as_given`."""
        if isinstance(write, Update):
            records = self.updated(write)
        else:
            records = self.given(write, staged=staged) if as_given else self.inserted(write, staged=staged)
        return records.cte("diglot_candidates")

    def given(self, write: Insert, *, staged: bool) -> Select[Any]:
        """The rows as they are given."""
        columns = columns_of(write.fields or self.resource.key)
        rows: Any = staged_rows(columns) if staged else given_rows(columns, self.parameters.bind(Param(0), JSON()))
        given = {field.name for field in write.fields}
        values = {
            name: rows.c[name] if name in given else cast(null(), column_type(field.type))
            for name, field in self.resource.fields.items()
        }
        return self._candidates(func.row_number().over() - _ONE, values, {})

    def inserted(self, write: Insert, *, staged: bool) -> Select[Any]:
        """The records that the rows would have become."""
        given = self.given(write, staged=staged).subquery("diglot_numbered")
        if write.conflict is None:
            return select(given)
        names = [field.name for field in write.conflict.fields]
        if not write.conflict.merge:
            given = self._first_of_each(given, names)
        target = self.metadata.tables[self.resource.name].alias("diglot_found")
        found = target.c[self.resource.primary_key[0]].is_not(None)
        merged = {field.name for field in write.conflict.merge}
        values = {
            name: self._value(given, name)
            if name in merged
            else case((found, target.c[name]), else_=self._value(given, name))
            for name in self.resource.fields
        }
        same = and_(*(target.c[name] == self._value(given, name) for name in names))
        records = self._candidates(given.c[_ROW], values, self._before(target))
        records = records.select_from(given.outerjoin(target, same))
        return records if merged else records.where(~found)

    def updated(self, write: Update) -> Select[Any]:
        """The records that an update would have made of those it met."""
        table = self.metadata.tables[self.resource.name]
        values: dict[str, ColumnElement[Any]] = {name: table.c[name] for name in self.resource.fields}
        for changed, param in write.changes:
            values[changed.name] = self.parameters.bind(param, parameter_type(changed.type), converter(changed.type))
        number = func.row_number().over(order_by=[table.c[name] for name in self.resource.primary_key]) - _ONE
        met = condition_sql(write.where, Scope.flat(table, self.parameters, self.resource))
        return self._candidates(number, values, self._before(table)).select_from(table).where(met)

    def first(self, candidates: CTE, rule: Rule) -> Select[Any]:
        """The first candidate that breaks the rule."""
        match rule:
            case Unique(_, names):
                broken = union_all(self._held(candidates, names), self._repeated(candidates, names)).subquery()
            case Repeated(names):
                broken = self._repeated(candidates, names).subquery()
            case Lacking(name):
                broken = select(candidates.c[_ROW]).where(self._value(candidates, name).is_(None)).subquery()
            case Reference():
                broken = self._dangling(candidates, rule).subquery()
        return select(func.min(broken.c[_ROW]))

    def holder(self, candidates: CTE, names: Sequence[str]) -> Select[Any]:
        """The first candidate whose values another record has, which is locked."""
        first = self._held(candidates, names).order_by(candidates.c[_ROW]).limit(_ONE)
        return first.with_for_update(read=True, key_share=True, of=self._holder)

    def _held(self, candidates: CTE, names: Sequence[str]) -> Select[Any]:
        """The candidates whose values another record has."""
        holder = self._holder
        same = and_(*(holder.c[name] == self._value(candidates, name) for name in names))
        held = select(candidates.c[_ROW]).join_from(candidates, holder, same)
        own = [(name, self._own(name)) for name in self.resource.primary_key if self._own(name) in candidates.c]
        if not own:
            return held
        is_other = or_(candidates.c[own[0][1]].is_(None), *(candidates.c[mine] != holder.c[name] for name, mine in own))
        # A record that an earlier row has been merged into no longer holds what it held.
        earlier = candidates.alias()
        left = self._replaced(earlier, holder)
        if not self.at_once:
            left = left.where(earlier.c[_ROW] < candidates.c[_ROW])
        return held.where(is_other, ~left)

    def _replaced(self, candidates: FromClause, table: FromClause) -> Exists:
        """Whether one of the candidates replaces the record of the table."""
        own = {name: self._own(name) for name in self.resource.primary_key}
        same = (candidates.c[mine] == table.c[name] for name, mine in own.items())
        return exists().select_from(candidates).where(*same)

    def _repeated(self, candidates: CTE, names: Sequence[str]) -> Select[Any]:
        numbered = self._times(candidates, names)
        return select(numbered.c[_ROW]).where(numbered.c[_TIMES] > _ONE)

    def _dangling(self, candidates: CTE, reference: Reference) -> Select[Any]:
        values = [self._value(candidates, name) for name in reference.fields]
        target = self.metadata.tables[reference.target].alias("diglot_target")
        new = [
            value.is_distinct_from(candidates.c[self._own(name)])
            for value, name in zip(values, reference.fields, strict=True)
            if self._own(name) in candidates.c
        ]
        there = (target.c[name] == value for name, value in zip(reference.target_fields, values, strict=True))
        present = exists().select_from(target).where(*there)
        if reference.target == self.resource.name and self._own(self.resource.primary_key[0]) in candidates.c:
            present = present.where(~self._replaced(candidates.alias(), target))
        missing = [value.is_not(None) for value in values] + [~present]
        if new:
            missing.append(or_(*new))
        if reference.target == self.resource.name:
            fellow = candidates.alias()
            brought = (
                self._value(fellow, name) == value for name, value in zip(reference.target_fields, values, strict=True)
            )
            missing.append(~exists().select_from(fellow).where(*brought))
        return select(candidates.c[_ROW]).where(*missing)

    def _first_of_each(self, given: FromClause, names: Sequence[str]) -> Any:
        """The rows without those that are passed over for one before them."""
        numbered = self._times(given, names)
        return (
            select(given)
            .outerjoin(numbered, given.c[_ROW] == numbered.c[_ROW])
            .where(func.coalesce(numbered.c[_TIMES], _ONE) == _ONE)
            .subquery("diglot_firsts")
        )

    def _times(self, records: FromClause, names: Sequence[str]) -> Any:
        """How many times the values have occurred so far, where none is null."""
        values = [self._value(records, name) for name in names]
        times = func.row_number().over(partition_by=values, order_by=records.c[_ROW]).label(_TIMES)
        return select(records.c[_ROW], times).where(*(value.is_not(None) for value in values)).subquery()

    def _candidates(
        self, number: ColumnElement[Any], values: dict[str, Any], before: Mapping[str, ColumnElement[Any]]
    ) -> Select[Any]:
        return select(
            number.label(_ROW),
            *(value.label(f"value_{self._places[name]}") for name, value in values.items()),
            *(value.label(self._own(name)) for name, value in before.items()),
        )

    def _before(self, table: FromClause) -> dict[str, ColumnElement[Any]]:
        """The key of the records that the candidates replace, and what they refer to."""
        names = dict.fromkeys(self.resource.primary_key)
        names |= dict.fromkeys(name for reference in self.resource.references for name in reference.fields)
        return {name: table.c[name] for name in names}

    def _value(self, records: FromClause, name: str) -> ColumnElement[Any]:
        # Names of fields are as long as names may be; places are not.
        return records.c[f"value_{self._places[name]}"]

    def _own(self, name: str) -> str:
        return f"own_{self._places[name]}"

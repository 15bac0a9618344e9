"""Grouped selections as queries: what the groups are made by and of, and the values that they are shown by."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Label,
    Select,
    Subquery,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

from repositories.expressions import aggregates, type_of
from repositories.query import Aggregate, AggregateFunction, Cast, Expression, Member, Record, Selection
from repositories.schema import Kind, Type
from repositories.sql.aggregates import accumulated, finished
from repositories.sql.casts import cast_sql
from repositories.sql.pages import is_joined
from repositories.sql.postgresql import row_json
from repositories.sql.scopes import Scope, outside
from repositories.sql.sources import Conditions, cut, from_sql, order_keys

_GROUPS = "diglot_groups"


@dataclass(slots=True)
class Groups:
    """A grouped selection: an inner query names what the groups are made by and of, the outer one groups.

    So every key is a plain column where it is grouped by, and a record of keys can be made in a query of its own.
    """

    selection: Selection
    scope: Scope
    met: Conditions | None
    value: Callable[[Expression, Scope], ColumnElement[Any]]
    _found: dict[Expression, Label[Any]] = field(default_factory=dict)
    _keys: list[Expression] = field(default_factory=list)
    _gathered: dict[Aggregate, Sequence[ColumnElement[Any]]] = field(default_factory=dict)
    _inner: Subquery = field(init=False)

    def __post_init__(self) -> None:
        for output in self.selection.outputs:
            self._find(output.expression)
        found = from_sql(select(*self._found.values()), self.selection, self.scope, self.met)
        if not self._keys and self.selection.offset is not None:
            # Behind the only group there is nothing to be shown: no record is looked at, and no value made of it.
            offset = self.scope.building.parameters.bind(self.selection.offset, BigInteger())
            found = found.where(offset == literal_column("0"))
        self._inner = found.subquery(self.scope.building.name())
        for aggregate in filter(None, (_aggregate_of(output.expression) for output in self.selection.outputs)):
            self._gathered[aggregate] = self._gather(aggregate)

    def all(self) -> Select[Any]:
        """All groups, a column for each output."""
        return self._grouped(self._outputs())

    def page(self) -> Select[Any]:
        """The page of the groups.

        Where a value may fail, the page is made first, of all groups if need be, and then finished: what fails must
        not depend on how far, and in which order, the database happens to come.
        """
        if not self._keys or not _any(self.selection, _may_fail):
            return self._page(self._outputs())
        keys = [self._column(key).label(self._found[key].name) for key in dict.fromkeys(self._keys)]
        parts = {
            aggregate: [part.label(f"part_{number}_{place}") for place, part in enumerate(gathered)]
            for number, (aggregate, gathered) in enumerate(self._gathered.items())
        }
        casts = _any(self.selection, lambda expression: isinstance(expression, Cast))
        every = [func.count().over().label(_GROUPS)] if casts else []
        columns = [*keys, *itertools.chain(*parts.values()), *every]
        self._inner = self._page(columns).subquery(self.scope.building.name())
        self._gathered = {
            aggregate: [outside(self._inner, part.name) for part in labels] for aggregate, labels in parts.items()
        }
        page = select(*self._outputs()).select_from(self._inner)
        return page.where(outside(self._inner, _GROUPS) > literal_column("0")) if casts else page

    def _page(self, columns: Iterable[ColumnElement[Any]]) -> Select[Any]:
        return cut(self._grouped(columns).order_by(*self._order()), self.selection, self.scope)

    def _grouped(self, columns: Iterable[ColumnElement[Any]]) -> Select[Any]:
        return select(*columns).select_from(self._inner).group_by(*map(self._column, self._keys))

    def _outputs(self) -> list[ColumnElement[Any]]:
        return [self._output(output.expression).label(output.name) for output in self.selection.outputs]

    def _gather(self, aggregate: Aggregate) -> Sequence[ColumnElement[Any]]:
        operand = None if aggregate.operand is None else self._column(aggregate.operand)
        return accumulated(aggregate.function, operand, self._kind(aggregate))

    def _kind(self, aggregate: Aggregate) -> Type:
        return type_of(aggregate if aggregate.operand is None else aggregate.operand, self.scope.embeds)

    def _order(self) -> list[ColumnElement[Any]]:
        """The sort keys. JSON that they hold to be alike comes in PostgreSQL's own order, the same for every page."""
        order = self.selection.order
        columns = {sort.expression: self._key_column(sort.expression) for sort in order}
        alike = (column for column in columns.values() if isinstance(column.type, JSONB))
        # A record of nulls comes before none.
        records = (self._column(key).desc() for key in self._keys if isinstance(key, Record))
        return [*order_keys(order, self.scope, columns.__getitem__), *alike, *records]

    def _key_column(self, expression: Expression) -> ColumnElement[Any]:
        column = self._column(expression)
        is_json = type_of(expression, self.scope.embeds).kind is Kind.JSON
        return cast(column, JSONB()) if is_json and isinstance(column.type, Text) else column

    def _find(self, expression: Expression) -> None:
        """Name what the output is made of."""
        match expression:
            case Aggregate(_, operand) | Cast(Aggregate(_, operand), _):
                if operand is not None:
                    self._name(operand, self.value(operand, self.scope))
            case Record(index) if is_joined(self.scope.embeds[index]):
                self._key(expression, self.scope.joined(index).exists)
                for output in self.scope.embeds[index].selection.outputs:
                    member = Member(index, output.expression)
                    self._key(member, self.value(member, self.scope))
            case _:
                self._key(expression, self.value(expression, self.scope))

    def _key(self, expression: Expression, value: ColumnElement[Any]) -> None:
        # What is no `jsonb` has no equality but that of its text.
        self._name(expression, cast(value, Text()) if _is_text_json(value) else value)
        self._keys.append(expression)

    def _name(self, expression: Expression, value: ColumnElement[Any]) -> None:
        self._found.setdefault(expression, value.label(f"value_{len(self._found)}"))

    def _column(self, expression: Expression) -> ColumnElement[Any]:
        return outside(self._inner, self._found[expression].name)

    def _output(self, expression: Expression) -> ColumnElement[Any]:
        match expression:
            case Aggregate(function):
                return finished(function, self._gathered[expression], self._kind(expression))
            case Cast(operand, kind) if aggregates(operand):
                return cast_sql(self._output(operand), type_of(operand, self.scope.embeds), kind)
            case Record(index) if is_joined(self.scope.embeds[index]):
                outputs = self.scope.embeds[index].selection.outputs
                members = (self._shown(Member(index, each.expression)).label(each.name) for each in outputs)
                record = select(*members).subquery(self.scope.building.name())
                made = select(row_json(record)).select_from(record).scalar_subquery()
                return case((self._column(expression), made))
        return self._shown(expression)

    def _shown(self, key: Expression) -> ColumnElement[Any]:
        column = self._column(key)
        kind = type_of(key, self.scope.embeds).kind
        return cast(column, JSON()) if kind is not Kind.STRING and isinstance(column.type, Text) else column


def _aggregate_of(expression: Expression) -> Aggregate | None:
    match expression:
        case Aggregate():
            return expression
        case Cast(operand):
            return _aggregate_of(operand)
    return None


def _may_fail(expression: Expression) -> bool:
    """Whether the value may be too large, or none of the type that it is cast to."""
    match expression:
        case Cast() | Aggregate(AggregateFunction.SUM | AggregateFunction.AVG):
            return True
    return False


def _any(selection: Selection, test: Callable[[Expression], bool]) -> bool:
    """Whether the test holds of an output, or of what one is made of."""

    def holds(expression: Expression | None) -> bool:
        if expression is None or test(expression):
            return expression is not None
        match expression:
            case Aggregate(_, operand) | Cast(operand):
                return holds(operand)
            case Member(_, inner):
                return holds(inner)
            case Record(index):
                return any(holds(output.expression) for output in selection.embeds[index].selection.outputs)
        return False

    return any(holds(output.expression) for output in selection.outputs)


def _is_text_json(value: ColumnElement[Any]) -> bool:
    return isinstance(value.type, JSON) and not isinstance(value.type, JSONB)

"""Selections as queries: what each output is, the records embedded in a record, groups, the order and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Label,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

from repositories.expressions import aggregates, is_grouped, type_of
from repositories.query import Aggregate, Cast, Column, Expression, Member, Output, Record, Selection, Sort
from repositories.schema import Kind
from repositories.sql.aggregates import aggregate_sql
from repositories.sql.casts import cast_sql
from repositories.sql.columns import column_sql, json_keys
from repositories.sql.conditions import member_sql, where_sql
from repositories.sql.pages import fields_of, is_joined, is_late
from repositories.sql.postgresql import joined_json, row_json
from repositories.sql.scopes import Scope, outside

Conditions = Sequence[ColumnElement[bool]]
_VALUE = "diglot_value"


def page_sql(selection: Selection, scope: Scope, met: Conditions | None = None, *, shown: bool = True) -> Select[Any]:
    """The page of a selection, a column for each output.

    `met` are the conditions for its records, where they are not just its own; `shown` is `column_sql`'s.
    """
    if is_grouped(selection):
        groups = _Groups(selection, scope)
        return _cut(groups.query(met).order_by(*groups.order()), selection, scope)
    if any(is_late(output.expression, selection) for output in selection.outputs):
        return _in_two_steps(selection, scope, met, shown=shown)
    return _cut(_ordered(outputs_sql(selection.outputs, scope, shown=shown), selection, scope, met), selection, scope)


def _ordered(
    columns: Iterable[ColumnElement[Any]], selection: Selection, scope: Scope, met: Conditions | None
) -> Select[Any]:
    query = select(*columns).order_by(*order_sql(selection.order, scope))
    return _from(query, selection, scope, met)


def _cut(query: Select[Any], selection: Selection, scope: Scope) -> Select[Any]:
    parameters = scope.building.parameters
    if selection.limit is not None:
        query = query.limit(parameters.limit(selection.limit))
    if selection.offset is not None:
        query = query.offset(parameters.bind(selection.offset, BigInteger()))
    return query


def _in_two_steps(selection: Selection, scope: Scope, met: Conditions | None, *, shown: bool) -> Select[Any]:
    """The page, and around it the query that makes what only the page's records shall be put to."""
    found: dict[str, ColumnElement[Any]] = {}
    names: dict[Expression, str] = {}
    for output in selection.outputs:
        if is_late(output.expression, selection):
            for name in fields_of(output.expression, selection.embeds):
                found[name] = scope.source.c[name].label(name)
        else:
            name = names.setdefault(output.expression, scope.building.name())
            found[name] = value_sql(output.expression, scope, shown=shown).label(name)
    page = _cut(_ordered(found.values(), selection, scope, met), selection, scope).subquery(scope.building.name())
    outer = Scope(scope.building, page, selection.embeds, joins_embeds=False)
    columns: list[ColumnElement[Any]] = []
    for output in selection.outputs:
        made = names.get(output.expression)
        value = value_sql(output.expression, outer, shown=shown) if made is None else outside(page, made)
        columns.append(value.label(output.name))
    return select(*columns).select_from(page)


def total_sql(selection: Selection, scope: Scope) -> Select[Any]:
    """The number of records of a selection, pages aside."""
    if is_grouped(selection):
        groups = _Groups(selection, scope).query(None).subquery(scope.building.name())
        return select(func.count()).select_from(groups)
    return _from(select(func.count()), selection, scope, None)


def outputs_sql(outputs: Iterable[Output], scope: Scope, *, shown: bool = True) -> list[ColumnElement[Any]]:
    """The outputs as labelled columns."""
    return [value_sql(output.expression, scope, shown=shown).label(output.name) for output in outputs]


def order_sql(order: Iterable[Sort], scope: Scope) -> list[ColumnElement[Any]]:
    """The sort keys. Where nulls fall is left unsaid when it is the default or there are none: an index may serve."""
    return _order(order, scope, lambda expression: value_sql(expression, scope))


def _order(
    order: Iterable[Sort], scope: Scope, value: Callable[[Column | Cast | Member], ColumnElement[Any]]
) -> list[ColumnElement[Any]]:
    keys: list[ColumnElement[Any]] = []
    for sort in order:
        column = value(sort.expression)
        is_json = type_of(sort.expression, scope.embeds).kind is Kind.JSON
        parts = json_keys(column) if is_json else (column,)
        first, *rest = (part.desc() if sort.descending else part.asc() for part in parts)
        if _nullable(sort.expression) and sort.nulls_first is not sort.descending:
            first = first.nulls_first() if sort.nulls_first else first.nulls_last()
        keys.extend((first, *rest))
    return keys


def _nullable(expression: Expression) -> bool:
    return not isinstance(expression, Column) or bool(expression.path) or not expression.field.required


def value_sql(expression: Expression, scope: Scope, *, shown: bool = False) -> ColumnElement[Any]:
    """The value that an expression, which is no aggregate, has in a record of this level."""
    match expression:
        case Column():
            return column_sql(expression, scope.source, shown=shown)
        case Cast(operand, kind):
            return cast_sql(value_sql(operand, scope, shown=shown), type_of(operand, scope.embeds), kind)
        case Record(index):
            page = _embedded(index, scope, shown=shown)
            record = row_json(page)
            if scope.embeds[index].relation.many:
                record = cast(joined_json(cast(record, Text())), JSON())
            return select(record).select_from(page).scalar_subquery()
        case Member(index, inner):
            embed = scope.embeds[index]
            if scope.joins_embeds and is_joined(embed):
                joined = scope.joined(index)
                value = value_sql(inner, joined, shown=shown)
                # What is embedded further would be an empty list, rather than null, where there is no record.
                return case((joined.exists, value)) if isinstance(inner, Record | Member) else value
            page = _embedded(index, scope, (Output(_VALUE, inner),), shown=shown)
            value = page.c[_VALUE]
            if embed.relation.many:
                text = func.coalesce(cast(func.to_json(value), Text()), literal_column("'null'"))
                value = cast(joined_json(text), JSON())
            return select(value).select_from(page).scalar_subquery()
    raise AssertionError(expression)


def _embedded(index: int, scope: Scope, outputs: tuple[Output, ...] | None = None, *, shown: bool) -> Subquery:
    """The page of the records that an embed finds for a record of this level, in its order."""
    embed = scope.embeds[index]
    selection = embed.selection if outputs is None else replace(embed.selection, outputs=outputs)
    if not embed.relation.many:
        selection = replace(selection, order=(), limit=None, offset=None)
    child = scope.below(index)
    return page_sql(selection, child, member_sql(embed, scope, child), shown=shown).subquery(scope.building.name())


def _from(query: Select[Any], selection: Selection, scope: Scope, met: Conditions | None) -> Select[Any]:
    """The query, its columns already made, over the records that are met, with the embeds that are joined to them."""
    tables, rest = scope.source, [scope]
    while rest:
        parent = rest.pop()
        for embed, child in parent.joins:
            tables = tables.outerjoin(child.source, and_(*member_sql(embed, parent, child)))
            rest.append(child)
    conditions = where_sql(selection, scope) if met is None else met
    return query.select_from(tables).where(*conditions)


@dataclass(slots=True)
class _Groups:
    """A grouped selection: an inner query names what the groups are made by and of, the outer one groups.

    So every key is a plain column where it is grouped by, and a record of keys can be made in a query of its own.
    """

    selection: Selection
    scope: Scope
    _found: dict[Expression, Label[Any]] = field(default_factory=dict)
    _keys: list[Expression] = field(default_factory=list)
    _inner: Subquery | None = None

    def query(self, met: Conditions | None) -> Select[Any]:
        """The groups, a column for each output."""
        for output in self.selection.outputs:
            self._find(output.expression)
        found = _from(select(*self._found.values()), self.selection, self.scope, met)
        self._inner = found.subquery(self.scope.building.name())
        outputs = [self._output(output.expression).label(output.name) for output in self.selection.outputs]
        return select(*outputs).select_from(self._inner).group_by(*map(self._column, self._keys))

    def order(self) -> list[ColumnElement[Any]]:
        """The sort keys. JSON that they hold to be alike comes in PostgreSQL's own order, the same for every page."""
        order = self.selection.order
        columns = {sort.expression: self._key_column(sort.expression) for sort in order}
        alike = (column for column in columns.values() if isinstance(column.type, JSONB))
        return [*_order(order, self.scope, columns.__getitem__), *alike]

    def _key_column(self, expression: Expression) -> ColumnElement[Any]:
        column = self._column(expression)
        is_json = type_of(expression, self.scope.embeds).kind is Kind.JSON
        return cast(column, JSONB()) if is_json and isinstance(column.type, Text) else column

    def _find(self, expression: Expression) -> None:
        """Name what the output is made of."""
        match expression:
            case Aggregate(_, operand) | Cast(Aggregate(_, operand), _):
                if operand is not None:
                    self._name(operand, value_sql(operand, self.scope))
            case Record(index) if is_joined(self.scope.embeds[index]):
                self._key(expression, self.scope.joined(index).exists)
                for output in self.scope.embeds[index].selection.outputs:
                    member = Member(index, output.expression)
                    self._key(member, value_sql(member, self.scope))
            case _:
                self._key(expression, value_sql(expression, self.scope))

    def _key(self, expression: Expression, value: ColumnElement[Any]) -> None:
        # What is no `jsonb` has no equality but that of its text.
        self._name(expression, cast(value, Text()) if _is_text_json(value) else value)
        self._keys.append(expression)

    def _name(self, expression: Expression, value: ColumnElement[Any]) -> None:
        self._found.setdefault(expression, value.label(f"value_{len(self._found)}"))

    def _column(self, expression: Expression) -> ColumnElement[Any]:
        assert self._inner is not None
        return outside(self._inner, self._found[expression].name)

    def _output(self, expression: Expression) -> ColumnElement[Any]:
        match expression:
            case Aggregate(function, operand):
                embeds = self.scope.embeds
                kind = type_of(expression if operand is None else operand, embeds)
                return aggregate_sql(function, None if operand is None else self._column(operand), kind)
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


def _is_text_json(value: ColumnElement[Any]) -> bool:
    return isinstance(value.type, JSON) and not isinstance(value.type, JSONB)

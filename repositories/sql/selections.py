"""Selections as queries: what each output is, the records embedded in a record, groups, the order and the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSON

from repositories.expressions import is_grouped, type_of
from repositories.query import (
    Cast,
    Column,
    Expression,
    Member,
    Output,
    Record,
    Selection,
    Sort,
)
from repositories.sql.casts import cast_sql
from repositories.sql.columns import column_sql
from repositories.sql.conditions import member_sql
from repositories.sql.groups import Groups
from repositories.sql.pages import fields_of, is_joined, is_late
from repositories.sql.postgresql import joined_json, row_json
from repositories.sql.scopes import Scope, outside
from repositories.sql.sources import Conditions, cut, from_sql, order_keys

_VALUE = "diglot_value"


def page_sql(selection: Selection, scope: Scope, met: Conditions | None = None, *, shown: bool = True) -> Select[Any]:
    """The page of a selection, a column for each output.

    `met` are the conditions for its records, where they are not just its own; `shown` is `column_sql`'s.
    """
    if is_grouped(selection):
        return Groups(selection, scope, met, value_sql).page()
    if any(is_late(output.expression, selection) for output in selection.outputs):
        return _in_two_steps(selection, scope, met, shown=shown)
    return cut(_ordered(outputs_sql(selection.outputs, scope, shown=shown), selection, scope, met), selection, scope)


def _ordered(
    columns: Iterable[ColumnElement[Any]], selection: Selection, scope: Scope, met: Conditions | None
) -> Select[Any]:
    query = select(*columns).order_by(*order_sql(selection.order, scope))
    return from_sql(query, selection, scope, met)


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
    page = cut(_ordered(found.values(), selection, scope, met), selection, scope).subquery(scope.building.name())
    outer = Scope(scope.building, page, selection.embeds, selection.resource, joins_embeds=False)
    columns: list[ColumnElement[Any]] = []
    for output in selection.outputs:
        made = names.get(output.expression)
        value = value_sql(output.expression, outer, shown=shown) if made is None else outside(page, made)
        columns.append(value.label(output.name))
    return select(*columns).select_from(page)


def total_sql(selection: Selection, scope: Scope) -> Select[Any]:
    """The number of records of a selection, pages aside."""
    if is_grouped(selection):
        groups = Groups(selection, scope, None, value_sql).all().subquery(scope.building.name())
        return select(func.count()).select_from(groups)
    return from_sql(select(func.count()), selection, scope, None)


def outputs_sql(outputs: Iterable[Output], scope: Scope, *, shown: bool = True) -> list[ColumnElement[Any]]:
    """The outputs as labelled columns."""
    return [value_sql(output.expression, scope, shown=shown).label(output.name) for output in outputs]


def order_sql(order: Iterable[Sort], scope: Scope) -> list[ColumnElement[Any]]:
    """The sort keys. Where nulls fall is left unsaid when it is the default or there are none: an index may serve."""
    return order_keys(order, scope, lambda expression: value_sql(expression, scope))


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

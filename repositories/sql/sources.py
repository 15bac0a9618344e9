"""What a selection's records are taken from, in which order they come, and which of them are the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_

from repositories.expressions import type_of
from repositories.query import Cast, Column, Expression, Member, Selection, Sort
from repositories.schema import Kind
from repositories.sql.columns import json_keys
from repositories.sql.conditions import member_sql, where_sql
from repositories.sql.scopes import Scope

Conditions = Sequence[ColumnElement[bool]]


def from_sql(query: Select[Any], selection: Selection, scope: Scope, met: Conditions | None) -> Select[Any]:
    """The query, its columns already made, over the records that are met, with the embeds that are joined to them."""
    tables, rest = scope.source, [scope]
    while rest:
        parent = rest.pop()
        for embed, child in parent.joins:
            tables = tables.outerjoin(child.source, and_(*member_sql(embed, parent, child)))
            rest.append(child)
    conditions = where_sql(selection, scope) if met is None else met
    return query.select_from(tables).where(*conditions)


def cut(query: Select[Any], selection: Selection, scope: Scope) -> Select[Any]:
    """The query, for its page alone."""
    parameters = scope.building.parameters
    if selection.limit is not None:
        query = query.limit(parameters.limit(selection.limit))
    if selection.offset is not None:
        query = query.offset(parameters.bind(selection.offset, BigInteger()))
    return query


def order_keys(
    order: Iterable[Sort], scope: Scope, value: Callable[[Column | Cast | Member], ColumnElement[Any]]
) -> list[ColumnElement[Any]]:
    """The sort keys, made of what `value` gives. Where nulls fall is unsaid where it is the default, or there are none.

    So an index may serve.
    """
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

"""Conditions as SQL."""

from __future__ import annotations

from typing import Any, assert_never

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    all_,
    and_,
    any_,
    column,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSON

from repositories.encoding import records_encoder
from repositories.query import (
    ALL,
    Among,
    And,
    Comparison,
    Condition,
    Embed,
    Is,
    Not,
    Operator,
    Or,
    Param,
    Quantifier,
    Related,
    Selection,
)
from repositories.schema import Kind
from repositories.sql.columns import JSON_KEYS, column_sql, json_keys
from repositories.sql.operators import OPERATORS, STATES, Comparator, each, given_values, list_converter, list_type
from repositories.sql.postgresql import given_rows
from repositories.sql.scopes import Scope, link_sql
from repositories.sql.types import columns_of, converter

_ORDERING = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})
_GIVEN = "diglot_given"


def where_sql(selection: Selection, scope: Scope) -> list[ColumnElement[bool]]:
    """The conditions that a record must meet: the selection's own, and that no inner embed is without records."""
    conditions = [] if selection.where == ALL else [condition_sql(selection.where, scope)]
    inner = (index for index, embed in enumerate(selection.embeds) if embed.inner)
    return [*conditions, *(_related(index, scope) for index in inner)]


def member_sql(embed: Embed, parent: Scope, child: Scope) -> list[ColumnElement[bool]]:
    """The conditions for a record of `child` to be among the embed's records for that of `parent`."""
    return [link_sql(embed.relation, parent, child), *where_sql(embed.selection, child)]


def condition_sql(condition: Condition, scope: Scope) -> ColumnElement[bool]:
    """The condition over the records of a level."""
    match condition:
        case Comparison():
            return _comparison(condition, scope)
        case Is(operand, state):
            return STATES[state](column_sql(operand, scope.source))
        case Among(param):
            return _among(param, scope)
        case Related(index):
            return _related(index, scope)
        case Not(inner):
            return not_(condition_sql(inner, scope))
        case And(inner):
            return and_(true(), *(condition_sql(each, scope) for each in inner))
        case Or(inner):
            return or_(false(), *(condition_sql(each, scope) for each in inner))
        case _:
            assert_never(condition)


def _among(param: Param, scope: Scope) -> ColumnElement[bool]:
    """One parameter for all the keys: an array, or rows where the key has several fields or is an array itself."""
    key, bind = scope.key, scope.building.parameters.bind
    columns = [scope.source.c[field.name] for field in key]
    kind = key[0].type
    if len(key) == 1 and kind.kind is not Kind.ARRAY:
        ready = each(converter(kind))
        keys = bind(param, list_type(kind), lambda rows: ready([value for (value,) in rows]))
        return columns[0] == any_(keys)
    encode = records_encoder([field.name for field in key], [field.type for field in key])
    given = given_rows(columns_of(key), bind(param, JSON(), lambda rows: encode(rows).decode()))
    return tuple_(*columns).in_(select(*(given.c[field.name] for field in key)))


def _related(index: int, scope: Scope) -> ColumnElement[bool]:
    child = scope.below(index)
    met = member_sql(scope.embeds[index], scope, child)
    return exists(literal_column("1")).select_from(child.source).where(*met)


def _comparison(comparison: Comparison, scope: Scope) -> ColumnElement[bool]:
    kind, comparator = comparison.column.type, OPERATORS[comparison.operator]
    value = column_sql(comparison.column, scope.source)
    if kind.kind is Kind.JSON and comparison.operator in _ORDERING:
        return _json_order(comparison, comparator, value, scope)
    if comparison.quantifier is not None:
        return _quantified(comparison, comparison.quantifier, comparator, value, scope)
    bind = scope.building.parameters.bind
    return comparator.write(value, bind(comparison.value, comparator.kind(kind), comparator.ready(kind)))


def _quantified(
    comparison: Comparison, quantifier: Quantifier, comparator: Comparator, value: ColumnElement[Any], scope: Scope
) -> ColumnElement[bool]:
    """One parameter for all the values: an array, or rows where the values are arrays themselves."""
    kind = comparison.column.type
    bind = scope.building.parameters.bind
    if kind.kind is Kind.ARRAY:
        given = bind(comparison.value, list_type(kind), list_converter(kind))
        values: Any = given_values(value.type, given).scalar_subquery()
    else:
        values = bind(comparison.value, ARRAY(comparator.kind(kind)), each(comparator.ready(kind)))
    many = any_(values) if quantifier is Quantifier.ANY else all_(values)
    # An operator that SQLAlchemy does not know is never turned round by a negation, which would be wrong here.
    return value.bool_op(comparator.symbol)(many)


def _json_order(
    comparison: Comparison, comparator: Comparator, value: ColumnElement[Any], scope: Scope
) -> ColumnElement[bool]:
    """JSON values compare as rows of their keys; the values compared with are scalars, whose keys are made here."""
    keys, bind = tuple_(*json_keys(value)), scope.building.parameters.bind
    if comparison.quantifier is None:
        given: list[BindParameter[Any]] = [bind(comparison.value, kind, ready) for kind, ready in JSON_KEYS]
        return keys.bool_op(comparator.symbol)(tuple_(*given))
    lists = [bind(comparison.value, ARRAY(kind), each(ready)) for kind, ready in JSON_KEYS]
    names = ("kind", "text", "number")
    columns = [column(name, kind) for name, (kind, _) in zip(names, JSON_KEYS, strict=True)]
    rows = func.unnest(*lists).table_valued(*columns, name=_GIVEN).render_derived()
    values = select(*(rows.c[name] for name in names))
    word = comparison.quantifier.value.upper()
    return keys.bool_op(f"{comparator.symbol} {word}")(values.scalar_subquery())

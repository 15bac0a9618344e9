"""The operators of comparisons and the states of `is`, as PostgreSQL writes them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Double, Numeric, Text, any_, false, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.types import TypeEngine

from repositories import patterns
from repositories.encoding import records_encoder
from repositories.patterns import Pattern
from repositories.query import Operator, State
from repositories.regexes import Regex
from repositories.schema import Kind, Type
from repositories.sql.postgresql import given_rows
from repositories.sql.types import Converter, converter, parameter_type

Write = Callable[[ColumnElement[Any], BindParameter[Any]], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Comparator:
    """How an operator is written, and what its value is made into; by default, a value of the column's type.

    `symbol` is the operator before ANY and ALL.
    """

    symbol: str
    write: Write
    kind: Callable[[Type], TypeEngine[Any]] = parameter_type
    ready: Callable[[Type], Converter | None] = converter


def _named(symbol: str) -> Comparator:
    return Comparator(symbol, lambda column, value: column.bool_op(symbol)(value))


def _text(_: Type) -> TypeEngine[Any]:
    return Text()


def list_type(kind: Type) -> TypeEngine[Any]:
    """The type of the one parameter for many values of `kind`: arrays cannot be the items of an array, but rows."""
    return JSON() if kind.kind is Kind.ARRAY else ARRAY(parameter_type(kind))


def list_converter(kind: Type) -> Converter:
    """What makes many values of `kind` ready for that parameter."""
    if kind.kind is Kind.ARRAY:
        encode = records_encoder(["value"], [kind])
        return lambda values: encode((value,) for value in values).decode()
    return each(converter(kind))


def each(ready: Converter | None) -> Converter:
    """What makes a list of values ready, from what makes one."""
    return list if ready is None else lambda values: [ready(value) for value in values]


def _among(column: ColumnElement[Any], values: BindParameter[Any]) -> ColumnElement[bool]:
    """One parameter for all values. Arrays may differ in length."""
    if isinstance(column.type, ARRAY):
        return column.in_(given_values(column.type, values))
    return column == any_(values)


def given_values(kind: TypeEngine[Any], values: BindParameter[Any]) -> Any:
    """The values that one JSON parameter brings, as a query; decimals are not rounded to the column's scale."""
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, Numeric):
        kind = ARRAY(kind.item_type if isinstance(kind.item_type, Double) else Numeric(), dimensions=1)
    given = given_rows([literal_column("value", kind)], values)
    return select(given.c.value)


def folded(pattern: Pattern) -> str:
    """The pattern as a regular expression in which `.` and `$` are PostgreSQL's: any character, the very end."""
    return patterns.regex(pattern, fold=True, any_character=".", end="$")


def written(expression: Regex) -> str:
    """The expression as PostgreSQL reads it."""
    return expression.text(end="$")


def _matching(ready: Converter) -> Comparator:
    return Comparator("~", lambda column, value: column.regexp_match(value), _text, lambda _: ready)


OPERATORS: Mapping[Operator, Comparator] = {
    Operator.EQ: Comparator("=", operator.eq),
    Operator.NEQ: Comparator("<>", operator.ne),
    Operator.GT: Comparator(">", operator.gt),
    Operator.GTE: Comparator(">=", operator.ge),
    Operator.LT: Comparator("<", operator.lt),
    Operator.LTE: Comparator("<=", operator.le),
    Operator.LIKE: Comparator(
        "LIKE", lambda column, value: column.like(value, escape="\\"), _text, lambda _: patterns.like
    ),
    Operator.ILIKE: _matching(folded),
    Operator.MATCH: _matching(written),
    Operator.IMATCH: _matching(written),
    Operator.IN: Comparator("=", _among, list_type, list_converter),
    Operator.ISDISTINCT: Comparator("IS DISTINCT FROM", lambda column, value: column.is_distinct_from(value)),
    Operator.CONTAINS: _named("@>"),
    Operator.CONTAINED: _named("<@"),
    Operator.OVERLAPS: _named("&&"),
}

STATES: Mapping[State, Callable[[ColumnElement[Any]], ColumnElement[bool]]] = {
    State.NULL: lambda column: column.is_(None),
    State.NOT_NULL: lambda column: column.is_not(None),
    State.TRUE: lambda column: column.is_(true()),
    State.FALSE: lambda column: column.is_(false()),
    State.UNKNOWN: lambda column: column.is_(None),
}

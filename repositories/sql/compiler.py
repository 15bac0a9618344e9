"""Selections as SQL: pure, and done once for each shape."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, assert_never

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    MetaData,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.types import TypeEngine

from repositories import patterns
from repositories.encoding import records_encoder
from repositories.patterns import Pattern
from repositories.query import (
    And,
    Column,
    Comparison,
    Condition,
    Is,
    Not,
    Operator,
    Or,
    Output,
    Param,
    Selection,
    Sort,
    State,
)
from repositories.schema import Kind, Type, Value
from repositories.sql.postgresql import array_json, given_rows, page_of, query_sql, record_json
from repositories.sql.types import Converter, converter, parameter_type


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with positional placeholders, and for each of them the index of its value and what makes it ready."""

    sql: str
    params: tuple[tuple[int, Converter | None], ...]

    def bind(self, values: Sequence[Value]) -> list[Any]:
        """The driver's parameters for these values of a query."""
        return [values[index] if ready is None else ready(values[index]) for index, ready in self.params]


@dataclass(slots=True)
class Parameters:
    """The parameters that one statement under construction refers to."""

    known: dict[str, tuple[int, Converter | None]] = field(default_factory=dict)

    def bind(self, param: Param, kind: TypeEngine[Any], ready: Converter | None = None) -> BindParameter[Any]:
        """A placeholder for `param`; one value may stand in several, each with a type and a converter of its own."""
        name = f"p{len(self.known)}"
        self.known[name] = (param.index, ready)
        return bindparam(name, type_=kind)

    def statement(self, built: Any) -> Statement:
        """The finished statement."""
        sql, names = query_sql(built)
        return Statement(sql, tuple(self.known[name] for name in names))


@dataclass(frozen=True, slots=True)
class _Comparator:
    """How an operator is written, and what its value is made into; by default, a value of the column's type."""

    write: Callable[[ColumnElement[Any], BindParameter[Any]], ColumnElement[bool]]
    kind: Callable[[Type], TypeEngine[Any]] = parameter_type
    ready: Callable[[Type], Converter | None] = converter


def _text(_: Type) -> TypeEngine[Any]:
    return Text()


def _array(kind: Type) -> TypeEngine[Any]:
    return JSON() if kind.kind is Kind.ARRAY else ARRAY(parameter_type(kind))


def _among(column: ColumnElement[Any], values: BindParameter[Any]) -> ColumnElement[bool]:
    """One parameter for all values. Arrays may differ in length, and cannot be the items of an array: they are rows."""
    if isinstance(column.type, ARRAY):
        given = given_rows([literal_column("value", column.type)], values)
        return column.in_(select(given.c.value))
    return column == any_(values)


def folded(pattern: Pattern) -> str:
    """The pattern as a regular expression in which `.` and `$` are PostgreSQL's: any character, the very end."""
    return patterns.regex(pattern, fold=True, any_character=".", end="$")


def _each(kind: Type) -> Converter:
    if kind.kind is Kind.ARRAY:
        encode = records_encoder(["value"], [kind])
        return lambda values: encode((value,) for value in values).decode()
    ready = converter(kind)
    return list if ready is None else lambda values: [ready(value) for value in values]


OPERATORS: Mapping[Operator, _Comparator] = {
    Operator.EQ: _Comparator(operator.eq),
    Operator.NEQ: _Comparator(operator.ne),
    Operator.GT: _Comparator(operator.gt),
    Operator.GTE: _Comparator(operator.ge),
    Operator.LT: _Comparator(operator.lt),
    Operator.LTE: _Comparator(operator.le),
    Operator.LIKE: _Comparator(lambda column, value: column.like(value, escape="\\"), _text, lambda _: patterns.like),
    Operator.ILIKE: _Comparator(lambda column, value: column.regexp_match(value), _text, lambda _: folded),
    Operator.IN: _Comparator(_among, _array, _each),
}

STATES: Mapping[State, Callable[[ColumnElement[Any]], ColumnElement[bool]]] = {
    State.NULL: lambda column: column.is_(None),
    State.NOT_NULL: lambda column: column.is_not(None),
    State.TRUE: lambda column: column.is_(true()),
    State.FALSE: lambda column: column.is_(false()),
    State.UNKNOWN: lambda column: column.is_(None),
}


def condition_sql(condition: Condition, source: FromClause, parameters: Parameters) -> ColumnElement[bool]:
    """The condition over the columns of `source`."""
    match condition:
        case Comparison(Column(field), name, value):
            comparator = OPERATORS[name]
            placeholder = parameters.bind(value, comparator.kind(field.type), comparator.ready(field.type))
            return comparator.write(source.c[field.name], placeholder)
        case Is(Column(field), state):
            return STATES[state](source.c[field.name])
        case Not(inner):
            return not_(condition_sql(inner, source, parameters))
        case And(inner):
            return and_(true(), *(condition_sql(each, source, parameters) for each in inner))
        case Or(inner):
            return or_(false(), *(condition_sql(each, source, parameters) for each in inner))
        case _:
            assert_never(condition)


def order_sql(order: Sequence[Sort], source: FromClause) -> list[ColumnElement[Any]]:
    """The sort keys. Where nulls fall is left unsaid when it is the default or there are none: an index may serve."""
    keys: list[ColumnElement[Any]] = []
    for sort in order:
        column = source.c[sort.column.field.name]
        key = column.desc() if sort.descending else column.asc()
        if not sort.column.field.required and sort.nulls_first is not sort.descending:
            key = key.nulls_first() if sort.nulls_first else key.nulls_last()
        keys.append(key)
    return keys


def outputs_sql(outputs: Sequence[Output], source: FromClause) -> list[ColumnElement[Any]]:
    """The outputs as labelled columns of `source`."""
    return [source.c[output.column.field.name].label(output.name) for output in outputs]


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles reads against the tables of a catalog."""

    metadata: MetaData

    def rows(self, selection: Selection) -> Statement:
        """The page, a column for each output."""
        parameters = Parameters()
        return parameters.statement(self._page(selection, parameters))

    def records(self, selection: Selection) -> Statement:
        """The page, a row with one column for each record: its JSON text."""
        parameters = Parameters()
        page = page_of(self._page(selection, parameters), selection.outputs)
        return parameters.statement(select(record_json(page)))

    def locked(self, selection: Selection) -> Statement:
        """The same, and no other transaction changes these records until this one ends."""
        parameters = Parameters()
        page = page_of(self._page(selection, parameters).with_for_update(), selection.outputs)
        return parameters.statement(select(record_json(page)))

    def counted(self, selection: Selection) -> Statement:
        """One row: the page as a JSON array, its number of records, and the exact total of the selection."""
        parameters = Parameters()
        page = page_of(self._page(selection, parameters), selection.outputs)
        total = self._total(selection, parameters).scalar_subquery()
        return parameters.statement(select(array_json(page), func.count(), total).select_from(page))

    def total(self, selection: Selection) -> Statement:
        """One row: the exact number of records that the selection has, pages aside."""
        parameters = Parameters()
        return parameters.statement(self._total(selection, parameters))

    def _page(self, selection: Selection, parameters: Parameters) -> Select[Any]:
        table = self.metadata.tables[selection.resource.name]
        page = select(*outputs_sql(selection.outputs, table)).select_from(table)
        page = page.order_by(*order_sql(selection.order, table))
        if selection.where != And():
            page = page.where(condition_sql(selection.where, table, parameters))
        if selection.limit is not None:
            page = page.limit(parameters.bind(selection.limit, BigInteger()))
        if selection.offset is not None:
            page = page.offset(parameters.bind(selection.offset, BigInteger()))
        return page

    def _total(self, selection: Selection, parameters: Parameters) -> Select[Any]:
        table = self.metadata.tables[selection.resource.name]
        total = select(func.count()).select_from(table)
        if selection.where != And():
            total = total.where(condition_sql(selection.where, table, parameters))
        return total


class Kept:
    """A compiler that keeps what it has compiled: at once for the very object it has seen, by hash for its equals.

    Hashing a shape takes longer than all else that is done here; who keeps shapes is spared it.
    """

    def __init__(self, compile_shape: Callable[[Selection], Statement], size: int) -> None:
        self._equal = lru_cache(size)(compile_shape)
        self._same: dict[int, tuple[Selection, Statement]] = {}
        self._size = size

    def __call__(self, shape: Selection) -> Statement:
        """The statement of this shape."""
        kept = self._same.get(id(shape))
        if kept is not None and kept[0] is shape:
            return kept[1]
        statement = self._equal(shape)
        if len(self._same) >= self._size:
            self._same.clear()
        self._same[id(shape)] = (shape, statement)
        return statement

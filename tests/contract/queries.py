"""Small builders of queries: `read(catalog, "products", where=eq("name", "x"), order="price.desc")`.

They stand in for the planner: names are resolved, values collected, the primary key ends every order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from repositories import patterns
from repositories.query import (
    Among,
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
    Read,
    Row,
    Selection,
    Sort,
    State,
)
from repositories.schema import Catalog, Resource, Value
from repositories.writes import Assign, Conflict, Delete, Expectation, Insert, Replace, Update


class Walked(Iterable[Row]):
    """Rows that can be walked again and again, and are not a sequence. `walks` counts how often they have been."""

    def __init__(self, rows: Callable[[], Iterator[Row]]) -> None:
        self._rows = rows
        self.walks = 0

    def __iter__(self) -> Iterator[Row]:
        self.walks += 1
        return self._rows()


@dataclass
class _Shape:
    """The query under construction: its resource, and the values that its parts point at."""

    resource: Resource
    values: list[Value] = field(default_factory=list)

    def column(self, name: str) -> Column:
        return Column(self.resource.fields[name])

    def param(self, value: Value) -> Param:
        self.values.append(value)
        return Param(len(self.values) - 1)


Filter = Callable[[_Shape], Condition]


def compare(name: str, operator: Operator, value: Value) -> Filter:
    if operator in (Operator.LIKE, Operator.ILIKE) and isinstance(value, str):
        value = patterns.parse(value)
    return lambda shape: Comparison(shape.column(name), operator, shape.param(value))


def eq(name: str, value: Value) -> Filter:
    return compare(name, Operator.EQ, value)


def neq(name: str, value: Value) -> Filter:
    return compare(name, Operator.NEQ, value)


def gt(name: str, value: Value) -> Filter:
    return compare(name, Operator.GT, value)


def gte(name: str, value: Value) -> Filter:
    return compare(name, Operator.GTE, value)


def lt(name: str, value: Value) -> Filter:
    return compare(name, Operator.LT, value)


def lte(name: str, value: Value) -> Filter:
    return compare(name, Operator.LTE, value)


def like(name: str, text: str) -> Filter:
    return compare(name, Operator.LIKE, text)


def ilike(name: str, text: str) -> Filter:
    return compare(name, Operator.ILIKE, text)


def within(name: str, *values: Value) -> Filter:
    return compare(name, Operator.IN, values)


def state(name: str, which: State) -> Filter:
    return lambda shape: Is(shape.column(name), which)


def null(name: str) -> Filter:
    return state(name, State.NULL)


def among(*keys: Row) -> Filter:
    return lambda shape: Among(shape.param(keys))


def negated(one: Filter) -> Filter:
    return lambda shape: Not(one(shape))


def every(*filters: Filter) -> Filter:
    return lambda shape: And(tuple(one(shape) for one in filters))


def some(*filters: Filter) -> Filter:
    return lambda shape: Or(tuple(one(shape) for one in filters))


def outputs(resource: Resource, columns: Sequence[str] | None = None) -> tuple[Output, ...]:
    return tuple(Output(name, Column(resource.fields[name])) for name in columns or resource.fields)


def sorts(resource: Resource, order: str = "") -> tuple[Sort, ...]:
    """PostgREST's words: `price.desc.nullslast,name`. The primary key follows."""
    keys = []
    for text in filter(None, order.split(",")):
        name, *words = text.split(".")
        descending = "desc" in words
        nulls_first = descending if not {"nullsfirst", "nullslast"} & set(words) else "nullsfirst" in words
        keys.append(Sort(Column(resource.fields[name]), descending, nulls_first))
    named = {key.expression.field.name for key in keys if isinstance(key.expression, Column)}
    keys.extend(Sort(Column(each)) for each in resource.key if each.name not in named)
    return tuple(keys)


def read(
    catalog: Catalog,
    name: str,
    *,
    where: Filter | None = None,
    columns: Sequence[str] | None = None,
    order: str = "",
    limit: int | None = None,
    offset: int | None = None,
    count: bool = False,
) -> Read:
    shape = _Shape(catalog[name])
    selection = Selection(
        shape.resource,
        outputs(shape.resource, columns),
        (where or every())(shape),
        sorts(shape.resource, order),
        None if limit is None else shape.param(limit),
        None if offset is None else shape.param(offset),
    )
    return Read(selection, tuple(shape.values), count)


def insert(
    catalog: Catalog,
    name: str,
    *rows: Mapping[str, Value],
    returning: Sequence[str] = (),
    conflict: Conflict | None = None,
) -> Insert:
    """All rows must have the keys of the first."""
    names = list(rows[0]) if rows else list(catalog[name].primary_key)
    assert all(set(row) == set(names) for row in rows)
    values = [tuple(row[each] for each in names) for row in rows]
    return bulk(catalog, name, names, values, returning=returning, conflict=conflict)


def bulk(
    catalog: Catalog,
    name: str,
    names: Sequence[str],
    rows: Iterable[Row],
    *,
    returning: Sequence[str] = (),
    conflict: Conflict | None = None,
) -> Insert:
    """An insert of rows as they are, of any iterable."""
    resource = catalog[name]
    fields = tuple(resource.fields[each] for each in names)
    return Insert(resource, fields, rows, outputs(resource, returning) if returning else (), conflict)


def conflict(catalog: Catalog, name: str, *names: str, merge: Sequence[str] = ()) -> Conflict:
    fields = catalog[name].fields
    return Conflict(tuple(fields[each] for each in names), tuple(fields[each] for each in merge))


def assign(catalog: Catalog, name: str, *rows: Mapping[str, Value]) -> Assign:
    """All rows must have the keys of the first."""
    resource = catalog[name]
    names = [*resource.primary_key, *(each for each in rows[0] if each not in resource.primary_key)]
    return Assign(
        resource,
        tuple(resource.fields[each] for each in names),
        tuple(tuple(row[each] for each in names) for row in rows),
    )


def replace(
    catalog: Catalog,
    name: str,
    row: Mapping[str, Value],
    *,
    initial: Mapping[str, Value] | None = None,
    create: bool = True,
    returning: Sequence[str] = (),
    expect: Expectation | None = None,
) -> Replace:
    resource = catalog[name]
    names = [*resource.primary_key, *(each for each in row if each not in resource.primary_key)]
    return Replace(
        resource,
        tuple(resource.fields[each] for each in names),
        tuple(row[each] for each in names),
        tuple((resource.fields[each], value) for each, value in (initial or {}).items()),
        create,
        outputs(resource, returning) if returning else (),
        expect,
    )


def update(
    catalog: Catalog,
    name: str,
    changes: Mapping[str, Value],
    where: Filter | None = None,
    *,
    returning: Sequence[str] = (),
    order: str = "",
    expect: Expectation | None = None,
) -> Update:
    shape = _Shape(catalog[name])
    resource = shape.resource
    condition = (where or every())(shape)
    changed = tuple((resource.fields[each], shape.param(value)) for each, value in changes.items())
    shown = outputs(resource, returning) if returning else ()
    return Update(resource, changed, condition, tuple(shape.values), shown, sorts(resource, order), expect)


def delete(
    catalog: Catalog,
    name: str,
    where: Filter | None = None,
    *,
    returning: Sequence[str] = (),
    order: str = "",
    expect: Expectation | None = None,
) -> Delete:
    shape = _Shape(catalog[name])
    condition = (where or every())(shape)
    shown = outputs(shape.resource, returning) if returning else ()
    return Delete(shape.resource, condition, tuple(shape.values), shown, sorts(shape.resource, order), expect)


def expectation(catalog: Catalog, name: str, *tags: str, present: bool = True) -> Expectation:
    """Any record will do where no tag is given."""
    return Expectation(outputs(catalog[name]), frozenset(tags) or None, present)

"""Documents as rows: every output of a selection, embedded records included, read column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from repositories import casts
from repositories.encoding import json_text
from repositories.expressions import is_grouped, type_of
from repositories.mongo.documents import BSON, Decode, column_reader, decoder, place
from repositories.mongo.groups import Groups
from repositories.query import JSON, Aggregate, Cast, Column, Embed, Expression, Member, Record
from repositories.schema import Kind, Resource, Type, Value

#: From documents to the values of one output.
ReadColumn = Callable[[Sequence[BSON]], list[Any]]


def compile_decoder(resource: Resource, expressions: Sequence[Expression], embeds: tuple[Embed, ...] = ()) -> Decode:
    """A function that reads rows of these expressions from documents of the resource."""
    plain = [each for each in expressions if isinstance(each, Column) and not each.path]
    if len(plain) == len(expressions):
        return decoder(resource, [each.field for each in plain])
    columns = [read_column(resource, each, embeds) for each in expressions]
    return lambda documents: list(zip(*(read(documents) for read in columns), strict=True))


def read_column(resource: Resource, expression: Expression, embeds: tuple[Embed, ...]) -> ReadColumn:
    """What reads one output's values."""
    match expression:
        case Column():
            return _column(resource, expression)
        case Cast(operand, target):
            return _each(read_column(resource, operand, embeds), caster(type_of(operand, embeds), target))
        case Member(index, inner):
            selection = embeds[index].selection
            read = read_column(selection.resource, inner, selection.embeds)
            return _many(index, read) if embeds[index].relation.many else _one(index, read)
        case Record(index):
            selection = embeds[index].selection
            groups = Groups(selection) if is_grouped(selection) else None
            outputs = [output.expression for output in selection.outputs]
            decode = groups.rows if groups else compile_decoder(selection.resource, outputs, selection.embeds)
            none: list[BSON] = [{}] if groups and groups.page.single else []
            return _many(index, decode, none) if embeds[index].relation.many else _one(index, decode, none)
        case Aggregate():
            raise AssertionError(expression)


def _each(read: ReadColumn, convert: Callable[[Any], Value]) -> ReadColumn:
    return lambda documents: [None if value is None else convert(value) for value in read(documents)]


def caster(source: Type, target: Type) -> Callable[[Value], Value]:
    """What casts a value."""
    return lambda value: casts.cast(value, source, target)


def _one(index: int, read: ReadColumn, none: Sequence[BSON] = ()) -> ReadColumn:
    """The values of the embedded records, null where there is none; `none` stands for no record."""
    name = place(index)

    def column(documents: Sequence[BSON]) -> list[Any]:
        found = [each[name] or none for each in documents]
        values = iter(read([records[0] for records in found if records]))
        return [next(values) if records else None for records in found]

    return column


def _many(index: int, read: ReadColumn, none: Sequence[BSON] = ()) -> ReadColumn:
    """The lists of values; null in place of the records is an empty page, none of them `none`."""
    name = place(index)

    def column(documents: Sequence[BSON]) -> list[Any]:
        found = [[] if each[name] is None else each[name] or none for each in documents]
        values = read([record for records in found for record in records])
        lists, start = [], 0
        for records in found:
            lists.append(values[start : start + len(records)])
            start += len(records)
        return lists

    return column


def _column(resource: Resource, column: Column) -> ReadColumn:
    read = column_reader(resource, column.field)
    if not column.path:
        return read
    if column.field.type.items is not None:
        items = column.field.type.items
        plain = read
        if items.kind not in (Kind.STRING, Kind.INT32, Kind.INT64, Kind.BOOLEAN):
            as_json = caster(items, JSON)
            read = _each(plain, lambda values: [as_json(value) for value in values])
    found = _each(read, lambda value: walk(value, column.path))
    return _each(found, _text) if column.as_text else found


def walk(value: Value, path: Sequence[str | int]) -> Value:
    """What the path leads to in free JSON; null where it leads nowhere."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        elif isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json_text(value)

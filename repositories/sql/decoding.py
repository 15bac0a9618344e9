"""Records back from their JSON: the values of outputs that are no plain columns, exactly as they were stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from repositories.expressions import type_of
from repositories.query import Cast, Column, Embed, Expression, Member, Output, Record, Row
from repositories.schema import Kind, Type
from repositories.sql.types import number

_Converter = Callable[[Any], Any]


class _Digits(str):
    """A number as it is written."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_int=_Digits, parse_float=_Digits)


def is_plain(outputs: Sequence[Output]) -> bool:
    """Whether the driver reads all these outputs as what they are."""
    return all(isinstance(each.expression, Column) and not each.expression.path for each in outputs)


def loader(outputs: Sequence[Output], embeds: tuple[Embed, ...]) -> Callable[[str], Row]:
    """A function that reads the JSON text of one record."""
    read = _row_reader(outputs, embeds)
    decode = _DECODER.decode
    return lambda text: read(decode(text))


def _row_reader(outputs: Sequence[Output], embeds: tuple[Embed, ...]) -> Callable[[dict[str, Any]], Row]:
    members = [(output.name, _nullable(_reader(output.expression, embeds))) for output in outputs]
    return lambda record: tuple([read(record[name]) for name, read in members])


def _reader(expression: Expression, embeds: tuple[Embed, ...]) -> _Converter:
    match expression:
        case Record(index):
            embed = embeds[index]
            read = _row_reader(embed.selection.outputs, embed.selection.embeds)
            return (lambda rows: [read(row) for row in rows]) if embed.relation.many else read
        case Member(index, inner):
            item = _reader(inner, embeds[index].selection.embeds)
            return _list_reader(_nullable(item)) if embeds[index].relation.many else item
        case Cast(operand, Type(kind=Kind.JSON)):
            return _json_reader(type_of(operand, embeds))
        case Column(field, path) if path and not expression.as_text:
            return _json_reader(field.type)
    return _type_reader(type_of(expression, embeds))


def _json_reader(kind: Type) -> _Converter:
    """What reads JSON that was made of a value of this type: numbers are as exact as in the type."""
    if kind.items is not None:
        return _json_reader(kind.items)
    return _EXACT.get(kind.kind, _json)


def _type_reader(kind: Type) -> _Converter:
    if kind.kind is Kind.ARRAY:
        assert kind.items is not None
        return _list_reader(_type_reader(kind.items))
    return _READERS.get(kind.kind, _as_it_is)


def _nullable(read: _Converter) -> _Converter:
    return read if read is _as_it_is else lambda value: None if value is None else read(value)


def _list_reader(read: _Converter) -> _Converter:
    return lambda values: [read(value) for value in values]


def _as_it_is(value: Any) -> Any:
    return value


def _json(value: Any) -> Any:
    return _json_of(value, _free_number)


def _json_of_decimals(value: Any) -> Any:
    return _json_of(value, Decimal)


def _json_of_doubles(value: Any) -> Any:
    # PostgreSQL's shortest digits of a large double are not always Python's.
    return _json_of(value, lambda digits: float(digits) if "." in digits else int(digits))


def _json_of(value: Any, read: Callable[[str], Any]) -> Any:
    match value:
        case _Digits():
            return read(value)
        case dict():
            return {key: _json_of(item, read) for key, item in value.items()}
        case list():
            return [_json_of(item, read) for item in value]
    return value


def _free_number(digits: str) -> int | float:
    return float(digits) if "." in digits else number(digits)


_EXACT: dict[Kind, _Converter] = {Kind.DECIMAL: _json_of_decimals, Kind.DOUBLE: _json_of_doubles}
_READERS: dict[Kind, _Converter] = {
    Kind.UUID: UUID,
    Kind.DATE: date.fromisoformat,
    Kind.DATETIME: datetime.fromisoformat,
    Kind.INT32: int,
    Kind.INT64: int,
    Kind.DOUBLE: float,
    Kind.DECIMAL: Decimal,
    Kind.JSON: _json,
}

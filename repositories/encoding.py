"""Records as JSON text, in the one form that every store answers with: the form in which PostgreSQL writes it.

* No white space between the members of a record or the items of an array field.
* Free JSON as `jsonb` prints it: one space after each comma and colon, keys by length and then by bytes, numbers
  without an exponent.
* Decimals with their declared scale; doubles in the shortest form that reads back equal; instants as
  `2026-01-31T09:30:00.12+00:00`, without trailing zeros of the fraction.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from types import NoneType
from typing import Any

import orjson

from repositories.expressions import type_of
from repositories.query import Embed, Expression, Member, Output, Record, Row
from repositories.schema import Kind, Type, Value

_Converter = Callable[[Value], Any]


def outputs_encoder(outputs: Sequence[Output], embeds: tuple[Embed, ...]) -> Callable[[Iterable[Row]], bytes]:
    """A function that writes rows of these outputs, records within records included, as one JSON array of objects."""
    write = _object_writer(outputs, embeds)
    return lambda rows: orjson.dumps([write(row) for row in rows])


def _object_writer(outputs: Sequence[Output], embeds: tuple[Embed, ...]) -> Callable[[Row], dict[str, Any]]:
    return _row_writer(
        [output.name for output in outputs], [expression_converter(output.expression, embeds) for output in outputs]
    )


def _row_writer(names: Sequence[str], found: Sequence[_Converter | None]) -> Callable[[Row], dict[str, Any]]:
    """A function that makes of a row the object that orjson writes in our form."""
    converters = [(index, convert) for index, convert in enumerate(found) if convert is not None]

    def write(row: Row) -> dict[str, Any]:
        values = list(row)
        for index, convert in converters:
            if values[index] is not None:
                values[index] = convert(values[index])
        return dict(zip(names, values, strict=True))

    return write


def expression_converter(expression: Expression, embeds: tuple[Embed, ...]) -> _Converter | None:
    """What turns a value of the expression into one that orjson writes in our form; None where it does so already."""
    match expression:
        case Record(index):
            embed = embeds[index]
            write = _object_writer(embed.selection.outputs, embed.selection.embeds)
            return (lambda rows: [write(row) for row in rows]) if embed.relation.many else write
        case Member(index, inner):
            convert = expression_converter(inner, embeds[index].selection.embeds)
            if convert is None or not embeds[index].relation.many:
                return convert
            return lambda values: [None if value is None else convert(value) for value in values]
    return converter(type_of(expression, embeds))


def records_encoder(names: Sequence[str], types: Sequence[Type]) -> Callable[[Iterable[Row]], bytes]:
    """A function that writes rows of these columns as one JSON array of objects."""
    converters = [converter(kind) for kind in types]
    if not any(converters):
        return lambda rows: orjson.dumps([dict(zip(names, row, strict=True)) for row in rows])
    write = _row_writer(names, converters)
    return lambda rows: orjson.dumps([write(row) for row in rows])


def converter(kind: Type) -> _Converter | None:
    """What turns a value into one that orjson writes in our form; None where it does so already."""
    if kind.kind is Kind.ARRAY:
        assert kind.items is not None
        item = converter(kind.items)
        return None if item is None else lambda values: [item(value) for value in values]
    return _CONVERTERS.get(kind.kind)


def instant_text(value: datetime) -> str:
    """An instant in UTC, its fraction to the millisecond and without trailing zeros."""
    text = value.isoformat(timespec="milliseconds")
    seconds, fraction = text[:19], text[20:23].rstrip("0")
    return f"{seconds}.{fraction}+00:00" if fraction else f"{seconds}+00:00"


def decimal_text(value: Decimal) -> str:
    """A decimal in positional notation, every digit of its scale written."""
    return format(value, "f")


def double_text(value: float) -> str:
    """A double as PostgreSQL writes it: an exponent from 1e+15 on and below 1e-04, no `.0` after whole numbers."""
    size = abs(value)
    if size < 1e15 and value.is_integer():
        return str(int(value)) if value or math.copysign(1, value) > 0 else "-0"
    if 1e15 <= size < 1e16:
        return _scientific(value, repr(size).removesuffix(".0").replace(".", ""), 15)
    return repr(value) if size < 1e16 else _large_double_text(value)


def _large_double_text(value: float) -> str:
    """Of a large double, Python's shortest text may lie halfway to the next one; PostgreSQL then writes more digits."""
    number = int(abs(value))
    above = int(math.nextafter(number, math.inf)) - number if number < sys.float_info.max else 0
    below = number - int(math.nextafter(number, 0))
    written = int(Decimal(repr(abs(value))))
    if 2 * (written - number) not in (above, -below):
        return repr(value)
    unit = 10 ** (len(str(number)) - 1)
    while True:
        low = number // unit * unit
        inside = [near for near in (low, low + unit) if -below < 2 * (near - number) < above]
        if inside:
            shortest = str(min(inside, key=lambda near: abs(near - number)))
            return _scientific(value, shortest, len(shortest) - 1)
        unit //= 10


def _scientific(value: float, digits: str, exponent: int) -> str:
    digits = digits.rstrip("0")
    return f"{'-' if value < 0 else ''}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e+{exponent}"


def json_text(value: Any) -> str:
    """Free JSON as PostgreSQL prints `jsonb`."""
    write = _TEXTS.get(type(value))
    if write is None:
        write = next((write for kind, write in _TEXTS.items() if isinstance(value, kind)), _array_text)
    return write(value)


def _float_text(value: float) -> str:
    text = repr(value or 0.0)  # `jsonb` has no negative zero
    return decimal_text(Decimal(text)) if "e" in text else text


def _object_text(value: dict[str, Any]) -> str:
    members = sorted([_short_key(key) if len(key) <= _SHORT else _key(key) for key in value])
    return "{" + ", ".join([text + json_text(value[key]) for _, _, key, text in members]) + "}"


def _array_text(value: Iterable[Any]) -> str:
    return "[" + ", ".join(map(json_text, value)) + "]"


def _key(key: str) -> tuple[int, bytes, str, str]:
    """A key with what it sorts by before it, and how it begins its member behind it."""
    raw = key.encode()
    return len(raw), raw, key, f"{encode_basestring(key)}: "


#: Objects have the same few keys again and again; those up to this length are remembered.
_SHORT = 64
_short_key = lru_cache(4096)(_key)

_TEXTS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    NoneType: lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _float_text,
    Decimal: decimal_text,
    dict: _object_text,
    list: _array_text,
}


def _fragment(write: Callable[[Any], str]) -> _Converter:
    return lambda value: orjson.Fragment(write(value))


_CONVERTERS: dict[Kind, _Converter] = {
    Kind.DATETIME: instant_text,
    Kind.DECIMAL: _fragment(decimal_text),
    Kind.DOUBLE: _fragment(double_text),
    Kind.JSON: _fragment(json_text),
}

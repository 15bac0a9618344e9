"""Rows → bytes of a file, in the text forms of `repositories.encoding`, so that an import reads back the same."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from repositories.encoding import decimal_text, double_text, instant_text, json_text, records_encoder
from repositories.query import Row
from repositories.schema import Field, Kind, Type, Value
from service.transfer.formats import Format

_SPECIAL = frozenset(',"\r\n')


class Writer(ABC):
    """How records are written, and what stands at a file's beginning and end and before its records.

    `head`, then for each record `first` or (from the second on) `between` and the record, then `tail`.
    """

    def __init__(self, *, head: bytes = b"", first: bytes = b"", between: bytes = b"", tail: bytes = b"") -> None:
        self.head, self.first, self.between, self.tail = head, first, between, tail

    @abstractmethod
    def record(self, row: Row) -> bytes:
        """One record."""


class CsvWriter(Writer):
    """CSV with a header. Null is nothing at all, the empty text is `""`. Formulas are not disarmed: data is data."""

    def __init__(self, fields: Sequence[Field]) -> None:
        header = ",".join(_quoted(field.name) for field in fields)
        super().__init__(head=header.encode() + b"\n")
        self._texts = [_text_of(field.type) for field in fields]

    def record(self, row: Row) -> bytes:
        """The fields, null told from the empty text by its quotes."""
        texts = ("" if value is None else _quoted(text(value)) for text, value in zip(self._texts, row, strict=True))
        return ",".join(texts).encode() + b"\n"


class JsonWriter(Writer):
    """One object for each record, as the API writes it."""

    def __init__(self, fields: Sequence[Field], *, end: bytes = b"", **marks: bytes) -> None:
        super().__init__(**marks)
        self._end = end
        names = [field.name for field in fields]
        self._encode = records_encoder(names, [field.type for field in fields])
        self._encode_signed = records_encoder(names, [_signed(field.type) for field in fields])
        self._doubles = [
            index for index, field in enumerate(fields) if Kind.DOUBLE in {field.type.kind, _item_kind(field.type)}
        ]

    def record(self, row: Row) -> bytes:
        """The object. A negative zero becomes `-0.0`: JSON readers take `-0` for the integer."""
        signed = any(_negative_zero(row[index]) for index in self._doubles)
        return (self._encode_signed if signed else self._encode)([row])[1:-1] + self._end


def writer(file_format: Format, fields: Sequence[Field]) -> Writer:
    """The writer of a format."""
    match file_format:
        case Format.CSV:
            return CsvWriter(fields)
        case Format.JSON:
            return JsonWriter(fields, head=b"[", first=b"\n", between=b",\n", tail=b"\n]\n")
        case Format.NDJSON:
            return JsonWriter(fields, end=b"\n")


def _quoted(text: str) -> str:
    if text and _SPECIAL.isdisjoint(text) and text[0] != " " and text[-1] != " ":
        return text
    return '"' + text.replace('"', '""') + '"'


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"


def _text_of(kind: Type) -> Callable[[Any], str]:
    if kind.kind is Kind.ARRAY:
        plain, signed = records_encoder([""], [kind]), records_encoder([""], [_signed(kind)])
        doubles = _item_kind(kind) is Kind.DOUBLE

        def array_text(value: list[Value]) -> str:
            encode = signed if doubles and _negative_zero(value) else plain
            return encode([(value,)])[len('[{"":') : -len("}]")].decode()

        return array_text
    return _TEXTS.get(kind.kind, str)


_TEXTS: dict[Kind, Callable[[Any], str]] = {
    Kind.DATETIME: instant_text,
    Kind.DOUBLE: double_text,
    Kind.DECIMAL: decimal_text,
    Kind.BOOLEAN: _boolean_text,
    Kind.JSON: json_text,
}


def _item_kind(kind: Type) -> Kind | None:
    return kind.items.kind if kind.items is not None else None


def _signed(kind: Type) -> Type:
    """For doubles a type whose values the encoder leaves to orjson, which keeps the sign of zero."""
    return Type(Kind.BOOLEAN) if Kind.DOUBLE in {kind.kind, _item_kind(kind)} else kind


def _negative_zero(value: Value) -> bool:
    if isinstance(value, list):
        return any(map(_negative_zero, value))
    return value == 0 and math.copysign(1, value) < 0

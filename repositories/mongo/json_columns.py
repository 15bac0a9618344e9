"""Documents of plain fields → JSON, straight, without the port's values and rows between.

The bytes are those that `encoding.py` makes of the rows. Several documents are written column by column; a single one,
as most requests have it, field by field, which takes it half as long. What is stored as this service stores it becomes
text at once; a column in which anything else is found takes the long way, where it is read as it can be, or refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from operator import methodcaller
from types import NoneType
from typing import Any

import orjson

from repositories.encoding import converter, double_text, instant_text
from repositories.mongo.decimals import decimal_halves
from repositories.mongo.documents import BSON, column_getter, column_reader, path, value_reader
from repositories.query import Column, Output
from repositories.schema import Field, Kind, Resource, Type

_ReadColumn = Callable[[Sequence[BSON]], list[Any]]
_Write = Callable[[Any], Any]
#: How a field is taken out of a document, the types that orjson writes in our form, and what writes the others.
_Cell = tuple[Callable[[BSON], Any], frozenset[type], _Write]

#: What a value that is not as this service stores it raises.
_OTHERWISE = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError)

_NEWLINE = orjson.Fragment(b"\n")


class JsonColumns:
    """Writes documents of a resource as records of these fields."""

    def __init__(self, resource: Resource, names: Sequence[str], fields: Sequence[Field]) -> None:
        self._names = names
        self._columns = [_column(resource, field) for field in fields]
        self._cells = [(name, *_cell(resource, field)) for name, field in zip(names, fields, strict=True)]

    def array(self, documents: Sequence[BSON]) -> bytes:
        """One JSON array of objects."""
        return orjson.dumps(list(self._records(documents)))

    def lines(self, documents: Sequence[BSON]) -> bytes:
        """An object on each line: of one array, since each call of orjson costs as much as five records."""
        if not documents:
            return b""
        members: list[Any] = [_NEWLINE] * (2 * len(documents))
        members[::2] = self._records(documents)
        # Within JSON a line feed is always escaped.
        return orjson.dumps(members)[1:-3].replace(b",\n,", b"\n") + b"\n"

    def _records(self, documents: Sequence[BSON]) -> Iterable[dict[str, Any]]:
        if len(documents) == 1:
            with suppress(*_OTHERWISE):
                return (self._record(documents[0]),)
        names, columns = self._names, [read(documents) for read in self._columns]
        return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))

    def _record(self, document: BSON) -> dict[str, Any]:
        record = {}
        for name, get, native, write in self._cells:
            value = get(document)
            record[name] = value if type(value) in native else write(value)
        return record


def plain_fields(outputs: Sequence[Output]) -> list[Field] | None:
    """The fields that the outputs are, if all of them are fields as they are."""
    columns = [output.expression for output in outputs]
    plain = [column.field for column in columns if isinstance(column, Column) and not column.path]
    return plain if plain and len(plain) == len(columns) else None


def _column(resource: Resource, field: Field) -> _ReadColumn:
    """What makes of a field's values what orjson writes in our form."""
    slow = _slow_column(resource, field)
    write = _writer(field.type)
    if write is None:
        return slow
    get = column_getter(path(resource, field))

    def column(documents: Sequence[BSON]) -> list[Any]:
        try:
            return [None if value is None else write(value) for value in get(documents)]
        except _OTHERWISE:
            return slow(documents)

    return column


def _slow_column(resource: Resource, field: Field) -> _ReadColumn:
    read, convert = column_reader(resource, field), converter(field.type)
    if convert is None:
        return read
    return lambda documents: [None if value is None else convert(value) for value in read(documents)]


def _cell(resource: Resource, field: Field) -> _Cell:
    """The same for one document; what it does not know fails."""
    name, _, member = path(resource, field).partition(".")
    get = (lambda document: document[name][member]) if member else methodcaller("get", name)
    native, read = value_reader(field.type)
    nothing = frozenset((NoneType,))
    write, convert = _writer(field.type), converter(field.type)
    if write is not None:
        return get, nothing, write
    if convert is None:
        return get, native, read
    return get, nothing, lambda value: convert(value if type(value) in native else read(value))


def _writer(kind: Type) -> _Write | None:
    """What writes a value of this type as it is stored; it fails for any other value."""
    match kind:
        case Type(kind=Kind.DECIMAL, scale=int(scale)):
            return _decimal_writer(scale)
        case Type(kind=Kind.DATETIME):
            return _instant
        case Type(kind=Kind.DOUBLE):
            return _double
    return None


def _decimal_writer(scale: int) -> _Write:
    def write(found: Any) -> orjson.Fragment:
        coefficient, exponent = decimal_halves(found.bid)
        if exponent != -scale:
            raise ValueError(found)
        digits = str(abs(coefficient)).rjust(scale + 1, "0")
        text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
        return orjson.Fragment(f"-{text}" if coefficient < 0 else text)

    return write


def _instant(found: Any) -> str:
    if type(found) is not datetime:
        raise TypeError(found)
    return instant_text(found)


def _double(found: Any) -> orjson.Fragment:
    if type(found) is not float or not math.isfinite(found):
        raise TypeError(found)
    return orjson.Fragment(double_text(found))

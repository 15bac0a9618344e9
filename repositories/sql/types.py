"""How each kind of value is stored in PostgreSQL: the column's type, and how a parameter of that kind is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnClause, Date, Integer, Numeric, Text, Uuid, column
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, JSONB, TIMESTAMP
from sqlalchemy.types import TypeEngine

from repositories.encoding import json_text
from repositories.schema import Field, Kind, Type, Value

#: Turns a value of the port into one that the driver sends; None where the driver takes it as it is.
Converter = Callable[[Any], Any]

_COLUMNS: Mapping[Kind, Callable[[Type], TypeEngine[Any]]] = {
    Kind.STRING: lambda _: Text(collation="C"),
    Kind.UUID: lambda _: Uuid(),
    Kind.DATE: lambda _: Date(),
    Kind.DATETIME: lambda _: TIMESTAMP(timezone=True, precision=3),
    Kind.INT32: lambda _: Integer(),
    Kind.INT64: lambda _: BigInteger(),
    Kind.DOUBLE: lambda _: DOUBLE_PRECISION(),
    Kind.DECIMAL: lambda kind: Numeric(kind.precision, kind.scale),
    Kind.BOOLEAN: lambda _: Boolean(),
    Kind.ARRAY: lambda kind: ARRAY(column_type(_items(kind)), dimensions=1),
    Kind.JSON: lambda _: JSONB(),
}

# Parameters have no length, scale or precision of their own: a cast to one would round what is compared. Integers are
# all sent as bigint, so that a statement is prepared once, not once for every size of number.
_PARAMETERS: Mapping[Kind, TypeEngine[Any]] = {
    Kind.STRING: Text(),
    Kind.DATETIME: TIMESTAMP(timezone=True),
    Kind.INT32: BigInteger(),
    Kind.DECIMAL: Numeric(),
}


def column_type(kind: Type) -> TypeEngine[Any]:
    """The type of a column that holds values of `kind`."""
    return _COLUMNS[kind.kind](kind)


def columns_of(fields: Iterable[Field]) -> list[ColumnClause[Any]]:
    """The columns of these fields, of no table in particular."""
    return [column(field.name, column_type(field.type)) for field in fields]


def parameter_type(kind: Type) -> TypeEngine[Any]:
    """The type of a parameter that is compared with, or assigned to, a column of `kind`."""
    if kind.kind is Kind.ARRAY:
        items = _items(kind)
        # Integers of two sizes compare, arrays of them do not.
        return ARRAY(Integer() if items.kind is Kind.INT32 else parameter_type(items), dimensions=1)
    return _PARAMETERS.get(kind.kind) or column_type(kind)


def converter(kind: Type) -> Converter | None:
    """What makes a value of `kind` ready for the driver."""
    return _json_parameter if kind.kind is Kind.JSON else None


def default_text(kind: Type, value: Value) -> str:
    """A value as the text that PostgreSQL reads as a column's default."""
    if kind.kind is Kind.JSON:
        return json_text(value)
    if kind.kind is Kind.ARRAY:
        items = (default_text(_items(kind), item).replace("\\", "\\\\").replace('"', '\\"') for item in value)
        return "{" + ",".join(f'"{item}"' for item in items) + "}"
    if kind.kind is Kind.STRING:
        return str(value)
    if kind.kind is Kind.BOOLEAN:
        return "true" if value else "false"
    if kind.kind is Kind.DATETIME:
        return str(value.isoformat())
    return str(value)


def load_json(data: bytes | str) -> Any:
    """Read what `jsonb` holds. An integer beyond int64 was written as a double: `jsonb` drops the exponent."""
    return _DECODER.raw_decode(data if isinstance(data, str) else data.decode())[0]


def number(digits: str) -> int | float:
    """The number that digits without a point are in free JSON."""
    value = int(digits)
    return value if -(2**63) <= value < 2**63 else float(value)


_DECODER = json.JSONDecoder(parse_int=number)


def _items(kind: Type) -> Type:
    assert kind.items is not None
    return kind.items


def _json_parameter(value: Value) -> str | None:
    return None if value is None else json_text(value)

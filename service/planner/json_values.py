"""Values in a JSON body → typed values. A JSON string is read as the same text in a filter would be."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from repositories.schema import Kind, Type, Value
from repositories.texts import (
    INT_BOUNDS,
    InvalidValueError,
    checked_decimal,
    checked_integer,
    checked_text,
    from_text,
    invalid,
    out_of_range,
)

#: How deep free JSON may be nested (contract, value 7).
MAX_DEPTH = 64
_INT64 = Type(Kind.INT64)
_LEAST, _MOST = INT_BOUNDS[Kind.INT64]
_DOUBLE = Type(Kind.DOUBLE)


def from_json(kind: Type, value: Any) -> Value:
    """The value of type `kind` that a parsed JSON value (numbers as int or Decimal) writes; null is None.

    An object's own properties are not looked at here: `checks.check` does. Raises `InvalidValueError`.
    """
    if value is None:
        return None
    if kind.kind is Kind.JSON:
        return free_json(value) if kind.shape is None else _object(value)
    if kind.kind is Kind.ARRAY:
        return _array(kind, value)
    if isinstance(value, str):
        return from_text(kind, value)
    if isinstance(value, bool):
        if kind.kind is Kind.BOOLEAN:
            return value
    elif isinstance(value, int | Decimal):
        return _number(kind, value)
    raise invalid(kind, _shown(value))


def free_json(value: Any, depth: int = 1) -> Any:
    """JSON of any shape: integers within int64, other numbers as doubles. Raises `InvalidValueError`."""
    kind = type(value)
    if kind is str:
        return checked_text(value)
    if kind is int:
        return value if _LEAST <= value <= _MOST else _free_integer(value)
    if kind is dict or kind is list:
        if depth > MAX_DEPTH:
            raise InvalidValueError("54001", f"JSON may be nested {MAX_DEPTH} deep at the most")
        if kind is list:
            return [free_json(item, depth + 1) for item in value]
        return {checked_text(key): free_json(item, depth + 1) for key, item in value.items()}
    if kind is Decimal:
        return _finite(value) or 0.0  # jsonb knows no negative zero
    return value


def _free_integer(value: int) -> float:
    """An integer beyond int64 as a double, in the digits that answers write it in (1e22 has 23 of them)."""
    number = _finite(value)
    if Decimal(repr(number)) != value:
        raise out_of_range(_INT64)
    return number


def _number(kind: Type, value: int | Decimal) -> Value:
    match kind.kind:
        case Kind.INT32 | Kind.INT64 if isinstance(value, int):
            return checked_integer(kind, value)
        case Kind.DOUBLE:
            return _finite(value)
        case Kind.DECIMAL:
            return checked_decimal(kind, Decimal(value))
    raise invalid(kind, _shown(value))


def _finite(value: int | Decimal) -> float:
    try:
        number = float(value)
    except OverflowError:
        raise out_of_range(_DOUBLE) from None
    if not math.isfinite(number) or (value and not number):
        raise out_of_range(_DOUBLE)
    return number


def _array(kind: Type, value: Any) -> list[Value]:
    if not isinstance(value, list):
        raise invalid(kind, _shown(value))
    assert kind.items is not None
    items = []
    for item in value:
        if item is None or isinstance(item, list | dict):
            raise InvalidValueError("22P02", "an array's items are scalars, and none is null")
        items.append(from_json(kind.items, item))
    return items


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValueError("22P02", f"an object is expected, not {_shown(value)}")
    checked: dict[str, Any] = free_json(value)
    return checked


def _shown(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() if abs(value) >= 10**40:
            return "a huge number"
        case dict():
            return "{…}"
        case list():
            return "[…]"
    return str(value)

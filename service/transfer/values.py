"""A field's value in a file → its typed value, as the API reads it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from repositories.schema import Field, Kind, Value
from service.body import parse_json
from service.errors import RequestError
from service.planner import records
from service.planner.text import INT_BOUNDS, InvalidValueError, from_text

_LEAST, _MOST = INT_BOUNDS[Kind.INT64]


def read_text(field: Field, text: str | None) -> Value:
    """A field of a CSV record: None is null, and so is "" for anything but text; arrays and JSON are JSON text.

    Raises `InvalidValueError`.
    """
    kind = field.type.kind
    if text is None or (not text and kind is not Kind.STRING):
        return None
    if kind in (Kind.ARRAY, Kind.JSON):
        try:
            return read_member(field, parse_json(text.encode()))
        except RequestError as error:
            raise InvalidValueError("22P02", f"is not JSON: {error.details}") from None
    return records.check_given(field, from_text(field.type, text))


def read_member(field: Field, value: Any) -> Value:
    """A member of a JSON record. Raises `InvalidValueError`."""
    return records.read_json(field, _without_huge(value) if field.type.kind is Kind.JSON else value)


def _without_huge(value: Any) -> Any:
    """Free JSON with doubles for integers beyond int64 that are what a double is written as (1e22, by its digits)."""
    if isinstance(value, dict):
        return {key: _without_huge(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_huge(item) for item in value]
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        try:
            double = Decimal(repr(float(value)))
            return double if double == value else value
        except OverflowError:
            return value
    return value

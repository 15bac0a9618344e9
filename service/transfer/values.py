"""A field's value in a file → its typed value, as the API reads it."""

from __future__ import annotations

from repositories.schema import Field, Kind, Value
from repositories.texts import InvalidValueError, from_text
from service.body import parse_json
from service.errors import RequestError
from service.planner.records import check_given, read_json


def read_text(field: Field, text: str | None) -> Value:
    """A field of a CSV record: None is null, and so is "" for anything but text; arrays and JSON are JSON text.

    Raises `InvalidValueError`.
    """
    kind = field.type.kind
    if text is None or (not text and kind is not Kind.STRING):
        return None
    if kind in (Kind.ARRAY, Kind.JSON):
        try:
            return read_json(field, parse_json(text.encode()))
        except RequestError as error:
            raise InvalidValueError("22P02", f"is not JSON: {error.details}") from None
    return check_given(field, from_text(field.type, text))

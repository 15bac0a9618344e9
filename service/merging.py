"""JSON merge patch (RFC 7396) of what records hold, with the limits of their fields kept."""

from __future__ import annotations

from typing import Any

from repositories.query import Row
from repositories.schema import Field, Value
from repositories.texts import InvalidValueError
from service.errors import RequestError, Violation
from service.planner.answers import Merge
from service.planner.records import check_given


def merge_patch(target: Any, patch: dict[str, Value]) -> dict[str, Value]:
    """The target after the patch (section 2); a target that is no object counts as an empty one."""
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = merge_patch(merged.get(name), value)
        else:
            merged[name] = value
    return merged


def merged_rows(merge: Merge, rows: list[Row], keys: int) -> tuple[Row, ...]:
    """The rows, which begin with the `keys` values of a primary key, with their other values patched.

    Raises `RequestError` where a result breaks a limit of its field.
    """
    return tuple(
        row[:keys] + tuple(_merged(*each) for each in zip(merge.patches, row[keys:], strict=True)) for row in rows
    )


def _merged(patch: tuple[Field, dict[str, Value]], value: Value) -> Value:
    field, changes = patch
    try:
        return check_given(field, merge_patch(value, changes))
    except InvalidValueError as error:
        pointer = f"/{field.name}"
        raise RequestError(
            400,
            error.code,
            error.message,
            details=f"The value at {pointer} would be refused.",
            errors=(Violation(pointer, error.code, error.message),),
            by_data=True,
        ) from None

"""What a column, or a path into its JSON, is in a record."""

from __future__ import annotations

from repositories.encoding import json_text
from repositories.query import Column
from repositories.schema import Value
from tests.oracle.values import step, to_json

#: A stored record, by field name. A field that is not there reads as null.
Record = dict[str, Value]


def column_value(column: Column, record: Record, *, shown: bool = False) -> Value:
    """The value. An array or object has text only where it is shown."""
    value = record.get(column.field.name)
    if not column.path or value is None:
        return value
    value = to_json(value, column.field.type)
    for key in column.path:
        value = step(value, key)
    if not column.as_text or value is None or isinstance(value, str):
        return value
    return json_text(value) if shown or not isinstance(value, list | dict) else None

"""The bodies of requests, in each of the media types that they may have."""

from __future__ import annotations

from typing import Any

from service.body import BodyType
from service.openapi.schemas import Schema

Body = dict[str, Any]

_CSV: Schema = {
    "type": "string",
    "description": "A line of names, then a line for each record (RFC 4180). "
    'An empty cell is null, `""` the empty text; arrays and JSON are written as JSON.',
    "examples": ["id,name\n1,Lamps\n"],
}
_LINES: Schema = {
    "type": "string",
    "description": "A JSON object on each line, one for each record.",
    "examples": ['{"id": 1, "name": "Lamps"}\n'],
}


def of_insert(new: Schema) -> Body:
    """One record or many."""
    records: Schema = {"oneOf": [new, {"type": "array", "items": new}]}
    return of_types({BodyType.JSON: records, BodyType.CSV: _CSV, BodyType.LINES: _LINES})


def of_change(changes: Schema, merge: Schema) -> Body:
    """Values to set, or to merge into JSON fields (RFC 7396)."""
    return of_types({BodyType.JSON: changes, BodyType.MERGE_PATCH: merge})


def of_json(schema: Schema) -> Body:
    """JSON alone."""
    return of_types({BodyType.JSON: schema})


def of_types(schemas: dict[BodyType, Schema]) -> Body:
    """A body in one of these media types."""
    return {"required": True, "content": {media.value: {"schema": schema} for media, schema in schemas.items()}}

"""The path `/_batch`: several operations in one transaction (`service/batches.py`)."""

from __future__ import annotations

import re
from typing import Any

from service.batches import METHODS
from service.negotiation import JSON
from service.openapi import bodies
from service.openapi.responses import answer, refusals
from service.openapi.schemas import Schema

_ABOUT = """\
The operations are carried out in order, in one transaction: each sees what those before it have written, and all of
them are done or none. The object `{"$result": "/0/body/0/id"}` in a body, and `${/0/body/0/id}` in a path or a header,
stand for a value of an earlier result, by its operation's index or `id`. A refusal's `errors` tell the operation."""
_EXAMPLE = [
    {"method": "POST", "path": "/api/orders", "body": {"status": "open"}},
    {"method": "PATCH", "path": "/api/orders/${/0/body/0/id}", "body": {"status": "paid"}},
]
_TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def schemas(prefix: str, most: int) -> dict[str, Schema]:
    """A batch, and its answer. No name has an underscore first but these, so that no resource is called so."""
    operation: Schema = {
        "type": "object",
        "description": "One request of a batch.",
        "properties": {
            "id": {"type": "string", "minLength": 1, "description": "A name for references; no other's index."},
            "method": {"enum": list(METHODS)},
            "path": {"type": "string", "pattern": rf"^({re.escape(prefix)}/|\$\{{)", "description": "With the query."},
            "headers": _TEXTS,
            "body": {"description": "JSON; a string where the operation's `Content-Type` is CSV or NDJSON."},
        },
        "required": ["method", "path"],
        "additionalProperties": False,
    }
    result: Schema = {
        "type": "object",
        "description": "The answer to one request of a batch.",
        "properties": {
            "status": {"type": "integer", "minimum": 200, "maximum": 304},
            "headers": _TEXTS,
            "body": {"description": "As the operation's own path describes it; null where it has none."},
        },
        "required": ["status", "headers", "body"],
        "additionalProperties": False,
    }
    return {
        "_batch": {
            "type": "array",
            "items": operation,
            "maxItems": most,
            "description": "The operations, in order.",
            "examples": [_EXAMPLE],
        },
        "_batch.results": {"type": "array", "items": result, "description": "Their results, in the same order."},
    }


def operations(given: list[Any]) -> dict[str, Any]:
    """What the path knows. `given` are its headers."""
    results = {"$ref": "#/components/schemas/_batch.results"}
    answers = {"200": answer("All operations were carried out.", {JSON: results}, "Idempotent-Replayed")}
    refused = refusals(300, 405, 409, 411, 412, 413, 415, 416, 422, 428)
    return {
        "post": {
            "tags": ["service"],
            "operationId": "batch",
            "summary": "Several operations, in one transaction",
            "description": _ABOUT,
            "parameters": given,
            "requestBody": bodies.of_json({"$ref": "#/components/schemas/_batch"}),
            "responses": dict(sorted((answers | refused).items())),
        },
        "options": {
            "tags": ["service"],
            "operationId": "options_batch",
            "summary": "The methods of this path",
            "responses": {"200": answer("They are.", None, "Allow")},
        },
    }

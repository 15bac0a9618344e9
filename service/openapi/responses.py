"""The answers of the API: media types, headers, and the problem document with every code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from service import problems
from service.openapi.codes import CODES
from service.openapi.schemas import Schema

_TEXT: Schema = {"type": "string"}
_HEADERS: dict[str, tuple[str, str]] = {
    "Content-Range": ("The first and last record of the answer, and the number of all if it was asked for.", "0-24/*"),
    "ETag": ("The entity tag of the record, as the request selects it.", '"c3Vubnk"'),
    "Idempotent-Replayed": ("`true` where the answer was given before to the same `Idempotency-Key`.", "true"),
    "Link": ("The first, the previous and the next page (RFC 8288).", '</api/products?limit=2&offset=2>; rel="next"'),
    "Location": ("The path of the new record.", "/api/products/1"),
    "Preference-Applied": ("The preferences that were followed.", "return=minimal"),
    "Retry-After": ("Seconds after which the request may be sent again.", problems.RETRY_AFTER),
    "Allow": ("The methods that the path knows.", "GET, HEAD, OPTIONS"),
}


def headers() -> dict[str, Any]:
    """The headers of answers, by name."""
    return {
        name: {"description": text, "schema": _TEXT | {"examples": [example]}}
        for name, (text, example) in _HEADERS.items()
    }


def problem_schema() -> Schema:
    """The problem document (RFC 9457) with PostgREST's members."""
    violation: Schema = {
        "type": "object",
        "properties": {
            "pointer": _TEXT | {"description": "Where in the body (a JSON pointer, RFC 6901)."},
            "code": _TEXT,
            "message": _TEXT,
        },
        "required": ["pointer", "code", "message"],
        "additionalProperties": False,
    }
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    properties: dict[str, Schema] = {
        "type": {"const": "about:blank"},
        "title": _TEXT | {"description": "The status in words."},
        "status": {"type": "integer", "minimum": 300, "maximum": 599},
        "detail": _TEXT | {"description": "What is wrong, for people to read."},
        "instance": _TEXT | {"description": "The path of the request."},
        "code": _TEXT
        | {
            "enum": [code.code for code in CODES],
            "description": "\n".join(f"* `{code.code}` {code.meaning}" for code in CODES),
        },
        "message": _TEXT | {"description": "What is wrong, in PostgreSQL's or PostgREST's words."},
        "details": {"type": ["string", "array", "null"], "items": texts},
        "hint": {"type": ["string", "null"], "description": "The way out, where one is known."},
        "errors": {"type": "array", "items": violation, "description": "Every violation that was found in the body."},
    }
    return {
        "type": "object",
        "description": "What is wrong with a request.",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "examples": [_EXAMPLE],
    }


def plan_schema() -> Schema:
    """How a store answers a read: `repositories.base.Explanation`."""
    number = {"type": ["number", "null"]}
    names = {"type": "array", "items": _TEXT}
    properties: dict[str, Schema] = {
        "backend": _TEXT,
        "statement": _TEXT | {"description": "SQL, or the command as extended JSON."},
        "parameters": {"type": "array", "description": "The values of the statement's placeholders."},
        "plan": {"description": "The database's own plan."},
        "indexes": names | {"description": "The indexes that the plan uses."},
        "scans": names | {"description": "The resources that it reads whole."},
        "sorts": {"type": "boolean", "description": "Whether it sorts in memory."},
        "rows": number,
        "examined": number,
        "milliseconds": number,
    }
    return {
        "type": "object",
        "description": "The native statement of a read, and its plan.",
        "properties": properties,
        "required": list(properties),
    }


def errors() -> dict[str, Any]:
    """An answer for each status that an error may have, by `problem.status`."""
    found = {}
    for status in sorted({status for code in CODES for status in code.statuses}):
        lines = [f"* `{code.code}` {code.meaning}" for code in CODES if status in code.statuses]
        response: dict[str, Any] = {
            "description": "\n".join((HTTPStatus(status).phrase, "", *lines)),
            "content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/problem"}}},
        }
        if status >= 503 or status == 409:
            response["headers"] = header_references("Retry-After")
        if status == 416:
            response["headers"] = header_references("Content-Range")
        if status == 405:
            response["headers"] = header_references("Allow")
        found[f"problem.{status}"] = response
    return found


def answer(description: str, content: dict[str, Schema] | None = None, *names: str) -> dict[str, Any]:
    """An answer with these media types and headers."""
    response: dict[str, Any] = {"description": description}
    if names:
        response["headers"] = header_references(*names)
    if content:
        response["content"] = {media: {"schema": schema} for media, schema in content.items()}
    return response


def header_references(*names: str) -> dict[str, Any]:
    """The named headers, where the document describes them."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def written(description: str, content: dict[str, Schema] | None = None, *names: str) -> dict[str, Any]:
    """An answer to a write: that of `answer`, and the headers that all writes may be answered with."""
    return answer(description, content, *names, "Preference-Applied", "Idempotent-Replayed")


def refusals(*statuses: int) -> dict[str, Any]:
    """The errors of an operation: those given, and those that any request may meet."""
    return {
        str(status): {"$ref": f"#/components/responses/problem.{status}"}
        for status in sorted({*statuses, 400, 404, 406, 414, 431, 500, 503, 504})
    }


_EXAMPLE = {
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "detail": "column products.prize does not exist",
    "instance": "/api/products",
    "code": "42703",
    "message": "column products.prize does not exist",
    "details": None,
    "hint": 'Perhaps you meant to reference the column "price".',
    "errors": [],
}

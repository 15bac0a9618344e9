"""The body of a request: its media type, its encoding, and strict JSON."""

from __future__ import annotations

from typing import Any

import jiter
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from service.errors import RequestError, bad_body

JSON = "application/json"


def read_json(request: Request) -> Any:
    """The body as parsed JSON: integers as int, other numbers as Decimal. Raises `RequestError` (400, 415).

    The app's `MAX_CONTENT_LENGTH` bounds the body, also where no length is announced (413).
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RequestError(
            415,
            "PGRST415",
            "The body must not be compressed.",
            headers={"Accept-Encoding": "identity"},
        )
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != JSON or charset not in ("utf-8", "utf8"):
        raise RequestError(
            415,
            "PGRST415",
            "The body must be JSON in UTF-8.",
            hint=f"Send Content-Type: {JSON}",
            headers={"Accept": JSON},
        )
    return parse_json(_received(request))


def _received(request: Request) -> bytes:
    """The whole body: werkzeug's stream does not tell one that ends early, or goes on past the limit (413)."""
    data = request.get_data(cache=False)
    if request.content_length is None:
        if len(data) == request.max_content_length and request.environ["wsgi.input"].read(1):
            raise RequestEntityTooLarge
    elif len(data) < request.content_length:
        raise bad_body("The body is shorter than its Content-Length.")
    return data


def parse_json(data: bytes) -> Any:
    """Strict JSON: no duplicate keys, NaN, byte order mark, lone surrogates, or endless nesting."""
    if not data:
        raise bad_body("Empty or invalid json", "The body is empty.")
    try:
        return jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True, float_mode="decimal")
    except ValueError as error:
        raise bad_body("Empty or invalid json", str(error)) from None

"""Every error as one shape: `application/problem+json` (RFC 9457) that also carries PostgREST's members."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from repositories.errors import (
    CardinalityViolation,
    CastFailed,
    CheckViolation,
    Conflict,
    ConstraintError,
    DeadlineExceeded,
    NameTaken,
    NotNullViolation,
    PoolExhausted,
    PreconditionFailed,
    QueryRefused,
    ReferenceViolation,
    RepositoryError,
    SchemaMismatch,
    Unavailable,
    UniqueViolation,
    ValueOutOfRange,
)
from service.errors import RequestError, Violation

CONTENT_TYPE = "application/problem+json"
#: Seconds after which a client may try again when the store does not answer.
RETRY_AFTER = "1"

#: The status of each of the port's errors.
STATUS: dict[type[RepositoryError], int] = {
    RepositoryError: 500,
    ConstraintError: 400,
    UniqueViolation: 409,
    ReferenceViolation: 409,
    NotNullViolation: 400,
    CheckViolation: 400,
    ValueOutOfRange: 400,
    PreconditionFailed: 412,
    NameTaken: 409,
    CardinalityViolation: 400,
    CastFailed: 400,
    QueryRefused: 400,
    SchemaMismatch: 503,
    Conflict: 503,
    Unavailable: 503,
    PoolExhausted: 504,
    DeadlineExceeded: 504,
}
#: PostgREST's codes for what HTTP itself refuses; others are PGRST and the status.
_HTTP_CODES = {404: "PGRST125", 405: "PGRST117", 406: "PGRST107"}

_log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Let the app answer every error with a problem document."""
    app.register_error_handler(RequestError, of_request)
    app.register_error_handler(RepositoryError, of_repository)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, of_bug)


def of_request(error: RequestError) -> Response:
    """The answer to a request that is refused for what it says."""
    return _problem(error)


def of_repository(error: RepositoryError) -> Response:
    """The answer when the store says no, or nothing."""
    if STATUS[type(error)] >= 500:
        _log.error("store", code=error.code, error=error.message, cause=repr(error.__cause__))
    return _problem(refusal(error))


def of_http(error: HTTPException) -> Response:
    """The answer to what HTTP itself refuses: no such path, method, media type, size."""
    return _problem(refusal(error))


def refusal(error: RepositoryError | HTTPException) -> RequestError:
    """An error of the store, or of HTTP, as the refusal of a request."""
    if isinstance(error, RepositoryError):
        status = STATUS[type(error)]
        pointers = tuple(Violation(_pointer(error.row, name), error.code, error.message) for name in error.fields)
        headers = {"Retry-After": RETRY_AFTER} if status >= 503 else {}
        return RequestError(
            status, error.code, error.message, error.details, error.hint, pointers, headers, by_data=True
        )
    status = error.code or 500
    headers = dict(error.get_headers())
    for name in ("Content-Type", "Content-Length"):
        headers.pop(name, None)
    if "Allow" in headers:  # werkzeug's set has another order in every process
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
    if isinstance(error, RequestEntityTooLarge):
        headers["Connection"] = "close"
    message = error.description or HTTPStatus(status).phrase
    return RequestError(status, _HTTP_CODES.get(status, f"PGRST{status}"), message, headers=headers)


def of_bug(error: Exception) -> Response:
    """The answer to a fault of the service itself: logged in full, told in one sentence."""
    _log.error("bug", method=request.method, path=request.path, exc_info=error)
    return _problem(RequestError(500, "XX000", "The service made a mistake; it has been logged."))


def _problem(error: RequestError) -> Response:
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.details if isinstance(error.details, str) else error.message,
        "instance": request.path,
        "code": error.code,
        "message": error.message,
        "details": error.details,
        "hint": error.hint,
        "errors": [{"pointer": item.pointer, "code": item.code, "message": item.message} for item in error.errors],
    }
    response = Response(orjson.dumps(document), error.status, content_type=CONTENT_TYPE)
    response.headers.extend(error.headers)
    return response


def _pointer(row: int | None, field: str) -> str:
    return f"/{field}" if row is None else f"/{row}/{field}"

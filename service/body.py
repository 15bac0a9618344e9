"""The body of a request: received once, within the limit, and read as strict JSON, CSV or lines of JSON."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from io import SEEK_END, BytesIO
from typing import Any, BinaryIO, cast

import jiter
from flask import Request, current_app
from werkzeug.exceptions import RequestEntityTooLarge

from service.arrivals import SHARE, Arrival, arriving
from service.connections import length_is_certain
from service.errors import RequestError, bad_body

#: The variables of the environment with a body that has been received, and with one that a batch's operation brings.
RECEIVED, BROUGHT = "diglot.received", "diglot.brought"
#: A larger body is put aside in a file, so that many of them do not fill the memory.
_IN_MEMORY = 4 * 2**20
_CHUNK = 65_536
_UTF8 = frozenset({"utf-8", "utf8"})


class BodyType(StrEnum):
    """The media types that a body may have."""

    JSON = "application/json"
    MERGE_PATCH = "application/merge-patch+json"
    CSV = "text/csv"
    LINES = "application/x-ndjson"


JSON_ONLY = (BodyType.JSON,)
CHANGES = (BodyType.JSON, BodyType.MERGE_PATCH)
RECORDS = (BodyType.JSON, BodyType.CSV, BodyType.LINES)


class _Kept(tempfile.SpooledTemporaryFile[bytes]):
    """Lives as long as the request does."""

    def __del__(self) -> None:
        self.close()


class Body:
    """A body that can be read more than once: bytes as they were sent, or the value that an operation brings."""

    def __init__(self, media: BodyType, data: BinaryIO | None = None, value: Any = None) -> None:
        self.type = media
        self._data = data
        self._value = value

    def json(self) -> Any:
        """The body as JSON: integers as int, other numbers as Decimal. Raises `RequestError` (PGRST102)."""
        return self._value if self._data is None else parse_json(self.open().read())

    def open(self) -> BinaryIO:
        """The bytes, from their beginning."""
        if self._data is None:
            text = self._value if isinstance(self._value, str) else ""
            self._data = BytesIO(text.encode())
        self._data.seek(0)
        return self._data


def receive(request: Request) -> BinaryIO:
    """The request's whole body, at its beginning, kept with the request. Raises `RequestError` (400, 413).

    The app's `MAX_CONTENT_LENGTH` bounds it, also where no length is announced.
    """
    received = request.environ.get(RECEIVED)
    if received is None:
        received = request.environ[RECEIVED] = _received(request)
    received.seek(0)
    return cast("BinaryIO", received)


def read_body(request: Request, types: tuple[BodyType, ...] = JSON_ONLY) -> Body:
    """The request's body, which is of one of these types. Raises `RequestError` (400, 411, 413, 415)."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RequestError(
            415,
            "PGRST415",
            "The body must not be compressed.",
            headers={"Accept-Encoding": "identity"},
        )
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in types or charset not in _UTF8:
        accepted = ", ".join(types)
        raise RequestError(
            415,
            "PGRST415",
            f"The body must be {' or '.join(types)}, in UTF-8.",
            hint=f"Send Content-Type: {BodyType.JSON}",
            headers={"Accept": accepted},
        )
    media = BodyType(request.mimetype)
    if BROUGHT in request.environ:
        return Body(media, value=request.environ[BROUGHT])
    if media in (BodyType.CSV, BodyType.LINES) and not length_is_certain(request.environ):
        raise RequestError(
            411,
            "PGRST411",
            f"A body of {media} needs a Content-Length.",
            "Its end cannot be told from a connection that breaks off.",
            hint="Send Content-Length instead of Transfer-Encoding: chunked.",
        )
    return Body(media, receive(request))


def _received(request: Request) -> BinaryIO:
    """The body; the connection of one that does not come in time is reset."""
    with arriving(request.environ, current_app.config["BODY_TIMEOUT"]) as arrival:
        length = request.content_length
        if length is not None and length <= SHARE:
            kept: BinaryIO = BytesIO(request.get_data(cache=False))
        else:
            kept = _kept(request, arrival)
        size = kept.seek(0, SEEK_END)
        broken_off = size < length if length is not None else arrival.broken_off
    if arrival.late:
        raise bad_body("The body did not come in time.")
    if broken_off:
        raise bad_body("The body ends too early." if length is None else "The body is shorter than its Content-Length.")
    return kept


def _kept(request: Request, arrival: Arrival) -> BinaryIO:
    """Werkzeug's stream does not tell a body that goes on past the limit."""
    kept = cast("BinaryIO", _Kept(_IN_MEMORY))
    limit, size = request.max_content_length, 0
    # At the limit, Werkzeug's stream would refuse to be read on, also where nothing follows.
    while size != limit and (chunk := request.stream.read(_CHUNK)):
        size += kept.write(chunk)
        arrival.received(size)
    if request.content_length is None and size == limit and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge
    return kept


def parse_json(data: bytes) -> Any:
    """Strict JSON: no duplicate keys, NaN, byte order mark, lone surrogates, or endless nesting."""
    if not data:
        raise bad_body("Empty or invalid json", "The body is empty.")
    try:
        return jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True, float_mode="decimal")
    except ValueError as error:
        raise bad_body("Empty or invalid json", str(error)) from None

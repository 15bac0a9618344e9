"""The body of a request: received once, within the limit, and read as strict JSON, CSV or lines of JSON."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from io import SEEK_END, BytesIO
from typing import Any, BinaryIO, cast

import jiter
from flask import Request, current_app
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length

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


_TYPES = frozenset(BodyType)


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
    environ = request.environ
    received = environ.get(RECEIVED)
    if received is None:
        received = environ[RECEIVED] = _received(request)
    received.seek(0)
    return cast("BinaryIO", received)


def read_body(request: Request, types: tuple[BodyType, ...] = JSON_ONLY) -> Body:
    """The request's body, which is of one of these types. Raises `RequestError` (400, 411, 413, 415)."""
    environ = request.environ
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise RequestError(
            415,
            "PGRST415",
            "The body must not be compressed.",
            headers={"Accept-Encoding": "identity"},
        )
    media = _body_type(environ.get("CONTENT_TYPE", ""))
    if media not in types:
        accepted = ", ".join(types)
        raise RequestError(
            415,
            "PGRST415",
            f"The body must be {' or '.join(types)}, in UTF-8.",
            hint=f"Send Content-Type: {BodyType.JSON}",
            headers={"Accept": accepted},
        )
    if BROUGHT in environ:
        return Body(media, value=environ[BROUGHT])
    if media in (BodyType.CSV, BodyType.LINES) and not length_is_certain(environ):
        raise RequestError(
            411,
            "PGRST411",
            f"A body of {media} needs a Content-Length.",
            "Its end cannot be told from a connection that breaks off.",
            hint="Send Content-Length instead of Transfer-Encoding: chunked.",
        )
    return Body(media, receive(request))


@lru_cache(maxsize=128)
def _body_type(header: str) -> BodyType | None:
    """The type that a `Content-Type` names, if it is one of ours, in UTF-8."""
    name, parameters = parse_options_header(header)
    if name.lower() not in _TYPES or parameters.get("charset", "utf-8").lower() not in _UTF8:
        return None
    return BodyType(name.lower())


def _received(request: Request) -> BinaryIO:
    """The body; the connection of one that does not come in time is reset."""
    environ, config = request.environ, current_app.config
    with arriving(environ, config["BODY_TIMEOUT"]) as arrival:
        length, most = get_content_length(environ), config["MAX_CONTENT_LENGTH"]
        kept = _small(environ, length, most) if length is not None and length <= SHARE else _kept(request, arrival)
        size = kept.seek(0, SEEK_END)
        broken_off = size < length if length is not None else arrival.broken_off
    if arrival.late:
        raise bad_body("The body did not come in time.")
    if broken_off:
        raise bad_body("The body ends too early." if length is None else "The body is shorter than its Content-Length.")
    return kept


def _small(environ: Mapping[str, Any], length: int, most: int) -> BinaryIO:
    """A body of this length, or as much of it as there is."""
    if length > most:
        raise RequestEntityTooLarge
    read = environ["wsgi.input"].read
    data: bytes = read(length)
    while len(data) < length and (more := read(length - len(data))):
        data += more
    return BytesIO(data)


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

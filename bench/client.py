"""Single requests, for the check of answers and for streams."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass

from bench.works import COUNTER, Request

_PART = 1 << 16


@dataclass(frozen=True)
class Answer:
    """The status and the whole body."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Streamed:
    """How long the first byte and the whole answer took, in seconds; its lines and bytes."""

    first: float
    seconds: float
    lines: int
    size: int


class HttpError(Exception):
    """An answer that was no success."""


def ask(port: int, request: Request, *, counter: int = 0, timeout: float = 30) -> Answer:
    """Ask once. Raises `OSError`."""
    connection, response = _send(port, request, counter, timeout)
    try:
        return Answer(response.status, response.read())
    except http.client.HTTPException as error:
        raise OSError(repr(error)) from error
    finally:
        connection.close()


def body(port: int, request: Request, *, counter: int = 0) -> bytes:
    """The body of a success. Raises `HttpError` and `OSError`."""
    answer = ask(port, request, counter=counter)
    if answer.status >= 300:
        raise HttpError(f"{request.method} {request.path[:100]}: {answer.status} {answer.body[:300]!r}")
    return answer.body


def stream(port: int, request: Request) -> Streamed:
    """Read a long answer without keeping it. Raises `HttpError` and `OSError`."""
    began = time.perf_counter()
    connection, response = _send(port, request, 0, 120)
    try:
        if response.status >= 300:
            raise HttpError(f"{response.status} {response.read(300)!r}")
        first, lines, size = 0.0, 0, 0
        while part := response.read1(_PART):
            first = first or time.perf_counter() - began
            lines += part.count(b"\n")
            size += len(part)
        return Streamed(first, time.perf_counter() - began, lines, size)
    except http.client.HTTPException as error:
        raise OSError(repr(error)) from error
    finally:
        connection.close()


def _send(
    port: int, request: Request, counter: int, timeout: float
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = ({"Content-Type": "application/json"} if request.body else {}) | dict(request.headers)
    content = request.body.replace(COUNTER.encode(), str(counter).zfill(len(COUNTER)).encode())
    try:
        connection.request(request.method, request.path, content or None, headers)
        return connection, connection.getresponse()
    except http.client.HTTPException as error:
        raise OSError(repr(error)) from error

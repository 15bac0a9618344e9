"""Bad input that no client library sends, through a real socket to the real server."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients.service import STORES, serving
from tests.conftest import Servers

#: Sends bytes to the service on a connection of their own; what comes back, if anything.
Send = Callable[..., bytes]


@pytest.fixture(scope="module")
def address(running: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[str, int]]]:
    with ExitStack() as stack:

        @cache
        def of(backend: str) -> tuple[str, int]:
            server: str = getattr(running, backend)
            url = urlsplit(stack.enter_context(serving(backend, server, tmp_path_factory.mktemp(backend))))
            assert url.hostname is not None
            assert url.port is not None
            return url.hostname, url.port

        yield of


@pytest.fixture(params=sorted(STORES))
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def send(address: Callable[[str], tuple[str, int]], backend: str) -> Send:
    def sent(*pieces: bytes) -> bytes:
        with socket.create_connection(address(backend), timeout=3) as connection:
            for piece in pieces:
                connection.sendall(piece)
            answer = b""
            try:
                while piece := connection.recv(65_536):
                    answer += piece
            except (ConnectionResetError, TimeoutError):
                pass  # it hung up, or waits for the rest of the message
            return answer

    return sent


def post(body: bytes, *headers: str, path: str = "/api/labels") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def labels(send: Send) -> list[str]:
    _, _, body = send(b"GET /api/labels HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").partition(b"\r\n\r\n")
    return [record["name"] for record in json.loads(body)]


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    document: dict[str, Any] = json.loads(body)
    return document


BODY = b'{"name": "socket"}'


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(BODY, "Content-Length: 18", "Content-Length: 17"),
        post(BODY, "Content-Length: -1"),
        post(BODY, "Content-Length: x"),
        post(b"zz\r\n" + BODY + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        post(b"-5\r\n" + BODY + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        post(b"ffffffffffffffffff\r\n" + BODY, "Transfer-Encoding: chunked"),
        post(b"12\r\n" + BODY[:5], "Transfer-Encoding: chunked"),
        post(BODY[:9], "Content-Length: 18"),
        post(BODY, "Transfer-Encoding: gzip"),
        b"POST /api/labels HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
        b"POST /api/la bels HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
    ids=range(12),
)
def test_broken_messages_store_nothing(send: Send, request_bytes: bytes) -> None:
    before = labels(send)
    answer = send(request_bytes)
    assert status(answer) in (0, 400, 411, 415, 501), answer
    assert labels(send) == before


def test_a_length_beside_chunks_smuggles_nothing(send: Send) -> None:
    """What follows the body is never taken for another request."""
    before = labels(send)
    smuggled = b"DELETE /api/labels?id=gt.0 HTTP/1.1\r\nHost: x\r\n\r\n"
    for length in (len(smuggled) + 5, 5):
        answer = send(post(b"0\r\n\r\n" + smuggled, f"Content-Length: {length}", "Transfer-Encoding: chunked"))
        assert status(answer) in (0, 400, 501), answer
        assert answer.count(b"HTTP/1.1 ") <= 1
        assert labels(send) == before


def test_chunks_beyond_the_limit(send: Send) -> None:
    before = labels(send)
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = send(post(b"", "Transfer-Encoding: chunked"), *([piece] * 16), b"1\r\n \r\n0\r\n\r\n")
    assert status(answer) == 413
    assert problem(answer)["code"] == "PGRST413"
    assert labels(send) == before


def test_chunks_are_one_body(send: Send) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (b'{"na', b'me": "chu', b'nked"}'))
    answer = send(post(chunks + b"0\r\n\r\n", "Transfer-Encoding: chunked", "Prefer: return=representation"))
    assert status(answer) == 201, answer
    assert "chunked" in labels(send)
    assert status(send(b"DELETE /api/labels?name=eq.chunked HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == 204


def test_long_urls_and_headers(send: Send) -> None:
    before = labels(send)
    for answer, expected in (
        (send(post(BODY, "Content-Length: 18", path=f"/api/labels?select={'a' * 60_000}")), 414),
        (send(post(BODY, "Content-Length: 18", f"X-Long: {'a' * 40_000}")), 431),
    ):
        assert status(answer) == expected
        assert problem(answer)["code"] == f"PGRST{expected}"
    assert status(send(post(BODY, "Content-Length: 18", f"X-Long: {'a' * 600_000}"))) in (0, 400, 431)
    assert labels(send) == before


def test_a_host_is_not_reflected(send: Send) -> None:
    request = post(b'{"name": "hosted"}', "Content-Length: 18").replace(b"Host: x", b"Host: evil.example")
    answer = send(request)
    assert (status(answer), b"evil" in answer) == (201, False)
    assert status(send(b"DELETE /api/labels?name=eq.hosted HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == 204

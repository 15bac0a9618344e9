"""Bad input that no client library sends, through a real socket to the real server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import NamedTuple

import pytest

from tests.clients.service import STORES
from tests.conftest import Servers
from tests.hostile.wire import Wire, chunk, post, problem, received, request, status, wired
from tests.patience import PAUSE

CHUNKED = "Transfer-Encoding: chunked"
BODY = b'{"name": "socket"}'
LENGTH = "Content-Length: 18"
#: What the server answers in its own words, without a body: not HTTP, or not within what it can take in.
OWN = None


@pytest.fixture(scope="module")
def wires(running: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Wire]]:
    with ExitStack() as stack:

        @cache
        def of(backend: str) -> Wire:
            server: str = getattr(running, backend)
            return stack.enter_context(wired(backend, server, tmp_path_factory.mktemp(backend)))

        yield of


@pytest.fixture(params=sorted(STORES))
def wire(wires: Callable[[str], Wire], request: pytest.FixtureRequest) -> Wire:
    return wires(request.param)


class Bad(NamedTuple):
    """A message, by its row in the table of bad inputs; with `end`, the client sends no more after it."""

    row: int
    data: bytes
    statuses: tuple[int, ...]
    code: str | None = OWN
    end: bool = False


def told(row: int, data: bytes, code: str, status: int = 400, *, end: bool = False) -> Bad:
    return Bad(row, data, (status,), code, end)


def head(*lines: str) -> bytes:
    return "\r\n".join(["POST /api/labels HTTP/1.1", "Host: x", *lines, "", ""]).encode("latin-1")


BAD = [
    told(1, post(BODY[:9], LENGTH), "PGRST102", end=True),
    told(1, post(BODY, "Content-Length: 19"), "PGRST102", end=True),
    told(1, post(BODY, "Content-Length: 0"), "PGRST102"),
    told(1, post(BODY[:5], "Content-Length: 5"), "PGRST102"),
    told(1, post(chunk(BODY[:5]), CHUNKED), "PGRST102", end=True),
    told(1, post(chunk(BODY), CHUNKED), "PGRST102", end=True),
    *(
        told(1, post(chunk(data), CHUNKED, media=media), "PGRST411", 411, end=True)
        for data, media in ((b'{"name":"socket"}\n', "application/x-ndjson"), (b"name\nsocket\n", "text/csv"))
    ),
    told(1, post(chunk(BODY) + b"0\r\n", CHUNKED), "PGRST102", end=True),
    told(1, post(chunk(BODY) + b"5\r\nab", CHUNKED), "PGRST102", end=True),
    told(6, post(BODY, "Transfer-Encoding: gzip"), "", end=True)._replace(statuses=(0, 400, 501), code=OWN),
    told(31, post(BODY, LENGTH, path=f"/api/labels?select={'a' * 60_000}"), "PGRST414", 414),
    told(31, post(BODY, LENGTH, f"X-Long: {'a' * 40_000}"), "PGRST431", 431),
    Bad(31, post(BODY, LENGTH, path=f"/api/labels?select={'a' * 100_000}"), (414, 431)),
    Bad(31, post(BODY, LENGTH, f"X-Long: {'a' * 600_000}"), (0, 400, 431)),
    Bad(31, post(BODY, LENGTH, *(f"X-{number}: 1" for number in range(5_000))), (0, 400, 431)),
    *(
        told(40, post(BODY, LENGTH, path=f"/api/labels{query}"), "PGRST100")
        for query in ("?select=%ZZ", "?select=%FF", "?select=%C0%AF", "?select=%00", "?%", "?select=na%", "?%FF=eq.1")
    ),
    *(
        Bad(40, post(BODY, LENGTH, path=path), (400, 404, 405))
        for path in ("/api/%FF", "/api/labels%00", "/api/%ZZ", "/api/%C0%AFlabels", "/api/labels/%FF", "/api/lab\0els")
    ),
    *(
        Bad(41, post(BODY, LENGTH, path=path), (404, 405))
        for path in ("/api/..%2flabels", "/api/../labels", "/api//labels", "/api/labels/../labels")
    ),
    told(43, request("TRACE", "/api/labels", "Content-Length: 0"), "PGRST117", 405),
    told(43, request("BREW", "/api/labels"), "PGRST117", 405),
    Bad(43, b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404, 405)),
    told(44, request("DELETE", "/api/labels/1", 'If-Match: "é"'), "PGRST100"),
    told(44, request("DELETE", "/api/labels/1", 'If-None-Match: "é"'), "PGRST100"),
    told(44, post(BODY, LENGTH, 'Idempotency-Key: "é"'), "PGRST100"),
    Bad(44, head("X: a\x00b", LENGTH) + BODY, (400,)),
    Bad(44, head("X: a\x01b", LENGTH) + BODY, (400,)),
    Bad(44, head("X: a\rb", LENGTH) + BODY, (400,)),
    Bad(44, head("X: a", " b", LENGTH) + BODY, (400,)),
    Bad(44, head("Bad Header: 1", LENGTH) + BODY, (400,)),
    Bad(44, head(": 1", LENGTH) + BODY, (400,)),
    Bad(44, b"POST /api/la bels HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n" + BODY, (400,)),
    Bad(45, post(BODY, LENGTH, "Content-Length: 17"), (0, 400)),
    Bad(45, post(BODY, "Content-Length: -1"), (0, 400)),
    Bad(45, post(BODY, "Content-Length: +18"), (0, 400)),
    Bad(45, post(BODY, "Content-Length: 1_8"), (0, 400)),
    Bad(45, post(BODY, "Content-Length: 18, 18"), (0, 400)),
    Bad(45, post(BODY, "Content-Length: x"), (0, 400)),
    Bad(45, post(BODY, "Content-Length: 99999999999999999999"), (0, 400, 413)),
    *(
        told(45, post(piece + chunk(BODY) + b"0\r\n\r\n", CHUNKED), "PGRST102")
        for piece in (b"zz\r\n", b"-5\r\n", b"+5\r\n", b"0x5\r\n", b"\r\n", b"ffffffffffffffffff\r\n", b"5\r\n{\r\n")
    ),
    Bad(45, post(chunk(BODY) + b"0\r\n\r\n", "Transfer-Encoding: chunked, identity"), (0, 400, 501)),
    Bad(45, post(chunk(BODY) + b"0\r\n\r\n", "Transfer-Encoding: xchunked"), (0, 400, 501)),
    Bad(45, post(BODY, LENGTH).replace(b"HTTP/1.1", b"HTTP/9.9"), (0, 400, 505)),
    Bad(45, b"\x16\x03\x01\x02\x00", (0, 400), end=True),
    Bad(45, b"GET /api/labels\r\n\r\n", (0, 400)),
    Bad(45, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (0, 400, 404, 405, 505)),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.row}-{bad.data[-30:]!r}")
def test_messages_that_store_nothing(wire: Wire, bad: Bad) -> None:
    before = wire.labels()
    started = time.monotonic()
    # The server may say nothing at all; the service always answers, and is waited for longer than it is given below.
    answer = wire.send(bad.data, end=bad.end, patience=3 if bad.code is OWN else 2 * PAUSE)
    assert status(answer) in bad.statuses, answer
    assert answer.count(b"HTTP/1.1 ") <= 1
    if bad.code is not OWN:
        assert problem(answer)["code"] == bad.code
        assert time.monotonic() - started < PAUSE
    assert wire.labels() == before


def test_a_length_beside_chunks_smuggles_nothing(wire: Wire) -> None:
    """What follows the body is never taken for another request."""
    before = wire.labels()
    smuggled = b"DELETE /api/labels?id=gt.0 HTTP/1.1\r\nHost: x\r\n\r\n"
    for length in (len(smuggled) + 5, 5):
        answer = wire.send(post(b"0\r\n\r\n" + smuggled, f"Content-Length: {length}", CHUNKED))
        assert status(answer) in (0, 400, 501), answer
        assert answer.count(b"HTTP/1.1 ") <= 1
        assert wire.labels() == before


def test_what_follows_a_broken_chunk_is_no_request(wire: Wire) -> None:
    before = wire.labels()
    for broken in (b"zz\r\n", b"5\r\nabcdefg\r\n", b"ffffffffffffffffff\r\n"):
        smuggled = post(chunk(b"{") + broken + b"0\r\n\r\n", CHUNKED).replace(b"Connection: close\r\n", b"")
        answer = wire.send(smuggled, request("DELETE", "/api/labels?id=gt.0"))
        assert answer.count(b"HTTP/1.1 ") <= 1
        assert wire.labels() == before


def test_chunks_beyond_the_limit(wire: Wire) -> None:
    before = wire.labels()
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = wire.send(post(b"", CHUNKED), *([piece] * 16), b"1\r\n \r\n0\r\n\r\n")
    assert status(answer) == 413
    assert problem(answer)["code"] == "PGRST413"
    assert wire.labels() == before


def test_chunks_are_one_body(wire: Wire) -> None:
    chunks = b"".join(chunk(piece) for piece in (b'{"na', b'me": "chu', b'nked"}'))
    answer = wire.send(post(chunks + b"0\r\n\r\n", CHUNKED, "Prefer: return=representation"))
    assert status(answer) == 201, answer
    assert "chunked" in wire.labels()
    wire.forget("chunked")


def test_a_host_is_not_reflected(wire: Wire) -> None:
    answer = wire.send(post(b'{"name": "hosted"}', LENGTH).replace(b"Host: x", b"Host: evil.example"))
    assert (status(answer), b"evil" in answer) == (201, False)
    wire.forget("hosted")


def test_requests_in_one_go_are_answered_one_after_the_other(wire: Wire) -> None:
    """Row 45: pipelining. Each is answered once, in order, also where one of them is refused."""
    kept = [
        each.replace(b"Connection: close\r\n", b"")
        for each in (
            post(b'{"name": "piped"}', "Content-Length: 17"),
            request("GET", "/api/labels?name=eq.piped&select=name"),
            post(b'{"name": "pi', "Content-Length: 12"),
            request("GET", "/api/nowhere"),
        )
    ]
    answer = wire.send(b"".join(kept) + request("DELETE", "/api/labels?name=eq.piped"), patience=10)
    found = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert found == [201, 200, 400, 404, 204]
    assert b'[{"name":"piped"}]' in answer


def test_headers_that_never_end_hold_no_thread(wire: Wire) -> None:
    connections = [wire.connected() for _ in range(32)]
    try:
        for connection in connections:
            connection.sendall(b"POST /api/labels HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        started = time.monotonic()
        wire.labels()
        assert time.monotonic() - started < PAUSE
    finally:
        for connection in connections:
            connection.close()


def test_a_client_that_asks_first_is_told_to_go_on(wire: Wire) -> None:
    """`Expect: 100-continue`: the body is asked for only where it is wanted."""
    with wire.connected() as connection:
        connection.sendall(post(b"", LENGTH, "Expect: 100-continue"))
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(BODY)
        assert status(received(connection)) == 201
    wire.forget("socket")
    with wire.connected() as connection:
        connection.sendall(post(b"", LENGTH, "Expect: 100-continue", path="/api/nowhere"))
        assert status(received(connection)) == 404

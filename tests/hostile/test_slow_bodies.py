"""Bodies that come slowly, or never to their end: they do not keep others waiting, and are not stored."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.clients.service import STORES
from tests.conftest import Servers
from tests.hostile.wire import Wire, chunk, post, received, request, status, wired
from tests.patience import PAUSE

SECONDS = 2.0
THREADS = 4
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module", params=sorted(STORES))
def wire(running: Servers, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Wire]:
    backend: str = request.param
    server: str = getattr(running, backend)
    settings = {"body_timeout": f"{SECONDS}", "threads": f"{THREADS}"}
    with wired(backend, server, tmp_path_factory.mktemp(backend), **settings) as found:
        yield found


@pytest.fixture
def open_connections(wire: Wire) -> Iterator[list[socket.socket]]:
    """Twice as many as there are threads."""
    with ExitStack() as stack:
        yield [stack.enter_context(wire.connected(patience=20)) for _ in range(2 * THREADS)]


def test_half_a_body_on_every_thread(wire: Wire, open_connections: list[socket.socket]) -> None:
    before = wire.labels()
    for number, connection in enumerate(open_connections):
        half = post(b'{"name": ', "Content-Length: 20") if number % 2 else post(chunk(b'{"name": '), CHUNKED)
        connection.sendall(half)
    started = time.monotonic()
    # A request that has waited for a thread all the time, from the same address, may be taken for one of them.
    while (found := wire.tried_labels()) is None:
        assert time.monotonic() - started < 2 * SECONDS + PAUSE
    assert found == before
    # Those that waited for a thread have their own time, from then on.
    assert time.monotonic() - started < 2 * SECONDS + PAUSE
    for connection in open_connections:
        assert received(connection) == b""
    assert time.monotonic() - started < 2 * SECONDS + PAUSE
    assert wire.labels() == before


def test_a_byte_now_and_then(wire: Wire) -> None:
    """The time is that of the whole body."""
    before = wire.labels()
    with wire.connected() as connection:
        connection.sendall(post(b'{"name":"slow"}', "Content-Length: 400"))
        started = time.monotonic()
        with pytest.raises(ConnectionError):  # noqa: PT012 - the reset is seen some bytes after it
            while time.monotonic() - started < SECONDS + PAUSE:
                connection.sendall(b" ")
                time.sleep(0.05)
        assert time.monotonic() - started > SECONDS / 2
    assert wire.labels() == before


def test_slowly_but_in_time(wire: Wire) -> None:
    with wire.connected() as connection:
        connection.sendall(post(b"", CHUNKED))
        for piece in (b'{"na', b'me":', b'"slow"', b"}"):
            time.sleep(SECONDS / 20)
            connection.sendall(chunk(piece))
        connection.sendall(b"0\r\n\r\n")
        assert status(received(connection)) == 201
    wire.forget("slow")


def answered(connection: socket.socket) -> bool:
    answer = b""
    while b"}]" not in answer:
        piece = connection.recv(65_536)
        assert piece, "the connection was closed"
        answer += piece
    return status(answer) == 200


def test_other_connections_of_the_same_client_go_on(wire: Wire) -> None:
    """One that is answered meanwhile, and one that is in use before and afterwards."""
    ask = request("GET", "/api/labels").replace(b"Connection: close\r\n", b"")
    with wire.connected() as used, wire.connected() as slow:
        slow.sendall(post(b"{", "Content-Length: 20"))
        started = time.monotonic()
        while time.monotonic() - started < 2 * SECONDS + 1:
            used.sendall(ask)
            assert answered(used)
            time.sleep(0.1)
        assert received(slow) == b""

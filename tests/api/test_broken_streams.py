"""A stream that fails half-way, over a real connection: no client takes it for complete."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.api.broken_app import BATCHES

ROOT = Path(__file__).parents[2]
WHOLE = BATCHES * 1000 * len('{"id":1}\n')
BROKEN = "/api/categories"
COMPLETE = "/api/orders"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number: int = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--factory",
        "--http",
        "1",
        "--port",
        str(number),
    ]
    command += ["--blocking-threads", "8", "tests.api.broken_app:create"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(number)
            yield number
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def read(connection: http.client.HTTPConnection, path: str, pause: float = 0) -> int:
    """The length of the answer. Raises where the connection breaks off."""
    connection.request("GET", path, headers={"Accept": "application/x-ndjson"})
    size = 0
    with connection.getresponse() as response:
        assert response.status == 200
        while part := response.read(20_000):
            size += len(part)
            time.sleep(pause)
    return size


@contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        yield connection


BREAKS = (ConnectionResetError, http.client.IncompleteRead)


def test_the_connection_breaks_off(port: int) -> None:
    with connected(port) as connection, pytest.raises(BREAKS):
        read(connection, BROKEN)


def test_for_a_slow_client_and_on_a_used_connection_too(port: int) -> None:
    with connected(port) as connection:
        assert read(connection, COMPLETE) == WHOLE
        assert read(connection, COMPLETE) == WHOLE
        with pytest.raises(BREAKS):
            read(connection, BROKEN, pause=0.01)


def test_for_a_client_of_http_1_0(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"GET {BROKEN} HTTP/1.0\r\nAccept: application/x-ndjson\r\n\r\n".encode())
        parts = iter(lambda: connection.recv(65_536), b"")
        with pytest.raises(ConnectionResetError):
            sum(map(len, parts))


def test_each_of_many_and_none_else(port: int) -> None:
    """All at once, on connections from the same address: those that are complete stay so."""

    def outcome(path: str) -> int | None:
        with connected(port) as connection:
            try:
                return read(connection, path)
            except BREAKS:
                return None

    paths = [BROKEN, COMPLETE] * 6
    with ThreadPoolExecutor(len(paths)) as pool:
        outcomes = list(pool.map(outcome, paths))
    assert outcomes == [None, WHOLE] * 6

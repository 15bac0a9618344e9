"""Speaks to the real server in bytes of the test's own choice, as no client library would."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.clients.service import serving
from tests.patience import PAUSE


class Wire:
    """The way to a service."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.address = (parts.hostname, parts.port)

    def connected(self, patience: float = 2 * PAUSE) -> socket.socket:
        return socket.create_connection(self.address, timeout=patience)

    def send(self, *pieces: bytes, end: bool = False, patience: float = 2 * PAUSE) -> bytes:
        """Send bytes on a connection of their own, and with `end` no more; what comes back, if anything."""
        with self.connected(patience) as connection:
            with suppress(ConnectionError):  # it has hung up before the end
                for piece in pieces:
                    connection.sendall(piece)
                if end:
                    connection.shutdown(socket.SHUT_WR)
            return received(connection)

    def labels(self) -> list[str]:
        """The names that are stored under /api/labels."""
        found = self.tried_labels()
        assert found is not None
        return found

    def tried_labels(self) -> list[str] | None:
        """The same; None where the connection was broken off without an answer."""
        _, _, body = self.send(request("GET", "/api/labels"), patience=20).partition(b"\r\n\r\n")
        return [record["name"] for record in json.loads(body)] if body else None

    def forget(self, name: str) -> None:
        assert status(self.send(request("DELETE", f"/api/labels?name=eq.{name}"))) == 204


@contextmanager
def wired(backend: str, server: str, directory: Path, **settings: str) -> Iterator[Wire]:
    """The way to a service of its own."""
    with serving(backend, server, directory, **settings) as url:
        yield Wire(url)


def received(connection: socket.socket) -> bytes:
    """All that comes until the other end hangs up, or says nothing more."""
    answer = b""
    with suppress(ConnectionError, TimeoutError):
        while piece := connection.recv(65_536):
            answer += piece
    return answer


def request(method: str, path: str, *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]).encode()


def post(body: bytes, *headers: str, path: str = "/api/labels", media: str = "application/json") -> bytes:
    return request("POST", path, f"Content-Type: {media}", *headers) + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower(), answer
    document: dict[str, Any] = json.loads(body)
    return document

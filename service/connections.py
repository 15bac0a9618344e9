"""Breaking off an answer that cannot be finished: closes the client's connection under the server.

A WSGI server is to do that itself when the answer's iterator raises (PEP 3333). Granian ends the answer as if it were
complete instead, and does not tell which connection it is on. On Linux it is found by the number of bytes that were
sent since the answer began, which the kernel counts for each connection.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import socket
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

if sys.platform == "linux":
    import fcntl
    import termios

#: Where the kernel's `struct tcp_info` has the number of bytes that the peer has acknowledged.
_ACKED = struct.Struct("120xQ")
#: What the server puts before an answer besides the headers it is given: the status line, the date, the framing.
_LINES = range(8, 256)
#: So many bytes at the most tell a connection from one that carries the same answer at the same time.
_FILLER = 20_000
#: How long a slow client has to take in what was sent, before its connection can be recognised.
_SECONDS = 30.0
_POLL_SECONDS = 0.02


class Connection:
    """The connection of one answer, from its beginning on. `head` is the size of the answer's headers."""

    def __init__(self, environ: Mapping[str, Any], head: int) -> None:
        self._port = str(environ.get("SERVER_PORT"))
        self._client = environ.get("REMOTE_ADDR")
        self._sent = head
        self._frames = 0
        self._before = self._written() if _ends_broken_answers(environ) else None

    def sent(self, body: bytes) -> bytes:
        """Take account of a part of the answer that is handed to the server."""
        if body:
            self._sent += len(body)
            self._frames += len(f"{len(body):x}\r\n\r\n")
        return body

    def filler(self) -> bytes:
        """Blank lines to send before the connection is broken off; none where the server does so itself."""
        return b"" if self._before is None else b"\n" * (1 + secrets.randbelow(_FILLER))

    def break_off(self) -> bool:
        """Close the connection, as soon as what was handed over is on its way; false if it cannot be found."""
        if self._before is None:
            return True
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            for descriptor, written in self._written().items():
                if descriptor in self._before and self._is_all(written - self._before[descriptor]):
                    _reset(descriptor)
                    return True
            time.sleep(_POLL_SECONDS)
        return False

    def _is_all(self, written: int) -> bool:
        """Whether this is the size of the answer so far: in chunks, or without any for a client of HTTP/1.0."""
        return written - self._sent - self._frames in _LINES or written - self._sent in _LINES

    def _written(self) -> dict[int, int]:
        """How many bytes were ever written to each connection with this client, by its descriptor."""
        return {each: _bytes_written(each) for each in _sockets() if self._is_with_the_client(each)}

    def _is_with_the_client(self, descriptor: int) -> bool:
        with suppress(OSError, IndexError), socket.socket(fileno=os.dup(descriptor)) as connection:
            here, there = connection.getsockname(), connection.getpeername()
            return str(here[1]) == self._port and there[0] == self._client
        return False


def _ends_broken_answers(environ: Mapping[str, Any]) -> bool:
    return sys.platform == "linux" and environ.get("SERVER_SOFTWARE") == "Granian"


def _sockets() -> Iterator[int]:
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if entry.readlink().name.startswith("socket:"):
                yield int(entry.name)


def _bytes_written(descriptor: int) -> int:
    """Those that have arrived, and those that the kernel still holds. Read in this order, it is never too many."""
    with suppress(OSError, struct.error), socket.socket(fileno=os.dup(descriptor)) as connection:
        (arrived,) = _ACKED.unpack(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED.size))
        (held,) = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))
        return int(arrived) + int(held)
    return 0


def _reset(descriptor: int) -> None:
    """Reset the connection: `connect` to no address does so at once, and Python has no other way to call it."""
    nowhere = struct.pack("H14x", socket.AF_UNSPEC)
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        ctypes.CDLL(None).connect(connection.fileno(), nowhere, len(nowhere))

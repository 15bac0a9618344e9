"""The connections under the server: an answer that cannot be finished is broken off, and a body's end is looked at.

A WSGI server is to break an answer off itself when its iterator raises (PEP 3333). Granian ends the answer as if it
were complete instead, and does not tell which connection it is on. On Linux it is found by the number of bytes that
were sent since the answer began, which the kernel counts for each connection; the right one grows by as much as is
sent next. Nor does Granian tell a body that ends with its connection from a complete one, or give up one that never
ends; there, too, the kernel knows more.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import socket
import struct
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

if sys.platform == "linux":
    import fcntl
    import termios

#: Where the kernel's `struct tcp_info` has the milliseconds since data came last, and the number of bytes that the peer
#: has acknowledged.
_INFO = struct.Struct("52xI64xQ")
#: The states of a connection (`include/net/tcp_states.h`) on which both ends may send, and which the client has ended.
_ESTABLISHED, _CLOSE_WAIT = 1, 8
#: What the server puts before an answer besides the headers it is given: the status line, the date, the framing.
_LINES = range(8, 256)
#: Of so many bytes are the blank lines that tell a connection from one that carries the same answer at the same time.
_BLANK = range(1_000, 20_000)
#: How long a slow client has to take in what was sent, before its connection can be recognised.
_SECONDS = 30.0
_POLL_SECONDS = 0.02


class Traffic(NamedTuple):
    """What has passed on a connection: bytes written to it so far, and the moment of the last data from the client."""

    written: int
    heard: float


#: A socket of this process: its descriptor, and the name that no other socket bears.
Socket = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Client:
    """Whom a request comes from, as far as the server tells: an address, and the port that it was sent to."""

    address: str
    port: str

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> Client | None:
        """The client; None where connections need not be looked after, or cannot be."""
        if sys.platform != "linux" or environ.get("SERVER_SOFTWARE") != "Granian":
            return None
        return cls(str(environ.get("REMOTE_ADDR")), str(environ.get("SERVER_PORT")))

    def traffic(self) -> dict[Socket, Traffic]:
        """The traffic on each connection with this client."""
        return {each: _traffic(each[0]) for each in self._connections()}

    def has_gone(self) -> bool:
        """Whether a connection of this client has just ended, or none is left.

        When the client ends its side after a complete request, Granian closes the connection. Only where the request
        was not complete, the connection stays half open until it is answered.
        """
        states = {_state(descriptor) for descriptor, _ in self._connections()}
        return _CLOSE_WAIT in states or _ESTABLISHED not in states

    def _connections(self) -> Iterator[Socket]:
        for each in _sockets():
            with suppress(OSError, IndexError), socket.socket(fileno=os.dup(each[0])) as connection:
                if str(connection.getsockname()[1]) == self.port and connection.getpeername()[0] == self.address:
                    yield each


class Connection:
    """The connection of one answer, from its beginning on. `head` is the size of the answer's headers."""

    def __init__(self, environ: Mapping[str, Any], head: int) -> None:
        self._client = Client.of(environ)
        self._chunked = environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
        self._sent = head
        self._before = {} if self._client is None else self._client.traffic()

    def sent(self, body: bytes) -> bytes:
        """Take account of a part of the answer that is handed to the server."""
        if body:
            self._sent += len(body) + self._chunked * len(f"{len(body):x}\r\n\r\n")
        return body

    def breaking_off(self) -> Generator[bytes, None, bool]:
        """Close the connection, as soon as what was handed over is on its way; false if it cannot be found.

        Yields blank lines to send. A connection that has carried as much as this answer may be another's, in passing;
        that which does so again after blank lines of a random number, with the same rest, is the one.
        """
        if self._client is None:
            return True
        rests: dict[Socket, int] = {}
        while True:
            yield self._blank()
            alike = self._awaited(self._client)
            for each, rest in alike.items():
                if rests.get(each) == rest:
                    reset(each)
                    return True
            if not alike:
                return False
            rests |= alike

    def _awaited(self, client: Client) -> dict[Socket, int]:
        """What `_alike` finds, as soon as it is something. The time begins when the server has taken all."""
        deadline = time.monotonic() + _SECONDS
        while not (alike := self._alike(client)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return alike

    def _blank(self) -> bytes:
        return self.sent(b"\n" * secrets.choice(_BLANK))

    def _alike(self, client: Client) -> dict[Socket, int]:
        """The connections which have carried as much as this answer since it began, and what the server put before."""
        rests = {
            each: traffic.written - self._before[each].written - self._sent
            for each, traffic in client.traffic().items()
            if each in self._before
        }
        return {each: rest for each, rest in rests.items() if rest in _LINES}


def length_is_certain(environ: Mapping[str, Any]) -> bool:
    """Whether a body that is broken off is always told from a complete one: in chunks, Granian ends both alike."""
    return environ.get("SERVER_SOFTWARE") != "Granian" or "HTTP_TRANSFER_ENCODING" not in environ


def reset(connection: Socket) -> None:
    """Reset the connection: `connect` to no address does so at once, and Python has no other way to call it."""
    nowhere = struct.pack("H14x", socket.AF_UNSPEC)
    with suppress(OSError), socket.socket(fileno=os.dup(connection[0])) as found:
        ctypes.CDLL(None).connect(found.fileno(), nowhere, len(nowhere))


def _sockets() -> Iterator[Socket]:
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            name = entry.readlink().name
            if name.startswith("socket:"):
                yield int(entry.name), name


def _state(descriptor: int) -> int:
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return 0


def _traffic(descriptor: int) -> Traffic:
    """Written are those that have arrived, and those that the kernel still holds: in this order, never too many."""
    with suppress(OSError, struct.error), socket.socket(fileno=os.dup(descriptor)) as connection:
        ago, arrived = _INFO.unpack(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
        (held,) = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))
        return Traffic(arrived + held, time.monotonic() - ago / 1000)
    return Traffic(0, time.monotonic())

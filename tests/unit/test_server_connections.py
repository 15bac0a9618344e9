"""Which connection an answer is on, told by what the kernel counts: of real sockets, all in this process."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from service import connections
from service.connections import Connection
from tests.patience import PAUSE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells what passed on a connection.")
LINES = b"l" * 100
BODY = b"b" * 5_000


class Pair:
    """Both ends of a connection."""

    def __init__(self, listener: socket.socket, stack: ExitStack) -> None:
        self.client = stack.enter_context(socket.create_connection(listener.getsockname(), timeout=10))
        self.server = stack.enter_context(listener.accept()[0])

    def is_reset(self, seconds: float = 0) -> bool:
        """Whether it is, or becomes so in the time; until then, what arrives is read."""
        self.client.settimeout(seconds)
        try:
            while self.client.recv(65_536):
                pass
        except (BlockingIOError, TimeoutError):
            return False
        except ConnectionResetError:
            return True
        return False


def only(pairs: list[Pair], own: Pair) -> bool:
    """Whether this one has been reset, and no other."""
    return own.is_reset(PAUSE) and not any(pair.is_reset() for pair in pairs if pair is not own)


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Three connections of one client."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        yield [Pair(listener, stack) for _ in range(3)]


def environ(pair: Pair, protocol: str = "HTTP/1") -> dict[str, str]:
    address, port = pair.server.getsockname()
    return {
        "SERVER_SOFTWARE": "Granian",
        "REMOTE_ADDR": address,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": protocol,
    }


def ended(endings: Iterator[bytes], pair: Pair, *, chunked: bool = False, pause: float = 0) -> bool:
    """Send what is still to be sent; whether the connection was found."""
    while True:
        try:
            blank = next(endings)
        except StopIteration as stop:
            return bool(stop.value)
        time.sleep(pause)
        pair.server.sendall(b"%x\r\n%b\r\n" % (len(blank), blank) if chunked else blank)


def test_one_that_has_carried_as_much_in_passing_is_left_alone(pairs: list[Pair]) -> None:
    own, other, _ = pairs
    connection = Connection(environ(own), head=0)
    connection.sent(BODY)
    endings = connection.breaking_off()
    blank = next(endings)
    other.server.sendall(LINES + BODY + blank)
    second = next(endings)  # the other one is alike
    other.server.sendall(b"x" * (len(second) - 1))
    own.server.sendall(LINES + BODY + blank + second)
    assert ended(endings, own)
    assert only(pairs, own)


def test_what_was_sent_before_the_answer_does_not_count(pairs: list[Pair]) -> None:
    own = pairs[1]
    for pair in pairs:
        pair.server.sendall(BODY)
    connection = Connection(environ(own), head=len(LINES))
    own.server.sendall(LINES + LINES + connection.sent(BODY))
    assert ended(connection.breaking_off(), own)
    assert only(pairs, own)


def test_chunks_are_counted_with_their_frames(pairs: list[Pair]) -> None:
    own = pairs[2]
    connection = Connection(environ(own, "HTTP/1.1"), head=0)
    own.server.sendall(LINES)
    for _ in range(100):
        own.server.sendall(b"1388\r\n" + connection.sent(BODY) + b"\r\n")
        assert not own.is_reset()  # and all is read
    assert ended(connection.breaking_off(), own, chunked=True)
    assert only(pairs, own)


def test_none_is_reset_where_none_fits(pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SECONDS", 0.1)
    own = pairs[0]
    connection = Connection(environ(own), head=0)
    connection.sent(BODY)
    own.server.sendall(BODY)
    endings = connection.breaking_off()
    next(endings)  # which is not sent
    with pytest.raises(StopIteration, match="False"):
        next(endings)
    assert not any(pair.is_reset() for pair in pairs)


def test_blank_lines_that_are_taken_late(pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    """The client has been slow for longer than the connection is looked for; what it needed does not count."""
    monkeypatch.setattr(connections, "_SECONDS", 0.2)
    own = pairs[0]
    connection = Connection(environ(own), head=0)
    own.server.sendall(LINES + connection.sent(BODY))
    assert ended(connection.breaking_off(), own, pause=0.3)
    assert only(pairs, own)

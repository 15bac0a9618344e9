"""Open-loop load: requests are due at a fixed rate, whether or not the answers to those before have come.

Latency counts from when a request was due, so that a service that stops for a moment is charged for all that would have
been asked in that moment (wrk2 calls its absence "coordinated omission").
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from bench.works import COUNTER, Request

CONNECTIONS = 64
_GRACE_SECONDS = 5.0
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding: *chunked")


@dataclass(frozen=True)
class Latency:
    """Percentiles in milliseconds at a rate of requests per second; `late` were not answered at all."""

    rate: float
    p50: float
    p90: float
    p99: float
    p999: float
    errors: int
    late: int


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    due: float = 0.0
    received: bytes = b""


def run(port: int, requests: Sequence[Request], *, rate: float, seconds: float, counter: int) -> Latency:
    """Send so many requests per second for some seconds, on connections that are kept open."""
    raws = [request.raw(port) for request in requests]
    idle = [_connected(port) for _ in range(CONNECTIONS)]
    every = list(idle)
    busy: dict[int, _Connection] = {}
    waiting: deque[float] = deque()
    took: list[float] = []
    errors = sent = 0
    began = time.perf_counter()
    end, step = began + seconds, 1 / rate
    due = began
    try:
        while (now := time.perf_counter()) < end + _GRACE_SECONDS:
            while due <= now and due < end:
                waiting.append(due)
                due += step
            while waiting and idle:
                connection = idle.pop()
                connection.due = waiting.popleft()
                connection.socket.sendall(_numbered(raws[sent % len(raws)], counter + sent))
                busy[connection.socket.fileno()] = connection
                sent += 1
            if not busy and not waiting and due >= end:
                break
            ready, _, _ = select.select(list(busy), [], [], max(0.0, min(due, end) - time.perf_counter()) or 0.001)
            for number in ready:
                connection = busy[number]
                status = _status(connection)
                if status:
                    took.append(time.perf_counter() - connection.due)
                    errors += not 200 <= status < 300
                    idle.append(busy.pop(number))
    finally:
        for connection in every:
            connection.socket.close()
    took.sort()
    p50, p90, p99, p999 = (_percentile(took, share) for share in (0.5, 0.9, 0.99, 0.999))
    return Latency(rate, p50, p90, p99, p999, errors, len(busy) + len(waiting))


def _connected(port: int) -> _Connection:
    opened = socket.create_connection(("127.0.0.1", port), timeout=10)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _Connection(opened)


def _numbered(raw: bytes, number: int) -> bytes:
    return raw.replace(COUNTER.encode(), b"%010d" % number)


def _status(connection: _Connection) -> int:
    """The status once the whole answer has come; 0 before that. Raises `OSError` where the service hangs up."""
    part = connection.socket.recv(1 << 18)
    if not part:
        raise OSError("the service closed a connection")
    connection.received += part
    received = connection.received
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return 0
    length = _LENGTH.search(received, 0, head)
    if length:
        if len(received) < head + 4 + int(length[1]):
            return 0
    elif _CHUNKED.search(received, 0, head) and not received.endswith(b"0\r\n\r\n"):
        return 0
    connection.received = b""
    return int(received[9:12])


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else float("nan")

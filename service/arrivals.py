"""Bodies that do not arrive: after a while their connections are reset, so that they hold no thread for ever.

Granian waits for a body without end, in a thread of its pool, and does not tell which connection it waits on. It is
taken to be one with the same client on which nothing was answered for all the time. That may be an idle one as well,
whose end a client has to expect at any moment, or one of a request that has been worked on for as long.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import structlog

from service.connections import Client, Socket, Traffic, reset

#: For each so many bytes that have arrived, a body is given its time again.
SHARE = 2**20
#: How often bodies are looked after: four times in their time, and once in a second.
_LOOKS, _SECOND = 4, 1.0
#: What arrives this long after its request was begun may have been waiting in the kernel.
_TOLERANCE = 0.05

_log = structlog.get_logger(__name__)


class Arrival:
    """A body on its way: `seconds` for each `SHARE` of it."""

    def __init__(self, client: Client | None, seconds: float) -> None:
        self._client = client
        self.seconds = seconds
        self.late = False
        self._shares = 0
        self._begin()

    def _begin(self) -> None:
        self._began = time.monotonic()
        self._before: dict[Socket, Traffic] | None = None

    def received(self, size: int) -> None:
        """So many bytes have arrived in all."""
        if size // SHARE > self._shares:
            self._shares = size // SHARE
            self._begin()

    @property
    def broken_off(self) -> bool:
        """Whether the client has gone before the end of a body whose length is not known."""
        return self._client is not None and self._client.has_gone()

    def look(self) -> None:
        """Note the connections; when the time is up, reset those that were not answered since."""
        assert self._client is not None
        if self._before is None:
            self._before = self._client.traffic()
        elif time.monotonic() - self._began > self.seconds:
            # Those that were silent for all the time come first: others may be waiting for this request's thread.
            until = self._began + _TOLERANCE if not self.late else math.inf
            self.late = True
            for connection, traffic in self._client.traffic().items():
                before = self._before.get(connection)
                if before is not None and before.written == traffic.written and traffic.heard < until:
                    reset(connection)
            _log.warning("late body", client=self._client.address)


class _Watch:
    """Looks after all bodies on their way in this process, from a thread of its own while there are any."""

    def __init__(self) -> None:
        self._arrivals: set[Arrival] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, arrival: Arrival) -> None:
        with self._lock:
            self._arrivals.add(arrival)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="body-watch", daemon=True)
                self._thread.start()

    def remove(self, arrival: Arrival) -> None:
        with self._lock:
            self._arrivals.discard(arrival)

    def _run(self) -> None:
        while True:
            with self._lock:
                shortest = min((each.seconds for each in self._arrivals), default=_SECOND * _LOOKS)
            time.sleep(min(_SECOND, shortest / _LOOKS))
            with self._lock:
                if not self._arrivals:
                    self._thread = None
                    return
                for each in self._arrivals:
                    with suppress(OSError):  # where no more files can be opened, the next look may do better
                        each.look()


_watch = _Watch()


@contextmanager
def arriving(environ: Mapping[str, Any], seconds: float) -> Iterator[Arrival]:
    """While a body is received; afterwards, the arrival tells what became of it."""
    client = Client.of(environ)
    arrival = Arrival(client, seconds)
    if client is not None:
        _watch.add(arrival)
    try:
        yield arrival
    finally:
        _watch.remove(arrival)

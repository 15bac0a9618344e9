"""Connections: opened as every statement expects them, pooled, noticed when dead, never waited for without end."""

from __future__ import annotations

import math
import select
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from queue import Empty, LifoQueue
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import AdaptersMap
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import _WaitTimeout
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.types.json import set_json_loads
from psycopg.types.numeric import Int8Dumper

from repositories.base import Limits
from repositories.errors import DeadlineExceeded, PoolExhausted, Unavailable
from repositories.sql.errors import port_error
from repositories.sql.running import Statements
from repositories.sql.types import load_json

_Result = TypeVar("_Result")

#: Seconds that a server which enforces the statement timeout itself is given before it is held to be stuck.
GRACE = 1.0


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection on which no exchange with the server takes longer than `patience` seconds (None: any time)."""

    patience: float | None = None

    @cached_property
    def statements(self) -> Statements:
        """The statements that are prepared on this connection."""
        return Statements(self)

    def wait(self, gen: PQGen[_Result], interval: float = 0.1, timeout: float | None = None) -> _Result:
        """Exchange with the server. A server that stays silent costs the connection."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except _WaitTimeout as error:
            self.close()
            raise DeadlineExceeded from error


def result_of(connection: Connection, sql: str, parameters: Sequence[Any]) -> PGresult:
    """Run a query that will be met again, and give its result as it came, for values that are wanted as bytes."""
    return connection.statements.run(sql, parameters)


class Pool:
    """A bounded pool of connections in autocommit, each idle and outside any transaction while it waits in it."""

    def __init__(self, url: str, limits: Limits) -> None:
        self._conninfo = _conninfo(url, limits)
        self._patience = limits.statement_timeout + GRACE
        self._adapters = _adapters()
        self._closed = False
        self._size, self._timeout = limits.pool_size, limits.pool_timeout
        #: A place for each connection that there may be, on top those that were used last.
        self._places: LifoQueue[Connection | None] = LifoQueue()
        for _ in range(self._size):
            self._places.put(None)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for this thread; it goes back idle, or is dropped. Raises `PoolExhausted`, `Unavailable`."""
        if self._closed:
            raise Unavailable("The repository is closed.")
        try:
            idle = self._places.get(timeout=self._timeout)
        except Empty as error:
            raise PoolExhausted from error
        connection = None
        try:
            connection = _alive(idle) or self._connect()
            yield connection
        except psycopg.errors.FeatureNotSupported:
            # What is prepared on it was for tables that have changed since.
            if connection is not None:
                connection.close()
            raise
        finally:
            self._places.put(self._kept(connection))

    def _kept(self, connection: Connection | None) -> Connection | None:
        """The connection, if it is fit to be used again."""
        if connection is None or (not self._closed and connection.pgconn.transaction_status == TransactionStatus.IDLE):
            return connection
        connection.close()
        return None

    def close(self) -> None:
        """Close all idle connections, and those in use as they come back."""
        self._closed = True
        idle = []
        with suppress(Empty):
            while True:
                idle.append(self._places.get_nowait())
        for connection in idle:
            if connection is not None:
                connection.close()
            self._places.put(None)

    @property
    def in_use(self) -> int:
        """The number of connections that are not back."""
        return self._size - self._places.qsize()

    def _connect(self) -> Connection:
        try:
            connection = Connection.connect(
                self._conninfo, autocommit=True, prepare_threshold=None, context=self._adapters
            )
        except psycopg.Error as error:
            raise port_error(error) from error
        connection.patience = self._patience
        return connection


def _conninfo(url: str, limits: Limits) -> str:
    """The URL with the settings that the statements rely on; what it says about the same settings gives way."""
    given = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1))
    milliseconds = math.ceil(limits.statement_timeout * 1000)
    settings = {
        "timezone": "UTC",
        "datestyle": "ISO",
        "extra_float_digits": 1,
        "standard_conforming_strings": "on",
        "default_transaction_isolation": r"read\ committed",
        "statement_timeout": milliseconds,
        "idle_in_transaction_session_timeout": milliseconds,
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    merged: dict[str, Any] = {
        "application_name": "diglot",
        "tcp_user_timeout": milliseconds,
        **given,
        "client_encoding": "UTF8",
        "connect_timeout": math.ceil(limits.connect_timeout),
        "options": f"{given.get('options') or ''} {options}".strip(),
    }
    return make_conninfo(**merged)


def _adapters() -> psycopg.abc.AdaptContext:
    adapters = _Adapters(AdaptersMap(psycopg.adapters))
    # One size for all integers: the sizes would be types of their own, and each combination a statement to prepare.
    adapters.adapters.register_dumper(int, Int8Dumper)
    set_json_loads(load_json, adapters)
    return adapters


class _Adapters:
    """What the driver takes adapters from when a connection opens."""

    connection = None

    def __init__(self, adapters: AdaptersMap) -> None:
        self.adapters = adapters


def _alive(idle: Connection | None) -> Connection | None:
    """The idle connection, unless it has something to read: a server says nothing unasked but its farewell."""
    if idle is not None and (idle.closed or _readable(idle.fileno())):
        idle.close()
        return None
    return idle


if sys.platform == "win32":

    def _readable(descriptor: int) -> bool:
        return bool(select.select([descriptor], [], [], 0)[0])

else:

    def _readable(descriptor: int) -> bool:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))

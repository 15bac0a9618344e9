"""Queries run straight on a connection's protocol, where each Python layer would cost as much as the exchange.

A statement that a connection has met before is prepared on it, and after that only its values are sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from repositories.sql.connections import Connection
from repositories.sql.statements import PLACEHOLDER

#: So many statements stay prepared on each connection.
PREPARED = 256


class Runner:
    """Runs queries that need no transaction, and remembers what each connection has prepared."""

    def __init__(self) -> None:
        self._sessions: WeakKeyDictionary[Connection, _Session] = WeakKeyDictionary()

    def run(self, connection: Connection, sql: str, parameters: Sequence[Any]) -> PGresult:
        """The result of a query, as it came. Raises `psycopg.Error`."""
        session = self._sessions.get(connection)
        if session is None:
            session = self._sessions.setdefault(connection, _Session(connection))
        try:
            return session.run(connection, sql, parameters)
        except InvalidSqlStatementName:
            # The driver drops what is prepared when a transaction is rolled back; so may a pooler between.
            self._sessions[connection] = _Session(connection)
            return _unprepared(connection, sql, parameters)


class _Session:
    """What is prepared on one connection, and how the driver writes its values."""

    def __init__(self, connection: Connection) -> None:
        self._transformer = Transformer(connection)
        #: By SQL and types; a name that is still empty has been seen once.
        self._names: OrderedDict[tuple[str, tuple[int, ...]], bytes] = OrderedDict()
        self._number = 0

    def run(self, connection: Connection, sql: str, parameters: Sequence[Any]) -> PGresult:
        """The result of a query: the driver's first time, from then on that of a prepared statement."""
        transformer = self._transformer
        values = transformer.dump_sequence(parameters, [PyFormat.AUTO] * len(parameters))
        key = sql, transformer.types or ()
        name = self._names.get(key)
        if name is None:
            self._names[key] = b""
            self._forget(connection)
            return _unprepared(connection, sql, parameters)
        if not name:
            name = self._names[key] = self._prepared(connection, *key)
        self._names.move_to_end(key)
        connection.pgconn.send_query_prepared(name, values, transformer.formats)
        return _result(connection)

    def _prepared(self, connection: Connection, sql: str, types: tuple[int, ...]) -> bytes:
        self._number += 1
        name = f"diglot_{self._number}".encode()
        connection.pgconn.send_prepare(name, _numbered(sql).encode(), types)
        _result(connection)
        return name

    def _forget(self, connection: Connection) -> None:
        while len(self._names) > PREPARED:
            _, name = self._names.popitem(last=False)
            if name:
                connection.execute(b"DEALLOCATE " + name)


def _unprepared(connection: Connection, sql: str, parameters: Sequence[Any]) -> PGresult:
    result = connection.execute(sql, list(parameters), prepare=False).pgresult
    assert result is not None
    return result


def _result(connection: Connection) -> PGresult:
    result: PGresult = connection.wait(generators.execute(connection.pgconn))[-1]
    if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        raise error_from_result(result, encoding="utf-8")
    return result


def _numbered(sql: str) -> str:
    """The driver's placeholders as the server's own."""
    numbers = count(1)
    return PLACEHOLDER.sub(lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", sql)

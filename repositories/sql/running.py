"""Queries run straight on a connection's protocol, where each Python layer would cost as much as the exchange.

A statement that a connection has met before is prepared on it, and after that only its values are sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg import generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from repositories.query import Row
from repositories.sql.statements import PLACEHOLDER

#: So many statements stay prepared on each connection.
PREPARED = 256


class Statements:
    """What is prepared on one connection, and how the driver writes its values.

    The driver's own preparing is switched off: it forgets all statements, also those of others, at each rollback.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._transformer = Transformer(connection)
        #: By SQL and types; a name that is still empty has been seen once.
        self._names: OrderedDict[tuple[str, tuple[int, ...]], bytes] = OrderedDict()
        self._number = 0

    def run(self, sql: str, parameters: Sequence[Any]) -> PGresult:
        """The result of a query, as it came: prepared from the second time on. Raises `psycopg.Error`."""
        try:
            return self._run(sql, parameters)
        except InvalidSqlStatementName:
            # A pooler on the way has dropped what was prepared.
            self._names.clear()
            if self._connection.pgconn.transaction_status != TransactionStatus.IDLE:
                raise
            return self._run(sql, parameters)

    def row(self, result: PGresult) -> Row:
        """The first row of a result as values."""
        self._transformer.set_pgresult(result)
        try:
            return self._transformer.load_row(0, tuple) or ()
        finally:
            self._transformer.set_pgresult(None)

    def _run(self, sql: str, parameters: Sequence[Any]) -> PGresult:
        transformer = self._transformer
        values = transformer.dump_sequence(parameters, [PyFormat.AUTO] * len(parameters))
        key = sql, transformer.types or ()
        name = self._names.get(key)
        if name is None:
            self._names[key] = b""
            self._forget()
            result = self._connection.execute(sql, list(parameters)).pgresult
            assert result is not None
            return result
        if not name:
            name = self._names[key] = self._prepared(*key)
        self._names.move_to_end(key)
        self._connection.pgconn.send_query_prepared(name, values, transformer.formats)
        return self._result()

    def _prepared(self, sql: str, types: tuple[int, ...]) -> bytes:
        self._number += 1
        name = f"diglot_{self._number}".encode()
        self._connection.pgconn.send_prepare(name, _numbered(sql).encode(), types)
        self._result()
        return name

    def _forget(self) -> None:
        while len(self._names) > PREPARED:
            _, name = self._names.popitem(last=False)
            if name:
                self._connection.execute(b"DEALLOCATE " + name)

    def _result(self) -> PGresult:
        result: PGresult = self._connection.wait(generators.execute(self._connection.pgconn))[-1]
        if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            raise error_from_result(result, encoding="utf-8")
        return result


def _numbered(sql: str) -> str:
    """The driver's placeholders as the server's own."""
    numbers = count(1)
    return PLACEHOLDER.sub(lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", sql)

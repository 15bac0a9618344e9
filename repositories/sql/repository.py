"""PostgreSQL behind the port: statements compiled once for each shape, run on the driver's connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, TypeVar

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation
from psycopg.pq.abc import PGresult
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from repositories.base import Change, Document, Executor, Explanation, Limits, Repository, Rows
from repositories.errors import RepositoryError, SchemaMismatch
from repositories.query import Read, Row
from repositories.schema import Catalog, Index, Resource
from repositories.sql import migrations, sequences
from repositories.sql.blame import VIOLATIONS, Blame
from repositories.sql.connections import Connection, Pool
from repositories.sql.errors import Translator, connection_at_fault, port_error
from repositories.sql.explaining import explain
from repositories.sql.reading import Reader, loaded
from repositories.sql.rules import Rules, merges
from repositories.sql.statements import Statement
from repositories.sql.tables import tables
from repositories.sql.transactions import READ_COMMITTED, REPEATABLE_READ, Transactions
from repositories.sql.trials import trial
from repositories.sql.writer import Writer
from repositories.writes import Insert, Write

_Result = TypeVar("_Result")

#: Shapes kept compiled, of each kind of statement.
_SHAPES = 1024
#: What says that others were in the way, and that another attempt may do better.
_OTHERS = (DeadlockDetected, SerializationFailure)
#: How often what has broken a rule may be gone when it is looked for.
_TRIES = 5
_OLDEST_SERVER = 140000
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#: A stream waits for its reader between batches; this bounds how long, in place of the short limit of all others.
_STREAM = f"{_SNAPSHOT}; SET LOCAL idle_in_transaction_session_timeout = '10min'"
_CURSOR = "diglot"


class PostgresRepository(Repository):
    """A PostgreSQL database, by its `postgresql://` URL. Nothing is connected before the first call."""

    backend: ClassVar[str] = "postgres"

    def __init__(self, url: str, catalog: Catalog, limits: Limits) -> None:
        super().__init__(catalog, limits)
        self._pool = Pool(url, limits)
        metadata = tables(catalog)
        self._blame = Blame(metadata, Translator(catalog), Rules(catalog))
        self._reader = Reader(metadata, _SHAPES)
        self._writer = Writer(metadata, self._blame, _SHAPES)
        self._transactions = Transactions(self._pool, self._reader, self._writer, limits)
        self._again = Retrying(
            retry=retry_if_exception_type(_OTHERS),
            wait=wait_random_exponential(multiplier=0.005, max=0.2),
            stop=stop_after_delay(limits.statement_timeout),
            reraise=True,
        )

    @property
    def connections_in_use(self) -> int:
        """The number of connections that calls hold at this moment."""
        return self._pool.in_use

    def rows(self, read: Read) -> Rows:
        """See `Repository.rows`."""
        return self._read(lambda connection: self._rows(connection, read))

    def json(self, read: Read) -> Document:
        """See `Repository.json`. PostgreSQL makes the JSON."""
        return self._read(lambda connection: self._reader.json(connection, read))

    @contextmanager
    def stream(self, read: Read, batch: int = 1000) -> Iterator[Iterator[Sequence[Row]]]:
        """See `Repository.stream`. A cursor on the server, in a read-only transaction on one snapshot."""
        statement = self._reader.page(read.selection)
        with self._cursor(statement, read) as (_, cursor):
            yield _batches(cursor, batch, statement)

    @contextmanager
    def lines(self, read: Read, batch: int = 1000) -> Iterator[Iterator[bytes]]:
        """See `Repository.lines`. The same kind of cursor, over records as PostgreSQL writes them."""
        with self._cursor(self._reader.records(read.selection), read) as (connection, _):
            yield _lines(connection, batch)

    def explain(self, read: Read, *, analyze: bool = False, verbose: bool = False) -> Explanation:
        """See `Repository.explain`."""
        return self._read(lambda connection: self._explained(connection, read, analyze=analyze, verbose=verbose))

    def try_index(self, resource: Resource, index: Index, reads: Sequence[Read]) -> list[Explanation]:
        """See `Repository.try_index`. In a transaction that is rolled back; until then nobody writes to the table."""

        def work(connection: Connection) -> list[Explanation]:
            with trial(connection, resource, index):
                return [self._explained(connection, read, analyze=True) for read in reads]

        return self._run(work)

    def _explained(
        self, connection: Connection, read: Read, *, analyze: bool = False, verbose: bool = False
    ) -> Explanation:
        statement = (self._reader.counted if read.count else self._reader.records)(read.selection)
        return explain(
            connection, self.backend, statement, read.values, counted=read.count, analyze=analyze, verbose=verbose
        )

    def write(self, write: Write) -> Document:
        """See `Repository.write`. One statement; or one transaction, with an expectation and for streamed rows."""
        if isinstance(write, Insert) and not isinstance(write.rows, Sequence):
            return self._transactions.run(lambda executor: executor.write(write), READ_COMMITTED)
        try:
            return self._attempt(write)
        except psycopg.Error as error:
            return self._write_again(write, error)

    def transact(self, work: Callable[[Executor], _Result], *, name: str | None = None) -> _Result:
        """See `Repository.transact`. REPEATABLE READ; a name is an advisory lock."""
        return self._transactions.run(work, REPEATABLE_READ, name)

    def advance_sequences(self, resource: Resource) -> None:
        """See `Repository.advance_sequences`."""
        self._run(lambda connection: sequences.advance(connection, resource))

    def schema_changes(self) -> list[Change]:
        """See `Repository.schema_changes`."""
        return self._run(lambda connection: migrations.changes(connection, self.catalog))

    def apply_schema(self, destructive: bool = False) -> list[Change]:
        """See `Repository.apply_schema`. One transaction: all changes or none."""
        return self._run(lambda connection: migrations.apply(connection, self.catalog, destructive=destructive))

    def ping(self) -> None:
        """See `Repository.ping`. Serves PostgreSQL 14 or newer whose database is in UTF-8."""
        self._read(_ping)

    def close(self) -> None:
        """See `Repository.close`."""
        self._pool.close()

    def _run(self, work: Callable[[Connection], _Result]) -> _Result:
        try:
            with self._pool.connection() as connection:
                return work(connection)
        except psycopg.Error as error:
            raise port_error(error) from error

    def _read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run what may safely run twice: once more, on another connection, where the connection was at fault."""
        try:
            with self._pool.connection() as connection:
                return work(connection)
        except psycopg.Error as error:
            if not connection_at_fault(error):
                raise port_error(error) from error
        return self._run(work)

    def _rows(self, connection: Connection, read: Read) -> Rows:
        if not read.count:
            return self._reader.rows(connection, read)
        connection.execute(_SNAPSHOT)
        try:
            return self._reader.rows(connection, read)
        finally:
            if not connection.closed:
                connection.execute("ROLLBACK")

    @contextmanager
    def _cursor(self, statement: Statement, read: Read) -> Iterator[tuple[Connection, psycopg.ServerCursor[Row]]]:
        try:
            with self._pool.connection() as connection:
                connection.execute(_STREAM)
                try:
                    with connection.cursor(_CURSOR) as cursor:
                        cursor.execute(statement.sql, statement.bind(read.values))
                        yield connection, cursor
                finally:
                    if not connection.closed:
                        connection.execute("COMMIT")
        except psycopg.Error as error:
            raise port_error(error) from error

    def _attempt(self, write: Write) -> Document:
        with self._pool.connection() as connection:
            return self._writer.run(connection, write)

    def _write_again(self, write: Write, error: psycopg.Error) -> Document:
        """The write, if others were in its way. Raises the port's error if not."""
        # Racing upserts of one new key trip over its other unique sets; the loser now finds the record.
        in_the_way = isinstance(error, _OTHERS) or (merges(write) and isinstance(error, UniqueViolation))
        for _ in range(_TRIES):
            failure = None if in_the_way else self._named(write, error)
            if failure is not None:
                raise failure from error
            try:
                return self._again(self._attempt, write)
            except psycopg.Error as met:
                error, in_the_way = met, False
        raise self._blame.known(write, error) from error

    def _named(self, write: Write, error: psycopg.Error) -> RepositoryError | None:
        """The port's error for what a write on its own met; where several rules are broken, the one to be named.

        None where what was in its way has gone since.
        """
        if not isinstance(error, VIOLATIONS) or not self._blame.may_inquire(write):
            return self._blame.known(write, error)
        try:
            with self._pool.connection() as connection:
                return self._writer.named(connection, write, error)
        except (psycopg.Error, RepositoryError):
            return self._blame.known(write, error)


def _batches(cursor: psycopg.ServerCursor[Row], size: int, statement: Statement) -> Iterator[Sequence[Row]]:
    try:
        while batch := cursor.fetchmany(size):
            yield loaded(statement, batch)
    except psycopg.Error as error:
        raise port_error(error) from error


def _lines(connection: Connection, size: int) -> Iterator[bytes]:
    try:
        while count := (records := _fetched(connection, size)).ntuples:
            yield b"\n".join([records.get_value(i, 0) or b"" for i in range(count)]) + b"\n"
    except psycopg.Error as error:
        raise port_error(error) from error


def _fetched(connection: Connection, size: int) -> PGresult:
    result = connection.execute(f"FETCH {size} FROM {_CURSOR}").pgresult
    assert result is not None
    return result


def _ping(connection: Connection) -> None:
    if connection.info.server_version < _OLDEST_SERVER:
        raise SchemaMismatch("PostgreSQL is too old.", hint="Use PostgreSQL 14 or newer.")
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise SchemaMismatch("The database is not in UTF-8.", hint="Create it with ENCODING 'UTF8'.")
    connection.execute("SELECT 1")

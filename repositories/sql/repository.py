"""PostgreSQL behind the port: statements compiled once for each shape, run on the driver's connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, TypeVar

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from repositories.base import Change, Document, Explanation, Limits, Repository, Rows
from repositories.errors import RepositoryError, SchemaMismatch
from repositories.kept import Kept
from repositories.query import Insert, Read, Replace, Row, Write
from repositories.schema import Catalog, Resource
from repositories.sql import migrations, sequences
from repositories.sql.blame import offending_row
from repositories.sql.compiler import Compiler
from repositories.sql.connections import Connection, Pool, result_of
from repositories.sql.errors import Translator, connection_at_fault, port_error
from repositories.sql.explaining import explain
from repositories.sql.running import Runner
from repositories.sql.statements import Statement
from repositories.sql.tables import tables
from repositories.sql.writer import Writer

_Result = TypeVar("_Result")

#: Shapes kept compiled, of each kind of statement.
_SHAPES = 1024
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
        self._runner = Runner()
        self._metadata = tables(catalog)
        self._translator = Translator(catalog)
        self._writer = Writer(self._metadata, _SHAPES)
        compiler = Compiler(self._metadata)
        self._rows = Kept(compiler.rows, _SHAPES)
        self._records = Kept(compiler.records, _SHAPES)
        self._counted = Kept(compiler.counted, _SHAPES)
        self._total = Kept(compiler.total, _SHAPES)
        self._again = Retrying(
            retry=retry_if_exception_type((DeadlockDetected, SerializationFailure)),
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
        return self._read(lambda connection: self._run_rows(connection, read))

    def json(self, read: Read) -> Document:
        """See `Repository.json`. PostgreSQL makes the JSON."""
        run = self._run_counted if read.count else self._run_json
        return self._read(lambda connection: run(connection, read))

    @contextmanager
    def stream(self, read: Read, batch: int = 1000) -> Iterator[Iterator[Sequence[Row]]]:
        """See `Repository.stream`. A cursor on the server, in a read-only transaction on one snapshot."""
        statement = self._rows(read.selection)
        with self._cursor(statement, read) as (_, cursor):
            yield _batches(cursor, batch, statement)

    @contextmanager
    def lines(self, read: Read, batch: int = 1000) -> Iterator[Iterator[bytes]]:
        """See `Repository.lines`. The same kind of cursor, over records as PostgreSQL writes them."""
        with self._cursor(self._records(read.selection), read) as (connection, _):
            yield _lines(connection, batch)

    def explain(self, read: Read, *, analyze: bool = False, verbose: bool = False) -> Explanation:
        """See `Repository.explain`."""
        statement = (self._counted if read.count else self._records)(read.selection)
        return self._read(
            lambda connection: explain(
                connection, self.backend, statement, read.values, counted=read.count, analyze=analyze, verbose=verbose
            )
        )

    def write(self, write: Write) -> Document:
        """See `Repository.write`. One statement, or one transaction where the write has an expectation."""
        if isinstance(write, Insert) and not write.rows:
            return Document(b"[]" if write.returning else b"", 0)
        try:
            try:
                return self._attempt(write)
            except UniqueViolation:
                # Racing upserts of one new key trip over its other unique sets; the loser now finds the record.
                if not isinstance(write, Replace):
                    raise
                return self._again(self._attempt, write)
            except (DeadlockDetected, SerializationFailure):
                return self._again(self._attempt, write)
        except psycopg.Error as error:
            raise self._translator.translate(error, write, self._offending_row(write, error)) from error

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

    def _run_json(self, connection: Connection, read: Read) -> Document:
        statement = self._records(read.selection)
        records = self._runner.run(connection, *statement.limited(read.values))
        count, value = records.ntuples, records.get_value
        return Document(b"[%b]" % b",".join([value(i, 0) or b"" for i in range(count)]), count)

    def _run_counted(self, connection: Connection, read: Read) -> Document:
        statement = self._counted(read.selection)
        answer = self._runner.run(connection, *statement.limited(read.values))
        body, count, total = (answer.get_value(0, column) or b"" for column in range(3))
        return Document(body, int(count), int(total))

    def _run_rows(self, connection: Connection, read: Read) -> Rows:
        page = self._rows(read.selection)
        if not read.count:
            return Rows(_loaded(page, connection.execute(page.sql, page.bind(read.values)).fetchall()))
        total = self._total(read.selection)
        connection.execute(_SNAPSHOT)
        try:
            rows = connection.execute(page.sql, page.bind(read.values)).fetchall()
            number = connection.execute(total.sql, total.bind(read.values)).fetchall()[0][0]
        finally:
            if not connection.closed:
                connection.execute("COMMIT")
        return Rows(_loaded(page, rows), number)

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

    def _offending_row(self, write: Write, error: psycopg.Error) -> int | None:
        if not isinstance(write, Insert) or not isinstance(error, psycopg.IntegrityError):
            return None
        try:
            with self._pool.connection() as connection:
                return offending_row(connection, self._metadata, self._translator, write, error)
        except (psycopg.Error, RepositoryError):
            return None


def _batches(cursor: psycopg.ServerCursor[Row], size: int, statement: Statement) -> Iterator[Sequence[Row]]:
    try:
        while batch := cursor.fetchmany(size):
            yield _loaded(statement, batch)
    except psycopg.Error as error:
        raise port_error(error) from error


def _loaded(statement: Statement, rows: list[Row]) -> list[Row]:
    return rows if statement.load is None else [statement.load(text) for (text,) in rows]


def _lines(connection: Connection, size: int) -> Iterator[bytes]:
    try:
        while count := (records := result_of(connection, f"FETCH {size} FROM {_CURSOR}", [])).ntuples:
            yield b"\n".join([records.get_value(i, 0) or b"" for i in range(count)]) + b"\n"
    except psycopg.Error as error:
        raise port_error(error) from error


def _ping(connection: Connection) -> None:
    if connection.info.server_version < _OLDEST_SERVER:
        raise SchemaMismatch("PostgreSQL is too old.", hint="Use PostgreSQL 14 or newer.")
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise SchemaMismatch("The database is not in UTF-8.", hint="Create it with ENCODING 'UTF8'.")
    connection.execute("SELECT 1")

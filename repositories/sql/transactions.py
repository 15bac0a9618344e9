"""Transactions of several calls: opened under a name, bounded in time, run again when others got in the way."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure
from psycopg.pq import TransactionStatus
from tenacity import Retrying, retry_if_exception_type, stop_before_delay, wait_random_exponential

from repositories.base import Document, Executor, Limits, Rows
from repositories.errors import Conflict, DeadlineExceeded, NameTaken, RepositoryError
from repositories.query import Read
from repositories.sql.connections import GRACE, Connection, Pool
from repositories.sql.errors import connection_at_fault, port_error
from repositories.sql.reading import Reader
from repositories.sql.writer import Writer
from repositories.writes import Write

_Result = TypeVar("_Result")

#: All reads of one moment, or each statement of its own: then less stands in the way of writers.
REPEATABLE_READ, READ_COMMITTED = "REPEATABLE READ", "READ COMMITTED"


class Interrupted(Exception):
    """The attempt came to nothing through no fault of its own. Never leaves `Transactions.run`."""


class Deadline:
    """When a transaction must have ended, all its attempts together."""

    def __init__(self, limits: Limits) -> None:
        self._statement_timeout = limits.statement_timeout
        self._end = time.monotonic() + limits.transaction_timeout
        #: Whether a connection has been lost and replaced; once is all that is tried.
        self.connection_replaced = False

    def bound(self, connection: Connection) -> None:
        """Let the next statement end in time. The session's own limit stands while more than that is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded
        if left < self._statement_timeout:
            connection.patience = left + GRACE
            connection.execute(f"SET LOCAL statement_timeout = {math.ceil(left * 1000)}")


class Transaction(Executor):
    """The calls of one attempt. The first that fails ends it: every later one fails likewise."""

    def __init__(self, connection: Connection, reader: Reader, writer: Writer, deadline: Deadline) -> None:
        self.failure: BaseException | None = None
        self._connection, self._reader, self._writer, self._deadline = connection, reader, writer, deadline

    def rows(self, read: Read) -> Rows:
        """See `Executor.rows`."""
        with self._call():
            return self._reader.rows(self._connection, read)

    def json(self, read: Read) -> Document:
        """See `Executor.json`."""
        with self._call():
            return self._reader.json(self._connection, read)

    def write(self, write: Write) -> Document:
        """See `Executor.write`."""
        with self._call():
            return self._writer.enlist(self._connection, write, self._bound)

    def close(self) -> None:
        """The transaction has ended: no more calls."""
        self.failure = self.failure or RepositoryError("The transaction is over.")

    def _bound(self) -> None:
        self._deadline.bound(self._connection)

    @contextmanager
    def _call(self) -> Iterator[None]:
        if self.failure is not None:
            raise self.failure
        try:
            with translated(self._connection, self._deadline):
                self._bound()
                yield
        except BaseException as error:
            self.failure = error
            raise


class Transactions:
    """Runs work in transactions on a pool's connections."""

    def __init__(self, pool: Pool, reader: Reader, writer: Writer, limits: Limits) -> None:
        self._pool, self._reader, self._writer, self._limits = pool, reader, writer, limits
        self._again = Retrying(
            retry=retry_if_exception_type(Interrupted),
            wait=wait_random_exponential(multiplier=0.005, max=0.2),
            stop=stop_before_delay(limits.transaction_timeout),
            reraise=True,
        )

    def run(self, work: Callable[[Executor], _Result], isolation: str, name: str | None = None) -> _Result:
        """See `Repository.transact`."""
        try:
            result: _Result = self._again(self._attempt, work, isolation, name, Deadline(self._limits))
        except Interrupted as error:
            raise Conflict from error.__cause__
        return result

    def _attempt(
        self, work: Callable[[Executor], _Result], isolation: str, name: str | None, deadline: Deadline
    ) -> _Result:
        with self._pool.connection() as connection:
            usual = connection.patience
            transaction = Transaction(connection, self._reader, self._writer, deadline)
            try:
                with translated(connection, deadline):
                    self._begin(connection, isolation, name)
                done = work(transaction)
                if transaction.failure is not None:
                    raise transaction.failure
                with translated(connection, deadline):
                    deadline.bound(connection)
                _commit(connection)
            except Exception:
                # Work that turned the interruption into an error of its own cannot know better.
                if isinstance(transaction.failure, Interrupted):
                    raise transaction.failure from transaction.failure.__cause__
                raise
            finally:
                transaction.close()
                _abandon(connection)
                connection.patience = usual
            return done

    def _begin(self, connection: Connection, isolation: str, name: str | None) -> None:
        # Between its calls the work may take its time, as long as there is some left.
        idle = math.ceil((self._limits.transaction_timeout + GRACE) * 1000)
        begin = f"BEGIN ISOLATION LEVEL {isolation}; SET LOCAL idle_in_transaction_session_timeout = {idle}"
        if name is None:
            connection.execute(begin)
            return
        number = lock_number(name)
        try:
            # Held before the transaction takes its snapshot, which so shows what the holder before has written.
            if not connection.execute("SELECT pg_try_advisory_lock(%s)", [number]).fetchall()[0][0]:
                raise NameTaken
            connection.execute(
                f"{begin}; SELECT pg_try_advisory_xact_lock({number}); SELECT pg_advisory_unlock({number})"
            )
        except NameTaken:
            raise
        except BaseException:
            connection.close()
            raise


def lock_number(name: str) -> int:
    """The 64-bit number of the advisory lock that stands for a name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)


@contextmanager
def translated(connection: Connection, deadline: Deadline) -> Iterator[None]:
    """The driver's errors before the commit: as `Interrupted` where another attempt may do better."""
    try:
        yield
    except (SerializationFailure, DeadlockDetected) as error:
        raise Interrupted from error
    except psycopg.Error as error:
        if connection_at_fault(error) and not deadline.connection_replaced:
            deadline.connection_replaced = True
            connection.close()
            raise Interrupted from error
        raise port_error(error) from error


def _commit(connection: Connection) -> None:
    try:
        connection.execute("COMMIT")
    except (SerializationFailure, DeadlockDetected) as error:
        raise Interrupted from error
    except psycopg.Error as error:
        raise port_error(error) from error


def _abandon(connection: Connection) -> None:
    """Undo what is not committed. A connection that cannot even do that is dropped by the pool."""
    if connection.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        with suppress(psycopg.Error, DeadlineExceeded):
            connection.execute("ROLLBACK")

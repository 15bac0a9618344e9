"""The way to the server: one client, its pool, deadlines, and driver errors made the port's own."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TypeVar

import pymongo
from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

from repositories.base import Limits
from repositories.errors import PoolExhausted, SchemaMismatch, Unavailable
from repositories.mongo.documents import BSON, CODEC
from repositories.mongo.errors import DRIVER_ERRORS, SNAPSHOT_UNAVAILABLE, translate
from repositories.mongo.transactions import DURABLE, SNAPSHOT, Attempt, Outcome, Transaction, tried
from repositories.schema import Catalog, Resource

T = TypeVar("T")

DEFAULT_DATABASE = "diglot"

_RETRY_SECONDS = 0.01
#: For so long after a server could not be found, one request at a time looks for it, for the second time: the driver
#: looks twice a second, so a server that is back is found. The others fail at once.
_FRESH_SECONDS, _BRIEF_SECONDS = 1.0, 0.5


class Connection:
    """A database of a MongoDB deployment. Making one does not connect.

    Without a `statement_timeout` (0) a command may take as long as the server is alive.
    """

    def __init__(self, url: str, catalog: Catalog, limits: Limits) -> None:
        self._catalog = catalog
        self._limits = limits
        self._slots = threading.BoundedSemaphore(limits.pool_size)
        try:
            self._client = _client(url, limits)
            #: The database, read and written with the contract's guarantees.
            self.database: Database[BSON] = self._client.get_default_database(DEFAULT_DATABASE).with_options(
                CODEC, ReadPreference.PRIMARY, DURABLE, SNAPSHOT
            )
        except (PyMongoError, ValueError, TypeError) as error:
            raise Unavailable("The database's URL or its options are not valid.") from error
        self._collections: dict[str, Collection[BSON]] = {}
        #: When a server was last looked for in vain.
        self._missed = -math.inf
        self._search = threading.Lock()
        #: Commands are made each on its own.
        self.session: ClientSession | None = None

    def collection(self, name: str) -> Collection[BSON]:
        """A collection of the database; making one anew takes as long as reading a record's values."""
        try:
            return self._collections[name]
        except KeyError:
            return self._collections.setdefault(name, self.database[name])

    def run(self, work: Callable[[], T], resource: Resource | None = None, *, patient: bool = False) -> T:
        """What `work` gives, within the limits; errors are the port's. `resource` is the one that is written.

        Patient work may take as long as a transaction, and bounds each of its commands with `bounded`.
        """
        self._take()
        try:
            self._connect()
            with pymongo.timeout(self._limits.transaction_timeout) if patient else self.bounded():
                return _retried(work)
        except DRIVER_ERRORS as error:
            self._note(error)
            raise translate(error, self._catalog, resource) from error
        finally:
            self._slots.release()

    def bounded(self) -> AbstractContextManager[None]:
        """Bounds what the driver does by the statement timeout."""
        return pymongo.timeout(self._limits.statement_timeout or None)

    def transact(self, work: Callable[[Attempt], T]) -> T:
        """What `work` gives, in a transaction: all of its writes or none. For use within `run`."""
        with self._client.start_session() as session:
            return tried(session, work)

    def transaction(self, work: Callable[[Transaction], T], name: str | None) -> T:
        """What `work` gives, in a transaction that holds the name; what it raises passes unchanged."""
        deadline = time.monotonic() + self._limits.transaction_timeout

        def attempt(attempt: Attempt) -> Outcome[T]:
            transaction = Transaction(self, attempt, self._catalog, self._limits, deadline)
            if name is not None:
                transaction.hold(name)
            return transaction.outcome(work)

        return self.run(lambda: self.transact(attempt), patient=True).get()

    @contextmanager
    def snapshot(self) -> Iterator[ClientSession]:
        """A session whose reads are all of one moment, that of the first."""
        with self._client.start_session(snapshot=True) as session:
            yield session

    def _take(self) -> None:
        """Take the right to one connection. The driver's own queue would wait until the statement's deadline."""
        if not self._slots.acquire(timeout=self._limits.pool_timeout):
            raise PoolExhausted

    def _connect(self) -> None:
        """Wait for a primary, where none is known: under a deadline the driver would wait until its end."""
        if self._client.topology_description.has_writable_server():
            return
        if time.monotonic() - self._missed >= _FRESH_SECONDS:
            self._await_primary(self._limits.connect_timeout)
        elif not self._search.acquire(blocking=False):
            raise Unavailable
        else:
            try:
                self._await_primary(min(_BRIEF_SECONDS, self._limits.connect_timeout))
            finally:
                self._search.release()

    def _await_primary(self, seconds: float) -> None:
        with pymongo.timeout(seconds):
            self._client.admin.command("ping")

    def _note(self, error: Exception) -> None:
        if isinstance(error, ServerSelectionTimeoutError):
            self._missed = time.monotonic()

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """The right to a connection, and the port's errors, for as long as a stream lives.

        The socket's timeout bounds each batch: a deadline of the driver's would become the whole cursor's.
        """
        self._take()
        try:
            self._connect()
            yield
        except DRIVER_ERRORS as error:
            self._note(error)
            raise translate(error, self._catalog) from error
        finally:
            self._slots.release()

    def kill(self, collection: str, cursor: int | None) -> None:
        """Let the server drop a cursor whose connection has failed, if it can be reached."""
        with suppress(PyMongoError), pymongo.timeout(self._limits.connect_timeout):
            self.database.command("killCursors", collection, cursors=[cursor or 0])

    def ping(self) -> None:
        """Ask the server for a sign of life, and for what transactions need."""
        hello = self.run(lambda: self._client.admin.command("hello"))
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise SchemaMismatch(
                "This MongoDB is not a replica set, so it has no transactions.",
                hint="Start mongod with --replSet and run rs.initiate() once; a set of one member will do.",
            )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()


def _retried(work: Callable[[], T]) -> T:
    """What `work` gives. A snapshot that cannot be had while the schema changes is waited for."""
    while True:
        try:
            return work()
        except OperationFailure as error:
            if error.code != SNAPSHOT_UNAVAILABLE:
                raise
        time.sleep(_RETRY_SECONDS * random.random())  # noqa: S311 - jitter


def _client(url: str, limits: Limits) -> MongoClient[BSON]:
    return MongoClient(
        url,
        connect=False,
        appname="diglot",
        maxPoolSize=limits.pool_size,
        waitQueueTimeoutMS=_milliseconds(limits.pool_timeout),
        connectTimeoutMS=_milliseconds(limits.connect_timeout),
        serverSelectionTimeoutMS=_milliseconds(limits.connect_timeout),
        socketTimeoutMS=_milliseconds(limits.statement_timeout) if limits.statement_timeout else None,
    )


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))

"""The way to the server: one client, its pool, deadlines, transactions, and driver errors made the port's own."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import pymongo
from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from repositories.base import Limits
from repositories.errors import Conflict, PoolExhausted, SchemaMismatch, Unavailable
from repositories.mongo.documents import BSON, CODEC
from repositories.mongo.errors import DRIVER_ERRORS, SNAPSHOT_UNAVAILABLE, translate
from repositories.schema import Catalog, Resource

T = TypeVar("T")

DEFAULT_DATABASE = "diglot"
#: Majority-committed, and of one moment even where a find yields; it costs what `majority` costs.
SNAPSHOT = ReadConcern("snapshot")
DURABLE = WriteConcern(w="majority", j=True)

_RETRY_SECONDS = 0.01


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

    def collection(self, name: str) -> Collection[BSON]:
        """A collection of the database; making one anew takes as long as reading a record's values."""
        try:
            return self._collections[name]
        except KeyError:
            return self._collections.setdefault(name, self.database[name])

    def run(self, work: Callable[[], T], resource: Resource | None = None) -> T:
        """What `work` gives, within the limits; errors are the port's. `resource` is the one that is written."""
        self._take()
        try:
            self._connect()
            with pymongo.timeout(self._limits.statement_timeout or None):
                return _retried(work)
        except DRIVER_ERRORS as error:
            raise translate(error, self._catalog, resource) from error
        finally:
            self._slots.release()

    def transact(self, work: Callable[[ClientSession], T]) -> T:
        """What `work` gives, in a transaction: all of its writes or none. For use within `run`.

        `work` is run again after a conflict with others, until the deadline; a commit whose outcome is unknown is
        sent again as a commit only.
        """
        conflicted = False

        def attempt(session: ClientSession) -> T:
            nonlocal conflicted
            try:
                return work(session)
            except OperationFailure as error:
                conflicted = conflicted or error.has_error_label("TransientTransactionError")
                raise

        with self._client.start_session() as session:
            try:
                return session.with_transaction(attempt, SNAPSHOT, DURABLE, ReadPreference.PRIMARY)
            except PyMongoError as error:
                # Others were in the way until time ran out; but not while the commit was on its way.
                if conflicted and error.timeout and not error.has_error_label("UnknownTransactionCommitResult"):
                    raise Conflict from error
                raise

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
        if not self._client.topology_description.has_writable_server():
            with pymongo.timeout(self._limits.connect_timeout):
                self._client.admin.command("ping")

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

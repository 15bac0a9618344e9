"""Transactions: tried until their deadline, the commands made inside of one, and the names they hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import pymongo
from pymongo import ReadPreference
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from repositories.base import Limits
from repositories.errors import Conflict, NameTaken, RepositoryError
from repositories.mongo.documents import BSON
from repositories.mongo.errors import DRIVER_ERRORS, DUPLICATE_KEY, WRITE_CONFLICT, translate
from repositories.schema import Catalog, Resource

T = TypeVar("T")

#: The collection whose documents are the names, for as long as a transaction that is not committed has them.
NAMES = "_diglot_names"

#: Majority-committed, and of one moment even where a find yields; it costs what `majority` costs.
SNAPSHOT = ReadConcern("snapshot")
DURABLE = WriteConcern(w="majority", j=True)

_TRANSIENT = "TransientTransactionError"
_UNKNOWN_COMMIT = "UnknownTransactionCommitResult"
#: How much later than its deadline a transaction that is given up may answer, where the server cannot be reached. After
#: a connection has broken, the driver may take more than half a second to find it again.
_ABORT_SECONDS = 3.0


class Again(PyMongoError):
    """An attempt has seen that it must be made again: with a later snapshot, or with care."""

    def __init__(self, *, careful: bool = False) -> None:
        super().__init__(error_labels=[_TRANSIENT])
        self.careful = careful


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a transaction. A careful one finds out which rule is broken before the server does."""

    session: ClientSession
    careful: bool = False
    #: Other writers have been in the way of an earlier one.
    conflicted: bool = False


class Scope(Protocol):
    """Where commands are made: each on its own (a connection), or all in one transaction."""

    @property
    def session(self) -> ClientSession | None:
        """The transaction's, if there is one."""

    def collection(self, name: str) -> Collection[BSON]:
        """A collection of the database."""

    def run(self, work: Callable[[], T], resource: Resource | None = None, *, patient: bool = False) -> T:
        """What `work` gives, within the limits; errors are the port's. `resource` is the one that is written.

        Patient work may take as long as a transaction, and bounds each of its commands with `bounded`.
        """

    def bounded(self) -> AbstractContextManager[None]:
        """Bounds a command of patient work by the statement timeout."""

    def transact(self, work: Callable[[Attempt], T]) -> T:
        """What `work` gives, in a transaction, perhaps the one that there is. For use within `run`."""


def tried(session: ClientSession, work: Callable[[Attempt], T]) -> T:
    """What `work` gives, in a transaction: all of its writes or none. For use under a deadline of the driver's.

    `work` is run again after a conflict with others, until the deadline; a commit whose outcome is unknown is sent
    again as a commit only, and what it leaves undone is undone.
    """
    conflicted = careful = False

    def attempt(session: ClientSession) -> T:
        nonlocal conflicted, careful
        try:
            return work(Attempt(session, careful, conflicted))
        except BaseException as error:
            conflicted = conflicted or is_transient(error)
            careful = careful or (isinstance(error, Again) and error.careful)
            abort(session)
            raise

    try:
        return session.with_transaction(attempt, SNAPSHOT, DURABLE, ReadPreference.PRIMARY)
    except PyMongoError as error:
        if error.has_error_label(_UNKNOWN_COMMIT):
            kill(session)
        # Others were in the way until time ran out; but not while the commit was on its way.
        if conflicted and error.timeout and not error.has_error_label(_UNKNOWN_COMMIT):
            raise Conflict from error
        raise


def is_transient(error: BaseException) -> bool:
    """The server has undone the transaction, which may be tried again."""
    return isinstance(error, (OperationFailure, Again)) and error.has_error_label(_TRANSIENT)


def abort(session: ClientSession) -> None:
    """Undo the transaction, also where its own deadline has passed: the server would keep its locks for a minute."""
    if session.in_transaction:
        _beyond_the_deadline(session.abort_transaction)


def kill(session: ClientSession) -> None:
    """Undo the transaction whose commit may not have reached the server; a commit that has is left as it is.

    The driver undoes nothing once it has begun to commit, even if no time was left to send it. A server that does not
    let us (some hosted ones do not) ends it when it is a minute old.
    """
    client, session_id = session.client, session.session_id
    with suppress(PyMongoError):
        _beyond_the_deadline(lambda: client.admin.command("killSessions", [session_id]))


def _beyond_the_deadline(work: Callable[[], object]) -> None:
    def bounded() -> None:
        with pymongo.timeout(_ABORT_SECONDS):
            work()

    Context().run(bounded)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What the caller's work has come to in an attempt that is not to be repeated."""

    results: tuple[T, ...]
    error: BaseException | None = None

    def get(self) -> T:
        """What the work has given, or what it has raised."""
        if self.error is not None:
            raise self.error
        return self.results[0]


class Transaction:
    """An attempt of a transaction that the port's caller works in."""

    def __init__(self, connection: Scope, attempt: Attempt, catalog: Catalog, limits: Limits, deadline: float) -> None:
        self._connection = connection
        self._attempt = attempt
        self._deadline = deadline
        self._catalog = catalog
        self._limits = limits
        self.session = attempt.session
        #: What has ended the transaction: a port error, or a driver's error after which it is tried again.
        self.failure: BaseException | None = None

    def collection(self, name: str) -> Collection[BSON]:
        """A collection of the database."""
        return self._connection.collection(name)

    def run(self, work: Callable[[], T], resource: Resource | None = None, *, patient: bool = False) -> T:
        """As `Scope` says; but the errors that let the transaction be tried again are the driver's."""
        if self.failure is not None:
            raise self.failure
        try:
            if patient:
                return work()
            with self.bounded():
                return work()
        except DRIVER_ERRORS as error:
            if _may_be_tried_again(error):
                self.failure = error
                raise
            self.failure = self._translated(error, resource)
            raise self.failure from error
        except BaseException as error:
            self.failure = error
            raise

    def _translated(self, error: Exception, resource: Resource | None) -> RepositoryError:
        failure = translate(error, self._catalog, resource)
        is_over = time.monotonic() >= self._deadline
        return Conflict() if is_over and self._attempt.conflicted else failure

    def bounded(self) -> AbstractContextManager[None]:
        """As `Scope` says. Without a statement timeout, the transaction's own deadline holds."""
        return pymongo.timeout(self._limits.statement_timeout or self._limits.transaction_timeout)

    def transact(self, work: Callable[[Attempt], T]) -> T:
        """What `work` gives, in this transaction."""
        return work(self._attempt)

    def outcome(self, work: Callable[[Transaction], T]) -> Outcome[T]:
        """Let the work be done. What it raises is kept apart from the errors of the driver; the writes are undone."""
        try:
            outcome = Outcome((work(self),), self.failure)
        except BaseException as error:  # noqa: BLE001 - `Outcome.get` raises it
            outcome = Outcome((), error)
        if isinstance(self.failure, PyMongoError):
            raise self.failure
        if outcome.error is not None:
            abort(self.session)
        return outcome

    @contextmanager
    def snapshot(self) -> Iterator[ClientSession]:
        """The session, whose reads are all of one moment."""
        yield self.session

    def hold(self, name: str) -> None:
        """Hold the name until the transaction's end, or raise `NameTaken`.

        Another transaction that has written the same document, and has not ended, is a conflict at once; nothing is
        left of the document when it has.
        """
        names = self.collection(NAMES)
        try:
            names.insert_one({"_id": name}, session=self.session)
            names.delete_one({"_id": name}, session=self.session)
        except OperationFailure as error:
            if error.code in (WRITE_CONFLICT, DUPLICATE_KEY):
                raise NameTaken from error
            raise


def _may_be_tried_again(error: Exception) -> bool:
    """Not where the command's own time is up: the driver calls that transient, too."""
    return isinstance(error, PyMongoError) and error.has_error_label(_TRANSIENT) and not error.timeout

"""Inserts of several threads in one transaction: as many as have come while another one was being made.

A transaction takes four round trips and a flush of the journal, however many records it inserts. So one thread leads:
it inserts its record and those of all who wait; while that is being committed, the one that has waited longest leads
the next. That one's deadline is the first of all of them, so nobody waits longer than their own. What fails together
is done by each alone: an error is found out, and given, where it belongs.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bson.errors import BSONError
from pymongo.errors import BulkWriteError, DocumentTooLarge, NetworkTimeout, OperationFailure

from repositories.errors import RepositoryError
from repositories.mongo.documents import BSON
from repositories.mongo.errors import VALUE_ERRORS
from repositories.mongo.store import Store
from repositories.mongo.transactions import Attempt
from repositories.schema import Resource

#: Records of one transaction at the most.
_MOST = 64
#: Transactions at a time: one that is being made, while the others are being committed.
_AT_ONCE = 4
#: Others may be in the way of one of the records for long: the rest are not to wait for that.
_ATTEMPTS = 3


class _Apart(Exception):
    """Others have been in the way."""


#: What one of the records may be to blame for, or the time that the oldest has waited.
_OF_ONE = (RepositoryError, OperationFailure, DocumentTooLarge, BSONError, *VALUE_ERRORS, NetworkTimeout, _Apart)
#: Inserts the documents, all or none; whether it has, where that is certain. It calls back when it begins to commit.
Together = Callable[[list[BSON], Callable[[], None]], bool]


@dataclass(slots=True, eq=False)
class _Place:
    """A thread that waits: to be told the outcome, or to lead."""

    document: BSON
    called: threading.Event = field(default_factory=threading.Event)
    inserted: bool | None = None
    error: BaseException | None = None


class Joint:
    """What the threads of a process insert into one resource."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Place] = deque()
        #: Somebody leads, or has been called to: makes a transaction that is not being committed yet.
        self._is_led = False
        #: Transactions that have begun and not ended.
        self._under_way = 0

    def insert(self, document: BSON, together: Together) -> bool:
        """Insert the document along with those of others; False where nothing was written, and it is to go alone."""
        own = _Place(document)
        with self._lock:
            self._waiting.append(own)
            self._call_next()
        self._wait(own)
        if own.inserted is None and own.error is None:
            self._lead(together)
        if own.error is not None:
            raise own.error
        return bool(own.inserted)

    def _wait(self, own: _Place) -> None:
        try:
            own.called.wait()
        except BaseException:  # an interruption; the lead, if it was called to it, goes to the next
            with self._lock:
                if own in self._waiting:
                    self._waiting.remove(own)
                    if own.called.is_set():
                        self._is_led = False
                    self._call_next()
            raise

    def _lead(self, together: Together) -> None:
        with self._lock:
            led = [self._waiting.popleft() for _ in range(min(_MOST, len(self._waiting)))]
            self._under_way += 1
        passed_on = False

        def committing() -> None:
            nonlocal passed_on
            with self._lock:
                if not passed_on:
                    passed_on, self._is_led = True, False
                    self._call_next()

        inserted, error = False, None
        try:
            inserted = together([place.document for place in led], committing)
        except BaseException as raised:  # noqa: BLE001 - raised by everyone whose record may be there, or not
            error = raised
        with self._lock:
            self._under_way -= 1
            if not passed_on:
                self._is_led = False
            self._call_next()
        for place in led:
            place.inserted, place.error = inserted, error
            place.called.set()

    def _call_next(self) -> None:
        """Let the one that has waited longest lead, if it may."""
        if self._waiting and not self._is_led and self._under_way < _AT_ONCE:
            self._is_led = True
            self._waiting[0].called.set()


def together(store: Store, resource: Resource) -> Together:
    """What inserts documents of the resource in one transaction, for `Joint`."""

    def insert(documents: list[BSON], committing: Callable[[], None]) -> bool:
        attempts = 0
        complete = False

        def work(attempt: Attempt) -> None:
            nonlocal attempts, complete
            attempts, complete = attempts + 1, False
            if attempts > _ATTEMPTS:
                raise _Apart
            references = store.references(attempt.session)
            references.written(resource, documents)
            references.lock()
            store.records(resource).insert_many(documents, session=attempt.session)
            references.check()
            complete = True
            committing()

        try:
            store.scope.transact(work)
        except _OF_ONE as error:
            # The commit has failed, and may have come about; or it is clear whose the error is, and which.
            if complete or (len(documents) == 1 and not isinstance(error, (BulkWriteError, _Apart))):
                raise
            return False
        return True

    return insert

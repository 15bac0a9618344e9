"""Inserts: one document by itself, several in a transaction, many by batches in one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from pymongo.errors import DuplicateKeyError

from repositories.base import Document
from repositories.errors import ConstraintError
from repositories.mongo.blame import is_ambiguous, named
from repositories.mongo.documents import BSON
from repositories.mongo.joining import Joint, together
from repositories.mongo.keys import in_batches
from repositories.mongo.references import References, refers
from repositories.mongo.sequences import Taken
from repositories.mongo.store import Store, key_of
from repositories.mongo.transactions import Attempt
from repositories.query import Row
from repositories.schema import Resource
from repositories.writes import Insert

#: Rows that are sent, and their references looked up, at a time. More than these are many.
BATCH = 5000


class RowsFailed(Exception):
    """The iterable of rows has raised an error of its own."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class Step(Protocol):
    """What writes a batch of documents; it may remember those of earlier batches."""

    def __call__(
        self, attempt: Attempt, references: References, documents: list[BSON], first: int
    ) -> tuple[list[BSON], bool]:
        """The documents written, which may be fewer, and whether one is new; `first` is the first one's row."""


def is_many(write: Insert) -> bool:
    """The rows are sent in batches, and may take as long as a transaction."""
    return not isinstance(write.rows, Sequence) or len(write.rows) > BATCH


def insert(store: Store, write: Insert, joint: Joint) -> Document:
    """Insert the rows, without regard to conflicts; a single one by way of the resource's `joint`."""
    resource = write.resource
    if is_many(write):
        return in_transaction(store, write, None, lambda: _Insertion(store, resource))
    assert isinstance(write.rows, Sequence)
    documents = store.documents(resource, write.fields, write.rows)
    if not documents:
        return store.answer(resource, write.returning, [])
    if len(documents) > 1 or store.scope.session is not None or not _insert_one(store, resource, documents[0], joint):
        return in_transaction(store, write, documents, lambda: _Insertion(store, resource))
    return store.answer(resource, write.returning, documents, key_of(resource, documents[0]), created=True)


def _insert_one(store: Store, resource: Resource, document: BSON, joint: Joint) -> bool:
    """Insert a document in the cheapest way; False where nothing was written, and it takes a transaction."""
    if refers(resource, document):
        return insert_jointly(store, resource, document, joint)
    try:
        store.records(resource).insert_one(document)
    except DuplicateKeyError:
        if not is_ambiguous(resource, resource.fields):
            raise
        return False
    return True


def insert_jointly(store: Store, resource: Resource, document: BSON, joint: Joint) -> bool:
    """Insert a document along with those of others; False where nothing was written, and it is to go alone."""
    # Two that refer to each other must not get in because they have come together.
    refers_to_itself = any(reference.target == resource.name for reference in resource.references)
    return not refers_to_itself and joint.insert(document, together(store, resource))


def in_transaction(store: Store, write: Insert, documents: list[BSON] | None, begin: Callable[[], Step]) -> Document:
    """Write the documents, or (None) those of many rows in batches, in each attempt anew, by a step that begins anew.

    What is wrong with the rows themselves goes before what the store finds wrong with those in front of them.
    """
    resource = write.resource
    taken = Taken(store.sequences)

    def work(attempt: Attempt) -> Document:
        taken.begin()
        references, step = store.references(attempt.session), begin()
        bodies, last = [], []
        given = count = 0
        is_new = False
        for batch in _batches(replace(store, sequences=taken), write) if documents is None else [documents]:
            with store.scope.bounded():
                written, created = step(attempt, references, batch, given)
                references.settle()
            given += len(batch)
            count += len(written)
            is_new |= created
            last = written
            if written and write.returning:
                bodies.append(store.body(resource, write.returning, written)[1:-1])
        with store.scope.bounded():
            references.check()
        key = key_of(resource, last[0]) if given == count == 1 else None
        body = b"[" + b",".join(bodies) + b"]" if write.returning else b""
        return Document(body, count, key=key, created=is_new)

    try:
        return store.scope.transact(work)
    except ConstraintError:
        if documents is None and not isinstance(write.rows, Sequence):
            for _ in _walked(write.rows):
                pass
        raise


def _batches(store: Store, write: Insert) -> Iterator[list[BSON]]:
    """The documents of many rows, in batches, which are made as they are asked for."""
    return (store.documents(write.resource, write.fields, rows) for rows in _walked(write.rows))


def _walked(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in batches; an error of the iterable is told apart from the store's."""
    batches = in_batches(rows, BATCH)
    while True:
        try:
            batch = next(batches, None)
        except BaseException as error:
            raise RowsFailed(error) from error
        if batch is None:
            return
        yield batch


class _Insertion:
    """Inserts every document."""

    def __init__(self, store: Store, resource: Resource) -> None:
        self._store = store
        self._resource = resource

    def __call__(
        self, attempt: Attempt, references: References, documents: list[BSON], first: int
    ) -> tuple[list[BSON], bool]:
        rows = range(first, first + len(documents))
        references.written(self._resource, documents, rows=rows)
        references.lock()
        self._store.with_care(attempt, self._resource, documents, rows=rows)
        with named(attempt, self._store.catalog, self._resource, rows):
            self._store.records(self._resource).insert_many(documents, session=attempt.session)
        return documents, True

"""The MongoDB store behind the port."""

# ruff: noqa: D102 - the port documents these methods

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from typing import ClassVar, TypeVar

from repositories.base import Change, Document, Executor, Explanation, Indexing, Limits, Repository, Rows
from repositories.mongo.connection import Connection
from repositories.mongo.migrations import Migrations
from repositories.mongo.reading import Reader
from repositories.mongo.sequences import Sequences, Taken
from repositories.mongo.transactions import Transaction
from repositories.mongo.trials import trial
from repositories.mongo.writing import Writer
from repositories.query import Read, Row
from repositories.schema import Catalog, Index, Resource
from repositories.writes import Write

T = TypeVar("T")


class MongoRepository(Repository):
    """A database of a MongoDB replica set. Making one does not connect; each worker process makes its own."""

    backend: ClassVar[str] = "mongodb"
    indexing: ClassVar[Indexing] = Indexing(incremental=False, nulls_high=False, ends_with_key=True, key_index="_id_")

    def __init__(self, url: str, catalog: Catalog, limits: Limits) -> None:
        super().__init__(catalog, limits)
        self._connection = Connection(url, catalog, limits)
        self._sequences = Sequences(self._connection)
        self._reader = Reader(self._connection)
        self._writer = Writer(self._connection, catalog, self._sequences)
        self._url = url

    def rows(self, read: Read) -> Rows:
        return self._reader.rows(read)

    def json(self, read: Read) -> Document:
        return self._reader.json(read)

    def stream(self, read: Read, batch: int = 1000) -> AbstractContextManager[Iterator[Sequence[Row]]]:
        return self._reader.stream(read, batch)

    def lines(self, read: Read, batch: int = 1000) -> AbstractContextManager[Iterator[bytes]]:
        return self._reader.lines(read, batch)

    def explain(self, read: Read, *, analyze: bool = False, verbose: bool = False) -> Explanation:
        return self._reader.explain(read, analyze=analyze, verbose=verbose)

    def try_index(self, resource: Resource, index: Index, reads: Sequence[Read]) -> list[Explanation]:
        with self._patient() as patient, trial(patient, resource, index):
            reader = Reader(patient)
            return [reader.explain(read, analyze=True, verbose=False) for read in reads]

    def write(self, write: Write) -> Document:
        return self._writer.write(write)

    def transact(self, work: Callable[[Executor], T], *, name: str | None = None) -> T:
        taken = Taken(self._sequences)

        def within(transaction: Transaction) -> T:
            taken.begin()
            return work(TransactionExecutor(self._reader.within(transaction), self._writer.within(transaction, taken)))

        return self._connection.transaction(within, name)

    def advance_sequences(self, resource: Resource) -> None:
        self._connection.run(lambda: self._sequences.advance(resource))

    def schema_changes(self) -> list[Change]:
        return Migrations(self._connection, self.catalog).changes()

    def apply_schema(self, destructive: bool = False) -> list[Change]:
        with self._patient() as patient:
            return Migrations(patient, self.catalog).apply(destructive=destructive)

    def _patient(self) -> AbstractContextManager[Connection]:
        """A connection for building indexes, which takes as long as it takes."""
        return closing(Connection(self._url, self.catalog, replace(self.limits, statement_timeout=0)))

    def ping(self) -> None:
        self._connection.ping()

    def close(self) -> None:
        self._connection.close()


class TransactionExecutor(Executor):
    """Carries queries out in one transaction."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def rows(self, read: Read) -> Rows:
        return self._reader.rows(read)

    def json(self, read: Read) -> Document:
        return self._reader.json(read)

    def write(self, write: Write) -> Document:
        return self._writer.write(write)

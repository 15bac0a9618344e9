"""The port as the contract tests speak to it: records as dictionaries, and each answer checked in both of its forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from repositories.base import Document, Executor, Repository
from repositories.encoding import outputs_encoder
from repositories.errors import RepositoryError
from repositories.query import Read, Row
from repositories.schema import Catalog, Value
from repositories.writes import Expectation, Write
from tests.contract import queries
from tests.contract.queries import Filter
from tests.stores import Store

Record = dict[str, Value]
T = TypeVar("T")


class Desk:
    """Where calls are made: a repository, or a transaction. Short words for what the tests do most."""

    def __init__(self, executor: Executor, catalog: Catalog) -> None:
        self.executor = executor
        self.catalog = catalog

    def read(self, name: str, where: Filter | None = None, columns: Sequence[str] | None = None) -> list[Row]:
        """The rows, checked against their JSON."""
        read = queries.read(self.catalog, name, where=where, columns=columns, count=True)
        page, document = self.executor.rows(read), self.executor.json(read)
        assert document.body == outputs_encoder(read.selection.outputs, ())(page.rows)
        assert page.total == document.total == len(page.rows)
        return page.rows

    def write(self, write: Write) -> Document:
        return self.executor.write(write)

    def insert(self, name: str, *rows: Mapping[str, Value], **options: Any) -> Document:
        return self.write(queries.insert(self.catalog, name, *rows, **options))

    def replace(self, name: str, row: Mapping[str, Value], **options: Any) -> Document:
        return self.write(queries.replace(self.catalog, name, row, **options))

    def update(self, name: str, changes: Mapping[str, Value], where: Filter | None = None, **options: Any) -> Document:
        return self.write(queries.update(self.catalog, name, changes, where, **options))

    def delete(self, name: str, where: Filter | None = None, **options: Any) -> Document:
        return self.write(queries.delete(self.catalog, name, where, **options))

    def expectation(self, name: str, *tags: str, present: bool = True) -> Expectation:
        return queries.expectation(self.catalog, name, *tags, present=present)


class Port(Desk):
    """A store's repository, each of whose answers is checked in all of its forms."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.repository, store.repository.catalog)
        self.store = store
        self.repository: Repository = store.repository

    def transact(self, work: Callable[[Desk], T], *, name: str | None = None) -> T:
        return self.repository.transact(lambda executor: work(Desk(executor, self.catalog)), name=name)

    def find(
        self,
        name: str,
        where: Filter | None = None,
        columns: Sequence[str] | None = None,
        order: str = "",
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Record]:
        """The records as dictionaries; `rows`, `json` and `stream` have given the same."""
        read = queries.read(
            self.catalog, name, where=where, columns=columns, order=order, limit=limit, offset=offset, count=True
        )
        return [dict(zip(columns or self.catalog[name].fields, row, strict=True)) for row in self.rows(read)]

    def rows(self, read: Read) -> list[tuple[Value, ...]]:
        """The rows of a read with `count`, checked against its other forms."""
        page = self.repository.rows(read)
        document = self.repository.json(read)
        encode = outputs_encoder(read.selection.outputs, read.selection.embeds)
        assert document.body == encode(page.rows)
        assert (document.count, document.total) == (len(page.rows), page.total)
        with self.repository.stream(read, batch=2) as batches:
            assert [row for batch in batches for row in batch] == page.rows
        with self.repository.lines(read, batch=2) as chunks:
            lines = b"".join(chunks).splitlines()
        assert b"[" + b",".join(lines) + b"]" == document.body
        return page.rows

    def column(self, name: str, column: str, where: Filter | None = None, order: str = "") -> list[Value]:
        return [record[column] for record in self.find(name, where, [column], order)]

    def count(self, name: str, where: Filter | None = None) -> int:
        page = self.repository.rows(queries.read(self.catalog, name, where=where, limit=0, count=True))
        assert page.rows == []
        assert page.total is not None
        return page.total

    def refused(self, write: Write) -> RepositoryError:
        """The error that the write ends in; nothing that is stored has changed."""
        before = self.everything()
        try:
            self.repository.write(write)
        except RepositoryError as error:
            assert self.everything() == before
            return error
        raise AssertionError("the write was accepted")

    def everything(self) -> dict[str, bytes]:
        return {each.name: self.repository.json(queries.read(self.catalog, each.name)).body for each in self.catalog}


def transact(repository: Repository, work: Callable[[Desk], T]) -> T:
    """The work at a desk of its own, in a transaction of this repository."""
    return repository.transact(lambda executor: work(Desk(executor, repository.catalog)))


def told(error: RepositoryError) -> tuple[str, str | None, tuple[str, ...], int | None]:
    """What an error says to a program; its texts are compared apart."""
    return error.code, error.resource, error.fields, error.row


def decoded(document: Document) -> Any:
    return json.loads(document.body)

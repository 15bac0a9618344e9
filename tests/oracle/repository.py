"""The oracle: the port over lists of dicts. A write works on a copy, which takes the old state's place at the end."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from repositories.base import Change, Document, Explanation, Limits, Repository, Rows, representation_tag
from repositories.encoding import outputs_encoder
from repositories.errors import PreconditionFailed, QueryRefused, ValueOutOfRange
from repositories.query import Column, Output, Read, Row
from repositories.schema import Catalog, Field, Generated, Kind, Resource
from repositories.writes import Delete, Expectation, Insert, Replace, Update, Write
from tests.oracle.columns import Record, column_value
from tests.oracle.logic import truth
from tests.oracle.rules import State, Written, check, key_of, remove
from tests.oracle.selections import Reader, ordered

LARGEST = {Kind.INT32: 2**31 - 1, Kind.INT64: 2**63 - 1}


class OracleRepository(Repository):
    """The store that has only what the contract says."""

    backend: ClassVar[str] = "oracle"

    def __init__(self, catalog: Catalog, limits: Limits | None = None) -> None:
        super().__init__(catalog, limits or Limits())
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """As new: no records, and every sequence at its start."""
        self.state: State = {resource.name: [] for resource in self.catalog}
        self._numbers: dict[Field, int] = {}

    def rows(self, read: Read) -> Rows:
        with self._lock:
            reader = Reader(self.state, read.values)
            listed = reader.listed(read.selection)
            page = copy.deepcopy(reader.page(read.selection, listed))
        return Rows(page, len(listed) if read.count else None)

    def json(self, read: Read) -> Document:
        page = self.rows(read)
        encode = outputs_encoder(read.selection.outputs, read.selection.embeds)
        return Document(encode(page.rows), len(page.rows), page.total)

    @contextmanager
    def stream(self, read: Read, batch: int = 1000) -> Iterator[Iterator[Sequence[Row]]]:
        rows = self.rows(read).rows
        yield (rows[start : start + batch] for start in range(0, len(rows), batch))

    @contextmanager
    def lines(self, read: Read, batch: int = 1000) -> Iterator[Iterator[bytes]]:
        rows = self.rows(read).rows
        encode = outputs_encoder(read.selection.outputs, read.selection.embeds)
        yield (encode([row])[1:-1] + b"\n" for row in rows)

    def explain(self, read: Read, *, analyze: bool = False, verbose: bool = False) -> Explanation:
        raise QueryRefused("The oracle has no plan to show.")

    def write(self, write: Write) -> Document:
        with self._lock:
            state = copy.deepcopy(self.state)
            match write:
                case Insert():
                    document = self._insert(state, write)
                case Replace():
                    document = self._replace(state, write)
                case Update():
                    document = self._update(state, write)
                case Delete():
                    document = self._delete(state, write)
            self.state = state
            return document

    def _insert(self, state: State, write: Insert) -> Document:
        records = []
        for row in write.rows:
            record = self._new(write.resource, dict(zip(write.fields, row, strict=True)))
            records.append(record)
        state[write.resource.name].extend(records)
        written = [Written(record, row=index) for index, record in enumerate(records)]
        check(self.catalog, state, write.resource, written)
        key = key_of(records[0], write.resource.primary_key) if len(records) == 1 else None
        return Document(_body(records, write.returning), len(records), key=key, created=True)

    def _replace(self, state: State, write: Replace) -> Document:
        resource = write.resource
        given = dict(zip(write.fields, write.row, strict=True))
        key = tuple(given[field] for field in resource.key)
        found = [record for record in state[resource.name] if key_of(record, resource.primary_key) == key]
        _check_expectation(write.expect, found)
        if found:
            written = Written(found[0], before=dict(found[0]))
            found[0].update({field.name: value for field, value in given.items()})
        elif write.create:
            written = Written(self._new(resource, {**dict(write.initial), **given}))
            state[resource.name].append(written.record)
        else:
            return Document(_body([], write.returning), 0)
        check(self.catalog, state, resource, [written])
        return Document(_body([written.record], write.returning), 1, key=key, created=not found)

    def _update(self, state: State, write: Update) -> Document:
        met = [record for record in state[write.resource.name] if truth(write.where, record, write.values)]
        _check_expectation(write.expect, met)
        written = [Written(record, before=dict(record)) for record in met]
        for record in met:
            record.update({field.name: write.values[value.index] for field, value in write.changes})
        check(self.catalog, state, write.resource, written)
        return Document(_body(ordered(met, write.order), write.returning), len(met))

    def _delete(self, state: State, write: Delete) -> Document:
        met = [record for record in state[write.resource.name] if truth(write.where, record, write.values)]
        _check_expectation(write.expect, met)
        body = _body(ordered(met, write.order), write.returning)
        remove(self.catalog, state, write.resource, met)
        check(self.catalog, state, write.resource, [])
        return Document(body, len(met))

    def _new(self, resource: Resource, given: dict[Field, object]) -> Record:
        """A record with every field: as given, else the sequence's next number, else null."""
        record: Record = {}
        for field in resource.fields.values():
            if field in given:
                record[field.name] = copy.deepcopy(given[field])
            elif field.generated is Generated.SEQUENCE:
                record[field.name] = self._next_number(resource, field)
            else:
                record[field.name] = None
        return record

    def _next_number(self, resource: Resource, field: Field) -> int:
        """Counted outside the state: a number that a failed write has taken is not given again."""
        number = self._numbers.get(field, 0) + 1
        if number > LARGEST[field.type.kind]:
            raise ValueOutOfRange(resource=resource.name, fields=(field.name,))
        self._numbers[field] = number
        return number

    def advance_sequences(self, resource: Resource) -> None:
        with self._lock:
            for field in resource.fields.values():
                if field.generated is Generated.SEQUENCE:
                    stored = [record[field.name] for record in self.state[resource.name]]
                    self._numbers[field] = max([self._numbers.get(field, 0), *stored])

    def schema_changes(self) -> list[Change]:
        return []

    def apply_schema(self, destructive: bool = False) -> list[Change]:
        return []

    def ping(self) -> None:
        pass

    def close(self) -> None:
        pass


def _rows(records: list[Record], outputs: tuple[Output, ...]) -> list[Row]:
    """The columns that a write answers with, copied, so that nobody outside can change the state."""
    columns = [output.expression for output in outputs]
    assert all(isinstance(column, Column) for column in columns)
    return [
        tuple(copy.deepcopy(column_value(column, record, shown=True)) for column in columns)  # type: ignore[arg-type]
        for record in records
    ]


def _body(records: list[Record], returning: tuple[Output, ...]) -> bytes:
    return outputs_encoder(returning, ())(_rows(records, returning)) if returning else b""


def _check_expectation(expect: Expectation | None, records: list[Record]) -> None:
    """The record must be there, and its JSON must have one of the tags."""
    if expect is None:
        return
    tags = {representation_tag(_body([record], expect.outputs)[1:-1]) for record in records}
    if not records or (expect.tags is not None and not tags <= expect.tags):
        raise PreconditionFailed

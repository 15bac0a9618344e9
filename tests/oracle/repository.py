"""The oracle: the port over lists of dicts. A write works on a copy, which takes the old state's place at the end."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from repositories.base import Change, Document, Limits, Repository, Rows, representation_tag
from repositories.encoding import records_encoder
from repositories.errors import PreconditionFailed, ValueOutOfRange
from repositories.query import Delete, Expectation, Insert, Output, Read, Replace, Row, Selection, Update, Values, Write
from repositories.schema import Catalog, Field, Generated, Kind, Resource
from tests.oracle.logic import Record, ordered, truth
from tests.oracle.rules import State, Written, check, key_of, remove

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
            met = _selected(self.state, read.selection, read.values)
        page = _page(met, read.selection, read.values)
        return Rows(_rows(page, read.selection.outputs), len(met) if read.count else None)

    def json(self, read: Read) -> Document:
        page = self.rows(read)
        return Document(_encoded(page.rows, read.selection.outputs), len(page.rows), page.total)

    @contextmanager
    def stream(self, read: Read, batch: int = 1000) -> Iterator[Iterator[Sequence[Row]]]:
        rows = self.rows(read).rows
        yield (rows[start : start + batch] for start in range(0, len(rows), batch))

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


def _selected(state: State, selection: Selection, values: Values) -> list[Record]:
    """Every record that meets the selection's condition, in its order, pages aside."""
    met = [record for record in state[selection.resource.name] if truth(selection.where, record, values)]
    return ordered(met, selection.order)


def _page(records: list[Record], selection: Selection, values: Values) -> list[Record]:
    start = 0 if selection.offset is None else values[selection.offset.index]
    end = None if selection.limit is None else start + values[selection.limit.index]
    return records[start:end]


def _rows(records: list[Record], outputs: tuple[Output, ...]) -> list[Row]:
    """The records' values, copied, so that nobody outside can change the state."""
    return [tuple(copy.deepcopy(record.get(output.column.field.name)) for output in outputs) for record in records]


def _encoded(rows: list[Row], outputs: tuple[Output, ...]) -> bytes:
    encode = records_encoder([output.name for output in outputs], [output.column.field.type for output in outputs])
    return encode(rows)


def _body(records: list[Record], returning: tuple[Output, ...]) -> bytes:
    return _encoded(_rows(records, returning), returning) if returning else b""


def _check_expectation(expect: Expectation | None, records: list[Record]) -> None:
    """The record must be there, and its JSON must have one of the tags."""
    if expect is None:
        return
    tags = {representation_tag(_body([record], expect.outputs)[1:-1]) for record in records}
    if not records or (expect.tags is not None and not tags <= expect.tags):
        raise PreconditionFailed

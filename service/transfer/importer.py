"""A file into a resource, in two passes: every record is checked before the first is written."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from repositories.base import Repository
from repositories.errors import RepositoryError, Unavailable
from repositories.query import Row
from repositories.schema import Field, Generated, Resource
from repositories.writes import Insert
from service.planner.records import RecordReader, read_json
from service.planner.scope import Scope
from service.transfer.formats import Malformed, Table, TransferError
from service.transfer.ordering import parents_first, refers_to_itself
from service.transfer.source import Source
from service.transfer.values import read_text

#: Records in one write, which is one transaction.
BATCH = 1000
#: How many faults are told in full; all are counted.
MAX_FAULTS = 20
#: How many records are kept from the first pass; more are read again in the second.
MAX_KEPT = 100_000
#: The same for a resource that refers to itself, whose records are put in order; more come in the file's order.
MAX_ORDERED = 1_000_000
#: How many records are checked between two reports of progress.
_STEP = 1000

Advance = Callable[[int], None]
Placed = tuple[int, Row]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a record: its place in the file, the column if it is about one, and the reason."""

    place: int
    column: str | None
    reason: str


class BadRecords(TransferError):
    """Records that break the rules of their resource. Nothing of the file has been written."""

    def __init__(self, name: str, unit: str, faults: Sequence[Fault], count: int) -> None:
        super().__init__(f"{name}: {count} fault{'s' if count > 1 else ''} found; nothing was written.")
        self.unit, self.faults, self.count = unit, faults, count


class Import:
    """One file on its way into one resource: `check` it, then `write` it."""

    def __init__(self, resource: Resource, source: Source, *, batch: int = BATCH, keep: int = MAX_KEPT) -> None:
        self.resource = resource
        self.source = source
        #: How many records the file has, once it is checked.
        self.count = 0
        self._batch = batch
        self._keep = MAX_ORDERED if refers_to_itself(resource) else keep
        self._kept: list[Placed] | None = []
        self._columns: tuple[Field, ...] = ()
        self._unit = "line"

    def check(self, advance: Advance) -> None:
        """Read the whole file. Raises `BadRecords`, or `TransferError` where the file as a whole cannot be read."""
        faults = _Faults()
        for number, placed in enumerate(self._read(faults), 1):
            if self._kept is not None:
                self._kept.append(placed)
            if number > self._keep or faults.count:
                self._kept = None
            self.count = number
            if number % _STEP == 0:
                advance(_STEP)
        advance(self.count % _STEP)
        if faults.count:
            raise BadRecords(self.source.name, self._unit, faults.first, faults.count)

    def write(self, repository: Repository, advance: Advance) -> None:
        """Insert the records, a batch in a transaction. Raises `TransferError`; then the batches before stay."""
        written = 0
        try:
            for batch in self._batches():
                self._insert(repository, batch, written)
                written += len(batch)
                advance(len(batch))
        except BaseException:
            if written:
                with suppress(RepositoryError):
                    repository.advance_sequences(self.resource)
            raise
        repository.advance_sequences(self.resource)

    def _insert(self, repository: Repository, batch: Sequence[Placed], written: int) -> None:
        try:
            repository.write(Insert(self.resource, self._columns, [row for _, row in batch]))
        except RepositoryError as error:
            if error.row is None:
                place = f"{self._unit}s {min(batch)[0]}-{max(batch)[0]}"
            else:
                place = f"{self._unit} {batch[error.row][0]}"
            outcome = f"{written:,} of {self.count:,} records had been written before"
            if isinstance(error, Unavailable):
                outcome += f"; whether the {len(batch):,} of this batch were is not known"
            reason = " ".join(filter(None, (f"{error.message}.".replace("..", "."), error.details)))
            raise TransferError(f"{self.source.name}, {place}: {reason} ({error.code}) {outcome}.") from error

    def _batches(self) -> Iterator[list[Placed]]:
        if self._kept is None:
            faults = _Faults()
            for batch in _chunks(self._read(faults), self._batch):
                if faults.count:
                    raise TransferError(f"{self.source.name}: the file has changed while it was being imported.")
                yield batch
        elif refers_to_itself(self.resource) and self.count > self._batch:
            order, circles = parents_first(self.resource, self._columns, [row for _, row in self._kept])
            yield from _chunks((self._kept[index] for index in order), self._batch)
            if circles:
                yield [self._kept[index] for index in circles]
        else:
            yield from _chunks(self._kept, self._batch)

    def _read(self, faults: _Faults) -> Iterator[Placed]:
        """The file's records as rows, faulty ones among them."""
        with self.source.table() as table:
            self._unit = table.unit
            first = list(islice(table.records, 1))
            given = self._given(table, first)
            names = {field.name for field in given}
            reader = RecordReader(Scope(self.resource), given, read_json if table.names is None else read_text)
            self._columns = reader.columns
            for place, record in chain(first, table.records):
                if isinstance(record, str):
                    faults.add(Fault(place, None, record))
                    continue
                for name in () if record.keys() <= names else record.keys() - names:
                    faults.add(Fault(place, name, self._stranger(name)))
                row = reader.row(record)
                if reader.violations:
                    for violation in reader.violations:
                        faults.add(Fault(place, violation.pointer[1:], f"{violation.message} ({violation.code})"))
                    reader.violations.clear()
                yield place, row

    def _given(self, table: Table, first: list[tuple[int, dict[str, Any] | str]]) -> list[Field]:
        """The columns: those of the header; else all, with sequences where the first record has a number for them.

        An administrator may give generated and read-only fields too, so that keys survive.
        """
        if table.names is not None:
            for name in table.names:
                if name not in self.resource.fields:
                    raise Malformed(f"line 1: {_no_column(self.resource, name)}")
            return [self.resource.fields[name] for name in table.names]
        members = first[0][1] if first else {}
        return [
            field
            for field in self.resource.fields.values()
            if field.generated is not Generated.SEQUENCE or field.name in members
        ]

    def _stranger(self, name: str) -> str:
        if name in self.resource.fields:
            return "is given here, but not in the first record"
        return _no_column(self.resource, name)


class _Faults:
    """The faults found: the first in full, the others counted."""

    def __init__(self) -> None:
        self.first: list[Fault] = []
        self.count = 0

    def add(self, fault: Fault) -> None:
        self.count += 1
        if len(self.first) < MAX_FAULTS:
            self.first.append(fault)


def _chunks(records: Iterable[Placed], size: int) -> Iterator[list[Placed]]:
    iterator = iter(records)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _no_column(resource: Resource, name: str) -> str:
    close = difflib.get_close_matches(name[:80], resource.fields, n=1)
    return f'{resource.name} has no column "{name[:80]}"' + (f', but "{close[0]}".' if close else ".")

"""The oracle: the port over lists of dicts. Every call is a transaction, and the state is swapped when it commits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, TypeVar

from repositories.base import Change, Document, Executor, Explanation, Limits, Repository, Rows
from repositories.encoding import outputs_encoder
from repositories.errors import Conflict, DeadlineExceeded, NameTaken, QueryRefused, ValueOutOfRange
from repositories.query import Read, Row
from repositories.schema import Catalog, Field, Generated, Index, Kind, Resource
from repositories.writes import Write
from tests.oracle.rules import State
from tests.oracle.transaction import OracleTransaction

LARGEST = {Kind.INT32: 2**31 - 1, Kind.INT64: 2**63 - 1}
T = TypeVar("T")


class OracleRepository(Repository):
    """The store that has only what the contract says."""

    backend: ClassVar[str] = "oracle"

    def __init__(self, catalog: Catalog, limits: Limits | None = None) -> None:
        super().__init__(catalog, limits or Limits())
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self.clear()

    def clear(self) -> None:
        """As new: no records, and every sequence at its start."""
        self.state: State = {resource.name: [] for resource in self.catalog}
        self._numbers: dict[Field, int] = {}

    def rows(self, read: Read) -> Rows:
        return self.transact(lambda executor: executor.rows(read))

    def json(self, read: Read) -> Document:
        return self.transact(lambda executor: executor.json(read))

    def write(self, write: Write) -> Document:
        return self.transact(lambda executor: executor.write(write))

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

    def try_index(self, resource: Resource, index: Index, reads: Sequence[Read]) -> list[Explanation]:
        raise QueryRefused("The oracle has no plan to show.")

    def transact(self, work: Callable[[Executor], T], *, name: str | None = None) -> T:
        """Each attempt works on the state as it finds it, and is in vain if that is not the state at its end."""
        deadline = time.monotonic() + self.limits.transaction_timeout
        with self._holding(name):
            while True:
                found = self.state
                executor = OracleTransaction(self.catalog, found, self._next_number)
                done = work(executor)
                if executor.failure is not None:
                    raise executor.failure
                late = time.monotonic() > deadline
                with self._lock:
                    in_vain = executor.wrote and self.state is not found
                    if not late and not in_vain:
                        self.state = executor.state if executor.wrote else self.state
                        return done
                if late:
                    raise Conflict if in_vain else DeadlineExceeded

    @contextmanager
    def _holding(self, name: str | None) -> Iterator[None]:
        if name is None:
            yield
            return
        with self._lock:
            if name in self._held:
                raise NameTaken
            self._held.add(name)
        try:
            yield
        finally:
            self._held.remove(name)

    def _next_number(self, resource: Resource, field: Field) -> int:
        """Counted outside the state: a number that a failed write has taken is not given again."""
        with self._lock:
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

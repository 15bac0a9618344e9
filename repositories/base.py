"""The port: the one interface behind which every store stands. These docstrings are its contract.

What holds for every method:

* **Values** cross in the Python types that `schema.Kind` names, and come back equal. A stored record that lacks a
  field reads and filters as null there.
* **Errors** are those of `repositories.errors`, and nothing else; no driver exception passes. Bad queries cannot get
  here: the planner has refused them.
* **Time**: each call ends within the timeouts the store was opened with, by `PoolExhausted` or `DeadlineExceeded` at
  the latest, and gives its connection back, whatever happens. An Insert of an iterable is a transaction in this.
* **Threads**: one repository serves many threads at once.
"""

from __future__ import annotations

import base64
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from repositories.query import Read, Row
from repositories.schema import Catalog, Index, Resource, Value
from repositories.writes import Write

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a store may take: seconds for a statement, a free connection, connecting; connections; for a transaction."""

    statement_timeout: float = 10.0
    pool_timeout: float = 5.0
    connect_timeout: float = 5.0
    pool_size: int = 8
    transaction_timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of records as values, in the order of the selection's outputs; `total` is the exact count, if asked."""

    rows: list[Row]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A page of records as finished JSON: an array in UTF-8, with the bytes that `encoding.py` describes.

    `count` is the number of records read or written (also where `body` is empty because a write returns nothing),
    `total` the exact count of a read, if asked. `key` is the primary key of the record that an Insert of one row or a
    Replace has written (None where it has written none), `created` whether an Insert or Replace has made a new record.
    """

    body: bytes
    count: int
    total: int | None = None
    key: tuple[Value, ...] | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a store answers a read: the same shape from every store, so that they can be laid side by side.

    `statement` is SQL with numbered placeholders, or the command as extended JSON; `parameters` the values of the
    placeholders as JSON (none for a command, which holds them). `plan` is the store's own plan, as JSON. `indexes` are
    the names of the indexes that the plan uses, `scans` the resources that it reads whole, `sorts` whether it sorts in
    memory. With `analyze`: `rows` of the answer, `examined` index entries and records, and the store's `milliseconds`.
    """

    backend: str
    statement: str
    parameters: list[Any]
    plan: Any
    indexes: tuple[str, ...]
    scans: tuple[str, ...]
    sorts: bool
    rows: int | None = None
    examined: int | None = None
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Indexing:
    """What a store's indexes can do for an order: the difference that makes one store need an index, and another not.

    Every store reads an index backwards, but only as a whole. `incremental`: it sorts within the runs that an index
    gives it, so that the first key of an order will do. `nulls_high`: its ascending indexes end with the nulls.
    `ends_with_key`: a declared index ends with the ascending primary key, if that is one field, of itself. `key_index`
    is the name of the primary key's index in an `Explanation`, where that is not the constraint's.
    """

    incremental: bool = True
    nulls_high: bool = True
    ends_with_key: bool = False
    key_index: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One step that brings the store's schema to the catalog's.

    `summary` is one line for people, `statement` what will be run, in the store's own language. A destructive change
    loses data or refuses what was allowed (a dropped column, a narrower type) and is applied on demand only.
    """

    summary: str
    statement: str
    destructive: bool = False


class Executor(ABC):
    """What carries queries out: a repository does each on its own, a transaction all of them or none."""

    @abstractmethod
    def rows(self, read: Read) -> Rows:
        """The page of records that `read` asks for.

        Order is that of `Selection.order`, exactly: text by code point, nulls as each key says. Conditions follow
        SQL's three-valued logic. The page and the count are of one moment.
        """

    @abstractmethod
    def json(self, read: Read) -> Document:
        """The same page as finished JSON, made wherever it is cheapest; byte for byte the same from every store."""

    @abstractmethod
    def write(self, write: Write) -> Document:
        """Carry out the write: all of it or none of it, durable when this returns, seen by the next read.

        Body: the records written (deleted ones as they were), under its `returning`; empty bytes when nothing is to
        be returned. Raises a `ConstraintError` when the data breaks a rule of the catalog, `PreconditionFailed` when
        the write's expectation does not hold, `Conflict` when concurrent writers could not be got past. Of several
        broken rules of rows that were given, a unique set is named before a reference, then the first row's, then
        the one declared first (the primary key before the unique sets). After any error nothing is written, except
        that an `Unavailable` that comes while the write is being acknowledged leaves its outcome unknown.
        """


class Repository(Executor):
    """A store of the catalog's resources."""

    #: The backend's name, as the configuration and the answers of `/health/ready` have it.
    backend: ClassVar[str]
    #: What its indexes can do for an order.
    indexing: ClassVar[Indexing] = Indexing()

    def __init__(self, catalog: Catalog, limits: Limits) -> None:
        self.catalog = catalog
        self.limits = limits

    @abstractmethod
    def stream(self, read: Read, batch: int = 1000) -> AbstractContextManager[Iterator[Sequence[Row]]]:
        """The records of `read` in batches, of one moment, in bounded memory; `read.count` is not used.

        The statement timeout bounds each batch, not the whole. The store's cursor is closed with the context.
        """

    @abstractmethod
    def lines(self, read: Read, batch: int = 1000) -> AbstractContextManager[Iterator[bytes]]:
        """The same stream as finished JSON: chunks of whole lines, each a record's object (as in `json`)."""

    @abstractmethod
    def explain(self, read: Read, *, analyze: bool = False, verbose: bool = False) -> Explanation:
        """What the store would do for `json(read)`, in its own terms; with `analyze` it does it, and tells the cost."""

    @abstractmethod
    def try_index(self, resource: Resource, index: Index, reads: Sequence[Read]) -> list[Explanation]:
        """What `explain` with `analyze` would say of the reads if `resource` had the index, which is gone afterwards.

        The reads are planned on a catalog that has the index. It is really built, however long that takes; meanwhile
        the store may keep writers of the resource waiting, and other readers may meet the index.
        """

    @abstractmethod
    def transact(self, work: Callable[[Executor], T], *, name: str | None = None) -> T:
        """What `work` gives, in one transaction: committed when `work` returns, undone when it raises.

        All its reads are of one moment, plus what it has written itself. When other writers get in the way, `work` is
        run again from its start with another executor, until `Limits.transaction_timeout` has passed; so it has no
        effects but those on its executor. What it raises passes unchanged. Once a call has raised, the transaction is
        over, and `work` may make no more of it. The outcome of a commit is unknown only after `Unavailable`, as with
        `write`.

        With a `name`, at most one transaction at a time holds it: `NameTaken` is raised at once, without waiting,
        while another does.
        """

    @abstractmethod
    def advance_sequences(self, resource: Resource) -> None:
        """Let the next generated numbers of `resource` lie above all that are stored (after an import)."""

    @abstractmethod
    def schema_changes(self) -> list[Change]:
        """What the store lacks, or has otherwise, compared with the catalog, in the order to apply it.

        Tables and collections that the catalog does not know are not touched and not listed, unless this project made
        them. Empty after `apply_schema` with `destructive`.
        """

    @abstractmethod
    def apply_schema(self, destructive: bool = False) -> list[Change]:
        """Bring the store's schema to the catalog's; return what was done.

        Destructive changes are left out unless asked for. New fields with a default reach the records there are.
        Safe to run twice, and by two services at once.
        """

    @abstractmethod
    def ping(self) -> None:
        """Ask the store for a sign of life. Raises `Unavailable`, or `SchemaMismatch` where it can never serve."""

    @abstractmethod
    def close(self) -> None:
        """Give every connection back. The repository cannot be used afterwards; closing twice is harmless."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def representation_tag(body: bytes) -> str:
    """The entity tag (without quotes) of a record's finished JSON object: 128 bits of BLAKE2b, base64url.

    Both `Expectation` and the `ETag` header use it, so that a tag handed out can be checked inside a write.
    """
    return base64.urlsafe_b64encode(hashlib.blake2b(body, digest_size=16).digest()).rstrip(b"=").decode()

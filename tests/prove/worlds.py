"""A world: one generated catalog with its records in every store, each behind the whole service, asked as one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import structlog
from flask import Flask
from psycopg import sql
from werkzeug.test import EnvironBuilder, run_wsgi_app

from repositories.base import Executor, Repository
from repositories.errors import RepositoryError
from repositories.mongo import inserting, keys, references, writing
from repositories.schema import Catalog, Field, Generated, Resource, Value
from repositories.sql import bulk
from service import catalog as catalogs
from service.app import create_app
from service.config import Settings
from service.idempotency import with_requests
from service.planner import records as planned_records
from tests.contract import queries
from tests.prove import data
from tests.prove.catalogs import document
from tests.prove.chance import Chance, Seeded
from tests.stores import LIMITS, MongoStore, OracleStore, PostgresStore, Store

ORACLE, POSTGRES, MONGODB, SPARSE = "oracle", "postgres", "mongodb", "mongodb without nulls"
ALL = (ORACLE, POSTGRES, MONGODB, SPARSE)
#: The headers in which answers must agree.
HEADERS = (
    "Content-Type", "Content-Range", "Location", "ETag", "Preference-Applied", "Allow", "Link", "Retry-After", "Vary",
    "Accept", "Accept-Encoding", "Idempotent-Replayed",
)  # fmt: skip
#: As the value of a header: the entity tag that the record has now.
CURRENT_TAG = "<current>"
RECORDS = 12
#: Where the numbers begin that sequences give while a world is asked, and how far apart two requests are.
FIRST_NUMBER, NUMBER_STEP = 1000, 200
#: Values that are made up for one request.
MADE_STEP = 1000
#: So much is sent, or looked for, at a time: less than the records of a long body, as more is of a much longer one.
SMALL = (
    (inserting, "BATCH", 7), (writing, "BATCH", 7), (bulk, "_BATCH", 5), (keys, "KEYS_AT_ONCE", 3),
    (references, "KEYS_AT_ONCE", 3),
)  # fmt: skip
Records = Mapping[str, Sequence[Mapping[str, Value]]]
#: What holds while a store is asked.
Meanwhile = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def __str__(self) -> str:
        shown = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\n".join(shown + ([] if self.body is None else ["", self.body.decode(errors="backslashreplace")]))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    #: The error that broke the answer off, after its beginning had been sent.
    broken: str = ""

    def __str__(self) -> str:
        shown = [str(self.status), *(f"{name}: {value}" for name, value in self.headers), ""]
        return "\n".join([*shown, self.body.decode(errors="backslashreplace")[:1500], self.broken])


class _Made(threading.local):
    """What the service would make up, made the same for all stores; requests of different turns get other values."""

    def __init__(self) -> None:
        self.count = 0
        #: Whether it is always the same moment: work that is tried again then comes to the same.
        self.still = False

    def uuid(self) -> UUID:
        self.count += 1
        return UUID(f"01900000-0000-7000-8000-{self.count:012x}")

    def now(self) -> datetime:
        self.count += not self.still
        return datetime.fromisoformat("2026-02-03T04:05:06.780+00:00") + timedelta(milliseconds=self.count)


#: One for all worlds that are open at once.
_made = _Made()


class World:
    """The stores, with the same records; `names` are those of the stores that are asked."""

    def __init__(self, plan: Mapping[str, Any], records: Records, stores: Mapping[str, Store]) -> None:
        self.plan = plan
        self.stores = stores
        self.names: tuple[str, ...] = tuple(stores)
        self.catalog = stores[ORACLE].repository.catalog
        self.records = records
        self.dirty = False
        self._number = FIRST_NUMBER
        self._apps = {name: _app(store.repository) for name, store in stores.items()}
        self._meanwhile: dict[str, Meanwhile] = {}

    def ask(self, request: Request, turn: int | None = None) -> dict[str, Answer]:
        """Every store's answer."""
        self.prepare(request, turn=turn)
        return {name: self.answer(name, request, turn or 0) for name in self.names}

    def prepare(self, *requests: Request, turn: int | None = None) -> None:
        """What comes before writes: every sequence goes on at the same number, which the turn tells, if it is told."""
        if any(request.method not in ("GET", "HEAD", "OPTIONS") for request in requests):
            self.dirty = True
            self._number = self._number + NUMBER_STEP if turn is None else FIRST_NUMBER + turn * NUMBER_STEP
            self._align()

    def resolved(self, request: Request) -> Request:
        """The request with the record's entity tag, where it asks for that."""
        if all(value != CURRENT_TAG for _, value in request.headers):
            return request
        answer = self.answer(ORACLE, Request("GET", request.path))
        tag = dict(answer.headers).get("ETag", '"none"')
        headers = tuple((name, tag if value == CURRENT_TAG else value) for name, value in request.headers)
        return replace(request, headers=headers)

    @contextmanager
    def rebuilt(self, name: str, meanwhile: Meanwhile) -> Iterator[None]:
        """Let the store be asked through a service and a repository of its own, each time under `meanwhile`."""
        app = self._apps[name]
        with ExitStack() as stack:
            with meanwhile():
                self._apps[name] = _app(stack.enter_context(self.stores[name].limited(LIMITS)))
            self._meanwhile[name] = meanwhile
            try:
                yield
            finally:
                self._apps[name] = app
                del self._meanwhile[name]

    def answer(self, name: str, request: Request, turn: int = 0, *, still: bool = False) -> Answer:
        """One store's answer."""
        with self._meanwhile.get(name, nullcontext)():
            return self._answer(name, request, turn, still=still)

    def _answer(self, name: str, request: Request, turn: int, *, still: bool) -> Answer:
        _made.count, _made.still = turn * MADE_STEP, still
        builder = EnvironBuilder(request.path, method=request.method, headers=[*request.headers], data=request.body)
        environ = builder.get_environ()
        body, status, headers = run_wsgi_app(self._apps[name], environ)
        pieces: list[bytes] = []
        broken = ""
        try:
            pieces.extend(body)
        except RepositoryError as error:
            broken = f"{type(error).__name__} {error.code}"
        finally:
            if close := getattr(body, "close", None):
                close()
        told = tuple((each, headers[each]) for each in HEADERS if each in headers)
        # How much of a broken answer was sent is a matter of batches.
        return Answer(int(status[:3]), told, b"" if broken else b"".join(pieces), broken)

    def everything(self) -> dict[str, dict[str, bytes]]:
        """All that the asked stores hold, by store and resource."""
        return {name: self.stored(name) for name in self.names}

    def stored(self, name: str) -> dict[str, bytes]:
        """All that one store holds, by resource."""
        reads = [queries.read(self.catalog, each.name) for each in self.catalog.public]
        return {read.selection.resource.name: self.stores[name].repository.json(read).body for read in reads}

    def reset(self) -> None:
        """Every store as it was at first."""
        if self.dirty:
            self.fill(self.records)
            self._number, self.dirty = FIRST_NUMBER, False

    def fill(self, records: Records) -> None:
        """Let every store have these records, and no others."""
        for name in self.names:
            self.stores[name].empty()
            _fill(name, self.stores[name], records)

    def _align(self) -> None:
        """Let every sequence go on at the same number: which ones a refused write takes, each store may decide."""
        for resource in self.catalog:
            for field in resource.fields.values():
                if field.generated is Generated.SEQUENCE:
                    for name in self.names:
                        _set_sequence(self.stores[name], resource, field, self._number)


def _app(repository: Repository) -> Flask:
    repository.transact = _repeating(repository.transact)  # type: ignore[method-assign]
    return create_app(repository, Settings(unfiltered_writes=False))


def load(plan: Mapping[str, Any]) -> Catalog:
    """The catalog that the resource file declares, with what the service needs itself."""
    return with_requests(catalogs.loads(json.dumps(plan), "generated"))


@contextmanager
def opened(
    plan: Mapping[str, Any], records: Records, postgres: str, mongodb: str, label: str, names: Sequence[str] = ALL
) -> Iterator[World]:
    """The world with this catalog and these records; `label` tells its databases from others'."""
    with ExitStack() as stack:
        stores: dict[str, Store] = {}
        for name in names:
            stores[name] = _opened(name, load(plan), postgres, mongodb, f"diglot_prove_{label}")
            stack.callback(stores[name].close)
            _fill(name, stores[name], records)
        for module, constant, size in SMALL:
            stack.enter_context(mock.patch.object(module, constant, size))
        stack.enter_context(structlog.testing.capture_logs())  # a failure is told by the answer
        stack.enter_context(mock.patch.object(planned_records, "uuid7", _made.uuid))
        stack.enter_context(mock.patch.object(planned_records, "now", _made.now))
        yield World(plan, records, stores)


def _repeating(transact: Callable[..., Any]) -> Callable[..., Any]:
    """`transact`, with work that makes up the same values whenever it is tried again."""

    def repeating(work: Callable[[Executor], Any], **options: Any) -> Any:
        count = _made.count

        def attempt(executor: Executor) -> Any:
            _made.count = count
            return work(executor)

        return transact(attempt, **options)

    return repeating


def _opened(name: str, catalog: Catalog, postgres: str, mongodb: str, label: str) -> Store:
    match name:
        case "oracle":
            return OracleStore(catalog)
        case "postgres":
            return PostgresStore(postgres, catalog, label)
        case "mongodb":
            return MongoStore(mongodb, catalog, label)
    return MongoStore(mongodb, catalog, f"{label}_sparse")


def generated(seed: int | str) -> tuple[dict[str, Any], dict[str, list[dict[str, Value]]]]:
    """The catalog and the records of a seed."""
    chance = Seeded(seed)
    plan = document(chance)
    return plan, filled(chance, plan)


def filled(chance: Chance, plan: Mapping[str, Any]) -> dict[str, list[dict[str, Value]]]:
    """Records for a catalog. The oracle tells which of them can be together."""
    store = OracleStore(load(plan))
    catalog, state = store.repository.catalog, store.repository.state
    for resource in catalog.public:
        for _ in range(RECORDS):
            record = data.record(chance, resource)
            for reference in resource.references:
                targets = store.repository.state[reference.target]
                target = chance.pick(targets) if targets and not chance.one_in(4) else {}
                for own, other in zip(reference.fields, reference.target_fields, strict=True):
                    record[own] = target.get(other)
            try:
                store.repository.write(queries.insert(catalog, resource.name, record))
            except RepositoryError:
                continue
        state = store.repository.state
    return {resource.name: state[resource.name] for resource in catalog.public}


def _fill(name: str, store: Store, records: Records) -> None:
    for resource, rows in records.items():
        if rows:
            store.repository.write(queries.insert(store.repository.catalog, resource, *rows))
            if name == SPARSE:
                store.forget_nulls(resource)


def _set_sequence(store: Store, resource: Resource, field: Field, number: int) -> None:
    match store:
        case OracleStore():
            own = store.repository.catalog[resource.name].fields[field.name]
            store.repository._numbers[own] = number
        case PostgresStore():
            counter = sql.Literal(sql.Identifier(resource.name).as_string()), sql.Literal(field.name)
            statement = sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), {})").format(*counter, number)
            store._connection.execute(statement)
        case MongoStore():
            counters = store._database["_diglot_sequences"]
            counters.update_one({"_id": f"{resource.name}.{field.name}"}, {"$set": {"value": number}}, upsert=True)

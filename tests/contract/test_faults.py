"""Whatever a driver raises, wherever it does: every method of the port says it in its own words, and holds nothing."""

from __future__ import annotations

import importlib
import pkgutil
import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import bson
import bson.errors
import psycopg
import pymongo
import pymongo.errors
import pymongo.synchronous.pool
import pytest
from pymongo.errors import OperationFailure, PyMongoError

from repositories.base import Executor, Limits, Repository
from repositories.connect import connect
from repositories.errors import RepositoryError, Unavailable
from repositories.mongo.errors import DRIVER_ERRORS
from repositories.sql.connections import Connection
from service.app import create_app
from service.config import Settings
from tests.contract import queries
from tests.contract.queries import eq
from tests.contract.samples import product
from tests.patience import PAUSE
from tests.stores import MongoStore, PostgresStore, Store

LIMITS = Limits(statement_timeout=0.5, pool_timeout=0.5, connect_timeout=0.5, pool_size=2, transaction_timeout=0.6)
#: All the timeouts together, and what a busy machine adds.
PATIENCE = LIMITS.statement_timeout + LIMITS.pool_timeout + LIMITS.connect_timeout + LIMITS.transaction_timeout + PAUSE
SECRET = "words of the driver"
Call = Callable[[Repository], object]


@pytest.fixture(params=["postgres", "mongodb"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def limited(store: Store) -> Iterator[Repository]:
    """A repository of its own on the store, with short limits."""
    assert isinstance(store, PostgresStore | MongoStore)
    url = store.url
    if store.name == "mongodb":
        # A server of which a made-up error says that it is no primary has no news for a client that waits for some.
        url += f"{'&' if '?' in url else '?'}serverMonitoringMode=poll&heartbeatFrequencyMS=500"
    with connect(store.name, url, store.repository.catalog, LIMITS) as repository:
        repository.ping()
        yield repository


def calls() -> dict[str, Call]:
    """Every method of the port that speaks to the database."""

    def read(repository: Repository) -> Any:
        return queries.read(repository.catalog, "products", where=eq("sku", "x"), count=True)

    def insert(executor: Executor, repository: Repository, *names: str) -> object:
        return executor.write(queries.insert(repository.catalog, "categories", *({"name": name} for name in names)))

    def drained(stream: Any) -> object:
        with stream as batches:
            return list(batches)

    def work(repository: Repository) -> Callable[[Executor], object]:
        def done(executor: Executor) -> object:
            executor.rows(read(repository))
            insert(executor, repository, "in a transaction")
            executor.write(queries.delete(repository.catalog, "categories", eq("name", "in a transaction")))
            return executor.json(read(repository))

        return done

    def write(make: Callable[[Any], Any]) -> Call:
        return lambda repository: repository.write(make(repository.catalog))

    return {
        "rows": lambda repository: repository.rows(read(repository)),
        "json": lambda repository: repository.json(read(repository)),
        "stream": lambda repository: drained(repository.stream(read(repository))),
        "lines": lambda repository: drained(repository.lines(read(repository))),
        "explain": lambda repository: repository.explain(read(repository), analyze=True),
        "insert": write(lambda catalog: queries.insert(catalog, "products", product(1))),
        "insert of many": lambda repository: insert(repository, repository, "a", "b"),
        "replace": write(lambda catalog: queries.replace(catalog, "products", product(1))),
        "update": write(lambda catalog: queries.update(catalog, "products", {"stock": 1})),
        "delete": write(lambda catalog: queries.delete(catalog, "products")),
        "transact": lambda repository: repository.transact(work(repository)),
        "transact under a name": lambda repository: repository.transact(work(repository), name="n"),
        "advance_sequences": lambda repository: repository.advance_sequences(repository.catalog["categories"]),
        "schema_changes": lambda repository: repository.schema_changes(),
        "apply_schema": lambda repository: repository.apply_schema(),
        "ping": lambda repository: repository.ping(),
    }


def test_every_method_is_called() -> None:
    public = {name for name in Repository.__abstractmethods__ if not name.startswith("_")}
    # An index is tried by an operator's command, which takes the steps of `apply_schema` and `explain`.
    called = {name.partition(" ")[0] for name in calls()} | {"close", "write", "try_index"}
    assert public <= called


def descendants(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for child in kind.__subclasses__():
        yield from descendants(child)


def of_psycopg() -> list[Exception]:
    kinds = {kind for kind in descendants(psycopg.Error) if kind.__module__.startswith("psycopg")}
    assert len(kinds) > 200
    return [kind(SECRET) for kind in sorted(kinds, key=str)]


def of_pymongo() -> list[Exception]:
    for package in (pymongo, bson):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            try:
                importlib.import_module(module.name)
            except ImportError:  # for an optional dependency
                continue
    found = {*descendants(PyMongoError), *descendants(bson.errors.BSONError)}
    kinds = {kind for kind in found if kind.__module__.partition(".")[0] in ("pymongo", "bson")}
    assert len(kinds) > 25
    transient = OperationFailure(SECRET, 112, {"errorLabels": ["TransientTransactionError"]})
    coded = [
        OperationFailure(SECRET, code, {"errmsg": SECRET}) for code in (2, 13, 50, 112, 121, 189, 251, 11000, 99_999)
    ]
    values = [kind(*arguments) for kind, arguments in VALUES.items()]
    return [*(_of_pymongo(kind) for kind in sorted(kinds, key=str)), *coded, transient, *values]


VALUES: dict[type[Exception], tuple[Any, ...]] = {
    OverflowError: (SECRET,),
    UnicodeEncodeError: ("utf-8", "\ud800", 0, 1, SECRET),
}


def _of_pymongo(kind: type[Exception]) -> Exception:
    if issubclass(kind, pymongo.errors.BulkWriteError):
        return kind({"writeErrors": [], "writeConcernErrors": []})
    if issubclass(kind, pymongo.errors.NotPrimaryError):
        return kind(SECRET, {"code": 10107, "errmsg": SECRET})
    if issubclass(kind, pymongo.errors.EncryptedCollectionError):
        return kind(PyMongoError(SECRET), {})
    if issubclass(kind, pymongo.errors.ClientBulkWriteException):
        return kind({"error": None, "writeErrors": [], "writeConcernErrors": []}, verbose=False)
    try:
        return kind(SECRET)
    except TypeError:
        return kind.__new__(kind)


class Fault:
    """Raises an error at some of this thread's exchanges with the server."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._error: Exception | None = None
        self._wait, self._once = 0, True
        self.exchanges = 0

    def at(self, exchange: int, error: Exception, *, once: bool = True) -> None:
        """At this exchange from now on, which is number 0; not only `once`, at all that follow, too."""
        self._wait, self._error, self._once = exchange, error, once

    def clear(self) -> None:
        self._error, self.exchanges = None, 0

    def pass_by(self) -> None:
        """An exchange is made."""
        if threading.get_ident() != self._thread:
            return
        self.exchanges += 1
        self._wait -= 1
        if self._error is not None and (self._wait == -1 or (self._wait < 0 and not self._once)):
            raise self._error


@pytest.fixture
def fault(backend: str, monkeypatch: pytest.MonkeyPatch) -> Fault:
    found = Fault()
    if backend == "postgres":
        wait = Connection.wait

        def waiting(self: Any, *arguments: Any, **options: Any) -> Any:
            found.pass_by()
            return wait(self, *arguments, **options)

        monkeypatch.setattr(Connection, "wait", waiting)
    else:
        # After the exchange: a server that refuses a command in a transaction has undone it.
        receive = pymongo.synchronous.pool.Connection.receive_message

        def receiving(self: Any, *arguments: Any) -> Any:
            message = receive(self, *arguments)
            found.pass_by()
            return message

        monkeypatch.setattr(pymongo.synchronous.pool.Connection, "receive_message", receiving)
    return found


def outcome(call: Call, repository: Repository) -> RepositoryError | None:
    """The port's error, after its texts have been looked at; any other error fails the test."""
    told = None
    try:
        call(repository)
    except RepositoryError as error:
        told = error
    assert told is None or SECRET not in f"{told} {told.message} {told.details} {told.hint}"
    return told


def idle(repository: Repository) -> None:
    """No connection is held: as many calls as there are connections can be made at once, now or soon."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with repository.stream(queries.read(repository.catalog, "categories")) as one:
                next(one, None)
                repository.ping()
        except Unavailable:
            assert time.monotonic() < deadline, "the repository has not come back"
        else:
            return


# A cursor whose closing is what fails is left open.
@pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")
@pytest.mark.parametrize("name", calls())
def test_every_error_of_the_driver(limited: Repository, fault: Fault, backend: str, name: str) -> None:
    """Each of them once, at one of the exchanges that the method makes: it is told, or mended."""
    call = calls()[name]
    outcome(call, limited)
    fault.clear()
    outcome(call, limited)
    places = cycle(range(max(1, fault.exchanges)))
    told = 0
    for error in of_psycopg() if backend == "postgres" else of_pymongo():
        started = time.monotonic()
        fault.at(next(places), error)
        told += outcome(call, limited) is not None
        fault.clear()
        assert time.monotonic() - started < PATIENCE, error
        # What was done has to be done again by the next one.
        outcome(lambda repository: repository.write(queries.delete(repository.catalog, "products")), limited)
    assert told > 10
    idle(limited)


# Reads only: where even the abort of a transaction fails, MongoDB keeps its locks until it is a minute old.
@pytest.mark.parametrize("name", ["rows", "json", "lines", "ping"])
def test_errors_that_do_not_end(limited: Repository, fault: Fault, backend: str, name: str) -> None:
    lasting: dict[str, list[Exception]] = {
        "postgres": [psycopg.OperationalError(SECRET), psycopg.errors.SerializationFailure(SECRET)],
        "mongodb": [
            pymongo.errors.AutoReconnect(SECRET),
            OperationFailure(SECRET, 112, {"errorLabels": ["TransientTransactionError"]}),
        ],
    }
    for error, codes in zip(lasting[backend], (("PGRST000", "57014"), ("40001", "57014", "PGRST000")), strict=True):
        started = time.monotonic()
        fault.at(0, error, once=False)
        refused = outcome(calls()[name], limited)
        fault.clear()
        assert refused is not None
        assert refused.code in codes, refused
        assert time.monotonic() - started < PATIENCE
    idle(limited)


def test_every_error_of_connecting_to_postgresql(stores: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyMongo connects as part of an exchange: see above."""
    store = stores.get("postgres", "shop")
    for error in of_psycopg():
        with store.limited(LIMITS) as repository, monkeypatch.context() as patch:

            def refuse(*_: Any, raised: Exception = error, **__: Any) -> None:
                raise raised

            patch.setattr(Connection, "connect", refuse)
            assert outcome(calls()["json"], repository) is not None


UNKNOWN: dict[str, Exception] = {
    "postgres": psycopg.errors.InternalError_(SECRET),
    "mongodb": OperationFailure(SECRET, 99_999, {"errmsg": SECRET}),
}


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_what_the_server_has_never_said_before(limited: Repository, fault: Fault, backend: str, method: str) -> None:
    client = create_app(limited, Settings()).test_client()
    client.post("/api/categories", json={"name": "there"})
    fault.at(0, UNKNOWN[backend])
    body = None if method in ("GET", "DELETE") else {"name": "x"}
    answer = client.open("/api/categories" + ("" if method == "POST" else "?name=eq.there"), method=method, json=body)
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"]) == (500, "XX000")
    assert SECRET not in answer.get_data(as_text=True)
    fault.clear()
    assert client.get("/api/categories").status_code == 200


def test_the_mongodb_errors_are_those_that_are_caught() -> None:
    assert all(isinstance(error, DRIVER_ERRORS) for error in of_pymongo())

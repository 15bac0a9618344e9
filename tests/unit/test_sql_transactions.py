"""Transactions on PostgreSQL: what is said to the server, their locks, their time, connections lost in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from repositories import errors
from repositories.base import Executor, Limits, representation_tag
from repositories.errors import (
    DeadlineExceeded,
    NameTaken,
    PreconditionFailed,
    ReferenceViolation,
    RepositoryError,
    Unavailable,
    UniqueViolation,
)
from repositories.sql.connections import Connection as PooledConnection
from repositories.sql.repository import PostgresRepository
from repositories.sql.running import Statements
from repositories.sql.transactions import lock_number
from repositories.writes import Conflict
from tests import catalogs
from tests.contract import queries as q
from tests.contract.samples import product
from tests.patience import PAUSE
from tests.unit.sql_server import Connection, connection, database_url, emptied, opened

__all__ = ["connection", "database_url"]

SHORT = Limits(statement_timeout=0.6, transaction_timeout=1.0, pool_timeout=1, connect_timeout=2, pool_size=2)
Execute = Callable[..., Any]


@pytest.fixture
def shop(database_url: str, connection: Connection) -> Iterator[PostgresRepository]:
    emptied(connection)
    with opened(database_url, catalogs.shop()) as repository:
        yield repository
        assert repository.connections_in_use == 0


@pytest.fixture
def hurried(database_url: str, connection: Connection) -> Iterator[PostgresRepository]:
    """A shop with little time."""
    emptied(connection)
    with opened(database_url, catalogs.shop(), SHORT) as repository:
        yield repository
        assert repository.connections_in_use == 0


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said to the server, in its order."""
    statements: list[str] = []
    execute = PooledConnection.execute

    def listening(self: PooledConnection, query: str, *arguments: Any, **options: Any) -> Any:
        statements.append(query)
        return execute(self, query, *arguments, **options)

    monkeypatch.setattr(PooledConnection, "execute", listening)
    return statements


def staff(executor: Executor, catalog: Any) -> list[object]:
    return [row[0] for row in executor.rows(q.read(catalog, "staff", columns=["name"])).rows]


def add(executor: Executor, catalog: Any, *names: str) -> None:
    executor.write(q.insert(catalog, "staff", *({"name": name} for name in names)))


def held_locks(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT mode FROM pg_locks WHERE locktype = 'advisory'").fetchall()


# Names


def test_a_name_is_a_number_of_64_bits() -> None:
    numbers = {lock_number(name) for name in ("", "a", "b", "ä", "a" * 1000)}
    assert len(numbers) == 5
    assert all(-(2**63) <= number < 2**63 for number in numbers)
    assert lock_number("a") == lock_number("a")


def test_a_name_is_held_for_the_transaction_and_no_longer(shop: PostgresRepository, connection: Connection) -> None:
    def work(executor: Executor) -> int:
        with pytest.raises(NameTaken):
            shop.transact(lambda _: pytest.fail("the name is taken"), name="one")
        assert shop.transact(lambda _: 2, name="two") == 2
        return len(held_locks(connection))

    assert shop.transact(work, name="one") == 1
    assert held_locks(connection) == []
    for error in (KeyError, KeyboardInterrupt):
        with pytest.raises(error):
            shop.transact(_raising(error), name="one")
        assert held_locks(connection) == []


def test_who_gets_the_name_sees_what_its_holder_wrote(shop: PostgresRepository, said: list[str]) -> None:
    """The lock comes before the snapshot: one that came after it might be had without its holder's records."""
    shop.transact(lambda executor: add(executor, shop.catalog, "Ann"), name="one")
    assert said[0] == "SELECT pg_try_advisory_lock(%s)"
    assert said[1].startswith("BEGIN ISOLATION LEVEL REPEATABLE READ")
    assert "pg_try_advisory_xact_lock" in said[1]
    assert "pg_advisory_unlock" in said[1]


# What is said


def test_a_plain_write_costs_no_more_than_its_statement(shop: PostgresRepository, said: list[str]) -> None:
    add(shop, shop.catalog, "Ann")
    shop.write(q.update(shop.catalog, "staff", {"name": "Bob"}, q.eq("id", 1)))
    assert len(said) == 2


def test_a_savepoint_only_where_an_error_may_need_an_inquiry(shop: PostgresRepository, said: list[str]) -> None:
    shop.transact(lambda executor: add(executor, shop.catalog, "Ann"))
    assert not any("SAVEPOINT" in statement for statement in said)
    said.clear()
    shop.transact(lambda executor: add(executor, shop.catalog, "Bob", "Cid"))
    assert [statement for statement in said if "SAVEPOINT" in statement] == [
        "SAVEPOINT diglot",
        "RELEASE SAVEPOINT diglot",
    ]


def test_references_that_restrict_are_checked_by_each_call(shop: PostgresRepository, said: list[str]) -> None:
    def work(executor: Executor) -> None:
        executor.write(q.insert(shop.catalog, "products", product(1, category_id=5)))

    with pytest.raises(ReferenceViolation):
        shop.transact(work)
    assert any("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED" in statement for statement in said)
    assert "COMMIT" not in said


# Time


def test_the_statement_timeout_is_shortened_when_less_is_left(hurried: PostgresRepository, said: list[str]) -> None:
    def work(executor: Executor) -> None:
        add(executor, hurried.catalog, "Ann")
        assert not any("statement_timeout" in statement for statement in said)
        time.sleep(0.5)
        add(executor, hurried.catalog, "Bob")

    hurried.transact(work)
    shortened = [statement for statement in said if "SET LOCAL statement_timeout" in statement]
    assert 0 < int(shortened[0].rsplit(" ", 1)[1]) <= 500
    said.clear()
    assert staff(hurried, hurried.catalog) == ["Ann", "Bob"]
    (timeout,) = hurried.transact(lambda executor: executor._connection.execute("SHOW statement_timeout").fetchall())  # type: ignore[attr-defined]
    assert timeout == ("600ms",)


def test_a_call_that_waits_ends_with_its_statement(hurried: PostgresRepository, database_url: str) -> None:
    with psycopg.connect(database_url) as holder:
        holder.execute("LOCK TABLE staff")
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            hurried.transact(lambda executor: add(executor, hurried.catalog, "Ann"))
        assert time.monotonic() - started < PAUSE
        holder.rollback()


def test_work_that_takes_too_long_is_undone(hurried: PostgresRepository) -> None:
    def idle_at_the_end(executor: Executor) -> None:
        add(executor, hurried.catalog, "Ann")
        time.sleep(1.1)

    def idle_before(executor: Executor) -> None:
        add(executor, hurried.catalog, "Ann")
        time.sleep(1.1)
        add(executor, hurried.catalog, "Bob")

    for work in (idle_at_the_end, idle_before):
        with pytest.raises(DeadlineExceeded):
            hurried.transact(work)
    assert staff(hurried, hurried.catalog) == []


def test_work_may_pause_for_longer_than_a_statement(hurried: PostgresRepository) -> None:
    def work(executor: Executor) -> None:
        add(executor, hurried.catalog, "Ann")
        time.sleep(0.8)

    hurried.transact(work)
    assert staff(hurried, hurried.catalog) == ["Ann"]


def test_conflicts_without_end_are_told(hurried: PostgresRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    def always(*_: object) -> None:
        attempts.append(1)
        raise psycopg.errors.SerializationFailure

    def work(executor: Executor) -> None:
        try:
            add(executor, hurried.catalog, "Ann")
        except Exception as error:
            raise KeyError from error

    monkeypatch.setattr(hurried._writer, "enlist", always)
    with pytest.raises(errors.Conflict):
        hurried.transact(work)
    assert len(attempts) > 2


# Connections


def _raising(error: type[BaseException]) -> Callable[[Executor], None]:
    def work(_: Executor) -> None:
        raise error

    return work


def _lost(monkeypatch: pytest.MonkeyPatch, at: str, *, after: bool, times: int = 1) -> None:
    """Lose the connection at statements that begin so, before or after the server has carried them out."""
    execute, left = PooledConnection.execute, [times]

    def losing(self: PooledConnection, query: str, *arguments: Any, **options: Any) -> Any:
        if not query.startswith(at) or not left[0]:
            return execute(self, query, *arguments, **options)
        left[0] -= 1
        if after:
            execute(self, query, *arguments, **options)
        self.close()
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(PooledConnection, "execute", losing)
    # Nothing is sent past `execute`, as what is prepared would be.
    monkeypatch.setattr(Statements, "run", lambda self, sql, values: self._connection.execute(sql, values).pgresult)


@pytest.mark.parametrize("after", [True, False])
def test_a_connection_lost_in_the_commit(
    shop: PostgresRepository, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    attempts = []

    def work(executor: Executor) -> None:
        attempts.append(1)
        add(executor, shop.catalog, "Ann")

    _lost(monkeypatch, "COMMIT", after=after)
    with pytest.raises(Unavailable):
        shop.transact(work)
    assert attempts == [1]
    assert staff(shop, shop.catalog) == (["Ann"] if after else [])


@pytest.mark.parametrize("after", [True, False])
def test_a_connection_lost_in_a_write_on_its_own(
    shop: PostgresRepository, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    _lost(monkeypatch, "WITH diglot_written", after=after)
    with pytest.raises(Unavailable):
        add(shop, shop.catalog, "Ann")
    assert staff(shop, shop.catalog) == (["Ann"] if after else [])


@pytest.mark.parametrize("at", ["BEGIN", "SELECT pg_try", "WITH diglot_written"])
def test_a_connection_lost_before_the_commit_is_replaced_once(
    shop: PostgresRepository, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    _lost(monkeypatch, at, after=True)
    shop.transact(lambda executor: add(executor, shop.catalog, "Ann"), name="one")
    assert staff(shop, shop.catalog) == ["Ann"]
    _lost(monkeypatch, at, after=True, times=2)
    with pytest.raises(Unavailable):
        shop.transact(lambda executor: add(executor, shop.catalog, "Bob"), name="one")
    assert staff(shop, shop.catalog) == ["Ann"]


def test_a_server_that_ends_the_connection(shop: PostgresRepository, connection: Connection) -> None:
    attempts = []

    def work(executor: Executor) -> None:
        attempts.append(1)
        add(executor, shop.catalog, "Ann")
        if len(attempts) == 1:
            pid = executor._connection.info.backend_pid  # type: ignore[attr-defined]
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        add(executor, shop.catalog, "Bob")

    shop.transact(work)
    assert attempts == [1, 1]
    assert staff(shop, shop.catalog) == ["Ann", "Bob"]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, UniqueViolation, GeneratorExit])
def test_the_connection_goes_back_idle(shop: PostgresRepository, error: type[BaseException]) -> None:
    used = []

    def work(executor: Executor) -> None:
        used.append(executor._connection)  # type: ignore[attr-defined]
        add(executor, shop.catalog, "Ann")
        raise error

    with pytest.raises(error):
        shop.transact(work)
    assert used[0].pgconn.transaction_status == TransactionStatus.IDLE
    assert staff(shop, shop.catalog) == []
    assert shop.connections_in_use == 0


def test_no_more_calls_after_the_end(shop: PostgresRepository) -> None:
    executor = shop.transact(lambda executor: executor)
    with pytest.raises(RepositoryError):
        add(executor, shop.catalog, "Ann")
    assert staff(shop, shop.catalog) == []


# Expectations that none is there


def test_no_record_with_this_tag(shop: PostgresRepository) -> None:
    add(shop, shop.catalog, "Ann")
    tag = representation_tag(shop.json(q.read(shop.catalog, "staff")).body[1:-1])
    absent = q.expectation(shop.catalog, "staff", tag, present=False)
    with pytest.raises(PreconditionFailed):
        shop.write(q.replace(shop.catalog, "staff", {"id": 1, "name": "Bob"}, expect=absent))
    shop.write(q.update(shop.catalog, "staff", {"name": "Cid"}, q.eq("id", 1)))
    assert not shop.write(q.replace(shop.catalog, "staff", {"id": 1, "name": "Bob"}, expect=absent)).created
    assert shop.write(q.replace(shop.catalog, "staff", {"id": 2, "name": "Dan"}, expect=absent)).created
    assert staff(shop, shop.catalog) == ["Bob", "Dan"]


def test_racing_creators_of_one_record(shop: PostgresRepository) -> None:
    """Each brings the same values of a unique set besides: the losers must not be told of that."""
    absent = q.expectation(shop.catalog, "categories", present=False)

    def create(number: int) -> str:
        row = {"id": 1 + number // 8, "name": f"n{number // 8}"}
        write = q.replace(shop.catalog, "categories", row, expect=absent)
        try:
            created = shop.write(write) if number % 2 else shop.transact(lambda executor: executor.write(write))
        except PreconditionFailed:
            return "there"
        return "created" if created.created else "replaced"

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(create, range(80)))
    assert (outcomes.count("created"), outcomes.count("there")) == (10, 70)


def test_racing_upserts_with_another_unique_set(shop: PostgresRepository) -> None:
    resource = shop.catalog["categories"]
    conflict = Conflict((resource.fields["name"],), (resource.fields["id"],))

    def merge(number: int) -> bool:
        row = {"id": 1 + number // 8, "name": f"n{number // 8}"}
        write = q.insert(shop.catalog, "categories", row, conflict=conflict)
        document = shop.write(write) if number % 2 else shop.transact(lambda executor: executor.write(write))
        assert document.count == 1
        return document.created

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(merge, range(80))).count(True) == 10

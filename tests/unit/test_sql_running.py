"""Statements as they are run: limits written out, prepared on each connection within bounds, the driver's errors."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from repositories.base import Limits
from repositories.sql import running
from repositories.sql.compiler import Compiler
from repositories.sql.connections import Connection, Pool
from repositories.sql.running import Runner
from repositories.sql.statements import Statement
from repositories.sql.tables import tables
from tests import catalogs
from tests.contract import queries as q
from tests.unit.sql_server import database_url

__all__ = ["database_url"]

CATALOG = catalogs.shop()
PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'diglot%'"


@pytest.fixture
def opened(database_url: str) -> Iterator[Connection]:
    pool = Pool(database_url, Limits(statement_timeout=5, pool_size=1))
    with pool.connection() as connection:
        yield connection
    pool.close()


def value(runner: Runner, connection: Connection, sql: str, *parameters: object) -> bytes | None:
    return runner.run(connection, sql, parameters).get_value(0, 0)


def test_a_statement_is_prepared_the_second_time_and_answers_alike(opened: Connection) -> None:
    runner = Runner()
    for number in range(1, 5):
        assert value(runner, opened, "SELECT %s || '%%' || %s", f"é{number}", "x") == f"é{number}%x".encode()
        [(prepared,)] = opened.execute(PREPARED).fetchall()
        assert prepared == (number > 1)


def test_values_of_another_type_are_another_statement(opened: Connection) -> None:
    runner = Runner()
    for _ in range(3):
        assert value(runner, opened, "SELECT pg_typeof(%s)", 1) == b"bigint"
        assert value(runner, opened, "SELECT pg_typeof(%s)", Decimal("1.5")) == b"numeric"


def test_an_error_is_the_drivers_own_and_leaves_the_connection_in_order(opened: Connection) -> None:
    runner = Runner()
    for divisor in (1, 2, 4):
        assert value(runner, opened, "SELECT 8 / %s", divisor) == str(8 // divisor).encode()
    with pytest.raises(psycopg.errors.DivisionByZero) as found:
        value(runner, opened, "SELECT 8 / %s", 0)
    assert found.value.sqlstate == "22012"
    assert value(runner, opened, "SELECT 8 / %s", 8) == b"1"


def test_so_many_statements_stay_prepared(opened: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PREPARED", 3)
    runner = Runner()
    for number in range(10):
        for _ in range(2):
            assert value(runner, opened, f"SELECT {number}::text") == str(number).encode()
    assert opened.execute(PREPARED).fetchall() == [(3,)]
    assert value(runner, opened, "SELECT 0::text") == b"0"


@pytest.mark.parametrize("command", ["DEALLOCATE ALL", "BEGIN; ROLLBACK", "DISCARD ALL"])
def test_statements_that_are_gone_are_prepared_anew(opened: Connection, command: str) -> None:
    runner = Runner()
    for _ in range(3):
        for number in range(4):
            assert value(runner, opened, "SELECT 1 + %s", number) == str(1 + number).encode()
        for part in command.split("; "):
            opened.execute(part.encode())


def test_each_connection_has_its_own(database_url: str) -> None:
    pool, runner = Pool(database_url, Limits(pool_size=2)), Runner()
    with pool.connection() as one, pool.connection() as other:
        for connection in (one, other, one, other, one):
            assert value(runner, connection, "SELECT %s", "a") == b"a"
    pool.close()


def page(limit: int) -> tuple[Statement, tuple[object, ...]]:
    read = q.read(CATALOG, "products", limit=limit, order="name")
    return Compiler(tables(CATALOG)).records(read.selection), read.values


def test_the_first_few_limits_are_written_out() -> None:
    statement, values = page(20)
    sql, parameters = statement.limited(values)
    assert "LIMIT 20::BIGINT" in sql
    assert (parameters, statement.limited(values)[0]) == ([], sql)
    for limit in range(100, 200):
        sql, parameters = statement.limited((limit,))
        assert sql.endswith(f"LIMIT {limit}::BIGINT) AS page") or (sql, parameters) == (statement.sql, [limit])
    assert statement.limited((199,)) == (statement.sql, [199])
    assert statement.limited(values) == (page(20)[0].limited(values)[0], [])


def test_a_percent_sign_in_a_name_is_no_placeholder() -> None:
    statement = Statement('SELECT %s AS "a%%s" LIMIT %s', ((0, None), (1, None)), limits=(1,))
    assert statement.limited(("x", 5)) == ('SELECT %s AS "a%%s" LIMIT 5', ["x"])

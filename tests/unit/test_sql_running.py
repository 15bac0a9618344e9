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
from repositories.sql.running import Statements
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


def value(statements: Statements, sql: str, *parameters: object) -> bytes | None:
    return statements.run(sql, parameters).get_value(0, 0)


def test_a_statement_is_prepared_the_second_time_and_answers_alike(opened: Connection) -> None:
    statements = Statements(opened)
    for number in range(1, 5):
        assert value(statements, "SELECT %s || '%%' || %s", f"é{number}", "x") == f"é{number}%x".encode()
        [(prepared,)] = opened.execute(PREPARED).fetchall()
        assert prepared == (number > 1)


def test_values_of_another_type_are_another_statement(opened: Connection) -> None:
    statements = Statements(opened)
    for _ in range(3):
        assert value(statements, "SELECT pg_typeof(%s)", 1) == b"bigint"
        assert value(statements, "SELECT pg_typeof(%s)", Decimal("1.5")) == b"numeric"


def test_an_error_is_the_drivers_own_and_leaves_the_connection_in_order(opened: Connection) -> None:
    statements = Statements(opened)
    for divisor in (1, 2, 4):
        assert value(statements, "SELECT 8 / %s", divisor) == str(8 // divisor).encode()
    with pytest.raises(psycopg.errors.DivisionByZero) as found:
        value(statements, "SELECT 8 / %s", 0)
    assert found.value.sqlstate == "22012"
    assert value(statements, "SELECT 8 / %s", 8) == b"1"


def test_so_many_statements_stay_prepared(opened: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PREPARED", 3)
    statements = Statements(opened)
    for number in range(10):
        for _ in range(2):
            assert value(statements, f"SELECT {number}::text") == str(number).encode()
    assert opened.execute(PREPARED).fetchall() == [(3,)]
    assert value(statements, "SELECT 0::text") == b"0"


def test_each_connection_has_its_own(database_url: str) -> None:
    pool = Pool(database_url, Limits(pool_size=2))
    with pool.connection() as one, pool.connection() as other:
        for connection in (one, other, one, other, one):
            assert value(connection.statements, "SELECT %s", "a") == b"a"
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


def test_what_is_prepared_outlives_a_rollback(opened: Connection) -> None:
    for _ in range(3):
        opened.execute("BEGIN")
        assert value(opened.statements, "SELECT %s", "a") == b"a"
        opened.execute("ROLLBACK")
    assert opened.execute(PREPARED).fetchall() == [(1,)]


def test_statements_that_a_pooler_has_dropped_are_prepared_anew(opened: Connection) -> None:
    for _ in range(3):
        assert value(opened.statements, "SELECT %s", "a") == b"a"
        assert value(opened.statements, "SELECT %s", "b") == b"b"
        opened.execute("DEALLOCATE ALL")

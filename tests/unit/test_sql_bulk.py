"""Streamed inserts, upserts and the inquiry after a failure on PostgreSQL: what they send, and what is left behind."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from repositories.base import Executor
from repositories.errors import CardinalityViolation, NotNullViolation, ReferenceViolation, UniqueViolation
from repositories.query import Among, Param, Row, Selection
from repositories.schema import Catalog, Field, Reference, Resource, Unique
from repositories.sql import bulk
from repositories.sql.compiler import Compiler
from repositories.sql.repository import PostgresRepository
from repositories.sql.tables import tables
from repositories.sql.writing import WriteCompiler
from repositories.writes import Assign, Conflict, Insert
from tests import catalogs
from tests.catalogs import INT64, TEXT
from tests.contract import queries as q
from tests.unit.sql_server import Connection, connection, database_url, emptied, opened

__all__ = ["connection", "database_url"]


class Rows:
    """Rows that are walked, not held."""

    def __init__(self, count: int, *, error: BaseException | None = None) -> None:
        self._count, self._error = count, error

    def __iter__(self) -> Iterator[Row]:
        for number in range(self._count):
            yield (number + 1, f'n{number}\t\\\n"ä\\u0041', None if number == 0 else number)
        if self._error is not None:
            raise self._error


@pytest.fixture
def shop(database_url: str, connection: Connection) -> Iterator[PostgresRepository]:
    emptied(connection)
    with opened(database_url, catalogs.shop()) as repository:
        yield repository
        assert repository.connections_in_use == 0


def insert(shop: PostgresRepository, rows: Any, conflict: Conflict | None = None, returning: str = "") -> Insert:
    resource = shop.catalog["staff"]
    return Insert(
        resource,
        tuple(resource.fields[name] for name in ("id", "name", "manager_id")),
        rows,
        q.outputs(resource, returning.split()) if returning else (),
        conflict,
    )


def on_key(shop: PostgresRepository, *merge: str) -> Conflict:
    resource = shop.catalog["staff"]
    return Conflict(resource.key, tuple(resource.fields[name] for name in merge))


# Streams


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 20])
def test_batches_end_anywhere(shop: PostgresRepository, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(bulk, "_BATCH", 4)
    document = shop.write(insert(shop, Rows(count), returning="id name manager_id"))
    assert [tuple(record.values()) for record in json.loads(document.body)] == list(Rows(count))
    assert (document.count, document.key) == (count, (1,) if count == 1 else None)
    assert document.created == (count > 0)
    assert shop.rows(q.read(shop.catalog, "staff")).rows == list(Rows(count))


def test_two_streams_in_one_transaction(shop: PostgresRepository, connection: Connection) -> None:
    def work(executor: Executor) -> list[bool]:
        first = executor.write(insert(shop, Rows(3)))
        second = executor.write(insert(shop, Rows(5), on_key(shop, "name")))
        third = executor.write(insert(shop, Rows(5), on_key(shop)))
        return [first.created, second.created, third.created]

    assert shop.transact(work) == [True, True, False]
    assert connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'diglot_rows'").fetchall() == [(0,)]


@pytest.mark.parametrize("error", [KeyError("x"), KeyboardInterrupt()])
def test_what_the_rows_raise_passes_unchanged(shop: PostgresRepository, error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        shop.write(insert(shop, Rows(2500, error=error)))
    assert raised.value is error
    assert shop.rows(q.read(shop.catalog, "staff", count=True)).total == 0


def test_memory_is_that_of_a_batch(shop: PostgresRepository) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            shop.write(insert(shop, Rows(count), on_key(shop)))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1000)
    assert peak(12_000) < 1.5 * peak(3000)


def test_rows_are_walked_again_by_another_attempt(shop: PostgresRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, failures = bulk.stage, iter([psycopg.errors.DeadlockDetected()])

    def failing(*arguments: Any) -> int:
        staged = stage(*arguments)
        for failure in failures:
            raise failure
        return staged

    monkeypatch.setattr(bulk, "stage", failing)
    assert shop.write(insert(shop, Rows(5))).count == 5


# Which violation is told


@pytest.fixture
def things(database_url: str, connection: Connection) -> Iterator[PostgresRepository]:
    """Uniques whose indexes, and references whose triggers, were not made in the order of their declaration."""
    names = ("id", "a", "b", "one", "two")
    fields = {name: Field(name, TEXT if name in "ab" else INT64, required=name == "id") for name in names}
    uniques = (Unique("things_a_key", ("a",)), Unique("things_b_key", ("b",)))
    references = tuple(Reference(name, f"things_{name}_fkey", (name,), "things", ("id",)) for name in ("one", "two"))

    def catalog(*kept: int) -> Catalog:
        resource = Resource(
            "things", fields, ("id",), tuple(references[i] for i in kept), tuple(uniques[i] for i in kept)
        )
        return Catalog({"things": resource})

    emptied(connection)
    opened(database_url, catalog(1)).close()
    with opened(database_url, catalog(0, 1)) as repository:
        repository.write(q.insert(repository.catalog, "things", {"id": 1, "a": "x", "b": "y"}))
        yield repository
        assert repository.connections_in_use == 0


def told(repository: PostgresRepository, write: Any) -> list[tuple[tuple[str, ...], int | None]]:
    """The violation alone, and in a transaction."""
    found = []
    ways: list[Callable[[Callable[[Executor], Any]], Any]] = [lambda work: work(repository), repository.transact]
    for run in ways:
        with pytest.raises((UniqueViolation, ReferenceViolation, CardinalityViolation, NotNullViolation)) as raised:
            run(lambda executor: executor.write(write))
        found.append((raised.value.fields, raised.value.row))
    return found


def test_the_rule_declared_first_is_told(things: PostgresRepository) -> None:
    catalog = things.catalog
    for write, fields, row in (
        (q.insert(catalog, "things", {"id": 2, "a": "x", "b": "y"}), ("a",), 0),
        (q.insert(catalog, "things", {"id": 1, "a": "x", "b": "y"}), ("id",), 0),
        (q.insert(catalog, "things", {"id": 2, "one": 9, "two": 9}), ("one",), 0),
        (q.insert(catalog, "things", {"id": 2, "a": "x", "one": 9}), ("a",), 0),
        (q.insert(catalog, "things", {"id": 2, "one": 3, "two": 9}, {"id": 3, "one": 9, "two": 3}), ("two",), 0),
        (q.insert(catalog, "things", {"id": 2, "a": "p", "b": "q"}, {"id": 3, "a": "p", "b": "y"}), ("a",), 1),
        (q.replace(catalog, "things", {"id": 2, "a": "x", "b": "y"}), ("a",), None),
        (q.replace(catalog, "things", {"id": 2, "one": 9, "two": 9}), ("one",), None),
        (q.update(catalog, "things", {"one": 9, "two": 9}, q.eq("id", 1)), ("one",), None),
    ):
        assert told(things, write) == [(fields, row)] * 2


def test_the_same_of_a_stream(things: PostgresRepository) -> None:
    resource = things.catalog["things"]
    fields = tuple(resource.fields[name] for name in ("id", "b", "a"))
    rows = [(number, f"b{number}", f"a{number}") for number in range(2, 1202)]
    for bad, names, row in (
        ((5000, "y", "x"), ("a",), 1200),
        ((7, "z", "z"), ("id",), 1200),
        ((None, "z", "z"), ("id",), 1200),
    ):
        walked = Insert(resource, fields, _Again([*rows, bad]))
        assert told(things, walked) == [(names, row)] * 2
    twice = Insert(resource, fields, _Again([*rows, (3, "z", "z")]), conflict=Conflict(resource.key, fields[1:]))
    assert told(things, twice) == [(("id",), 1200)] * 2


class _Again:
    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)


# SQL


def test_an_upsert_is_one_statement_whatever_the_rows() -> None:
    catalog = catalogs.shop()
    products = catalog["products"]
    sku, name, key = products.fields["sku"], products.fields["name"], products.key
    compiler = WriteCompiler(tables(catalog))
    merging = compiler.insert(products, (*key, sku, name), (), Conflict((sku,), (name,)))
    assert "ON CONFLICT (sku) DO UPDATE SET name = excluded.name" in merging.sql
    assert len(merging.params) == 1
    passing = compiler.insert(products, (*key, sku, name), (), Conflict((sku,)), staged=True)
    assert "ON CONFLICT (sku) DO NOTHING" in passing.sql
    assert "ORDER BY batch" in passing.sql
    assert passing.params == ()


def test_many_keys_are_one_parameter() -> None:
    catalog = catalogs.shop()
    compiler = Compiler(tables(catalog))
    for name, keys in (("staff", ((1,), (2,))), ("lines", ((1, 2), (3, 4), (5, 6)))):
        resource = catalog[name]
        statement = compiler.records(Selection(resource, q.outputs(resource), Among(Param(0))))
        assert len(statement.bind((keys,))) == 1
    assert statement.bind((keys,)) == [
        '[{"order_id":1,"position":2},{"order_id":3,"position":4},{"order_id":5,"position":6}]'
    ]


def test_an_assignment_passes_over_keys_without_a_record(shop: PostgresRepository) -> None:
    shop.write(insert(shop, list(Rows(3))))
    resource = shop.catalog["staff"]
    rows = ((3, "c"), (1, "a"), (9, "z"))
    assert shop.write(Assign(resource, (*resource.key, resource.fields["name"]), rows)).count == 2
    read = q.read(shop.catalog, "staff", where=q.within("id", 1, 3), columns=["name"])
    assert shop.rows(read).rows == [("a",), ("c",)]
    assert shop.write(Assign(resource, (*resource.key, resource.fields["name"]), ())).count == 0

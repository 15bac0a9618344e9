"""The PostgreSQL backend where it can go wrong by itself: connections, deadlines, races, and the bytes it makes."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from repositories.base import Limits, Repository, representation_tag
from repositories.encoding import outputs_encoder, records_encoder
from repositories.errors import (
    Conflict,
    DeadlineExceeded,
    PoolExhausted,
    PreconditionFailed,
    SchemaMismatch,
    Unavailable,
    ValueOutOfRange,
)
from repositories.query import ALL, Column, Output, Read, Selection
from repositories.schema import Catalog, Field, Generated, Resource
from repositories.sql import connections
from repositories.sql.repository import PostgresRepository
from repositories.writes import Delete, Insert
from tests import catalogs
from tests.catalogs import INT32
from tests.contract import queries as q
from tests.contract.samples import JSONS, LADDERS, product
from tests.patience import PAUSE
from tests.unit.sql_server import LIMITS, Connection, connection, database_url, emptied, opened

__all__ = ["connection", "database_url"]


@pytest.fixture
def shop(database_url: str, connection: Connection) -> Iterator[PostgresRepository]:
    emptied(connection)
    with opened(database_url, catalogs.shop()) as repository:
        yield repository
        assert repository.connections_in_use == 0


def names(repository: Repository, resource: str = "staff") -> list[object]:
    return [row[0] for row in repository.rows(q.read(repository.catalog, resource, columns=["name"])).rows]


def add(repository: Repository, *people: str) -> None:
    repository.write(q.insert(repository.catalog, "staff", *({"name": name} for name in people)))


def backends(connection: Connection) -> list[Any]:
    return connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'diglot' AND datname = current_database()"
    ).fetchall()


def kill(connection: Connection) -> None:
    """End every connection of the repository, and wait until the servers behind them are gone."""
    for (pid,) in backends(connection):
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def wait_for_lock(connection: Connection) -> None:
    """Wait until a connection of the repository waits for a lock."""
    while not connection.execute(
        "SELECT FROM pg_stat_activity WHERE application_name = 'diglot' AND wait_event_type = 'Lock'"
    ).fetchall():
        time.sleep(0.01)


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    with psycopg.connect(url) as holder:
        holder.execute(f"LOCK TABLE {table}".encode())
        yield
        holder.rollback()


# Bytes


def test_json_is_what_the_rows_encode_to(connection: Connection, database_url: str) -> None:
    emptied(connection)
    with opened(database_url, catalogs.lab()) as lab:
        odd = [-0.0, 1e20, 1e15, 1e-5, 123456789.125, 1e22, 5e-324]
        for name, ladder in {**LADDERS, "free": JSONS, "real": LADDERS["real"] + odd}.items():
            lab.write(q.insert(lab.catalog, "samples", *({name: value} for value in ladder)))
            if name != "free":
                lab.write(q.insert(lab.catalog, "samples", {f"{name}s": ladder}, {f"{name}s": []}))
        read = q.read(lab.catalog, "samples", count=True)
        outputs = read.selection.outputs
        encode = outputs_encoder(outputs, ())
        rows = lab.rows(read)
        assert rows.total == len(rows.rows) > 100
        assert lab.json(read).body == encode(rows.rows)
        assert lab.json(Read(read.selection, read.values)).body == encode(rows.rows)


def test_huge_numbers_in_json_stay_doubles(shop: PostgresRepository) -> None:
    notes = [1e19, -1e25, [1e300, 2**63 - 1, -(2**63)], {"a": 1e22}]
    shop.write(q.insert(shop.catalog, "products", *(product(i, notes=note) for i, note in enumerate(notes))))
    read = [row[0] for row in shop.rows(q.read(shop.catalog, "products", columns=["notes"])).rows]
    assert read == notes
    assert [type(value) for value in (*read[:2], *read[2], read[3]["a"])] == [float, float, float, int, int, float]


def test_a_negative_zero_in_json_is_written_as_zero(shop: PostgresRepository) -> None:
    note = [-0.0, {"a": -0.0}]
    shop.write(q.insert(shop.catalog, "products", product(1, notes=note)))
    document = shop.json(q.read(shop.catalog, "products", columns=["notes"]))
    assert document.body == records_encoder(["notes"], [catalogs.JSON])([(note,)]) == b'[{"notes":[0.0, {"a": 0.0}]}]'


def test_outputs_may_be_named_like_the_page(shop: PostgresRepository) -> None:
    add(shop, "Ann")
    staff = shop.catalog["staff"]
    outputs = tuple(Output(name, Column(staff.fields["name"])) for name in ("page", "diglot_written", 'q"%s\n'))
    expected = [{"page": "Ann", "diglot_written": "Ann", 'q"%s\n': "Ann"}]
    assert json.loads(shop.json(Read(Selection(staff, outputs))).body) == expected
    assert json.loads(shop.json(Read(Selection(staff, outputs), count=True)).body) == expected
    assert json.loads(shop.write(Delete(staff, ALL, (), outputs)).body) == expected


def test_a_total_without_a_page(shop: PostgresRepository) -> None:
    add(shop, "Ann", "Bob")
    for limit, offset in ((0, 0), (5, 9)):
        read = q.read(shop.catalog, "staff", limit=limit, offset=offset, count=True)
        document = shop.json(read)
        assert (document.body, document.count, document.total) == (b"[]", 0, 2)
        assert (shop.rows(read).rows, shop.rows(read).total) == ([], 2)


# Writes


def test_ten_thousand_records_in_one_statement(shop: PostgresRepository) -> None:
    staff = shop.catalog["staff"]
    rows = [(f"n{i}",) for i in range(10_000)]
    written = shop.write(Insert(staff, (staff.fields["name"],), rows, q.outputs(staff, ["id", "name"])))
    assert written.count == 10_000
    assert written.key is None
    assert [(row["id"], row["name"]) for row in json.loads(written.body)] == [(i + 1, f"n{i}") for i in range(10_000)]


def test_an_insert_of_nothing_and_of_records_without_fields(shop: PostgresRepository, database_url: str) -> None:
    staff = shop.catalog["staff"]
    assert shop.write(Insert(staff, (), [], q.outputs(staff))).body == b"[]"
    assert shop.write(Insert(staff, (), [])).body == b""
    numbers = Resource("numbers", {"id": Field("id", INT32, required=True, generated=Generated.SEQUENCE)}, ("id",))
    with opened(database_url, Catalog({"numbers": numbers})) as repository:
        assert repository.write(Insert(numbers, (), [()])).key == (1,)
        assert repository.write(Insert(numbers, (), [(), ()], q.outputs(numbers))).body == b'[{"id":2},{"id":3}]'


def test_a_sequence_that_has_run_out(connection: Connection, database_url: str) -> None:
    emptied(connection)
    numbers = Resource("numbers", {"id": Field("id", INT32, required=True, generated=Generated.SEQUENCE)}, ("id",))
    with opened(database_url, Catalog({"numbers": numbers})) as repository:
        repository.write(Insert(numbers, tuple(numbers.key), [(2**31 - 1,)]))
        repository.advance_sequences(numbers)
        with pytest.raises(ValueOutOfRange):
            repository.write(Insert(numbers, (), [()]))


def test_racing_upserts_create_once(shop: PostgresRepository) -> None:
    def put(number: int) -> bool:
        row = {"id": 1 + number // 8, "name": f"n{number}"}
        return shop.write(q.replace(shop.catalog, "staff", row)).created

    with ThreadPoolExecutor(4) as threads:
        created = list(threads.map(put, range(80)))
    assert created.count(True) == 10
    assert len(names(shop)) == 10


def test_racing_conditional_writers_do_not_lose_an_update(shop: PostgresRepository) -> None:
    add(shop, "Ann")
    outcomes = []
    for turn in range(10):
        body = shop.json(q.read(shop.catalog, "staff")).body[1:-1]
        expect = q.expectation(shop.catalog, "staff", representation_tag(body))
        gate = threading.Barrier(4)

        def write(name: str, gate: threading.Barrier = gate, expect: Any = expect) -> str:
            gate.wait()
            try:
                shop.write(q.update(shop.catalog, "staff", {"name": name}, q.eq("id", 1), expect=expect))
            except PreconditionFailed:
                return ""
            return name

        with ThreadPoolExecutor(4) as threads:
            done = [name for name in threads.map(write, [f"{turn}-{i}" for i in range(4)]) if name]
        outcomes.append(len(done))
        assert names(shop) == done
    assert outcomes == [1] * 10


def test_conditions_on_every_verb(shop: PostgresRepository) -> None:
    add(shop, "Ann")
    catalog, one = shop.catalog, q.eq("id", 1)
    tag = representation_tag(shop.json(q.read(catalog, "staff")).body[1:-1])
    right, wrong, any_ = (q.expectation(catalog, "staff", *tags) for tags in ((tag, "x"), ("x",), ()))
    for write in (
        q.update(catalog, "staff", {"name": "x"}, one, expect=wrong),
        q.delete(catalog, "staff", one, expect=wrong),
        q.replace(catalog, "staff", {"id": 1, "name": "x"}, expect=wrong),
        q.replace(catalog, "staff", {"id": 2, "name": "x"}, expect=any_),
        q.update(catalog, "staff", {"name": "x"}, q.eq("id", 2), expect=any_),
        q.delete(catalog, "staff", q.eq("id", 2), expect=any_),
    ):
        with pytest.raises(PreconditionFailed):
            shop.write(write)
    assert names(shop) == ["Ann"]
    replaced = shop.write(q.replace(catalog, "staff", {"id": 1, "name": "Bob"}, expect=right, returning=["name"]))
    assert (replaced.body, replaced.created, replaced.key) == (b'[{"name":"Bob"}]', False, (1,))
    assert shop.write(q.delete(catalog, "staff", one, expect=any_)).count == 1


def test_the_victim_of_a_deadlock_tries_again(shop: PostgresRepository, database_url: str) -> None:
    add(shop, "Ann", "Bob")
    with psycopg.connect(database_url) as other, ThreadPoolExecutor(1) as threads:
        other.execute("SET deadlock_timeout = '1min'")
        other.execute("UPDATE staff SET name = 'other' WHERE id = 2")
        writing = threads.submit(shop.write, q.update(shop.catalog, "staff", {"name": "x"}))
        wait_for_lock(other)
        other.execute("UPDATE staff SET name = 'other' WHERE id = 1")  # has to wait until the victim lets go
        other.commit()
        assert writing.result().count == 2
    assert names(shop) == ["x", "x"]


def test_a_conflict_without_end_is_told(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(*_: object) -> None:
        raise psycopg.errors.SerializationFailure

    with PostgresRepository(database_url, catalogs.shop(), Limits(statement_timeout=0.2)) as repository:
        monkeypatch.setattr(repository, "_attempt", always)
        started = time.monotonic()
        with pytest.raises(Conflict):
            repository.write(q.delete(repository.catalog, "staff"))
        assert 0.1 < time.monotonic() - started < PAUSE


def test_sequences_go_on_above_what_is_stored(shop: PostgresRepository) -> None:
    staff = shop.catalog["staff"]
    shop.advance_sequences(staff)
    add(shop, "one")
    shop.write(q.insert(shop.catalog, "staff", {"id": 41, "name": "imported"}))
    shop.advance_sequences(staff)
    add(shop, "two")
    shop.write(q.delete(shop.catalog, "staff"))
    shop.advance_sequences(staff)
    add(shop, "three")
    shop.advance_sequences(shop.catalog["products"])
    assert shop.rows(q.read(shop.catalog, "staff")).rows == [(43, "three", None)]


# Streams


def test_a_stream_is_of_one_moment_and_may_be_left(shop: PostgresRepository, connection: Connection) -> None:
    add(shop, *(str(i) for i in range(10)))
    with shop.stream(q.read(shop.catalog, "staff", columns=["name"]), batch=4) as batches:
        assert len(next(batches)) == 4
        connection.execute("DELETE FROM staff")
        assert [len(batch) for batch in batches] == [4, 2]
    add(shop, "Ann")
    with shop.stream(q.read(shop.catalog, "staff")) as batches:
        pass
    with pytest.raises(KeyError), shop.stream(q.read(shop.catalog, "staff")) as batches:
        raise KeyError
    assert connection.execute(
        "SELECT DISTINCT state FROM pg_stat_activity WHERE application_name = 'diglot'"
    ).fetchall() == [("idle",)]


def test_a_stream_whose_connection_dies(shop: PostgresRepository, connection: Connection) -> None:
    add(shop, *(str(i) for i in range(10)))
    with shop.stream(q.read(shop.catalog, "staff"), batch=4) as batches:
        next(batches)
        kill(connection)
        with pytest.raises(Unavailable):
            next(batches)
    assert len(names(shop)) == 10


# Connections and deadlines


def calls(repository: Repository) -> dict[str, Any]:
    catalog = repository.catalog
    read = q.read(catalog, "staff")

    def stream() -> None:
        with repository.stream(read) as batches:
            list(batches)

    return {
        "rows": lambda: repository.rows(read),
        "rows and count": lambda: repository.rows(q.read(catalog, "staff", count=True)),
        "json": lambda: repository.json(read),
        "json and count": lambda: repository.json(q.read(catalog, "staff", count=True)),
        "stream": stream,
        "insert": lambda: add(repository, "x"),
        "replace": lambda: repository.write(q.replace(catalog, "staff", {"id": 7, "name": "x"})),
        "update": lambda: repository.write(q.update(catalog, "staff", {"name": "x"})),
        "conditional": lambda: repository.write(q.delete(catalog, "staff", expect=q.expectation(catalog, "staff"))),
        "advance_sequences": lambda: repository.advance_sequences(catalog["staff"]),
        "schema_changes": repository.schema_changes,
        "apply_schema": repository.apply_schema,
        "ping": repository.ping,
    }


METHODS = sorted(calls(PostgresRepository("postgresql://", catalogs.shop(), LIMITS)))


@pytest.mark.parametrize("method", METHODS)
def test_without_a_server_everything_is_unavailable(method: str) -> None:
    with PostgresRepository("postgresql://127.0.0.1:1/none", catalogs.shop(), LIMITS) as repository:
        with pytest.raises(Unavailable):
            calls(repository)[method]()
        assert repository.connections_in_use == 0


@pytest.mark.parametrize("method", METHODS)
def test_idle_connections_that_died_are_replaced_unnoticed(
    shop: PostgresRepository, connection: Connection, method: str
) -> None:
    add(shop, "Ann")
    with shop._pool.connection(), shop._pool.connection(), shop._pool.connection():
        assert len(backends(connection)) == 3
    kill(connection)
    calls(shop)[method]()


def test_a_read_survives_the_death_of_its_connection(
    shop: PostgresRepository, connection: Connection, database_url: str
) -> None:
    add(shop, "Ann")
    with ThreadPoolExecutor(1) as threads, locked(database_url, "staff"):
        reading = threads.submit(names, shop)
        wait_for_lock(connection)
        kill(connection)
    assert reading.result() == ["Ann"]


def test_a_write_is_not_sent_twice(shop: PostgresRepository, connection: Connection, database_url: str) -> None:
    with ThreadPoolExecutor(1) as threads, locked(database_url, "staff"):
        writing = threads.submit(add, shop, "Ann")
        wait_for_lock(connection)
        kill(connection)
    with pytest.raises(Unavailable):
        writing.result()
    assert names(shop) == []


def test_a_busy_pool(shop: PostgresRepository) -> None:
    with shop._pool.connection(), shop._pool.connection(), shop._pool.connection(), shop._pool.connection():
        assert shop.connections_in_use == 4
        with pytest.raises(PoolExhausted):
            shop.ping()
    shop.ping()


def test_the_connection_used_last_is_used_next(shop: PostgresRepository) -> None:
    with shop._pool.connection() as first, shop._pool.connection() as second:
        assert first is not second
    for _ in range(3):
        with shop._pool.connection() as held:
            assert held is first
    with shop._pool.connection(), shop._pool.connection() as held:
        assert held is second


def test_statements_have_a_deadline(shop: PostgresRepository, connection: Connection, database_url: str) -> None:
    with (
        PostgresRepository(database_url, shop.catalog, Limits(statement_timeout=0.2)) as hasty,
        locked(database_url, "staff"),
    ):
        for method in ("rows", "json", "stream", "insert", "conditional", "rows and count"):
            with pytest.raises(DeadlineExceeded):
                calls(hasty)[method]()
        assert hasty.connections_in_use == 0
    add(shop, "Ann")


def test_a_server_that_stopped_answering(
    shop: PostgresRepository, connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "GRACE", 0.1)
    with PostgresRepository(database_url, shop.catalog, Limits(statement_timeout=0.3)) as repository:
        repository.ping()
        with repository._pool.connection() as held:
            pid = held.info.backend_pid
        os.kill(pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            with pytest.raises(DeadlineExceeded):
                repository.write(q.delete(repository.catalog, "staff"))
            assert time.monotonic() - started < PAUSE
            assert repository.connections_in_use == 0
        finally:
            os.kill(pid, signal.SIGCONT)
        repository.ping()


def test_tables_altered_under_a_prepared_statement(shop: PostgresRepository, connection: Connection) -> None:
    add(shop, "Ann")
    read = q.read(shop.catalog, "staff", columns=["id"])
    for _ in range(5):
        shop.rows(read)
    connection.execute("ALTER TABLE staff ALTER id TYPE integer")
    assert shop.rows(read).rows == [(1,)]


def test_a_closed_repository(database_url: str) -> None:
    repository = PostgresRepository(database_url, catalogs.shop(), LIMITS)
    with repository._pool.connection() as held:
        repository.close()
        repository.close()
    assert held.closed
    with pytest.raises(Unavailable):
        repository.ping()


def test_servers_that_can_never_serve(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with PostgresRepository(database_url, catalogs.shop(), LIMITS) as repository:
        monkeypatch.setattr("repositories.sql.repository._OLDEST_SERVER", 990000)
        with pytest.raises(SchemaMismatch):
            repository.ping()


def test_a_database_in_another_encoding(database_url: str, connection: Connection) -> None:
    connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        url = database_url.replace(connection.info.dbname, "latin")
        with PostgresRepository(url, catalogs.shop(), LIMITS) as repository, pytest.raises(SchemaMismatch):
            repository.ping()
    finally:
        connection.execute("DROP DATABASE latin WITH (FORCE)")

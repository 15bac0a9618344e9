"""Tables brought to the catalog's: what is made, altered, kept and dropped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import RFC_4122, UUID

import pytest

from repositories.errors import SchemaMismatch
from repositories.schema import (
    Catalog,
    Field,
    Generated,
    Index,
    Kind,
    OnDelete,
    Reference,
    Resource,
    Type,
    Unique,
)
from repositories.sql.repository import PostgresRepository
from tests import catalogs
from tests.catalogs import BOOLEAN, DATE, DOUBLE, INSTANT, INT32, INT64, JSON, TEXT, TEXTS
from tests.unit.sql_server import LIMITS, Connection, connection, database_url, emptied

__all__ = ["connection", "database_url"]

ID = Field("id", INT64, required=True)
MONEY = Type(Kind.DECIMAL, precision=8, scale=2)


def table(name: str, *fields: Field, key: tuple[str, ...] = ("id",), **rest: Any) -> Resource:
    return Resource(name, {field.name: field for field in (ID, *fields)}, key, **rest)


def catalog(*resources: Resource) -> Catalog:
    return Catalog({resource.name: resource for resource in resources})


class Database:
    """A database without tables, and the ways to change it."""

    def __init__(self, url: str, connection: Connection) -> None:
        self.url, self.connection = url, connection
        emptied(connection)

    def apply(self, *resources: Resource, destructive: bool = False) -> list[str]:
        """The summaries of what was done; a second time there is nothing to do."""
        with PostgresRepository(self.url, catalog(*resources), LIMITS) as repository:
            planned = repository.schema_changes()
            applied = repository.apply_schema(destructive)
            assert applied == [change for change in planned if destructive or not change.destructive]
            left = repository.schema_changes()
            assert left == [change for change in planned if change.destructive and not destructive]
        return [change.summary for change in applied]

    def planned(self, *resources: Resource) -> list[tuple[str, bool]]:
        with PostgresRepository(self.url, catalog(*resources), LIMITS) as repository:
            return [(change.summary, change.destructive) for change in repository.schema_changes()]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def database(database_url: str, connection: Connection) -> Database:
    return Database(database_url, connection)


@pytest.mark.parametrize("make", [catalogs.shop, catalogs.lab])
def test_a_whole_catalog_is_made_once(database: Database, make: Any) -> None:
    resources = list(make())
    assert len(database.apply(*resources)) > len(resources)
    assert database.apply(*resources, destructive=True) == []


def test_two_services_may_apply_at_once(database: Database) -> None:
    def apply(_: int) -> int:
        with PostgresRepository(database.url, catalogs.shop(), LIMITS) as repository:
            return len(repository.apply_schema())

    with ThreadPoolExecutor(4) as threads:
        counts = sorted(threads.map(apply, range(4)))
    assert counts[:3] == [0, 0, 0]
    assert counts[3] > 0


def test_awkward_names_and_values(database: Database) -> None:
    odd = Field("a'%d:b", Type(Kind.STRING, enum=("it's", "100%", "a:b", "\\", '"')), default="100%")
    thing = table("order", odd, Field("position", INT32), Field("end", TEXTS, default=['a"b', "\\", "{}", "", "NULL"]))
    database.apply(thing)
    database.run('INSERT INTO "order" (id) VALUES (1)')
    assert database.run('SELECT * FROM "order"') == [(1, "100%", None, ['a"b', "\\", "{}", "", "NULL"])]


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        (TEXT, "x"),
        (BOOLEAN, False),
        (INT32, -1),
        (DOUBLE, 1e-7),
        (MONEY, Decimal("1.50")),
        (DATE, date(1, 1, 1)),
        (INSTANT, datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)),
        (Type(Kind.UUID), UUID(int=7)),
        (TEXTS, []),
        (Type(Kind.ARRAY, items=INSTANT), [datetime(2026, 1, 2, tzinfo=UTC)]),
        (JSON, {"a'": [1, None, 0.5]}),
        (JSON, "text"),
    ],
)
def test_a_new_field_with_a_default_reaches_old_records(database: Database, kind: Type, default: object) -> None:
    database.apply(table("t"))
    database.run("INSERT INTO t VALUES (1), (2)")
    database.apply(table("t", Field("new", kind, required=True, default=default)))
    assert database.run("SELECT new FROM t") == [(default,), (default,)]


def test_new_generated_fields_reach_old_records(database: Database) -> None:
    database.apply(table("t"))
    database.run("INSERT INTO t VALUES (1), (2)")
    database.apply(
        table(
            "t",
            Field("token", Type(Kind.UUID), required=True, generated=Generated.UUID7),
            Field("at", INSTANT, generated=Generated.NOW),
            Field("number", INT32, required=True, generated=Generated.SEQUENCE),
        )
    )
    (one, at, _), (two, _, _) = rows = database.run("SELECT token, at, number FROM t ORDER BY id")
    assert one != two
    assert {one.version, two.version} == {7}
    assert one.variant == RFC_4122
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    assert at.microsecond % 1000 == 0
    assert abs((one.int >> 80) - at.timestamp() * 1000) < 60_000
    assert [row[2] for row in rows] == [1, 2]
    database.run("INSERT INTO t (id, token) VALUES (3, gen_random_uuid())")
    assert database.run("SELECT at, number FROM t WHERE id = 3") == [(None, 3)]


def test_a_new_required_field_without_a_default(database: Database) -> None:
    database.apply(table("t"))
    required = table("t", Field("other", TEXT), Field("new", TEXT, required=True))
    database.run("INSERT INTO t VALUES (1)")
    with PostgresRepository(database.url, catalog(required), LIMITS) as repository:
        with pytest.raises(SchemaMismatch) as raised:
            repository.apply_schema()
        assert "t: add column new" in str(raised.value)
        assert "default" in str(raised.value.hint)
        assert [change.summary for change in repository.schema_changes()] == [
            "t: add column other",
            "t: add column new",
        ]
        database.run("DELETE FROM t")
        assert len(repository.apply_schema()) == 2


def test_types_widen_without_being_asked(database: Database) -> None:
    narrow = (
        Field("a", INT32),
        Field("b", MONEY),
        Field("c", Type(Kind.STRING, max_length=3)),
        Field("d", INT32, default=1),
    )
    wide = (
        Field("a", INT64),
        Field("b", Type(Kind.DECIMAL, precision=12, scale=4)),
        Field("c", Type(Kind.STRING, max_length=9)),
        Field("d", INT64, default=2**40),
    )
    database.apply(table("t", *narrow))
    database.run("INSERT INTO t VALUES (1, 2, 3.25, 'abc')")
    applied = database.apply(table("t", *wide))
    assert "t: change column a from integer to bigint" in applied
    assert database.run("SELECT * FROM t") == [(1, 2, Decimal("3.2500"), "abc", 1)]
    database.run("INSERT INTO t VALUES (2, 5000000000, 4, 'abcdef')")
    assert database.run("SELECT d FROM t WHERE id = 2") == [(2**40,)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (INT64, INT32),
        (MONEY, Type(Kind.DECIMAL, precision=8, scale=4)),
        (MONEY, Type(Kind.DECIMAL, precision=8, scale=1)),
        (TEXT, INT32),
        (INSTANT, DATE),
        (TEXTS, Type(Kind.ARRAY, items=INT64)),
    ],
)
def test_types_narrow_on_demand_only(database: Database, old: Type, new: Type) -> None:
    database.apply(table("t", Field("a", old)))
    changed = table("t", Field("a", new))
    assert any(destructive for _, destructive in database.planned(changed))
    before = database.run("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'a'")
    with PostgresRepository(database.url, catalog(changed), LIMITS) as repository:
        repository.apply_schema(destructive=True)
        assert repository.schema_changes() == []
    assert database.run("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'a'") != before


def test_a_narrower_type_that_does_not_hold_what_is_there(database: Database) -> None:
    database.apply(table("t", Field("a", TEXT)))
    database.run("INSERT INTO t VALUES (1, 'words')")
    with pytest.raises(SchemaMismatch, match="change column a from text"):
        database.apply(table("t", Field("a", INT32)), destructive=True)
    assert database.run("SELECT a FROM t") == [("words",)]


def test_nulls_and_defaults_come_and_go(database: Database) -> None:
    database.apply(table("t", Field("a", TEXT)))
    assert database.apply(table("t", Field("a", TEXT, required=True, default="x"))) == [
        "t: change the default of a",
        "t: require a",
    ]
    database.run("INSERT INTO t VALUES (1)")
    assert database.apply(table("t", Field("a", TEXT))) == ["t: change the default of a", "t: let a be null"]


def test_a_field_starts_and_stops_counting(database: Database) -> None:
    database.apply(table("t"))
    database.run("INSERT INTO t VALUES (7)")
    counted = replace(ID, generated=Generated.SEQUENCE)
    assert database.apply(Resource("t", {"id": counted}, ("id",))) == ["t: count id"]
    database.run("INSERT INTO t DEFAULT VALUES")
    assert database.run("SELECT max(id) FROM t") == [(8,)]
    assert database.apply(table("t")) == ["t: let id be counted no more"]


def test_a_serial_column_of_others_becomes_ours(database: Database) -> None:
    database.run("CREATE TABLE t (id bigserial, CONSTRAINT t_pkey PRIMARY KEY (id))")
    counted = Resource("t", {"id": replace(ID, generated=Generated.SEQUENCE)}, ("id",))
    assert database.apply(counted) == ["t: change the default of id", "t: count id"]
    database.run("INSERT INTO t DEFAULT VALUES")
    assert database.run("SELECT id FROM t") == [(1,)]


def test_constraints_come_change_and_go(database: Database) -> None:
    other = table("o", Field("code", TEXT), uniques=(Unique("o_code_key", ("code",)),))
    bare = table("t", Field("code", TEXT), Field("n", INT32))
    database.apply(other, bare)
    refers = Reference("o", "t_code_fkey", ("code",), "o", ("code",))
    full = table(
        "t",
        Field("code", TEXT),
        Field("n", Type(Kind.INT32, minimum=1)),
        references=(refers,),
        uniques=(Unique("t_n_key", ("n",)),),
        indexes=(Index("t_n_code_idx", (("n", False), ("code", True))),),
    )
    assert database.apply(other, full) == [
        "t: add constraint t_n_check",
        "t: add constraint t_n_key",
        "t: create index t_code_idx",
        "t: create index t_n_code_idx",
        "t: add constraint t_code_fkey",
    ]
    changed = table(
        "t",
        Field("code", TEXT),
        Field("n", Type(Kind.INT32, minimum=0)),
        references=(replace(refers, on_delete=OnDelete.CASCADE),),
        uniques=full.uniques,
        indexes=(Index("t_n_code_idx", (("n", True), ("code", True))),),
    )
    assert database.apply(other, changed) == [
        "t: drop constraint t_code_fkey, to be made anew",
        "t: drop constraint t_n_check, to be made anew",
        "t: drop index t_n_code_idx, to be made anew",
        "t: add constraint t_n_check",
        "t: create index t_n_code_idx",
        "t: add constraint t_code_fkey",
    ]
    assert database.apply(other, bare) == []
    assert sorted(database.apply(other, bare, destructive=True)) == [
        "t: drop constraint t_code_fkey",
        "t: drop constraint t_n_check",
        "t: drop constraint t_n_key",
        "t: drop index t_code_idx",
        "t: drop index t_n_code_idx",
    ]


def test_a_rule_that_the_records_break_changes_nothing(database: Database) -> None:
    database.apply(table("t", Field("a", TEXT)))
    database.run("INSERT INTO t VALUES (1, 'x'), (2, 'x')")
    ruled = table("t", Field("a", TEXT), Field("b", TEXT), uniques=(Unique("t_a_key", ("a",)),))
    with PostgresRepository(database.url, catalog(ruled), LIMITS) as repository:
        with pytest.raises(SchemaMismatch, match="add constraint t_a_key") as raised:
            repository.apply_schema()
        assert "23505" in str(raised.value.details)
        assert len(repository.schema_changes()) == 2


def test_columns_and_tables_leave_on_demand(database: Database) -> None:
    refers = Reference("o", "t_o_id_fkey", ("o_id",), "o", ("id",))
    back = Reference("t", "o_t_id_fkey", ("t_id",), "t", ("id",))
    database.apply(
        table("o", Field("t_id", INT64), references=(back,)), table("t", Field("o_id", INT64), references=(refers,))
    )
    database.apply(table("k", Field("a", TEXT, required=True), Field("b", TEXT)))
    database.run("INSERT INTO k VALUES (1, 'x')")
    assert database.planned(table("k", Field("b", TEXT))) == [
        ("k: let a be null, which is no field any more", False),
        ("k: drop column a", True),
        ("drop table o, t", True),
    ]
    with PostgresRepository(database.url, catalog(table("k", Field("b", TEXT))), LIMITS) as repository:
        repository.apply_schema()
        database.run("INSERT INTO k VALUES (2)")
        assert len(repository.apply_schema(destructive=True)) == 2
        assert repository.schema_changes() == []
    assert database.run("SELECT * FROM k") == [(1, None), (2, None)]
    assert database.run("SELECT relname FROM pg_class WHERE relname IN ('o', 't')") == []


def test_tables_of_others_are_left_alone(database: Database) -> None:
    database.run("CREATE TABLE theirs (a int); COMMENT ON TABLE theirs IS 'not ours'")
    database.run("CREATE TABLE t (id bigint CONSTRAINT pk PRIMARY KEY, extra text CHECK (extra <> ''))")
    database.run("CREATE INDEX extra_idx ON t (extra)")
    assert database.apply(table("t", Field("a", TEXT)), destructive=True) == [
        "t: add column a",
        "t: rename constraint pk to t_pkey",
    ]
    assert database.run("SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'") == [
        ("t_extra_check",)
    ]


def test_a_view_in_a_tables_place_is_told(database: Database) -> None:
    database.run("CREATE VIEW t AS SELECT 1 AS id")
    with pytest.raises(SchemaMismatch, match="t: create table"):
        database.apply(table("t"))


def test_keys_change(database: Database) -> None:
    code = Field("code", TEXT, required=True)
    database.apply(table("t", code))
    assert database.apply(table("t", code, key=("id", "code"))) == [
        "t: drop constraint t_pkey, to be made anew",
        "t: add constraint t_pkey",
    ]

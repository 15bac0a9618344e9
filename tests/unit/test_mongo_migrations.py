"""Schema changes on MongoDB: what is listed, what is done, what is refused; and validators that hold others to it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pymongo import MongoClient
from pymongo.errors import WriteError

from repositories.base import Limits
from repositories.errors import CheckViolation, SchemaMismatch, UniqueViolation
from repositories.mongo import locks
from repositories.mongo.documents import CODEC
from repositories.mongo.repository import MongoRepository
from repositories.mongo.validators import validator
from repositories.schema import Catalog, Field, Generated, Index, Kind, Resource, Type, Unique
from tests.catalogs import shop
from tests.contract import queries
from tests.servers import with_database

DATABASE = "diglot_test_migrations"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = Field("id", Type(Kind.INT64), required=True, generated=Generated.SEQUENCE)
NAME = Field("name", Type(Kind.STRING, max_length=10), required=True)


@pytest.fixture
def database(mongodb_url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        yield client.get_database(DATABASE, codec_options=CODEC)
        client.drop_database(DATABASE)


class Steps:
    """One resource's declarations, one after the other, each with a repository of its own."""

    def __init__(self, url: str) -> None:
        self._url = with_database(url, DATABASE)

    def to(self, *fields: Field, **rest: Any) -> MongoRepository:
        resource = Resource("things", {field.name: field for field in (KEY, *fields)}, ("id",), **rest)
        return MongoRepository(self._url, Catalog({"things": resource}), Limits())

    def apply(self, *fields: Field, destructive: bool = False, **rest: Any) -> list[str]:
        """What was done, in short."""
        with self.to(*fields, **rest) as repository:
            listed = repository.schema_changes()
            done = repository.apply_schema(destructive)
            assert done == [change for change in listed if destructive or not change.destructive]
            assert repository.schema_changes() == [change for change in listed if change not in done]
            return [change.summary for change in done]

    def changes(self, *fields: Field, **rest: Any) -> list[tuple[str, bool]]:
        with self.to(*fields, **rest) as repository:
            return [(change.summary, change.destructive) for change in repository.schema_changes()]


@pytest.fixture
def steps(mongodb_url: str, database: Any) -> Steps:
    return Steps(mongodb_url)


def test_a_new_database(mongodb_url: str, database: Any) -> None:
    with MongoRepository(with_database(mongodb_url, DATABASE), shop(), Limits()) as repository:
        changes = repository.schema_changes()
        assert not any(change.destructive for change in changes)
        assert repository.apply_schema() == changes
        assert repository.schema_changes() == []
        assert repository.apply_schema() == []
        assert repository.apply_schema(destructive=True) == []
    assert set(database.list_collection_names()) >= {"products", "lines", "_diglot_schema", "_diglot_locks"}
    assert database[locks.COLLECTION].count_documents({}) == locks.STRIPES * locks.LANES
    indexes = database.products.index_information()
    assert indexes["products_sku_key"]["unique"]
    assert indexes["products_category_id_price_idx"]["key"] == [("category_id", 1), ("price", -1), ("_id", 1)]
    # The index on (category_id, price) serves the reference, too.
    assert "products_category_id_idx" not in indexes
    assert database.lines.index_information()["lines_order_id_idx"]["key"] == [("_id.order_id", 1), ("_id", 1)]


def test_statements_can_be_typed_into_mongosh(mongodb_url: str, database: Any) -> None:
    with MongoRepository(with_database(mongodb_url, DATABASE), shop(), Limits()) as repository:
        statements = {change.summary: change.statement for change in repository.schema_changes()}
    assert statements["create unique index categories_name_key on categories"] == (
        'db.runCommand({"createIndexes": "categories", "indexes": '
        '[{"key": {"name": 1}, "name": "categories_name_key", "unique": true}]})'
    )
    assert statements["create collection staff"].startswith('db.runCommand({"create": "staff", "validator": {')


def test_two_services_at_once(mongodb_url: str, database: Any) -> None:
    url = with_database(mongodb_url, DATABASE)
    with MongoRepository(url, shop(), Limits()) as one, MongoRepository(url, shop(), Limits()) as other:
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(each.apply_schema) for each in (one, other)]:
                done.result()
        assert one.schema_changes() == []
        assert other.rows(queries.read(other.catalog, "products")).rows == []


def test_new_fields_reach_old_records(steps: Steps, database: Any) -> None:
    steps.apply(NAME)
    database.things.insert_many([{"_id": number, "name": "x"} for number in (1, 2)])
    before = datetime.now(UTC).replace(tzinfo=None)
    done = steps.apply(
        NAME,
        Field("stock", Type(Kind.INT32), required=True, default=7),
        Field("tags", Type(Kind.ARRAY, items=Type(Kind.STRING)), default=["a"]),
        Field("uid", Type(Kind.UUID), required=True, generated=Generated.UUID7),
        Field("made", Type(Kind.DATETIME), required=True, generated=Generated.NOW),
        Field("number", Type(Kind.INT32), required=True, generated=Generated.SEQUENCE),
        Field("plain", Type(Kind.STRING)),
        uniques=(Unique("things_uid_key", ("uid",)),),
    )
    assert [summary for summary in done if summary.startswith("fill")] == [
        f"fill things.{name} of the records there are" for name in ("stock", "tags", "uid", "made", "number")
    ]
    first, second = database.things.find(sort=[("_id", 1)])
    assert (first["stock"], first["tags"], first["number"]) == (7, ["a"], 1)
    assert (second["stock"], second["tags"], second["number"]) == (7, ["a"], 2)
    assert isinstance(first["uid"], UUID)
    assert first["uid"] != second["uid"]
    assert (first["made"] - before).total_seconds() < 60
    assert first["made"].microsecond % 1000 == 0
    assert "plain" not in first


def test_a_new_required_field_without_a_default(steps: Steps, database: Any) -> None:
    steps.apply(NAME)
    required = Field("code", Type(Kind.STRING), required=True)
    database.things.insert_one({"_id": 1, "name": "x"})
    with pytest.raises(SchemaMismatch) as error:
        steps.apply(NAME, required)
    assert (error.value.resource, error.value.fields) == ("things", ("code",))
    database.things.delete_many({})
    steps.apply(NAME, required)
    with pytest.raises(WriteError):
        database.things.insert_one({"_id": 1, "name": "x"})


@pytest.mark.parametrize(
    "wider",
    [
        replace(NAME, type=replace(NAME.type, max_length=20)),
        replace(NAME, type=replace(NAME.type, max_length=None)),
        replace(NAME, required=False),
    ],
)
def test_widening_is_additive(steps: Steps, database: Any, wider: Field) -> None:
    steps.apply(NAME)
    assert steps.changes(wider) == [("let collection things take the declared fields", False)]
    steps.apply(wider)
    assert steps.changes(NAME) == [("narrow what collection things takes: name", True)]


def test_narrowing_is_destructive_and_leaves_the_rest_to_be_applied(steps: Steps, database: Any) -> None:
    steps.apply(NAME)
    shorter = replace(NAME, type=replace(NAME.type, max_length=5))
    more = Field("more", Type(Kind.INT32))
    assert steps.apply(shorter, more) == ["let collection things take the declared fields"]
    with pytest.raises(WriteError):
        database.things.insert_one({"_id": 1, "name": "x", "more": "not a number"})
    database.things.insert_one({"_id": 1, "name": "123456"})
    with pytest.raises(SchemaMismatch, match="name"):
        steps.apply(shorter, more, destructive=True)
    database.things.delete_many({})
    assert steps.apply(shorter, more, destructive=True) == ["narrow what collection things takes: name"]
    with pytest.raises(WriteError):
        database.things.insert_one({"_id": 1, "name": "123456"})


def test_another_type(steps: Steps, database: Any) -> None:
    steps.apply(NAME, Field("n", Type(Kind.INT32)))
    database.things.insert_one({"_id": 1, "name": "x", "n": 5})
    assert steps.changes(NAME, Field("n", Type(Kind.INT64))) == [
        ("let collection things take the declared fields", False)
    ]
    assert steps.changes(NAME, Field("n", Type(Kind.STRING))) == [("narrow what collection things takes: n", True)]
    with pytest.raises(SchemaMismatch, match='"n"'):
        steps.apply(NAME, Field("n", Type(Kind.STRING)), destructive=True)
    assert database.things.find_one({"_id": 1})["n"] == 5


def test_dropped_fields_and_indexes(steps: Steps, database: Any) -> None:
    old = Field("old", Type(Kind.INT32))
    steps.apply(NAME, old, indexes=(Index("things_old_idx", (("old", True),)),))
    database.things.insert_one({"_id": 1, "name": "x", "old": 5})
    database.things.create_index("foreign")
    assert steps.changes(NAME) == [
        ("let collection things take the declared fields", False),
        ("drop index things_old_idx", True),
        ("drop field things.old", True),
    ]
    steps.apply(NAME)
    assert database.things.find_one() == {"_id": 1, "name": "x", "old": 5}
    steps.apply(NAME, destructive=True)
    assert database.things.find_one() == {"_id": 1, "name": "x"}
    assert set(database.things.index_information()) == {"_id_", "foreign_1"}


def test_a_dropped_resource(steps: Steps, mongodb_url: str, database: Any) -> None:
    steps.apply(NAME)
    database.foreign.insert_one({})
    with MongoRepository(with_database(mongodb_url, DATABASE), Catalog({}), Limits()) as repository:
        assert [change.summary for change in repository.apply_schema()] == []
        assert [change.summary for change in repository.apply_schema(destructive=True)] == ["drop collection things"]
        assert repository.schema_changes() == []
    assert "foreign" in database.list_collection_names()
    assert "things" not in database.list_collection_names()


def test_a_collection_of_others_is_adopted(steps: Steps, database: Any) -> None:
    database.things.insert_one({"_id": 1, "name": "x", "extra": 1})
    database.things.create_index([("name", 1), ("_id", 1)], name="theirs")
    done = steps.apply(NAME, indexes=(Index("things_name_idx", (("name", False),)),))
    assert done == [
        "create the collections of locks, sequences, names and schema memory",
        "let collection things take the declared fields",
    ]
    assert steps.changes(NAME) == []
    assert database.things.find_one() == {"_id": 1, "name": "x", "extra": 1}


def test_an_adopted_collection_must_fit(steps: Steps, database: Any) -> None:
    database.things.insert_one({"_id": 1, "name": 5})
    with pytest.raises(SchemaMismatch, match='"name"'):
        steps.apply(NAME)


def test_an_index_of_the_same_name_is_made_anew(steps: Steps, database: Any) -> None:
    steps.apply(NAME, indexes=(Index("x", (("name", False),)),))
    assert steps.apply(NAME, indexes=(Index("x", (("name", True),)),)) == [
        "drop index x, to make it anew",
        "create index x on things",
    ]
    assert database.things.index_information()["x"]["key"] == [("name", -1), ("_id", 1)]


def test_a_unique_set_that_the_records_break(steps: Steps, database: Any) -> None:
    steps.apply(NAME)
    database.things.insert_many([{"_id": number, "name": "x"} for number in (1, 2)])
    with pytest.raises(UniqueViolation) as error:
        steps.apply(NAME, uniques=(Unique("things_name_key", ("name",)),))
    assert error.value.fields == ("name",)


def test_another_primary_key_is_refused(steps: Steps, mongodb_url: str, database: Any) -> None:
    steps.apply(NAME)
    resource = Resource("things", {"id": KEY, "name": NAME}, ("name",))
    with MongoRepository(with_database(mongodb_url, DATABASE), Catalog({"things": resource}), Limits()) as repository:
        with pytest.raises(SchemaMismatch):
            repository.schema_changes()
        with pytest.raises(SchemaMismatch):
            repository.apply_schema(destructive=True)


def test_a_view_is_no_collection(steps: Steps, database: Any) -> None:
    database.command({"create": "things", "viewOn": "other", "pipeline": []})
    with pytest.raises(SchemaMismatch):
        steps.apply(NAME)


VALID = {
    "sku": "A",
    "name": "x",
    "price": 1,
    "stock": 0,
    "views": 2**40,
    "tags": ["a"],
    "attributes": {"$a": {"b.c": None}},
    "notes": [None, 1],
    "extra": 1,
}


@pytest.mark.parametrize(
    ("change", "is_valid"),
    [
        ({}, True),
        ({"stock": None, "tags": None, "attributes": None, "notes": None}, True),
        ({"name": None}, False),
        ({"name": "x" * 200}, True),
        ({"name": "x" * 201}, False),
        ({"price": -1}, False),
        ({"price": "1"}, False),
        ({"weight": float("nan")}, False),
        ({"weight": float("inf")}, False),
        ({"weight": 5}, True),
        ({"stock": -1}, False),
        ({"stock": 2**31}, False),
        ({"stock": 1.5}, False),
        ({"tags": "a"}, False),
        ({"tags": ["a", None]}, False),
        ({"attributes": []}, False),
        ({"released": "2026-01-01"}, False),
        ({"active": 1}, False),
    ],
)
def test_the_validator_holds_other_writers(database: Any, change: dict[str, Any], is_valid: bool) -> None:
    rules = validator(shop()["products"])
    database.command({"create": "products", "validator": rules}, codec_options=CODEC)
    record = {"_id": UUID(int=1), **VALID, **change}
    if is_valid:
        database.products.insert_one(record)
    else:
        with pytest.raises(WriteError):
            database.products.insert_one(record)


def test_a_refusal_reaches_the_client_in_the_ports_words(mongodb_url: str, database: Any) -> None:
    """The planner lets none pass; a validator may have been made stricter by others."""
    with MongoRepository(with_database(mongodb_url, DATABASE), shop(), Limits()) as repository:
        repository.apply_schema()
        with pytest.raises(CheckViolation) as error:
            repository.write(queries.insert(repository.catalog, "orders", {"status": "lost", "placed_at": NOW}))
        assert (error.value.resource, error.value.fields) == ("orders", ("status",))

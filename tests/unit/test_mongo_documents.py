"""Records as documents: what is stored, and what is read of documents that others have written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import bson
import mongomock
import pytest
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from pymongo import MongoClient

from repositories.base import Limits
from repositories.errors import SchemaMismatch
from repositories.mongo.documents import CODEC, decoder, document, identifier, path, writer
from repositories.mongo.repository import MongoRepository
from repositories.schema import Field, Kind, Resource, Shape, Type
from tests.catalogs import shop
from tests.contract import queries
from tests.servers import with_database

SHOP = shop()
NOW = datetime(2026, 1, 31, 9, 30, 0, 120000, UTC)
RECORD: dict[str, Any] = {
    "id": UUID(int=7),
    "sku": "A",
    "name": "ä",
    "price": Decimal("1.50"),
    "weight": 2.0,
    "stock": 3,
    "views": 2**40,
    "active": True,
    "tags": ["x"],
    "sizes": [1, 2**40],
    "attributes": {"b": 1, "aa": [{"$a": None}], "": 1, "a.b": 2},
    "notes": None,
    "released": date(2026, 1, 31),
    "created_at": NOW,
    "category_id": None,
}


def stored(record: dict[str, Any]) -> dict[str, Any]:
    fields = SHOP["products"].fields
    return document(SHOP["products"], {name: writer(fields[name].type)(value) for name, value in record.items()})


def read(resource: Resource, found: dict[str, Any]) -> dict[str, Any]:
    """What is read of the document when it has been through BSON."""
    through: dict[str, Any] = bson.decode(bson.encode(found, codec_options=CODEC), codec_options=CODEC)
    [row] = decoder(resource, list(resource.fields.values()))([through])
    return dict(zip(resource.fields, row, strict=True))


def exact(value: Any) -> Any:
    """The value with its type, at every depth."""
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    return type(value), repr(value)


def test_idiomatic_bson() -> None:
    found = stored(RECORD)
    assert list(found)[:2] == ["_id", "sku"]
    assert "id" not in found
    assert found["price"] == Decimal128("1.50")
    assert found["released"] == datetime(2026, 1, 31, tzinfo=UTC)
    assert found["notes"] is None
    raw = bson.decode(bson.encode(found, codec_options=CODEC))
    assert (raw["_id"].subtype, raw["_id"]) == (4, Binary(UUID(int=7).bytes, 4))
    assert list(raw["attributes"]) == ["", "b", "aa", "a.b"]


def test_back_and_forth() -> None:
    assert exact(read(SHOP["products"], stored(RECORD))) == exact(RECORD)


def test_through_a_collection() -> None:
    """The mapping alone, on a store in memory."""
    collection: Any = mongomock.MongoClient().db.products
    found = {**stored(RECORD), "price": None, "_id": 1}
    collection.insert_one(found)
    [row] = decoder(SHOP["products"], [SHOP["products"].fields["name"]])(list(collection.find()))
    assert row == ("ä",)


def test_a_composite_key_is_a_sub_document() -> None:
    lines = SHOP["lines"]
    found = document(lines, {"position": 2, "order_id": 1, "quantity": 5})
    assert found == {"_id": {"order_id": 1, "position": 2}, "product_id": None, "quantity": 5}
    assert list(found["_id"]) == ["order_id", "position"]
    assert identifier(lines, {"position": 2, "order_id": 1}) == {"order_id": 1, "position": 2}
    assert path(lines, lines.fields["position"]) == "_id.position"
    assert read(lines, found) == {"order_id": 1, "position": 2, "product_id": None, "quantity": 5}


def test_missing_members_are_null() -> None:
    products = SHOP["products"]
    assert read(products, {"_id": UUID(int=1)}) == {**dict.fromkeys(products.fields), "id": UUID(int=1)}


def column(kind: Type, value: Any) -> Any:
    field = Field("x", kind)
    return read(Resource("r", {"x": field}, ("id",)), {"_id": 1, "x": value})["x"]


PRICE = Type(Kind.DECIMAL, precision=34, scale=2)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Type(Kind.DOUBLE), 5, 5.0),
        (Type(Kind.DOUBLE), Int64(5), 5.0),
        (Type(Kind.DOUBLE), Decimal128("0.5"), 0.5),
        (Type(Kind.INT64), 5.0, 5),
        (Type(Kind.INT64), Int64(5), 5),
        (Type(Kind.INT32), Decimal128("5.0"), 5),
        (PRICE, Decimal128("1.5"), Decimal("1.50")),
        (PRICE, Decimal128("1.500"), Decimal("1.50")),
        (PRICE, Decimal128("1.505"), Decimal("1.51")),
        (PRICE, Decimal128("15E+3"), Decimal("15000.00")),
        (PRICE, Decimal128("-0.01"), Decimal("-0.01")),
        (PRICE, Decimal128("-0.00"), Decimal("0.00")),
        (PRICE, Decimal128("9" * 32 + ".99"), Decimal("9" * 32 + ".99")),
        (PRICE, Decimal128("-" + "9" * 34), Decimal("-" + "9" * 34 + ".00")),
        (PRICE, 5, Decimal("5.00")),
        (PRICE, 0.1, Decimal("0.10")),
        (Type(Kind.DATE), datetime(2026, 1, 31, 23, 59), date(2026, 1, 31)),
        (Type(Kind.ARRAY, items=Type(Kind.DOUBLE)), [1, 2.5], [1.0, 2.5]),
        (Type(Kind.ARRAY, items=PRICE), [Decimal128("1")], [Decimal("1.00")]),
        (Type(Kind.ARRAY, items=Type(Kind.DATETIME)), [datetime(2026, 1, 1)], [datetime(2026, 1, 1, tzinfo=UTC)]),
        (Type(Kind.JSON), Int64(5), 5),
        (Type(Kind.JSON), [Int64(5), 5.0, True, None], [5, 5.0, True, None]),
        (Type(Kind.JSON), {"a": {"$ref": "x", "$id": Int64(1), "y": 2}}, {"a": {"$ref": "x", "$id": 1, "y": 2}}),
        (Type(Kind.JSON), {"at": datetime(2026, 1, 31, 9, 30)}, {"at": "2026-01-31T09:30:00+00:00"}),
        (Type(Kind.JSON), ObjectId("0123456789abcdef01234567"), "0123456789abcdef01234567"),
        (Type(Kind.JSON), UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Type(Kind.JSON), Decimal128("1.5"), 1.5),
    ],
)
def test_what_others_have_written(kind: Type, value: Any, expected: Any) -> None:
    assert exact(column(kind, value)) == exact(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Type(Kind.STRING), 5),
        (Type(Kind.STRING), ["x"]),
        (Type(Kind.UUID), "00000000-0000-0000-0000-000000000001"),
        (Type(Kind.UUID), Binary(b"x" * 16, 3)),
        (Type(Kind.DATE), "2026-01-01"),
        (Type(Kind.DATETIME), 5),
        (Type(Kind.INT64), 1.5),
        (Type(Kind.INT64), True),
        (Type(Kind.INT64), "5"),
        (Type(Kind.INT64), float("inf")),
        (Type(Kind.DOUBLE), float("nan")),
        (Type(Kind.DOUBLE), True),
        (PRICE, Decimal128("NaN")),
        (PRICE, Decimal128("Infinity")),
        (PRICE, Decimal128("1E+6000")),
        (PRICE, float("nan")),
        (PRICE, "1.50"),
        (Type(Kind.BOOLEAN), 1),
        (Type(Kind.ARRAY, items=Type(Kind.STRING)), "x"),
        (Type(Kind.ARRAY, items=Type(Kind.STRING)), ["x", None]),
        (Type(Kind.ARRAY, items=Type(Kind.STRING)), ["x", 5]),
        (Type(Kind.JSON), b"x"),
        (Type(Kind.JSON), [float("nan")]),
    ],
)
def test_what_cannot_be_read(kind: Type, value: Any) -> None:
    with pytest.raises(SchemaMismatch) as error:
        column(kind, value)
    assert (error.value.resource, error.value.fields) == ("r", ("x",))


def test_a_key_that_is_not_a_sub_document() -> None:
    with pytest.raises(SchemaMismatch):
        read(SHOP["lines"], {"_id": 5})
    with pytest.raises(SchemaMismatch):
        read(SHOP["lines"], {"_id": {"order_id": 1}})


def test_no_column_at_all() -> None:
    assert decoder(SHOP["lines"], [])([{"_id": 1}, {"_id": 2}]) == [(), ()]


AWKWARD = [
    {"$a": 1},
    {"a.b": 1, "$where": "x"},
    {"": {"": 1}},
    {"$ref": "x"},
    {"$ref": "x", "$id": 1},
    {"$ref": 5, "$id": None, "$db": "x", "more": 1},
    {"$date": 1, "$oid": "x", "$numberDecimal": "1"},
    {"a": [{"$gt": 1}, [{"$set": {"x.y": 1}}]]},
    {"_id": 1, "__proto__": 2},
]


@pytest.fixture(scope="module")
def repository(mongodb_url: str) -> Iterator[MongoRepository]:
    name = "diglot_test_documents"
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(name)
        with MongoRepository(with_database(mongodb_url, name), SHOP, Limits()) as repository:
            repository.apply_schema()
            yield repository
        client.drop_database(name)


@pytest.mark.parametrize("number", range(len(AWKWARD)))
@pytest.mark.parametrize("name", ["attributes", "notes"])
def test_free_json_with_awkward_keys(repository: MongoRepository, name: str, number: int) -> None:
    """They go in by every verb, are found again, and come back."""
    assert SHOP["products"].fields["attributes"].type.shape == Shape()
    value = AWKWARD[number]
    key = queries.eq("id", UUID(int=number))
    row = {"id": UUID(int=number), "sku": f"{name}{number}", "name": "x", "price": Decimal("1.00")}

    def found() -> list[Any]:
        where = queries.every(key, queries.eq(name, value))
        return repository.rows(queries.read(SHOP, "products", where=where, columns=[name])).rows

    repository.write(queries.insert(SHOP, "products", {**row, name: value}))
    assert found() == [(value,)]
    repository.write(queries.update(SHOP, "products", {name: {"other": 1}}, key))
    assert found() == []
    repository.write(queries.update(SHOP, "products", {name: value}, key))
    assert found() == [(value,)]
    repository.write(queries.replace(SHOP, "products", {**row, name: {"other": 1}}))
    repository.write(queries.replace(SHOP, "products", {**row, name: value}))
    assert found() == [(value,)]
    repository.write(queries.delete(SHOP, "products", key))

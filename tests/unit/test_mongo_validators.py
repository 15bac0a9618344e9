"""Validators and indexes as data: what is wider than what, the tightest bounds, and which indexes a resource needs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from bson.decimal128 import Decimal128

from repositories.errors import SchemaMismatch
from repositories.mongo.indexes import index_specs
from repositories.mongo.validators import is_wider, validator
from repositories.schema import Field, Kind, OnDelete, Reference, Resource, Shape, Type, Unique
from tests.catalogs import shop

SHOP = shop()
KEY = Field("id", Type(Kind.INT64), required=True)


def rule(kind: Type, *, required: bool = False) -> dict[str, Any]:
    resource = Resource("r", {"id": KEY, "x": Field("x", kind, required=required)}, ("id",))
    properties: dict[str, Any] = validator(resource)["$jsonSchema"]["properties"]
    return dict(properties["x"])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Type(Kind.STRING, min_length=1, max_length=2), {"minLength": 1, "maxLength": 2}),
        (Type(Kind.INT64, minimum=1, exclusive_minimum=1), {"minimum": 1, "exclusiveMinimum": True}),
        (Type(Kind.INT64, minimum=2, exclusive_minimum=1), {"minimum": 2}),
        (Type(Kind.INT64, maximum=2, exclusive_maximum=2), {"maximum": 2, "exclusiveMaximum": True}),
        (Type(Kind.INT64, maximum=1, exclusive_maximum=2), {"maximum": 1}),
        (Type(Kind.INT32, minimum=0), {"minimum": 0, "maximum": 2**31 - 1}),
        (Type(Kind.DECIMAL, precision=9, scale=2, minimum=Decimal(0)), {"minimum": Decimal128("0")}),
        (Type(Kind.STRING, enum=("a", "b")), {"enum": ["a", "b"]}),
        (Type(Kind.JSON, shape=Shape()), {}),
    ],
)
def test_limits(kind: Type, expected: dict[str, Any]) -> None:
    found = rule(kind, required=True)
    assert found.pop("bsonType")
    assert found == expected


def test_null_is_one_of_the_values_of_a_field_that_may_be_null() -> None:
    assert rule(Type(Kind.STRING, enum=("a",))) == {"bsonType": ["string", "null"], "enum": ["a", None]}
    assert rule(Type(Kind.JSON)) == {}
    assert rule(Type(Kind.JSON), required=True) == {"not": {"bsonType": "null"}}
    assert rule(Type(Kind.ARRAY, items=Type(Kind.STRING)))["items"] == {"bsonType": ["string"]}


LINE = Type(Kind.STRING)
LINES = Type(Kind.ARRAY, items=LINE)
PRICE = Type(Kind.DECIMAL, precision=9, scale=2)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (Type(Kind.INT32), Type(Kind.INT64)),
        (Type(Kind.INT64), Type(Kind.DECIMAL, precision=9, scale=2)),
        (Type(Kind.STRING, max_length=1), Type(Kind.STRING, max_length=2)),
        (Type(Kind.STRING, max_length=1), LINE),
        (Type(Kind.STRING, min_length=2), Type(Kind.STRING, min_length=1)),
        (Type(Kind.STRING, enum=("a",)), Type(Kind.STRING, enum=("b", "a"))),
        (Type(Kind.STRING, enum=("a",)), LINE),
        (Type(Kind.ARRAY, items=Type(Kind.STRING, max_length=1)), LINES),
        (Type(Kind.ARRAY, items=LINE, max_items=3), LINES),
        (Type(Kind.INT64, exclusive_minimum=1), Type(Kind.INT64, minimum=1)),
        (Type(Kind.INT64, maximum=1), Type(Kind.INT64, exclusive_maximum=2)),
        (
            Type(Kind.DECIMAL, precision=9, scale=2, minimum=Decimal("0.5")),
            Type(Kind.DECIMAL, precision=9, scale=2, minimum=Decimal(0)),
        ),
        (LINES, Type(Kind.JSON)),
        (Type(Kind.JSON, shape=Shape()), Type(Kind.JSON)),
    ],
)
def test_wider(narrow: Type, wide: Type) -> None:
    assert is_wider(rule(wide), rule(narrow))
    assert not is_wider(rule(narrow), rule(wide))
    assert is_wider(rule(wide), rule(wide, required=True))
    assert not is_wider(rule(wide, required=True), rule(wide))


def test_indexes_of_the_shop() -> None:
    found = {spec.name: list(spec.keys) for resource in SHOP for spec in index_specs(resource)}
    assert found == {
        "categories_name_key": ["name"],
        "products_sku_key": ["sku"],
        "products_category_id_name_key": ["category_id", "name"],
        "products_category_id_price_idx": ["category_id", "price", "_id"],
        "staff_manager_id_idx": ["manager_id", "_id"],
        "orders_seller_id_idx": ["seller_id", "_id"],
        "lines_order_id_idx": ["_id.order_id", "_id"],
        "lines_product_id_idx": ["product_id", "_id"],
        "returns_order_id_position_idx": ["order_id", "position", "_id"],
    }


def test_unique_sets_leave_null_out_only_where_there_can_be_one() -> None:
    specs = {spec.name: spec for spec in index_specs(SHOP["products"])}
    assert specs["products_sku_key"].partial is None
    assert list(specs["products_category_id_name_key"].partial or {}) == ["category_id"]


def test_a_reference_that_is_the_key_needs_no_index() -> None:
    reference = Reference("parent", "r_id_fkey", ("id",), "r", ("id",), OnDelete.CASCADE)
    assert index_specs(Resource("r", {"id": KEY}, ("id",), references=(reference,))) == []


def test_arrays_cannot_be_unique() -> None:
    fields = {"id": KEY, "tags": Field("tags", LINES)}
    with pytest.raises(SchemaMismatch, match="unique"):
        index_specs(Resource("r", fields, ("id",), uniques=(Unique("r_tags_key", ("tags",)),)))

"""The shop's records in Parse Server's classes: declared by its schema API, then written as it stores them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.dialects.parse import APP, MASTER, ROOT
from bench.stores.mongodb import Document, MongoDB
from bench.stores.postgres import Postgres

_MADE = datetime(2026, 1, 1, tzinfo=UTC)
_SQL = Path(__file__).with_name("load.sql")


def _types(*names: str, of: str) -> dict[str, dict[str, str]]:
    return {name: {"type": of} for name in names}


def _pointer(to: str) -> dict[str, str]:
    return {"type": "Pointer", "targetClass": to}


CLASSES: Mapping[str, dict[str, dict[str, str]]] = {
    "Category": _types("name", "slug", of="String"),
    "Product": _types("sku", "name", "description", "released", of="String")
    | _types("price", "weight", "stock", "views", of="Number")
    | {"active": {"type": "Boolean"}, "tags": {"type": "Array"}, "attributes": {"type": "Object"}}
    | {"category": _pointer("Category")},
    "OrderLine": _types("position", "quantity", "unit_price", of="Number"),
    "Order": {"status": {"type": "String"}, "placed_at": {"type": "Date"}, "order_lines": {"type": "Array"}},
}


def declare(port: int) -> None:
    """Create the classes on a running server."""
    for name, fields in CLASSES.items():
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{ROOT}/schemas/{name}",
            json.dumps({"className": name, "fields": fields}).encode(),
            {"X-Parse-Application-Id": APP, "X-Parse-Master-Key": MASTER, "Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=30).read()


def fill(store: Postgres | MongoDB, database: str, shop: str) -> None:
    """Write the records of `shop` into the classes, with the indexes that the others have."""
    if isinstance(store, Postgres):
        store.run(database, _SQL)  # a copy of the shop, with the classes in it
    else:
        _fill_mongodb(store, database, shop)
    store.settle(database)


def _fill_mongodb(store: MongoDB, database: str, name: str) -> None:
    shop, target = store.database(name), store.database(database)
    lines: dict[int, list[dict[str, str]]] = {}

    def line(document: Document) -> Document:
        number, position = document["_id"]["order_id"], document["_id"]["position"]
        key = f"{number}-{position}"
        lines.setdefault(number, []).append({"__type": "Pointer", "className": "OrderLine", "objectId": key})
        price = float(document["unit_price"].to_decimal())
        return _times({"_id": key, "position": position, "quantity": document["quantity"], "unit_price": price})

    store.fill(
        database, "Category", shop.categories.find(), lambda document: _times(
            {"_id": str(document["_id"]), "name": document["name"], "slug": document["slug"]}
        )
    )  # fmt: skip
    store.fill(database, "Product", shop.products.find(), product)
    store.fill(database, "OrderLine", shop.order_lines.find(sort=[("_id", 1)]), line)
    store.fill(
        database, "Order", shop.orders.find(), lambda document: _times(
            {
                "_id": str(document["_id"]),
                "status": document["status"],
                "placed_at": document["placed_at"],
                "order_lines": lines.get(document["_id"], []),
            }
        )
    )  # fmt: skip
    target.Product.create_index([("_p_category", 1), ("price", -1), ("_id", 1)])
    target.Product.create_index("sku", unique=True)
    target.Product.create_index([("_created_at", -1), ("_id", 1)])
    target.Product.create_index([("released", 1), ("_id", 1)])


def product(document: Document) -> Document:
    """A product as Parse Server stores it in MongoDB."""
    released = document["released"]
    same = ("sku", "name", "description", "weight", "stock", "views", "active", "tags", "attributes")
    return {
        "_id": str(document["_id"]),
        **{name: document[name] for name in same},
        "price": float(document["price"].to_decimal()),
        "released": released and released.date().isoformat(),
        "_p_category": f"Category${document['category_id']}",
        "_created_at": document["created_at"],
        "_updated_at": document["created_at"],
    }


def _times(values: dict[str, Any]) -> Document:
    return values | {"_created_at": _MADE, "_updated_at": _MADE}

"""The shop's records in Eve's collections, with the indexes that the others have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bson import ObjectId

from bench.dialects.eve import key_of
from bench.stores.mongodb import Document, MongoDB

_MADE = datetime(2026, 1, 1, tzinfo=UTC)


def fill(store: MongoDB, database: str, name: str) -> None:
    """Write the records of the shop `name`."""
    shop, target = store.database(name), store.database(database)
    lines: dict[int, list[ObjectId]] = {}

    def line(document: Document) -> Document:
        key = ObjectId()
        lines.setdefault(document["_id"]["order_id"], []).append(key)
        price = float(document["unit_price"].to_decimal())
        return _own(
            {
                "_id": key,
                "position": document["_id"]["position"],
                "quantity": document["quantity"],
                "unit_price": price,
            }
        )

    def order(document: Document) -> Document:
        return _own(
            {
                "_id": document["_id"],
                "status": document["status"],
                "placed_at": document["placed_at"],
                "order_lines": lines.get(document["_id"], []),
            }
        )

    store.fill(
        database,
        "categories",
        shop.categories.find({}, {"name": 1, "slug": 1}),
        _own,
    )
    store.fill(database, "products", shop.products.find(), product)
    store.fill(database, "order_lines", shop.order_lines.find(sort=[("_id", 1)]), line)
    store.fill(database, "orders", shop.orders.find(), order)
    target.products.create_index([("category_id", 1), ("price", -1), ("_id", 1)])
    target.products.create_index("sku", unique=True)
    target.products.create_index([("_created", -1), ("_id", 1)])
    target.products.create_index([("released", 1), ("_id", 1)])
    store.settle(database)


def product(document: Document) -> Document:
    """A product as Eve stores it."""
    released = document["released"]
    created = document.pop("created_at")
    return _own(
        document
        | {
            "_id": ObjectId(key_of(str(document["_id"]))),
            "price": float(document["price"].to_decimal()),
            "released": released and released.date().isoformat(),
        },
        created,
    )


def _own(values: dict[str, Any], made: datetime = _MADE) -> Document:
    return values | {"_created": made, "_updated": made}

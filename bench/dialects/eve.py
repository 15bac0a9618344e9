"""Eve: its query language over MongoDB's, and its envelope."""

from __future__ import annotations

from typing import Any

from bench.dialects.base import PRICES, Dialect, encoded, sent
from bench.works import (
    CHANGE,
    COUNT,
    COUNTER,
    CSV,
    GROUPS,
    INSERT,
    INSERT_MANY,
    LIST,
    NDJSON,
    ONE,
    TO_MANY,
    TO_ONE,
    UPSERT,
    WRITTEN,
    Keys,
    Request,
    new_product,
    new_products,
)  # fmt: skip

_SORT = "sort=-price,_id&max_results=20"
_SHAPE = ("_updated", "_status", "_etag", "_links")
_NO_STREAM = "answers with JSON pages only"


def key_of(product: str) -> str:
    """The ObjectId of the product with this UUID."""
    return product.replace("-", "")[:24]


def _record(document: Any) -> Any:
    record = {name: value for name, value in document.items() if name not in _SHAPE}
    return {"id": record.pop("_id"), "created_at": record.pop("_created"), **record}


def _with_category(document: Any) -> Any:
    category = document["category_id"]
    return {name: document[name] for name in ("sku", "name", "price")} | {
        "category": {"id": category["_id"], "name": category["name"]}
    }


def _order(document: Any) -> Any:
    lines = [{name: line[name] for name in ("position", "quantity", "unit_price")} for line in document["order_lines"]]
    return {"status": document["status"], "placed_at": document["placed_at"], "order_lines": lines}


def _items(read: Any) -> Any:
    return lambda answer: [read(document) for document in answer["_items"]]


def _filters(keys: Keys) -> list[tuple[int, int]]:
    return [(category, price) for category in keys.categories for price in PRICES]


EVE = Dialect(
    {
        ONE: lambda keys: [Request(f"/products/{key_of(key)}") for key in keys.products],
        LIST: lambda keys: [
            Request(f"/products?where={encoded({'category_id': category, 'price': {'$gte': price}})}&{_SORT}")
            for category, price in _filters(keys)
        ],
        TO_ONE: lambda keys: [
            Request(
                f"/products?where={encoded({'category_id': key})}&embedded={encoded({'category_id': 1})}"
                f"&projection={encoded({'sku': 1, 'name': 1, 'price': 1, 'category_id': 1})}&{_SORT}"
            )
            for key in keys.categories
        ],
        TO_MANY: lambda keys: [Request(f"/orders/{key}?embedded={encoded({'order_lines': 1})}") for key in keys.orders],
        GROUPS: lambda _keys: [Request("/sales")],
        COUNT: lambda keys: [
            Request(f"/count?aggregate={encoded({'$category': category, '$price': price})}")
            for category, price in _filters(keys)
        ],
        INSERT: lambda _keys: [Request("/products", "POST", sent(new_product(WRITTEN + COUNTER)))],
        INSERT_MANY: lambda _keys: [Request("/products", "POST", sent(new_products()))],
        CHANGE: lambda keys: [
            Request(f"/products/{key_of(key)}", "PATCH", sent({"stock": number % 500}))
            for number, key in enumerate(keys.products)
        ],
        UPSERT: "upserts by the record's key alone, not by a unique field",
        NDJSON: _NO_STREAM,
        CSV: _NO_STREAM,
    },
    lambda _request, answer: Request(f"/products/{answer['_id']}"),
    {
        ONE: _record,
        LIST: _items(_record),
        TO_ONE: _items(_with_category),
        TO_MANY: _order,
        GROUPS: lambda answer: [{"category_id": item.pop("_id"), **item} for item in answer["_items"]],
        COUNT: lambda answer: answer["_items"][0]["count"],
        INSERT_MANY: lambda _answer: None,
    },
    made=("id",),
)

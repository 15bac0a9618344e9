"""The services that are written for one table: their own short URLs, the same for all of them."""

from __future__ import annotations

from typing import Any

from bench.dialects.base import PRICES, Dialect, sent
from bench.works import (
    CHANGE,
    COUNT,
    COUNTER,
    CSV,
    GROUPS,
    INSERT,
    INSERT_LOTS,
    INSERT_MANY,
    LIST,
    LOTS,
    NDJSON,
    ONE,
    STREAMED,
    TO_MANY,
    TO_ONE,
    UPSERT,
    WRITTEN,
    Keys,
    Request,
    new_product,
    new_products,
)  # fmt: skip

UPSERTED = 200


def _lists(path: str, keys: Keys) -> list[Request]:
    return [Request(f"{path}?category={category}&price={price}") for category in keys.categories for price in PRICES]


def _back(_request: Request, answer: Any) -> Request:
    return Request(f"/products/{answer['id']}")


BY_HAND = Dialect(
    {
        ONE: lambda keys: [Request(f"/products/{key}") for key in keys.products],
        LIST: lambda keys: _lists("/products", keys),
        TO_ONE: lambda keys: [Request(f"/products-with-category?category={key}") for key in keys.categories],
        TO_MANY: lambda keys: [Request(f"/orders/{key}") for key in keys.orders],
        GROUPS: lambda _keys: [Request("/sales")],
        COUNT: lambda keys: _lists("/count", keys),
        INSERT: lambda _keys: [Request("/products", "POST", sent(new_product(WRITTEN + COUNTER)))],
        INSERT_MANY: lambda _keys: [Request("/products/bulk", "POST", sent(new_products()))],
        INSERT_LOTS: lambda _keys: [Request("/products/bulk", "POST", sent(new_products(LOTS)))],
        CHANGE: lambda keys: [
            Request(f"/products/{key}", "PATCH", sent({"stock": number % 500}))
            for number, key in enumerate(keys.products)
        ],
        UPSERT: lambda _keys: [
            Request("/products", "PUT", sent(new_product(f"{WRITTEN}U{number:04}") | {"stock": number}))
            for number in range(UPSERTED)
        ],
        NDJSON: lambda _keys: [Request(f"/products.ndjson?limit={STREAMED}")],
        CSV: lambda _keys: [Request(f"/products.csv?limit={STREAMED}")],
    },
    _back,
    {COUNT: lambda answer: answer["count"], INSERT_MANY: lambda _answer: None},
)

_CHECKED = (ONE, INSERT, UPSERT, INSERT_MANY, INSERT_LOTS)
#: The same where references are checked: writes that make some, and what shows that the service is there.
BY_HAND_CHECKED = Dialect(
    {work: ask if work in _CHECKED else "as the floor" for work, ask in BY_HAND.asks.items()},
    BY_HAND.back,
    BY_HAND.reads,
)

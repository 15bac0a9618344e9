"""Diglot: PostgREST's URL language."""

from __future__ import annotations

from typing import Any

from bench.dialects.base import PRICES, Dialect, sent
from bench.dialects.by_hand import UPSERTED
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

_ROOT = "/api/products"
_LINES = {"Content-Type": "application/x-ndjson", "Prefer": "return=minimal"}


def _filters(keys: Keys) -> list[str]:
    return [f"category_id=eq.{category}&price=gte.{price}" for category in keys.categories for price in PRICES]


def _back(_request: Request, answer: Any) -> Request:
    [record] = answer if isinstance(answer, list) else [answer]
    return Request(f"{_ROOT}/{record['id']}")


DIGLOT = Dialect(
    {
        ONE: lambda keys: [Request(f"{_ROOT}/{key}") for key in keys.products],
        LIST: lambda keys: [Request(f"{_ROOT}?{query}&order=price.desc&limit=20") for query in _filters(keys)],
        TO_ONE: lambda keys: [
            Request(
                f"{_ROOT}?category_id=eq.{key}&select=id,sku,name,price,category(id,name)&order=price.desc&limit=20"
            )
            for key in keys.categories
        ],
        TO_MANY: lambda keys: [
            Request(f"/api/orders/{key}?select=id,status,placed_at,order_lines(position,quantity,unit_price)")
            for key in keys.orders
        ],
        GROUPS: lambda _keys: [
            Request(f"{_ROOT}?select=category_id,count(),total:price.sum(),pieces:stock.sum()&order=category_id")
        ],
        COUNT: lambda keys: [Request(f"{_ROOT}?select=count()&{query}") for query in _filters(keys)],
        INSERT: lambda _keys: [Request(_ROOT, "POST", sent(new_product(WRITTEN + COUNTER)))],
        INSERT_MANY: lambda _keys: [
            Request(_ROOT, "POST", sent(new_products()), {"Prefer": "return=minimal"}),
        ],
        INSERT_LOTS: lambda _keys: [
            Request(_ROOT, "POST", b"\n".join(sent(product) for product in new_products(LOTS)), _LINES)
        ],
        CHANGE: lambda keys: [
            Request(f"{_ROOT}/{key}", "PATCH", sent({"stock": number % 500}))
            for number, key in enumerate(keys.products)
        ],
        UPSERT: lambda _keys: [
            Request(
                f"{_ROOT}?on_conflict=sku",
                "POST",
                sent(new_product(f"{WRITTEN}U{number:04}") | {"stock": number}),
                {"Prefer": "resolution=merge-duplicates, handling=strict"},
            )
            for number in range(UPSERTED)
        ],
        NDJSON: lambda _keys: [Request(f"{_ROOT}?limit={STREAMED}", headers={"Accept": "application/x-ndjson"})],
        CSV: lambda _keys: [Request(f"{_ROOT}?limit={STREAMED}", headers={"Accept": "text/csv"})],
    },
    _back,
    {COUNT: lambda answer: answer[0]["count"], INSERT_MANY: lambda _answer: None},
)

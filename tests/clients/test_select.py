"""What the clients select of one resource: columns, aliases, casts, paths into JSON, aggregates; and its order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.answers import PythonQuery
from tests.clients.conftest import Ask
from tests.clients.shop import LAMP

Case = tuple[str, PythonQuery, list[dict[str, Any]]]

COLUMNS: list[Case] = [
    (
        "db.from('categories').select().order('id')",
        lambda db: db.from_("categories").select().order("id"),
        [{"id": 1, "name": "Light"}, {"id": 2, "name": "Food"}, {"id": 3, "name": "Empty"}],
    ),
    (
        "db.from('categories').select('*').eq('id', 3)",
        lambda db: db.from_("categories").select("*").eq("id", 3),
        [{"id": 3, "name": "Empty"}],
    ),
    (
        """db.from('products').select(`
            title:name, price, "stock", views,
            tags, sizes, released, notes
        `).eq('sku', 'A-1')""",
        lambda db: (
            db.from_("products")
            .select("title:name, price", '"stock"', "views", "tags", "sizes", "released", "notes")
            .eq("sku", "A-1")
        ),
        [
            {
                "title": "Lamp",
                "price": 19.5,
                "stock": 3,
                "views": 10,
                "tags": ["new", "on sale"],
                "sizes": [1, 2, 3],
                "released": "2024-02-29",
                "notes": "plain",
            }
        ],
    ),
    (
        "db.from('orders').select('status, placed_at').eq('id', 1)",
        lambda db: db.from_("orders").select("status", "placed_at").eq("id", 1),
        [{"status": "paid", "placed_at": "2026-01-31T09:30:00.12+00:00"}],
    ),
    (
        "db.from('products').select('price::text, stock::text, active::text, released::text').eq('sku', 'A-1')",
        lambda db: (
            db.from_("products").select("price::text, stock::text, active::text, released::text").eq("sku", "A-1")
        ),
        [{"price": "19.50", "stock": "3", "active": "true", "released": "2024-02-29"}],
    ),
    (
        "db.from('products').select('whole:price::int, id::text, day:released::timestamptz').eq('sku', 'A-1')",
        lambda db: (
            db.from_("products").select("whole:price::int", "id::text", "day:released::timestamptz").eq("sku", "A-1")
        ),
        [{"whole": 20, "id": LAMP, "day": "2024-02-29T00:00:00+00:00"}],
    ),
    (
        "db.from('products').select('sku, attributes->>color, attributes->size, w:attributes->size->w').order('sku')",
        lambda db: (
            db.from_("products")
            .select("sku", "attributes->>color", "attributes->size", "w:attributes->size->w")
            .order("sku")
        ),
        [
            {"sku": "A-1", "color": "red", "size": {"w": 10, "h": 2.5}, "w": 10},
            {"sku": "B-2", "color": None, "size": None, "w": None},
            {"sku": "C-3", "color": "brown", "size": {"w": 3}, "w": 3},
            {"sku": "D-4", "color": None, "size": {}, "w": None},
        ],
    ),
    (
        "db.from('products').select('part:attributes->parts->>-1, tag:tags->0, w:attributes->size->>w::int')"
        ".eq('sku', 'A-1')",
        lambda db: (
            db.from_("products")
            .select("part:attributes->parts->>-1", "tag:tags->0", "w:attributes->size->>w::int")
            .eq("sku", "A-1")
        ),
        [{"part": "shade", "tag": "new", "w": 10}],
    ),
]

AGGREGATES: list[Case] = [
    (
        "db.from('products').select('count()')",
        lambda db: db.from_("products").select("count()"),
        [{"count": 4}],
    ),
    (
        """db.from('products').select(`
            price.sum(), price.avg(), lowest:price.min(), highest:price.max(), stock.count()
        `)""",
        lambda db: db.from_("products").select(
            "price.sum()", "price.avg()", "lowest:price.min()", "highest:price.max()", "stock.count()"
        ),
        [{"sum": 44.1, "avg": 11.025, "lowest": 0.1, "highest": 19.5, "count": 3}],
    ),
    (
        "db.from('products').select('category_id, total:price.sum()::text, count()').order('category_id')",
        lambda db: (
            db.from_("products").select("category_id", "total:price.sum()::text", "count()").order("category_id")
        ),
        [
            {"category_id": 1, "total": "24.50", "count": 2},
            {"category_id": 2, "total": "0.10", "count": 1},
            {"category_id": None, "total": "19.50", "count": 1},
        ],
    ),
    (
        "db.from('products').select('new:tags->>0, stock.sum()').not('stock', 'is', null).order('tags->>0')",
        lambda db: db.from_("products").select("new:tags->>0", "stock.sum()").not_.is_("stock", None).order("tags->>0"),
        [{"new": "a,b", "sum": 0}, {"new": "new", "sum": 10}],
    ),
    (
        "db.from('products').select('attributes->size->>w::int.max(), price.sum()').gt('price', 100)",
        lambda db: db.from_("products").select("attributes->size->>w::int.max()", "price.sum()").gt("price", 100),
        [{"max": None, "sum": None}],
    ),
]


@pytest.mark.parametrize(("javascript", "python", "data"), COLUMNS + AGGREGATES)
def test_select(ask: Ask, javascript: str, python: PythonQuery, data: object) -> None:
    answer = ask(javascript, python)
    assert (answer.error, answer.data) == (None, data)


ORDERS: list[tuple[str, PythonQuery, str]] = [
    (".order('sku', {ascending: false})", lambda q: q.order("sku", desc=True), "DCBA"),
    (".order('stock')", lambda q: q.order("stock"), "CADB"),
    (".order('stock', {ascending: false})", lambda q: q.order("stock", desc=True), "BDAC"),
    (".order('stock', {nullsFirst: true})", lambda q: q.order("stock", nullsfirst=True), "BCAD"),
    (
        ".order('stock', {ascending: false, nullsFirst: false})",
        lambda q: q.order("stock", desc=True, nullsfirst=False),
        "DACB",
    ),
    (
        ".order('price', {ascending: false}).order('sku', {ascending: false})",
        lambda q: q.order("price", desc=True).order("sku", desc=True),
        "DABC",
    ),
    (".order('name')", lambda q: q.order("name"), "DABC"),
    (
        ".order('attributes->size->w', {nullsFirst: true}).order('sku')",
        lambda q: q.order("attributes->size->w", nullsfirst=True).order("sku"),
        "BDCA",
    ),
    (
        ".order('attributes->>color', {ascending: false, nullsFirst: false}).order('sku')",
        lambda q: q.order("attributes->>color", desc=True, nullsfirst=False).order("sku"),
        "ACBD",
    ),
]


@pytest.mark.parametrize(("javascript", "python", "found"), ORDERS)
def test_order(ask: Ask, javascript: str, python: PythonQuery, found: str) -> None:
    answer = ask(
        f"db.from('products').select('sku'){javascript}", lambda db: python(db.from_("products").select("sku"))
    )
    assert answer.error is None
    assert "".join(record["sku"][0] for record in answer.data) == found

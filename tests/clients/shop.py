"""What the clients find in the shop, written through the API; keys and instants are fixed."""

from __future__ import annotations

from typing import Any

LAMP, LANTERN, ECLAIR, OFFER = (f"0190a000-0000-7000-8000-00000000000{digit}" for digit in "abcd")

_PRODUCTS = [
    {
        "id": LAMP,
        "sku": "A-1",
        "name": "Lamp",
        "price": 19.5,
        "weight": 1.25,
        "stock": 3,
        "views": 10,
        "active": True,
        "tags": ["new", "on sale"],
        "sizes": [1, 2, 3],
        "attributes": {"color": "red", "size": {"w": 10, "h": 2.5}, "parts": ["base", "shade"]},
        "notes": "plain",
        "released": "2024-02-29",
        "category_id": 1,
    },
    {
        "id": LANTERN,
        "sku": "B-2",
        "name": "lantern",
        "price": 5,
        "weight": None,
        "stock": None,
        "views": None,
        "active": None,
        "tags": [],
        "sizes": None,
        "attributes": None,
        "notes": None,
        "released": None,
        "category_id": 1,
    },
    {
        "id": ECLAIR,
        "sku": "C-3",
        "name": "Éclair (big), sweet",
        "price": 0.1,
        "weight": 0.25,
        "stock": 0,
        "views": 100_000_000_000,
        "active": False,
        "tags": ["a,b", "food"],
        "sizes": [3],
        "attributes": {"color": "brown", "size": {"w": 3}},
        "notes": [1, "two", None],
        "released": "2023-01-01",
        "category_id": 2,
    },
    {
        "id": OFFER,
        "sku": "D-4",
        "name": "50% off_\\",
        "price": 19.5,
        "weight": None,
        "stock": 7,
        "views": None,
        "active": True,
        "tags": ["new"],
        "sizes": [],
        "attributes": {"color": None, "size": {}},
        "notes": 5,
        "released": None,
        "category_id": None,
    },
]

#: The records of each resource, in an order in which references lead back; sequences count them from one.
RECORDS: dict[str, list[dict[str, Any]]] = {
    "categories": [{"name": "Light"}, {"name": "Food"}, {"name": "Empty"}],
    "products": _PRODUCTS,
    "staff": [
        {"name": "Ada", "manager_id": None},
        {"name": "Bob", "manager_id": 1},
        {"name": "Cy", "manager_id": 1},
        {"name": "Di", "manager_id": 2},
    ],
    "orders": [
        {"status": "paid", "placed_at": "2026-01-31T09:30:00.12Z", "seller_id": 2},
        {"status": "open", "placed_at": "2026-02-01T00:00:00Z", "seller_id": 3},
        {"status": "sent", "placed_at": "2026-02-02T12:00:00+02:00", "seller_id": None},
        {"status": "open", "placed_at": "2026-02-03T00:00:00Z", "seller_id": 2},
    ],
    "lines": [
        {"order_id": 1, "position": 1, "product_id": LAMP, "quantity": 2},
        {"order_id": 1, "position": 2, "product_id": ECLAIR, "quantity": 10},
        {"order_id": 2, "position": 1, "product_id": LAMP, "quantity": 1},
        {"order_id": 3, "position": 1, "product_id": OFFER, "quantity": 5},
        {"order_id": 3, "position": 2, "product_id": LANTERN, "quantity": 1},
    ],
    "returns": [
        {"order_id": 1, "position": 2, "reason": "stale"},
        {"order_id": 3, "position": 1, "reason": "late"},
        {"order_id": None, "position": None, "reason": "lost"},
    ],
    "labels": [{"name": "gift"}, {"name": "fragile"}, {"name": "unused"}],
    "product_labels": [
        {"product_id": LAMP, "label_id": 1},
        {"product_id": LAMP, "label_id": 2},
        {"product_id": ECLAIR, "label_id": 1},
    ],
    "desks": [{"staff_id": 1, "room": "1.01"}, {"staff_id": 2, "room": None}],
}

"""Parse Server: its REST API, pointers and dates."""

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

APP, MASTER = "bench", "bench-master"
ROOT = "/parse"
HEADERS = {"X-Parse-Application-Id": APP}
_AS_MASTER = HEADERS | {"X-Parse-Master-Key": MASTER}
_CLASS = f"{ROOT}/classes/Product"
_SORT = "order=-price,objectId&limit=20"
_GROUP = {
    "_id": "$category",
    "count": {"$sum": 1},
    "total": {"$sum": "$price"},
    "pieces": {"$sum": "$stock"},
}
_NO_STREAM = "answers with one JSON document only"


def pointer(category: int) -> dict[str, str]:
    """A category, as another record refers to it."""
    return {"__type": "Pointer", "className": "Category", "objectId": str(category)}


def given(product: dict[str, Any]) -> dict[str, Any]:
    """A new product in Parse's terms."""
    return {name: value for name, value in product.items() if name != "category_id"} | {
        "category": pointer(product["category_id"])
    }


def _record(item: Any) -> Any:
    record = {name: value for name, value in item.items() if name not in {"updatedAt", "category", "ACL"}}
    record = {"id": record.pop("objectId"), "created_at": record.pop("createdAt"), **record}
    record["category_id"] = int(item["category"]["objectId"])
    return {"description": None, "weight": None, "views": None, "attributes": None, "released": None} | record


def _with_category(item: Any) -> Any:
    category = item["category"]
    found = {"id": int(category["objectId"]), "name": category["name"]}
    return {"id": item["objectId"], "sku": item["sku"], "name": item["name"], "price": item["price"], "category": found}


def _order(item: Any) -> Any:
    lines = [{name: line[name] for name in ("position", "quantity", "unit_price")} for line in item["order_lines"]]
    placed = item["placed_at"]["iso"]
    return {"id": int(item["objectId"]), "status": item["status"], "placed_at": placed, "order_lines": lines}


def _get(path: str) -> Request:
    return Request(path, headers=HEADERS)


def _send(path: str, method: str, body: object) -> Request:
    return Request(path, method, sent(body), HEADERS)


def _where(keys: Keys, end: str) -> list[Request]:
    conditions = [
        {"category": pointer(category), "price": {"$gte": price}} for category in keys.categories for price in PRICES
    ]
    return [_get(f"{_CLASS}?where={encoded(condition)}&{end}") for condition in conditions]


def _batch(_keys: Keys) -> list[Request]:
    requests = [{"method": "POST", "path": _CLASS, "body": given(product)} for product in new_products()]
    return [_send(f"{ROOT}/batch", "POST", {"requests": requests})]


def _back(request: Request, answer: Any) -> Request:
    return _get(f"{_CLASS}/{answer['objectId']}" if "objectId" in answer else request.path)


PARSE = Dialect(
    {
        ONE: lambda keys: [_get(f"{_CLASS}/{key}") for key in keys.products],
        LIST: lambda keys: _where(keys, _SORT),
        TO_ONE: lambda keys: [
            _get(
                f"{_CLASS}?where={encoded({'category': pointer(key)})}&include=category"
                f"&keys=sku,name,price,category.name&{_SORT}"
            )
            for key in keys.categories
        ],
        TO_MANY: lambda keys: [_get(f"{ROOT}/classes/Order/{key}?include=order_lines") for key in keys.orders],
        GROUPS: lambda _keys: [
            Request(f"{ROOT}/aggregate/Product?pipeline={encoded([{'$group': _GROUP}])}", headers=_AS_MASTER)
        ],
        COUNT: lambda keys: _where(keys, "count=1&limit=0"),
        INSERT: lambda _keys: [_send(_CLASS, "POST", given(new_product(WRITTEN + COUNTER)))],
        INSERT_MANY: _batch,
        CHANGE: lambda keys: [
            _send(f"{_CLASS}/{key}", "PUT", {"stock": number % 500}) for number, key in enumerate(keys.products)
        ],
        UPSERT: "has no upsert: a PUT to a key that is not there is an error",
        NDJSON: _NO_STREAM,
        CSV: _NO_STREAM,
    },
    _back,
    {
        ONE: _record,
        LIST: lambda answer: [_record(item) for item in answer["results"]],
        TO_ONE: lambda answer: [_with_category(item) for item in answer["results"]],
        TO_MANY: _order,
        GROUPS: lambda answer: sorted(
            ({"category_id": int(item.pop("objectId").split("$")[-1]), **item} for item in answer["results"]),
            key=lambda item: item["category_id"],
        ),
        COUNT: lambda answer: answer["count"],
        INSERT_MANY: lambda _answer: None,
    },
    table="Product",
)

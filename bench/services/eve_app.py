"""Eve: its settings for the shop, with what its documentation names for speed, and indexes on what is asked for."""

from __future__ import annotations

import os
from typing import Any

from eve import Eve  # type: ignore[import-not-found]

_CATEGORY = {"type": "integer", "data_relation": {"resource": "categories", "embeddable": True}}
_PRODUCT: dict[str, Any] = {
    "sku": {"type": "string", "maxlength": 20, "required": True, "unique": True},
    "name": {"type": "string", "minlength": 1, "maxlength": 200, "required": True},
    "description": {"type": "string", "maxlength": 2000, "nullable": True},
    "price": {"type": "float", "min": 0, "required": True},
    "weight": {"type": "float", "nullable": True},
    "stock": {"type": "integer", "min": 0},
    "views": {"type": "integer", "nullable": True},
    "active": {"type": "boolean"},
    "tags": {"type": "list", "schema": {"type": "string"}},
    "attributes": {"type": "dict", "nullable": True, "allow_unknown": True},
    "released": {"type": "string", "nullable": True},
    "category_id": _CATEGORY,
}


def _aggregation(source: str, pipeline: list[dict[str, Any]]) -> dict[str, Any]:
    return {"datasource": {"source": source, "aggregation": {"pipeline": pipeline}}, "pagination": False}


SETTINGS = {
    "MONGO_URI": os.environ["STORE_URL"],
    "MONGO_WRITE_CONCERN": {"w": "majority"},  # as all others have it
    "DATE_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "RENDERERS": ["eve.render.JSONRenderer"],
    "RESOURCE_METHODS": ["GET", "POST"],
    "ITEM_METHODS": ["GET", "PATCH", "PUT"],
    "OPTIMIZE_PAGINATION_FOR_SPEED": True,
    "HATEOAS": False,
    "IF_MATCH": False,
    "BANDWIDTH_SAVER": False,  # a write answers with the whole record
    "DOMAIN": {
        "categories": {"schema": {"_id": {"type": "integer"}, "name": {"type": "string"}, "slug": {"type": "string"}}},
        "products": {"schema": _PRODUCT},
        "order_lines": {
            "schema": {
                "position": {"type": "integer"},
                "quantity": {"type": "integer"},
                "unit_price": {"type": "float"},
            }
        },
        "orders": {
            "item_url": "int",
            "schema": {
                "_id": {"type": "integer"},
                "status": {"type": "string"},
                "placed_at": {"type": "datetime"},
                "order_lines": {
                    "type": "list",
                    "schema": {
                        "type": "objectid",
                        "data_relation": {"resource": "order_lines", "embeddable": True},
                    },
                },
            },
        },
        "sales": _aggregation(
            "products",
            [
                {
                    "$group": {
                        "_id": "$category_id",
                        "count": {"$sum": 1},
                        "total": {"$sum": "$price"},
                        "pieces": {"$sum": "$stock"},
                    }
                },
                {"$sort": {"_id": 1}},
            ],
        ),
        "count": _aggregation(
            "products",
            [{"$match": {"category_id": "$category", "price": {"$gte": "$price"}}}, {"$count": "count"}],
        ),
    },
}

app = Eve(settings=SETTINGS)

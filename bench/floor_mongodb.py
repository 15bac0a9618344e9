"""The floor on MongoDB: one collection, served by Flask and pymongo, written by hand by someone who knows both."""

from __future__ import annotations

import os
from datetime import UTC
from typing import Any

import orjson
from bson import Decimal128
from bson.codec_options import CodecOptions
from flask import Flask, Response, request
from pymongo import MongoClient

app = Flask(__name__)
client: MongoClient[dict[str, Any]] = MongoClient(os.environ["FLOOR_URL"], uuidRepresentation="standard", maxPoolSize=8)
products = client.get_default_database().get_collection(
    "products",
    codec_options=CodecOptions(tz_aware=True, tzinfo=UTC, uuid_representation=4),
)


def _default(value: Any) -> Any:
    if isinstance(value, Decimal128):
        return orjson.Fragment(str(value))
    raise TypeError


def _record(document: dict[str, Any]) -> dict[str, Any]:
    record = {"id": document.pop("_id"), **document}
    if record["released"] is not None:
        record["released"] = record["released"].date()
    return record


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value, default=_default), status, content_type="application/json")


@app.get("/health/live")
def live() -> Response:
    return _json({"status": "live"})


@app.get("/api/products/<uuid:key>")
def item(key: Any) -> Response:
    document = products.find_one({"_id": key})
    return _json(_record(document)) if document else _json({"message": "not found"}, 404)


@app.get("/api/products")
def page() -> Response:
    arguments = request.args
    found = products.find(
        {"category_id": int(arguments["category_id"]), "price": {"$gte": Decimal128(arguments["price"])}},
        sort=[("price", -1), ("_id", 1)],
        limit=int(arguments["limit"]),
    )
    return _json([_record(document) for document in found])


@app.get("/by-hand/products-with-category")
def to_one() -> Response:
    found = products.aggregate(
        [
            {"$match": {"category_id": int(request.args["category"])}},
            {"$sort": {"price": -1, "_id": 1}},
            {"$limit": 20},
            {"$lookup": {"from": "categories", "localField": "category_id", "foreignField": "_id", "as": "category"}},
            {"$project": {"sku": 1, "name": 1, "price": 1, "category._id": 1, "category.name": 1}},
        ]
    )
    records = []
    for document in found:
        [category] = document.pop("category")
        record = {"id": document.pop("_id"), **document}
        record["category"] = {"id": category["_id"], "name": category["name"]}
        records.append(record)
    return _json(records)


@app.get("/by-hand/orders-with-lines")
def to_many() -> Response:
    found = products.database.get_collection("orders", codec_options=products.codec_options).aggregate(
        [
            {"$match": {"customer_id": int(request.args["customer"])}},
            {"$sort": {"placed_at": -1, "_id": 1}},
            {"$limit": 20},
            {
                "$lookup": {
                    "from": "order_lines",
                    "localField": "_id",
                    "foreignField": "_id.order_id",
                    "pipeline": [{"$sort": {"_id": 1}}],
                    "as": "lines",
                }
            },
            {"$project": {"status": 1, "placed_at": 1, "lines._id": 1, "lines.quantity": 1, "lines.unit_price": 1}},
        ]
    )
    return _json(
        [
            {
                "id": order["_id"],
                "status": order["status"],
                "placed_at": order["placed_at"],
                "order_lines": [
                    {
                        "position": line["_id"]["position"],
                        "quantity": line["quantity"],
                        "unit_price": line["unit_price"],
                    }
                    for line in order["lines"]
                ],
            }
            for order in found
        ]
    )


@app.get("/by-hand/sales")
def grouped() -> Response:
    found = products.aggregate(
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
        ]
    )
    return _json([{"category_id": group.pop("_id"), **group} for group in found])

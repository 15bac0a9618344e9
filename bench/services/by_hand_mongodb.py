"""What the services written by hand ask of MongoDB: pymongo, on collections of known shape."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import uuid_utils.compat as uuids
from bson import Decimal128
from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database as _Database

Record = dict[str, Any]
Database = _Database[Record]

FIELDS = (
    "sku", "name", "description", "price", "weight", "stock", "views", "active", "tags", "attributes", "released",
    "category_id",
)  # fmt: skip
client: MongoClient[Record] = MongoClient(os.environ["STORE_URL"], uuidRepresentation="standard", maxPoolSize=8)
_database: Database = client.get_default_database().with_options(
    CodecOptions(tz_aware=True, tzinfo=UTC, uuid_representation=4)
)


@contextmanager
def pooled() -> Iterator[Database]:
    """The database; the driver has a pool of its own."""
    yield _database


own = pooled


def dumps(value: object) -> bytes:
    """JSON, with decimals as numbers."""
    return orjson.dumps(value, default=_decimal)


def _decimal(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal128):
        return orjson.Fragment(str(value))
    raise TypeError


def one(database: Database, key: str) -> Record | None:
    return record(database.products.find_one({"_id": UUID(key)}))


def page(database: Database, category: int, price: str) -> list[Record | None]:
    found = database.products.find(
        {"category_id": category, "price": {"$gte": Decimal128(price)}}, sort=[("price", -1), ("_id", 1)], limit=20
    )
    return [record(document) for document in found]


def with_category(database: Database, category: int) -> list[Record]:
    found = database.products.aggregate(
        [
            {"$match": {"category_id": category}},
            {"$sort": {"price": -1, "_id": 1}},
            {"$limit": 20},
            {"$lookup": {"from": "categories", "localField": "category_id", "foreignField": "_id", "as": "category"}},
            {"$project": {"sku": 1, "name": 1, "price": 1, "category._id": 1, "category.name": 1}},
        ]
    )
    records = []
    for document in found:
        [category_] = document.pop("category")
        item = {"id": document.pop("_id"), **document}
        records.append(item | {"category": {"id": category_["_id"], "name": category_["name"]}})
    return records


def order(database: Database, key: int) -> Record | None:
    found = database.orders.find_one({"_id": key}, {"status": 1, "placed_at": 1})
    if found is None:
        return None
    lines = database.order_lines.find({"_id.order_id": key}, {"quantity": 1, "unit_price": 1}, sort=[("_id", 1)])
    return {
        "id": found["_id"],
        "status": found["status"],
        "placed_at": found["placed_at"],
        "order_lines": [{"position": line.pop("_id")["position"], **line} for line in lines],
    }


def sales(database: Database) -> list[Record]:
    found = database.products.aggregate(
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
    return [{"category_id": group.pop("_id"), **group} for group in found]


def count(database: Database, category: int, price: str) -> Record:
    number = database.products.count_documents({"category_id": category, "price": {"$gte": Decimal128(price)}})
    return {"count": number}


def insert(database: Database, product: Record, session: ClientSession | None = None) -> Record | None:
    document = _document(product)
    database.products.insert_one(document, session=session)
    return record(document)


def upsert(database: Database, product: Record, session: ClientSession | None = None) -> Record | None:
    document = _document(product)
    given = {name: document.pop(name) for name in FIELDS}
    return record(
        database.products.find_one_and_update(
            {"sku": given["sku"]},
            {"$set": given, "$setOnInsert": document},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
    )


def insert_many(database: Database, products: list[Record]) -> Record:
    with client.start_session() as session, session.start_transaction():
        return insert_all(database, products, session)


def insert_all(database: Database, products: list[Record], session: ClientSession) -> Record:
    """In the session's transaction."""
    database.products.insert_many([_document(product) for product in products], session=session)
    return {"inserted": len(products)}


def change(database: Database, key: str, changes: Record) -> Record | None:
    given = _stored({name: changes[name] for name in FIELDS if name in changes})
    return record(
        database.products.find_one_and_update({"_id": UUID(key)}, {"$set": given}, return_document=ReturnDocument.AFTER)
    )


def stream(database: Database, limit: int) -> Iterator[Record | None]:
    """The products, by key."""
    for document in database.products.find(sort=[("_id", 1)], limit=limit, batch_size=1000):
        yield record(document)


def record(document: Record | None) -> Record | None:
    """As a client sees it."""
    if document is None:
        return None
    seen = {"id": document.pop("_id"), **document}
    if seen["released"] is not None:
        seen["released"] = seen["released"].date()
    return seen


def _document(product: Record) -> Record:
    now = datetime.now(UTC)
    values = _stored({name: product.get(name) for name in FIELDS})
    return {"_id": uuids.uuid7(), **values, "created_at": now.replace(microsecond=now.microsecond // 1000 * 1000)}


def _stored(values: Record) -> Record:
    if values.get("price") is not None:
        values["price"] = Decimal128(str(values["price"]))
    if values.get("released") is not None:
        values["released"] = datetime.fromisoformat(values["released"])
    return values

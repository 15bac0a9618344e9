"""FastAPI with pymongo's AsyncMongoClient and Pydantic models."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuids
from bson import Decimal128
from bson.codec_options import CodecOptions
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from bench.services import fastapi_models as models

Document = dict[str, Any]

client: AsyncMongoClient[Document] = AsyncMongoClient(os.environ["STORE_URL"], uuidRepresentation="standard")
database: AsyncDatabase[Document] = client.get_default_database().with_options(
    CodecOptions(tz_aware=True, tzinfo=UTC, uuid_representation=4)
)
app = FastAPI()


@app.get("/products.ndjson")
async def lines(limit: int) -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        async for part in _parts(limit):
            yield "".join(product.model_dump_json() + "\n" for product in part)

    return StreamingResponse(parts(), media_type="application/x-ndjson")


@app.get("/products.csv")
async def table(limit: int) -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        header = True
        async for part in _parts(limit):
            yield models.csv_lines(part, header=header)
            header = False

    return StreamingResponse(parts(), media_type="text/csv")


async def _parts(limit: int) -> AsyncIterator[list[models.Product]]:
    found = database.products.find(sort=[("_id", 1)], limit=limit, batch_size=1000)
    while part := await found.to_list(500):
        yield [_product(document) for document in part]


@app.get("/products/{key}")
async def one(key: UUID) -> models.Product:
    return _product(await database.products.find_one({"_id": key}))


@app.get("/products")
async def page(category: int, price: str) -> list[models.Product]:
    found = database.products.find(
        {"category_id": category, "price": {"$gte": Decimal128(price)}}, sort=[("price", -1), ("_id", 1)], limit=20
    )
    return [_product(document) for document in await found.to_list()]


@app.get("/products-with-category")
async def with_category(category: int) -> list[models.ProductWithCategory]:
    found = await database.products.aggregate(
        [
            {"$match": {"category_id": category}},
            {"$sort": {"price": -1, "_id": 1}},
            {"$limit": 20},
            {"$lookup": {"from": "categories", "localField": "category_id", "foreignField": "_id", "as": "category"}},
            {"$unwind": "$category"},
            {"$set": {"id": "$_id", "category.id": "$category._id"}},
        ]
    )
    return [models.ProductWithCategory.model_validate(_plain(document)) for document in await found.to_list()]


@app.get("/orders/{key}")
async def order(key: int) -> models.Order:
    found = await database.orders.find_one({"_id": key})
    if found is None:
        raise HTTPException(404)
    lines_ = database.order_lines.find({"_id.order_id": key}, sort=[("_id", 1)])
    found["order_lines"] = [_plain(line) | {"position": line["_id"]["position"]} for line in await lines_.to_list()]
    return models.Order.model_validate(found | {"id": found["_id"]})


@app.get("/sales")
async def sales() -> list[models.Sales]:
    found = await database.products.aggregate(
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
            {"$set": {"category_id": "$_id"}},
        ]
    )
    return [models.Sales.model_validate(_plain(group)) for group in await found.to_list()]


@app.get("/count")
async def count(category: int, price: str) -> models.Count:
    query = {"category_id": category, "price": {"$gte": Decimal128(price)}}
    return models.Count(count=await database.products.count_documents(query))


@app.post("/products", status_code=201)
async def add(given: models.NewProduct) -> models.Product:
    document = _stored(given) | _own()
    await database.products.insert_one(document)
    return _product(document)


@app.post("/products/bulk", status_code=201)
async def add_many(given: list[models.NewProduct]) -> models.Inserted:
    documents = [_stored(product) | _own() for product in given]
    async with client.start_session() as session, await session.start_transaction():
        await database.products.insert_many(documents, session=session)
    return models.Inserted(inserted=len(given))


@app.put("/products")
async def upsert(given: models.NewProduct) -> models.Product:
    return _product(
        await database.products.find_one_and_update(
            {"sku": given.sku},
            {"$set": _stored(given), "$setOnInsert": _own()},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
    )


@app.patch("/products/{key}")
async def change(key: UUID, given: models.ProductChange) -> models.Product:
    return _product(
        await database.products.find_one_and_update(
            {"_id": key}, {"$set": _stored(given, exclude_unset=True)}, return_document=ReturnDocument.AFTER
        )
    )


def _own() -> Document:
    return {"_id": uuids.uuid7(), "created_at": datetime.now(UTC)}


def _stored(given: models.Model, *, exclude_unset: bool = False) -> Document:
    values = given.model_dump(exclude_unset=exclude_unset)
    if values.get("price") is not None:
        values["price"] = Decimal128(values["price"])
    if values.get("released") is not None:
        values["released"] = datetime.combine(values["released"], datetime.min.time(), UTC)
    return values


def _product(document: Document | None) -> models.Product:
    if document is None:
        raise HTTPException(404)
    return models.Product.model_validate(_plain(document) | {"id": document["_id"]})


def _plain(document: Document) -> Document:
    return {name: value.to_decimal() if isinstance(value, Decimal128) else value for name, value in document.items()}

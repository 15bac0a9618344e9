"""The floor: one table, served by Flask and the driver, written by hand by someone who knows both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, Response, request

from bench.services.by_hand import as_csv, ndjson, store

app = Flask(__name__)


def _json(value: object, status: int = 200) -> Response:
    if value is None:
        value, status = {"message": "not found"}, 404
    return Response(store.dumps(value), status, content_type="application/json")


@app.get("/products/<key>")
def one(key: str) -> Response:
    with store.pooled() as database:
        return _json(store.one(database, key))


@app.get("/products")
def page() -> Response:
    with store.pooled() as database:
        return _json(store.page(database, int(request.args["category"]), request.args["price"]))


@app.get("/products-with-category")
def with_category() -> Response:
    with store.pooled() as database:
        return _json(store.with_category(database, int(request.args["category"])))


@app.get("/orders/<int:key>")
def order(key: int) -> Response:
    with store.pooled() as database:
        return _json(store.order(database, key))


@app.get("/sales")
def sales() -> Response:
    with store.pooled() as database:
        return _json(store.sales(database))


@app.get("/count")
def count() -> Response:
    with store.pooled() as database:
        return _json(store.count(database, int(request.args["category"]), request.args["price"]))


@app.post("/products")
def insert() -> Response:
    with store.pooled() as database:
        return _json(store.insert(database, request.get_json()), 201)


@app.post("/products/bulk")
def insert_many() -> Response:
    with store.pooled() as database:
        return _json(store.insert_many(database, request.get_json()), 201)


@app.put("/products")
def upsert() -> Response:
    with store.pooled() as database:
        return _json(store.upsert(database, request.get_json()))


@app.patch("/products/<key>")
def change(key: str) -> Response:
    with store.pooled() as database:
        return _json(store.change(database, key, request.get_json()))


@app.get("/products.ndjson")
def lines() -> Response:
    return Response(_rows(ndjson, int(request.args["limit"])), content_type="application/x-ndjson")


@app.get("/products.csv")
def table() -> Response:
    return Response(_rows(as_csv, int(request.args["limit"])), content_type="text/csv")


def _rows(form: Callable[[Any], Iterator[bytes]], limit: int) -> Iterator[bytes]:
    with store.pooled() as database:
        yield from form(store.stream(database, limit))

"""The limit: a bare WSGI application and the driver, a connection for each thread, no framework and no pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import orjson

from bench.services.by_hand import as_csv, ndjson, store

Answer = tuple[str, bytes]
_STATUS = {200: "200 OK", 201: "201 Created", 404: "404 Not Found"}


def app(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    path: str = environ["PATH_INFO"]
    with store.own() as database:
        if path in _STREAMS:
            kind, form = _STREAMS[path]
            start_response(_STATUS[200], [("Content-Type", kind)])
            return form(store.stream(database, int(_query(environ)["limit"])))
        folder, _, key = path[1:].partition("/")
        value, status = _ROUTES[environ["REQUEST_METHOD"], folder](database, key, environ)
    body = store.dumps(value)
    if value is None:
        status = 404
    start_response(_STATUS[status], [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _query(environ: dict[str, Any]) -> dict[str, str]:
    return dict(parse_qsl(environ["QUERY_STRING"]))


def _body(environ: dict[str, Any]) -> Any:
    return orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))


def _products(database: Any, key: str, environ: dict[str, Any]) -> tuple[object, int]:
    if key:
        return store.one(database, key), 200
    query = _query(environ)
    return store.page(database, int(query["category"]), query["price"]), 200


def _insert(database: Any, key: str, environ: dict[str, Any]) -> tuple[object, int]:
    write = store.insert_many if key == "bulk" else store.insert
    return write(database, _body(environ)), 201


def _count(database: Any, _key: str, environ: dict[str, Any]) -> tuple[object, int]:
    query = _query(environ)
    return store.count(database, int(query["category"]), query["price"]), 200


_ROUTES: dict[tuple[str, str], Callable[[Any, str, dict[str, Any]], tuple[object, int]]] = {
    ("GET", "products"): _products,
    ("GET", "products-with-category"): lambda database, _key, environ: (
        store.with_category(database, int(_query(environ)["category"])),
        200,
    ),
    ("GET", "orders"): lambda database, key, _environ: (store.order(database, int(key)), 200),
    ("GET", "sales"): lambda database, _key, _environ: (store.sales(database), 200),
    ("GET", "count"): _count,
    ("POST", "products"): _insert,
    ("PUT", "products"): lambda database, _key, environ: (store.upsert(database, _body(environ)), 200),
    ("PATCH", "products"): lambda database, key, environ: (store.change(database, key, _body(environ)), 200),
}
_STREAMS = {"/products.ndjson": ("application/x-ndjson", ndjson), "/products.csv": ("text/csv", as_csv)}

"""The floor on PostgreSQL: one table, served by Flask and psycopg, written by hand by someone who knows both."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

import orjson
from flask import Flask, Response, request
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

app = Flask(__name__)
pool: ConnectionPool[Connection[dict[str, Any]]] = ConnectionPool(
    os.environ["FLOOR_URL"],
    min_size=8,
    max_size=8,
    kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": 1, "options": "-c timezone=UTC"},
    open=True,
)
COLUMNS = """
    id, sku, name, description, price, weight, stock, views, active, tags, attributes, released, created_at, category_id
"""


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value, default=_default), status, content_type="application/json")


@app.get("/health/live")
def live() -> Response:
    return _json({"status": "live"})


@app.get("/api/products/<uuid:key>")
def item(key: Any) -> Response:
    with pool.connection() as connection:
        row = connection.execute(f"SELECT {COLUMNS} FROM products WHERE id = %s", (key,)).fetchone()
    return _json(row) if row else _json({"message": "not found"}, 404)


@app.get("/api/products")
def page() -> Response:
    arguments = request.args
    with pool.connection() as connection:
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM products WHERE category_id = %s AND price >= %s ORDER BY price DESC, id LIMIT %s",
            (int(arguments["category_id"]), Decimal(arguments["price"]), int(arguments["limit"])),
        ).fetchall()
    return _json(rows)


@app.get("/by-hand/products-with-category")
def to_one() -> Response:
    with pool.connection() as connection:
        rows = connection.execute(
            "SELECT p.id, p.sku, p.name, p.price, c.id AS category_id, c.name AS category_name "
            "FROM products p JOIN categories c ON c.id = p.category_id "
            "WHERE p.category_id = %s ORDER BY p.price DESC, p.id LIMIT 20",
            (int(request.args["category"]),),
        ).fetchall()
    for row in rows:
        row["category"] = {"id": row.pop("category_id"), "name": row.pop("category_name")}
    return _json(rows)


@app.get("/by-hand/orders-with-lines")
def to_many() -> Response:
    with pool.connection() as connection:
        orders = connection.execute(
            "SELECT id, status, placed_at FROM orders WHERE customer_id = %s ORDER BY placed_at DESC, id LIMIT 20",
            (int(request.args["customer"]),),
        ).fetchall()
        found: dict[int, list[Any]] = {order["id"]: order.setdefault("order_lines", []) for order in orders}
        lines = connection.execute(
            "SELECT order_id, position, quantity, unit_price FROM order_lines WHERE order_id = ANY(%s) "
            "ORDER BY order_id, position",
            (list(found),),
        ).fetchall()
    for line in lines:
        found[line.pop("order_id")].append(line)
    return _json(orders)


@app.get("/by-hand/sales")
def grouped() -> Response:
    with pool.connection() as connection:
        rows = connection.execute(
            "SELECT category_id, count(*) AS count, sum(price) AS total, sum(stock) AS pieces "
            "FROM products GROUP BY category_id ORDER BY category_id"
        ).fetchall()
    return _json(rows)

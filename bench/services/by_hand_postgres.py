"""What the services written by hand ask of PostgreSQL: psycopg, statements for one table, prepared by the server."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import uuid_utils.compat as uuids
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads
from psycopg_pool import ConnectionPool

Row = dict[str, Any]
Database = Connection[Row]

FIELDS = (
    "sku", "name", "description", "price", "weight", "stock", "views", "active", "tags", "attributes", "released",
    "category_id",
)  # fmt: skip
COLUMNS = (
    "id, sku, name, description, price, weight, stock, views, active, tags, attributes, released, created_at, "
    "category_id"
)
OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "row_factory": dict_row,
    "prepare_threshold": 1,
    "options": "-c timezone=UTC",
}
_INSERT = f"""
    INSERT INTO products (id, {", ".join(FIELDS)}, created_at)
    VALUES (%(id)s, {", ".join(f"%({name})s" for name in FIELDS)}, date_trunc('milliseconds', now()))
"""
_UPSERT = f"""
    {_INSERT} ON CONFLICT (sku) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in FIELDS[1:])}
"""
_thread = threading.local()
set_json_dumps(orjson.dumps)
set_json_loads(orjson.loads)


def pooled() -> AbstractContextManager[Database]:
    """A connection of the process's pool."""
    return pool.connection()


@contextmanager
def own() -> Iterator[Database]:
    """The thread's own connection."""
    if not hasattr(_thread, "connection"):
        _thread.connection = Connection.connect(os.environ["STORE_URL"], **OPTIONS)
    yield _thread.connection


def dumps(value: object) -> bytes:
    """JSON, with decimals as numbers."""
    return orjson.dumps(value, default=_decimal)


def _decimal(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError


def one(database: Database, key: str) -> Row | None:
    return database.execute(f"SELECT {COLUMNS} FROM products WHERE id = %s", (UUID(key),)).fetchone()


def page(database: Database, category: int, price: str) -> list[Row]:
    return database.execute(
        f"SELECT {COLUMNS} FROM products WHERE category_id = %s AND price >= %s ORDER BY price DESC, id LIMIT 20",
        (category, Decimal(price)),
    ).fetchall()


def with_category(database: Database, category: int) -> list[Row]:
    rows = database.execute(
        "SELECT p.id, p.sku, p.name, p.price, c.id AS category_id, c.name AS category_name "
        "FROM products p JOIN categories c ON c.id = p.category_id "
        "WHERE p.category_id = %s ORDER BY p.price DESC, p.id LIMIT 20",
        (category,),
    ).fetchall()
    for row in rows:
        row["category"] = {"id": row.pop("category_id"), "name": row.pop("category_name")}
    return rows


def order(database: Database, key: int) -> Row | None:
    found = database.execute("SELECT id, status, placed_at FROM orders WHERE id = %s", (key,)).fetchone()
    if found:
        found["order_lines"] = database.execute(
            "SELECT position, quantity, unit_price FROM order_lines WHERE order_id = %s ORDER BY position", (key,)
        ).fetchall()
    return found


def sales(database: Database) -> list[Row]:
    return database.execute(
        "SELECT category_id, count(*) AS count, sum(price) AS total, sum(stock) AS pieces "
        "FROM products GROUP BY category_id ORDER BY category_id"
    ).fetchall()


def count(database: Database, category: int, price: str) -> Row | None:
    return database.execute(
        "SELECT count(*) AS count FROM products WHERE category_id = %s AND price >= %s", (category, Decimal(price))
    ).fetchone()


def insert(database: Database, product: Row) -> Row | None:
    return database.execute(f"{_INSERT} RETURNING {COLUMNS}", _values(product)).fetchone()


def upsert(database: Database, product: Row) -> Row | None:
    return database.execute(f"{_UPSERT} RETURNING {COLUMNS}", _values(product)).fetchone()


def insert_many(database: Database, products: list[Row]) -> Row:
    with database.transaction(), database.cursor() as cursor:
        cursor.executemany(_INSERT, [_values(product) for product in products])
    return {"inserted": len(products)}


def change(database: Database, key: str, changes: Row) -> Row | None:
    names = [name for name in FIELDS if name in changes]
    assignments = ", ".join(f"{name} = %({name})s" for name in names)
    return database.execute(
        f"UPDATE products SET {assignments} WHERE id = %(id)s RETURNING {COLUMNS}",
        _sent({name: changes[name] for name in names}) | {"id": UUID(key)},
    ).fetchone()


def stream(database: Database, limit: int) -> Iterator[Row]:
    """The products, by key, read a thousand at a time."""
    with database.transaction(), database.cursor("stream") as cursor:
        cursor.itersize = 1000
        cursor.execute(f"SELECT {COLUMNS} FROM products ORDER BY id LIMIT %s", (limit,))
        yield from cursor


def _values(product: Row) -> Row:
    return _sent({name: product.get(name) for name in FIELDS}) | {"id": uuids.uuid7()}


def _sent(values: Row) -> Row:
    if values.get("attributes") is not None:
        values["attributes"] = Jsonb(values["attributes"])
    return values


# Opened when a worker imports this module, and closed with it.
pool: ConnectionPool[Database] = ConnectionPool(
    os.environ["STORE_URL"], min_size=8, max_size=8, kwargs=OPTIONS, open=os.environ.get("STORE_POOL", "1") == "1"
)

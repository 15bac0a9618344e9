"""The PostgreSQL of a run: databases copied from templates, and more products for those that grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
from psycopg import sql

from bench.works import WRITTEN

_GROW = """
    INSERT INTO products
    SELECT (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'G-' || n, name,
        description, price, weight, stock, views, active, tags, attributes, released, created_at, category_id
    FROM generate_series(%s::bigint, %s::bigint) AS n
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS base FROM products WHERE sku LIKE 'DG-%%') AS p
        ON p.base = n %% %s
"""


class Postgres:
    """The server behind `url`."""

    backend = "postgres"

    def __init__(self, url: str) -> None:
        self._url = url
        with self._connection() as connection:
            server = psutil.Process(connection.info.backend_pid).parent()
        assert server is not None
        self.process = server

    def url(self, database: str) -> str:
        """Where the database is."""
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{database}"))

    def create(self, database: str, template: str = "template0") -> str:
        """A fresh database, a copy of the template; returns its URL."""
        self.drop(database)
        names = {"database": sql.Identifier(database), "template": sql.Identifier(template)}
        with self._connection() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY").format(**names)
            )
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove the database, if there is one."""
        with self._connection() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def settle(self, database: str) -> None:
        """What would else be done in the background while a contender is timed."""
        with self._connection(database) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def run(self, database: str, script: Path) -> None:
        """Execute a file of statements."""
        with self._connection(database) as connection:
            connection.execute(script.read_text("utf-8"))

    def written(self, database: str, table: str) -> int:
        """How many records of the run's own are in the table."""
        with self._connection(database) as connection:
            query = sql.SQL("SELECT count(*) FROM {} WHERE starts_with(sku, %s)").format(sql.Identifier(table))
            [count] = connection.execute(query, [WRITTEN]).fetchone() or [0]
        return int(count)

    def reset(self, database: str, table: str) -> None:
        """Remove the run's own records."""
        with self._connection(database) as connection:
            query = sql.SQL("DELETE FROM {} WHERE starts_with(sku, %s)").format(sql.Identifier(table))
            connection.execute(query, [WRITTEN])
            connection.execute(sql.SQL("VACUUM {}").format(sql.Identifier(table)))

    def grow(self, database: str, first: int, last: int, base: int) -> None:
        """Add the products with these numbers, made of the `base` that are there."""
        with self._connection(database) as connection, connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(_GROW, [first, last, base])
        self.settle(database)

    def _connection(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(database), autocommit=True)

"""The stores under test, as the tests handle them: opened on a catalog, looked into, and emptied, past the port."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, ClassVar

import psycopg
from psycopg import sql
from pymongo import MongoClient

from repositories.base import Limits, Repository
from repositories.connect import connect
from repositories.schema import Catalog
from tests import catalogs, rivals, shapes
from tests.oracle import OracleRepository
from tests.patience import PAUSE
from tests.races.lax import lax_shop
from tests.servers import with_database

CATALOGS: dict[str, Callable[[], Catalog]] = {
    "shop": catalogs.shop,
    "lab": catalogs.lab,
    "studio": catalogs.studio,
    "lax": lax_shop,
    "rivals": rivals.rivals,
    "shapes": shapes.shapes,
}
LIMITS = Limits(statement_timeout=10, pool_timeout=5, connect_timeout=5, pool_size=8)


class Store(ABC):
    """One repository on one catalog, with its schema, and a way into its data that does not use it."""

    name: ClassVar[str]
    repository: Repository

    @abstractmethod
    def empty(self) -> None:
        """Take every record out, and let every sequence begin anew."""

    @abstractmethod
    def forget_nulls(self, resource: str) -> None:
        """Make records lack the fields that are null, where the store can have such records."""

    @abstractmethod
    def open_work(self) -> list[str]:
        """What the repository still holds at the server: transactions, cursors, running statements."""

    @abstractmethod
    def limited(self, limits: Limits) -> AbstractContextManager[Repository]:
        """A repository on the same records, with other limits."""

    def close(self) -> None:
        self.repository.close()

    def check_idle(self) -> None:
        # A connection is given back a moment after its answer has arrived.
        deadline = time.monotonic() + PAUSE
        while work := self.open_work():
            assert time.monotonic() < deadline, f"{self.name} is still at work: {work}"
            time.sleep(0.01)


class OracleStore(Store):
    name = "oracle"

    def __init__(self, catalog: Catalog) -> None:
        self.repository: OracleRepository = OracleRepository(catalog, LIMITS)

    def empty(self) -> None:
        self.repository.clear()

    def forget_nulls(self, resource: str) -> None:
        for record in self.repository.state[resource]:
            for name in [name for name, value in record.items() if value is None]:
                del record[name]

    def open_work(self) -> list[str]:
        return []

    @contextmanager
    def limited(self, limits: Limits) -> Iterator[Repository]:
        kept, self.repository.limits = self.repository.limits, limits
        try:
            yield self.repository
        finally:
            self.repository.limits = kept


class PostgresStore(Store):
    name = "postgres"

    def __init__(self, url: str, catalog: Catalog, database: str) -> None:
        self._server_url, self._database = url, database
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"))
        self._admin(sql.SQL("CREATE DATABASE {}"))
        with suppress(psycopg.errors.InsufficientPrivilege):  # a deadlock then takes a second, and not less
            self._admin(sql.SQL("ALTER DATABASE {} SET deadlock_timeout = '10ms'"))
        self.url = with_database(url, database)
        self.repository = connect(self.name, self.url, catalog, LIMITS)
        self.repository.apply_schema()
        self._connection = psycopg.connect(self.url, autocommit=True)
        self._tables = [sql.Identifier(resource.name) for resource in catalog]

    def _admin(self, statement: sql.SQL) -> None:
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(self._database)))

    def empty(self) -> None:
        self._connection.execute(
            sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.SQL(", ").join(self._tables))
        )

    def forget_nulls(self, resource: str) -> None:
        """A row of a table has every column."""

    def open_work(self) -> list[str]:
        work = self._connection.execute(
            "SELECT state || ': ' || query FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'diglot' AND state <> 'idle'"
        )
        return [text for (text,) in work]

    def limited(self, limits: Limits) -> AbstractContextManager[Repository]:
        return connect(self.name, self.url, self.repository.catalog, limits)

    def close(self) -> None:
        super().close()
        self._connection.close()
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"))


class MongoStore(Store):
    name = "mongodb"

    def __init__(self, url: str, catalog: Catalog, database: str) -> None:
        self.url = with_database(url, database)
        self._client: MongoClient[dict[str, Any]] = MongoClient(url)
        self._client.drop_database(database)
        self._database = self._client[database]
        self.repository = connect(self.name, self.url, catalog, LIMITS)
        self.repository.apply_schema()
        self._after_schema = {
            name: list(self._database[name].find())
            for name in self._database.list_collection_names()
            if name not in catalog
        }

    def empty(self) -> None:
        for name in self._database.list_collection_names():
            collection, kept = self._database[name], self._after_schema.get(name, [])
            # Looking is ten times as fast as deleting, and most collections are as they were.
            if list(collection.find(limit=len(kept) + 1)) != kept:
                collection.delete_many({})
                if kept:
                    collection.insert_many(kept)

    def forget_nulls(self, resource: str) -> None:
        for name in self.repository.catalog[resource].fields:
            # As an expression, for a plain `null` would also match an array with a null in it.
            is_null = {"$expr": {"$eq": [f"${name}", None]}}
            self._database[resource].update_many(is_null, {"$unset": {name: ""}})

    def open_work(self) -> list[str]:
        status = self._client.admin.command("serverStatus")
        figures = {
            "transactions": status["transactions"]["currentOpen"],
            "cursors": status["metrics"]["cursor"]["open"]["total"],
        }
        return [f"{number} {what}" for what, number in figures.items() if number]

    def limited(self, limits: Limits) -> AbstractContextManager[Repository]:
        return connect(self.name, self.url, self.repository.catalog, limits)

    def close(self) -> None:
        super().close()
        self._client.drop_database(self._database.name)
        self._client.close()

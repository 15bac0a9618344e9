"""The MongoDB of a run: databases copied from templates, and more products for those that grow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import psutil
from pymongo import MongoClient
from pymongo.database import Database

from bench.works import WRITTEN

Document = dict[str, Any]
_BATCH = 5000


class MongoDB:
    """The server behind `url`."""

    backend = "mongodb"

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: MongoClient[Document] = MongoClient(url, uuidRepresentation="standard")
        self.process = psutil.Process(self._client.admin.command("serverStatus")["pid"])

    def url(self, database: str) -> str:
        """Where the database is."""
        return re.sub(r"/[^/?]*\?", f"/{database}?", self._url)

    def database(self, name: str) -> Database[Document]:
        """The database itself."""
        return self._client[name]

    def create(self, database: str, template: str | None = None) -> str:
        """A fresh database, a copy of the template; returns its URL."""
        self.drop(database)
        target, source = self._client[database], self._client[template or database]
        for found in source.list_collections():
            target.create_collection(found["name"], **found["options"])
            collection = source[found["name"]]
            indexes = [
                {key: value for key, value in index.items() if key not in {"v", "ns"}}
                for index in collection.list_indexes()
                if index["name"] != "_id_"
            ]
            collection.aggregate([{"$out": {"db": database, "coll": found["name"]}}])
            if indexes:
                target.command("createIndexes", found["name"], indexes=indexes)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove the database, if there is one."""
        self._client.drop_database(database)

    def settle(self, database: str) -> None:  # noqa: ARG002  (PostgreSQL has to know which)
        """What would else be done in the background while a contender is timed."""
        self._client.admin.command("fsync")

    def fill(
        self, database: str, collection: str, documents: Iterable[Document], change: Callable[[Document], Document]
    ) -> None:
        """Insert the documents, each changed."""
        batch: list[Document] = []
        target = self._client[database][collection]
        for document in documents:
            batch.append(change(document))
            if len(batch) == _BATCH:
                target.insert_many(batch, ordered=False, bypass_document_validation=True)
                batch = []
        if batch:
            target.insert_many(batch, ordered=False, bypass_document_validation=True)

    def written(self, database: str, table: str) -> int:
        """How many records of the run's own are in the collection."""
        return self._client[database][table].count_documents({"sku": {"$regex": f"^{WRITTEN}"}})

    def reset(self, database: str, table: str) -> None:
        """Remove the run's own records."""
        self._client[database][table].delete_many({"sku": {"$regex": f"^{WRITTEN}"}})

    def grow(self, database: str, first: int, last: int, base: int) -> None:
        """Add the products with these numbers, made of the `base` that are there."""
        products = self._client[database].products
        samples = list(products.find({"sku": {"$regex": "^DG-"}}, sort=[("_id", 1)], limit=base))
        numbers = ({"n": number} for number in range(first, last + 1))
        self.fill(
            database,
            "products",
            numbers,
            lambda item: samples[item["n"] % base] | {"_id": UUID(grown(item["n"])), "sku": f"G-{item['n']}"},
        )
        self.settle(database)


def grown(number: int) -> str:
    """The key of a product by which a database grew; PostgreSQL makes the same."""
    return f"{number:08x}-0000-7000-8000-{number:012x}"

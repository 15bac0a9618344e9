"""The same on MongoDB with the promise of a foreign key: no product is written into a category that is not there.

In a transaction the category is written to, as MongoDB advises where a record that is read must not change meanwhile:
who deletes it, and who adds to it, are in conflict, and the driver tries again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from werkzeug.exceptions import Conflict

from bench.services import by_hand_mongodb as unchecked
from bench.services.by_hand_mongodb import (  # noqa: F401 - what needs no check
    Database,
    Record,
    change,
    client,
    count,
    dumps,
    one,
    order,
    own,
    page,
    pooled,
    sales,
    stream,
    with_category,
)

T = TypeVar("T")


def insert(database: Database, product: Record) -> Record | None:
    return _checked(database, [product], lambda session: unchecked.insert(database, product, session))


def upsert(database: Database, product: Record) -> Record | None:
    return _checked(database, [product], lambda session: unchecked.upsert(database, product, session))


def insert_many(database: Database, products: list[Record]) -> Record:
    return _checked(database, products, lambda session: unchecked.insert_all(database, products, session))


def _checked(database: Database, products: list[Record], write: Callable[[ClientSession], T]) -> T:
    """What `write` gives, in a transaction that holds the products' categories."""
    categories = {product["category_id"] for product in products}

    def work(session: ClientSession) -> T:
        for category in sorted(categories):
            held = database.categories.update_one({"_id": category}, {"$set": {"held": ObjectId()}}, session=session)
            if not held.matched_count:
                raise Conflict(f"There is no category {category}.")
        return write(session)

    with client.start_session() as session:
        return session.with_transaction(work, ReadConcern("snapshot"), WriteConcern("majority"))

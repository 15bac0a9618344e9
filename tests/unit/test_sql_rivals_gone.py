"""Writes that broke a rule, by what is no longer there when it is looked for: they are carried out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from repositories.errors import ReferenceViolation, RepositoryError, UniqueViolation
from repositories.sql.repository import PostgresRepository
from tests import catalogs
from tests.contract import queries as q
from tests.contract.samples import product
from tests.unit.sql_server import Connection, connection, database_url, emptied, opened

__all__ = ["connection", "database_url"]

Before = Callable[[Callable[[], object]], None]


@pytest.fixture
def shop(database_url: str, connection: Connection) -> Iterator[PostgresRepository]:
    emptied(connection)
    with opened(database_url, catalogs.shop()) as repository:
        yield repository


@pytest.fixture
def before(shop: PostgresRepository, monkeypatch: pytest.MonkeyPatch) -> Before:
    """Lets something happen each time before it is looked up what a write has met."""

    def happens(what: Callable[[], object]) -> None:
        named = shop._named

        def later(*arguments: Any) -> RepositoryError | None:
            what()
            return named(*arguments)

        monkeypatch.setattr(shop, "_named", later)

    return happens


def test_a_record_in_the_way(shop: PostgresRepository, connection: Connection, before: Before) -> None:
    shop.write(q.insert(shop.catalog, "categories", {"name": "a"}))
    before(lambda: connection.execute("DELETE FROM categories"))
    assert shop.write(q.insert(shop.catalog, "categories", {"name": "b"}, {"name": "a"})).count == 2
    names = q.read(shop.catalog, "categories", columns=["name"], order="name")
    assert shop.rows(names).rows == [("a",), ("b",)]


def test_a_record_that_was_lacked(shop: PostgresRepository, connection: Connection, before: Before) -> None:
    write = q.insert(shop.catalog, "products", product(1, category_id=None), product(2, category_id=7))
    with pytest.raises(ReferenceViolation) as caught:
        shop.write(write)
    assert caught.value.row == 1
    before(lambda: connection.execute("INSERT INTO categories (id, name) VALUES (7, 'x')"))
    assert shop.write(write).count == 2


def test_one_that_comes_and_goes(shop: PostgresRepository, connection: Connection, before: Before) -> None:
    """In the end the driver's word is taken."""
    looked = []
    attempt = shop._attempt

    def come() -> None:
        connection.execute("INSERT INTO categories (name) VALUES ('a')")

    def go() -> None:
        looked.append(1)
        connection.execute("DELETE FROM categories")

    def attempted(write: Any) -> Any:
        come()
        return attempt(write)

    before(go)
    shop._attempt = attempted  # type: ignore[method-assign]
    with pytest.raises(UniqueViolation) as caught:
        shop.write(q.insert(shop.catalog, "categories", {"name": "b"}, {"name": "a"}))
    assert (caught.value.fields, caught.value.row) == (("name",), None)
    assert 1 < len(looked) < 10

"""Which commands a write becomes: one where one will do, a transaction where there is more to keep together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pymongo import MongoClient, monitoring

from repositories.base import Limits
from repositories.mongo.repository import MongoRepository
from repositories.writes import Conflict, Insert, Write
from tests.catalogs import shop
from tests.contract import queries
from tests.servers import with_database

DATABASE = "diglot_test_writing"
CATALOG = shop()


class Commands(monitoring.CommandListener):
    """The names of the commands that were sent."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    listener = Commands()
    monkeypatch.setattr(
        "repositories.mongo.connection.MongoClient",
        lambda *args, **options: MongoClient[dict[str, Any]](*args, **options, event_listeners=[listener]),
    )
    return listener


@pytest.fixture
def repository(mongodb_url: str, commands: Commands) -> Iterator[MongoRepository]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        with MongoRepository(with_database(mongodb_url, DATABASE), CATALOG, Limits()) as repository:
            repository.apply_schema()
            repository.write(queries.insert(CATALOG, "categories", {"name": "a"}))
            repository.write(queries.insert(CATALOG, "returns", *({"reason": f"{number}"} for number in range(4))))
            yield repository
        client.drop_database(DATABASE)


def product(number: int, **changes: Any) -> dict[str, Any]:
    row = {"id": UUID(int=number), "sku": f"S{number}", "name": f"{number}", "price": Decimal(1), "category_id": 1}
    return row | changes


def returns(*numbers: int) -> queries.Filter:
    return queries.within("id", *numbers)


def upsert(*rows: dict[str, Any]) -> Insert:
    fields = CATALOG["returns"].fields
    return replace(queries.insert(CATALOG, "returns", *rows), conflict=Conflict((fields["id"],), (fields["reason"],)))


@pytest.mark.parametrize(
    ("write", "count", "sent"),
    [
        (queries.insert(CATALOG, "categories", {"id": 2, "name": "b"}), 1, ["insert"]),
        (queries.insert(CATALOG, "categories", {"name": "b"}), 1, ["findAndModify", "insert"]),
        (
            queries.insert(CATALOG, "categories", {"id": 2, "name": "b"}, {"id": 3, "name": "c"}),
            2,
            ["insert", "commitTransaction"],
        ),
        (
            queries.insert(CATALOG, "products", product(1), product(2)),
            2,
            ["update", "insert", "find", "commitTransaction"],
        ),
        (queries.insert(CATALOG, "products", product(1)), 1, ["update", "insert", "find", "commitTransaction"]),
        (queries.insert(CATALOG, "products", product(1, category_id=None)), 1, ["insert"]),
        (queries.insert(CATALOG, "returns"), 0, []),
        (queries.update(CATALOG, "returns", {"reason": "x"}, queries.eq("id", 1)), 1, ["findAndModify"]),
        (queries.update(CATALOG, "returns", {"reason": "x"}, queries.eq("id", 9)), 0, ["findAndModify"]),
        (queries.update(CATALOG, "returns", {"reason": "x"}, returns(1, 2)), 2, ["update", "commitTransaction"]),
        (
            queries.update(CATALOG, "returns", {"reason": "x"}, returns(1, 2), returning=["id"]),
            2,
            ["find", "update", "commitTransaction"],
        ),
        (queries.delete(CATALOG, "returns", queries.eq("id", 1)), 1, ["findAndModify"]),
        (queries.delete(CATALOG, "returns", returns(1, 2)), 2, ["delete", "commitTransaction"]),
        (
            queries.delete(CATALOG, "returns", returns(1, 2), returning=["id"]),
            2,
            ["find", "delete", "commitTransaction"],
        ),
        (
            queries.delete(CATALOG, "categories", queries.eq("id", 1)),
            1,
            ["find", "delete", "update", "find", "commitTransaction"],
        ),
        (
            queries.replace(CATALOG, "categories", {"id": 1, "name": "b"}),
            1,
            ["find", "update", "commitTransaction"],
        ),
        (upsert({"id": 1, "reason": "x"}), 1, ["findAndModify"]),
        (upsert({"id": 9, "reason": "x"}), 1, ["findAndModify"]),
        (
            upsert({"id": 1, "reason": "x"}, {"id": 8, "reason": "x"}, {"id": 2, "reason": "x"}),
            3,
            ["find", "insert", "update", "commitTransaction"],
        ),
        (
            queries.assign(CATALOG, "returns", {"id": 1, "reason": "x"}, {"id": 9, "reason": "x"}),
            1,
            ["update", "commitTransaction"],
        ),
    ],
)
def test_commands(repository: MongoRepository, commands: Commands, write: Write, count: int, sent: list[str]) -> None:
    commands.names.clear()
    assert repository.write(write).count == count
    assert commands.names == sent


def test_reads_are_one_command(repository: MongoRepository, commands: Commands) -> None:
    commands.names.clear()
    repository.json(queries.read(CATALOG, "returns", where=queries.eq("id", 1), limit=10))
    repository.json(queries.read(CATALOG, "returns", limit=3))
    assert commands.names == ["find", "find"]
    commands.names.clear()
    repository.json(queries.read(CATALOG, "returns", limit=3, count=True))
    assert commands.names == ["find", "aggregate"]
    commands.names.clear()
    assert repository.json(queries.read(CATALOG, "returns", limit=5, count=True)).total == 4
    assert commands.names == ["find"]


def test_a_page_of_many_records_is_one_batch(repository: MongoRepository, commands: Commands) -> None:
    repository.write(queries.insert(CATALOG, "returns", *({"reason": "x"} for _ in range(500))))
    commands.names.clear()
    assert repository.json(queries.read(CATALOG, "returns", limit=400)).count == 400
    assert commands.names == ["find"]

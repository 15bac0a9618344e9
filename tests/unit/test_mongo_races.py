"""Concurrent writers on MongoDB: no reference dangles, replaces do not collide, and of two conditions one holds."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from pymongo import MongoClient

from repositories.base import Document, Limits, representation_tag
from repositories.errors import PreconditionFailed, ReferenceViolation, RepositoryError, UniqueViolation
from repositories.mongo import locks
from repositories.mongo.repository import MongoRepository
from repositories.writes import Write
from tests.catalogs import shop
from tests.contract import queries
from tests.servers import with_database

ROUNDS = 100
#: Without the locks it takes a few rounds until a reference dangles.
UNLOCKED_ROUNDS = 1000
DATABASE = "diglot_test_races"
CATALOG = shop()
NOW = datetime(2026, 1, 1, tzinfo=UTC)

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def races(mongodb_url: str) -> Iterator[MongoRepository]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        with MongoRepository(with_database(mongodb_url, DATABASE), CATALOG, Limits(statement_timeout=30)) as repository:
            repository.apply_schema()
            yield repository
        client.drop_database(DATABASE)


@pytest.fixture
def database(mongodb_url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client[DATABASE]


def attempt(repository: MongoRepository, write: Write) -> Document | RepositoryError:
    try:
        return repository.write(write)
    except RepositoryError as error:
        return error


def together(repository: MongoRepository, *writes: Write) -> list[Document | RepositoryError]:
    """Send all at once, each from a thread of its own."""
    barrier = threading.Barrier(len(writes))

    def start(write: Write) -> Document | RepositoryError:
        barrier.wait()
        return attempt(repository, write)

    with ThreadPoolExecutor(len(writes)) as pool:
        return [future.result() for future in [pool.submit(start, write) for write in writes]]


class Story(NamedTuple):
    """What is there, what then happens at once, and the resource and field that refer to the number."""

    before: Sequence[Write]
    contest: Sequence[Write]
    resource: str
    reference: str


def product(number: int, category: int | None) -> dict[str, Any]:
    return {
        "id": UUID(int=number),
        "sku": f"S-{number}",
        "name": "x",
        "price": Decimal("1.00"),
        "category_id": category,
    }


def restricted(number: int) -> Story:
    """A product is put into a category that is being deleted."""
    there = queries.insert(CATALOG, "categories", {"id": number, "name": f"c{number}"})
    child = queries.insert(CATALOG, "products", product(number, number))
    return Story([there], [child, _deletion("categories", number)], "products", "category_id")


def moved(number: int) -> Story:
    """The same by an update."""
    there = queries.insert(CATALOG, "categories", {"id": number, "name": f"c{number}"})
    elsewhere = queries.insert(CATALOG, "products", product(number, None))
    child = queries.update(CATALOG, "products", {"category_id": number}, queries.eq("id", UUID(int=number)))
    return Story([there, elsewhere], [child, _deletion("categories", number)], "products", "category_id")


def nulled(number: int) -> Story:
    """An order is given to a seller who is being deleted, and would be taken from them."""
    there = queries.insert(CATALOG, "staff", {"id": number, "name": "x"})
    row = {"id": number, "status": "open", "placed_at": NOW, "seller_id": number}
    return Story([there], [queries.replace(CATALOG, "orders", row), _deletion("staff", number)], "orders", "seller_id")


def cascaded(number: int) -> Story:
    """A return is made of a line whose order is being deleted, line and all."""
    order = {"id": number, "status": "open", "placed_at": NOW}
    line = {"order_id": number, "position": 1, "product_id": UUID(int=number), "quantity": 1}
    there = [
        queries.insert(CATALOG, "products", product(number, None)),
        queries.insert(CATALOG, "orders", order),
        queries.insert(CATALOG, "lines", line),
    ]
    child = queries.insert(CATALOG, "returns", {"id": number, "order_id": number, "position": 1})
    return Story(there, [child, _deletion("orders", number)], "returns", "order_id")


def _deletion(resource: str, number: int) -> Write:
    return queries.delete(CATALOG, resource, queries.eq("id", number))


def race(repository: MongoRepository, database: Any, story: Callable[[int], Story], rounds: int) -> Counter[str]:
    """Child against parent, so many times; what came of it, counted."""
    outcomes: Counter[str] = Counter()
    for _ in range(rounds):
        number = next(_numbers)
        before, contest, resource, reference = story(number)
        for write in before:
            repository.write(write)
        child, deletion = together(repository, *contest)
        target = contest[1].resource.name
        is_there = database[target].count_documents({"_id": number}) == 1
        refers = database[resource].count_documents({reference: number}) > 0
        if refers and not is_there:
            outcomes["dangling"] += 1
            continue
        for outcome in (child, deletion):
            assert isinstance(outcome, (Document, ReferenceViolation)), outcome
        # One of the two may have been refused, but then the other's effect is there.
        assert isinstance(deletion, Document) != is_there
        outcomes["kept" if is_there else "deleted"] += 1
    return outcomes


@pytest.mark.parametrize("story", [restricted, moved, nulled, cascaded])
def test_no_reference_dangles(races: MongoRepository, database: Any, story: Callable[[int], Story]) -> None:
    outcomes = race(races, database, story, ROUNDS)
    assert outcomes["dangling"] == 0
    assert outcomes.total() == ROUNDS


def test_it_is_the_locks_that_prevent_it(
    races: MongoRepository, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same race without them leaves a product in a category that is gone: the test above can fail."""
    monkeypatch.setattr(locks, "acquire", lambda *_, **__: frozenset())
    for _ in range(UNLOCKED_ROUNDS // 50):
        if race(races, database, restricted, 50)["dangling"]:
            return
    pytest.fail("no reference has dangled without locks: the race is not one")


def test_children_of_one_parent_rarely_meet(races: MongoRepository, database: Any) -> None:
    """Writers of children take one lane each, so all get through."""
    category = next(_numbers)
    races.write(queries.insert(CATALOG, "categories", {"id": category, "name": f"c{category}"}))
    children = [
        queries.insert(CATALOG, "products", product(next(_numbers), category) | {"name": f"{n}"}) for n in range(8)
    ]
    assert all(isinstance(outcome, Document) for outcome in together(races, *children))
    assert database.products.count_documents({"category_id": category}) == 8


def test_a_record_is_created_once_by_many_replaces(races: MongoRepository) -> None:
    for _ in range(10):
        number = next(_numbers)
        writes = [queries.replace(CATALOG, "categories", {"id": number, "name": f"c{number}"}) for _ in range(4)]
        outcomes = together(races, *writes)
        assert all(isinstance(outcome, Document) for outcome in outcomes), outcomes
        assert sorted(outcome.created for outcome in outcomes if isinstance(outcome, Document)) == [False] * 3 + [True]


def test_a_unique_value_goes_to_one_of_many(races: MongoRepository) -> None:
    for _ in range(10):
        name = f"unique {next(_numbers)}"
        writes = [queries.insert(CATALOG, "categories", {"id": next(_numbers), "name": name}) for _ in range(4)]
        outcomes = together(races, *writes)
        assert Counter(map(type, outcomes)) == {Document: 1, UniqueViolation: 3}


def test_of_two_conditional_writes_one_holds(races: MongoRepository) -> None:
    for _ in range(10):
        number = next(_numbers)
        races.write(queries.insert(CATALOG, "staff", {"id": number, "name": "x"}))
        one = queries.eq("id", number)
        body = races.json(queries.read(CATALOG, "staff", where=one)).body
        expect = queries.expectation(CATALOG, "staff", representation_tag(body[1:-1]))
        writes = [queries.update(CATALOG, "staff", {"name": name}, one, expect=expect) for name in "ab"]
        assert Counter(map(type, together(races, *writes))) == {Document: 1, PreconditionFailed: 1}


def test_sequences_give_each_number_once(races: MongoRepository) -> None:
    writes = [queries.insert(CATALOG, "returns", {"reason": "a"}, {"reason": "b"}, returning=["id"]) for _ in range(8)]
    outcomes = together(races, *writes)
    numbers = [record["id"] for outcome in outcomes if isinstance(outcome, Document) for record in decoded(outcome)]
    assert len(set(numbers)) == 16


def decoded(document: Document) -> Any:
    return json.loads(document.body)

"""Inserts that go together: who waits is taken along, and what fails together is told apart."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from pymongo import MongoClient

from repositories.base import Document, Limits
from repositories.errors import ReferenceViolation, RepositoryError, UniqueViolation
from repositories.mongo import joining
from repositories.mongo.documents import BSON
from repositories.mongo.joining import Joint, _Place
from repositories.mongo.repository import MongoRepository
from tests.catalogs import shop
from tests.contract import queries
from tests.contract.samples import product
from tests.servers import with_database

SECONDS = 30
DATABASE = "diglot_test_joining"
CATALOG = shop()


class Slow:
    """Inserts nothing: takes what is brought together, and waits to be told the outcome."""

    def __init__(self) -> None:
        self.taken: list[list[int]] = []
        #: It begins to commit, and waits for that to be told.
        self.commits = False
        self.entered = threading.Semaphore(0)
        self._outcomes: list[bool | Exception] = []
        self._told = threading.Semaphore(0)

    def __call__(self, documents: list[BSON], committing: Callable[[], None]) -> bool:
        self.taken.append([document["_id"] for document in documents])
        if self.commits:
            committing()
        self.entered.release()
        assert self._told.acquire(timeout=SECONDS)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def tell(self, outcome: bool | Exception) -> None:
        self._outcomes.append(outcome)
        self._told.release()


class Story:
    """A joint, threads that insert by it, and what inserts for them."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.joint, self.slow = Joint(), Slow()
        self._pool = pool

    def begin(self, number: int) -> Future[bool]:
        """One more thread; returns when it waits, or leads."""
        waiting = len(self.joint._waiting)
        leads = not self.joint._is_led and self.joint._under_way < joining._AT_ONCE
        future = self._pool.submit(self.joint.insert, {"_id": number}, self.slow)
        if leads:
            assert self.slow.entered.acquire(timeout=SECONDS)
        deadline = time.monotonic() + SECONDS
        while not leads and len(self.joint._waiting) == waiting:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return future


@pytest.fixture
def story() -> Iterator[Story]:
    with ThreadPoolExecutor(8) as pool:
        yield Story(pool)


def test_who_comes_meanwhile_goes_together(story: Story) -> None:
    first = story.begin(1)
    others = [story.begin(number) for number in (2, 3, 4)]
    story.slow.tell(True)
    story.slow.tell(True)
    assert [future.result(SECONDS) for future in (first, *others)] == [True] * 4
    assert story.slow.taken == [[1], [2, 3, 4]]


def test_after_all_have_gone_the_next_leads(story: Story) -> None:
    for number in (1, 2):
        future = story.begin(number)
        story.slow.tell(True)
        assert future.result(SECONDS)
    assert story.slow.taken == [[1], [2]]


def test_the_next_need_not_wait_for_the_commit(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction is made while others are being committed, as long as they are not too many."""
    monkeypatch.setattr(joining, "_AT_ONCE", 2)
    story.slow.commits = True
    first = story.begin(1)
    second = story.begin(2)
    others = [story.begin(number) for number in (3, 4)]
    assert story.slow.taken == [[1], [2]]
    story.slow.tell(True)
    assert story.slow.entered.acquire(timeout=SECONDS)
    story.slow.tell(True)
    story.slow.tell(True)
    assert [future.result(SECONDS) for future in (first, second, *others)] == [True] * 4
    assert story.slow.taken == [[1], [2], [3, 4]]


@pytest.mark.parametrize("called", [False, True])
def test_who_is_interrupted_is_in_nobodys_way(story: Story, monkeypatch: pytest.MonkeyPatch, *, called: bool) -> None:
    """While it waits, and when it has just been called to lead."""

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            super().wait(None if called else 0)
            raise KeyboardInterrupt

    first = story.begin(1)
    with monkeypatch.context() as patch:
        patch.setattr(joining, "_Place", lambda document: _Place(document, Interrupted()))
        second = story._pool.submit(story.joint.insert, {"_id": 2}, story.slow)
        if called:
            while not story.joint._waiting:
                time.sleep(0.001)
        else:
            assert isinstance(second.exception(SECONDS), KeyboardInterrupt)
    third = story.begin(3)
    story.slow.tell(True)
    story.slow.tell(True)
    assert first.result(SECONDS)
    assert third.result(SECONDS)
    assert isinstance(second.exception(SECONDS), KeyboardInterrupt)
    assert story.slow.taken == [[1], [3]]


@pytest.mark.parametrize("outcome", [False, ValueError("the commit")])
def test_what_fails_fails_for_those_who_went_together(story: Story, outcome: bool | Exception) -> None:
    first = story.begin(1)
    others = [story.begin(number) for number in (2, 3)]
    story.slow.tell(True)
    assert first.result(SECONDS) is True
    assert story.slow.entered.acquire(timeout=SECONDS)
    last = story.begin(4)
    story.slow.tell(outcome)
    story.slow.tell(True)
    for future in others:
        if isinstance(outcome, Exception):
            assert future.exception(SECONDS) is outcome
        else:
            assert future.result(SECONDS) is False
    assert last.result(SECONDS) is True


def test_a_thread_takes_no_more_than_its_share(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("repositories.mongo.joining._MOST", 2)
    futures = [story.begin(number) for number in range(1, 7)]
    for _ in range(4):
        story.slow.tell(True)
    assert all(future.result(SECONDS) for future in futures)
    assert story.slow.taken == [[1], [2, 3], [4, 5], [6]]


@pytest.fixture(scope="module")
def repository(mongodb_url: str) -> Iterator[MongoRepository]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        limits = Limits(statement_timeout=SECONDS)
        with MongoRepository(with_database(mongodb_url, DATABASE), CATALOG, limits) as repository:
            repository.apply_schema()
            repository.write(queries.insert(CATALOG, "categories", {"id": 1, "name": "one"}))
            yield repository
        client.drop_database(DATABASE)


def test_each_gets_the_error_of_its_own(repository: MongoRepository) -> None:
    """Of those that go together some dangle, and some are there already; the others get in."""
    numbers = itertools.count(1)

    def insert(number: int) -> Document | RepositoryError:
        kind = number % 4
        row = product(number if kind != 2 else 1000, category_id=404 if kind == 1 else 1, sku=f"S-{number}")
        try:
            return repository.write(queries.insert(CATALOG, "products", row))
        except RepositoryError as error:
            return error

    repository.write(queries.insert(CATALOG, "products", product(1000, category_id=1, sku="S")))
    with ThreadPoolExecutor(8) as pool:
        outcomes = dict(enumerate(pool.map(insert, itertools.islice(numbers, 80)), 1))
    expected = {1: ReferenceViolation, 2: UniqueViolation, 3: Document, 0: Document}
    assert {number: type(outcome) for number, outcome in outcomes.items()} == {
        number: expected[number % 4] for number in outcomes
    }
    assert {outcome.row for outcome in outcomes.values() if isinstance(outcome, ReferenceViolation)} == {0}
    with MongoClient[dict[str, Any]](repository._url, uuidRepresentation="standard") as client:
        assert client[DATABASE].products.count_documents({"sku": {"$regex": "^S-"}}) == 40

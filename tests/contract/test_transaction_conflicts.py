"""Transactions that get in each other's way: work is run again, and a name is held by one at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

import pytest

from repositories.errors import Conflict, DeadlineExceeded, NameTaken, UniqueViolation
from tests.contract import queries
from tests.contract.port import Desk, Port, transact
from tests.contract.queries import eq, within
from tests.contract.samples import product
from tests.patience import PAUSE
from tests.stores import LIMITS

ONE, TWO = (eq("id", UUID(int=number)) for number in (1, 2))
#: Values that are read as other objects than they are written as.
SAME = {
    "released": date(2026, 2, 3),
    "created_at": datetime(2026, 2, 3, 4, 5, tzinfo=UTC),
    "notes": {"$ref": "a", "$id": [None, -0.0]},
}
#: How long a thread waits for another before the test has failed.
PATIENCE = 10.0


@pytest.fixture
def two(port: Port) -> Port:
    port.insert("products", *(product(number, stock=0, **SAME) for number in (1, 2)))
    return port


def add(desk: Desk, which: queries.Filter, number: int = 1) -> None:
    """Read, and write what follows from what was read."""
    [(stock,)] = desk.read("products", which, ["stock"])
    desk.update("products", {"stock": stock + number}, which)


def stocks(port: Port) -> list[object]:
    return port.column("products", "stock", order="id")


class TestRunAgain:
    @pytest.mark.parametrize("times", [1, 3])
    def test_after_another_writer(self, two: Port, times: int) -> None:
        """The work sees the other's value in its last attempt, and nothing of its earlier attempts is left."""
        attempts = count()

        def work(desk: Desk) -> int:
            attempt = next(attempts)
            desk.insert("categories", {"name": f"{attempt}"})
            [(stock,)] = desk.read("products", ONE, ["stock"])
            if attempt < times:
                two.update("products", {"stock": 10 * (attempt + 1)}, ONE)
            desk.update("products", {"stock": stock + 1}, ONE)
            return attempt

        assert two.transact(work) == times
        assert next(attempts) == times + 1
        assert two.column("products", "stock", ONE) == [10 * times + 1]
        assert two.column("categories", "name") == [f"{times}"]

    @pytest.mark.parametrize("verb", ["update", "several", "replace", "delete", "upsert", "assign", "conditional"])
    @pytest.mark.parametrize("name", ["new", "product 1"])
    def test_every_verb_meets_another_writer(self, two: Port, verb: str, name: str) -> None:
        """Also where it writes what is there already."""
        assert two.column("products", "name", ONE) == ["product 1"]
        attempts = count()
        new = {"name": name, **SAME}
        record = {"id": UUID(int=1), **new}
        merge = queries.conflict(two.catalog, "products", "id", merge=[*new])
        calls: dict[str, Callable[[Desk], object]] = {
            "update": lambda desk: desk.update("products", new, ONE),
            "several": lambda desk: desk.update("products", new, within("id", UUID(int=1), UUID(int=5))),
            "replace": lambda desk: desk.replace("products", product(1, **new)),
            "delete": lambda desk: desk.delete("products", ONE),
            "upsert": lambda desk: desk.insert("products", product(1, **new), conflict=merge),
            "assign": lambda desk: desk.write(queries.assign(desk.catalog, "products", record)),
            "conditional": lambda desk: desk.update("products", new, ONE, expect=desk.expectation("products")),
        }

        def work(desk: Desk) -> list[object]:
            attempt = next(attempts)
            desk.read("products")
            if attempt == 0:
                two.update("products", {"stock": 7}, ONE)
            calls[verb](desk)
            return two.column("products", "stock", ONE)

        two.transact(work)
        assert next(attempts) == 2
        assert two.find("products", ONE, ["name", "stock"]) == (
            [] if verb == "delete" else [{"name": name, "stock": 7}]
        )

    def test_after_a_record_in_the_way_that_has_come_since(self, two: Port) -> None:
        """The last attempt sees it, and tells which of the records it is in the way of."""
        attempts = count()

        def work(desk: Desk) -> None:
            desk.read("categories")
            if next(attempts) == 0:
                two.insert("categories", {"name": "a"})
            desk.insert("categories", {"name": "b"}, {"name": "a"})

        with pytest.raises(UniqueViolation) as caught:
            two.transact(work)
        assert (caught.value.row, caught.value.fields) == (1, ("name",))

    @pytest.mark.parametrize("several", [False, True])
    @pytest.mark.parametrize("changed", [False, True])
    def test_after_a_record_in_the_way_that_has_gone_since(self, two: Port, several: bool, changed: bool) -> None:
        """Where one write has not met it, it is not in the way of the next one either."""
        attempts = count()

        def work(desk: Desk) -> None:
            desk.read("products")
            attempt = next(attempts)
            if attempt == 0 and changed:
                two.update("products", {"id": UUID(int=9), "sku": "SKU-9"}, ONE)
            elif attempt == 0:
                two.delete("products", ONE)
            desk.insert("products", product(3, sku="SKU-1"))
            desk.insert("products", *[product(4)] * several, product(1, sku="SKU-2"))

        with pytest.raises(UniqueViolation) as caught:
            two.transact(work)
        assert caught.value.fields == ("sku",)

    def test_not_after_a_rule_that_is_broken(self, two: Port) -> None:
        attempts = count()

        def work(desk: Desk) -> None:
            next(attempts)
            desk.insert("products", product(3, sku="SKU-1"))

        with pytest.raises(UniqueViolation):
            two.transact(work)
        assert next(attempts) == 1

    def test_no_update_is_lost(self, two: Port) -> None:
        """Everyone reads before anyone writes."""
        start = threading.Barrier(4)

        def run(_: int) -> int:
            attempts = count()

            def work(desk: Desk) -> None:
                if next(attempts) == 0:
                    desk.read("products", ONE)
                    start.wait(PATIENCE)
                add(desk, ONE)

            two.transact(work)
            return next(attempts)

        with ThreadPoolExecutor(4) as threads:
            attempts = list(threads.map(run, range(4)))
        assert two.column("products", "stock", ONE) == [4]
        assert sum(attempts) > 4

    def test_records_that_cross(self, two: Port) -> None:
        """Each has written the record that the other is about to write."""
        start = threading.Barrier(2)

        def run(order: list[queries.Filter]) -> Exception | None:
            attempts = count()

            def work(desk: Desk) -> None:
                add(desk, order[0])
                if next(attempts) == 0:
                    with suppress(threading.BrokenBarrierError):
                        start.wait(1.0)
                add(desk, order[1])

            try:
                two.transact(work)
            except Conflict as error:
                return error
            return None

        with ThreadPoolExecutor(2) as threads:
            errors = list(threads.map(run, [[ONE, TWO], [TWO, ONE]]))
        done = errors.count(None)
        assert done >= 1
        assert stocks(two) == [done, done]

    def test_until_the_deadline(self, two: Port) -> None:
        """Work that is always in vain ends in Conflict, in time, and leaves nothing."""
        limits = replace(LIMITS, transaction_timeout=1.5)
        attempts = count()

        def work(desk: Desk) -> None:
            attempt = next(attempts)
            desk.insert("categories", {"name": f"{attempt}"})
            desk.read("products", ONE)
            two.update("products", {"stock": 100 + attempt}, ONE)
            desk.update("products", {"stock": 1}, ONE)

        with two.store.limited(limits) as repository:
            start = time.monotonic()
            with pytest.raises((Conflict, DeadlineExceeded)):
                transact(repository, work)
            assert time.monotonic() - start < limits.transaction_timeout + PAUSE
        assert next(attempts) > 1
        assert two.count("categories") == 0
        assert two.column("products", "stock", ONE) != [1]


class TestNames:
    NAMES = ("plain", "", "ключ 😀", "POST /api/products?x=1 " + "k" * 2000, "$name.with\n{}'\"")

    @staticmethod
    def held(port: Port, name: str) -> bool:
        """Whether another thread is refused the name; it is told so at once, and its work is not begun."""
        begun: list[Desk] = []

        def run() -> bool:
            start = time.monotonic()
            try:
                port.transact(begun.append, name=name)
            except NameTaken:
                assert time.monotonic() - start < PAUSE
                assert begun == []
                return True
            assert len(begun) == 1
            return False

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(run).result(PATIENCE)

    @pytest.mark.parametrize("name", NAMES)
    def test_held_while_work_runs(self, two: Port, name: str) -> None:
        def work(desk: Desk) -> list[bool]:
            desk.insert("categories", {"name": "new"})
            return [self.held(two, name), self.held(two, name + "x"), self.held(two, name)]

        assert two.transact(work, name=name) == [True, False, True]
        assert not self.held(two, name)
        assert two.column("categories", "name") == ["new"]

    @pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, UniqueViolation])
    def test_released_by_an_exception(self, two: Port, raised: type[BaseException]) -> None:
        def work(desk: Desk) -> None:
            assert self.held(two, "name")
            if raised is UniqueViolation:
                desk.insert("products", product(3, sku="SKU-1"))
            raise raised

        for _ in range(2):
            with pytest.raises(raised):
                two.transact(work, name="name")
            assert not self.held(two, "name")

    def test_held_by_the_same_thread(self, two: Port) -> None:
        def work(desk: Desk) -> None:
            with pytest.raises(NameTaken) as caught:
                two.transact(lambda inner: None, name="name")
            assert caught.value.code == "PGRST409"

        two.transact(work, name="name")

    def test_every_attempt_holds_it(self, two: Port) -> None:
        attempts = count()

        def work(desk: Desk) -> None:
            attempt = next(attempts)
            assert self.held(two, "name")
            desk.read("products", ONE)
            if attempt == 0:
                two.update("products", {"stock": 7}, ONE)
            desk.update("products", {"stock": 8}, ONE)

        two.transact(work, name="name")
        assert next(attempts) == 2
        assert not self.held(two, "name")

    def test_without_a_name_nobody_is_refused(self, two: Port) -> None:
        assert two.transact(lambda desk: two.transact(lambda inner: 7)) == 7

    def test_one_at_a_time(self, two: Port) -> None:
        """However many ask for it, no two work under one name at the same time."""
        working: list[int] = []
        start = threading.Barrier(6)

        def run(number: int) -> int:
            def work(desk: Desk) -> None:
                working.append(number)
                assert len(working) == 1
                desk.read("products", ONE)
                working.remove(number)

            done = 0
            start.wait(PATIENCE)
            for _ in range(20):
                with suppress(NameTaken):
                    two.transact(work, name="name")
                    done += 1
            return done

        with ThreadPoolExecutor(6) as threads:
            assert sum(threads.map(run, range(6))) > 0

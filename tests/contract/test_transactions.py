"""Transactions of several calls: all of it or none of it, at one moment, and seen by nobody before it is committed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from repositories.errors import (
    NotNullViolation,
    PreconditionFailed,
    ReferenceViolation,
    RepositoryError,
    UniqueViolation,
)
from tests.contract import queries
from tests.contract.port import Desk, Port
from tests.contract.queries import eq
from tests.contract.samples import product

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
ONE = eq("id", UUID(int=1))


@pytest.fixture
def shop(port: Port) -> Port:
    port.insert("categories", {"id": 1, "name": "a"}, {"id": 2, "name": "b"})
    port.insert("products", product(1, category_id=1), product(2, category_id=None))
    port.insert("orders", *({"id": number, "status": "open", "placed_at": NOW} for number in (1, 2)))
    port.insert("lines", {"order_id": 1, "position": 1, "product_id": UUID(int=1), "quantity": 1})
    return port


def upsert(desk: Desk) -> object:
    conflict = queries.conflict(desk.catalog, "products", "sku", merge=["name"])
    return desk.insert("products", product(7, sku="SKU-2", name="merged"), product(8), conflict=conflict)


def streamed(desk: Desk) -> object:
    rows = queries.Walked(lambda: ((number, f"{number}") for number in range(10, 20)))
    return desk.write(queries.bulk(desk.catalog, "categories", ["id", "name"], rows))


#: A call of each kind, in an order in which each finds what it needs.
CALLS: dict[str, Callable[[Desk], object]] = {
    "read": lambda desk: desk.read("products"),
    "insert": lambda desk: desk.insert("categories", {"id": 3, "name": "c"}),
    "insert of many": lambda desk: desk.insert("products", product(3, category_id=3), product(4, category_id=1)),
    "insert of a stream": streamed,
    "insert with a number": lambda desk: desk.insert("returns", {"reason": "x"}),
    "upsert": upsert,
    "create": lambda desk: desk.replace("products", product(5, category_id=3)),
    "replace": lambda desk: desk.replace("products", product(1, name="replaced", category_id=3)),
    "conditional": lambda desk: desk.update("products", {"stock": 3}, ONE, expect=desk.expectation("products")),
    "update": lambda desk: desk.update("products", {"stock": 5}),
    "assign": lambda desk: desk.write(queries.assign(desk.catalog, "products", {"id": UUID(int=2), "stock": 9})),
    "delete": lambda desk: desk.delete("orders", eq("id", 1)),
}
WRITES = [name for name in CALLS if name != "read"]


class Stop(Exception):
    """What the work of a test raises."""


class TestAtomicity:
    def test_all_of_it(self, shop: Port) -> None:
        before = shop.everything()
        answer = object()

        def work(desk: Desk) -> object:
            for call in CALLS.values():
                call(desk)
            return answer

        assert shop.transact(work) is answer
        after = shop.everything()
        assert all(after[name] != before[name] for name in ("categories", "products", "orders", "lines", "returns"))
        assert shop.column("products", "stock", eq("sku", "SKU-2")) == [9]
        assert shop.column("products", "name", ONE) == ["replaced"]
        assert shop.count("categories") == 13
        assert shop.find("lines") == []

    @pytest.mark.parametrize("steps", range(len(CALLS) + 1))
    @pytest.mark.parametrize("raised", [Stop, KeyboardInterrupt])
    def test_nothing_of_it_after_an_exception(self, shop: Port, steps: int, raised: type[BaseException]) -> None:
        before = shop.everything()
        error = raised("as it is")

        def work(desk: Desk) -> None:
            for call in list(CALLS.values())[:steps]:
                call(desk)
            raise error

        with pytest.raises(raised) as caught:
            shop.transact(work)
        assert caught.value is error
        assert shop.everything() == before

    def test_nothing_of_nothing(self, shop: Port) -> None:
        before = shop.everything()
        assert shop.transact(lambda desk: 7) == 7
        assert shop.everything() == before

    def test_every_connection_is_given_back(self, shop: Port) -> None:
        for _ in range(3 * shop.repository.limits.pool_size):
            with pytest.raises(UniqueViolation):
                shop.transact(lambda desk: desk.insert("categories", {"id": 60, "name": "a"}))
            with pytest.raises(Stop):
                shop.transact(_raise_stop)
        shop.store.check_idle()


def _raise_stop(desk: Desk) -> None:
    desk.delete("lines")
    raise Stop


FAILING: dict[str, tuple[type[RepositoryError], Callable[[Desk], object]]] = {
    "unique, one": (UniqueViolation, lambda desk: desk.insert("categories", {"id": 60, "name": "a"})),
    "unique, many": (
        UniqueViolation,
        lambda desk: desk.insert("categories", {"id": 60, "name": "x"}, {"id": 61, "name": "a"}),
    ),
    "unique, update": (UniqueViolation, lambda desk: desk.update("products", {"sku": "SKU-2"}, ONE)),
    "reference": (ReferenceViolation, lambda desk: desk.insert("products", product(9, category_id=99))),
    "restrict": (ReferenceViolation, lambda desk: desk.delete("categories", eq("id", 1))),
    "required": (NotNullViolation, lambda desk: desk.insert("products", product(9, name=None))),
    "expectation": (
        PreconditionFailed,
        lambda desk: desk.update("products", {"stock": 1}, ONE, expect=desk.expectation("products", "stale")),
    ),
}


@pytest.mark.parametrize("failing", FAILING)
class TestFailures:
    """A call that raises ends the transaction."""

    def test_nothing_of_it(self, shop: Port, failing: str) -> None:
        before = shop.everything()
        kind, call = FAILING[failing]
        raised: list[RepositoryError] = []

        def work(desk: Desk) -> None:
            desk.insert("categories", {"id": 50, "name": "new"})
            desk.update("products", {"stock": 7})
            try:
                call(desk)
            except RepositoryError as error:
                raised.append(error)
                raise

        with pytest.raises(kind) as caught:
            shop.transact(work)
        assert raised == [caught.value]
        assert shop.everything() == before

    def test_nothing_of_it_where_work_goes_on(self, shop: Port, failing: str) -> None:
        """Work that disregards the error, and writes again, does not get half of itself stored."""
        before = shop.everything()

        def work(desk: Desk) -> None:
            desk.insert("categories", {"id": 50, "name": "new"})
            with suppress(RepositoryError):
                FAILING[failing][1](desk)
            desk.insert("categories", {"id": 51, "name": "after"})

        with pytest.raises(RepositoryError):
            shop.transact(work)
        assert shop.everything() == before

    def test_nothing_of_it_where_work_returns(self, shop: Port, failing: str) -> None:
        before = shop.everything()

        def work(desk: Desk) -> None:
            desk.insert("categories", {"id": 50, "name": "new"})
            with suppress(RepositoryError):
                FAILING[failing][1](desk)

        with suppress(RepositoryError):
            shop.transact(work)
        assert shop.everything() == before


class TestMoments:
    """Reads of a transaction are of one moment, and of what it has written itself."""

    @pytest.mark.parametrize("writing", WRITES)
    def test_its_own_writes(self, shop: Port, writing: str) -> None:
        """What a transaction reads after a write is what everyone reads after its commit."""

        def work(desk: Desk) -> dict[str, Any]:
            if writing == "insert of many":
                CALLS["insert"](desk)
            elif writing in ("create", "replace"):
                desk.insert("categories", {"id": 3, "name": "c"})
            CALLS[writing](desk)
            return {each.name: desk.read(each.name) for each in desk.catalog}

        before = shop.everything()
        seen = shop.transact(work)
        assert shop.everything() != before
        assert seen == {each.name: shop.read(each.name) for each in shop.catalog}

    @pytest.mark.parametrize("writing", WRITES)
    def test_others_see_nothing_before_the_commit(self, shop: Port, writing: str) -> None:
        before = shop.everything()

        def work(desk: Desk) -> None:
            desk.insert("categories", {"id": 3, "name": "c"})
            if writing != "insert":
                CALLS[writing](desk)
            assert shop.everything() == before

        shop.transact(work)
        assert shop.everything() != before

    def test_nothing_that_others_commit(self, shop: Port) -> None:
        def work(desk: Desk) -> tuple[list[object], ...]:
            first = desk.read("categories")
            if shop.count("categories", eq("id", 3)) == 0:
                shop.insert("categories", {"id": 3, "name": "c"})
                shop.update("products", {"stock": 77}, ONE)
            return (list(first), list(desk.read("categories")), list(desk.read("products", ONE, ["stock"])))

        first, second, stock = shop.transact(work)
        assert first == second == [(1, "a"), (2, "b")]
        assert stock == [(None,)]

    def test_rules_hold_for_its_own_writes(self, shop: Port) -> None:
        """What a call has put in place, or taken away, counts for the next one's keys and references."""

        def work(desk: Desk) -> None:
            desk.delete("lines")
            desk.delete("products", ONE)
            desk.delete("categories", eq("id", 1))
            desk.insert("categories", {"id": 1, "name": "a"}, {"id": 5, "name": "e"})
            desk.insert("products", product(1, category_id=5))
            desk.update("products", {"sku": "SKU-3"}, eq("sku", "SKU-2"))
            desk.insert("products", product(9, sku="SKU-2", category_id=5))

        shop.transact(work)
        assert shop.column("products", "category_id", order="id") == [5, None, 5]

    def test_violations_of_its_own_writes(self, shop: Port) -> None:
        def twice(desk: Desk) -> None:
            desk.insert("categories", {"id": 8, "name": "h"})
            desk.insert("categories", {"id": 9, "name": "i"}, {"id": 10, "name": "h"})

        def orphan(desk: Desk) -> None:
            desk.delete("categories", eq("id", 2))
            desk.insert("products", product(8, category_id=None), product(9, category_id=2))

        def needed(desk: Desk) -> None:
            desk.insert("products", product(9, category_id=2))
            desk.delete("categories", eq("id", 2))

        before = shop.everything()
        for work, code, row in ((twice, "23505", 1), (orphan, "23503", 1), (needed, "23503", None)):
            with pytest.raises(RepositoryError) as caught:
                shop.transact(work)
            assert caught.value.code == code
            assert row is None or caught.value.row == row
            assert shop.everything() == before

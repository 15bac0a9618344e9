"""The limits of transactions: every wait has an end, and what was late is not stored."""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import UUID

import pytest

from repositories.errors import Conflict, DeadlineExceeded, PoolExhausted, RepositoryError
from tests.contract.port import Desk, Port, transact
from tests.contract.queries import eq
from tests.contract.samples import product
from tests.patience import PAUSE
from tests.stores import LIMITS

ONE, TWO = (eq("id", UUID(int=number)) for number in (1, 2))


@pytest.fixture
def two(port: Port) -> Port:
    port.insert("products", product(1, stock=0), product(2, stock=0))
    return port


def add_category(desk: Desk) -> None:
    desk.insert("categories", {"name": "new"})


class TestDeadlines:
    @pytest.mark.parametrize("late", ["before the first call", "between calls", "after the last call"])
    def test_of_the_transaction(self, two: Port, late: str) -> None:
        limits = replace(LIMITS, transaction_timeout=1.0)
        before = two.everything()

        def work(desk: Desk) -> None:
            for moment in ("before the first call", "between calls", "after the last call"):
                if moment == late:
                    time.sleep(1.3)
                if moment != "after the last call":
                    desk.update("products", {"stock": 7})

        with two.store.limited(limits) as repository:
            with pytest.raises(DeadlineExceeded):
                transact(repository, work)
            assert two.everything() == before
            # Nothing is kept from others, nor from the one that was late.
            start = time.monotonic()
            two.update("products", {"stock": 8})
            assert time.monotonic() - start < PAUSE
            transact(repository, lambda desk: desk.update("products", {"stock": 9}))
        assert two.column("products", "stock") == [9, 9]

    def test_a_transaction_may_be_longer_than_a_statement(self, two: Port) -> None:
        limits = replace(LIMITS, statement_timeout=0.3, transaction_timeout=5.0)

        def work(desk: Desk) -> None:
            for _ in range(3):
                time.sleep(0.2)
                [(stock,)] = desk.read("products", ONE, ["stock"])
                desk.update("products", {"stock": stock + 1}, ONE)
                time.sleep(0.2)

        with two.store.limited(limits) as repository:
            transact(repository, work)
        assert two.column("products", "stock", ONE) == [3]


class TestOnServers:
    """Of stores whose writers wait for each other, and for connections."""

    @pytest.fixture(params=["postgres", "mongodb"])
    def backend(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_waiting_for_another_has_an_end(self, two: Port) -> None:
        """Whether the store waits for the other, or tries again and again."""
        limits = replace(LIMITS, statement_timeout=0.4, transaction_timeout=0.8)

        def work(desk: Desk) -> None:
            desk.update("products", {"stock": 1}, ONE)
            with two.store.limited(limits) as repository:
                start = time.monotonic()
                with pytest.raises((Conflict, DeadlineExceeded)):
                    transact(repository, lambda inner: inner.update("products", {"stock": 2}))
                assert time.monotonic() - start < limits.transaction_timeout + PAUSE

        two.transact(work)
        assert two.column("products", "stock") == [1, 0]

    def test_of_the_pool(self, two: Port) -> None:
        limits = replace(LIMITS, pool_size=2, pool_timeout=0.3)
        refused: list[RepositoryError] = []

        with two.store.limited(limits) as repository:

            def work(desk: Desk, depth: int = 1) -> None:
                desk.update("products", {"stock": depth}, ONE if depth == 1 else TWO)
                if depth < limits.pool_size:
                    transact(repository, lambda inner: work(inner, depth + 1))
                    return
                for call in (lambda inner: inner.read("products"), add_category):
                    with pytest.raises(PoolExhausted) as caught:
                        transact(repository, call)
                    refused.append(caught.value)

            transact(repository, work)
            transact(repository, add_category)
        assert [error.code for error in refused] == ["PGRST003"] * 2
        assert two.column("products", "stock") == [1, 2]
        assert two.count("categories") == 1

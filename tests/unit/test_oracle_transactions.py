"""The oracle's transactions, beside what the contract tests ask of every store: its attempts, its names, its limits."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from repositories.base import Executor, Limits
from repositories.errors import Conflict, DeadlineExceeded, NameTaken, UniqueViolation
from repositories.writes import Assign
from tests import catalogs
from tests.contract import queries
from tests.oracle import OracleRepository


@pytest.fixture
def oracle() -> OracleRepository:
    return OracleRepository(catalogs.shop(), Limits(transaction_timeout=5))


def category(oracle: OracleRepository, name: str, executor: Executor | None = None) -> None:
    (executor or oracle).write(queries.insert(oracle.catalog, "categories", {"name": name}))


def names(oracle: OracleRepository) -> list[str]:
    return [record["name"] for record in oracle.state["categories"]]


def test_an_attempt_that_others_have_overtaken_is_in_vain(oracle: OracleRepository) -> None:
    attempts = count()

    def work(executor: Executor) -> None:
        attempt = next(attempts)
        category(oracle, f"mine {attempt}", executor)
        if attempt < 2:
            category(oracle, f"other {attempt}")

    oracle.transact(work)
    assert names(oracle) == ["other 0", "other 1", "mine 2"]


def test_readers_are_never_overtaken(oracle: OracleRepository) -> None:
    attempts = count()

    def work(executor: Executor) -> None:
        next(attempts)
        executor.rows(queries.read(oracle.catalog, "categories"))
        category(oracle, "other")

    oracle.transact(work)
    assert next(attempts) == 1
    assert names(oracle) == ["other"]


@pytest.mark.parametrize(("overtaken", "error"), [(True, Conflict), (False, DeadlineExceeded)])
def test_late(oracle: OracleRepository, overtaken: bool, error: type[Exception]) -> None:
    oracle.limits = replace(oracle.limits, transaction_timeout=0)

    def work(executor: Executor) -> None:
        category(oracle, "mine", executor)
        if overtaken:
            oracle.state = dict(oracle.state)

    with pytest.raises(error):
        oracle.transact(work)
    assert names(oracle) == []


def test_the_first_failure_ends_it(oracle: OracleRepository) -> None:
    category(oracle, "there")

    def work(executor: Executor) -> None:
        category(oracle, "new", executor)
        for name in ("there", "fine"):
            with pytest.raises(UniqueViolation):
                category(oracle, name, executor)

    with pytest.raises(UniqueViolation):
        oracle.transact(work)
    assert names(oracle) == ["there"]


def test_a_name_is_held_once(oracle: OracleRepository) -> None:
    def work(executor: Executor) -> None:
        oracle.transact(lambda inner: category(oracle, "b", inner), name="b")
        with pytest.raises(NameTaken):
            oracle.transact(lambda inner: category(oracle, "a", inner), name="a")

    for _ in range(2):
        oracle.clear()
        oracle.transact(work, name="a")
        assert names(oracle) == ["b"]


def test_the_last_of_several_assignments_stands(oracle: OracleRepository) -> None:
    category(oracle, "first")
    resource = oracle.catalog["categories"]
    rows = ((1, "second"), (1, "third"), (2, "nobody's"))
    assert oracle.write(Assign(resource, (*resource.key, resource.fields["name"]), rows)).count == 1
    assert names(oracle) == ["third"]

"""The fuzzer for some seconds, on every store; and that it notices what it looks for."""

from __future__ import annotations

import time
from typing import Any

import pytest

from service.planner.reads import draft_page
from tests.hostile import fuzz
from tests.hostile.fuzz import Fuzzer
from tests.hostile.mutations import Case, Mutator
from tests.stores import CATALOGS, OracleStore, Store

CATALOGS["fuzz"] = fuzz.shop
#: By store: cases in the quick form. The plain store is ten times as fast.
CASES = {"oracle": 15_000, "postgres": 1500, "mongodb": 1500}

#: Where the planner is called from.
PLAN = "service.planner.kept.draft_page"


@pytest.fixture
def catalog_name() -> str:
    return "fuzz"


def test_every_case_is_answered(store: Store) -> None:
    fuzzer = Fuzzer(store, "quick")
    fuzzer.run(lambda cases: cases >= CASES[store.name])
    assert not fuzzer.wrong, "\n\n".join(fuzzer.wrong)
    assert fuzzer.cases >= CASES[store.name]
    good = sum(count for status, count in fuzzer.statuses.items() if status < 400)
    assert good > fuzzer.cases / 20, "nearly all cases are refused at the door"


def test_the_same_seed_makes_the_same_cases() -> None:
    first, second = Mutator(7), Mutator(7)
    assert [first.case() for _ in range(200)] == [second.case() for _ in range(200)]


def test_an_error_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object, **__: object) -> None:
        raise ValueError("planted")

    monkeypatch.setattr(PLAN, faulty)
    fuzzer = Fuzzer(OracleStore(fuzz.shop()), 1)
    fuzzer.run(lambda cases: cases >= fuzz.ROUND)
    assert "planted" in fuzzer.wrong[0]


@pytest.mark.parametrize(("slow", "found"), [(1, 0), (1 + fuzz.AGAIN, 1)], ids=["pause", "hang"])
def test_what_is_slow_each_time_is_found(monkeypatch: pytest.MonkeyPatch, slow: int, found: int) -> None:
    """In the planner, which a service asks once for each form of request."""
    monkeypatch.setattr(fuzz, "HANG", 0.3)
    waits = iter([fuzz.HANG] * slow)

    def sluggish(*arguments: Any, **named: Any) -> Any:
        until = time.thread_time() + next(waits, 0)
        while time.thread_time() < until:
            pass
        return draft_page(*arguments, **named)

    monkeypatch.setattr(PLAN, sluggish)
    fuzzer = Fuzzer(OracleStore(fuzz.shop()), 1)
    fuzzer.ask(Case("GET", b"/api/products", (), b""), [])
    assert next(waits, None) is None
    assert len(fuzzer.wrong) == found
    assert fuzzer.cases == 1

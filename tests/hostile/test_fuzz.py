"""The fuzzer for some seconds, on every store; and that it notices what it looks for."""

from __future__ import annotations

import time

import pytest

from service.planner import reads
from tests.hostile import fuzz
from tests.hostile.fuzz import Fuzzer
from tests.hostile.mutations import Mutator
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


@pytest.mark.parametrize("fault", ["error", "hang"])
def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    plan = reads.draft_page

    def faulty(*arguments: object, **options: object) -> object:
        if fault == "error":
            raise ValueError("planted")
        monkeypatch.setattr(PLAN, plan)
        until = time.thread_time() + fuzz.HANG
        while time.thread_time() < until:
            pass
        return plan(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(PLAN, faulty)
    fuzzer = Fuzzer(OracleStore(fuzz.shop()), 1)
    fuzzer.run(lambda cases: cases >= fuzz.ROUND)
    assert ("planted" if fault == "error" else "took 1") in fuzzer.wrong[0]

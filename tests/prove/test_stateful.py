"""The quick profile: walks through a small world, all stores alike at every step; and that what is wrong is found."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any
from unittest import mock

import pytest

from repositories.schema import Catalog, Resource
from repositories.sql import repository as postgres
from repositories.sql.transactions import READ_COMMITTED
from service import execution
from service.idempotency import _Keeper
from service.merging import merged_rows
from tests.conftest import Servers
from tests.oracle import transaction
from tests.prove import rivals, steps
from tests.prove.stateful import Walks
from tests.prove.worlds import ALL, MONGODB, ORACLE, POSTGRES, generated, opened

SECONDS = 40.0
#: How long a merge waits between its look at a record and its write.
PAUSE = 0.03


def studied(running: Servers, walks: int, count: int, names: tuple[str, ...] = ALL) -> Walks:
    study = Walks(time.monotonic() + SECONDS)
    with opened(*generated("walks-1"), running.postgres, running.mongodb, f"walks_{os.getpid()}", names) as world:
        study.world(world, "walks-1", walks, count)
    return study


def test_all_stores_are_alike_at_every_step(running: Servers) -> None:
    outcome = studied(running, 2, 40).outcome
    assert outcome.differences == []
    assert outcome.figures["races"] >= 10
    assert outcome.figures["answered"] >= 15


def test_a_cascade_forgotten_is_found_out(running: Servers) -> None:
    def remove(_catalog: Catalog, state: Any, resource: Resource, records: Sequence[Any]) -> None:
        state[resource.name] = [each for each in state[resource.name] if each not in records]

    with mock.patch.object(transaction, "remove", remove):
        differences = studied(running, 8, 40, (ORACLE, MONGODB)).outcome.differences
    assert any("DELETE" in each and "23503" in each and "--replay" in each for each in differences)


def only(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let every step be a race of this kind."""
    monkeypatch.setattr(steps, "_KINDS", ["race"])
    monkeypatch.setattr(rivals, "KINDS", {kind: rivals.KINDS[kind]})


def test_a_lost_update_is_found_out(running: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(*arguments: Any) -> Any:
        time.sleep(PAUSE)
        return merged_rows(*arguments)

    only(monkeypatch, "merge patches")
    monkeypatch.setattr(execution, "merged_rows", slowly)
    assert studied(running, 1, 10, (ORACLE, POSTGRES)).outcome.differences == []
    monkeypatch.setattr(postgres, "REPEATABLE_READ", READ_COMMITTED)
    (difference, *_) = studied(running, 1, 20, (ORACLE, POSTGRES)).outcome.differences
    assert difference.startswith("postgres: race: merge patches")


def test_a_request_carried_out_twice_is_found_out(running: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = _Keeper.answer

    def careless(self: _Keeper, key: str, view: Any) -> Any:
        return answer(self, key, view) if self._repository.backend == ORACLE else view()

    only(monkeypatch, "one request")
    monkeypatch.setattr(_Keeper, "answer", careless)
    assert studied(running, 2, 20, (ORACLE, MONGODB)).outcome.differences

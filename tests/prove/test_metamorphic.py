"""The quick profile: one small world in which every law holds, in every store; and that a broken law is found out."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any
from unittest import mock

import pytest

from repositories.query import AggregateFunction, Operator
from repositories.schema import Type, Value
from service.representation import pages
from tests.conftest import Servers
from tests.oracle import logic, selections
from tests.oracle.aggregates import aggregated
from tests.prove.metamorphic import LAWS, Laws
from tests.prove.worlds import ALL, ORACLE, generated, opened

SECONDS = 40.0


def studied(running: Servers, laws: Sequence[str], relations: int, names: tuple[str, ...] = ALL) -> Laws:
    study = Laws(time.monotonic() + SECONDS)
    with opened(*generated("laws-1"), running.postgres, running.mongodb, f"laws_{os.getpid()}", names) as world:
        study.world(world, "laws-1", laws, relations)
    return study


def test_every_law_holds_in_every_store(running: Servers) -> None:
    outcome = studied(running, list(LAWS), 6).outcome
    assert outcome.differences == []
    assert all(outcome.figures[f"{law}: of these not empty"] >= len(ALL) for law in LAWS), outcome.figures


def _lossy(function: AggregateFunction, values: Sequence[Value], kind: Type) -> Value:
    """Sums and averages without the last value."""
    there = [value for value in values if value is not None]
    lossy = function in (AggregateFunction.SUM, AggregateFunction.AVG, AggregateFunction.COUNT) and there
    return aggregated(function, there[:-1] if lossy else values, kind)


def _short_pages(self: selections.Reader, selection: Any, listed: list[Any]) -> list[Any]:
    """Pages that leave their last record out, where they begin later than the list."""
    start = self.values[selection.offset.index] if selection.offset else 0
    end = None if selection.limit is None else start + self.values[selection.limit.index]
    return listed[start:end] if start == 0 else listed[start:end][:-1]


#: By law: what is put in place of what, so that it is broken.
FAULTS: dict[str, Any] = {
    "partition": mock.patch.object(logic, "_negation", lambda truth: not truth),
    "partition of a tree": mock.patch.object(logic, "_conjunction", all),
    "union and intersection": mock.patch.object(logic, "_disjunction", lambda truths: next(iter(truths))),
    "sorted halves": mock.patch.dict(logic._COMPARED, {Operator.LT: logic._COMPARED[Operator.LTE]}),
    "pages by offset": mock.patch.object(selections.Reader, "_cut", _short_pages),
    "pages by links": mock.patch.object(pages, "links", return_value=""),
    "aggregates": mock.patch.object(selections, "aggregated", _lossy),
}


@pytest.mark.parametrize("law", FAULTS)
def test_a_broken_law_is_found_out(running: Servers, law: str) -> None:
    with FAULTS[law]:
        differences = studied(running, [law], 60, (ORACLE,)).outcome.differences
    assert differences
    assert all(each.startswith(law) and "--replay" in each for each in differences)

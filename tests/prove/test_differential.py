"""The quick profile: two small worlds, in which every store answers alike; and that a wrong store is found out."""

from __future__ import annotations

import json
import os
import time
from unittest import mock

import pytest

from repositories.query import Operator
from tests.conftest import Servers
from tests.oracle import logic
from tests.prove.catalogs import document
from tests.prove.chance import Seeded
from tests.prove.differential import Requests
from tests.prove.report import Report
from tests.prove.worlds import generated, load, opened

SECONDS = 40.0


def studied(running: Servers, seed: str, reading: int, writing: int) -> Requests:
    study = Requests(time.monotonic() + SECONDS)
    label = f"test_{os.getpid()}"
    with opened(*generated(seed), running.postgres, running.mongodb, label) as world:
        study.world(world, seed, reading=reading, writing=writing)
    return study


@pytest.mark.parametrize("seed", ["quick-1", "quick-3"])
def test_all_stores_answer_alike(running: Servers, seed: str) -> None:
    outcome = studied(running, seed, 200, 100).outcome
    assert outcome.differences == []
    assert outcome.figures["cases"] >= 150
    assert outcome.figures["answered"] > outcome.figures["cases"] / 4


def test_a_wrong_store_is_found_out(running: Servers) -> None:
    wrong = logic._COMPARED | {Operator.LTE: logic._COMPARED[Operator.LT]}
    with mock.patch.object(logic, "_COMPARED", wrong):
        differences = studied(running, "quick-1", 400, 0).outcome.differences
    assert any("lte" in each and "--replay" in each for each in differences)


@pytest.mark.parametrize("seed", range(20))
def test_generated_catalogs_can_be_loaded(seed: int) -> None:
    plan = document(Seeded(seed))
    assert len(load(plan).public) >= len(plan["resources"]) > 2


def test_the_report_tells_what_was_found(running: Servers, tmp_path: object) -> None:
    outcome = studied(running, "quick-3", 40, 0).outcome
    report = Report(1.0, 1, 1, {"differential": ("All alike", outcome)})
    data = json.loads(json.dumps(report.as_data()))
    assert data["cases"] == outcome.figures["cases"]
    assert data["cells"]["hit"] > 20

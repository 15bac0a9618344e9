"""A short ledger: connections are cut, and nothing is lost, doubled or halved; a service that does so is found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.ledger.broken import KINDS
from tests.ledger.knives import AFTER, ANSWER, BEFORE, REQUEST
from tests.ledger.operations import MIX
from tests.ledger.run import Plan, run

SECONDS = 20
CUTS = 5.0


@pytest.fixture(params=["postgres", "mongodb"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_sound(backend: str, running: Servers, tmp_path: Path) -> None:
    report = run(Plan(backend, writes=300, seconds=SECONDS, cuts=CUTS), getattr(running, backend), tmp_path)
    assert vars(report.findings) == {name: [] for name in vars(report.findings)}
    # All of what it is about has happened.
    assert all(report.seen[kind] for kind in (*MIX, "answers lost", "replays", "asked again")), report.seen
    assert all(report.client_cuts[phase] for phase in (REQUEST, ANSWER)), report.client_cuts
    assert all(report.database_cuts[phase] for phase in (BEFORE, AFTER)), report.database_cuts


@pytest.mark.parametrize("kind", KINDS)
def test_broken(backend: str, kind: str, running: Servers, tmp_path: Path) -> None:
    """Many cuts and repetitions, so that a few writes suffice."""
    plan = Plan(backend, writes=150, seconds=SECONDS, broken=kind, cuts=CUTS)
    report = run(plan, getattr(running, backend), tmp_path)
    assert report.findings.duplicated or report.findings.unfounded or report.findings.wrong

"""The quick profile: one small world in which every law holds, in every store; and that a broken law is found out."""

from __future__ import annotations

import os
import time

from tests.conftest import Servers
from tests.prove.metamorphic import LAWS, Study
from tests.prove.worlds import ALL, generated, opened

SECONDS = 40.0


def studied(running: Servers, laws: list[str], relations: int, names: tuple[str, ...] = ALL) -> Study:
    study = Study(time.monotonic() + SECONDS)
    with opened(*generated("laws-1"), running.postgres, running.mongodb, f"laws_{os.getpid()}", names) as world:
        study.world(world, "laws-1", laws, relations)
    return study


def test_every_law_holds_in_every_store(running: Servers) -> None:
    outcome = studied(running, list(LAWS), 8).outcome
    assert outcome.differences == []
    assert all(outcome.figures[f"{law}: of these not empty"] >= 2 * len(ALL) for law in LAWS)

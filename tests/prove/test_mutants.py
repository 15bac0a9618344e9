"""Every mutant is caught, and goes free without its mistake; a build that is good is not caught."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import Servers
from tests.prove.mutants import MUTANTS, SECONDS, wrong
from tests.prove.mutants.catalogs import CATALOGS
from tests.prove.mutants.hunting import Hunter
from tests.prove.mutants.planting import Mutant
from tests.prove.worlds import ALL, MONGODB, ORACLE, POSTGRES


@pytest.fixture(scope="module")
def hunter(running: Servers) -> Iterator[Hunter]:
    with ExitStack() as stack:
        yield Hunter(running.postgres, running.mongodb, stack)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_is_caught(hunter: Hunter, mutant: Mutant) -> None:
    assert wrong(mutant, hunter.hunt(mutant, mutant.salt, SECONDS)) is None


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("world", sorted({mutant.world for mutant in MUTANTS}))
@pytest.mark.parametrize("side", [POSTGRES, MONGODB])
def test_a_good_build_is_not_caught(hunter: Hunter, world: str, side: str, writes: bool) -> None:
    control = Mutant("no mistake", side, (), world, writes)
    assert hunter.hunt(control, control.salt, SECONDS, 60) is None


def test_mutants_are_many_and_on_every_side() -> None:
    assert len(MUTANTS) == len(set(map(str, MUTANTS))) >= 16
    assert {mutant.side for mutant in MUTANTS} == set(ALL) - {ORACLE}
    assert {mutant.world.partition(" ")[0] for mutant in MUTANTS} == CATALOGS.keys()

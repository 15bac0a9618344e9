"""A few rounds of every race on the real servers, and proof for each race that it catches careless writers."""

from __future__ import annotations

import pytest

from tests.conftest import Stores
from tests.contract.port import Port
from tests.races.careless import Careless
from tests.races.race import run
from tests.races.races import RACES

ROUNDS = 25
#: Careless writers are caught within so many rounds, or the race is of no use.
BOUND = 500


@pytest.fixture(params=["postgres", "mongodb"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("race", RACES)
def test_nothing_is_broken(stores: Stores, backend: str, race: str) -> None:
    result = run(RACES[race](Port(stores.get(backend, "shop"))), ROUNDS)
    assert result.violations == []
    assert result.rounds == ROUNDS


@pytest.mark.parametrize("race", RACES)
def test_careless_writers_are_caught(stores: Stores, backend: str, race: str) -> None:
    result = run(RACES[race](Careless(stores.get(backend, "lax"))), BOUND, until_caught=True)
    assert result.violations

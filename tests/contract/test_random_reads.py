"""Reads made at random: every store answers as the oracle does, byte for byte, or refuses with the same code."""

from __future__ import annotations

import pytest

from repositories.errors import RepositoryError
from service.errors import RequestError
from tests.catalogs import studio as studio_catalog
from tests.contract.asking import Asker
from tests.contract.films import STUDIO
from tests.contract.random_reads import Maker
from tests.stores import OracleStore

READS = 50
#: What the planner refuses: groups without an order, a name twice, a list in an order, aggregates over a list.
REFUSED = ("0A000", "42712", "PGRST118", "PGRST127", "42803")


@pytest.fixture(scope="module")
def oracle() -> Asker:
    asker = Asker(OracleStore(studio_catalog()))
    asker.fill(STUDIO)
    return asker


def answer(asker: Asker, text: str) -> tuple[object, ...]:
    """The answer with its count, or the code of the error."""
    try:
        document = asker.repository.json(asker.plan(text, count=True))
    except (RepositoryError, RequestError) as error:
        return type(error).__name__, error.code
    return document.body.decode(), document.total


@pytest.mark.parametrize("seed", range(5))
def test_random_reads(studio: Asker, oracle: Asker, seed: int) -> None:
    maker = Maker(studio.relations, list(studio.catalog.public), seed)
    answered = 0
    for _ in range(READS):
        text = maker.read()
        found = answer(studio, text)
        assert found == answer(oracle, text), text
        answered += found[-1] not in REFUSED
    assert answered > READS / 2

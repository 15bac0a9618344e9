"""Fixtures of the contract tests: the port on the shop, or on the lab, once for every store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.conftest import STORES, Stores
from tests.contract.asking import Asker
from tests.contract.films import STUDIO
from tests.contract.port import Port
from tests.stores import Store

Opened = Callable[[str], AbstractContextManager[Asker]]


@pytest.fixture
def port(store: Store) -> Port:
    return Port(store)


@pytest.fixture(scope="module", params=[*STORES, "mongodb without nulls"])
def opened(request: pytest.FixtureRequest, stores: Stores) -> Opened:
    """Opens a store for a whole module, whose tests only read, and empties it at the end."""

    @contextmanager
    def enter(catalog: str) -> Iterator[Asker]:
        store = stores.get(request.param.split()[0], catalog)
        try:
            yield Asker(store, keeps_nulls=request.param in STORES)
            store.check_idle()
        finally:
            store.empty()

    return enter


@pytest.fixture(scope="module")
def studio(opened: Opened) -> Iterator[Asker]:
    """The studio with its records, for tests that only read."""
    with opened("studio") as asker:
        asker.fill(STUDIO)
        yield asker

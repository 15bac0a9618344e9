"""Fixtures of the contract tests: the port on the shop, or on the lab, once for every store."""

from __future__ import annotations

import pytest

from tests.contract.port import Port
from tests.stores import Store


@pytest.fixture
def port(store: Store) -> Port:
    return Port(store)

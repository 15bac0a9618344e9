"""A few requests to some operations of the OpenAPI document, on every store."""

from __future__ import annotations

import pytest

from tests.hostile import fuzz, openapi
from tests.stores import CATALOGS, Store

CATALOGS["fuzz"] = fuzz.shop
#: The operations of one resource, and those of none.
PATHS = "^/(api/products|api/_batch|api$|health)"


@pytest.fixture
def catalog_name() -> str:
    return "fuzz"


def test_answers_are_as_documented(store: Store) -> None:
    outcome = openapi.asked(store, 5, 1, paths=PATHS)
    assert not outcome.differences, "\n\n".join(outcome.differences)
    assert outcome.figures["cases"] > 80

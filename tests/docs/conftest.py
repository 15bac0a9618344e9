"""The shop of the examples, in every store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from repositories.base import Repository
from repositories.schema import Catalog
from service import catalog
from service.app import create_app
from service.config import Settings
from service.idempotency import with_requests
from tests.stores import CATALOGS

HERE = Path(__file__).parent


def shop() -> Catalog:
    return with_requests(catalog.load(HERE / "shop.yaml"))


CATALOGS["docs"] = shop


@pytest.fixture
def catalog_name() -> str:
    return "docs"


def filled(repository: Repository) -> FlaskClient:
    """A client of the service, over the examples' records."""
    client = create_app(repository, Settings()).test_client()
    for name, records in json.loads((HERE / "shop.json").read_text("utf-8")).items():
        response = client.post(f"/api/{name}", json=records, headers={"Prefer": "return=minimal"})
        assert response.status_code == 201, response.get_data(as_text=True)
    return client


@pytest.fixture
def client(repository: Repository) -> FlaskClient:
    return filled(repository)

"""The whole service in front of every store, without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from repositories.base import Repository
from service.app import create_app
from service.config import Settings

PROBLEM = {"type", "title", "status", "detail", "instance", "code", "message", "details", "hint", "errors"}
MakeClient = Callable[..., FlaskClient]


class Apps:
    """The service, made once for each repository and settings: making it takes longer than most tests."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], tuple[Repository, Flask]] = {}

    def get(self, repository: Repository, settings: Settings) -> Flask:
        key = (id(repository), settings.model_dump_json())
        if key not in self._made:
            # With the repository, so that no other one gets its number.
            self._made[key] = repository, create_app(repository, settings)
        return self._made[key][1]


@pytest.fixture(scope="session")
def apps() -> Apps:
    return Apps()


@pytest.fixture
def make_client(repository: Repository, apps: Apps) -> MakeClient:
    """A client of the service with some settings changed."""

    def make(**settings: Any) -> FlaskClient:
        return apps.get(repository, Settings(**settings)).test_client()

    return make


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    return make_client()


def refused(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refused request, after its shape has been checked."""
    problem: dict[str, Any] = response.get_json(force=True)
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response.content_type == "application/problem+json"
    assert problem.keys() == PROBLEM
    assert problem["status"] == status
    for violation in problem["errors"]:
        assert violation.keys() == {"pointer", "code", "message"}
    return problem

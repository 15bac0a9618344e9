"""The whole service in front of every store, without a network."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from repositories.base import Repository
from service.app import create_app
from service.config import Settings

PROBLEM = {"type", "title", "status", "detail", "instance", "code", "message", "details", "hint", "errors"}
MakeClient = Callable[..., FlaskClient]


#: Making a service takes longer than most tests, so it is made once for each repository and settings.
_app = cache(create_app)


@pytest.fixture
def make_client(repository: Repository) -> MakeClient:
    """A client of the service with some settings changed."""

    def make(**settings: Any) -> FlaskClient:
        return _app(repository, Settings(**settings)).test_client()

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

"""A database that refuses, hangs, freezes, breaks or is slow: over HTTP the same answers on every store, in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from repositories.base import Limits, Repository
from repositories.connect import connect
from service.app import create_app
from service.config import Settings
from tests.contract.test_unavailable import URLS, hanging, refusing
from tests.patience import PAUSE
from tests.proxy import Proxy, through_proxy
from tests.stores import MongoStore, PostgresStore, Store

LIMITS = Limits(statement_timeout=1.0, pool_timeout=0.5, connect_timeout=0.5, pool_size=2, transaction_timeout=1.1)
#: All the timeouts together, and what a busy machine adds.
PATIENCE = LIMITS.statement_timeout + LIMITS.pool_timeout + LIMITS.connect_timeout + LIMITS.transaction_timeout + PAUSE


@pytest.fixture(params=["postgres", "mongodb"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


REQUESTS: list[tuple[str, str, dict[str, str], Any]] = [
    ("GET", "/api/categories", {}, None),
    ("GET", "/api/categories/1", {"Prefer": "count=exact"}, None),
    ("GET", "/api/categories", {"Accept": "application/x-ndjson"}, None),
    ("GET", "/api/categories", {"Accept": "text/csv", "Prefer": "count=exact"}, None),
    ("POST", "/api/categories", {}, {"name": "new"}),
    ("POST", "/api/categories", {"Idempotency-Key": "k"}, {"name": "new"}),
    ("PUT", "/api/categories/7", {"If-None-Match": "*"}, {"name": "new"}),
    ("PATCH", "/api/categories?id=eq.1", {"Prefer": "max-affected=1"}, {"name": "new"}),
    ("DELETE", "/api/categories/1", {}, None),
    ("POST", "/api/_batch", {}, [{"method": "POST", "path": "/api/categories", "body": {"name": "new"}}]),
]


#: What is said when the database does not answer: it took too long, no connection could be made, or none became free.
IN_TIME = {(504, "57014"), (503, "PGRST000"), (504, "PGRST003")}


def check(client: FlaskClient, expected: set[tuple[int, str]]) -> None:
    """Every request, all at once, gets one of these answers, in time."""

    def ask(request: tuple[str, str, dict[str, str], Any]) -> None:
        method, path, headers, body = request
        started = time.monotonic()
        answer = client.application.test_client().open(path, method=method, headers=headers, json=body)
        assert time.monotonic() - started < PATIENCE, (method, path)
        problem = answer.get_json(force=True)
        assert (answer.status_code, problem["code"]) in expected, (method, path, headers, problem)
        assert answer.headers["Retry-After"] == "1"

    with ThreadPoolExecutor(len(REQUESTS)) as pool:
        list(pool.map(ask, REQUESTS))


@contextmanager
def served(backend: str, url: str, repository: Repository, limits: Limits = LIMITS) -> Iterator[FlaskClient]:
    with connect(backend, url, repository.catalog, replace(limits, pool_size=len(REQUESTS))) as own:
        yield create_app(own, Settings()).test_client()


@pytest.mark.parametrize("server", [refusing, hanging])
def test_a_server_that_is_not_there(store: Store, backend: str, server: Any) -> None:
    with server() as port, served(backend, URLS[backend].format(port), store.repository) as client:
        check(client, {(503, "PGRST000")})


@pytest.fixture
def line(store: Store, backend: str) -> Iterator[tuple[Proxy, FlaskClient]]:
    assert isinstance(store, PostgresStore | MongoStore)
    with through_proxy(backend, store.url) as (proxy, url), served(backend, url, store.repository) as client:
        assert client.post("/api/categories", json={"name": "there"}).status_code == 201
        yield proxy, client
        proxy.thaw()


def put(client: FlaskClient, number: int) -> int:
    return client.put(f"/api/categories/{90 + number}", json={"name": f"after {number}"}).status_code


def works_again(client: FlaskClient) -> None:
    deadline = time.monotonic() + 10
    while client.get("/api/categories").status_code != 200:
        assert time.monotonic() < deadline, "the service has not come back"
    for number in range(len(REQUESTS) + 1):
        # A machine that halts for a second makes one late; whoever asks again is answered.
        while (status := put(client, number)) == 504:
            assert time.monotonic() < deadline, "the service has not come back"
        assert status in (200, 201)


def test_a_server_that_freezes_and_comes_back(line: tuple[Proxy, FlaskClient]) -> None:
    proxy, client = line
    proxy.freeze()
    check(client, IN_TIME)
    proxy.thaw()
    works_again(client)


def test_a_server_that_cuts_every_connection(line: tuple[Proxy, FlaskClient]) -> None:
    """A request is told so, or is answered over a new connection."""
    proxy, client = line
    for method, path, headers, body in REQUESTS * 2:
        proxy.cut()
        answer = client.open(path, method=method, headers=headers, json=body)
        if answer.status_code >= 500:
            assert (answer.status_code, answer.get_json(force=True)["code"]) in IN_TIME
            assert answer.headers["Retry-After"] == "1"
    works_again(client)


class Slow:
    """Lets everything through, late."""

    def cut(self, data: bytes, *, to_server: bool) -> int | None:
        time.sleep(0.02)
        return None


def test_a_slow_server_is_waited_for(store: Store, backend: str) -> None:
    assert isinstance(store, PostgresStore | MongoStore)
    patient = replace(LIMITS, statement_timeout=2 * PAUSE, transaction_timeout=2 * PAUSE)
    with through_proxy(backend, store.url, Slow) as (_, url), served(backend, url, store.repository, patient) as client:
        assert [put(client, number) for number in range(len(REQUESTS) + 1)] == [201] * (len(REQUESTS) + 1)
        assert len(client.get("/api/categories").get_json()) == len(REQUESTS) + 1

"""A database that freezes, or whose connections are cut, while it is used; and that comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from repositories.base import Limits, Repository
from repositories.connect import connect
from repositories.errors import Unavailable
from repositories.query import Row
from tests.contract import queries
from tests.contract.port import Port
from tests.patience import PAUSE
from tests.proxy import Proxy, through_proxy
from tests.stores import MongoStore, PostgresStore, Store

LIMITS = Limits(statement_timeout=1.5, pool_timeout=0.4, connect_timeout=0.4, pool_size=3)
PATIENCE = LIMITS.statement_timeout + LIMITS.pool_timeout + LIMITS.connect_timeout + PAUSE
BACK_SECONDS = 10.0


@pytest.fixture(params=["postgres", "mongodb"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def line(store: Store) -> Iterator[tuple[Proxy, Repository]]:
    """The way to the store, and a repository that takes it."""
    assert isinstance(store, PostgresStore | MongoStore)
    catalog = store.repository.catalog
    with (
        through_proxy(store.name, store.url) as (proxy, url),
        connect(store.name, url, catalog, LIMITS) as repository,
    ):
        repository.ping()
        yield proxy, repository
        proxy.thaw()


def calls(repository: Repository, name: str) -> dict[str, Callable[[], object]]:
    catalog = repository.catalog
    return {
        "json": lambda: repository.json(queries.read(catalog, "categories")),
        "insert": lambda: repository.write(queries.insert(catalog, "categories", {"name": name})),
        "ping": repository.ping,
    }


def works_again(repository: Repository) -> None:
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        try:
            repository.json(queries.read(repository.catalog, "categories"))
        except Unavailable:
            assert time.monotonic() < deadline, "the repository has not come back"
        else:
            return


def test_frozen(line: tuple[Proxy, Repository], port: Port) -> None:
    """Every call ends in time, one after the other, and all is well when the database answers again."""
    proxy, repository = line
    for method in calls(repository, "before").values():
        method()
    proxy.freeze()
    for name, method in calls(repository, "frozen").items():
        start = time.monotonic()
        with pytest.raises(Unavailable):
            method()
        assert time.monotonic() - start < PATIENCE, name
    proxy.thaw()
    works_again(repository)
    repository.write(queries.insert(repository.catalog, "categories", {"name": "after"}))
    assert "after" in port.column("categories", "name")


def test_cut(line: tuple[Proxy, Repository], port: Port) -> None:
    """A cut connection is told in the port's words, or mended; a write is not carried out twice."""
    proxy, repository = line
    for number in range(4):
        proxy.cut()
        with suppress(Unavailable):
            repository.write(queries.insert(repository.catalog, "returns", {"reason": f"{number}"}))
        works_again(repository)
    reasons = port.column("returns", "reason")
    assert len(reasons) == len(set(reasons))


def test_cut_within_a_stream(line: tuple[Proxy, Repository], port: Port) -> None:
    """The rest is told to be missing, or it comes."""
    proxy, repository = line
    port.insert("returns", *({"reason": "x" * 1000} for _ in range(2000)))

    rows: list[Row] = []
    try:
        with repository.stream(queries.read(repository.catalog, "returns"), batch=10) as batches:
            rows += next(batches)
            proxy.cut()
            for batch in batches:
                rows += batch
    except Unavailable:
        assert len(rows) < 2000
    else:
        assert len(rows) == 2000
    works_again(repository)

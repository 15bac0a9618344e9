"""Fixtures that every test may use: database servers, and the port in front of each store."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import pytest

from repositories.base import Repository
from repositories.schema import Catalog
from service.idempotency import with_requests
from tests import servers
from tests.stores import CATALOGS, MongoStore, OracleStore, PostgresStore, Store

STORES = ("postgres", "mongodb", "oracle")
MEMORY_DISK = Path("/dev/shm")
ROOM_NEEDED = 2 * 2**30


def pytest_configure(config: pytest.Config) -> None:
    """Each process of a parallel run starts servers of its own: on the same ones they would drop each other's data."""
    given = [name for name in ("TEST_POSTGRES_URL", "TEST_MONGODB_URL") if os.environ.get(name)]
    if given and config.getoption("numprocesses", None):
        raise pytest.UsageError(f"{' and '.join(given)}: one server for all processes will not do; leave out -n.")


def pytest_collection_finish() -> None:
    """What has been imported and collected stays: the collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    """Where servers keep their data: in memory where there is room, since every write waits for the disk."""
    in_memory = MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free > ROOM_NEEDED
    with tempfile.TemporaryDirectory(prefix="diglot-", dir=MEMORY_DISK if in_memory else None) as directory:
        yield Path(directory)


class Servers:
    """The database servers, each started when it is first asked for."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory, self._stack = directory, stack

    @cached_property
    def postgres(self) -> str:
        return self._stack.enter_context(servers.postgres(self._directory / "postgres"))

    @cached_property
    def mongodb(self) -> str:
        return self._stack.enter_context(servers.mongodb(self._directory / "mongodb"))


@pytest.fixture(scope="session")
def running(server_directory: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(server_directory, stack)


@pytest.fixture(scope="session")
def postgres_url(running: Servers) -> str:
    return running.postgres


@pytest.fixture(scope="session")
def mongodb_url(running: Servers) -> str:
    return running.mongodb


class Stores:
    """The stores opened so far in this run, by backend and catalog."""

    def __init__(self, running: Servers, stack: ExitStack) -> None:
        self._running, self._stack = running, stack
        self._open: dict[tuple[str, str], Store] = {}

    def get(self, backend: str, catalog: str) -> Store:
        if (backend, catalog) not in self._open:
            store = self._opened(backend, with_requests(CATALOGS[catalog]()), f"diglot_test_{catalog}")
            self._stack.callback(store.close)
            self._open[backend, catalog] = store
        return self._open[backend, catalog]

    def _opened(self, backend: str, catalog: Catalog, database: str) -> Store:
        match backend:
            case "postgres":
                return PostgresStore(self._running.postgres, catalog, database)
            case "mongodb":
                return MongoStore(self._running.mongodb, catalog, database)
            case _:
                return OracleStore(catalog)


@pytest.fixture(scope="session")
def stores(running: Servers) -> Iterator[Stores]:
    with ExitStack() as stack:
        yield Stores(running, stack)


@pytest.fixture(params=STORES)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def catalog_name() -> str:
    """The catalog that `store` and `repository` are opened on; a test module may override it."""
    return "shop"


@pytest.fixture
def store(stores: Stores, backend: str, catalog_name: str) -> Iterator[Store]:
    """The store, empty; afterwards it must be idle, and is emptied again."""
    store = stores.get(backend, catalog_name)
    yield store
    try:
        store.check_idle()
    finally:
        store.empty()


@pytest.fixture
def repository(store: Store) -> Repository:
    return store.repository

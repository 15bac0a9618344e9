"""A database that is not there, or never answers: every method of the port says so, in time and in its own words."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from repositories.base import Limits, Repository
from repositories.connect import connect
from repositories.errors import Unavailable
from tests import catalogs
from tests.contract import queries
from tests.contract.queries import eq
from tests.contract.samples import product
from tests.patience import PAUSE
from tests.servers import free_port

LIMITS = Limits(statement_timeout=0.5, pool_timeout=0.5, connect_timeout=0.5, pool_size=2)
#: All the timeouts together, and what a busy machine adds.
PATIENCE = LIMITS.statement_timeout + LIMITS.pool_timeout + LIMITS.connect_timeout + PAUSE
URLS = {
    "postgres": "postgresql://user:secret@127.0.0.1:{}/nowhere",
    "mongodb": "mongodb://127.0.0.1:{}/nowhere?directConnection=true",
}


@contextmanager
def refusing() -> Iterator[int]:
    yield free_port()


@contextmanager
def hanging() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        yield listener.getsockname()[1]


def methods(repository: Repository) -> dict[str, Callable[[], object]]:
    catalog = repository.catalog
    read = queries.read(catalog, "products", where=eq("sku", "x"))

    def stream() -> object:
        with repository.stream(read) as batches:
            return list(batches)

    return {
        "rows": lambda: repository.rows(read),
        "json": lambda: repository.json(read),
        "stream": stream,
        "insert": lambda: repository.write(queries.insert(catalog, "products", product(1))),
        "insert of a sequence": lambda: repository.write(queries.insert(catalog, "categories", {"name": "x"})),
        "replace": lambda: repository.write(queries.replace(catalog, "products", product(1))),
        "update": lambda: repository.write(queries.update(catalog, "products", {"stock": 1})),
        "delete": lambda: repository.write(queries.delete(catalog, "products")),
        "advance_sequences": lambda: repository.advance_sequences(catalog["categories"]),
        "schema_changes": repository.schema_changes,
        "apply_schema": repository.apply_schema,
        "ping": repository.ping,
    }


@pytest.mark.parametrize("backend", URLS)
@pytest.mark.parametrize("server", [refusing, hanging])
def test_every_method_says_so_in_time(backend: str, server: Callable[[], AbstractContextManager[int]]) -> None:
    outcomes: dict[str, object] = {}
    seconds: dict[str, float] = {}

    def run(name: str) -> None:
        # A repository for each method: none waits for another's connection.
        with connect(backend, url, catalogs.shop(), LIMITS) as repository:
            start = time.monotonic()
            try:
                outcomes[name] = methods(repository)[name]()
            except Exception as error:  # noqa: BLE001 - an error that is not the port's is what the test looks for
                outcomes[name] = error
            seconds[name] = time.monotonic() - start

    with server() as port:
        url = URLS[backend].format(port)
        names = list(methods(connect(backend, url, catalogs.shop(), LIMITS)))
        # Daemons, so that a method that never ends fails this test and does not keep the others from running.
        threads = [threading.Thread(target=run, args=[name], daemon=True) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * PATIENCE)
    assert set(names) - set(outcomes) == set(), "these have not ended"
    for name, ended in outcomes.items():
        assert isinstance(ended, Unavailable), (name, ended)
        assert seconds[name] < PATIENCE, (name, seconds[name])
        told = f"{ended.message} {ended.details} {ended.hint}"
        assert "127.0.0.1" not in told
        assert "secret" not in told


@pytest.mark.parametrize("backend", URLS)
def test_closing_is_harmless(backend: str) -> None:
    repository = connect(backend, URLS[backend].format(free_port()), catalogs.shop(), LIMITS)
    repository.close()
    repository.close()

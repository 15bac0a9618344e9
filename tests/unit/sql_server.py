"""A database of its own for each module that tests the PostgreSQL backend, and connections past the port."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from repositories.base import Limits
from repositories.schema import Catalog
from repositories.sql.repository import PostgresRepository
from tests.servers import with_database

LIMITS = Limits(statement_timeout=5, pool_timeout=1, connect_timeout=2, pool_size=4)
Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(scope="module")
def database_url(postgres_url: str) -> Iterator[str]:
    """The URL of a new database."""
    name = f"unit_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield with_database(postgres_url, name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A plain connection in autocommit."""
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


def emptied(connection: Connection) -> None:
    """Drop every table."""
    connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def opened(url: str, catalog: Catalog, limits: Limits = LIMITS) -> PostgresRepository:
    """A repository whose tables are those of the catalog."""
    repository = PostgresRepository(url, catalog, limits)
    repository.apply_schema()
    return repository

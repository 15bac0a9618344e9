"""An index that is there for the length of a trial, in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy.schema import CreateIndex

from repositories.schema import Catalog, Index, Resource
from repositories.sql.connections import Connection
from repositories.sql.postgresql import ddl_sql
from repositories.sql.tables import tables

#: Building takes its time; but nobody's writes shall wait for a lock that does not come.
_TIMEOUTS = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s'"


@contextmanager
def trial(connection: Connection, resource: Resource, index: Index) -> Iterator[None]:
    """Meanwhile the connection's transaction, and nobody else, has the index."""
    patience, connection.patience = connection.patience, None
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(_TIMEOUTS)
            connection.execute(_statement(resource, index).encode())
            yield
    finally:
        connection.patience = patience


def _statement(resource: Resource, index: Index) -> str:
    table = tables(Catalog({resource.name: replace(resource, references=(), indexes=(index,))})).tables[resource.name]
    [created] = table.indexes
    return ddl_sql(CreateIndex(created))

"""Brings the tables to the catalog's: compares them with temporary twins, and runs what they lack.

The twins are made from the catalog and rolled back, so that PostgreSQL itself writes both sides of every comparison:
types, defaults, checks and index definitions come in its own spelling.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from sqlalchemy import MetaData
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable, SetTableComment

from repositories.base import Change
from repositories.errors import Conflict, RepositoryError, SchemaMismatch, Unavailable
from repositories.schema import Catalog
from repositories.sql.connections import Connection
from repositories.sql.differences import (
    Phase,
    Step,
    drop_tables,
    index_steps,
    reference_steps,
    table_steps,
)
from repositories.sql.errors import port_error
from repositories.sql.inspection import LIVE, TEMPORARY, Description, describe
from repositories.sql.postgresql import ddl_sql
from repositories.sql.tables import MARK, tables

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('diglot schema'), hashtext(current_schema()))"
#: Large tables take their time; a lock that another holds for so long does not come.
_TIMEOUTS = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'"


def changes(connection: Connection, catalog: Catalog) -> list[Change]:
    """What the database lacks, in the order to apply it."""
    with connection.transaction(force_rollback=True):
        live = describe(connection, LIVE)
        _make_twins(connection, catalog)
        wanted = describe(connection, TEMPORARY)
    steps = sorted(_steps(catalog, live, wanted), key=lambda step: step[0])
    return [change for _, change in steps]


def apply(connection: Connection, catalog: Catalog, *, destructive: bool) -> list[Change]:
    """Apply the changes in one transaction, one service at a time; return those applied."""
    patience, connection.patience = connection.patience, None
    try:
        with connection.transaction():
            connection.execute(_TIMEOUTS)
            connection.execute(_LOCK)
            applied = [change for change in changes(connection, catalog) if destructive or not change.destructive]
            for change in applied:
                _run(connection, change)
        return applied
    finally:
        connection.patience = patience


def _run(connection: Connection, change: Change) -> None:
    try:
        connection.execute(change.statement.encode())
    except psycopg.Error as error:
        cause = port_error(error)
        if isinstance(cause, (Conflict, Unavailable)):
            raise cause from error
        raise _refusal(change, cause) from error


def _refusal(change: Change, cause: RepositoryError) -> SchemaMismatch:
    return SchemaMismatch(
        f"The schema change cannot be made: {change.summary}.",
        details=f"The records or tables that are there do not allow it ({cause.code}).",
        hint="A new required field needs a default, unless the resource is empty. For anything else, first mend the "
        "records that break the new rule, or leave the rule out.",
    )


def _make_twins(connection: Connection, catalog: Catalog) -> None:
    twins = tables(catalog, temporary=True)
    for table in twins.tables.values():
        connection.execute(ddl_sql(CreateTable(table, include_foreign_key_constraints=[])).encode())
        for statement in _index_ddl(twins, table.name).values():
            connection.execute(statement.encode())
    for table in twins.tables.values():
        for constraint in table.foreign_key_constraints:
            connection.execute(ddl_sql(AddConstraint(constraint)).encode())


def _index_ddl(metadata: MetaData, table: str) -> dict[str, str]:
    return {str(index.name): ddl_sql(CreateIndex(index)) for index in metadata.tables[table].indexes}


def _steps(catalog: Catalog, live: dict[str, Description], wanted: dict[str, Description]) -> Iterator[Step]:
    metadata = tables(catalog)
    for resource in catalog:
        name = resource.name
        if name in live:
            yield from table_steps(resource, live[name], wanted[name])
        else:
            table = metadata.tables[name]
            statements = (CreateTable(table, include_foreign_key_constraints=[]), SetTableComment(table))
            ddl = ";\n".join(ddl_sql(statement) for statement in statements)
            yield Phase.CREATE_TABLE, Change(f"{name}: create table", ddl)
            yield from reference_steps(resource, wanted[name])
        yield from index_steps(resource, live.get(name), wanted[name], _index_ddl(metadata, name))
    orphans = [name for name, table in live.items() if table.comment == MARK and name not in catalog]
    if orphans:
        yield drop_tables(sorted(orphans))

"""The counters behind generated numbers."""

from __future__ import annotations

from psycopg.sql import SQL, Identifier, Literal

from repositories.schema import Generated, Resource
from repositories.sql.connections import Connection
from repositories.sql.postgresql import quote

_ADVANCE = SQL(
    "SELECT setval(counter, stored) "
    "FROM (SELECT max({field}) AS stored, pg_get_serial_sequence({table_text}, {field_text})::regclass AS counter "
    "FROM {table}) AS newest "
    "WHERE stored >= coalesce(pg_sequence_last_value(counter), 1)"
)


def advance(connection: Connection, resource: Resource) -> None:
    """Let the sequences of `resource` go on above what is stored; they never go back."""
    fields = [field for field in resource.fields.values() if field.generated is Generated.SEQUENCE]
    if not fields:
        return
    table = Identifier(resource.name)
    with connection.transaction():
        # Inserts that are under way have numbers which are not stored yet; new ones wait.
        connection.execute(SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table))
        for field in fields:
            connection.execute(
                _ADVANCE.format(
                    field=Identifier(field.name),
                    table=table,
                    table_text=Literal(quote(resource.name)),
                    field_text=Literal(field.name),
                )
            )

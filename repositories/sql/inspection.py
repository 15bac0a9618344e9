"""What tables the database has, as PostgreSQL itself describes them, so that two sets of them compare as text."""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg.sql import SQL, Composable

from repositories.sql.connections import Connection

#: The schema that the tables are in, and the one that holds this transaction's temporary tables.
LIVE = SQL("current_schema()::regnamespace")
TEMPORARY = SQL("pg_my_temp_schema()")

_TABLES = SQL(
    "SELECT relname, coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class "
    "WHERE relnamespace = {} AND relkind IN ('r', 'p')"
)
_COLUMNS = SQL(
    "SELECT relname, attname, format_type(atttypid, atttypmod), "
    "CASE WHEN attcollation <> typcollation THEN collname END, attnotnull, "
    "pg_get_expr(adbin, adrelid), attidentity <> '' "
    "FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid JOIN pg_type ON pg_type.oid = atttypid "
    "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
    "LEFT JOIN pg_collation ON pg_collation.oid = attcollation "
    "WHERE pg_class.relnamespace = {} AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
_CONSTRAINTS = SQL(
    "SELECT relname, conname, contype::text, pg_get_constraintdef(pg_constraint.oid, true) "
    "FROM pg_class JOIN pg_constraint ON conrelid = pg_class.oid "
    "WHERE relnamespace = {} AND contype IN ('p', 'u', 'f', 'c') ORDER BY conname"
)
_INDEXES = SQL(
    "SELECT tables.relname, indexes.relname, "
    "pg_get_indexdef(indexrelid, 0, true) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END "
    "FROM pg_index JOIN pg_class AS tables ON tables.oid = indrelid "
    "JOIN pg_class AS indexes ON indexes.oid = indexrelid "
    "WHERE tables.relnamespace = {} AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid "
    "AND contype IN ('p', 'u', 'x')) ORDER BY indexes.relname"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its type as PostgreSQL writes it, its collation where it is not the type's own, its default as SQL."""

    name: str
    type: str
    collation: str | None
    required: bool
    default: str | None
    identity: bool


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint: its kind (`p`rimary key, `u`nique, `f`oreign key, `c`heck) and its definition as SQL."""

    name: str
    kind: str
    definition: str


@dataclass(slots=True)
class Description:
    """A table: its comment, and its columns, constraints and further indexes by their names."""

    comment: str
    columns: dict[str, Column] = field(default_factory=dict)
    constraints: dict[str, Constraint] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)


def describe(connection: Connection, schema: Composable) -> dict[str, Description]:
    """All tables of one schema (`LIVE` or `TEMPORARY`), by name."""
    described = {name: Description(comment) for name, comment in connection.execute(_TABLES.format(schema))}
    for table, name, *rest in connection.execute(_COLUMNS.format(schema)):
        described[table].columns[name] = Column(name, *rest)
    for table, name, kind, definition in connection.execute(_CONSTRAINTS.format(schema)):
        described[table].constraints[name] = Constraint(name, kind, definition)
    for table, name, definition in connection.execute(_INDEXES.format(schema)):
        described[table].indexes[name] = definition
    return described

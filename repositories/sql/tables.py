"""The catalog as SQLAlchemy tables: columns, keys, references, checks and indexes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.schema import SchemaItem

from repositories import schema
from repositories.schema import MISSING, Catalog, Field, Generated, OnDelete, Resource, constraint_name
from repositories.sql.checks import check
from repositories.sql.postgresql import quote_text
from repositories.sql.types import column_type, default_text

#: The comment of every table that this project has made: what bears it may be altered and dropped.
MARK = "Made by Diglot."

# RESTRICT is SQL's NO ACTION, checked when the transaction ends: one write may delete a record together with those that
# refer to it, also where a cascade takes them along by a detour.
_ON_DELETE = {OnDelete.RESTRICT: None, OnDelete.CASCADE: "CASCADE", OnDelete.SET_NULL: "SET NULL"}


def tables(catalog: Catalog, *, temporary: bool = False) -> MetaData:
    """The tables of all resources, by their names; `temporary` ones serve to compare schemas."""
    metadata = MetaData()
    for resource in catalog:
        Table(
            resource.name,
            metadata,
            *(_column(field) for field in resource.fields.values()),
            *_constraints(resource),
            comment=MARK,
            prefixes=["TEMPORARY"] if temporary else [],
        )
        for index in indexes(resource):
            _index(metadata.tables[resource.name], index)
    return metadata


def indexes(resource: Resource) -> Iterator[schema.Index]:
    """The declared indexes, and one on the columns of each reference that no key, unique set or index begins with."""
    yield from resource.indexes
    led = [resource.primary_key, *(unique.fields for unique in resource.uniques)]
    led += [tuple(name for name, _ in index.keys) for index in resource.indexes]
    for reference in resource.references:
        fields = reference.fields
        if not any(set(key[: len(fields)]) == set(fields) for key in led):
            led.append(fields)
            yield schema.Index(constraint_name(resource.name, fields, "idx"), tuple((name, False) for name in fields))


def check_name(resource: str, field: str) -> str:
    """The name of the one check that holds a field's limits."""
    return constraint_name(resource, (field,), "check")


def _column(field: Field) -> Column[object]:
    counted = field.generated is Generated.SEQUENCE
    has_default = field.default is not MISSING and field.default is not None
    return Column(
        field.name,
        column_type(field.type),
        *([Identity(always=False)] if counted else []),
        # Left to itself, a lone integer key would become a `serial`.
        autoincrement="auto" if counted else False,
        nullable=not field.required,
        server_default=literal_column(quote_text(default_text(field.type, field.default))) if has_default else None,
    )


def _constraints(resource: Resource) -> Iterator[SchemaItem]:
    yield PrimaryKeyConstraint(*resource.primary_key, name=resource.key_name)
    for unique in resource.uniques:
        yield UniqueConstraint(*unique.fields, name=unique.name)
    for reference in resource.references:
        yield ForeignKeyConstraint(
            reference.fields,
            [f"{reference.target}.{name}" for name in reference.target_fields],
            name=reference.constraint,
            ondelete=_ON_DELETE[reference.on_delete],
            # When several are broken, those before the one that is named are passed over by deferring them.
            deferrable=True,
            initially="DEFERRED" if reference.on_delete is OnDelete.RESTRICT else "IMMEDIATE",
        )
    for field in resource.fields.values():
        condition = check(field)
        if condition is not None:
            yield CheckConstraint(literal_column(condition), name=check_name(resource.name, field.name))


def _index(table: Table, index: schema.Index) -> None:
    # PostgreSQL's own defaults are the contract's: ascending puts nulls last, descending first.
    Index(index.name, *(table.c[name].desc() if descending else table.c[name] for name, descending in index.keys))

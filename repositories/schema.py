"""What is stored: resources, their fields and types, keys, references and indexes. Pure data, native to no store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

#: A value of a field, as it crosses the port. By kind: STRING str; UUID `uuid.UUID`; DATE `datetime.date`;
#: DATETIME an aware UTC `datetime` in whole milliseconds; INT32/INT64 int; DOUBLE a finite float; DECIMAL a `Decimal`
#: with exactly the declared scale; BOOLEAN bool; ARRAY a list of scalars without nulls; JSON any JSON value made of
#: dict, list, str, int (int64), finite float and bool. None is the one null of every kind.
Value = Any

#: PostgreSQL cuts identifiers at 63 bytes; names in the catalog are ASCII, so bytes and characters are the same.
MAX_NAME = 63


class Kind(StrEnum):
    """The kinds of value a field may hold."""

    STRING = "string"
    UUID = "uuid"
    DATE = "date"
    DATETIME = "date-time"
    INT32 = "int32"
    INT64 = "int64"
    DOUBLE = "double"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    ARRAY = "array"
    JSON = "json"


class Generated(StrEnum):
    """Who fills a field that the client leaves out: the store's counter, or the service."""

    SEQUENCE = "sequence"
    UUID7 = "uuid7"
    NOW = "now"


class OnDelete(StrEnum):
    """What happens to a record when the record that it refers to is deleted."""

    RESTRICT = "restrict"
    CASCADE = "cascade"
    SET_NULL = "setNull"


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a field, of an array's items, or of a property of an object: a kind and its limits.

    Limits that a kind does not have are None. `shape` is only set for JSON that must be an object
    (`{type: object}`), with or without properties of its own.
    """

    kind: Kind
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    enum: tuple[Value, ...] | None = None
    minimum: int | float | Decimal | None = None
    maximum: int | float | Decimal | None = None
    exclusive_minimum: int | float | Decimal | None = None
    exclusive_maximum: int | float | Decimal | None = None
    precision: int | None = None
    scale: int | None = None
    items: Type | None = None
    min_items: int | None = None
    max_items: int | None = None
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A JSON object's own properties. With `additional`, further keys of any JSON value are allowed."""

    properties: tuple[tuple[str, Type], ...] = ()
    required: frozenset[str] = frozenset()
    additional: bool = True


class _Missing(StrEnum):
    MISSING = "missing"


#: The default of a field that declares none (which reads as null, unless the field is required).
MISSING = _Missing.MISSING


@dataclass(frozen=True, eq=False)
class Field:
    """One field of a resource. Compared and hashed by identity: a catalog has one object for each field.

    `required` forbids null. `read_only` forbids clients to give a value (generated fields are read-only unless the
    file says `readOnly: false`). `default` is a value of the field's type, null (None), or MISSING.
    """

    name: str
    type: Type
    required: bool = False
    default: Value = MISSING
    generated: Generated | None = None
    read_only: bool = False
    description: str = ""

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.type.kind.value})"


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: `fields` of this resource hold the `target_fields` of a record of the resource `target`.

    `target_fields` are the target's primary key or one of its unique sets. A null in any of `fields` refers to
    nothing (SQL's MATCH SIMPLE). `name` is the relation's name in the API; `constraint` its name in the store.
    """

    name: str
    constraint: str
    fields: tuple[str, ...]
    target: str
    target_fields: tuple[str, ...]
    on_delete: OnDelete = OnDelete.RESTRICT


@dataclass(frozen=True, slots=True)
class Unique:
    """A set of fields whose values, when none is null, occur once. `name` is the constraint's name in the store."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index: field names with their direction (True is descending)."""

    name: str
    keys: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource: a table or a collection. Compared and hashed by identity."""

    name: str
    fields: Mapping[str, Field]
    primary_key: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    uniques: tuple[Unique, ...] = ()
    indexes: tuple[Index, ...] = ()
    description: str = ""
    #: Kept for the service itself: stored like any other, and not served.
    internal: bool = False

    @cached_property
    def key(self) -> tuple[Field, ...]:
        """The fields of the primary key, in its order."""
        return tuple(self.fields[name] for name in self.primary_key)

    @cached_property
    def key_name(self) -> str:
        """The primary key's constraint name, the same in every store."""
        return constraint_name(self.name, (), "pkey")

    def __repr__(self) -> str:
        return f"Resource({self.name!r})"


@dataclass(frozen=True, eq=False)
class Catalog:
    """All resources of a deployment, by name, in the order of the file."""

    resources: Mapping[str, Resource] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Resource:
        return self.resources[name]

    def __contains__(self, name: object) -> bool:
        return name in self.resources

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def __len__(self) -> int:
        return len(self.resources)

    @cached_property
    def public(self) -> Catalog:
        """The resources that are served."""
        return Catalog({name: resource for name, resource in self.resources.items() if not resource.internal})

    @cached_property
    def referrers(self) -> Mapping[str, tuple[tuple[Resource, Reference], ...]]:
        """For each resource's name, the references of any resource (itself included) that point at it."""
        found: dict[str, list[tuple[Resource, Reference]]] = {name: [] for name in self.resources}
        for resource in self:
            for reference in resource.references:
                found[reference.target].append((resource, reference))
        return {name: tuple(pairs) for name, pairs in found.items()}


def constraint_name(resource: str, fields: tuple[str, ...], suffix: str) -> str:
    """PostgreSQL's own naming (`products_sku_key`), kept within 63 bytes by a digest where it would be cut."""
    name = "_".join((resource, *fields, suffix))
    if len(name) <= MAX_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    tail = f"_{digest}_{suffix}"
    return name[: MAX_NAME - len(tail)] + tail

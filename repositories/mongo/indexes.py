"""The indexes of a resource's collection: unique sets, declared indexes, and what references and keys need.

Non-unique indexes end with the ascending `_id`, which breaks every tie of an order: so sort with limit needs no sort.
A unique set that may hold nulls is a partial index, since MongoDB counts null as a value. Its filter is "at least the
least value of the type": the planner sees that any comparison with a value implies that (`$type` it would not see).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bson.int64 import Int64

from repositories.errors import SchemaMismatch
from repositories.mongo.documents import BSON, path
from repositories.schema import Field, Kind, Resource, Unique, constraint_name

_LEAST: dict[Kind, Any] = {
    Kind.STRING: "",
    Kind.UUID: UUID(int=0),
    Kind.DATE: datetime.min,
    Kind.DATETIME: datetime.min,
    Kind.INT32: Int64(-(2**63)),
    Kind.INT64: Int64(-(2**63)),
    Kind.DOUBLE: -math.inf,
    Kind.DECIMAL: -math.inf,
    Kind.BOOLEAN: False,
}


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index as MongoDB has it."""

    name: str
    keys: BSON
    unique: bool = False
    partial: BSON | None = None

    def document(self) -> BSON:
        """As `createIndexes` takes it."""
        options: BSON = {"unique": True} if self.unique else {}
        if self.partial is not None:
            options["partialFilterExpression"] = self.partial
        return {"key": self.keys, "name": self.name, **options}

    def equals(self, existing: BSON) -> bool:
        """Whether this is the index that `listIndexes` describes, by whatever name."""
        return (
            list(existing["key"].items()) == list(self.keys.items())
            and existing.get("unique", False) == self.unique
            and existing.get("partialFilterExpression") == self.partial
            and not any(option in existing for option in ("collation", "sparse", "expireAfterSeconds", "hidden"))
        )


def index_specs(resource: Resource) -> list[IndexSpec]:
    """All indexes of the resource's collection except the one on `_id`."""
    specs = [_unique(resource, unique) for unique in resource.uniques]
    for index in resource.indexes:
        specs.append(plain_spec(resource, index.name, index.keys))
    wanted = [reference.fields for reference in resource.references]
    if len(resource.primary_key) > 1:
        wanted.append(resource.primary_key[:1])  # the index on a sub-document does not serve its members
    for names in wanted:
        if not _is_served(resource, names, specs):
            name = constraint_name(resource.name, names, "idx")
            specs.append(plain_spec(resource, name, tuple((each, False) for each in names)))
    return specs


def _unique(resource: Resource, unique: Unique) -> IndexSpec:
    fields = [resource.fields[name] for name in unique.fields]
    keys = {path(resource, field): 1 for field in fields}
    partial = {path(resource, field): {"$gte": _least(resource, field)} for field in fields if not field.required}
    return IndexSpec(unique.name, keys, unique=True, partial=partial or None)


def _least(resource: Resource, field: Field) -> Any:
    if field.type.kind not in _LEAST:
        raise SchemaMismatch(f'MongoDB cannot keep the field "{field.name}" of "{resource.name}" unique.')
    return _LEAST[field.type.kind]


def plain_spec(resource: Resource, name: str, fields: tuple[tuple[str, bool], ...]) -> IndexSpec:
    """A declared index: its keys, and `_id` after them."""
    keys = {path(resource, resource.fields[each]): -1 if descending else 1 for each, descending in fields}
    return IndexSpec(name, {**keys, "_id": keys.get("_id", 1)})


def _is_served(resource: Resource, names: tuple[str, ...], specs: list[IndexSpec]) -> bool:
    """An index begins with these fields, and holds every record that has them."""
    paths = [path(resource, resource.fields[name]) for name in names]
    if paths == ["_id"] or set(names) == set(resource.primary_key):
        return True
    return any(
        set(list(spec.keys)[: len(paths)]) == set(paths) and set(spec.partial or ()) <= set(paths) for spec in specs
    )

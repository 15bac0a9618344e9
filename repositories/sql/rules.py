"""Which rules of the catalog a write may break: unique sets, its own references, and those that point at it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from repositories.schema import Catalog, OnDelete, Reference, Resource, Unique
from repositories.writes import Assign, Conflict, Delete, Insert, Replace, Update, Write


def merges(write: Write) -> bool:
    """Whether the write turns to a record that it finds. Racing for a new one, it may trip over another of its keys."""
    return isinstance(write, Replace) or (isinstance(write, Insert) and write.conflict is not None)


def as_insert(write: Replace) -> Insert:
    """The insert that does what the replacement does."""
    fields, row = write.fields, write.row
    if write.create:
        fields += tuple(field for field, _ in write.initial)
        row += tuple(value for _, value in write.initial)
    key = write.resource.key
    return Insert(write.resource, fields, (row,), conflict=Conflict(key, write.fields[len(key) :] or key))


class Rules:
    """The rules of a catalog, each list in the order of their declaration."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def uniques(self, write: Write) -> list[Unique]:
        """The key and the unique sets that the write may break."""
        resource = write.resource
        given, declared = _set(write), [Unique(resource.key_name, resource.primary_key), *resource.uniques]
        if isinstance(write, Insert) and write.conflict is None:
            return [unique for unique in declared if given.issuperset(unique.fields)]
        passed: set[str] = set()
        if isinstance(write, Replace):
            passed = set(resource.primary_key)
        elif isinstance(write, Insert) and write.conflict is not None:
            passed = {field.name for field in write.conflict.fields}
        return [unique for unique in declared if not given.isdisjoint(unique.fields) and set(unique.fields) != passed]

    def references(self, write: Write) -> list[Reference]:
        """The references that the write may leave without a target."""
        given = _set(write)
        return [reference for reference in write.resource.references if not given.isdisjoint(reference.fields)]

    def referring(self, write: Write) -> list[tuple[Resource, Reference]]:
        """The references, each with its resource, that may be left without the records that the write takes away."""
        if isinstance(write, Delete):
            return self._undone[write.resource.name]
        if isinstance(write, Insert) and write.conflict is None:
            return []
        given, referrers = _set(write), self._catalog.referrers[write.resource.name]
        return [pair for pair in referrers if not given.isdisjoint(pair[1].target_fields)]

    @cached_property
    def _undone(self) -> Mapping[str, list[tuple[Resource, Reference]]]:
        """What points at the records that a delete changes, on its own and by what follows from it."""
        return {name: self._reached(name) for name in self._catalog.resources}

    def _reached(self, name: str) -> list[tuple[Resource, Reference]]:
        reached, waiting = {name}, [name]
        while waiting:
            for referrer, reference in self._catalog.referrers[waiting.pop()]:
                if reference.on_delete is not OnDelete.RESTRICT and referrer.name not in reached:
                    reached.add(referrer.name)
                    waiting.append(referrer.name)
        return [
            (referrer, reference)
            for referrer in self._catalog
            for reference in referrer.references
            if reference.target in reached
        ]


def _set(write: Write) -> set[str]:
    """The names of the fields whose values the write brings."""
    match write:
        case Insert() | Assign():
            return {field.name for field in write.fields}
        case Replace():
            return {field.name for field in as_insert(write).fields}
        case Update():
            return {field.name for field, _ in write.changes}
    return set()

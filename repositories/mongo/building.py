"""Rows as documents, column by column: what a shape of rows needs is found out once, and most values need nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from repositories.mongo.documents import BSON, identifier, unchanged_kinds, writer
from repositories.query import Row
from repositories.schema import Field, Generated, Resource

#: The values of one member of all documents, from the columns of the rows and the generated numbers.
_Column = Callable[[Sequence[Row], Mapping[str, range]], Iterable[Any]]


class Builder:
    """Makes documents of rows that have the values of certain fields."""

    def __init__(self, resource: Resource, fields: tuple[Field, ...]) -> None:
        given = {field.name: place for place, field in enumerate(fields)}
        #: Fields that are to be numbered.
        self.numbered = tuple(
            field
            for field in resource.fields.values()
            if field.generated is Generated.SEQUENCE and field.name not in given
        )
        columns = {field.name: self._column(field, given.get(field.name)) for field in resource.fields.values()}
        own = [name for name in resource.fields if name not in resource.primary_key]
        self._names = ["_id", *own]
        self._columns = [_key([columns[name] for name in resource.primary_key], resource.primary_key)]
        self._columns += [columns[name] for name in own]

    def __call__(self, rows: Sequence[Row], numbers: Mapping[str, range]) -> list[BSON]:
        """The rows' documents, with these numbers by field name."""
        if not rows:
            return []
        given = list(zip(*rows, strict=True))
        columns = [column(given, numbers) for column in self._columns]
        names = self._names
        # every list of values is as long as `rows`, or endless
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=False)]

    def _column(self, field: Field, place: int | None) -> _Column:
        if place is None:
            if field in self.numbered:
                return lambda _, numbers: numbers[field.name]
            return lambda _, __: itertools.repeat(None)
        if field.type.kind in unchanged_kinds:
            return lambda columns, _: columns[place]
        write = writer(field.type)
        return lambda columns, _: map(write, columns[place])


def _key(columns: list[_Column], names: tuple[str, ...]) -> _Column:
    if len(columns) == 1:
        return columns[0]

    def column(given: Sequence[Row], numbers: Mapping[str, range]) -> Iterable[Any]:
        parts = [each(given, numbers) for each in columns]
        return [dict(zip(names, key, strict=True)) for key in zip(*parts, strict=False)]

    return column


def changed(resource: Resource, found: BSON, changes: Mapping[str, Any]) -> BSON:
    """The document with these BSON values, by field name, in place of its own."""
    key = found["_id"] if len(resource.primary_key) > 1 else {resource.primary_key[0]: found["_id"]}
    members = {name: value for name, value in changes.items() if name not in resource.primary_key}
    return {**found, **members, "_id": identifier(resource, {**key, **changes})}

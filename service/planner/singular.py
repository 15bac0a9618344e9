"""Whether a write, or a condition, can concern one record at the most, whatever the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repositories.query import And, Comparison, Condition, Operator
from repositories.schema import Resource
from repositories.writes import Delete, Insert, Update, Write


def at_most_one(write: Write) -> bool:
    """Whether the write concerns one record at the most, whatever the data."""
    match write:
        case Insert(rows=rows):
            return isinstance(rows, Sequence) and len(rows) <= 1
        case Update(resource=resource, where=where) | Delete(resource=resource, where=where):
            return names_one(resource, where)
    return False


def names_one(resource: Resource, where: Condition) -> bool:
    """Whether the condition gives every field of the primary key, or of a unique set, its value."""
    given = set(_given(where))
    keys = [resource.primary_key, *(unique.fields for unique in resource.uniques)]
    return any(given.issuperset(key) for key in keys)


def _given(condition: Condition) -> Iterator[str]:
    """The fields that are equal to one value in every record that meets the condition; null is equal to nothing."""
    match condition:
        case And(conditions):
            for each in conditions:
                yield from _given(each)
        case Comparison(column, Operator.EQ, quantifier=None) if not column.path:
            yield column.field.name

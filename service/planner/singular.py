"""Whether a condition can be met by one record at the most, whatever the data."""

from __future__ import annotations

from collections.abc import Iterator

from repositories.query import And, Comparison, Condition, Operator
from repositories.schema import Resource


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

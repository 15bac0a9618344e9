"""Sort keys as `$sort`, with what must be computed first.

MongoDB sorts null (and missing) lowest, where the contract has ascending nulls last and descending nulls first: a key
that may be null, and that is not asked for in MongoDB's own placement, is preceded by one that says whether it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from repositories.expressions import type_of
from repositories.mongo.documents import BSON, path
from repositories.mongo.filters import Filter
from repositories.mongo.json_conditions import rank
from repositories.mongo.numbers import Expr, let
from repositories.mongo.paths import is_null
from repositories.mongo.values import or_null, value_of
from repositories.query import Column, Embed, Sort
from repositories.schema import Field, Index, Kind, Resource, Type

_HIGHEST_RANK = 9


@dataclass(slots=True)
class Sorting:
    """The sort specification, and the computed keys in it by their made-up names."""

    keys: dict[str, int] = field(default_factory=dict)
    computed: BSON = field(default_factory=dict)

    def add(self, value: Expr, kind: Type, key: Sort, *, is_native: bool) -> None:
        """Sort by the value next, which may be a path; `is_native`: its nulls, if any, are where MongoDB has them."""
        direction = -1 if key.descending else 1
        if kind.kind is Kind.JSON:
            null = _HIGHEST_RANK if key.nulls_first == key.descending else 0
            self._compute(let("v", value, {"$cond": [is_null("$$v"), null, rank("$$v")]}), direction)
            container = {"$in": [{"$type": "$$v"}, ["object", "array"]]}
            self._compute(or_null(let("v", value, {"$cond": [container, None, "$$v"]})), direction)
            return
        if not is_native:
            self._compute(is_null(value), -1 if key.nulls_first else 1)
        if kind.kind is Kind.ARRAY:
            # An array alone would sort by its least or its greatest item.
            self._compute({"whole": or_null(value)}, direction)
        elif isinstance(value, str):
            self.keys[value.removeprefix("$")] = direction
        else:
            self._compute(or_null(value), direction)

    def add_presence(self, value: Expr) -> None:
        """Sort by whether the value is there, those that are first."""
        self._compute(is_null(value), 1)

    def _compute(self, value: Expr, direction: int) -> None:
        name = f"~sort {len(self.computed)}"
        self.computed[name] = value
        self.keys[name] = direction


def plain_field(key: Sort) -> Field | None:
    """The field that the key is, if it is one."""
    expression = key.expression
    return expression.field if isinstance(expression, Column) and not expression.path else None


def needed(order: Sequence[Sort], where: Filter) -> list[Sort]:
    """The keys that tell records apart which meet the filter."""
    return [] if where.single else [key for key in order if plain_field(key) not in where.constant]


def sorting(resource: Resource, order: Sequence[Sort], where: Filter, embeds: tuple[Embed, ...] = ()) -> Sorting:
    """The sort by these keys of records which meet the filter."""
    result = Sorting()
    for key in _with_whole_key(resource, order, where):
        if isinstance(key, int):
            result.keys["_id"] = key
            break
        is_native = _is_never_null(key, where) or _is_placed(key, where)
        result.add(
            value_of(resource, key.expression, embeds), type_of(key.expression, embeds), key, is_native=is_native
        )
    return result


_STRUCTURED = (Kind.ARRAY, Kind.JSON)


def _is_never_null(key: Sort, where: Filter) -> bool:
    own = plain_field(key)
    return own is not None and (own.required or own in where.present)


def _is_placed(key: Sort, where: Filter) -> bool:
    """MongoDB places this key's nulls, if it can have any, where they are asked for.

    But where it merges index scans, it takes a missing member for less than null, and mixes up the keys after it.
    """
    return key.nulls_first != key.descending and not where.merges


def _with_whole_key(resource: Resource, order: Sequence[Sort], where: Filter) -> list[Sort | int]:
    """The order, its last keys made one direction of `_id` where they are the composite key in its own order."""
    key = [field for field in resource.key if field not in where.constant]
    if len(resource.key) > 1:
        for start in range(len(order)):
            tail = order[start : start + len(key)]
            directions = {sort.descending for sort in tail}
            if [plain_field(sort) for sort in tail] == key and len(directions) == 1:
                return [*order[:start], -1 if directions.pop() else 1]
    return list(order)


def split(resource: Resource, order: Sequence[Sort], where: Filter) -> str | None:
    """The first sort key's path, if it alone can be null, and be misplaced, and an index has this order."""
    first = plain_field(order[0]) if order else None
    if first is None or any(_is_structured(key) for key in order):
        return None
    if _is_never_null(order[0], where) or _is_placed(order[0], where):
        return None
    if not all(_is_never_null(key, where) for key in order[1:]):
        return None
    if not any(_serves(resource, index, order, where) for index in resource.indexes):
        return None
    return path(resource, first)


def _is_structured(key: Sort) -> bool:
    own = plain_field(key)
    return own is None or own.type.kind in _STRUCTURED


def _serves(resource: Resource, index: Index, order: Sequence[Sort], where: Filter) -> bool:
    """The index, which ends with the ascending key, has this order, forwards or backwards."""
    keys = [*index.keys, *((field.name, False) for field in resource.key)]
    free = [(name, descending) for name, descending in keys if resource.fields[name] not in where.constant]
    wanted = [(own.name, key.descending) for key in order if (own := plain_field(key)) is not None]
    backwards = [(name, not descending) for name, descending in wanted]
    return free[: len(wanted)] in (wanted, backwards)

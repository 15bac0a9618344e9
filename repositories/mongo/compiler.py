"""Selections as find commands and pipelines. Pure: nothing here knows a connection.

A selection's shape is compiled once into a `Plan`; the plan makes the statement from the request's values. Most are
plain finds. MongoDB sorts null (and missing) lowest, where the contract has ascending nulls last and descending nulls
first: a sort key that may be null, and that is not asked for in MongoDB's own placement, needs one of two pipelines:

* ranked: `$set` says of each record whether the key is null, and `$sort` goes by that first (in memory; with a limit
  it keeps only that many);
* split, where there is a limit and an index has the order: the first records that have a value, by the index, and the
  first of those that have none, by the index, are merged by the ranked sort, which sees no more than both pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from repositories.mongo.documents import BSON, decoder, path
from repositories.mongo.filters import Filter, compile_filter
from repositories.query import Condition, Param, Row, Selection, Sort, Values
from repositories.schema import Field, Index, Kind, Resource

SortSpec = dict[str, int]

_STRUCTURED = (Kind.ARRAY, Kind.JSON)


@dataclass(frozen=True, slots=True)
class Find:
    """The parts of a find command."""

    filter: BSON
    projection: BSON | None
    sort: SortSpec
    skip: int
    limit: int | None
    #: At most one document can come: it needs no cursor.
    single: bool


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An aggregate command's stages."""

    stages: list[BSON]


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled selection."""

    resource: Resource
    filter: Filter
    #: None: whole documents, with whatever members others have put there.
    projection: BSON | None
    sort: SortSpec
    #: The computed sort keys, by their made-up names; without any, `sort` can be run as it is.
    computed: BSON
    #: The first sort key, if it may be null and an index can serve the two halves.
    split: str | None
    decode: Callable[[Sequence[BSON]], list[Row]]
    limit: Param | None = None
    offset: Param | None = None

    def statement(self, values: Values) -> Find | Pipeline:
        """The command for these values."""
        where = self.filter.build(values)
        limit = None if self.limit is None else values[self.limit.index]
        skip = 0 if self.offset is None else values[self.offset.index]
        if not self.computed:
            return Find(where, self.projection, self.sort, skip, limit, self.filter.single)
        return Pipeline(
            [
                *self._source(where, None if limit is None else limit + skip),
                {"$set": self.computed},
                {"$sort": self.sort},
                *([{"$skip": skip}] if skip else []),
                *([{"$limit": limit}] if limit is not None else []),
                {"$unset": list(self.computed)} if self.projection is None else {"$project": self.projection},
            ]
        )

    def _source(self, where: BSON, needed: int | None) -> list[BSON]:
        if self.split is None or needed is None:
            return [{"$match": where}]
        plain = {name: direction for name, direction in self.sort.items() if name not in self.computed}
        rest = {name: direction for name, direction in plain.items() if name != self.split}

        def half(condition: Any, sort: SortSpec) -> list[BSON]:
            return [{"$match": {"$and": [where, {self.split: condition}]}}, {"$sort": sort}, {"$limit": needed}]

        union = {"coll": self.resource.name, "pipeline": half(None, rest)}
        return [*half({"$ne": None}, plain), {"$unionWith": union}]

    def count(self, values: Values) -> list[BSON]:
        """The pipeline that counts the records which meet the condition."""
        return [{"$match": self.filter.build(values)}, {"$count": "n"}]

    def known_total(self, values: Values, found: int) -> int | None:
        """The count, where a page of so many records gives it away: it is the last one."""
        limit = None if self.limit is None else values[self.limit.index]
        skip = 0 if self.offset is None else values[self.offset.index]
        is_last = (limit is None or found < limit) and (found > 0 or skip == 0)
        return int(skip + found) if is_last else None

    def is_empty(self, values: Values) -> bool:
        """The page has no room for a record (which MongoDB's `limit: 0` would not say)."""
        return self.limit is not None and values[self.limit.index] == 0


def compile_selection(selection: Selection) -> Plan:
    """The plan of a selection, for any values."""
    resource = selection.resource
    fields = [output.column.field for output in selection.outputs]
    names = projection(resource, fields)
    plan = _plan(resource, selection.where, selection.order, names, fields)
    return replace(plan, limit=selection.limit, offset=selection.offset)


def compile_targets(resource: Resource, where: Condition, order: tuple[Sort, ...]) -> Plan:
    """The plan that reads the whole documents a write is about, in the order of its answer."""
    return _plan(resource, where, order, None, ())


def _plan(
    resource: Resource,
    condition: Condition,
    order: Sequence[Sort],
    names: BSON | None,
    fields: Sequence[Field],
) -> Plan:
    where = compile_filter(resource, condition)
    needed = [] if where.single else [key for key in order if key.column.field not in where.constant]
    sort, computed = _sort(resource, needed, where)
    split = _split(resource, needed, where)
    return Plan(resource, where, names, sort, computed, split, decoder(resource, fields))


def projection(resource: Resource, fields: Sequence[Field]) -> BSON:
    """What to read of each document for these fields; the `_id` is read whole or not at all."""
    names = {path(resource, field).partition(".")[0]: 1 for field in fields}
    return {"_id": 0, **names} if "_id" not in names and names else names or {"_id": 1}


def _is_never_null(key: Sort, where: Filter) -> bool:
    return key.column.field.required or key.column.field in where.present


def _is_native(key: Sort, where: Filter) -> bool:
    """MongoDB places this key's nulls, if it can have any, where they are asked for.

    But where it merges index scans, it takes a missing member for less than null, and mixes up the keys after it.
    """
    return _is_never_null(key, where) or (key.nulls_first != key.descending and not where.merges)


def _sort(resource: Resource, order: Sequence[Sort], where: Filter) -> tuple[SortSpec, BSON]:
    sort: SortSpec = {}
    computed: BSON = {}
    for key in _with_whole_key(resource, order, where):
        if isinstance(key, int):
            sort["_id"] = key
            break
        name = path(resource, key.column.field)
        if not _is_native(key, where):
            rank = f"~null {len(computed)}"
            computed[rank] = {"$lte": [f"${name}", None]}
            sort[rank] = -1 if key.nulls_first else 1
        if key.column.field.type.kind in _STRUCTURED:
            # An array alone would sort by its least or its greatest item.
            whole = f"~whole {len(computed)}"
            computed[whole] = {"whole": {"$ifNull": [f"${name}", None]}}
            name = whole
        sort[name] = -1 if key.descending else 1
    return sort, computed


def _with_whole_key(resource: Resource, order: Sequence[Sort], where: Filter) -> list[Sort | int]:
    """The order, its last keys made one direction of `_id` where they are the composite key in its own order."""
    key = [field for field in resource.key if field not in where.constant]
    if len(resource.key) > 1:
        for start in range(len(order)):
            tail = order[start : start + len(key)]
            directions = {sort.descending for sort in tail}
            if [sort.column.field for sort in tail] == key and len(directions) == 1:
                return [*order[:start], -1 if directions.pop() else 1]
    return list(order)


def _split(resource: Resource, order: Sequence[Sort], where: Filter) -> str | None:
    """The first sort key's path, if it alone can be null, and be misplaced, and an index has this order."""
    if not order or any(key.column.field.type.kind in _STRUCTURED for key in order):
        return None
    if _is_native(order[0], where) or not all(_is_never_null(key, where) for key in order[1:]):
        return None
    if not any(_serves(resource, index, order, where) for index in resource.indexes):
        return None
    return path(resource, order[0].column.field)


def _serves(resource: Resource, index: Index, order: Sequence[Sort], where: Filter) -> bool:
    """The index, which ends with the ascending key, has this order, forwards or backwards."""
    keys = [*index.keys, *((field.name, False) for field in resource.key)]
    free = [(name, descending) for name, descending in keys if resource.fields[name] not in where.constant]
    wanted = [(key.column.field.name, key.descending) for key in order]
    backwards = [(name, not descending) for name, descending in wanted]
    return free[: len(wanted)] in (wanted, backwards)

"""Plans: selections of one resource compiled into find commands and pipelines, for any values.

Most selections are plain finds. Where a sort key must be computed (see `sorting.py`) it is one of two pipelines:

* ranked: `$set` computes the keys, and `$sort` goes by them (in memory; with a limit it keeps only that many);
* split, where there is a limit and an index has the order but for the nulls: the first records that have a value, by
  the index, and the first of those that have none, by the index, are merged by the ranked sort, which sees no more
  than both pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from repositories.expressions import aggregates, is_grouped
from repositories.mongo.documents import BSON, Decode
from repositories.mongo.filters import Filter
from repositories.mongo.sorting import Sorting
from repositories.query import Param, Row, Selection, Values
from repositories.schema import Resource


@dataclass(frozen=True, slots=True)
class Find:
    """The parts of a find command."""

    filter: BSON
    projection: BSON | None
    sort: dict[str, int]
    skip: int
    limit: int | None
    #: At most one document can come: it needs no cursor.
    single: bool


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An aggregate command's stages."""

    stages: list[BSON]


@dataclass(frozen=True, slots=True)
class Page:
    """Which of the records are wanted: the parameters of a selection."""

    limit: Param | None = None
    offset: Param | None = None
    #: All records are one group, even if there are none: then an empty document stands for it.
    single: bool = False

    @classmethod
    def of(cls, selection: Selection) -> Page:
        """The page of a selection."""
        single = is_grouped(selection) and all(aggregates(output.expression) for output in selection.outputs)
        return cls(selection.limit, selection.offset, single)

    def bounds(self, values: Values) -> tuple[int, int | None]:
        """How many records to skip, and how many to give at the most."""
        limit = None if self.limit is None else values[self.limit.index]
        return 0 if self.offset is None else values[self.offset.index], limit

    def stages(self, values: Values) -> list[BSON]:
        """The stages that cut the page out."""
        skip, limit = self.bounds(values)
        return [*([{"$skip": skip}] if skip else []), *([{"$limit": limit}] if limit is not None else [])]

    def is_empty(self, values: Values) -> bool:
        """The page has no room for a record (which MongoDB's `limit: 0` would not say), or is behind the only group."""
        skip, limit = self.bounds(values)
        return limit == 0 or (self.single and skip > 0)

    def known_total(self, values: Values, found: int) -> int | None:
        """The count, where a page of so many records gives it away: it is the last one."""
        skip, limit = self.bounds(values)
        is_last = (limit is None or found < limit) and (found > 0 or skip == 0)
        return int(skip + found) if is_last else None


class Plan(Protocol):
    """A compiled selection."""

    @property
    def resource(self) -> Resource:
        """Whose collection the command is sent to."""

    @property
    def page(self) -> Page:
        """Which of the records are wanted."""

    def statement(self, values: Values) -> Find | Pipeline:
        """The command for these values."""

    def count(self, values: Values) -> list[BSON]:
        """The pipeline that counts the records, pages aside, as `n`."""

    def rows(self, documents: Sequence[BSON]) -> list[Row]:
        """The documents as rows."""


@dataclass(frozen=True, slots=True)
class FlatPlan:
    """A selection of one resource, without others."""

    resource: Resource
    filter: Filter
    #: None: whole documents, with whatever members others have put there.
    projection: BSON | None
    sort: Sorting
    #: The first sort key, if it may be null and an index can serve the two halves.
    split: str | None
    rows: Decode
    page: Page = Page()

    def statement(self, values: Values) -> Find | Pipeline:
        """A find, unless a sort key must be computed."""
        if not self.sort.computed:
            where = self.filter.build(values)
            skip, limit = self.page.bounds(values)
            return Find(where, self.projection, self.sort.keys, skip, limit, self.filter.single)
        found = Ordered(self.resource, self.filter, self.sort, self.split, self.page).stages(values)
        shown = {"$unset": list(self.sort.computed)} if self.projection is None else {"$project": self.projection}
        return Pipeline([*found, shown])

    def count(self, values: Values) -> list[BSON]:
        """Counted by the filter alone."""
        return [{"$match": self.filter.build(values)}, {"$count": "n"}]


@dataclass(frozen=True, slots=True)
class Ordered:
    """A page of the records that meet a filter, in order, as whole documents."""

    resource: Resource
    filter: Filter
    sort: Sorting
    #: As `FlatPlan` has it.
    split: str | None
    page: Page

    def stages(self, values: Values) -> list[BSON]:
        """The stages that find them."""
        where = self.filter.build(values)
        skip, limit = self.page.bounds(values)
        source = [{"$match": where}] if where else []
        if self.split is not None and limit is not None:
            source = self._halves(where, self.split, skip + limit)
        return [*source, *sort_stages(self.sort), *self.page.stages(values)]

    def _halves(self, where: BSON, split: str, needed: int) -> list[BSON]:
        sort = self.sort
        plain = {name: direction for name, direction in sort.keys.items() if name not in sort.computed}
        rest = {name: direction for name, direction in plain.items() if name != split}

        def half(condition: Any, keys: dict[str, int]) -> list[BSON]:
            return [{"$match": {"$and": [where, {split: condition}]}}, {"$sort": keys}, {"$limit": needed}]

        union = {"coll": self.resource.name, "pipeline": half(None, rest)}
        return [*half({"$ne": None}, plain), {"$unionWith": union}]


def sort_stages(sort: Sorting) -> list[BSON]:
    """The stages that compute the keys and sort by them."""
    computed = [{"$set": sort.computed}] if sort.computed else []
    return [*computed, {"$sort": sort.keys}] if sort.keys else computed

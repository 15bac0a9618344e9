"""Plans kept by the shape of their URL: what depends on names is done once, values are read for every request.

A shape is the query string without the values of plain filters (`price=gte.`) and without the numbers of the page.
All else, such as `select`, `order` and logic trees, belongs to the shape as it was sent. Whatever goes wrong is found
out by planning the request anew, as if nothing had been kept, so that errors do not depend on what came before.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from repositories.query import Column, Operator, Param, Quantifier, Read, Selection, Values
from repositories.schema import Resource, Value
from repositories.texts import InvalidValueError
from service.dialect.filters import parse_list
from service.dialect.params import ConditionParam, FilterParam, Level, Params
from service.dialect.query_string import decode, integer, parse_parts
from service.errors import RequestError
from service.planner.conditions import operand
from service.planner.reads import PagePlan, draft_item, draft_page, plan_key
from service.planner.relations import Relations
from service.planner.scope import PlanLimits
from service.planner.selections import Planning
from service.planner.windows import Window, plan_window

#: How many shapes are kept of each kind of read, and the longest query string whose shape is.
SHAPES = 1024
LONGEST = 2000

_Item = TypeVar("_Item")
#: `column=not.operator(any).`, and the value. Where the last word of the name says that it is no filter, all of it
#: belongs to the shape; so does what must be decoded before it can be told.
_FILTER = re.compile(
    r"((?!(?:[^=]*\.)?(?:select|order|limit|offset|and|or)=)"
    r'[^=%+ "]+=(?:not\.)?(?!not\.|is\.)[a-z]+(?:\((?:any|all)\))?\.)(.*)',
    re.DOTALL,
)


#: A name that may be another than it looks: encoded, or with spaces around it.
_DISGUISED = re.compile("[^=%+ ]*[%+ ]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request for a page says beside its query string: its `Range`, and the most records that it can have."""

    count: bool = False
    ranges: tuple[int, int | None] | None = None
    largest: int | None = None


@dataclass(frozen=True, slots=True)
class _Slot:
    """A filter whose value is read from each request: where it goes, and what types it."""

    place: Param
    column: Column
    operator: Operator
    quantifier: Quantifier | None

    def read(self, text: str) -> Value:
        decoded: str | tuple[str, ...] = decode(text, plus=True)
        if self.operator is Operator.IN:
            decoded = parse_list(str(decoded))
        return operand(self.column.type, self.operator, self.quantifier, decoded)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A selection, the values of the request that it was made for, and those that are read anew."""

    selection: Selection
    values: Values
    slots: tuple[_Slot, ...] = ()

    def page(self, texts: list[str], window: Window) -> Values:
        """The values of a request of this shape."""
        values = list(self.values)
        for slot, text in zip(self.slots, texts, strict=True):
            values[slot.place.index] = slot.read(text)
        if self.selection.limit is not None:
            values[self.selection.limit.index] = window.limit
        if self.selection.offset is not None:
            values[self.selection.offset.index] = window.offset
        return tuple(values)


class Plans:
    """The planner of reads, from the query string on. One serves many threads at once."""

    def __init__(self, relations: Relations, limits: PlanLimits) -> None:
        self._relations = relations
        self._limits = limits
        self._pages = Recent[_Kept](SHAPES)
        self._items = Recent[_Kept](SHAPES)

    def page(self, resource: Resource, query: str, wanted: Wanted) -> PagePlan:
        """The page of a collection that is asked for. Raises `RequestError`."""
        try:
            split = self._split(query, wanted) if len(query) <= LONGEST else None
        except RequestError:
            split = None
        if split is None:
            return self._new_page(resource, query, wanted)[0]
        shape, texts, window = split
        key = (resource.name, window.offset > 0, *shape)
        kept = self._pages.get(key)
        if kept is None:
            plan, kept = self._new_page(resource, query, wanted, texts)
            if kept is not None:
                self._pages.put(key, kept)
            return plan
        try:
            values = kept.page(texts, window)
        except (RequestError, InvalidValueError):
            return self._new_page(resource, query, wanted)[0]
        return PagePlan(Read(kept.selection, values, wanted.count), window.offset, window.limit)

    def item(self, resource: Resource, key: tuple[str, ...], query: str) -> Read:
        """The record with this key. Raises `RequestError`."""
        shape = (resource.name, query)
        kept = self._items.get(shape)
        if kept is None:
            params, _ = self._parsed(query)
            planning = self._planning(params)
            selection = draft_item(planning, resource, key, params)
            kept = _Kept(selection, tuple(planning.bindings.values))
            if len(query) <= LONGEST:
                self._items.put(shape, kept)
            return Read(selection, kept.values)
        return Read(kept.selection, (*plan_key(resource, key), *kept.values[len(resource.key) :]))

    def _split(self, query: str, wanted: Wanted) -> tuple[list[str], list[str], Window] | None:
        """The shape's parts, the values that it is without, and the page; None where that cannot be told."""
        shape: list[str] = []
        texts: list[str] = []
        level: dict[str, str] = {}
        for part in query.split("&"):
            if match := _FILTER.match(part):
                shape.append(match[1])
                texts.append(match[2])
            elif part.startswith(("limit=", "offset=")):
                name, equals, number = part.partition("=")
                shape.append(name + equals)
                level[name] = number
            elif _DISGUISED.match(part):
                return None
            elif part:
                shape.append(part)
        page = Level(limit=integer("limit", level.get("limit")), offset=integer("offset", level.get("offset")))
        return shape, texts, plan_window(page, wanted.largest or self._limits.max_rows, wanted.ranges)

    def _new_page(
        self, resource: Resource, query: str, wanted: Wanted, texts: list[str] | None = None
    ) -> tuple[PagePlan, _Kept | None]:
        """The plan, and what of it can be kept, if it has as many filters to be read anew as there are texts."""
        params, conditions = self._parsed(query)
        planning = self._planning(params)
        selection, window = draft_page(planning, resource, params, wanted.ranges, wanted.largest)
        bindings = planning.bindings
        values = tuple(bindings.values)
        plan = PagePlan(Read(selection, values, wanted.count), window.offset, window.limit)
        places = {id(param): (column, place) for param, column, place in bindings.compared}
        slots = tuple(
            _Slot(place, column, condition.operator, condition.quantifier)
            for part, condition in zip(filter(None, query.split("&")), conditions, strict=True)
            if _FILTER.match(part) and isinstance(condition, FilterParam)
            for column, place in [places[id(condition)]]
        )
        return plan, _Kept(selection, values, slots) if texts is not None and len(slots) == len(texts) else None

    def _parsed(self, query: str) -> tuple[Params, list[ConditionParam | None]]:
        limits = self._limits
        return parse_parts(
            query, max_depth=limits.max_depth, max_embed_depth=limits.max_embed_depth, max_filters=limits.max_filters
        )

    def _planning(self, params: Params) -> Planning:
        return Planning.of(self._relations, self._limits, params)


class Recent(Generic[_Item]):
    """The most recently used of what was put here, so many at the most."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[Hashable, _Item] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: Hashable) -> _Item | None:
        """What was put under the key, if it is still there."""
        with self._lock:
            item = self._items.get(key)
            if item is not None:
                self._items.move_to_end(key)
            return item

    def put(self, key: Hashable, item: _Item) -> None:
        """Put an item under the key; the one that was longest unused may have to go."""
        with self._lock:
            self._items[key] = item
            self._items.move_to_end(key)
            if len(self._items) > self._size:
                self._items.popitem(last=False)

"""The shapes of reads that a worker has planned, counted: their URLs with stand-ins in place of clients' values.

Each worker writes a file of its own, a line of JSON for each shape. What the planner has refused is not counted. Names,
paths in JSON and pages stand there as they were sent; conditions in `and=()` and `or=()`, which hold values, do not.
"""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from uuid import uuid4

from repositories.query import Column, Operator, Selection
from repositories.schema import Kind, Resource
from service.dialect.params import FilterParam, LogicParam
from service.planner.kept import SHAPES, Plans, Recent, Wanted
from service.planner.reads import PagePlan, draft_page
from service.planner.relations import Relations
from service.planner.scope import PlanLimits

#: Shapes that a worker counts; those that come after so many are not.
MOST = 1000
#: Seconds between two writings of the file.
INTERVAL = 30.0

_STAND_INS = {
    Kind.STRING: "x",
    Kind.UUID: "00000000-0000-0000-0000-000000000000",
    Kind.DATE: "2000-01-01",
    Kind.DATETIME: "2000-01-01T00:00:00Z",
    Kind.BOOLEAN: "true",
    Kind.ARRAY: "{}",
    Kind.JSON: "{}",
}


class Shapes:
    """Counts URLs, and keeps the counts in a file of this process in the folder."""

    def __init__(self, folder: Path, interval: float = INTERVAL) -> None:
        self._path = folder / f"{os.getpid()}-{uuid4().hex[:8]}.jsonl"
        self._interval = interval
        self._counts: dict[str, int] = {}
        self._written = time.monotonic()
        self._lock = threading.Lock()

    def count(self, url: str) -> None:
        """One more read of this shape."""
        with self._lock:
            if url in self._counts or len(self._counts) < MOST:
                self._counts[url] = self._counts.get(url, 0) + 1
            if time.monotonic() - self._written >= self._interval:
                self._write()

    def flush(self) -> None:
        """Write what is counted."""
        with self._lock:
            if self._counts:
                self._write()

    def _write(self) -> None:
        """Replace the file. That it cannot be written is no reason to refuse a request."""
        self._written = time.monotonic()
        lines = [json.dumps({"url": url, "count": count}) + "\n" for url, count in self._counts.items()]
        new = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text("".join(lines), "utf-8")
            new.replace(self._path)
        except OSError:
            return


class CountingPlans(Plans):
    """The planner of reads, counting the pages that it plans."""

    def __init__(self, relations: Relations, limits: PlanLimits, shapes: Shapes) -> None:
        super().__init__(relations, limits)
        self._shapes = shapes
        # A selection that is kept is one and the same object for all requests of its shape.
        self._urls = Recent[tuple[Selection, str]](SHAPES)

    def page(self, resource: Resource, query: str, wanted: Wanted) -> PagePlan:
        """See `Plans.page`."""
        plan = super().page(resource, query, wanted)
        selection = plan.read.selection
        known = self._urls.get(id(selection))
        if known is None:
            known = (selection, self._shape(resource, query, wanted))
            self._urls.put(id(selection), known)
        self._shapes.count(known[1])
        return plan

    def _shape(self, resource: Resource, query: str, wanted: Wanted) -> str:
        params, conditions = self._parsed(query)
        planning = self._planning(params)
        draft_page(planning, resource, params, wanted.ranges, wanted.largest)
        columns = {id(param): column for param, column, _ in planning.bindings.compared}
        parts = []
        for part, condition in zip(filter(None, query.split("&")), conditions, strict=True):
            if isinstance(condition, FilterParam) and id(condition) in columns:
                parts.append(f"{part.partition('=')[0]}={_stand_in(condition, columns[id(condition)])}")
            elif not isinstance(condition, LogicParam):
                parts.append(part)
        return f"{resource.name}?{'&'.join(parts)}"


def _stand_in(condition: FilterParam, column: Column) -> str:
    """The condition with a value of the column's type."""
    value = "{}" if condition.quantifier else _STAND_INS.get(column.type.kind, "0")
    if condition.operator is Operator.IN:
        value = f"({value})"
    quantifier = f"({condition.quantifier.value})" if condition.quantifier else ""
    return f"{'not.' * condition.negated}{condition.operator.value}{quantifier}.{value}"

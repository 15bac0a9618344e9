"""Pages: the window of a list that a request wants, cut at its first record and at the largest page."""

from __future__ import annotations

from dataclasses import dataclass

from service.dialect.params import Level
from service.errors import RequestError


@dataclass(frozen=True, slots=True)
class Window:
    """Where a page begins, and how many records it has at the most."""

    offset: int
    limit: int


def plan_window(level: Level, largest: int, ranges: tuple[int, int | None] | None = None) -> Window:
    """The page that `limit` and `offset`, and a `Range` header's first and last, agree on. Raises 416 PGRST103."""
    start, end = level.offset or 0, None
    if level.limit is not None:
        if level.limit < 0:
            raise unsatisfiable("Limit should be greater than or equal to zero.")
        end = start + level.limit
        if start < 0 and end <= 0 < level.limit:
            raise unsatisfiable("The page lies before the first record.")
    start = max(start, 0)
    if ranges is not None:
        first, last = ranges
        start = max(start, first)
        if last is not None:
            end = last + 1 if end is None else min(end, last + 1)
        if end is not None and end <= start and level.limit != 0:
            raise unsatisfiable("The page that the parameters ask for lies outside the Range header's.")
    limit = largest if end is None else min(max(end - start, 0), largest)
    return Window(start, limit)


def unsatisfiable(details: str) -> RequestError:
    """416: there is no such page."""
    return RequestError(416, "PGRST103", "Requested range not satisfiable", details)

"""The `Range` and `Range-Unit` headers, as PostgREST reads them: `0-24`, `25-`, in items from zero."""

from __future__ import annotations

import re

from service.errors import RequestError

UNIT = "items"
_RANGE = re.compile(r"\s*(?:items\s*=\s*)?([0-9]{1,18})-([0-9]{1,18})?\s*", re.ASCII | re.IGNORECASE)


def parse_range(header: str | None, unit: str | None = None) -> tuple[int, int | None] | None:
    """The first and the last record that are wanted; None where nothing, or nothing known, is asked for.

    Other units, several ranges and what is no range are ignored (RFC 9110, 14.2). Raises 416 PGRST103 for a range that
    ends before it begins.
    """
    if header is None or (unit or UNIT).strip().lower() != UNIT:
        return None
    match = _RANGE.fullmatch(header)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2]) if match[2] else None
    if last is not None and last < first:
        raise RequestError(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        )
    return first, last

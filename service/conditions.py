"""The conditions of writes (RFC 9110, section 13): what `If-Match` and `If-None-Match` expect of the record."""

from __future__ import annotations

from flask import request

from service.dialect.prefer import parse_tags
from service.errors import RequestError
from service.planner.writes import Tags


def item_tags(*, required: bool) -> Tags | None:
    """The tags that the record must have, or must not have. Raises `RequestError` (428 where there must be some)."""
    environ = request.environ
    match, none_match = environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH")
    if match is not None and none_match is not None:
        raise RequestError(400, "PGRST100", "Of If-Match and If-None-Match, a write takes one at a time.")
    if match is not None:
        return True, parse_tags(match, weak=False)
    if none_match is not None:
        return False, parse_tags(none_match, weak=True)
    if required:
        raise unconditional()
    return None


def refuse_tags() -> None:
    """Refuse conditions where they would concern many records. Raises `RequestError`."""
    environ = request.environ
    for name, variable in (("If-Match", "HTTP_IF_MATCH"), ("If-None-Match", "HTTP_IF_NONE_MATCH")):
        if variable in environ:
            raise RequestError(400, "PGRST100", f"{name} is understood for single records only, not for a collection.")


def unconditional() -> RequestError:
    """428: a change must say which state of the record it is about (RFC 6585)."""
    return RequestError(
        428,
        "PGRST428",
        "A change must be conditional here.",
        "The service is set up so that no change can overwrite one that its client has not seen.",
        hint="Change single records, by their paths, with If-Match; create them with If-None-Match: *.",
    )

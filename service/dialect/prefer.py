"""The request headers that PostgREST gives a meaning: `Prefer` (RFC 7240), and entity tags (RFC 9110)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from service.errors import RequestError

_VALUES = {
    "return": ("representation", "minimal", "headers-only"),
    "count": ("exact", "planned", "estimated"),
    "handling": ("strict", "lenient"),
    "resolution": ("merge-duplicates", "ignore-duplicates"),
    "missing": ("default", "null"),
}
#: The attribute of each preference.
_ATTRIBUTES = {name: name for name in _VALUES} | {"return": "returning", "max-affected": "max_affected"}
_NUMBER = re.compile(r"[0-9]{1,9}")
_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e]*)"\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a client prefers; None where it leaves the choice to the service."""

    returning: str | None = None
    count: str | None = None
    handling: str | None = None
    resolution: str | None = None
    missing: str | None = None
    max_affected: int | None = None

    def applied(self, *names: str) -> str:
        """The value of `Preference-Applied` for those of the named preferences that were given."""
        if self is NONE:
            return ""
        given = {name: getattr(self, attribute) for name, attribute in _ATTRIBUTES.items()}
        return ", ".join(f"{name}={given[name]}" for name in names if given[name] is not None)


NONE = Preferences()


@lru_cache(maxsize=128)
def parse_prefer(header: str | None) -> Preferences:
    """The preferences of a `Prefer` header; unknown ones are an error under `handling=strict` (PGRST122).

    Under `handling=lenient` a `max-affected` is passed over, as PostgREST does; without a `handling` it counts.
    """
    if not header:
        return NONE
    found: dict[str, str] = {}
    unknown: list[str] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if value in _VALUES.get(name, ()) or (name == "max-affected" and _NUMBER.fullmatch(value)):
            found.setdefault(name, value)
        elif part.strip():
            unknown.append(part.strip())
    if unknown and found.get("handling") == "strict":
        raise RequestError(
            400,
            "PGRST122",
            "Invalid preferences given with handling=strict",
            f"Invalid preferences: {', '.join(unknown)[:200]}",
        )
    most = found.get("max-affected") if found.get("handling") != "lenient" else None
    return Preferences(
        found.get("return"),
        found.get("count"),
        found.get("handling"),
        found.get("resolution"),
        found.get("missing"),
        None if most is None else int(most),
    )


def parse_tags(header: str, *, weak: bool) -> frozenset[str] | None:
    """The entity tags that `If-Match` or `If-None-Match` lists; None for `*`.

    Weak tags count only where `weak` says so: `If-Match` compares strongly (RFC 9110, 13.1.1), so there they match
    nothing. Raises `RequestError` for what is no list of tags.
    """
    if header.strip() == "*":
        return None
    tags: set[str] = set()
    position = 0
    while position < len(header) or not header:  # Granian gives a header as empty that holds more than ASCII
        match = _TAG.match(header, position)
        if match is None:
            raise RequestError(400, "PGRST100", "A list of entity tags in double quotes, or *, is expected.")
        if weak or not match[1]:
            tags.add(match[2])
        position = match.end()
    return frozenset(tags)

"""A dialect: the requests of each work, and what is read out of the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bench.works import Keys, Request, Work

Ask = Callable[[Keys], list[Request]]
Read = Callable[[Any], Any]
PRICES = (5, 10, 20)
#: Fields that a service makes itself.
MADE = ("id", "created_at")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True)
class Dialect:
    """`asks` has the requests of a work, or the reason why it cannot be had; `reads` turns a parsed answer into ours.

    `back` is the request for the record that a write has answered with. `made` are fields whose values are the
    service's own, and are not compared.
    """

    asks: Mapping[Work, Ask | str]
    back: Callable[[Request, Any], Request]
    reads: Mapping[Work, Read] = field(default_factory=dict)
    made: tuple[str, ...] = ()
    table: str = "products"

    def requests(self, work: Work, keys: Keys) -> list[Request]:
        """What is asked in turn. Raises `Cannot`."""
        found = self.asks.get(work, "not offered")
        if isinstance(found, str):
            raise Cannot(found)
        return found(keys)

    def answer(self, work: Work, body: bytes) -> object:
        """A comparable form of an answer."""
        parsed = json.loads(body)
        read = self.reads.get(work)
        return plain(read(parsed) if read else parsed, self.made)


class Cannot(Exception):
    """The service has no way to do this work; the message says why."""


def plain(value: object, made: tuple[str, ...] = ()) -> object:
    """Numbers without their writing's digits, instants as milliseconds; without the fields that are made."""
    if isinstance(value, dict):
        return {name: plain(item, made) for name, item in value.items() if name not in made}
    if isinstance(value, list):
        return [plain(item, made) for item in value]
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return round(datetime.fromisoformat(value).timestamp() * 1000)
    return value


def encoded(value: object) -> str:
    """A JSON value in a query."""
    return quote(json.dumps(value, separators=(",", ":")), safe="")


def sent(value: object) -> bytes:
    """A JSON body."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

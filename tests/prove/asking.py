"""One store of a world, asked: its answers as records, keys and totals; and how a law is found to be broken."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from repositories.schema import Field, Kind, Resource, Type, Value
from service.planner.json_values import from_json
from tests.prove.data import filter_text, quoted
from tests.prove.worlds import Answer, Request, World

#: Signs of the language that need no percent-encoding.
_SAFE = "().,:*!->\"{}'$"
EXACT = {"Prefer": "count=exact"}
Parameters = Sequence[tuple[str, str]]
Row = dict[str, Any]
Key = tuple[Any, ...]


class Broken(Exception):
    """A law does not hold."""


class Refused(Exception):
    """The store does not answer the request, which says nothing about a law."""


class Asker:
    """One store behind the service."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self.name = world, name
        self.requests: list[Request] = []

    def send(
        self,
        resource: Resource,
        parameters: Parameters,
        headers: Mapping[str, str] | None = None,
        *,
        key: str = "",
        method: str = "GET",
    ) -> Answer:
        """The answer to a read of the collection, or of one record. Raises `Refused`."""
        query = "&".join(f"{quote(name, safe=_SAFE)}={quote(value, safe=_SAFE)}" for name, value in parameters)
        path = f"/api/{resource.name}" + (f"/{key}" if key else "") + (f"?{query}" if query else "")
        return self.follow(path, headers, method=method)

    def follow(self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET") -> Answer:
        """The answer at this path. Raises `Refused`."""
        request = Request(method, path, tuple((headers or {}).items()))
        self.requests.append(request)
        answer = self._world.answer(self.name, request)
        if answer.status >= 300 or answer.broken:
            raise Refused(f"{self.name}: {answer}")
        return answer

    def rows(self, resource: Resource, parameters: Parameters, headers: Mapping[str, str] | None = None) -> list[Row]:
        """The records of the answer."""
        found: list[Row] = parsed(self.send(resource, parameters, headers))
        return found

    def keys(self, resource: Resource, parameters: Parameters = ()) -> list[Key]:
        """The keys of all records that meet the filters, which are as many as are counted."""
        answer = self.send(resource, [select_key(resource), *parameters], EXACT)
        found = keys_of(resource, parsed(answer))
        claim(total(answer) == len(found), f"{total(answer)} records are counted, {len(found)} are listed")
        return found


def claim(holds: bool, told: str) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(told)


def alike(found: Sequence[Any], expected: Sequence[Any], what: str) -> None:
    """Raise `Broken` unless both lists are the same."""
    claim(list(found) == list(expected), f"{what}:\n  {list(found)}\nis not\n  {list(expected)}")


def parsed(answer: Answer) -> Any:
    """The answer's JSON, its numbers exact."""
    return loaded(answer.body)


def loaded(text: bytes | str) -> Any:
    return json.loads(text, parse_float=Decimal)


def total(answer: Answer) -> int:
    """The number of all records, as `Content-Range` tells it."""
    return int(dict(answer.headers)["Content-Range"].rpartition("/")[2])


def select_key(resource: Resource) -> tuple[str, str]:
    return "select", ",".join(resource.primary_key)


def keys_of(resource: Resource, rows: Sequence[Row]) -> list[Key]:
    return [tuple(row[name] for name in resource.primary_key) for row in rows]


def typed(kind: Type, value: Any) -> Value:
    """The value that stands in an answer."""
    return from_json(kind, value)


def operand(kind: Type, value: Any, *, tree: bool = False) -> str:
    """A value that stands in an answer, as a filter writes it."""
    text = filter_text(kind, typed(kind, value))
    return quoted(text) if tree and kind.kind is not Kind.ARRAY else text


def same(fields: Sequence[Field], values: Sequence[Any]) -> str:
    """The members of a tree that say that the fields have these values."""
    return ",".join(
        f"{field.name}.eq.{operand(field.type, value, tree=True)}" for field, value in zip(fields, values, strict=True)
    )

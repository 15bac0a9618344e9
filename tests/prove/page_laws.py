"""Laws of pages: one after the other, however they are asked for, they are the whole list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from repositories.query import TEXT
from repositories.schema import Field, Kind, Resource, Type
from tests.prove import data
from tests.prove.asking import EXACT, Asker, Parameters, Row, alike, claim, keys_of, operand, parsed, total
from tests.prove.filter_laws import Check
from tests.prove.reads import Reads

_NEXT = re.compile(r'<([^>]*)>; rel="next"')
#: More pages than any list here has.
_MOST = 50


@dataclass(frozen=True)
class Place:
    """A column that a list is ordered by."""

    name: str
    type: Type
    descending: bool = False
    nulls_first: bool | None = None

    @property
    def order(self) -> str:
        nulls = {None: "", True: ".nullsfirst", False: ".nullslast"}[self.nulls_first]
        return self.name + (".desc" if self.descending else "") + nulls

    @property
    def begins_with_nulls(self) -> bool:
        return self.descending if self.nulls_first is None else self.nulls_first

    def equal(self, value: Any) -> str:
        return f"{self.name}.is.null" if value is None else f"{self.name}.eq.{operand(self.type, value, tree=True)}"

    def after(self, value: Any) -> str | None:
        """What comes later in this order than the value; None where nothing does."""
        if value is None:
            return f"{self.name}.not.is.null" if self.begins_with_nulls else None
        beyond = f"{self.name}.{'lt' if self.descending else 'gt'}.{operand(self.type, value, tree=True)}"
        return beyond if self.begins_with_nulls else f"or({beyond},{self.name}.is.null)"


@dataclass(frozen=True)
class Listing:
    """A list in some order, with a filter perhaps, and the length of its pages."""

    resource: Resource
    places: tuple[Place, ...]
    filters: Parameters
    size: int

    @property
    def parameters(self) -> list[tuple[str, str]]:
        order = [("order", ",".join(place.order for place in self.places))] if self.places else []
        return [("select", ",".join(self._selected())), *self.filters, *order]

    @property
    def keys(self) -> tuple[Place, ...]:
        """What the list is ordered by in the end: the primary key breaks every tie."""
        return self.places + tuple(Place(field.name, field.type) for field in self.resource.key)

    def _selected(self) -> Iterator[str]:
        yield from self.resource.primary_key
        for number, place in enumerate(self.places):
            yield f"p{number}:{place.name}"

    def values(self, row: Row) -> list[Any]:
        """Of a row, what it is ordered by."""
        own = [row[f"p{number}"] for number in range(len(self.places))]
        return [*own, *(row[name] for name in self.resource.primary_key)]


def by_offset(reads: Reads, resource: Resource) -> Check:
    """`limit` and `offset`."""
    wanted = _list(reads, resource)

    def page(asker: Asker, start: int) -> list[Row]:
        place = [("limit", str(wanted.size)), ("offset", str(start))]
        return asker.rows(resource, [*wanted.parameters, *place])

    return lambda asker: _compare(asker, wanted, page)


def by_range(reads: Reads, resource: Resource) -> Check:
    """`Range`, with the total in `Content-Range`."""
    wanted = _list(reads, resource)

    def page(asker: Asker, start: int) -> list[Row]:
        headers = EXACT | {"Range-Unit": "items", "Range": f"{start}-{start + wanted.size - 1}"}
        answer = asker.send(resource, wanted.parameters, headers)
        rows: list[Row] = parsed(answer)
        span = f"{start}-{start + len(rows) - 1}" if rows else "*"
        told = dict(answer.headers)["Content-Range"]
        claim(told == f"{span}/{total(answer)}", f"Content-Range is {told} for {len(rows)} records from {start}")
        claim(answer.status == (206 if len(rows) < total(answer) else 200), f"{answer.status} with {told}")
        return rows

    return lambda asker: _compare(asker, wanted, page)


def _compare(asker: Asker, wanted: Listing, page: Any) -> int:
    whole = asker.rows(wanted.resource, wanted.parameters)
    pages: list[Row] = []
    while len(pages) < len(whole) + wanted.size:
        rows = page(asker, len(pages))
        pages += rows
        if len(rows) < wanted.size:
            break
    alike(pages, whole, "the pages together, and the whole list")
    return len(whole)


def by_links(reads: Reads, resource: Resource) -> Check:
    """`Link`: from each page to the next one."""
    wanted = _list(reads, resource)
    headers = EXACT if reads.chance.one_in(2) else {}

    def check(asker: Asker) -> int:
        whole = asker.rows(resource, wanted.parameters)
        answer = asker.send(resource, [*wanted.parameters, ("limit", str(wanted.size))], headers)
        pages: list[Row] = parsed(answer)
        for _ in range(_MOST):
            link = _NEXT.search(dict(answer.headers).get("Link", ""))
            if link is None:
                break
            answer = asker.follow(link[1], headers)
            pages += parsed(answer)
        alike(pages, whole, "the pages that links lead to, and the whole list")
        return len(whole)

    return check


def by_keyset(reads: Reads, resource: Resource) -> Check:
    """Each page is what comes after the last record of the one before, by the values that the list is ordered by."""
    wanted = _list(reads, resource)

    def check(asker: Asker) -> int:
        whole = asker.rows(resource, wanted.parameters)
        if any(
            _is_only_shown(place, value)
            for row in whole
            for place, value in zip(wanted.keys, wanted.values(row), strict=True)
        ):
            return 0
        pages: list[Row] = []
        after: list[tuple[str, str]] = []
        for _ in range(_MOST):
            rows = asker.rows(resource, [*wanted.parameters, *after, ("limit", str(wanted.size))])
            pages += rows
            if len(rows) < wanted.size:
                break
            after = [("or", f"({','.join(_later(wanted, rows[-1]))})")]
        alike(keys_of(resource, pages), keys_of(resource, whole), "the pages by keyset, and the whole list")
        return len(whole)

    return check


def _is_only_shown(place: Place, value: Any) -> bool:
    """The text of an array or object is no text to compare with."""
    return "->>" in place.name and isinstance(value, str) and value.startswith(("{", "["))


def _later(wanted: Listing, row: Row) -> Iterator[str]:
    """Alternatives: equal in the first places, and later in the next one."""
    equal: list[str] = []
    for place, value in zip(wanted.keys, wanted.values(row), strict=True):
        if (after := place.after(value)) is not None:
            yield f"and({','.join([*equal, after])})"
        equal.append(place.equal(value))


def _list(reads: Reads, resource: Resource) -> Listing:
    chance = reads.chance
    fields = [each for each in resource.fields.values() if each.name not in resource.primary_key]
    places = tuple(_place(reads, each) for each in chance.some(fields, 0 if chance.one_in(4) else 1, 2))
    filters = [reads.filters.condition(resource)] if chance.one_in(3) else []
    return Listing(resource, places, filters, chance.pick([3, 1, 2, 4, 6]))


def _place(reads: Reads, known: Field) -> Place:
    chance = reads.chance
    name, kind = known.name, known.type
    if kind.kind is Kind.JSON:
        name, kind = name + chance.pick([each for each in data.PATHS if "->>" in each]), TEXT
    return Place(name, kind, chance.pick([False, True]), chance.pick([None, True, False]))

"""What to select: `id,title:name,data->>a::int,price.sum(),category!inner(name),...author(country)`."""

from __future__ import annotations

import re
from functools import lru_cache

from service.dialect.params import ColumnParam, EmbedParam, PathParam, SelectParam
from service.dialect.paths import read_steps
from service.dialect.scanner import Scanner
from service.errors import RequestError

AGGREGATES = ("count", "sum", "avg", "min", "max")
_CAST = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*(?:\[\])?", re.ASCII)
_JOINS = {"inner": True, "left": False}


@lru_cache(maxsize=512)
def parse_select(text: str, max_depth: int) -> tuple[SelectParam, ...]:
    """The members of `select`; none for an empty text, which PostgREST reads as all columns."""
    scanner = Scanner(text, "select parameter")
    items = _items(scanner, max_depth)
    if not scanner.done:
        scanner.fail('","')
    return items


def _items(scanner: Scanner, depth: int) -> tuple[SelectParam, ...]:
    items: list[SelectParam] = []
    if not scanner.done and not scanner.at(")"):
        items.append(_item(scanner, depth))
        while scanner.comma():
            items.append(_item(scanner, depth))
    return tuple(items)


def _item(scanner: Scanner, depth: int) -> SelectParam:
    if scanner.take("..."):
        return _embed(scanner, scanner.name(), None, depth, spread=True)
    if scanner.take("*"):
        return ColumnParam(PathParam("*"))
    name, alias = scanner.name(), None
    if not scanner.at("::") and scanner.take(":"):
        name, alias = scanner.name(), name
    if name == "count" and scanner.take("()"):
        return ColumnParam(None, alias, aggregate="count", aggregate_cast=_cast(scanner))
    if scanner.at("(") or scanner.at("!"):
        return _embed(scanner, name, alias, depth, spread=False)
    path = read_steps(scanner, name)
    cast = _cast(scanner)
    if not scanner.take("."):
        return ColumnParam(path, alias, cast)
    start = scanner.position
    aggregate = scanner.until("(,.)")
    if aggregate not in AGGREGATES or not scanner.take("()"):
        scanner.position = start
        scanner.fail("aggregate function (" + ", ".join(f"{known}()" for known in AGGREGATES) + ")")
    return ColumnParam(path, alias, cast, aggregate, _cast(scanner))


def _cast(scanner: Scanner) -> str | None:
    if not scanner.take("::"):
        return None
    start = scanner.position
    cast = scanner.until(".,():")
    if not _CAST.fullmatch(cast):
        scanner.position = start
        scanner.fail("the name of a type")
    return cast.strip().lower()


def _embed(scanner: Scanner, relation: str, alias: str | None, depth: int, *, spread: bool) -> EmbedParam:
    hint: str | None = None
    inner: bool | None = None
    while scanner.take("!"):
        word = scanner.name()
        if word in _JOINS and inner is None:
            inner = _JOINS[word]
        elif hint is None:
            hint = word
        else:
            scanner.fail('"("')
    if depth <= 0:
        raise RequestError(400, "54001", "Resources are embedded too deeply.")
    scanner.expect("(")
    members = _items(scanner, depth - 1)
    scanner.expect(")")
    return EmbedParam(relation, members, alias, hint, inner, spread)

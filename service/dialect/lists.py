"""The other lists of names: `order=price.desc.nullslast,author(name)`, `columns=a,b`, `on_conflict=a,b`."""

from __future__ import annotations

from functools import lru_cache

from service.dialect.params import OrderParam
from service.dialect.paths import read_steps
from service.dialect.scanner import Scanner

_DIRECTIONS = {"asc": False, "desc": True}
_NULLS = {"nullsfirst": True, "nullslast": False}


@lru_cache(maxsize=512)
def parse_order(text: str) -> tuple[OrderParam, ...]:
    """The sort keys of `order`."""
    scanner = Scanner(text, "order")
    keys = [_order_key(scanner)]
    while scanner.comma():
        keys.append(_order_key(scanner))
    if not scanner.done:
        scanner.fail('","')
    return tuple(keys)


def _order_key(scanner: Scanner) -> OrderParam:
    name, relation = scanner.name(), None
    if scanner.take("("):
        relation, name = name, scanner.name()
    column = read_steps(scanner, name)
    if relation is not None:
        scanner.expect(")")
    descending, nulls_first = False, None
    directed = False
    while scanner.take("."):
        start = scanner.position
        word = scanner.until(",.").strip(" ")
        if word in _DIRECTIONS and not directed:
            directed, descending = True, _DIRECTIONS[word]
            continue
        nulls_first = _NULLS.get(word)
        if nulls_first is None:
            scanner.position = start
            scanner.fail('"nullsfirst" or "nullslast"' if directed else '"asc", "desc", "nullsfirst" or "nullslast"')
        break
    return OrderParam(column, relation, descending, nulls_first)


def parse_names(text: str, what: str) -> tuple[str, ...]:
    """The names that `columns` or `on_conflict` lists, each once."""
    scanner = Scanner(text, what)
    names = [scanner.name()]
    while scanner.comma():
        names.append(scanner.name())
    if not scanner.done:
        scanner.fail('","')
    return tuple(dict.fromkeys(names))

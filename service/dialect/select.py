"""The lists of names: `select=id,title:name,*`, `order=price.desc.nullslast,id`, `columns=a,b`."""

from __future__ import annotations

from service.dialect.params import OrderParam, SelectParam
from service.dialect.scanner import Scanner

_NULLS = {"nullsfirst": True, "nullslast": False}
_ORDERS = ("asc", "desc", *_NULLS)


def parse_select(text: str) -> tuple[SelectParam, ...]:
    """The members of `select`; none for an empty text, which PostgREST reads as all columns."""
    scanner = Scanner(text, "select parameter")
    items: list[SelectParam] = []
    while not scanner.done:
        items.append(_select_item(scanner))
        _comma_or_end(scanner)
    return tuple(items)


def _select_item(scanner: Scanner) -> SelectParam:
    name = scanner.name()
    if scanner.take(":"):
        return SelectParam(scanner.name(), alias=name)
    return SelectParam(name)


def parse_order(text: str) -> tuple[OrderParam, ...]:
    """The sort keys of `order`."""
    scanner = Scanner(text, "order")
    keys: list[OrderParam] = []
    while not keys or not scanner.done:
        keys.append(_order_key(scanner))
        _comma_or_end(scanner)
    return tuple(keys)


def _order_key(scanner: Scanner) -> OrderParam:
    column = scanner.name()
    descending, nulls_first = False, None
    if scanner.take("."):
        word = _word(scanner, _ORDERS)
        descending = word == "desc"
        if word in _NULLS or scanner.take("."):
            nulls_first = _NULLS[word if word in _NULLS else _word(scanner, tuple(_NULLS))]
    return OrderParam(column, descending, nulls_first)


def _word(scanner: Scanner, words: tuple[str, ...]) -> str:
    start = scanner.position
    word = scanner.until(",.")
    if word not in words:
        scanner.position = start
        scanner.fail(f"order ({', '.join(words)})")
    return word


def parse_columns(text: str) -> tuple[str, ...]:
    """The names that `columns` lists, each once."""
    scanner = Scanner(text, "columns parameter")
    names: list[str] = []
    while not names or not scanner.done:
        names.append(scanner.name())
        _comma_or_end(scanner)
    return tuple(dict.fromkeys(names))


def _comma_or_end(scanner: Scanner) -> None:
    if scanner.done:
        return
    scanner.expect(",")
    if scanner.done:
        scanner.fail("field name (* or [a..z0..9_$])")

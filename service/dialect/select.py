"""The lists of names: `select=id,title:name,*`, `order=price.desc.nullslast,id`, `columns=a,b`."""

from __future__ import annotations

from service.dialect.params import OrderParam, SelectParam
from service.dialect.scanner import Scanner

_NULLS = {"nullsfirst": True, "nullslast": False}


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
    if scanner.at(".asc") or scanner.at(".desc"):
        scanner.take(".")
        descending = scanner.until(".,") == "desc"
    if scanner.take("."):
        start = scanner.position
        nulls_first = _NULLS.get(scanner.until(",."))
        if nulls_first is None:
            scanner.position = start
            scanner.fail("nulls order (nullsfirst, nullslast)" if descending else "order (asc, desc, nullsfirst, …)")
    return OrderParam(column, descending, nulls_first)


def parse_columns(text: str) -> tuple[str, ...]:
    """The names that `columns` lists."""
    scanner = Scanner(text, "columns parameter")
    names: list[str] = []
    while not names or not scanner.done:
        names.append(scanner.name())
        _comma_or_end(scanner)
    return tuple(names)


def _comma_or_end(scanner: Scanner) -> None:
    if scanner.done:
        return
    scanner.expect(",")
    if scanner.done:
        scanner.fail("field name (* or [a..z0..9_$])")

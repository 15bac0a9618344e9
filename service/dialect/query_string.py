"""From a raw query string to `Params`: strict decoding, each parameter to its parser, nothing ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from service.dialect.filters import parse_filter, parse_logic
from service.dialect.params import ConditionParam, Params
from service.dialect.scanner import Scanner
from service.dialect.select import parse_columns, parse_order, parse_select
from service.errors import RequestError, bad_syntax

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LOGIC = {"and": (False, False), "or": (True, False), "not.and": (False, True), "not.or": (True, True)}
_SINGLE = frozenset({"select", "order", "limit", "offset", "columns"})
_INTEGER = re.compile(r"-?[0-9]{1,18}")


def parse(query: str, *, max_depth: int = 10) -> Params:
    """The parameters of a request, from its undecoded query string. Raises `RequestError` (PGRST100)."""
    single: dict[str, str] = {}
    where: list[ConditionParam] = []
    for name, value in pairs(query):
        if name in _SINGLE:
            if name in single:
                raise bad_syntax(f'The parameter "{name}" is given more than once.')
            single[name] = value
        elif name in _LOGIC:
            disjunction, negated = _LOGIC[name]
            where.append(parse_logic(value, disjunction=disjunction, negated=negated, max_depth=max_depth))
        else:
            where.append(parse_filter(_column(name), value))
    return Params(
        select=parse_select(single["select"]) or None if "select" in single else None,
        where=tuple(where),
        order=parse_order(single["order"]) if single.get("order") else (),
        limit=_integer("limit", single),
        offset=_integer("offset", single),
        columns=parse_columns(single["columns"]) if "columns" in single else None,
    )


def pairs(query: str) -> Iterator[tuple[str, str]]:
    """The decoded names and values of a query string, in its order."""
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            yield decode(name, plus=True), decode(value, plus=True)


def decode(text: str, *, plus: bool = False) -> str:
    """Percent-decode, refusing what lenient decoders let through: bad escapes, bad UTF-8 and NUL.

    With `plus`, a plus sign stands for a space, as in forms.
    """
    if text.isascii() and "%" not in text:
        return text.replace("+", " ") if plus else text
    if _BAD_ESCAPE.search(text):
        raise bad_syntax("The URL has a percent sign that no two hexadecimal digits follow.")
    try:
        decoded = unquote_to_bytes(text.replace("+", " ") if plus else text).decode()
    except UnicodeError:
        raise bad_syntax("The URL is not valid UTF-8.") from None
    if "\0" in decoded:
        raise bad_syntax("The URL holds the character U+0000.")
    return decoded


def _column(name: str) -> str:
    scanner = Scanner(name, "filter column")
    column = scanner.name()
    if not scanner.done:
        scanner.fail("end of input")
    return column


def _integer(name: str, given: dict[str, str]) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text):
        raise RequestError(400, "PGRST100", f'"{name}" must be an integer of at most 18 digits.')
    return int(text)

"""From a raw query string to `Params`: strict decoding, each parameter to its parser, nothing ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from service.dialect.filters import parse_filter, parse_logic, too_many_conditions
from service.dialect.lists import parse_names, parse_order
from service.dialect.params import ConditionParam, EmbedPath, Level, Params, PathParam
from service.dialect.paths import read_steps
from service.dialect.scanner import Scanner
from service.dialect.select import parse_select
from service.errors import RequestError, bad_syntax

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
#: Parameters of the whole request, each given once at the most.
_WHOLE = frozenset({"select", "columns", "on_conflict"})
#: Parameters that the request and each embedded resource may have once.
_ONCE = frozenset({"order", "limit", "offset"})
_JUNCTIONS = frozenset({"and", "or"})
_LEVEL_WORDS = _ONCE | _JUNCTIONS
#: The longest query string whose parameters are kept, among those of the last few hundred.
_KEPT_LENGTH = 500
#: How many parameters there may be that are no conditions, in a request with as many embeds as any may have.
_OTHERS = 100


@dataclass(slots=True)
class _Level:
    """The parameters of one level, while they are gathered."""

    where: list[ConditionParam] = field(default_factory=list)
    once: dict[str, str] = field(default_factory=dict)

    def finish(self) -> Level:
        return Level(
            tuple(self.where),
            parse_order(self.once["order"]) if self.once.get("order") else (),
            integer("limit", self.once.get("limit")),
            integer("offset", self.once.get("offset")),
        )


@dataclass(frozen=True, slots=True)
class _Name:
    """The name of a parameter of one level: the embed it is for, and a word of the language or a column."""

    path: EmbedPath
    word: str
    column: PathParam


def parse(query: str, *, max_depth: int = 10, max_embed_depth: int = 5, max_filters: int = 100) -> Params:
    """The parameters of a request, from its undecoded query string. Raises `RequestError` (PGRST100, 54001)."""
    parse_once = _parse_kept if len(query) <= _KEPT_LENGTH else _parse
    return parse_once(query, max_depth, max_embed_depth, max_filters)


def _parse(query: str, max_depth: int, max_embed_depth: int, max_filters: int) -> Params:
    return parse_parts(query, max_depth=max_depth, max_embed_depth=max_embed_depth, max_filters=max_filters)[0]


#: What goes wrong is not kept, and goes wrong again.
_parse_kept = lru_cache(maxsize=512)(_parse)


def parse_parts(
    query: str, *, max_depth: int, max_embed_depth: int, max_filters: int
) -> tuple[Params, list[ConditionParam | None]]:
    """The parameters, and the condition that each part of the query string states, None where it states none."""
    whole: dict[str, str] = {}
    levels: dict[EmbedPath, _Level] = {(): _Level()}
    conditions: list[ConditionParam | None] = []
    for count, (name, value) in enumerate(pairs(query)):
        if count > max_filters + _OTHERS:
            raise too_many_conditions(max_filters)
        condition: ConditionParam | None = None
        if name in _WHOLE:
            _once(whole, name, value)
        else:
            parsed = _parse_name(name)
            level = levels.setdefault(parsed.path, _Level())
            if parsed.word in _ONCE:
                _once(level.once, parsed.word, value)
            else:
                condition = _condition(parsed, value, max_depth, max_filters)
                level.where.append(condition)
        conditions.append(condition)
    params = Params(
        select=parse_select(whole["select"], max_embed_depth) or None if "select" in whole else None,
        top=levels.pop(()).finish(),
        embedded=tuple((path, level.finish()) for path, level in levels.items()),
        columns=parse_names(whole["columns"], "columns parameter") if "columns" in whole else None,
        on_conflict=parse_names(whole["on_conflict"], "on_conflict parameter") if "on_conflict" in whole else None,
    )
    return params, conditions


def _condition(name: _Name, value: str, max_depth: int, max_filters: int) -> ConditionParam:
    if not name.word:
        return parse_filter(name.column, value)
    return parse_logic(
        value,
        disjunction=name.word.removeprefix("not.") == "or",
        negated=name.word.startswith("not."),
        max_depth=max_depth,
        max_filters=max_filters,
    )


@lru_cache(maxsize=512)
def _parse_name(name: str) -> _Name:
    """`relation.relation.name`; a quoted name is always a column."""
    scanner = Scanner(name, "filter column")
    names: list[str] = []
    quoted = False
    while not names or scanner.take("."):
        quoted = scanner.at('"')
        names.append(scanner.name())
    *path, last = names
    word = last if scanner.done and not quoted and last in _LEVEL_WORDS else ""
    if word in _JUNCTIONS and path[-1:] == ["not"]:
        path.pop()
        word = f"not.{word}"
    column = read_steps(scanner, last)
    if not scanner.done:
        scanner.fail("end of input")
    return _Name(tuple(path), word, column)


def _once(given: dict[str, str], name: str, value: str) -> None:
    if name in given:
        raise bad_syntax(f'The parameter "{name}" is given more than once.')
    given[name] = value


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
    if text.isascii() and "%" not in text and "\0" not in text:
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


def integer(name: str, text: str | None) -> int | None:
    """The number that `limit` or `offset` gives, if it is given. Raises `RequestError` (PGRST100)."""
    if text is None:
        return None
    if not _INTEGER.fullmatch(text):
        raise RequestError(400, "PGRST100", f'"{name}" must be an integer of at most 18 digits.')
    return int(text)

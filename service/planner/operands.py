"""The values of filters: text → what each operator compares with, typed by the column."""

from __future__ import annotations

from collections.abc import Callable

from repositories import patterns, regexes
from repositories.query import Operator
from repositories.schema import Kind, Type, Value
from repositories.texts import InvalidValueError, checked_text, from_text
from service.body import parse_json
from service.dialect.arrays import parse_array
from service.errors import RequestError
from service.planner.json_values import free_json

#: How long a like pattern may be, in characters.
MAX_PATTERN = 1000
#: What the value of a filter is, after its syntax has been read.
Operand = Callable[[Type, str], Value]


def value_of(kind: Type, text: str) -> Value:
    """A value of the column's type: of an array `{a,"b c"}`, of JSON its text. Raises `InvalidValueError`."""
    if kind.kind is Kind.ARRAY:
        return _array(kind, text)
    if kind.kind is Kind.JSON:
        return _json(text)
    return from_text(kind, text)


def _array(kind: Type, text: str) -> Value:
    assert kind.items is not None
    items = []
    for item in array_items(text):
        if item is None:
            raise InvalidValueError("22004", "the items of an array are never null")
        items.append(from_text(kind.items, item))
    return items


def array_items(text: str) -> tuple[str | None, ...]:
    """The items of an array literal. Raises `InvalidValueError` (22P02)."""
    try:
        return parse_array(text)
    except RequestError as error:
        raise InvalidValueError("22P02", f'malformed array literal: "{text[:60]}"') from error


def _json(text: str) -> Value:
    try:
        value = free_json(parse_json(text.encode()))
    except (RequestError, UnicodeEncodeError):
        raise InvalidValueError("22P02", f'invalid input syntax for type json: "{text[:60]}"') from None
    if value is None:
        raise InvalidValueError("22004", "JSON null is the one null: it is found by is.null")
    return value


def _scalar_json(kind: Type, text: str) -> Value:
    """Order is defined between a JSON value and a scalar; arrays and objects are only equal or not."""
    value = value_of(kind, text)
    if kind.kind is Kind.JSON and isinstance(value, dict | list):
        raise InvalidValueError("42883", "JSON arrays and objects have no order to compare by")
    return value


def _pattern(_: Type, text: str) -> Value:
    if len(text) > MAX_PATTERN:
        raise InvalidValueError("54001", f"a pattern has {MAX_PATTERN} characters at the most")
    try:
        return patterns.parse(checked_text(text))
    except patterns.PatternError:
        raise InvalidValueError("22025", "LIKE pattern must not end with escape character") from None


def _regex(*, fold: bool) -> Operand:
    def read(_: Type, text: str) -> Value:
        try:
            return regexes.parse(checked_text(text), fold=fold)
        except regexes.RegexError as error:
            raise InvalidValueError("2201B", f"invalid regular expression: {error}") from None

    return read


OPERANDS: dict[Operator, Operand] = dict.fromkeys(Operator, value_of) | {
    Operator.GT: _scalar_json,
    Operator.GTE: _scalar_json,
    Operator.LT: _scalar_json,
    Operator.LTE: _scalar_json,
    Operator.LIKE: _pattern,
    Operator.ILIKE: _pattern,
    Operator.MATCH: _regex(fold=False),
    Operator.IMATCH: _regex(fold=True),
}

_ALL = frozenset(Kind)
_TEXT = frozenset({Kind.STRING})
#: The kinds of column that each operator is defined for.
APPLICABLE: dict[Operator, frozenset[Kind]] = dict.fromkeys(Operator, _ALL) | {
    Operator.LIKE: _TEXT,
    Operator.ILIKE: _TEXT,
    Operator.MATCH: _TEXT,
    Operator.IMATCH: _TEXT,
    Operator.CONTAINS: frozenset({Kind.ARRAY, Kind.JSON}),
    Operator.CONTAINED: frozenset({Kind.ARRAY, Kind.JSON}),
    Operator.OVERLAPS: frozenset({Kind.ARRAY}),
}
#: The operators that ask no more than whether values are equal.
IDENTITY = frozenset({Operator.EQ, Operator.NEQ, Operator.IN, Operator.ISDISTINCT})

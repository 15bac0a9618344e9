"""Values on their own: when they are equal, which is greater, what JSON contains, and what a path leads to."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from repositories.encoding import double_text, instant_text
from repositories.schema import Kind, Type, Value


def equal(one: Value, other: Value) -> bool:
    """Equal as JSON has it: true is not 1, though 1.0 is; the order of keys does not count."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(_exact(one) == _exact(other))


def _exact(value: Value) -> Value:
    """A double is worth the number that its text writes, also beside a decimal."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def rank(value: Value, kind: Type) -> Any:
    """What values of this type sort by, as Python compares it."""
    return json_rank(value) if kind.kind is Kind.JSON else value


def json_rank(value: Value) -> tuple[Any, ...]:
    """Strings, numbers, booleans, arrays, objects; all arrays are alike, and so are all objects."""
    match value:
        case str():
            return (0, value)
        case bool():
            return (2, value)
        case int() | float() | Decimal():
            return (1, _exact(value))
        case list():
            return (3,)
        case dict():
            return (4,)
    raise AssertionError(value)


def identity(value: Value) -> Any:
    """Something hashable that is the same for equal values only."""
    match value:
        case bool():
            return ("boolean", value)
        case list() | tuple():
            return ("list", *map(identity, value))
        case dict():
            return ("object", frozenset((key, identity(item)) for key, item in value.items()))
    return value


def contains(whole: Value, part: Value) -> bool:
    """PostgreSQL's `whole @> part` for JSON: an array also contains a bare scalar that is one of its items."""
    if isinstance(whole, list) and not isinstance(part, list | dict):
        return any(equal(item, part) for item in whole)
    return _contains(whole, part)


def _contains(whole: Value, part: Value) -> bool:
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and _contains(whole[key], item) for key, item in part.items())
    if isinstance(whole, list) and isinstance(part, list):
        return all(any(_contains(candidate, item) for candidate in whole) for item in part)
    return equal(whole, part)


def step(value: Value, key: str | int) -> Value:
    """One step of a path into JSON; null where it leads nowhere."""
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    return None


def to_json(value: Value, kind: Type) -> Value:
    """The value as JSON: what a client would read in an answer, numbers exact."""
    match kind.kind:
        case Kind.JSON:
            return value
        case Kind.ARRAY:
            assert kind.items is not None
            return [to_json(item, kind.items) for item in value]
        case Kind.DOUBLE:
            text = double_text(value or 0.0)
            return json.loads(text, parse_float=Decimal)
        case Kind.DATETIME:
            assert isinstance(value, datetime)
            return instant_text(value)
        case Kind.DATE | Kind.UUID:
            return str(value)
    return value

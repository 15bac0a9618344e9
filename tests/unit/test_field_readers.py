"""A plain value is read as the strict way reads it, and every other by it: value, type and refusal are the same."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from repositories.schema import Field, Kind, Shape, Type, Value
from repositories.texts import InvalidValueError
from service.planner.checks import check
from service.planner.field_readers import field_reader
from service.planner.json_values import from_json

TYPES = [
    Type(Kind.STRING),
    Type(Kind.STRING, min_length=1, max_length=3, pattern="^[A-Z]+$"),
    Type(Kind.STRING, enum=("A", "b")),
    Type(Kind.INT32),
    Type(Kind.INT32, minimum=0, maximum=5),
    Type(Kind.INT64, exclusive_minimum=0, exclusive_maximum=5),
    Type(Kind.INT64, maximum=Decimal("2.5")),
    Type(Kind.BOOLEAN),
    Type(Kind.BOOLEAN, enum=(True,)),
    Type(Kind.DOUBLE),
    Type(Kind.DOUBLE, minimum=0, exclusive_maximum=1.5),
    Type(Kind.DECIMAL, precision=12, scale=2, minimum=0),
    Type(Kind.DECIMAL, precision=34, scale=0),
    Type(Kind.DECIMAL, precision=34, scale=34),
    Type(Kind.DECIMAL, precision=3, scale=3),
    Type(Kind.DATE),
    Type(Kind.DATETIME),
    Type(Kind.UUID),
    Type(Kind.JSON),
    Type(Kind.JSON, shape=Shape()),
    Type(Kind.JSON, shape=Shape(additional=False)),
    Type(Kind.JSON, shape=Shape((("a", Type(Kind.INT32)),), frozenset({"a"}))),
    Type(Kind.ARRAY, items=Type(Kind.STRING, max_length=2), min_items=1, max_items=2),
    Type(Kind.ARRAY, items=Type(Kind.DECIMAL, precision=4, scale=1)),
    Type(Kind.ARRAY, items=Type(Kind.INT64)),
]
TEXTS = [
    "", "A", "AB", "ABCD", "A\n", "é", "\0", "\ud800", "1", "1.5", "true", "2024-05-17", "0000-01-01", "2024-02-30",
    "2024-W01-1", "20240517", "2024-05-1\uff17", "9999-12-31", "10000-01-01", "2024-05-17T10:00:00Z",
    "01857191-fd99-7731-a9b3-b30364f4e303",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 2, 5, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 10**40, *map(Decimal, (
        "-0", "0.00", "-0.0", "1.5", "1.50", "1.5000", "1e2", "1e30", "1e400", "1e-400", "-1e-400", "9999999999.99",
        "9999999999.995", "10000000000", "99999999999.99", "0.001", "0.999", "0.9990", "1.000", "1e-34", "1e-35",
        "0." + "9" * 34, "9" * 34, "9" * 35, "1" + "0" * 34, "1" + "0" * 33, "12345678901234567.12345678901234567",
        "1.499999999999999999999", "-0.01",
    )),
]  # fmt: skip
ITEMS: list[Any] = ["A", "ABC", "é", 1, True, None, Decimal("1.50"), [], {}]
ARRAYS = [[first, second] for first in ITEMS for second in ITEMS]
OBJECTS: list[Any] = [
    {},
    {"a": 1},
    {"a": "1"},
    {"a": None},
    {"b": 1},
    {"a": 1, "x": [Decimal("1e22"), 10**22, -0.0]},
    {"\0": 1},
]
VALUES = [None, True, False, *TEXTS, *NUMBERS, [], ["A"], [1], *ARRAYS, *OBJECTS]


@pytest.mark.parametrize("kind", TYPES, ids=repr)
def test_reads_as_the_strict_way_does(kind: Type) -> None:
    read = field_reader(Field("field", kind))
    for value in VALUES:
        assert _outcome(read, value) == _outcome(lambda value: _strict(kind, value), value), value


def _strict(kind: Type, given: Any) -> Value:
    value = from_json(kind, given)
    return None if value is None else check(kind, value)


def _outcome(read: Callable[[Any], Value], value: Any) -> tuple[str, ...]:
    """Decimals and doubles are compared by their digits, and by their sign also where they are zero."""
    try:
        return "read", repr(read(value))
    except InvalidValueError as error:
        return "refused", error.code, error.message

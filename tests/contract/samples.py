"""Values and records that the contract tests share: the edges of every kind, and ladders in ascending order."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from repositories.schema import Value

FIRST_INSTANT = datetime(1, 1, 1, tzinfo=UTC)
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)

#: For each scalar field of the lab's `samples`: values in strictly ascending order, its edges among them.
LADDERS: dict[str, list[Value]] = {
    "text": [
        "",
        "\x01",
        "\n",
        " ",
        "$gt",
        "%",
        "A",
        "Z",
        "\\",
        "_",
        "a",
        "a ",
        "aa",
        "e\u0301",
        "null",
        "z",
        "ß",
        "é",
        "İ",
        "日本語",
        "\ufeff",
        "～",
        "😀",
        "\U0010ffff",
    ],
    "uuid": [
        UUID(int=0),
        UUID(int=1),
        UUID("01890000-0000-7000-8000-000000000000"),
        UUID(int=1 << 127),
        UUID(int=2**128 - 1),
    ],
    "day": [date.min, date(1582, 10, 10), date(1969, 12, 31), date(1970, 1, 1), date(2024, 2, 29), date.max],
    "moment": [
        FIRST_INSTANT,
        datetime(1582, 10, 10, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 31, 9, 30, 0, 1000, tzinfo=UTC),
        datetime(2026, 1, 31, 9, 30, 0, 120000, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        LAST_INSTANT,
    ],
    "small": [-(2**31), -1, 0, 1, 2**31 - 1],
    "big": [-(2**63), -(2**53) - 1, -1, 0, 1, 2**53, 2**53 + 1, 2**63 - 1],
    "real": [
        -sys.float_info.max,
        -1.5,
        -5e-324,
        0.0,
        5e-324,
        sys.float_info.min,
        1e-5,
        0.0001,
        0.1,
        1 / 3,
        1.0,
        123456789012345.6,
        1e15,
        1e16,
        1.2345678901234567e20,
        1e308,
    ],
    "money": [
        Decimal("-9999999999.99"),
        Decimal("-0.01"),
        Decimal("0.00"),
        Decimal("0.10"),
        Decimal("9.00"),
        Decimal("10.00"),
    ],
    "exact": [
        Decimal("-" + "9" * 24 + ".9999999999"),
        Decimal("-0.0000000001"),
        Decimal("0.0000000000"),
        Decimal("0.0000000001"),
        Decimal("123456789012345678901234.0123456789"),
        Decimal("123456789012345678901234.0123456790"),
    ],
    "whole": [Decimal("-" + "9" * 34), Decimal(0), Decimal("9" * 33), Decimal("9" * 34)],
    "flag": [False, True],
}

#: Free JSON of every form. Depth is counted by its brackets.
JSONS: list[Any] = [
    {},
    [],
    "",
    "text",
    "null",
    0,
    -1,
    True,
    False,
    2**63 - 1,
    -(2**63),
    2**53 + 1,
    0.1,
    1.0,
    1.5e300,
    5e-324,
    1e22,
    [None],
    [1, 1.5, "a", None, True, [], {}],
    {"a": None},
    {
        "": 1,
        "$a": 2,
        "a.b": 3,
        "a b": 4,
        '"': 5,
        "\\": 6,
        "_id": 7,
        "__proto__": 8,
        "ключ": 9,
        "😀": 10,
        "$numberLong": "11",
    },
    {"bb": 1, "a": 2, "ccc": 3, "B": 4, "é": 5, "zz": 6},
    {"$oid": "507f1f77bcf86cd799439011"},
    {"$date": {"$numberLong": "0"}},
    {"$ref": "x", "$id": 1, "$db": "y"},
    {"text": 'quote " backslash \\ slash / newline \n bell \x07 delete \x7f line \u2028 astral 😀 combining e\u0301'},
    {"list": [{"a": [{"b": [[]]}]}]},
    {"0": "zero", "1": {"2": "two"}},
]


def nested(depth: int) -> Any:
    """Objects and lists in turn, `depth` brackets deep."""
    value: Any = "deepest"
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


def product(number: int, **given: Value) -> dict[str, Value]:
    """A product of the shop with what is required, and what is given."""
    return {
        "id": UUID(int=number),
        "sku": f"SKU-{number}",
        "name": f"product {number}",
        "price": Decimal("1.00"),
        **given,
    }

"""Values that stores are likely to treat differently, for each type; and how bodies and URLs write them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from repositories.encoding import decimal_text, double_text, instant_text, json_text
from repositories.schema import Field, Kind, Resource, Type, Value
from repositories.texts import InvalidValueError
from service.planner.checks import check
from tests.prove.chance import Chance

#: Empty, blank, wildcards and what escapes them, the words of other types, case that folds oddly, signs that combine.
TEXTS = [
    "a", "b", "A", "ab", "", " ", "a ", "ba", "aa", "a%b", "a_b", "a*b", "a\\b", "%", "_", "\\", "null", "NULL", "true",
    "0", "10", "9", "-1", "é", "e\u0301", "É", "İ", "ı", "I", "i", "i\u0307", "ß", "ẞ", "SS", "ss", "ſ", "s", "S",
    "\u212a", "k", "K", "Σ", "σ", "ς", "ǆ", "ǅ", "Ω", "\u2126", "😀", "\U0010ffff", "\uffff", "\ue000", "日本", "a,b",
    "(a)", 'say "a"', "{a}", "[a]", "a\nb", "a\r\nb", "a\tb", "\n", "\x7f", "\x01", "\ufeff", "\u200b", "\u2028",
    "=1+1",
    "@a", "$a", "$$ROOT", "a.b", "'", "''; --", "a/b", "..", "%41", "a+b", "a&b=c", "a#b", "x" * 300,
]  # fmt: skip
INTEGERS = [0, 1, 2, -1, 3, 7, 42, 100, -100]
INT32S = [*INTEGERS, 2**31 - 1, -(2**31), 2**31 - 2]
INT64S = [*INTEGERS, 2**31, -(2**31) - 1, 2**53, 2**53 + 1, -(2**53) - 1, 10**18, 2**63 - 1, -(2**63)]
DOUBLES = [
    0.0, 1.0, -0.0, 0.1, 0.5, 1.5, 2.5, -2.5, 0.2, 0.3, 0.1 + 0.2, 1e300, -1e300, 5e-324, 1e-5, 1e-4, 123456.789, 1e15,
    1e16, 1e21, 2.0**53, 2.0**53 + 2, 2.0**60, 1.7976931348623157e308, 2.2250738585072014e-308, 1 / 3, 1e23,
    9007199254740993.0,
]  # fmt: skip
DATES = [
    date(2024, 2, 29), date(2024, 1, 1), date(1970, 1, 1), date(1969, 12, 31), date(1, 1, 1), date(9999, 12, 31),
    date(2026, 3, 29), date(1582, 10, 10), date(1900, 2, 28), date(2023, 12, 31),
]  # fmt: skip
#: Where years begin and end, where clocks are put forward and back, milliseconds with and without zeros at their end.
INSTANTS = [
    datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 59, 59, 999000, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 1000, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 0, 0, 120000, tzinfo=UTC), datetime(2024, 2, 29, 12, 0, 0, 100000, tzinfo=UTC),
    datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(1900, 1, 1, 0, 0, 0, 10000, tzinfo=UTC),
]  # fmt: skip
UUIDS = [
    UUID("01890000-0000-7000-8000-000000000001"), UUID(int=0), UUID(int=2**128 - 1),
    UUID("01890000-0000-7000-8000-000000000002"), UUID("80000000-0000-4000-8000-000000000000"),
    UUID("7fffffff-ffff-4fff-bfff-ffffffffffff"),
]  # fmt: skip
JSONS: list[Any] = [
    {"a": 1}, {}, [], "", "a", 0, 1, 1.5, True, False, {"a": None}, {"a": "1"}, {"a": 1.0}, {"a": True}, {"a": "x"},
    {"a": []}, {"a": {}}, {"$a": 1}, {"a.b": 2}, {"": 3}, {"a": {"b": 1}}, {"a": {"b": [1, {"c": None}]}}, [1, 2, 3],
    [[]], [{}], [None], [{"a": 1}, {"a": 2}], {"a": [1, {"b": "x"}]}, {"a": 2**53 + 1}, {"a": 2**63 - 1}, {"a": 1e300},
    {"a": 5e-324}, {"a": 0.1}, {"a": -2.5}, {"é": "e\u0301"}, {"b": 1, "a": 2}, {"A": "İ"}, "null", "é", -1, 10, 9,
    {"a": "a%b_c\\"}, {"0": "zero"}, {"a": {"0": "x"}}, {"-1": 1}, {"a": False}, {"a": ""}, {"$numberLong": "1"},
    {"a": {"$date": 0}}, {"_id": 1}, {"a": "2024-01-01"}, {"a": 1, "b": {"c": [True, None, "x"]}}, {"a": 10}, {"a": 9},
    {"a": "b"}, {"a": "B"}, {"b": []}, ["a"], ["a", "b"], {"a" * 70: 1},
]  # fmt: skip
#: Paths into them.
PATHS = [
    "->a", "->>a", "->0", "->>0", "->a->b", "->a->>b", "->a->0", "->-1", "->>-1", "->b->c->1", '->"a.b"', '->>"$a"',
    '->""', "->>é", "->a->b->1->>c", '->"0"', "->1->a", "->>A", "->>_id", "->>$numberLong",
]  # fmt: skip
#: Instants as clients may write them, with offsets and more digits than are kept.
INSTANT_TEXTS = ["2026-03-29T02:30:00+01:00", "2024-02-29 12:00:00.120999Z", "2024-01-01", "2023-12-31T19:00-05:00"]


def scalar(chance: Chance, kind: Type) -> Value:
    """A value of the type, which may break its limits."""
    if kind.enum is not None and not chance.one_in(12):
        return chance.pick(kind.enum)
    return _POOLS[kind.kind](chance, kind)


def value(chance: Chance, kind: Type) -> Value:
    """A value of the type; hardly ever one that breaks its limits."""
    for _ in range(4):
        found = scalar(chance, kind)
        try:
            return check(kind, found)
        except (InvalidValueError, TypeError, AttributeError):
            continue
    return fallback(kind)


def fallback(kind: Type) -> Value:
    """The plainest value that keeps the type's limits."""
    if kind.enum is not None:
        return kind.enum[0]
    match kind.kind:
        case Kind.STRING:
            return "a" if kind.min_length is None else "A" * max(kind.min_length, 1)
        case Kind.DECIMAL:
            return check(kind, Decimal(int(kind.minimum or 0)))
        case Kind.ARRAY:
            assert kind.items is not None
            return [fallback(kind.items)] * (kind.min_items or 0)
        case Kind.JSON:
            return {name: fallback(own) for name, own in (kind.shape.properties if kind.shape else ())}
    return _FALLBACKS[kind.kind] if kind.minimum is None else kind.minimum


def record(chance: Chance, resource: Resource, *, nulls: int = 3) -> dict[str, Value]:
    """A value for each field, null in one of `nulls` that may be."""
    return {
        field.name: None if not field.required and chance.one_in(nulls) else value(chance, field.type)
        for field in resource.fields.values()
    }


def body_text(found: Value) -> str:
    """The value as JSON, for a body."""
    match found:
        case float():
            return double_text(found)
        case Decimal():
            return decimal_text(found)
        case datetime():
            return f'"{instant_text(found)}"'
        case date() | UUID():
            return f'"{found}"'
        case list():
            return "[" + ",".join(map(body_text, found)) + "]"
        case dict():
            return "{" + ",".join(f"{json_text(key)}:{body_text(item)}" for key, item in found.items()) + "}"
    return json_text(found)


def filter_text(kind: Type, found: Value) -> str:
    """The value as the text of a filter."""
    if kind.kind is Kind.JSON:
        return body_text(found)
    if kind.kind is Kind.ARRAY:
        assert kind.items is not None
        return array_text([filter_text(kind.items, item) for item in found])
    return found if isinstance(found, str) else body_text(found).strip('"')


def array_text(items: list[str]) -> str:
    return "{" + ",".join(map(quoted, items)) + "}"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def csv_cell(field: Field, text: str) -> str:
    """A value's JSON text as a cell: arrays and JSON stay as they are, texts lose their quotes."""
    if text == "null":
        return ""
    if field.type.kind not in (Kind.ARRAY, Kind.JSON) and text.startswith('"'):
        text = json.loads(text)
    return '"' + text.replace('"', '""') + '"'


def _decimal(chance: Chance, kind: Type) -> Decimal:
    precision, scale = kind.precision or 10, kind.scale or 0
    number = chance.pick(
        [0, 1, 5, -1, 10, 15, 25, 10**precision - 1, -(10**precision) + 1, 10**scale, 5 * 10**scale, 49]
    )
    sign, digits, _ = Decimal(number).as_tuple()
    return Decimal((sign, digits, -scale))


def _array(chance: Chance, kind: Type) -> list[Value]:
    assert kind.items is not None
    items = [value(chance, kind.items) for _ in range(chance.pick([0, 1, 2, 1, 3]))]
    return items * 2 if chance.one_in(6) else items


def _json(chance: Chance, kind: Type) -> Value:
    if kind.shape is None:
        return chance.pick(JSONS)
    found = {name: value(chance, own) for name, own in kind.shape.properties if not chance.one_in(3)}
    further = chance.pick(JSONS)
    return {**further, **found} if isinstance(further, dict) and kind.shape.additional else found


def _double(chance: Chance, _: Type) -> float:
    if not chance.one_in(8):
        return chance.pick(DOUBLES)
    (found,) = struct.unpack("<d", struct.pack("<q", chance.number(0, 2**62)))
    return float(found) if abs(found) < 1e308 else 0.7


_FALLBACKS: dict[Kind, Value] = {
    Kind.UUID: UUIDS[0],
    Kind.DATE: DATES[0],
    Kind.DATETIME: INSTANTS[0],
    Kind.INT32: 1,
    Kind.INT64: 1,
    Kind.DOUBLE: 1.0,
    Kind.BOOLEAN: True,
}
_POOLS: dict[Kind, Callable[[Chance, Type], Value]] = {
    Kind.STRING: lambda chance, _: chance.pick(TEXTS),
    Kind.UUID: lambda chance, _: chance.pick(UUIDS) if chance.one_in(2) else UUID(int=chance.number(0, 9)),
    Kind.DATE: lambda chance, _: chance.pick(DATES),
    Kind.DATETIME: lambda chance, _: chance.pick(INSTANTS),
    Kind.INT32: lambda chance, _: chance.pick(INT32S),
    Kind.INT64: lambda chance, _: chance.pick(INT64S) if chance.one_in(2) else chance.number(1, 20),
    Kind.DOUBLE: _double,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: lambda chance, _: chance.pick([True, False]),
    Kind.ARRAY: _array,
    Kind.JSON: _json,
}

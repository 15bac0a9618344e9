"""Texts and JSON → typed values: what each type takes, and the code that it refuses with."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from repositories.schema import Kind, Shape, Type, Value
from service.body import parse_json
from service.errors import RequestError
from service.planner.checks import check
from service.planner.json_values import from_json
from service.planner.text import InvalidValueError, from_text

MONEY = Type(Kind.DECIMAL, precision=12, scale=2)
WIDE = Type(Kind.DECIMAL, precision=34, scale=10)
A_UUID = UUID("0190a0c8-51a4-7c3e-8a70-3f2b9a1c5d6e")


def instant(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


TAKEN: list[tuple[Kind, str, Value]] = [
    (Kind.STRING, "", ""),
    (Kind.STRING, " é🎸 ", " é🎸 "),
    (Kind.INT32, "2147483647", 2**31 - 1),
    (Kind.INT32, "-2147483648", -(2**31)),
    (Kind.INT64, "9223372036854775807", 2**63 - 1),
    (Kind.INT64, "-9223372036854775808", -(2**63)),
    (Kind.INT64, "+007", 7),
    (Kind.INT64, "-0", 0),
    (Kind.DOUBLE, "1e308", 1e308),
    (Kind.DOUBLE, "-.5", -0.5),
    (Kind.DOUBLE, "5.", 5.0),
    (Kind.DOUBLE, "1e-400", 0.0),
    (Kind.DECIMAL, "1.50", Decimal("1.50")),
    (Kind.DECIMAL, "-0.00", Decimal(0)),
    (Kind.DECIMAL, "1234567890123456789012345678901234", Decimal("1234567890123456789012345678901234")),
    (Kind.DECIMAL, "1.000000000000000000000000000000000000000", Decimal("1.000000000000000000000000000000000000000")),
    (Kind.BOOLEAN, "true", True),
    (Kind.BOOLEAN, "F", False),
    (Kind.BOOLEAN, "on", True),
    (Kind.UUID, "0190A0C8-51A4-7C3E-8A70-3F2B9A1C5D6E", A_UUID),
    (Kind.UUID, "{0190a0c851a47c3e8a703f2b9a1c5d6e}", A_UUID),
    (Kind.DATE, "2024-02-29", date(2024, 2, 29)),
    (Kind.DATE, "0001-01-01", date(1, 1, 1)),
    (Kind.DATETIME, "2026-01-31T09:30:00Z", instant(2026, 1, 31, 9, 30)),
    (Kind.DATETIME, "2026-01-31 09:30", instant(2026, 1, 31, 9, 30)),
    (Kind.DATETIME, "2026-01-31", instant(2026, 1, 31)),
    (Kind.DATETIME, "2026-01-31T09:30:00.123999", instant(2026, 1, 31, 9, 30, 0, 123000)),
    (Kind.DATETIME, "2026-01-31T09:30:00.5+05:30", instant(2026, 1, 31, 4, 0, 0, 500000)),
    (Kind.DATETIME, "2026-01-31T09:30:00-08", instant(2026, 1, 31, 17, 30)),
    (Kind.DATETIME, "1969-12-31T23:59:59.9999Z", instant(1969, 12, 31, 23, 59, 59, 999000)),
    (Kind.DATETIME, "9999-12-31T23:59:59.999Z", instant(9999, 12, 31, 23, 59, 59, 999000)),
]


@pytest.mark.parametrize(("kind", "text", "value"), TAKEN)
def test_texts_that_a_type_takes(kind: Kind, text: str, value: Value) -> None:
    read = from_text(Type(kind), text)
    assert read == value
    assert type(read) is type(value)
    assert from_json(Type(kind), text) == value  # a JSON string is read as the same text


REFUSED: list[tuple[Kind, str, str]] = [
    *[(Kind.INT64, text, "22P02") for text in ("", "1.5", "true", "1_000", "１２", " 7 ", "0x1F", "1e3", "--1", "٣")],
    (Kind.INT32, "2147483648", "22003"),
    (Kind.INT64, "9223372036854775808", "22003"),
    (Kind.INT64, "-9223372036854775809", "22003"),
    (Kind.INT64, "1" * 4000, "22003"),
    *[(Kind.DOUBLE, text, "22P02") for text in ("", "NaN", "inf", "Infinity", "1e", "1_0", " 1", ".", "0x1p3")],
    (Kind.DOUBLE, "1e400", "22003"),
    *[(Kind.DECIMAL, text, "22P02") for text in ("", "NaN", "sNaN", "Infinity", "1,5", "1e7777777", "$1")],
    (Kind.DECIMAL, "12345678901234567890123456789012345", "22003"),
    (Kind.DECIMAL, "1e7000", "22003"),
    *[(Kind.BOOLEAN, text, "22P02") for text in ("", "2", "tru", "null", " true")],
    *[(Kind.UUID, text, "22P02") for text in ("", "x", "0190a0c8", "{" + "0" * 32, "urn:uuid:" + "0" * 32, "0" * 33)],
    *[(Kind.DATE, text, "22007") for text in ("", "now", "today", "infinity", "2024-1-1", "24-01-01", "2024-01-01 BC")],
    *[(Kind.DATE, text, "22008") for text in ("0000-01-01", "10000-01-01", "2026-02-30", "2026-13-01", "2023-02-29")],
    *[(Kind.DATETIME, text, "22007") for text in ("", "now", "-infinity", "12:00", "2026-01-31T", "2026-01-31T9:30")],
    *[
        (Kind.DATETIME, text, "22008")
        for text in (
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T23:59:60Z",
            "2026-01-31T00:00:00+16:00",
            "2026-01-31T00:00:00+05:60",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        )
    ],
    (Kind.STRING, "a\0b", "22P05"),
    (Kind.STRING, "a\ud800", "22P05"),
    (Kind.ARRAY, "{a}", "22P02"),
    (Kind.JSON, "{}", "22P02"),
]


@pytest.mark.parametrize(("kind", "text", "code"), REFUSED)
def test_texts_that_a_type_refuses(kind: Kind, text: str, code: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        from_text(Type(kind), text)
    assert refused.value.code == code
    assert len(refused.value.message) < 200


JSON_TAKEN: list[tuple[Type, str, Value]] = [
    (Type(Kind.INT64), "5", 5),
    (Type(Kind.DOUBLE), "5", 5.0),
    (Type(Kind.DOUBLE), "-0.0", -0.0),
    (Type(Kind.DECIMAL), "0.1", Decimal("0.1")),
    (Type(Kind.BOOLEAN), "true", True),
    (Type(Kind.ARRAY, items=Type(Kind.INT64)), '[1,"2"]', [1, 2]),
    (Type(Kind.ARRAY, items=Type(Kind.STRING)), "[]", []),
    (Type(Kind.JSON), '"text"', "text"),
    (Type(Kind.JSON), "[1,1.0,null,{}]", [1, 1.0, None, {}]),
    (Type(Kind.JSON), "-0.0", 0.0),
    (Type(Kind.JSON), "9223372036854776000", 2.0**63),
    (Type(Kind.JSON), "100000000000000000000", 1e20),
    (Type(Kind.JSON), '{"$a":{"b.c":{"":9223372036854775807}}}', {"$a": {"b.c": {"": 2**63 - 1}}}),
    (Type(Kind.JSON), "[" * 64 + "]" * 64, None),
]


@pytest.mark.parametrize(("kind", "text", "value"), JSON_TAKEN)
def test_json_that_a_type_takes(kind: Type, text: str, value: Value) -> None:
    read = from_json(kind, parse_json(text.encode()))
    if value is not None:
        assert read == value
        assert type(read) is type(value)
    assert from_json(kind, None) is None


JSON_REFUSED: list[tuple[Type, str, str]] = [
    *[(Type(Kind.INT64), text, "22P02") for text in ("1.5", "1.0", "true", "[]", '{"$ne":null}', '"1.5"')],
    (Type(Kind.INT32), "2147483648", "22003"),
    (Type(Kind.DOUBLE), "1e400", "22003"),
    (Type(Kind.DOUBLE), "1" * 400, "22003"),
    (Type(Kind.DOUBLE), "false", "22P02"),
    *[(Type(Kind.STRING), text, "22P02") for text in ("5", "true", "{}", '["a"]')],
    (Type(Kind.STRING), '"a\\u0000"', "22P05"),
    (Type(Kind.BOOLEAN), "1", "22P02"),
    (Type(Kind.UUID), "5", "22P02"),
    (Type(Kind.ARRAY, items=Type(Kind.INT64)), "5", "22P02"),
    (Type(Kind.ARRAY, items=Type(Kind.INT64)), "[null]", "22P02"),
    (Type(Kind.ARRAY, items=Type(Kind.INT64)), "[[1]]", "22P02"),
    (Type(Kind.ARRAY, items=Type(Kind.INT64)), '["x"]', "22P02"),
    (Type(Kind.JSON), "9223372036854775808", "22003"),
    (Type(Kind.JSON), "-" + "1" * 400, "22003"),
    (Type(Kind.JSON), "[1e400]", "22003"),
    (Type(Kind.JSON), '{"a\\u0000":1}', "22P05"),
    (Type(Kind.JSON), "[" * 65 + "]" * 65, "54001"),
    (Type(Kind.JSON, shape=Shape()), "[]", "22P02"),
    (Type(Kind.JSON, shape=Shape()), "5", "22P02"),
]


@pytest.mark.parametrize(("kind", "text", "code"), JSON_REFUSED)
def test_json_that_a_type_refuses(kind: Type, text: str, code: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        from_json(kind, parse_json(text.encode()))
    assert refused.value.code == code
    assert len(refused.value.message) < 200


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (MONEY, "1.5", "1.50"),
        (MONEY, "1.500000", "1.50"),
        (MONEY, "1.5" + "0" * 10_000, "1.50"),
        (MONEY, "0." + "0" * 10_000, "0.00"),
        (WIDE, "-100", "-100.0000000000"),
        (MONEY, "1e3", "1000.00"),
        (MONEY, "-0", "0.00"),
        (MONEY, "0e500", "0.00"),
        (MONEY, "9999999999.99", "9999999999.99"),
        (WIDE, "123456789012345678901234.0123456789", "123456789012345678901234.0123456789"),
    ],
)
def test_decimals_get_their_declared_scale(kind: Type, given: str, kept: str) -> None:
    assert str(check(kind, from_text(kind, given))) == kept


OBJECT = Type(
    Kind.JSON,
    shape=Shape(
        (("color", Type(Kind.STRING, max_length=5)), ("size", Type(Kind.INT32)), ("price", MONEY)),
        frozenset({"color"}),
        additional=False,
    ),
)


@pytest.mark.parametrize(
    "value",
    [{"color": "red"}, {"color": "red", "size": 5, "price": 1.25}, {"color": "red", "size": None}],
)
def test_objects_with_properties_of_their_own(value: dict[str, Any]) -> None:
    assert check(OBJECT, value) == value


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (MONEY, Decimal("1.555"), "22003"),
        (MONEY, Decimal("10000000000"), "22003"),
        (MONEY, Decimal("1e900"), "22003"),
        (MONEY, Decimal("1." + "0" * 10_000 + "1"), "22003"),
        (MONEY, Decimal("1e-900"), "22003"),
        (Type(Kind.STRING, max_length=2), "éàü", "22001"),
        (Type(Kind.STRING, min_length=2), "é", "23514"),
        (Type(Kind.STRING, pattern="^[A-Z]+$"), "aB", "23514"),
        (Type(Kind.STRING, pattern="^[A-Z]+$"), "AB\n", "23514"),
        (Type(Kind.STRING, pattern=r"^\d+$"), "１２", "23514"),
        (Type(Kind.STRING, enum=("a", "b")), "c", "23514"),
        (Type(Kind.INT32, minimum=1), 0, "23514"),
        (Type(Kind.INT32, maximum=1), 2, "23514"),
        (Type(Kind.DOUBLE, exclusive_minimum=0), 0.0, "23514"),
        (Type(Kind.DOUBLE, exclusive_maximum=1), 1.0, "23514"),
        (Type(Kind.DECIMAL, precision=5, scale=1, minimum=Decimal("0.5")), Decimal("0.4"), "23514"),
        (Type(Kind.ARRAY, items=Type(Kind.STRING), min_items=1), [], "23514"),
        (Type(Kind.ARRAY, items=Type(Kind.STRING), max_items=1), ["a", "b"], "23514"),
        (Type(Kind.ARRAY, items=Type(Kind.STRING, max_length=1)), ["ab"], "22001"),
        (OBJECT, {}, "23514"),
        (OBJECT, {"color": None}, "23514"),
        (OBJECT, {"color": "purple"}, "22001"),
        (OBJECT, {"color": "red", "size": 1.5}, "22P02"),
        (OBJECT, {"color": "red", "size": "5"}, "22P02"),
        (OBJECT, {"color": "red", "price": 1.555}, "22003"),
        (OBJECT, {"color": "red", "other": 1}, "23514"),
    ],
)
def test_limits(kind: Type, value: Value, code: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        check(kind, value)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("pattern", "text"), [(r"^\$[$]\\$", "$$\\"), ("^[]$]$", "$"), (r"^[^\]$]$", "a"), ("a$|b", "bc")]
)
def test_a_dollar_sign_may_be_meant(pattern: str, text: str) -> None:
    assert check(Type(Kind.STRING, pattern=pattern), text) == text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}{}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1,"a":2}',
        b'{"a":"\\ud800"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-32"),
        b"[" * 1500 + b"]" * 1500,
        b"[" * 100_000,
        b'{"a":01}',
        b"{'a':1}",
    ],
)
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        parse_json(body)
    assert (refused.value.status, refused.value.code) == (400, "PGRST102")

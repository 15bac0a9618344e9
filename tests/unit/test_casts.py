"""Casts and averages of the port, against what PostgreSQL makes of the same values."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb, set_json_loads

from repositories.casts import average, cast
from repositories.encoding import json_text
from repositories.errors import CastFailed
from repositories.expressions import cast_type, castable
from repositories.schema import Kind, Type, Value

SQL_TYPES = {
    Kind.STRING: "text",
    Kind.UUID: "uuid",
    Kind.DATE: "date",
    Kind.DATETIME: "timestamptz",
    Kind.INT32: "int4",
    Kind.INT64: "int8",
    Kind.DOUBLE: "float8",
    Kind.DECIMAL: "numeric",
    Kind.BOOLEAN: "boolean",
    Kind.JSON: "jsonb",
}
INSTANTS = [
    datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    datetime(2026, 1, 31, 23, 59, 59, 120_000, tzinfo=UTC),
    datetime(1, 1, 1, 0, 0, 0, 1000, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
]
TEXTS = ["", "a", "NULL", "null", "nUll", "nul", "a b", "a,b", '"', "\\", "{", "}", "é🎸", "a\nb", "\t", "\v", "\x1f"]
DOUBLES = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.1, 1 / 3, 2 / 3, 100.0, 123456.789, 1e14, 1e15, 1e16),
    *(123456789012345678.0, 1e20, 1e22, 1e23, 1e-4, 1e-5, 1.234e-7, 1e100, 1.7976931348623157e308, 5e-324, 2.0**53),
    *(2147483647.4, 2147483647.5, -2147483648.5, -2147483648.6, 9.2e18, 2.0**63, -(2.0**63), 0.1 + 0.2, 1e15 + 0.5),
    *(99999999999999.95, 999999999999999.9, 9999999999999998.0, 1234567890123456.0, 0.00012345678901234567),
]
INTEGERS = [0, 1, -1, 7, 2**31 - 1, -(2**31)]
VALUES: list[tuple[Type, list[Value]]] = [
    (Type(Kind.STRING), TEXTS),
    (Type(Kind.UUID), [UUID("0190a0c8-51a4-7c3e-8a70-3f2b9a1c5d6e")]),
    (Type(Kind.DATE), [date(2024, 2, 29), date(1, 1, 1), date(999, 12, 31), date(9999, 12, 31)]),
    (Type(Kind.DATETIME), INSTANTS),
    (Type(Kind.INT32), INTEGERS),
    (Type(Kind.INT64), [*INTEGERS, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, -(2**63)]),
    (Type(Kind.DOUBLE), DOUBLES),
    (Type(Kind.DECIMAL, precision=12, scale=2), [Decimal(text) for text in ("0.00", "1.50", "-0.50", "2.49", "2.50")]),
    (
        Type(Kind.DECIMAL),
        [
            Decimal(text)
            for text in (
                *("0", "1", "0.5", "-0.5", "1.5", "-1.5", "2.5", "0.4999999999999999999999", "1.000", "0.000"),
                *("2147483647.4", "2147483647.5", "-2147483648.4", "-2147483648.5", "9223372036854775807.4999"),
                *("9223372036854775807.5", "-9223372036854775808.5", "1234567890123456789012345678901234"),
                *("0.1234567890123456789012345678901234", "-0.0000000001", "99999999999999999999999999999999.95"),
            )
        ],
    ),
    (Type(Kind.BOOLEAN), [True, False]),
    (
        Type(Kind.JSON),
        [
            *(0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 0.5, 1.5, 2.5, -0.5, -2.5, 1.0, 1e22, 1e-7, 0.1, 1e300, 1e16),
            *(
                True,
                False,
                "",
                "a",
                "5",
                "true",
                'q"\\\n\x7fé🎸',
                [],
                [1, None, "x"],
                {},
                {"b": 1, "a": [1.5], "": None},
            ),
        ],
    ),
    *[
        (Type(Kind.ARRAY, items=Type(kind)), [[], items, items[:1]])
        for kind, items in (
            (Kind.STRING, TEXTS),
            (Kind.DATETIME, INSTANTS),
            (Kind.DOUBLE, DOUBLES),
            (Kind.BOOLEAN, [True, False]),
            (Kind.INT64, INTEGERS),
            (Kind.DATE, [date(2024, 2, 29)]),
            (Kind.UUID, [UUID("0190a0c8-51a4-7c3e-8a70-3f2b9a1c5d6e")]),
            (Kind.DECIMAL, [Decimal("1.50"), Decimal("-0.10")]),
        )
    ],
]
CASES = [
    pytest.param(source, target, values, id=f"{source.kind}{f'-{source.items.kind}' if source.items else ''}-{target}")
    for source, values in VALUES
    for target in Kind
    if castable(source.kind, target) and source.kind is not target and source.kind is not Kind.STRING
]
#: Texts, plain and otherwise plausible ones, that PostgreSQL reads as the port does, or not at all.
READ: dict[Kind, list[str]] = {
    Kind.INT32: ["0", "-0", "+7", "007", "2147483647", "2147483648", "-2147483649", "1.5", "x", "", "1e3"],
    Kind.INT64: ["9223372036854775807", "9223372036854775808", "-9223372036854775808"],
    Kind.DOUBLE: ["0", "-0", ".5", "5.", "1e5", "1E-5", "1e308", "1e309", "1e-400", "0e-400", "5e-324", "1e", "", "x"],
    Kind.DECIMAL: [
        *("0", "-0", "0.00", "1.50", "+1.50", ".5", "5.", "1e3", "1.5e3", "1.5e-3", "1.50e1", "00012.30", "-1e-5"),
        *("1234567890.123456789012345678901234", "x", "", "1e", "1,5", "1e100", "0e5", "0e-5"),
    ],
    Kind.BOOLEAN: ["true", "T", "yes", "on", "1", "false", "F", "no", "OFF", "0", "2", "", "maybe"],
    Kind.DATE: ["2024-02-29", "0001-01-01", "2023-02-29", "", "x"],
    Kind.DATETIME: ["2026-01-31T09:30:00.12Z", "2026-01-31 09:30:00+05:30", "2026-01-31", "2026-13-01", "", "x"],
    Kind.UUID: ["0190A0C8-51A4-7C3E-8A70-3F2B9A1C5D6E", "{0190a0c851a47c3e8a703f2b9a1c5d6e}", "x", ""],
}
#: Texts that PostgreSQL would take.
REFUSED: dict[Kind, list[str]] = {
    Kind.INT32: [" 7 ", "1_000", "0x1F", "0b1", "１２"],
    Kind.DOUBLE: ["NaN", "infinity", " 1"],
    Kind.DECIMAL: ["NaN", "Infinity", "1_000", "0x1F"],
    Kind.BOOLEAN: [" true", "tru"],
    Kind.DATE: ["today", "infinity", "20240229", "4 July 2024"],
    Kind.DATETIME: ["now", "-infinity", "12:00"],
}


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True, options="-c timezone=UTC") as connection:
        set_json_loads(str, connection)
        yield connection


def sql_type(kind: Type) -> str:
    return f"{SQL_TYPES[kind.items.kind]}[]" if kind.items is not None else SQL_TYPES[kind.kind]


def asked(postgres: psycopg.Connection, value: Value, source: Type, target: Kind) -> str:
    """What PostgreSQL makes of the cast, as text, or the SQLSTATE of its refusal."""
    given = Jsonb(value, dumps=json_text) if source.kind is Kind.JSON else value
    operand = f"%s::{sql_type(source)}"
    written = f"to_jsonb({operand})" if target is Kind.JSON else f"({operand})::{SQL_TYPES[target]}"
    try:
        row = postgres.execute(f"SELECT ({written})::text", [given]).fetchone()
    except psycopg.Error as error:
        return str(error.sqlstate)
    assert row is not None
    return str(row[0])


def ours(value: Value, source: Type, target: Kind) -> str:
    """The same of the port: the value's text, or the code of its refusal."""
    goal = cast_type(source, target)
    try:
        return str(cast(cast(value, source, goal), goal, Type(Kind.STRING)))
    except CastFailed as error:
        return error.code


def normal(answer: str) -> str:
    """PostgreSQL has codes of their own for bad dates and for JSON of the wrong kind."""
    return "22P02" if answer in ("22003", "22007", "22008", "22023") else answer


@pytest.mark.parametrize(("source", "target", "values"), CASES)
def test_casts_give_what_postgresql_gives(
    postgres: psycopg.Connection, source: Type, target: Kind, values: list[Value]
) -> None:
    for value in values:
        assert ours(value, source, target) == normal(asked(postgres, value, source, target)), value


@pytest.mark.parametrize("target", READ)
def test_texts_are_read_as_postgresql_reads_them(postgres: psycopg.Connection, target: Kind) -> None:
    for text in READ[target]:
        assert ours(text, Type(Kind.STRING), target) == normal(asked(postgres, text, Type(Kind.STRING), target)), text


@pytest.mark.parametrize("target", REFUSED)
def test_only_the_plain_forms_of_text_are_read(target: Kind) -> None:
    for text in REFUSED[target]:
        with pytest.raises(CastFailed):
            cast(text, Type(Kind.STRING), Type(target))


@pytest.mark.parametrize("text", ["1" * 35, "0." + "1" * 35, "1." + "0" * 34, "1e1001", "1e-1001", "0." + "0" * 1001])
def test_decimals_are_read_with_34_digits_at_the_most(text: str) -> None:
    with pytest.raises(CastFailed):
        cast(text, Type(Kind.STRING), Type(Kind.DECIMAL))


@pytest.mark.parametrize(("source", "values"), VALUES)
def test_null_and_the_same_kind_stay_as_they_are(source: Type, values: list[Any]) -> None:
    for value in (None, *values):
        assert cast(value, source, source) is value
    assert cast(None, source, Type(Kind.STRING)) is None


def test_text_becomes_a_json_string() -> None:
    assert cast("[1]", Type(Kind.STRING), Type(Kind.JSON)) == "[1]"


def test_refusals_do_not_tell_the_value() -> None:
    with pytest.raises(CastFailed) as refused:
        cast("secret", Type(Kind.STRING), Type(Kind.INT32))
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_averages_have_the_digits_of_postgresqls_division(postgres: psycopg.Connection) -> None:
    dice = random.Random(3)
    cases = [(Decimal(text), count) for text in ("0", "0.00", "-1", "1") for count in (1, 3, 9999, 10_000, 10_001)]
    for _ in range(4000):
        digits = dice.randint(1, 34)
        number = Decimal(dice.randrange(10**digits)).scaleb(-dice.choice((0, 0, 1, 2, 4, 10, digits, 40)))
        cases.append((-number if dice.random() < 0.3 else number, dice.randint(1, 10 ** dice.randint(1, 9))))
    rows = postgres.execute(
        "SELECT (total / count)::text FROM unnest(%s::numeric[], %s::numeric[]) AS given (total, count)",
        [[total for total, _ in cases], [count for _, count in cases]],
    ).fetchall()
    assert [format(average(total, count), "f") for total, count in cases] == [text for (text,) in rows]

"""Records as JSON text: each form, literally."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from repositories.encoding import decimal_text, double_text, instant_text, json_text, records_encoder
from repositories.schema import Kind, Type


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (1 / 3, "0.3333333333333333"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (100000.0, "100000"),
        (123456789012345.6, "123456789012345.6"),
        (999999999999999.0, "999999999999999"),
        (1e15, "1e+15"),
        (-1e15, "-1e+15"),
        (1234567890123456.0, "1.234567890123456e+15"),
        (1e16, "1e+16"),
        (1.2345e20, "1.2345e+20"),
        (1e22, "1e+22"),
        (3100880667624089.5, "3.1008806676240895e+15"),
        (1e23, "9.999999999999999e+22"),  # halfway between two doubles, where Python writes 1e+23
        (-9e22, "-9e+22"),
        (2.0**1023, "8.98846567431158e+307"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
    ],
)
def test_doubles(value: float, text: str) -> None:
    assert double_text(value) == text
    assert float(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.00", "0.00"),
        ("-1.50", "-1.50"),
        ("1E+5", "100000"),
        ("1E-7", "0.0000001"),
        ("9" * 34, "9" * 34),
        ("0E-10", "0.0000000000"),
    ],
)
def test_decimals(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00+00:00"),
        (datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), "9999-12-31T23:59:59.999+00:00"),
        (datetime(2026, 1, 31, 9, 30, 0, 120000, tzinfo=UTC), "2026-01-31T09:30:00.12+00:00"),
        (datetime(2026, 1, 31, 9, 30, 0, 100000, tzinfo=UTC), "2026-01-31T09:30:00.1+00:00"),
        (datetime(2026, 1, 31, 9, 30, 10, 1000, tzinfo=UTC), "2026-01-31T09:30:10.001+00:00"),
    ],
)
def test_instants(value: datetime, text: str) -> None:
    assert instant_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (2**63 - 1, "9223372036854775807"),
        (1.0, "1.0"),
        (1e16, "10000000000000000"),
        (1.5e-7, "0.00000015"),
        ([], "[]"),
        ({}, "{}"),
        ([1, None, "a"], '[1, null, "a"]'),
        ({"bb": 1, "a": {"c": False}}, '{"a": {"c": false}, "bb": 1}'),
        ({"é": 1, "zz": 2, "z": 3, "": 4}, '{"": 4, "z": 3, "zz": 2, "é": 1}'),
        ('"\\\n\x01\x7fé😀/', '"\\"\\\\\\n\\u0001\x7fé😀/"'),
        ({'"': 1}, '{"\\"": 1}'),
    ],
)
def test_free_json(value: Any, text: str) -> None:
    assert json_text(value) == text


def test_records() -> None:
    kinds: dict[str, tuple[Type, Any]] = {
        "id": (Type(Kind.UUID), UUID(int=10)),
        "text": (Type(Kind.STRING), 'ä"\n'),
        "day": (Type(Kind.DATE), date(1, 2, 3)),
        "moment": (Type(Kind.DATETIME), datetime(2026, 1, 31, tzinfo=UTC)),
        "small": (Type(Kind.INT32), -1),
        "big": (Type(Kind.INT64), 2**63 - 1),
        "real": (Type(Kind.DOUBLE), 1.0),
        "money": (Type(Kind.DECIMAL, precision=5, scale=2), Decimal("1.50")),
        "flag": (Type(Kind.BOOLEAN), False),
        "moneys": (Type(Kind.ARRAY, items=Type(Kind.DECIMAL)), [Decimal("0.10"), Decimal("2.00")]),
        "texts": (Type(Kind.ARRAY, items=Type(Kind.STRING)), []),
        "free": (Type(Kind.JSON), {"b": [1, 2], "a": None}),
    }
    encode = records_encoder(list(kinds), [kind for kind, _ in kinds.values()])
    row = tuple(value for _, value in kinds.values())
    record = (
        '{"id":"00000000-0000-0000-0000-00000000000a","text":"ä\\"\\n","day":"0001-02-03",'
        '"moment":"2026-01-31T00:00:00+00:00","small":-1,"big":9223372036854775807,"real":1,"money":1.50,'
        '"flag":false,"moneys":[0.10,2.00],"texts":[],"free":{"a": null, "b": [1, 2]}}'
    )
    nulls = "{" + ",".join(f'"{name}":null' for name in kinds) + "}"
    assert encode([row, (None,) * len(kinds)]).decode() == f"[{record},{nulls}]"
    assert encode([]) == b"[]"


def test_a_row_must_fit_its_names() -> None:
    for kind in (Kind.STRING, Kind.DECIMAL):
        with pytest.raises(ValueError, match="zip"):
            records_encoder(["a"], [Type(kind)])([(None, None)])

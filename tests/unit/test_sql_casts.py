"""Casts in PostgreSQL make what the rules for all stores make, value by value, and fail where those fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from repositories import casts
from repositories.encoding import json_text
from repositories.errors import CastFailed, RepositoryError, ValueOutOfRange
from repositories.expressions import castable
from repositories.query import Cast, Column, Comparison, Operator, Output, Param, Read, Selection
from repositories.schema import Kind, Type, Value
from repositories.sql.repository import PostgresRepository
from tests import catalogs
from tests.contract import queries as q
from tests.contract.samples import JSONS, LADDERS
from tests.unit.sql_server import database_url, opened

__all__ = ["database_url"]

INTEGERS = [
    "0",
    "-0",
    "+5",
    "7",
    "007",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "111111111111111111111111111111111111111",
    "",
    " 7",
    "7 ",
    "1_000",
    "0x1F",
    "1.0",
    "1e3",
    "٣",
    "--1",
]
NUMBERS = [
    "1.",
    ".5",
    ".",
    "1e",
    "1e5",
    "1.50e1",
    "-1E-5",
    "0.00",
    "-0.00",
    "0e5",
    "1e400",
    "1e-400",
    "0e-400",
    "1e308",
    "1e309",
    "1e999999",
    "1e-999999",
    "1e1000000",
    "1e1000",
    "1e1001",
    "1e-1000",
    "1e-1001",
    "12e-1001",
    "0e-1000",
    "0e-1001",
    "9999999999999999999999999999999999",
    "99999999999999999999999999999999999",
    "1.000000000000000000000000000000000",
    "1.0000000000000000000000000000000000",
    "NaN",
    "Infinity",
    "inf",
    "1e+",
    "1_0.5",
    "１",
    "4.35",
    "1.10",
    "123.4500e-2",
]
BOOLEANS = [
    "true",
    "TRUE",
    "t",
    "yes",
    "Y",
    "on",
    "1",
    "false",
    "f",
    "NO",
    "n",
    "off",
    "0",
    "tr",
    "of",
    "",
    " true",
    "2",
]
UUIDS = [
    "01890000-0000-7000-8000-000000000000",
    "0189000000007000800000000000ABCD",
    "{01890000-0000-7000-8000-000000000000}",
    "{01890000000070008000000000000000",
    "01890000-0000-7000-8000-00000000000",
    "0189-0000-0000-7000-8000-0000-0000-0000",
    "018-90000-0000-7000-8000-000000000000",
    "",
    "x",
]
DATES = [
    "2024-02-29",
    "2023-02-29",
    "2024-13-01",
    "2024-1-1",
    "0001-01-01",
    "0000-01-01",
    "9999-12-31",
    "10000-01-01",
    "02024-01-01",
    "002024-01-01",
    "20240101",
    "now",
    "today",
    "infinity",
    "2024-02-30",
    "",
    "2024-01-01 BC",
    "999999-01-01",
    " 2024-01-01",
    "2024-00-10",
    "2024-01-00",
]
INSTANTS = [
    "2026-01-31T09:30:00.12Z",
    "2026-01-31 09:30",
    "2026-01-31t09:30:00z",
    "2026-01-31T09:30:00.9999999999",
    "2026-01-31T09:30:00.1239",
    "2026-01-31T09:30:00+02",
    "2026-01-31T09:30:00+0230",
    "2026-01-31T09:30:00 +02:30",
    "2026-01-31T09:30:00-15:59",
    "2026-01-31T09:30:00+16",
    "2026-01-31T09:30:00+02:60",
    "2026-01-31T24:00:00",
    "2026-01-31Z",
    "2026-01-31+02",
    "2026-01-31-02:30",
    "2026-01-31 Z",
    "2026-01-31T09:60",
    "2026-01-31T09:30:60",
    "2026-02-30T00:00",
    "0001-01-01T00:00:00+05",
    "0001-01-01T00:00:00-05",
    "9999-12-31T23:59:59.9999",
    "9999-12-31T23:59:59-01",
    "epoch",
    "02026-01-31T09:30",
    "0000-01-01T00:00",
    "2026-01-31T",
    "2026-01-31T09",
    "2026-01-31 09:30:00 UTC",
    "2026-01-31T09:30:00.",
    "2026-03-29T01:30:00.001\tZ",
    "10000-01-01T00:00",
    "2026-01-31T09:30:00.123456789012",
    "2026-01-31T09:30:00.1234567890123",
]
SIZES = ["1" * 39, "0." + "0" * 1001, "9" * 34, "9" * 35, "0" * 40 + "1.5", "0." + "0" * 40 + "1", "1." + "0" * 33]
SIZES += ["1." + "0" * 34]
TEXTS = [*SIZES, *INTEGERS, *NUMBERS, *BOOLEANS, *UUIDS, *DATES, *INSTANTS]


@pytest.fixture(scope="module")
def lab(database_url: str) -> Iterator[PostgresRepository]:
    with opened(database_url, catalogs.lab()) as repository:
        yield repository


def outcome(kind: Kind, make: Callable[..., Value], *given: Any) -> Any:
    """What is made, with the type and the digits that it has, or the class of the error."""
    try:
        value = make(*given)
    except CastFailed as error:
        return type(error)
    if kind is Kind.JSON:
        return json_text(value)
    return type(value), value, str(value)


def check(lab: PostgresRepository, name: str, values: list[Value], target: Kind) -> None:
    """The column `name` holds one value after the other; each is cast here and there."""
    resource = lab.catalog["samples"]
    field, key = resource.fields[name], resource.fields["id"]
    lab.write(q.delete(lab.catalog, "samples"))
    lab.write(q.insert(lab.catalog, "samples", *({"id": i, name: value} for i, value in enumerate(values))))
    kind = field.type if target is field.type.kind else Type(target)
    selection = Selection(
        resource, (Output("made", Cast(Column(field), kind)),), Comparison(Column(key), Operator.EQ, Param(0))
    )

    def made(index: int) -> Value:
        return lab.rows(Read(selection, (index,))).rows[0][0]

    for index, value in enumerate(values):
        expected = outcome(target, casts.cast, value, field.type, kind)
        found = outcome(target, made, index)
        assert found == expected, (value, target)


@pytest.mark.parametrize("target", [kind for kind in Kind if castable(Kind.STRING, kind)])
def test_texts(lab: PostgresRepository, target: Kind) -> None:
    check(lab, "text", [*TEXTS, *LADDERS["text"]], target)


@pytest.mark.parametrize("name", [name for name in LADDERS if name != "text"])
def test_scalars(lab: PostgresRepository, name: str) -> None:
    odd: dict[str, list[Value]] = {
        "real": [0.5, 1.5, 2.5, -2.5, 2147483647.5, 2147483646.5, 1e19, -0.0, 0.1 + 0.2, 1e22, 123456789.123456789],
        "money": [Decimal("0.50"), Decimal("1.50"), Decimal("2.50"), Decimal("-2.50"), Decimal("2147483647.50")],
        "exact": [Decimal("0.5000000000"), Decimal("9223372036854775807.5000000000")],
    }
    source = lab.catalog["samples"].fields[name].type.kind
    for target in Kind:
        if castable(source, target):
            check(lab, name, [*LADDERS[name], *odd.get(name, [])], target)


@pytest.mark.parametrize("name", list(LADDERS))
def test_arrays(lab: PostgresRepository, name: str) -> None:
    for target in (Kind.STRING, Kind.JSON):
        check(lab, f"{name}s", [[], LADDERS[name], LADDERS[name][:1]], target)


@pytest.mark.parametrize("target", [kind for kind in Kind if castable(Kind.JSON, kind)])
def test_json(lab: PostgresRepository, target: Kind) -> None:
    odd = ["5", "true", 2.5, -2.5, 2147483647.5, 2**31, 1e300, 5e-324, False, 0.5]
    check(lab, "free", [*JSONS, *odd], target)


def test_an_error_has_the_code_of_its_fault(lab: PostgresRepository) -> None:
    assert issubclass(CastFailed, RepositoryError)
    assert (CastFailed.code, ValueOutOfRange.code) == ("22P02", "22003")

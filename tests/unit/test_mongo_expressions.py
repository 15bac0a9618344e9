"""Aggregation expressions against what Python makes of the same values: texts of doubles, casts, exact sums."""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from repositories import casts
from repositories.encoding import double_text, json_text
from repositories.errors import CastFailed, RepositoryError, ValueOutOfRange
from repositories.expressions import castable
from repositories.mongo.aggregates import accumulate, prepared, stand_in_reader
from repositories.mongo.casting import cast
from repositories.mongo.documents import CODEC, writer
from repositories.mongo.errors import translate
from repositories.mongo.numbers import double_json_text, shortest
from repositories.mongo.texts import double_text as double_text_of
from repositories.query import AggregateFunction
from repositories.schema import Catalog, Kind, Type, Value

DATABASE = "diglot_test_expressions"


@pytest.fixture(scope="module")
def values(mongodb_url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        yield client.get_database(DATABASE, codec_options=CODEC).values
        client.drop_database(DATABASE)


def made(values: Any, found: list[Any], expression: Any) -> list[Any]:
    """What the expression over `$v` makes of each value."""
    values.delete_many({})
    values.insert_many([{"_id": number, "v": value} for number, value in enumerate(found)])
    return [each["x"] for each in values.aggregate([{"$sort": {"_id": 1}}, {"$project": {"x": expression}}])]


def doubles() -> list[float]:
    rng = random.Random(11)
    found = [0.0, -0.0, 0.1, 1 / 3, 0.1 + 0.2, 1e15, 1e16, 1e22, 5e-324, 1e-320, 1.7976931348623157e308, -1e-7, 1.5e-7]
    found += [123456789012345.6, 9007199254740993.0, 99999999999999.98, 9.5, 0.0001, 0.00001, -0.3, 2.5e-5, 1e-4]
    found += [1e23, -1e23, 2.0**54 + 4, 2.0**54 - 2]  # the first are halfway, as they are written
    found += [2.2250738585072014e-308, 2.225073858507201e-308]
    found += [2.0**power for power in range(-1074, 1024, 3)]
    found += [math.nextafter(10.0**power, 0) for power in range(-300, 308, 5)]
    found += [10.0**power for power in range(-320, 308, 5)]
    found += [rng.uniform(-1000, 1000) for _ in range(500)] + [round(rng.uniform(0, 1e5), 2) for _ in range(200)]
    found += [1e23] + [float(rng.getrandbits(53) << rng.randint(1, 20)) for _ in range(300)]  # some halfway to others
    bits = (struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0] for _ in range(1500))
    return found + [each for each in bits if math.isfinite(each)]


def test_texts_of_doubles(values: Any) -> None:
    found = doubles()
    texts = made(values, found, {"j": double_json_text("$v"), "t": double_text_of("$v")})
    assert [each["j"] for each in texts] == [json_text(each) for each in found]
    plain = [(value, each["t"]) for value, each in zip(found, texts, strict=True) if value]
    assert [text for _, text in plain] == [double_text(value) for value, _ in plain]


def test_the_shortest_decimal(values: Any) -> None:
    found = doubles()
    assert [float(str(each)) for each in made(values, found, shortest("$v"))] == found
    assert made(values, [None], shortest("$v")) == [None]


SAMPLES: dict[Kind, list[Value]] = {
    Kind.STRING: [
        *("7", "-0", "+12", " 7", "1_0", "", "0x1F", "2147483648", "-2147483648", "9223372036854775808", "1" * 41),
        *("1.5", "1e5", ".5", "5.", "1e400", "1e-400", "-1.50", "NaN", "infinity", "0.1", "1e-7", "0" * 50 + "1"),
        *("1234567890123456789012345678901234", "12345678901234567890123456789012345", "true", "T", "off", "2", "yes "),
        *("2026-01-31", "2026-02-30", "2026-1-1", "2026-01-31T09:30:00.1239+02:00", "2026-01-31 09:30", "now"),
        *("2026-01-31T09:30:00Z", "2026-01-31 09:30:00-0330", "2026-01-31T25:00:00", "2026-01-31 09:30:59+01"),
        *("{0189-00000000-7000-8000000000000000}", "01890000-0000-7000-8000-00000000ABCD", "01890000"),
    ],
    Kind.INT32: [0, -1, 2**31 - 1],
    Kind.INT64: [0, 2**31, -(2**31), 2**63 - 1],
    Kind.DOUBLE: [0.5, 1.5, -2.5, 1e10, 2147483647.4, 2147483647.5, 9.3e18, -9.223372036854775808e18, 1 / 3, 1e22, 0.1],
    Kind.DECIMAL: [Decimal("0.50"), Decimal("-1.50"), Decimal("2.49"), Decimal("9999999999.99"), Decimal("0.00")],
    Kind.BOOLEAN: [True, False],
    Kind.DATE: [date(2026, 1, 31), date.min],
    Kind.DATETIME: [datetime(2026, 1, 31, 9, 30, tzinfo=UTC), datetime(2026, 1, 31, 9, 30, 0, 120000, tzinfo=UTC)],
    Kind.JSON: [1, 2.5, -0.5, 2**40, True, "7", [1], {"a": 1}, 0.1],
}
SCALES = {Kind.DECIMAL: 2}
PAIRS = [
    (source, target)
    for source, target in itertools.product(SAMPLES, Kind)
    if castable(source, target) and target not in (Kind.JSON, source) and (source, target) != (Kind.JSON, Kind.STRING)
]


def attempt(work: Any) -> Any:
    try:
        return work()
    except CastFailed as error:
        return type(error)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_casts(values: Any, source: Kind, target: Kind) -> None:
    origin, wanted = Type(source, scale=SCALES.get(source)), Type(target)
    write, read = writer(origin), stand_in_reader(wanted)

    def asked(value: Value) -> Value:
        try:
            return read(made(values, [write(value)], cast("$v", origin, wanted))[0])
        except OperationFailure as error:
            raise translate(error, Catalog()) from error

    for value in SAMPLES[source]:
        expected = attempt(lambda value=value: casts.cast(value, origin, wanted))
        assert repr(attempt(lambda value=value: asked(value))) == repr(expected), value
    assert asked(None) is None


@pytest.mark.parametrize(
    "numbers",
    [
        [0.1] * 10,
        [1e16, 1.0, -1e16],
        [1e30, 1e-10, -1e30],
        [1e300, 1e-300, -1e300],
        [5e-324, 5e-324],
        [1e22, 0.1, None, -1e22],
        [123456.789, 1 / 3, 2 / 3],
    ],
)
def test_sums_of_doubles_lose_nothing(values: Any, numbers: list[float | None]) -> None:
    kind = Type(Kind.DOUBLE)
    assert prepared(AggregateFunction.SUM, "$v", kind) == shortest("$v")
    accumulators, finish = accumulate(AggregateFunction.SUM, "$s", kind)
    values.delete_many({})
    values.insert_many([{"v": number} for number in numbers])
    [found] = values.aggregate([{"$set": {"s": shortest("$v")}}, {"$group": {"_id": None, **accumulators}}])
    total = sum(Fraction(repr(each)) for each in numbers if each is not None)
    assert finish(found) == float(total)


def summed(values: Any, kind: Type, *numbers: Decimal) -> Value:
    accumulators, finish = accumulate(AggregateFunction.SUM, "$v", kind)
    values.delete_many({})
    values.insert_many([{"v": writer(kind)(number)} for number in numbers])
    [found] = values.aggregate([{"$group": {"_id": None, **accumulators}}])
    return finish(found)


def test_sums_of_decimals_beyond_34_digits(values: Any) -> None:
    total = partial(summed, values, Type(Kind.DECIMAL, precision=34, scale=10))
    largest = Decimal("9" * 24 + "." + "9" * 10)
    assert total(largest, largest, largest.copy_negate()) == largest
    assert str(total(largest, largest.copy_negate())) == "0E-10"
    with pytest.raises(ValueOutOfRange):
        total(largest, largest)


def test_sums_of_long_fractions(values: Any) -> None:
    total = partial(summed, values, Type(Kind.DECIMAL, precision=34, scale=33))
    longest, half = Decimal("9." + "9" * 33), Decimal("4." + "9" * 32 + "5")
    assert total(longest, longest, longest, longest.copy_negate(), longest.copy_negate()) == longest
    assert str(total(half, half)) == "9." + "9" * 32 + "0"
    with pytest.raises(ValueOutOfRange):
        total(longest, Decimal("1e-33"))


def test_conversions_the_server_fails_by_itself(values: Any) -> None:
    for expression in ({"$toInt": "$v"}, {"$toInt": {"$toDouble": "$w"}}):
        values.delete_many({})
        values.insert_one({"v": "x", "w": 1e300})
        with pytest.raises(OperationFailure) as caught:
            list(values.aggregate([{"$project": {"x": expression}}]))
        error: RepositoryError = translate(caught.value, Catalog())
        assert type(error) is CastFailed

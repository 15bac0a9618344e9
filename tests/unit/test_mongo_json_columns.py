"""Documents written straight as JSON: the bytes, and the refusals, of the way over rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import Decimal128, Int64, decode, encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repositories.encoding import records_encoder
from repositories.errors import SchemaMismatch
from repositories.mongo.documents import CODEC, decoder
from repositories.mongo.json_columns import JsonColumns
from repositories.schema import Field, Kind, Resource, Type

PRICE, WHOLE = Type(Kind.DECIMAL, precision=12, scale=2), Type(Kind.DECIMAL, precision=20, scale=0)
TYPES = {
    "price": PRICE, "whole": WHOLE, "weight": Type(Kind.DOUBLE), "at": Type(Kind.DATETIME), "day": Type(Kind.DATE),
    "name": Type(Kind.STRING), "stock": Type(Kind.INT32), "views": Type(Kind.INT64), "active": Type(Kind.BOOLEAN),
    "other": Type(Kind.UUID), "notes": Type(Kind.JSON), "tags": Type(Kind.ARRAY, items=Type(Kind.STRING)),
    "prices": Type(Kind.ARRAY, items=PRICE),
}  # fmt: skip
FIELDS = {"id": Field("id", Type(Kind.INT64), required=True)} | {
    name: Field(name, kind) for name, kind in TYPES.items()
}
RESOURCE = Resource("things", FIELDS, ("id",))
COLUMNS = list(FIELDS.values())
STRAIGHT = JsonColumns(RESOURCE, list(FIELDS), COLUMNS)
DECIMALS = [
    "1.50",
    "-1.50",
    "0.00",
    "-0.00",
    "0.01",
    "-0.01",
    "1.5",
    "1.505",
    "15E1",
    "0",
    "1E+3",
    "9999999999.99",
    "-0",
]
DECIMALS += ["NaN", "Infinity", "9.999999999999999999999999999999999E+6144"]
STORED: list[Any] = [Decimal128(each) for each in DECIMALS]
STORED += [None, 0, 7, -7, Int64(2**40), True, 0.0, -0.0, 1.0, 0.1, -2.5, 1e15, 1e22, 1e-5, 5e-324, float("nan"), 1e308]
STORED += ["", "a", 'é\n"', datetime(2026, 1, 31, 9, 30, 0, 120000), datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59)]
STORED += [
    UUID(int=7),
    {},
    {"b": 1.0, "a": [1, {"$ref": "x"}]},
    [],
    ["a"],
    [Decimal128("1.50"), Decimal128("2")],
    [None],
]


def outcome(work: Callable[[], bytes]) -> bytes | str:
    try:
        return work()
    except SchemaMismatch as error:
        return str(error)


def over_rows(documents: list[dict[str, Any]]) -> bytes:
    write = records_encoder(list(FIELDS), [field.type for field in COLUMNS])
    return write(decoder(RESOURCE, COLUMNS)(documents))


def read_back(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    """As the driver gives them."""
    return [decode(encode({"_id": 1, **each}, codec_options=CODEC), CODEC) for each in documents]


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("value", STORED, ids=repr)
def test_any_stored_value_is_written_or_refused_alike(name: str, value: Any) -> None:
    for documents in ([{name: value}], [{}, {name: value}, {name: None}]):
        given = read_back(*documents)
        assert outcome(lambda given=given: STRAIGHT.array(given)) == outcome(lambda given=given: over_rows(given))  # type: ignore[misc]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "price": st.decimals(-(10**10), 10**10, places=2).map(Decimal128),
                "whole": st.integers(-(10**20), 10**20).map(lambda each: Decimal128(Decimal(each))),
                "weight": st.floats(allow_nan=False, allow_infinity=False),
                "at": st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
                "name": st.text(),
            },
        ),
        max_size=4,
    )
)
def test_records_are_written_alike(documents: list[dict[str, Any]]) -> None:
    given = read_back(*documents)
    assert STRAIGHT.array(given) == over_rows(given)
    assert STRAIGHT.lines(given) == b"".join(over_rows([each])[1:-1] + b"\n" for each in given)


def test_nothing_is_an_empty_array_and_no_line() -> None:
    assert (STRAIGHT.array([]), STRAIGHT.lines([])) == (b"[]", b"")

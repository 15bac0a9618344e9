"""Every kind of value comes back equal, at its edges too, and is written in the same bytes by every store."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from repositories.encoding import json_text
from repositories.schema import Value
from tests.contract import queries
from tests.contract.port import Port
from tests.contract.samples import JSONS, LADDERS, nested, product


@pytest.fixture
def catalog_name() -> str:
    return "lab"


def exactly(value: Value) -> Any:
    """The value with its types spelled out: 1, 1.0, True and Decimal("1.00") all differ, and so do 0.0 and -0.0."""
    if isinstance(value, list):
        return [exactly(item) for item in value]
    if isinstance(value, datetime):
        return "datetime", value.isoformat()
    return type(value).__name__, repr(value)


@pytest.mark.parametrize("name", LADDERS)
def test_scalars_come_back_equal(port: Port, name: str) -> None:
    values = LADDERS[name]
    port.insert("samples", *({"id": number, name: value} for number, value in enumerate(values, 1)))
    assert exactly(port.column("samples", name)) == exactly(values)


@pytest.mark.parametrize("name", LADDERS)
def test_arrays_come_back_equal(port: Port, name: str) -> None:
    values = LADDERS[name]
    arrays = [[], values, values[::-1], [values[0]], [values[-1], values[-1]]]
    port.insert("samples", *({"id": number, f"{name}s": array} for number, array in enumerate(arrays, 1)))
    assert exactly(port.column("samples", f"{name}s")) == exactly(arrays)


def test_negative_zero_is_kept_by_doubles(port: Port) -> None:
    port.insert("samples", {"id": 1, "real": -0.0, "reals": [-0.0, 0.0]})
    assert exactly(port.find("samples", columns=["real", "reals"])) == exactly([{"real": -0.0, "reals": [-0.0, 0.0]}])


def test_long_text_comes_back_equal(port: Port) -> None:
    text = "Ü😀" * 50_000
    port.insert("samples", {"id": 1, "text": text})
    assert port.column("samples", "text") == [text]


@pytest.mark.parametrize("field", ["free", "shaped"])
def test_free_json_comes_back_equal(port: Port, field: str) -> None:
    values = [value for value in JSONS if field == "free" or isinstance(value, dict)]
    port.insert("samples", *({"id": number, field: value} for number, value in enumerate(values, 1)))
    found = port.column("samples", field)
    assert [json_text(value) for value in found] == [json_text(value) for value in values]
    assert found == values


def test_free_json_nests_64_deep(port: Port) -> None:
    port.insert("samples", {"id": 1, "free": nested(64)})
    assert port.column("samples", "free") == [nested(64)]


def test_every_field_may_be_null(port: Port) -> None:
    port.insert("samples", {"id": 1})
    nulls = dict.fromkeys(port.catalog["samples"].fields)
    assert port.find("samples") == [{**nulls, "id": 1}]


def test_a_missing_field_reads_as_null(port: Port) -> None:
    port.insert("samples", {"id": 1, "text": "x"})
    before = port.find("samples")
    port.store.forget_nulls("samples")
    assert port.find("samples") == before


def test_the_bytes_of_an_answer(port: Port) -> None:
    """One literal example of every kind, so that the encoder itself is not what proves the bytes."""
    port.insert(
        "samples",
        {
            "id": 7,
            "text": 'a"\\\n\u007f\u0001é😀/',
            "uuid": UUID("ABCDEF00-0000-7000-8000-000000000001"),
            "day": LADDERS["day"][0],
            "moment": LADDERS["moment"][5],
            "small": -5,
            "big": 2**63 - 1,
            "real": 1e15,
            "money": LADDERS["money"][3],
            "exact": LADDERS["exact"][3],
            "whole": LADDERS["whole"][3],
            "flag": True,
            "texts": ["a,b", ""],
            "moments": [LADDERS["moment"][0], LADDERS["moment"][4]],
            "moneys": [LADDERS["money"][2]],
            "reals": [0.5, 1.0, 1e-5],
            "free": {"bb": [1, 1.5, 1e16], "a": {"x": None}},
        },
    )
    absent = {"uuids", "days", "smalls", "bigs", "exacts", "wholes", "flags", "shaped"}
    names = [name for name in port.catalog["samples"].fields if name not in absent]
    document = port.repository.json(queries.read(port.catalog, "samples", columns=names))
    assert document.body.decode() == (
        '[{"id":7,"text":"a\\"\\\\\\n\x7f\\u0001é😀/","uuid":"abcdef00-0000-7000-8000-000000000001",'
        '"day":"0001-01-01","moment":"2026-01-31T09:30:00.12+00:00","small":-5,"big":9223372036854775807,'
        '"real":1e+15,"money":0.10,"exact":0.0000000001,"whole":9999999999999999999999999999999999,"flag":true,'
        '"texts":["a,b",""],"moments":["0001-01-01T00:00:00+00:00","2026-01-31T09:30:00.001+00:00"],'
        '"reals":[0.5,1,1e-05],"moneys":[0.00],"free":{"a": {"x": null}, "bb": [1, 1.5, 10000000000000000]}}]'
    )


def test_an_empty_answer(port: Port) -> None:
    document = port.repository.json(queries.read(port.catalog, "samples", count=True))
    assert (document.body, document.count, document.total) == (b"[]", 0, 0)


def test_what_a_write_returns_is_what_a_read_gives(port: Port) -> None:
    names = list(port.catalog["samples"].fields)
    row: dict[str, Value] = {name: ladder[-1] for name, ladder in LADDERS.items()}
    row |= {f"{name}s": ladder for name, ladder in LADDERS.items()} | {"id": 1, "free": JSONS[-8], "shaped": {"a": 1}}
    written = port.insert("samples", row, returning=names)
    read = queries.read(port.catalog, "samples")
    assert written.body == port.repository.json(read).body
    assert port.replace("samples", row, returning=names).body == written.body
    assert port.update("samples", row, returning=names).body == written.body
    assert port.delete("samples", returning=names).body == written.body


class TestKeys:
    """Keys of other kinds than a number."""

    def test_composite_keys_of_many_kinds(self, port: Port) -> None:
        keys = ("text", "day", "moment", "money", "uuid", "flag")
        names = port.catalog["readings"].primary_key
        rows = []
        for step in range(5):
            values = [LADDERS[kind][min(step, len(LADDERS[kind]) - 1)] for kind in keys]
            row = dict(zip(names, values, strict=True)) | {"level": LADDERS["money"][step + 1], "value": float(step)}
            rows.append(row | {"station": "same"})
        port.insert("readings", *reversed(rows))
        assert port.find("readings") == rows
        for row in rows:
            key = queries.every(*(queries.eq(name, row[name]) for name in names))
            assert port.find("readings", key) == [row]

    def test_the_key_of_what_was_written(self, port: Port) -> None:
        assert port.insert("countries", {"code": "日本", "name": "Japan"}).key == ("日本",)
        row = dict(zip(port.catalog["readings"].primary_key, _reading(), strict=True))
        assert port.insert("readings", row).key == _reading()
        assert port.replace("readings", row).key == _reading()


def _reading() -> tuple[Value, ...]:
    """A key of `readings`; the level is the last rung that fits its precision."""
    kinds = ("text", "day", "moment", "money", "uuid", "flag")
    return tuple(LADDERS[kind][-2 if kind == "money" else -1] for kind in kinds)


class TestShop:
    @pytest.fixture
    def catalog_name(self) -> str:
        return "shop"

    def test_a_uuid_key(self, port: Port) -> None:
        assert port.insert("products", product(5)).key == (UUID(int=5),)

    def test_columns_in_the_order_asked_for(self, port: Port) -> None:
        port.insert("products", product(1))
        document = port.repository.json(queries.read(port.catalog, "products", columns=["sku", "id", "name"]))
        assert document.body == b'[{"sku":"SKU-1","id":"00000000-0000-0000-0000-000000000001","name":"product 1"}]'

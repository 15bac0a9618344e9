"""Files as records: what CSV, JSON and NDJSON readers take, what they refuse, and where they say it is."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from service.transfer import csv_records, json_records
from service.transfer.csv_records import read_csv
from service.transfer.formats import Format, Malformed, TransferError, format_of
from service.transfer.json_records import read_json, read_ndjson
from service.transfer.source import Source


def csv(content: str | bytes) -> list[tuple[int, dict[str, Any] | str]]:
    return list(read_csv(io.BytesIO(content.encode() if isinstance(content, str) else content)).records)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("x", "x"),
        ("", None),
        ('""', ""),
        ('"x"', "x"),
        (" x ", " x "),
        ('"a ""b"""', 'a "b"'),
        ('""""', '"'),
        ('"a,b"', "a,b"),
        ('"a\nb"', "a\nb"),
        ('"a\r\nb\r"', "a\r\nb\r"),
        ("Ü😀", "Ü😀"),
        ("\\N", "\\N"),
        ("'x'", "'x'"),
        ('"a;b"', "a;b"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_csv_field(line: str, value: str | None, end: str) -> None:
    assert csv(f"n,v{end or chr(10)}1,{line}{end}") == [(2, {"n": "1", "v": value})]
    assert csv(f"v,n{end or chr(10)}{line},1{end}") == [(2, {"v": value, "n": "1"})]


def test_csv_records_are_placed_by_the_line_they_begin_on() -> None:
    content = 'a,b\n1,"x\n\ny"\n\n2,z\n"3\n",\n4,'
    assert [place for place, _ in csv(content)] == [2, 6, 7, 9]


def test_a_blank_line_is_null_where_there_is_one_column_only() -> None:
    assert csv("a\nx\n\n\ny\n") == [(2, {"a": "x"}), (3, {"a": None}), (4, {"a": None}), (5, {"a": "y"})]
    assert csv("a,b\n\n\r\n1,2\n\n") == [(4, {"a": "1", "b": "2"})]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"1", "has 1 fields where the header has 2"),
        (b"1,2,3", "has 3 fields where the header has 2"),
        (b"1,\xff", "is not valid UTF-8"),
        (b"1,\xed\xa0\x80", "is not valid UTF-8"),
        (b'1,x"y"', "field 2 has a quote or a carriage return outside quotes"),
        (b'"x"y,2', "field 1 has a quote or a carriage return outside quotes"),
        (b"1,a\rb", "field 2 has a quote or a carriage return outside quotes"),
    ],
)
def test_a_faulty_csv_record_lets_the_next_be_read(raw: bytes, reason: str) -> None:
    assert csv(b"a,b\n" + raw + b"\n1,2\n") == [(2, reason), (3, {"a": "1", "b": "2"})]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "line 1: there is no header"),
        (b"\n1,2\n", "line 1: there is no header"),
        (b"a,b,a\n", 'line 1: the column "a" is named more than once'),
        (b"a,,\n", 'line 1: the column "" is named more than once'),
        (b"\xff\xfea\x00\n", "line 1, the header: is not valid UTF-8"),
        (b'a"b\n1"\n', "line 1, the header: field 1 has a quote"),
        (b'a,b\n1,2\n3,"x\n4,5\n', "line 3: a quote is opened and never closed"),
    ],
)
def test_csv_that_cannot_be_read_on(content: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as raised:
        csv(content)
    assert str(raised.value).startswith(reason)


def test_csv_may_begin_with_a_byte_order_mark() -> None:
    assert csv(b"\xef\xbb\xbfa,b\n1,2\n") == [(2, {"a": "1", "b": "2"})]
    assert csv(b'\xef\xbb\xbf"a",b\n1,2\n') == [(2, {"a": "1", "b": "2"})]


def test_an_endless_record_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_records, "MAX_RECORD", 100)
    monkeypatch.setattr(json_records, "MAX_RECORD", 100)
    with pytest.raises(Malformed, match="line 2: the record is longer than 100 bytes"):
        csv('a,b\n1,"' + "x\n" * 100)
    with pytest.raises(Malformed, match="line 2: the record is longer than 100 bytes"):
        csv("a,b\n1," + "x" * 100)
    with pytest.raises(Malformed, match="line 1: is longer than 100 bytes"):
        list(read_ndjson(io.BytesIO(b" " * 101)).records)


def test_json_is_an_array_of_objects() -> None:
    table = read_json(io.BytesIO(b'[{"a": 1.50}, 2, {}]'))
    assert (table.names, table.unit) == (None, "item")
    (_, first), second, third = table.records
    assert (str(first["a"]), second, third) == ("1.50", (2, "is not an object"), (3, {}))  # type: ignore[index]


@pytest.mark.parametrize("content", [b"", b"{}", b"[{}", b"[{}]x", b"\xff", b'[{"a":1,"a":2}]', b"[NaN]", b"5"])
def test_what_is_not_such_json(content: bytes) -> None:
    with pytest.raises(Malformed, match="is not"):
        read_json(io.BytesIO(content))


def test_ndjson_has_an_object_on_each_line() -> None:
    table = read_ndjson(io.BytesIO(b'{"a": 1}\n\n  \r\n[1]\nx\n{"a":\n{"b": null}'))
    records = list(table.records)
    assert (table.names, table.unit) == (None, "line")
    assert records[0] == (1, {"a": 1})
    assert records[1] == (4, "is not an object")
    assert [place for place, _ in records] == [1, 4, 5, 6, 7]
    assert [isinstance(record, str) for _, record in records] == [False, True, True, True, False]


@pytest.mark.parametrize(("name", "form"), [("a.csv", "csv"), ("a/b.JSON", "json"), ("a.b.ndjson", "ndjson")])
def test_a_format_is_told_by_its_suffix(name: str, form: str) -> None:
    assert format_of(name) is Format(form)
    assert format_of(name, Format.CSV) is Format.CSV


@pytest.mark.parametrize("name", ["-", "a", "a.txt", "csv", ".csv"])
def test_a_format_that_cannot_be_told(name: str) -> None:
    with pytest.raises(TransferError, match="give --format with one of csv, json, ndjson"):
        Source(name)


def test_standard_input_can_be_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a\n1\n")))
    source = Source("-", Format.CSV)
    for _ in range(2):
        with source.table() as table:
            assert list(table.records) == [(2, {"a": "1"})]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(TransferError) as raised, Source(str(path), Format.CSV).table():
            pass
        assert str(raised.value).startswith(f"{path}: cannot be read (")


def test_what_is_wrong_in_a_file_is_told_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"a": 1}))
    with pytest.raises(TransferError) as raised, Source(str(path)).table():
        pass
    assert str(raised.value).startswith(f"{path}: is not an array of objects")

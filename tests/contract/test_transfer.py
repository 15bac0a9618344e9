"""What is exported and imported again is the same, on every store; an import that fails says where."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from repositories.encoding import json_text
from repositories.schema import Kind, Value
from service.transfer import exporter
from service.transfer.formats import Format, TransferError
from service.transfer.importer import BadRecords, Import
from service.transfer.source import Source
from tests.contract import queries
from tests.contract.port import Port
from tests.contract.samples import JSONS, LADDERS, nested
from tests.contract.test_values import exactly

Files = Callable[[str, str | bytes], Path]


@pytest.fixture
def catalog_name() -> str:
    return "lab"


@pytest.fixture
def written(tmp_path: Path) -> Files:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def exported(port: Port, name: str, file_format: Format) -> bytes:
    target = BytesIO()
    exporter.export(port.repository, port.catalog[name], file_format, target, lambda _: None)
    return target.getvalue()


def imported(port: Port, name: str, path: Path, **options: Any) -> Import:
    one = Import(port.catalog[name], Source(str(path)), **options)
    one.check(lambda _: None)
    one.write(port.repository, lambda _: None)
    return one


def edges() -> list[dict[str, Value]]:
    """Records of `samples` with every value of the ladders, in scalars and in arrays, all JSON, and nulls."""
    columns: dict[str, Sequence[Value]] = {"free": [*JSONS, nested(64)]}
    columns["shaped"] = [value for value in columns["free"] if isinstance(value, dict)]
    for name, values in LADDERS.items():
        columns[name] = [*values, -0.0] if name == "real" else values
        columns[f"{name}s"] = [[], values, values[:1], [values[-1], values[-1]]]
    columns["reals"] = [*columns["reals"], [0.0, -0.0]]
    size = max(map(len, columns.values())) + 1
    return [
        {"id": number + 1}
        | {name: values[number] if number < len(values) else None for name, values in columns.items()}
        for number in range(size)
    ]


@pytest.mark.parametrize("file_format", Format)
def test_every_value_survives(port: Port, written: Files, file_format: Format) -> None:
    port.insert("samples", *edges())
    before = port.find("samples")
    file = exported(port, "samples", file_format)
    port.store.empty()
    imported(port, "samples", written(f"x.{file_format}", file))
    after = port.find("samples")
    for name, field in port.catalog["samples"].fields.items():
        shown = json_text if field.type.kind is Kind.JSON else exactly  # JSON does not keep the order of its keys
        assert [shown(row[name]) for row in after] == [shown(row[name]) for row in before], name
    assert exported(port, "samples", file_format) == file


@pytest.mark.parametrize("file_format", Format)
def test_an_empty_resource_survives(port: Port, written: Files, file_format: Format) -> None:
    file = exported(port, "samples", file_format)
    assert imported(port, "samples", written(f"x.{file_format}", file)).count == 0


def test_an_export_reads_as_other_programs_write_it(port: Port) -> None:
    port.insert("countries", {"code": "é", "name": None}, {"code": "", "name": 'a "b", c'})
    assert exported(port, "countries", Format.CSV).decode() == 'code,name\n"","a ""b"", c"\né,\n'
    assert exported(port, "countries", Format.NDJSON).decode() == (
        '{"code":"","name":"a \\"b\\", c"}\n{"code":"é","name":null}\n'
    )
    assert json.loads(exported(port, "countries", Format.JSON)) == [
        {"code": "", "name": 'a "b", c'},
        {"code": "é", "name": None},
    ]


def test_an_export_of_several_batches_is_in_the_order_of_the_key(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "BATCH", 2)
    port.insert("roots", *({"id": number} for number in (5, 3, 1, 2, 4)))
    assert exported(port, "roots", Format.CSV) == b"id\n1\n2\n3\n4\n5\n"
    assert json.loads(exported(port, "roots", Format.JSON)) == [{"id": number} for number in range(1, 6)]
    assert exporter.count(port.repository, port.catalog["roots"]) == 5


def test_keys_survive_and_sequences_go_on_after_them(port: Port, written: Files) -> None:
    imported(port, "samples", written("x.csv", "id,text\n41,a\n7,b\n"))
    port.insert("samples", {"text": "c"})
    assert port.find("samples", columns=["id", "text"]) == [
        {"id": 7, "text": "b"},
        {"id": 41, "text": "a"},
        {"id": 42, "text": "c"},
    ]


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_children_may_come_before_their_parents(port: Port, written: Files, batch: int) -> None:
    path = written("x.csv", "id,parent_id\n1,2\n2,3\n3,4\n4,\n5,5\n6,7\n7,6\n8,6\n")
    imported(port, "folders", path, batch=batch)
    assert port.column("folders", "parent_id") == [2, 3, 4, None, 5, 7, 6, 6]


def test_a_parent_may_be_in_the_store_already(port: Port, written: Files) -> None:
    port.insert("folders", {"id": 1, "parent_id": None})
    imported(port, "folders", written("x.csv", "id,parent_id\n2,1\n3,2\n"), batch=1)
    assert port.column("folders", "parent_id") == [None, 1, 2]


def test_a_faulty_record_keeps_all_others_out(port: Port, written: Files) -> None:
    with pytest.raises(BadRecords) as raised:
        imported(port, "folders", written("x.csv", "id,parent_id\n1,\nx,1\n"), batch=1)
    assert [(fault.place, fault.column) for fault in raised.value.faults] == [(3, "id")]
    assert port.count("folders") == 0


@pytest.mark.parametrize("kept", [True, False])
def test_a_duplicate_is_named_by_its_line(port: Port, written: Files, kept: bool) -> None:
    path = written("x.csv", 'code,name\na,"b\nc"\nd,\ne,f\na,g\n')
    with pytest.raises(TransferError) as raised:
        imported(port, "countries", path, batch=2, keep=100 if kept else 0)
    told = str(raised.value)
    assert "x.csv, line 6: " in told
    assert "(23505) 2 of 4 records had been written before." in told
    assert port.column("countries", "code") == ["a", "d"]


def test_a_dangling_reference_is_named_by_its_line(port: Port, written: Files) -> None:
    with pytest.raises(TransferError) as raised:
        imported(port, "folders", written("x.csv", "id,parent_id\n1,\n2,99\n3,2\n"), batch=1)
    assert "x.csv, line 3: " in str(raised.value)
    assert "(23503) 1 of 3" in str(raised.value)


def test_the_sequence_goes_on_after_an_import_that_failed_half_way(port: Port, written: Files) -> None:
    with pytest.raises(TransferError):
        imported(port, "samples", written("x.csv", "id\n1\n2\n1\n"), batch=2)
    port.insert("samples", {"text": "next"})
    assert port.column("samples", "id") == [1, 2, 3]


def test_a_file_that_is_not_kept_is_read_again(port: Port, written: Files) -> None:
    lines = "".join(f'{{"id": {number}}}\n' for number in range(1, 11))
    imported(port, "roots", written("x.ndjson", lines), batch=3, keep=4)
    assert port.column("roots", "id") == list(range(1, 11))


def test_what_export_streams_is_what_a_page_has(port: Port) -> None:
    port.insert("samples", *edges()[:4])
    page = port.repository.json(queries.read(port.catalog, "samples")).body
    text = exported(port, "samples", Format.NDJSON)
    assert b"[" + text.rstrip(b"\n").replace(b"\n", b",") + b"]" == page

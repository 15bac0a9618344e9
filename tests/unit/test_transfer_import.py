"""Imports up to the store: names, types, defaults, the list of faults; the order of resources and of records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repositories.schema import Catalog
from service.transfer import importer
from service.transfer.formats import TransferError
from service.transfer.importer import BadRecords, Import
from service.transfer.ordering import parents_first, referenced_first
from service.transfer.source import Source
from tests import catalogs
from tests.oracle import OracleRepository

REQUIRED = "sku,name,price"


@pytest.fixture
def repository() -> OracleRepository:
    return OracleRepository(catalogs.shop())


def load(repository: OracleRepository, name: str, path: Path, **options: Any) -> list[dict[str, Any]]:
    one = Import(repository.catalog[name], Source(str(path)), **options)
    one.check(lambda _: None)
    one.write(repository, lambda _: None)
    return repository.state[name]


def faults(repository: OracleRepository, name: str, path: Path) -> tuple[BadRecords, list[tuple[int, str | None, str]]]:
    with pytest.raises(BadRecords) as raised:
        load(repository, name, path)
    assert repository.state[name] == []
    return raised.value, [(fault.place, fault.column, fault.reason) for fault in raised.value.faults]


def written(tmp_path: Path, content: str, name: str = "x.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode())
    return path


def test_absent_columns_get_their_initial_values(repository: OracleRepository, tmp_path: Path) -> None:
    (record,) = load(repository, "products", written(tmp_path, f"{REQUIRED}\nA,a,1\n"))
    assert (record["stock"], record["active"], record["tags"], record["weight"]) == (0, True, [], None)
    assert record["id"].version == 7
    assert record["created_at"] is not None


def test_an_empty_field_is_null_whatever_the_default(repository: OracleRepository, tmp_path: Path) -> None:
    path = written(tmp_path, f'{REQUIRED},stock,tags,weight,notes,active\nA,"",1,,,,,\nB,b,1,"","","","",""\n')
    for record in load(repository, "products", path):
        assert [record[name] for name in ("stock", "tags", "weight", "notes", "active")] == [None] * 5
    assert [record["name"] for record in repository.state["products"]] == ["", "b"]


def test_arrays_and_json_are_json_text(repository: OracleRepository, tmp_path: Path) -> None:
    path = written(
        tmp_path, f'{REQUIRED},tags,sizes,notes\nA,a,1,"[""x"", ""a,b""]","[1, 2]","""text"""\nB,b,1,[],[],null\n'
    )
    first, second = load(repository, "products", path)
    assert (first["tags"], first["sizes"], first["notes"]) == (["x", "a,b"], [1, 2], "text")
    assert (second["tags"], second["sizes"], second["notes"]) == ([], [], None)


def test_read_only_fields_may_be_given(repository: OracleRepository, tmp_path: Path) -> None:
    path = written(tmp_path, f"{REQUIRED},created_at\nA,a,1,2020-01-01T00:00:00Z\n")
    (record,) = load(repository, "products", path)
    assert record["created_at"].year == 2020


def test_faults_are_named_by_line_and_column(repository: OracleRepository, tmp_path: Path) -> None:
    content = (
        f"{REQUIRED},stock,tags,notes\n"
        "A,a,1.005,,,\n"
        "b,,x,-1,,\n"
        "C,c,1\n"
        'D,d,1,2147483648,"{}",{\n'
        'E,"a\0",1,,,99999999999999999999\n'
    )
    error, found = faults(repository, "products", written(tmp_path, content))
    assert [(place, column, reason[-7:-1] if column else reason) for place, column, reason in found] == [
        (2, "price", "(22003"),
        (3, "sku", "(23514"),
        (3, "name", "(23502"),
        (3, "price", "(22P02"),
        (3, "stock", "(23514"),
        (4, None, "has 3 fields where the header has 6"),
        (5, "stock", "(22003"),
        (5, "tags", "(22P02"),
        (5, "notes", "(22P02"),
        (6, "name", "(22P05"),
        (6, "notes", "(22003"),
    ]
    assert error.count == 11
    assert str(error).endswith("x.csv: 11 faults found; nothing was written.")


def test_the_first_faults_are_told_and_all_are_counted(repository: OracleRepository, tmp_path: Path) -> None:
    error, found = faults(repository, "categories", written(tmp_path, "name\n" + "\n" * 2500))
    assert (len(found), error.count) == (importer.MAX_FAULTS, 2500)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("id,nme", 'line 1: categories has no column "nme", but "name".'),
        ("id,_id", 'line 1: categories has no column "_id", but "id".'),
        ("zzz", 'line 1: categories has no column "zzz".'),
        ("id,", 'line 1: categories has no column "".'),
    ],
)
def test_unknown_columns(repository: OracleRepository, tmp_path: Path, header: str, reason: str) -> None:
    with pytest.raises(TransferError) as raised:
        load(repository, "categories", written(tmp_path, f"{header}\n"))
    assert str(raised.value).endswith(reason)


def test_json_records_may_have_different_members(repository: OracleRepository, tmp_path: Path) -> None:
    content = '{"sku": "A", "name": "a", "price": 1}\n{"name": "b", "price": "2.5", "sku": "B", "stock": 7}\n'
    first, second = load(repository, "products", written(tmp_path, content, "x.ndjson"))
    assert (first["stock"], second["stock"]) == (0, 7)


def test_json_records_with_unknown_or_missing_members(repository: OracleRepository, tmp_path: Path) -> None:
    content = '[{"name": "a"}, {"nam": "b"}, 5, {"id": 1, "name": "c"}]'
    error, found = faults(repository, "categories", written(tmp_path, content, "x.json"))
    assert error.unit == "item"
    assert found == [
        (2, "nam", 'categories has no column "nam", but "name".'),
        (2, "name", 'null value in column "name" of relation "categories" violates not-null constraint (23502)'),
        (3, None, "is not an object"),
        (4, "id", "is given here, but not in the first record"),
    ]


def test_a_number_that_some_records_lack_is_a_fault(repository: OracleRepository, tmp_path: Path) -> None:
    content = '[{"id": 1, "name": "a"}, {"name": "b"}]'
    _, found = faults(repository, "categories", written(tmp_path, content, "x.json"))
    assert [(place, column) for place, column, _ in found] == [(2, "id")]


def test_huge_integers_in_free_json_are_doubles_only_where_a_double_reads_so(
    repository: OracleRepository, tmp_path: Path
) -> None:
    content = f"{REQUIRED},notes\nA,a,1,[10000000000000000000000]\n"
    (record,) = load(repository, "products", written(tmp_path, content))
    assert repr(record["notes"]) == "[1e+22]"
    repository.clear()
    for digits in ("10000000000000000000001", "9" * 400):
        _, found = faults(repository, "products", written(tmp_path, f"{REQUIRED},notes\nA,a,1,[{digits}]\n"))
        assert [(place, column) for place, column, _ in found] == [(2, "notes")]


def test_a_file_that_changes_between_the_passes(repository: OracleRepository, tmp_path: Path) -> None:
    path = written(tmp_path, "name\na\nb\n")
    one = Import(repository.catalog["categories"], Source(str(path)), keep=1)
    one.check(lambda _: None)
    path.write_text("name\na\n\n")
    with pytest.raises(TransferError, match="has changed while it was being imported"):
        one.write(repository, lambda _: None)
    assert repository.state["categories"] == []


def test_progress_adds_up(repository: OracleRepository, tmp_path: Path) -> None:
    path = written(tmp_path, "name\n" + "".join(f"{number}\n" for number in range(2345)))
    one = Import(repository.catalog["categories"], Source(str(path)))
    checked: list[int] = []
    stored: list[int] = []
    one.check(checked.append)
    one.write(repository, stored.append)
    assert (one.count, sum(checked), sum(stored)) == (2345, 2345, 2345)


def names(catalog: Catalog, *wanted: str) -> list[str]:
    return [resource.name for resource in referenced_first(catalog, wanted)]


def test_resources_come_after_those_that_they_refer_to() -> None:
    shop = catalogs.shop()
    order = names(shop, *shop.resources)
    for resource in shop:
        for reference in resource.references:
            assert order.index(reference.target) <= order.index(resource.name)
    assert names(shop, "lines", "orders") == ["orders", "lines"]
    assert names(shop, "lines") == ["lines"]
    with pytest.raises(TransferError, match=r"(hens|eggs) → "):
        names(catalogs.lab(), "hens", "eggs")


def test_records_come_after_their_parents() -> None:
    folders = catalogs.lab()["folders"]
    columns = tuple(folders.fields.values())
    rows = [(3, 2), (2, 1), (1, None), (4, 99), (5, 5), (6, 7), (7, 6), (8, 7)]
    assert parents_first(folders, columns, rows) == ([2, 3, 4, 1, 0], [5, 6, 7])
    assert parents_first(folders, columns[:1], [(3,), (2,)]) == ([0, 1], [])

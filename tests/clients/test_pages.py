"""Pages, counts and the representations that the clients ask for."""

from __future__ import annotations

import csv
import io

import pytest
from postgrest import CountMethod

from tests.clients.answers import PythonQuery
from tests.clients.conftest import Ask

PAGES: list[tuple[str, PythonQuery, str]] = [
    (".limit(2)", lambda q: q.limit(2), "AB"),
    (".limit(0)", lambda q: q.limit(0), ""),
    (".range(1, 2)", lambda q: q.range(1, 2), "BC"),
    (".range(3, 9)", lambda q: q.range(3, 9), "D"),
    (".range(4, 9)", lambda q: q.range(4, 9), ""),
]


@pytest.mark.parametrize(("javascript", "python", "found"), PAGES)
def test_pages(ask: Ask, javascript: str, python: PythonQuery, found: str) -> None:
    plain = ask(
        f"db.from('products').select('sku').order('sku'){javascript}",
        lambda db: python(db.from_("products").select("sku").order("sku")),
    )
    counted = ask(
        f"db.from('products').select('sku', {{count: 'exact'}}).order('sku'){javascript}",
        lambda db: python(db.from_("products").select("sku", count=CountMethod.exact).order("sku")),
    )
    for answer, count in ((plain, None), (counted, 4)):
        assert answer.error is None
        assert "".join(record["sku"][0] for record in answer.data) == found
        assert answer.count == count


def test_a_page_past_the_end(ask: Ask) -> None:
    answer = ask(
        "db.from('products').select('sku').range(9, 10)", lambda db: db.from_("products").select("sku").range(9, 10)
    )
    assert (answer.error, answer.data) == (None, [])
    counted = ask(
        "db.from('products').select('sku', {count: 'exact'}).range(9, 10)",
        lambda db: db.from_("products").select("sku", count=CountMethod.exact).range(9, 10),
    )
    assert counted.error == {
        "code": "PGRST103",
        "message": "Requested range not satisfiable",
        "details": "An offset of 9 was requested, but there are only 4 rows.",
        "hint": None,
    }


@pytest.mark.parametrize("method", list(CountMethod))
def test_counts_without_records(ask: Ask, language: str, method: CountMethod) -> None:
    answer = ask(
        f"db.from('products').select('*', {{count: '{method}', head: true}}).eq('active', true)",
        lambda db: db.from_("products").select("*", count=method, head=True).eq("active", True),
    )
    assert answer.error is None
    assert answer.data == (None if language == "javascript" else [])
    assert isinstance(answer.count, int)
    if method is CountMethod.exact:
        assert answer.count == 2


def test_count_of_groups(ask: Ask) -> None:
    answer = ask(
        "db.from('products').select('category_id, count()', {count: 'exact'}).order('category_id').limit(1)",
        lambda db: (
            db.from_("products").select("category_id", "count()", count=CountMethod.exact).order("category_id").limit(1)
        ),
    )
    assert (answer.error, answer.data, answer.count) == (None, [{"category_id": 1, "count": 2}], 3)


def test_single(ask: Ask) -> None:
    answer = ask(
        "db.from('products').select('sku, categories(name)').eq('sku', 'A-1').single()",
        lambda db: db.from_("products").select("sku", "categories(name)").eq("sku", "A-1").single(),
    )
    assert (answer.error, answer.data) == (None, {"sku": "A-1", "categories": {"name": "Light"}})


@pytest.mark.parametrize(("sku", "number"), [("Z-9", 0), ("%", 4)])
def test_single_of_none_and_of_several(ask: Ask, sku: str, number: int) -> None:
    answer = ask(
        f"db.from('products').select('sku').like('sku', '{sku}').single()",
        lambda db: db.from_("products").select("sku").like("sku", sku).single(),
    )
    assert answer.error == {
        "code": "PGRST116",
        "message": "Cannot coerce the result to a single JSON object",
        "details": f"The result contains {number} rows",
        "hint": None,
    }


@pytest.mark.parametrize(("sku", "data"), [("A-1", {"sku": "A-1"}), ("Z-9", None)])
def test_maybe_single(ask: Ask, sku: str, data: object) -> None:
    answer = ask(
        f"db.from('products').select('sku').eq('sku', '{sku}').maybeSingle()",
        lambda db: db.from_("products").select("sku").eq("sku", sku).maybe_single(),
    )
    assert (answer.error, answer.data) == (None, data)


def test_csv(ask: Ask) -> None:
    answer = ask(
        "db.from('products').select('sku, price, stock, active, tags, released').order('sku').csv()",
        lambda db: db.from_("products").select("sku, price, stock, active, tags, released").order("sku").csv(),
    )
    assert answer.error is None
    assert list(csv.reader(io.StringIO(answer.data, newline=""))) == [
        ["sku", "price", "stock", "active", "tags", "released"],
        ["A-1", "19.50", "3", "true", '["new","on sale"]', "2024-02-29"],
        ["B-2", "5.00", "", "", "[]", ""],
        ["C-3", "0.10", "0", "false", '["a,b","food"]', "2023-01-01"],
        ["D-4", "19.50", "7", "true", '["new"]', ""],
    ]


def test_nulls_can_be_stripped(ask: Ask) -> None:
    answer = ask(
        "db.from('products').select('sku, stock, categories(name)').in('sku', ['B-2', 'D-4']).order('sku')"
        ".stripNulls()",
        lambda db: (
            db.from_("products")
            .select("sku", "stock", "categories(name)")
            .in_("sku", ["B-2", "D-4"])
            .order("sku")
            .strip_nulls()
        ),
    )
    assert answer.error is None
    assert answer.data == [{"sku": "B-2", "categories": {"name": "Light"}}, {"sku": "D-4", "stock": 7}]


def test_nulls_of_a_single_record_can_be_stripped(ask: Ask) -> None:
    answer = ask(
        "db.from('products').select('sku, stock').eq('sku', 'B-2').stripNulls().single()",
        lambda db: db.from_("products").select("sku", "stock").eq("sku", "B-2").strip_nulls().single(),
    )
    assert (answer.error, answer.data) == (None, {"sku": "B-2"})


@pytest.mark.parametrize(
    ("javascript", "options"), [("", {}), (", analyze: true, verbose: true", {"analyze": True, "verbose": True})]
)
def test_explain(ask: Ask, backend: str, javascript: str, options: dict[str, bool]) -> None:
    answer = ask(
        f"db.from('products').select('sku').eq('sku', 'A-1').explain({{format: 'json'{javascript}}})",
        lambda db: db.from_("products").select("sku").eq("sku", "A-1").explain(format="json", **options),
    )
    assert answer.error is None
    assert answer.data["backend"] == backend
    assert "products" in str(answer.data["statement"])
    assert answer.data["plan"]

"""Which indexes reads lack: needs, what serves them, the fewest that do; and where reads are listed and counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repositories.base import Explanation, Indexing
from repositories.schema import Catalog
from service import catalog
from service.advice.advising import Request, advise, beyond_help, lacking
from service.advice.needs import needs
from service.advice.serving import serves
from service.advice.shapes import MOST, CountingPlans, Shapes
from service.advice.sources import listed
from service.dialect.query_string import parse
from service.planner.kept import Wanted
from service.planner.reads import plan_page
from service.planner.relations import Relations
from service.planner.scope import PlanLimits, resource_named

#: Stores of the two kinds that there are.
INCREMENTAL = Indexing()
WHOLE = Indexing(incremental=False, nulls_high=False, ends_with_key=True, key_index="_id_")

FILE = """
resources:
  categories:
    primaryKey: id
    properties:
      id:   {type: integer}
      name: {type: string, unique: true}
  products:
    primaryKey: id
    required: [price, stock]
    properties:
      id:       {type: integer}
      price:    {type: number}
      stock:    {type: integer}
      released: {type: string, format: date}
      notes:    {}
      category_id: {references: categories}
"""


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    path = tmp_path_factory.mktemp("advice") / "resources.yaml"
    path.write_text(FILE, "utf-8")
    return catalog.load(path)


def request_of(declared: Catalog, text: str, count: int = 1) -> Request:
    name, _, query = text.partition("?")
    resource = resource_named(declared, name)
    return Request(text, plan_page(Relations(declared), resource, parse(query), PlanLimits(), count=False).read, count)


def explained(*, scans: tuple[str, ...] = (), indexes: tuple[str, ...] = (), sorts: bool = False) -> Explanation:
    return Explanation("any", "", [], {}, indexes, scans, sorts)


WORST = explained(scans=("products", "categories"), sorts=True)


def lines(declared: Catalog, texts: list[str], indexing: Indexing, found: Explanation = WORST) -> list[str]:
    lacks = [each for text in texts for each in lacking("any", indexing, request_of(declared, text), found)]
    return [f"{advice.resource.name} {advice.line}" for advice in advise(lacks)]


@pytest.mark.parametrize(
    ("text", "incremental", "whole"),
    [
        ("products?stock=eq.1&order=price.desc", "[stock, -price, id]", "[stock, -price, id]"),
        ("products?order=price", "[price, id]", "[price, id]"),
        ("products?stock=gt.1&order=price", "[price, id, stock]", "[price, id, stock]"),
        ("products?stock=eq.1&price=gte.5", "[stock, price]", "[stock, price]"),
        ("products?stock=in.(1,2)", "[stock]", "[stock]"),
        ("products?price=gt.1&order=price.desc", "[-price, id]", "[-price, id]"),
        # a field that equals a value is in no order; what is null equals null
        ("products?stock=eq.1&order=stock,price", "[stock, price, id]", "[stock, price, id]"),
        ("products?released=is.null&and=(stock.eq.2)", "[released, stock, id]", "[released, stock, id]"),
        # nulls where the store's index has them; the first key's are read apart
        ("products?order=released.desc", "[-released, id]", "[-released, id]"),
        ("products?stock=eq.1&order=released.nullsfirst", "[stock]", "[stock, released, id]"),
        ("products?stock=eq.1&order=price,released", "[stock, price, released, id]", "[stock]"),
        # found by a key or a reference's own index
        ("products?id=eq.1&order=price", None, None),
        ("products?category_id=eq.1", None, None),
        ("categories?name=eq.x", None, None),
        ("products", None, None),
        ("products?id=gt.5", None, None),
        # the index of the reference does not have the order
        ("products?category_id=eq.1&order=price", "[category_id, price, id]", "[category_id, price, id]"),
        (
            "categories?select=id,products(id)&products.order=price.desc",
            "[category_id, -price, id]",
            "[category_id, -price, id]",
        ),
        ("categories?select=id,products(id)&products.order=released", "[category_id, released, id]", None),
        ("categories?select=id,products(id)", None, None),
        # no index of the resource file serves these
        ("products?notes->>a=eq.1", None, None),
        ("products?or=(stock.eq.1,price.eq.2)", None, None),
        ("products?stock=not.eq.1", None, None),
        ("products?stock=neq.1", None, None),
        ("products?select=stock,price.sum()", None, None),
    ],
)
def test_the_index_that_is_lacking(declared: Catalog, text: str, incremental: str | None, whole: str | None) -> None:
    assert lines(declared, [text], INCREMENTAL) == ([f"products {incremental}"] if incremental else [])
    assert lines(declared, [text], WHOLE) == ([f"products {whole}"] if whole else [])


@pytest.mark.parametrize(
    ("index", "incremental", "whole"),
    [
        ([("stock", False), ("price", True), ("id", False)], True, True),
        ([("stock", False), ("price", False), ("id", True)], True, True),  # backwards, as a whole
        ([("stock", False), ("price", False), ("id", False)], True, False),
        ([("stock", True), ("price", True)], True, False),  # no tie-break
        ([("stock", False)], False, False),
        ([("price", True), ("id", False)], False, False),
        ([], False, False),
    ],
)
def test_what_serves(declared: Catalog, index: list[tuple[str, bool]], incremental: bool, whole: bool) -> None:
    selection = request_of(declared, "products?stock=eq.1&order=price.desc").read.selection
    for indexing, expected in ((INCREMENTAL, incremental), (WHOLE, whole)):
        [need] = needs(selection, indexing)
        assert serves(tuple(index), need, indexing) is expected


def test_one_index_serves_several_reads(declared: Catalog) -> None:
    texts = ["products?stock=eq.1", "products?stock=eq.1&order=price.desc", "products?price=eq.1&stock=eq.2"]
    assert lines(declared, texts, INCREMENTAL) == ["products [stock, -price, id]"]
    # the order by the key, within one stock, is not in it
    assert sorted(lines(declared, texts[:2], WHOLE)) == ["products [stock, -price, id]", "products [stock, id]"]


def test_the_most_wanted_is_first_and_counted_once_for_all_stores(declared: Catalog) -> None:
    rare, often = request_of(declared, "products?stock=eq.1", 2), request_of(declared, "products?price=eq.1", 30)
    lacks = [
        each
        for name, indexing in (("one", INCREMENTAL), ("other", WHOLE))
        for request in (rare, often)
        for each in lacking(name, indexing, request, WORST)
    ]
    assert [(each.line, each.backends, each.count) for each in advise(lacks)] == [
        ("[price, id]", ("one", "other"), 30),
        ("[stock, id]", ("one", "other"), 2),
    ]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (explained(), ()),
        (explained(scans=("categories",)), ()),
        (explained(scans=("products",)), ("reads all of products",)),
        (explained(indexes=("_id_",)), ("filters what it reads by _id_",)),
        (explained(indexes=("products_category_id_idx",), sorts=True), None),
        (explained(indexes=("somebody_elses_idx",)), ()),
        (explained(scans=("products",), sorts=True), ("reads all of products", "sorts in memory")),
    ],
)
def test_why(declared: Catalog, found: Explanation, said: tuple[str, ...] | None) -> None:
    expected = ("filters what it reads by products_category_id_idx", "sorts in memory") if said is None else said
    lacks = lacking("any", WHOLE, request_of(declared, "products?stock=eq.1&order=price"), found)
    assert [lack.faults for lack in lacks] == ([expected] if expected else [])


def test_what_no_index_can_help(declared: Catalog) -> None:
    assert beyond_help(request_of(declared, "products?or=(stock.eq.1,price.eq.2)"), WORST) == ["products"]
    assert beyond_help(request_of(declared, "products?or=(stock.eq.1,price.eq.2)"), explained()) == []
    assert beyond_help(request_of(declared, "products?stock=eq.1"), WORST) == []


def test_reads_are_listed_in_files_and_logs(tmp_path: Path) -> None:
    file = tmp_path / "listed"
    file.write_text(
        "# a comment\n\n/products?stock=eq.1\n"
        '127.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET /api/products?stock=eq.1 HTTP/1.1" 200 12\n'
        '127.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "POST /api/products HTTP/1.1" 201 12\n'
        '{"url": "products?price=eq.1", "count": 7}\n{"url": 5}\n{broken\n',
        "utf-8",
    )
    assert listed(file) == {"/products?stock=eq.1": 1, "/api/products?stock=eq.1": 1, "products?price=eq.1": 7}


def counted(folder: Path) -> dict[str, int]:
    lines = [line for file in folder.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    return {each["url"]: each["count"] for each in map(json.loads, lines)}


def test_shapes_are_counted_without_values(declared: Catalog, tmp_path: Path) -> None:
    shapes = Shapes(tmp_path / "new" / "folder")
    plans = CountingPlans(Relations(declared), PlanLimits(), shapes)
    queries = [
        "price=gte.77001&order=price.desc&limit=5",
        "price=gte.77002&order=price.desc&limit=5",
        "stock=in.(77003,77004)&released=not.is.null",
        "or=(stock.eq.77005,price.eq.77006)&select=id",
        "stock=eq(any).{77007}&notes->>a=like.77008*",
        "category_id=not.eq.77009&released=eq.1977-07-07",
    ]
    for query in queries:
        plans.page(declared["products"], query, Wanted())
    plans.page(declared["categories"], "select=id,products(id)&products.stock=gt.77010&name=eq.77011", Wanted())
    assert counted(tmp_path / "new" / "folder") == {}
    shapes.flush()
    found = counted(tmp_path / "new" / "folder")
    assert found["products?price=gte.0&order=price.desc&limit=5"] == 2
    assert found["categories?select=id,products(id)&products.stock=gt.0&name=eq.x"] == 1
    assert len(found) == len(queries)
    assert "770" not in json.dumps(found)
    assert "1977" not in json.dumps(found)
    for url in found:
        request_of(declared, url)  # each can be planned again


def test_the_counts_are_bounded_and_need_no_disk(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("not a folder", "utf-8")
    shapes = Shapes(folder, interval=0)
    for number in range(MOST + 5):
        shapes.count(f"products?limit={number}")
    good = Shapes(tmp_path, interval=3600)
    for number in range(MOST + 5):
        good.count(f"products?limit={number}")
    good.flush()
    assert len(counted(tmp_path)) == MOST

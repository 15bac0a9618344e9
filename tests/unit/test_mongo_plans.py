"""What MongoDB makes of the compiled statements: the plain cases use an index, and sort with limit needs no sort."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pymongo import MongoClient

from repositories.base import Limits
from repositories.mongo.compiler import compile_selection
from repositories.mongo.documents import CODEC
from repositories.mongo.plans import Find
from repositories.mongo.repository import MongoRepository
from repositories.query import State
from repositories.schema import Catalog, Field, Index, Kind, Resource, Type, Unique
from tests.catalogs import shop
from tests.contract import queries
from tests.contract.queries import Filter
from tests.servers import with_database

DATABASE = "diglot_test_plans"
PRODUCTS = 400


def catalog() -> Catalog:
    things = Resource(
        "things",
        {
            "id": Field("id", Type(Kind.INT64), required=True),
            "code": Field("code", Type(Kind.STRING)),
            "rank": Field("rank", Type(Kind.INT64)),
            "uid": Field("uid", Type(Kind.UUID)),
            "day": Field("day", Type(Kind.DATE)),
            "amount": Field("amount", Type(Kind.DECIMAL, precision=9, scale=2)),
        },
        ("id",),
        uniques=tuple(Unique(f"things_{name}_key", (name,)) for name in ("code", "uid", "day", "amount")),
        indexes=(Index("things_rank_idx", (("rank", False),)),),
    )
    return Catalog({**shop().resources, "things": things})


CATALOG = catalog()


@pytest.fixture(scope="module")
def database(mongodb_url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        with MongoRepository(with_database(mongodb_url, DATABASE), CATALOG, Limits()) as repository:
            repository.apply_schema()
            repository.write(queries.insert(CATALOG, "categories", *({"id": n, "name": f"c{n}"} for n in range(20))))
            rows = [
                {
                    "id": UUID(int=n),
                    "sku": f"A.{n:04}-X",
                    "name": f"n{n}",
                    "price": Decimal(n % 7).scaleb(-2),
                    "category_id": n % 20,
                }
                for n in range(PRODUCTS)
            ]
            repository.write(queries.insert(CATALOG, "products", *rows))
            things = [{"id": n, "rank": None if n % 3 else n, "code": f"c{n}"} for n in range(300)]
            repository.write(queries.insert(CATALOG, "things", *things))
        yield client.get_database(DATABASE, codec_options=CODEC)
        client.drop_database(DATABASE)


def stages(database: Any, name: str, where: Filter | None = None, **page: Any) -> list[str]:
    """The stages of the winning plan, from the last to the first, for a page of ten unless told otherwise."""
    read = queries.read(CATALOG, name, where=where, **{"limit": 10, **page})
    statement = compile_selection(read.selection).statement(read.values)
    if isinstance(statement, Find):
        command: dict[str, Any] = {"find": name, "filter": statement.filter, "projection": statement.projection}
        command |= {"limit": statement.limit} if statement.limit else {}
        command |= {"sort": statement.sort} if statement.sort else {}
    else:
        command = {"aggregate": name, "pipeline": statement.stages, "cursor": {}}
    return list(_stages(database.command("explain", command, verbosity="queryPlanner", codec_options=CODEC)))


def _stages(plan: Any) -> Iterator[str]:
    if isinstance(plan, list):
        for each in plan:
            yield from _stages(each)
    elif isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for name, part in plan.items():
            if name not in ("rejectedPlans", "command", "parsedQuery"):
                yield from _stages(part)


@pytest.mark.parametrize(
    "where",
    [
        queries.eq("sku", "A.0007-X"),
        queries.within("sku", "A.0007-X", "A.0008-X"),
        queries.gt("sku", "A.0390"),
        queries.like("sku", "A.000*"),
        queries.like("sku", "A.000%-X"),
        queries.like("sku", "A.0007-X"),
        queries.eq("category_id", 7),
        queries.within("category_id", 7, 8),
        queries.every(queries.eq("category_id", 7), queries.gte("price", Decimal("0.05"))),
    ],
)
def test_filters_use_an_index(database: Any, where: Filter) -> None:
    found = stages(database, "products", where)
    assert "IXSCAN" in found
    assert "COLLSCAN" not in found


@pytest.mark.parametrize(
    ("name", "value"),
    [("code", "c7"), ("uid", UUID(int=7)), ("amount", Decimal("7.00")), ("amount", Decimal("-7.00"))],
)
def test_a_partial_unique_index_serves_its_field(database: Any, name: str, value: Any) -> None:
    assert "IXSCAN" in stages(database, "things", queries.eq(name, value))
    assert "IXSCAN" in stages(database, "things", queries.within(name, value, value))


def test_a_prefix_uses_a_partial_unique_index(database: Any) -> None:
    assert "IXSCAN" in stages(database, "things", queries.like("code", "c1*"))


def test_one_record_by_its_key(database: Any) -> None:
    assert stages(database, "products", queries.eq("id", UUID(int=7)), limit=None)[-1] == "IDHACK"
    line = queries.every(queries.eq("position", 3), queries.eq("order_id", 7))
    assert stages(database, "lines", line, limit=None)[-1] == "IDHACK"


@pytest.mark.parametrize("order", ["", "order_id", "order_id.desc,position.desc"])
def test_the_composite_key_is_an_order(database: Any, order: str) -> None:
    found = stages(database, "lines", order=order)
    assert "IXSCAN" in found
    assert "SORT" not in found


@pytest.mark.parametrize("where", [queries.eq("order_id", 7), queries.within("order_id", 7, 8)])
def test_the_leading_key_field_uses_an_index(database: Any, where: Filter) -> None:
    found = stages(database, "lines", where, order="position")
    assert "IXSCAN" in found
    assert "COLLSCAN" not in found


def test_children_come_sorted_by_the_rest_of_their_key(database: Any) -> None:
    assert "SORT" not in stages(database, "lines", queries.eq("order_id", 7), order="position")


@pytest.mark.parametrize(
    ("where", "order"),
    [
        (queries.eq("category_id", 7), "price.desc.nullslast"),
        (queries.eq("category_id", 7), "price.desc"),
        (queries.eq("category_id", 7), "category_id,price.desc"),
        (queries.gt("category_id", 3), "category_id,price.desc"),
        (None, "id.desc"),
    ],
)
def test_sort_with_limit_by_an_index(database: Any, where: Filter | None, order: str) -> None:
    found = stages(database, "products", where, order=order)
    assert "IXSCAN" in found
    assert "SORT" not in found


@pytest.mark.parametrize(
    ("where", "order"),
    [
        (queries.gt("rank", 5), "rank"),
        (queries.state("rank", State.NOT_NULL), "rank"),
        (None, "rank.asc.nullsfirst"),
    ],
)
def test_a_field_that_may_be_null_where_it_cannot_matter(database: Any, where: Filter | None, order: str) -> None:
    found = stages(database, "things", where, order=order)
    assert "IXSCAN" in found
    assert "SORT" not in found


def test_nulls_last_merges_two_pages_from_the_index(database: Any) -> None:
    """The one sort that is left sees both pages, not the collection."""
    found = stages(database, "things", order="rank")
    assert found.count("IXSCAN") >= 2
    assert not {"COLLSCAN", "SORT"} & set(found)
    read = queries.read(CATALOG, "things", order="rank", limit=10, offset=5)
    pipeline = compile_selection(read.selection).statement(read.values)
    assert not isinstance(pipeline, Find)
    command = {"aggregate": "things", "pipeline": pipeline.stages, "cursor": {}}
    explained = database.command("explain", command, verbosity="executionStats")
    assert explained["stages"][0]["$cursor"]["executionStats"]["totalDocsExamined"] <= 15

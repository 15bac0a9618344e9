"""Embeds and groups as pipelines: what is looked up when, by which index, and how it is explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from repositories.base import Limits
from repositories.errors import QueryRefused
from repositories.mongo.compiler import compile_selection
from repositories.mongo.explaining import command_of
from repositories.mongo.plans import Find
from repositories.mongo.repository import MongoRepository
from repositories.query import Operator, Read
from service.dialect.query_string import parse
from service.planner.reads import plan_page
from service.planner.relations import Relations
from service.planner.scope import PlanLimits, resource_named
from tests.catalogs import shop
from tests.contract import queries
from tests.servers import with_database

CATALOG = shop()
RELATIONS = Relations(CATALOG)


def read_of(text: str) -> Read:
    name, _, query = text.partition("?")
    return plan_page(RELATIONS, resource_named(CATALOG, name), parse(query), PlanLimits(), count=False).read


def stages(text: str) -> list[str]:
    """The pipeline's stages; lookups with the resource that is looked up."""
    read = read_of(text)
    command = command_of(compile_selection(read.selection), read.values)
    return [_stage(each) for each in command["pipeline"]]


def _stage(stage: dict[str, Any]) -> str:
    [(name, value)] = stage.items()
    return f"{value['from']}" if name == "$lookup" else name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("products?select=id,categories(name)&limit=5", ["$sort", "$limit", "categories", "$project"]),
        ("products?select=id,categories!inner(name)", ["categories", "$match", "$sort", "$limit", "$project"]),
        ("products?select=id,categories()&categories=is.null", ["categories", "$match", "$sort", "$limit", "$project"]),
        (
            "products?select=id,categories(name)&order=categories(name)",
            ["categories", "$set", "$sort", "$limit", "$project"],
        ),
        ("categories?select=name,products(id)&name=eq.x", ["$match", "$sort", "$limit", "products", "$project"]),
        # the page of an embed may hide that there are records
        (
            "categories?select=name,products!inner(id)&products.offset=1",
            ["products", "$match", "$sort", "$limit", "products", "$project"],
        ),
        ("products?select=stock,count()", ["$group", "$set", "$sort", "$limit"]),
    ],
)
def test_embeds_are_looked_up_as_late_as_can_be(text: str, expected: list[str]) -> None:
    assert stages(text) == expected


def test_a_plain_selection_is_a_find() -> None:
    read = read_of("products?select=id,notes->a,price::text&notes->>b=eq.x&limit=3")
    assert isinstance(compile_selection(read.selection).statement(read.values), Find)


@pytest.fixture(scope="module")
def repository(mongodb_url: str) -> Iterator[MongoRepository]:
    with MongoRepository(with_database(mongodb_url, "diglot_test_lookups"), CATALOG, Limits()) as repository:
        repository.apply_schema()
        for name in ("products", "categories"):
            repository.write(queries.delete(CATALOG, name))
        repository.write(queries.insert(CATALOG, "categories", *({"id": n, "name": f"c{n}"} for n in range(20))))
        rows = [
            {
                "id": UUID(int=n),
                "sku": f"A-{n}",
                "name": f"n{n}",
                "price": Decimal("1.00"),
                "category_id": n % 20 if n % 3 else None,
            }
            for n in range(200)
        ]
        repository.write(queries.insert(CATALOG, "products", *rows))
        repository.write(queries.delete(CATALOG, "staff"))
        repository.write(queries.insert(CATALOG, "staff", {"id": 1, "name": "a" * 40_000}))
        yield repository


@pytest.mark.parametrize(
    ("text", "indexes", "scans", "rows"),
    [
        ("products?select=id,categories(name)&limit=5", {"_id_"}, set(), 5),
        ("categories?select=id,products(id)&limit=5", {"_id_"}, set(), 5),
        ("products?select=stock,count()", set(), {"products"}, 1),
        ("products?select=id&sku=eq.A-1", {"products_sku_key"}, set(), 1),
        (f"products?select=id&id=eq.{UUID(int=1)}", {"_id_"}, set(), 1),
    ],
)
def test_explained(repository: MongoRepository, text: str, indexes: set[str], scans: set[str], rows: int) -> None:
    read = read_of(text)
    found = repository.explain(read, analyze=True)
    assert set(found.indexes) >= indexes
    assert set(found.scans) == scans
    assert found.rows == rows
    assert found.examined is not None
    assert found.examined >= rows
    assert found.milliseconds is not None
    assert found.backend == "mongodb"
    assert next(iter(json.loads(found.statement))) in ("find", "aggregate")
    planned = repository.explain(read)
    assert (planned.rows, planned.examined, planned.milliseconds) == (None, None, None)
    assert set(planned.scans) == scans or "$lookup" in found.statement
    json.dumps(planned.plan)


def test_an_embed_is_read_by_its_index(repository: MongoRepository) -> None:
    found = repository.explain(read_of("categories?select=id,products(id)&limit=5"), analyze=True)
    assert any(name.startswith("products_category_id") for name in found.indexes)
    assert not found.scans
    assert found.examined is not None
    assert found.examined < 200


def test_the_lines_are_the_records(repository: MongoRepository) -> None:
    read = read_of("categories?select=id,products(sku)&id=lt.3")
    with repository.lines(read, batch=2) as chunks:
        lines = b"".join(chunks).decode().splitlines()
    assert "[" + ",".join(lines) + "]" == repository.json(read).body.decode()


class Costly:
    """A regular expression that the subset does not allow."""

    def text(self, end: str, *, possessive: bool) -> str:
        assert possessive
        return f"(a|aa|aaa)*b{end}"


def test_a_match_that_is_too_costly_is_no_record_left_out(repository: MongoRepository) -> None:
    """PCRE gives up; a find filter would take that for no match."""
    read = queries.read(CATALOG, "staff", where=queries.compare("name", Operator.MATCH, Costly()))
    with pytest.raises(QueryRefused):
        repository.json(read)

"""Advised indexes on the real stores: lacking before, used in the trial, and nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from repositories.base import Limits, Repository
from repositories.connect import BACKENDS, connect
from repositories.errors import DeadlineExceeded, RepositoryError
from repositories.schema import Catalog, Index
from service.advice.advising import Lack, Request, advise, lacking, with_index
from service.dialect.query_string import parse
from service.planner.reads import plan_page
from service.planner.relations import Relations
from service.planner.scope import PlanLimits, resource_named
from tests.catalogs import shop
from tests.contract import queries
from tests.stores import MongoStore, PostgresStore

RECORDS = 4000


@pytest.fixture(scope="module", params=BACKENDS)
def repository(request: pytest.FixtureRequest) -> Iterator[Repository]:
    declared = shop()
    kind: Any = PostgresStore if request.param == BACKENDS[0] else MongoStore
    url = request.getfixturevalue("postgres_url" if kind is PostgresStore else "mongodb_url")
    with closing(kind(url, declared, "diglot_test_advice")) as store:
        store.repository.write(queries.insert(declared, "categories", *({"id": n, "name": f"c{n}"} for n in range(10))))
        rows = [
            {
                "id": UUID(int=n),
                "sku": f"A-{n}",
                "name": f"n{n}",
                "price": Decimal(n % 97),
                "stock": n % 200,
                "views": n % 50,
            }
            | {"category_id": n % 10, "weight": None if n % 3 else float(n)}
            for n in range(RECORDS)
        ]
        store.repository.write(queries.insert(declared, "products", *rows))
        if kind is PostgresStore:
            with psycopg.connect(store.url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
        yield store.repository


def request_of(declared: Catalog, text: str) -> Request:
    name, _, query = text.partition("?")
    resource = resource_named(declared, name)
    return Request(text, plan_page(Relations(declared), resource, parse(query), PlanLimits(), count=False).read)


def lacks(repository: Repository, text: str) -> list[Lack]:
    request = request_of(repository.catalog, text)
    return lacking(repository.backend, repository.indexing, request, repository.explain(request.read))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("products?select=id&stock=eq.7&limit=5", "[stock, id]"),
        ("products?select=id&order=price.desc&limit=5", "[-price, id]"),
        ("products?select=id&stock=eq.7&order=price.desc&limit=5", "[stock, -price, id]"),
        ("products?select=id&category_id=eq.3&order=released.desc&limit=5", "[category_id, -released, id]"),
        ("products?select=id&order=views.desc&limit=5", "[-views, id]"),
        ("products?select=id&views=gte.49&limit=500", "[views]"),
        (
            "categories?select=id,products(id)&products.order=sku.desc&products.limit=2&limit=3",
            "[category_id, -sku]",
        ),
    ],
)
def test_the_advised_index_is_used(repository: Repository, text: str, line: str) -> None:
    [advice] = advise(lacks(repository, text))
    assert advice.line == line
    before = repository.explain(request_of(repository.catalog, text).read, analyze=True)
    pending, wider = repository.schema_changes(), with_index(repository.catalog, advice)
    [after] = repository.try_index(advice.resource, advice.index, [request_of(wider, text).read])
    assert advice.index.name in after.indexes
    assert "products" not in after.scans
    assert before.examined is not None
    assert after.examined is not None
    assert after.examined < before.examined
    assert after.rows == before.rows
    # nothing is left
    again = repository.explain(request_of(repository.catalog, text).read, analyze=True)
    assert (again.indexes, again.examined) == (before.indexes, before.examined)
    assert repository.schema_changes() == pending == []


def test_with_the_index_nothing_is_lacking(repository: Repository, request: pytest.FixtureRequest) -> None:
    text = "products?select=id&stock=eq.7&order=name&limit=5"
    [advice] = advise(lacks(repository, text))
    wider = with_index(repository.catalog, advice)
    fixture = "postgres_url" if repository.backend == BACKENDS[0] else "mongodb_url"
    kind: Any = PostgresStore if repository.backend == BACKENDS[0] else MongoStore
    with closing(kind(request.getfixturevalue(fixture), wider, "diglot_test_advised")) as store:
        assert lacks(store.repository, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "products?sku=eq.A-7",
        f"products?id=eq.{UUID(int=7)}",
        "products?category_id=eq.3&order=price.desc&limit=5",
        "categories?select=id,products(id)&limit=3",
        "products?limit=5",
        "products?name=like.*7*&limit=5",
    ],
)
def test_nothing_is_lacking(repository: Repository, text: str) -> None:
    assert lacks(repository, text) == []


def test_the_stores_differ(repository: Repository) -> None:
    """The unique set of category and name has the order backwards, but for the tie-break and for nulls."""
    advice = advise(lacks(repository, "products?select=id&category_id=eq.3&order=name.desc&limit=5"))
    assert [each.line for each in advice] == ([] if repository.indexing.incremental else ["[category_id, -name, id]"])


def test_a_trial_that_fails_leaves_nothing(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    [advice] = advise(lacks(repository, "products?select=id&stock=eq.7&limit=5"))
    read = request_of(with_index(repository.catalog, advice), "products?select=id&stock=eq.7&limit=5").read
    before = repository.explain(request_of(repository.catalog, "products?select=id&stock=eq.7&limit=5").read)

    def fail(*_: object, **__: object) -> None:
        raise DeadlineExceeded

    with monkeypatch.context() as patched:
        patched.setattr("repositories.sql.repository.explain", fail)
        patched.setattr("repositories.mongo.reading.Reader.explain", fail)
        with pytest.raises(DeadlineExceeded):
            repository.try_index(advice.resource, advice.index, [read])
    again = repository.explain(request_of(repository.catalog, "products?select=id&stock=eq.7&limit=5").read)
    assert again.indexes == before.indexes
    [after] = repository.try_index(advice.resource, advice.index, [read])
    assert advice.index.name in after.indexes


def test_a_dead_store_is_the_ports_error() -> None:
    declared = shop()
    index = Index("products_stock_trial", (("stock", False),))
    for backend, url in zip(
        BACKENDS, ("postgresql://u@127.0.0.1:1/x", "mongodb://127.0.0.1:1/x?directConnection=true"), strict=True
    ):
        limits = Limits(statement_timeout=1, pool_timeout=0.5, connect_timeout=0.5)
        with connect(backend, url, declared, limits) as store, pytest.raises(RepositoryError):
            store.try_index(declared["products"], index, [])


def test_what_a_trial_that_was_killed_left_behind_goes_with_the_next(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "products?select=id&stock=eq.7&limit=5"
    [advice] = advise(lacks(repository, text))
    read = request_of(with_index(repository.catalog, advice), text).read
    with monkeypatch.context() as patched:
        patched.setattr("repositories.mongo.trials._remove", lambda *_: None)
        repository.try_index(advice.resource, advice.index, [read])
    found = repository.explain(request_of(repository.catalog, text).read)
    # a transaction ends with its connection
    assert (advice.index.name in found.indexes) is not repository.indexing.incremental
    repository.try_index(advice.resource, advice.index, [read])
    assert advice.index.name not in repository.explain(request_of(repository.catalog, text).read).indexes

"""Embeds, groups, streams and explanations on PostgreSQL: names that could collide, and what a statement costs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from repositories.errors import CastFailed
from repositories.query import (
    ALL,
    Aggregate,
    AggregateFunction,
    Cast,
    Column,
    Comparison,
    Embed,
    Member,
    Operator,
    Output,
    Param,
    Quantifier,
    Read,
    Record,
    Relation,
    Selection,
    Sort,
)
from repositories.schema import Catalog, Field, Kind, Reference, Resource, Type
from repositories.sql.compiler import Compiler
from repositories.sql.repository import PostgresRepository
from repositories.sql.tables import tables
from tests import catalogs
from tests.catalogs import INT64, JSON, TEXT
from tests.contract import queries as q
from tests.contract.samples import product
from tests.unit.sql_server import Connection, connection, database_url, opened

__all__ = ["connection", "database_url"]

CATALOG = catalogs.shop()
PRODUCTS, CATEGORIES = CATALOG["products"], CATALOG["categories"]
CATEGORY = Relation(CATEGORIES, False, ((PRODUCTS.fields["category_id"], CATEGORIES.fields["id"]),))
OFFERS = Relation(PRODUCTS, True, ((CATEGORIES.fields["id"], PRODUCTS.fields["category_id"]),))
COUNT = Output("count", Aggregate(AggregateFunction.COUNT))


def columns(resource: Resource, *names: str) -> tuple[Output, ...]:
    return tuple(Output(name, Column(resource.fields[name])) for name in names)


def key(resource: Resource) -> tuple[Sort, ...]:
    return tuple(Sort(Column(field)) for field in resource.key)


def category(*outputs: Output) -> Embed:
    return Embed(CATEGORY, Selection(CATEGORIES, outputs, order=key(CATEGORIES)))


def flat(selection: Selection) -> str:
    sql = Compiler(tables(CATALOG)).rows(selection).sql
    return re.sub(r"\s+", " ", sql)


@pytest.fixture(scope="module")
def shop(database_url: str) -> Iterator[PostgresRepository]:
    with opened(database_url, CATALOG) as repository:
        repository.write(q.insert(CATALOG, "categories", *({"id": i, "name": f"c{i}"} for i in range(1, 4))))
        moment = datetime(2026, 1, 31, 9, 30, 0, 120000, tzinfo=UTC)
        repository.write(
            q.insert(
                CATALOG,
                "products",
                *(
                    product(
                        i,
                        price=Decimal(i) / 10 + Decimal("0.00"),
                        category_id=i % 3 or None,
                        created_at=moment,
                        weight=i / 10,
                        notes={"a": [i, 1.5, {"%s": None}]},
                        tags=["x", str(i)],
                    )
                    for i in range(1, 9)
                ),
            )
        )
        yield repository
        assert repository.connections_in_use == 0


def test_an_embedded_record_is_looked_up_when_the_page_is_known() -> None:
    selection = Selection(
        PRODUCTS,
        (*columns(PRODUCTS, "sku"), Output("category", Record(0))),
        order=key(PRODUCTS),
        embeds=(category(*columns(CATEGORIES, "name")),),
    )
    assert flat(selection) == (
        "SELECT CAST(row_to_json(page) AS TEXT) AS row_to_json_1 FROM (SELECT products.sku AS sku, "
        "(SELECT row_to_json(diglot_1.*) AS row_to_json_2 FROM (SELECT diglot_0.name AS name "
        "FROM categories AS diglot_0 WHERE diglot_0.id = products.category_id) AS diglot_1) AS category "
        "FROM products ORDER BY products.id ASC) AS page"
    )


def test_single_members_are_joined() -> None:
    name = Member(0, Column(CATEGORIES.fields["name"]))
    selection = Selection(PRODUCTS, (Output("name", name),), order=(Sort(name), *key(PRODUCTS)), embeds=(category(),))
    assert "FROM products LEFT OUTER JOIN categories AS diglot_0 ON diglot_0.id = products.category_id" in flat(
        selection
    )
    assert "ORDER BY diglot_0.name ASC, products.id ASC" in flat(selection)


def test_rows_have_the_types_of_what_is_embedded(shop: PostgresRepository) -> None:
    names = ("id", "price", "created_at", "weight", "notes", "tags")
    offers = Embed(OFFERS, Selection(PRODUCTS, columns(PRODUCTS, *names), order=key(PRODUCTS), limit=Param(0)))
    selection = Selection(
        CATEGORIES, (*columns(CATEGORIES, "id"), Output("offers", Record(0))), order=key(CATEGORIES), embeds=(offers,)
    )
    moment = datetime(2026, 1, 31, 9, 30, 0, 120000, tzinfo=UTC)
    read = Read(selection, (1,), count=True)
    rows = shop.rows(read)
    assert rows.total == 3
    assert rows.rows == [
        (1, [(UUID(int=1), Decimal("0.10"), moment, 0.1, {"a": [1, 1.5, {"%s": None}]}, ["x", "1"])]),
        (2, [(UUID(int=2), Decimal("0.20"), moment, 0.2, {"a": [2, 1.5, {"%s": None}]}, ["x", "2"])]),
        (3, []),
    ]
    (found,) = rows.rows[0][1]
    assert [type(value) for value in found[4]["a"]] == [int, float, dict]
    assert b'"price":0.10,"created_at":"2026-01-31T09:30:00.12+00:00"' in shop.json(read).body


def test_steps_and_names_with_special_characters(shop: PostgresRepository) -> None:
    path = Column(PRODUCTS.fields["notes"], ("a", 2, "%s"))
    quoted = Column(PRODUCTS.fields["notes"], ("'\"\\%(p0)s:x", -1), as_text=True)
    whole = Column(PRODUCTS.fields["notes"], ("a", -1))
    outputs = (Output("%s", path), Output("ctid", whole), Output('a "b"', quoted), Output("ü" * 31, whole))
    (row, *_) = shop.rows(Read(Selection(PRODUCTS, outputs, order=key(PRODUCTS)))).rows
    assert row == (None, {"%s": None}, None, {"%s": None})


def test_names_of_a_catalog_do_not_collide_with_those_of_a_statement(database_url: str, connection: Connection) -> None:
    fields = {name: Field(name, INT64) for name in ("diglot_0", "page", "diglot_value", "value_0", "parent")}
    fields = {"id": Field("id", INT64, required=True), **fields}
    reference = Reference("up", "diglot_1_parent_fkey", ("parent",), "diglot_1", ("id",))
    resource = Resource("diglot_1", fields, ("id",), (reference,))
    catalog = Catalog({"diglot_1": resource})
    up = Relation(resource, False, ((fields["parent"], fields["id"]),))
    down = Relation(resource, True, ((fields["id"], fields["parent"]),))
    inner = Selection(resource, columns(resource, "page", "diglot_0"), order=key(resource), limit=Param(0))
    selection = Selection(
        resource,
        (
            *columns(resource, "id", "value_0"),
            Output("page", Record(0)),
            Output("diglot_2", Record(1)),
            Output("diglot_3", Member(1, Column(fields["page"]))),
            Output("page_", Cast(Column(fields["page"]), TEXT)),
        ),
        order=(Sort(Member(0, Column(fields["page"]))), *key(resource)),
        limit=Param(0),
        offset=Param(1),
        embeds=(Embed(up, Selection(resource, columns(resource, "page"))), Embed(down, inner)),
    )
    rows = [{"id": i, "parent": i - 1 or None, "page": i * 10, "value_0": 5, "diglot_0": i} for i in (1, 2, 3)]
    with opened(database_url, catalog) as repository:
        repository.write(q.insert(catalog, "diglot_1", *rows))
        found = repository.rows(Read(selection, (9, 1))).rows
    connection.execute("DROP TABLE diglot_1")
    assert found == [(3, 5, (20,), [], [], "30"), (1, 5, None, [(20, 2)], [20], "10")]


def test_a_cast_does_not_see_other_pages(shop: PostgresRepository) -> None:
    resource = CATEGORIES
    name = Column(resource.fields["name"])
    shop.write(q.insert(CATALOG, "categories", {"id": 90, "name": "90"}))
    try:
        number = (Output("n", Cast(name, Type(Kind.INT32))),)
        order = (Sort(name, descending=False), *key(resource))
        for offset, limit, expected in ((0, 1, [(90,)]), (4, 5, [])):
            selection = Selection(resource, number, ALL, order, Param(0), Param(1))
            assert shop.rows(Read(selection, (limit, offset))).rows == expected
        with pytest.raises(CastFailed):
            shop.rows(Read(Selection(resource, number, ALL, order, Param(0)), (2,)))
    finally:
        shop.write(q.delete(CATALOG, "categories", q.eq("id", 90)))


def test_groups_that_are_alike_in_order_are_the_same_on_every_page(shop: PostgresRepository) -> None:
    notes = Column(PRODUCTS.fields["notes"])
    outputs = (Output("notes", notes), COUNT)
    whole = Selection(PRODUCTS, outputs, order=(Sort(notes),))
    pages = Selection(PRODUCTS, outputs, order=(Sort(notes),), limit=Param(0), offset=Param(1))
    rows = shop.rows(Read(whole, count=True))
    assert rows.total == len(rows.rows) == 8
    assert [shop.rows(Read(pages, (1, i))).rows[0] for i in range(8)] == rows.rows


def test_quantified_comparisons_are_not_turned_round_by_a_negation() -> None:
    stock = Column(PRODUCTS.fields["stock"])
    for quantifier in Quantifier:
        condition = Comparison(stock, Operator.GT, Param(0), quantifier)
        sql = flat(Selection(PRODUCTS, columns(PRODUCTS, "id"), q.negated(lambda _, met=condition: met)(None)))  # type: ignore[arg-type,misc]
        assert f"NOT (products.stock > {quantifier.value.upper()} (%s::BIGINT[]))" in sql


def test_lines_are_read_batch_by_batch(shop: PostgresRepository) -> None:
    read = q.read(CATALOG, "products", columns=["sku"])
    with shop.lines(read, batch=3) as chunks:
        batches = [chunk.decode() for chunk in chunks]
    assert [batch.count("\n") for batch in batches] == [3, 3, 2]
    assert [json.loads(line)["sku"] for line in "".join(batches).splitlines()] == [f"SKU-{i}" for i in range(1, 9)]
    with shop.lines(read, batch=3) as chunks:
        assert next(chunks).startswith(b'{"sku":"SKU-1"}\n')


def explained(repository: PostgresRepository, connection: Connection, read: Read, **options: bool) -> Any:
    connection.execute("ANALYZE")
    return repository.explain(read, **options)


def test_an_explanation_names_what_the_plan_uses(shop: PostgresRepository, connection: Connection) -> None:
    read = q.read(CATALOG, "products", where=q.eq("sku", "SKU-3"), columns=["name"], limit=5)
    told = explained(shop, connection, read)
    assert told.backend == "postgres"
    assert "products.sku = $1::VARCHAR" in told.statement
    assert "LIMIT $2::BIGINT" in told.statement
    assert told.parameters == ["SKU-3", 5]
    assert (told.rows, told.examined, told.milliseconds) == (None, None, None)
    assert told.plan["Plan"]["Node Type"]


@pytest.mark.parametrize("count", [False, True])
def test_an_analysis_counts_rows_and_reads(shop: PostgresRepository, connection: Connection, count: bool) -> None:
    read = q.read(CATALOG, "products", where=q.neq("sku", "SKU-3"), columns=["name"], order="name", count=count)
    told = explained(shop, connection, read, analyze=True, verbose=True)
    assert told.rows == 7
    assert told.scans == ("products",)
    assert told.sorts
    assert told.indexes == ()
    assert told.examined == (16 if count else 8)
    assert told.milliseconds > 0
    assert "Output" in json.dumps(told.plan)
    assert "Shared Hit Blocks" in json.dumps(told.plan)


def test_parameters_are_shown_as_json(shop: PostgresRepository) -> None:
    moment = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    where = q.every(q.eq("price", Decimal("1.50")), q.gt("created_at", moment), q.within("id", UUID(int=1)))
    told = shop.explain(q.read(CATALOG, "products", where=where, columns=["name"]))
    assert told.parameters == ["1.50", "2026-01-31T09:30:00+00:00", [str(UUID(int=1))]]


def test_a_written_record_answers_with_paths_and_casts(shop: PostgresRepository) -> None:
    notes, price = PRODUCTS.fields["notes"], PRODUCTS.fields["price"]
    assert notes.type == JSON
    write = q.update(CATALOG, "products", {"stock": 3}, q.eq("sku", "SKU-1"), returning=["sku"])
    outputs = (Output("first", Column(notes, ("a", 0))), Output("text", Cast(Column(price), TEXT)))
    order = (Sort(Column(notes, ("a",))), *key(PRODUCTS))
    document = shop.write(type(write)(write.resource, write.changes, write.where, write.values, outputs, order))
    assert document.body == b'[{"first":1,"text":"0.10"}]'

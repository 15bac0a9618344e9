"""The SQL that selections and writes become."""

from __future__ import annotations

import re
from typing import Any

import pytest

from repositories import patterns
from repositories.kept import Kept
from repositories.query import ALL, Column, Comparison, Operator, Or, Output, Param, Selection, State
from repositories.schema import Catalog, Field, Generated, Kind, Reference, Resource, Type
from repositories.sql.compiler import Compiler
from repositories.sql.operators import OPERATORS, STATES
from repositories.sql.statements import Statement
from repositories.sql.tables import indexes, tables
from repositories.sql.writing import WriteCompiler
from tests.catalogs import shop
from tests.contract import queries as q

CATALOG = shop()
COMPILER = Compiler(tables(CATALOG))
WRITES = WriteCompiler(tables(CATALOG))
PRODUCTS = CATALOG["products"]


def flat(statement: Statement) -> str:
    return re.sub(r"\s+", " ", statement.sql)


def where(condition: q.Filter) -> str:
    selection = q.read(CATALOG, "products", where=condition, columns=["id"]).selection
    return flat(COMPILER.rows(selection)).split(" WHERE ")[1].split(" ORDER BY ")[0]


def test_the_operator_tables_are_the_enums() -> None:
    assert set(OPERATORS) == set(Operator)
    assert set(STATES) == set(State)


@pytest.mark.parametrize(
    ("condition", "sql"),
    [
        (q.eq("name", "x"), "products.name = %s::VARCHAR"),
        (q.neq("price", 1), "products.price != %s"),
        (q.gt("stock", 1), "products.stock > %s::BIGINT"),
        (q.like("name", "a*"), r"products.name LIKE %s::VARCHAR ESCAPE '\'"),
        (q.ilike("name", "a*"), "products.name ~ %s::VARCHAR"),
        (q.within("views", 1, 2, 3), "products.views = ANY (%s::BIGINT[])"),
        (q.negated(q.within("views", 1, 2)), "NOT (products.views = ANY (%s::BIGINT[]))"),
        (q.negated(q.like("name", "a")), r"products.name NOT LIKE %s::VARCHAR ESCAPE '\'"),
        (q.negated(q.ilike("name", "a")), "products.name !~ %s::VARCHAR"),
        (q.null("name"), "products.name IS NULL"),
        (q.negated(q.state("active", State.TRUE)), "products.active IS NOT true"),
        (q.state("active", State.UNKNOWN), "products.active IS NULL"),
        (q.some(), "false"),
        (q.negated(q.every()), "false"),
        (
            q.negated(q.every(q.eq("stock", 1), q.some(q.null("name"), q.eq("views", 2)))),
            "NOT (products.stock = %s::BIGINT AND (products.name IS NULL OR products.views = %s::BIGINT))",
        ),
    ],
)
def test_conditions(condition: q.Filter, sql: str) -> None:
    assert where(condition) == sql


def test_a_list_is_one_parameter_however_long() -> None:
    short, long = (q.read(CATALOG, "products", where=q.within("views", *range(n))) for n in (1, 2000))
    assert short.selection == long.selection
    assert len(COMPILER.rows(long.selection).bind(long.values)) == 1


def test_a_selection_without_conditions_or_page_has_no_clauses_for_them() -> None:
    selection = Selection(PRODUCTS, (Output("id", Column(PRODUCTS.fields["id"])),), ALL)
    assert flat(COMPILER.rows(selection)) == "SELECT products.id AS id FROM products"
    assert flat(COMPILER.total(selection)) == "SELECT count(*) AS count_1 FROM products"


@pytest.mark.parametrize(
    ("order", "sql"),
    [
        ("weight", "products.weight ASC, products.id ASC"),
        ("weight.desc", "products.weight DESC, products.id ASC"),
        ("weight.nullsfirst", "products.weight ASC NULLS FIRST, products.id ASC"),
        ("weight.desc.nullslast", "products.weight DESC NULLS LAST, products.id ASC"),
        ("price.desc.nullslast", "products.price DESC, products.id ASC"),  # never null: an index may serve
    ],
)
def test_nulls_are_placed_only_where_it_matters(order: str, sql: str) -> None:
    statement = COMPILER.rows(q.read(CATALOG, "products", order=order, columns=["id"]).selection)
    assert flat(statement).split(" ORDER BY ")[1] == sql


def test_values_are_bound_in_the_order_of_their_places() -> None:
    read = q.read(CATALOG, "products", where=q.every(q.eq("sku", "A"), q.like("name", "b*")), limit=2, offset=3)
    assert COMPILER.rows(read.selection).bind(read.values) == ["A", "b%", 2, 3]
    assert COMPILER.counted(read.selection).bind(read.values) == ["A", "b%", "A", "b%", 2, 3]


def test_one_value_may_stand_in_two_places() -> None:
    name = Column(PRODUCTS.fields["name"])
    both = Or(tuple(Comparison(name, operator, Param(0)) for operator in (Operator.LIKE, Operator.ILIKE)))
    statement = COMPILER.rows(Selection(PRODUCTS, (), both))
    assert statement.bind((patterns.parse("ä_"),)) == ["ä_", "^[Ää].$"]


def test_the_page_takes_a_name_that_no_output_has() -> None:
    outputs = tuple(Output(name, Column(PRODUCTS.fields["name"])) for name in ("page", "page_", "p%"))
    sql = flat(COMPILER.records(Selection(PRODUCTS, outputs)))
    assert 'products.name AS "p%%" FROM products) AS page__' in sql
    assert "row_to_json(page__)" in sql


def test_kept_statements_are_found_by_identity_and_by_equality() -> None:
    compiled: list[Selection] = []

    def compile_shape(selection: Selection) -> Statement:
        compiled.append(selection)
        return COMPILER.rows(selection)

    kept = Kept(compile_shape, size=2)
    one, twin, other, third = (q.read(CATALOG, "products", limit=n, order=o).selection for n, o in
                               ((1, ""), (1, ""), (1, "name"), (1, "sku")))  # fmt: skip
    assert one is not twin
    assert kept(one) is kept(one) is kept(twin)
    assert compiled == [one]
    assert kept(other) is not kept(one)
    kept(third)
    assert kept(other).sql == COMPILER.rows(other).sql


def insert_sql(resource: str, *names: str) -> str:
    fields = tuple(CATALOG[resource].fields[name] for name in names)
    return flat(WRITES.insert(CATALOG[resource], fields, ()))


def test_an_insert_is_one_statement_with_one_parameter() -> None:
    assert insert_sql("staff", "name", "manager_id") == (
        "WITH diglot_written AS (INSERT INTO staff (name, manager_id) "
        "SELECT diglot_given.name AS name, diglot_given.manager_id AS manager_id FROM json_to_recordset(%s::JSON) "
        'AS diglot_given(name TEXT COLLATE "C", manager_id BIGINT) RETURNING staff.id) '
        "SELECT NULL AS anon_1, count(*) AS count_1, min(diglot_written.id) AS min_1 FROM diglot_written"
    )


def test_a_field_that_is_not_given_is_null_whatever_the_table_says() -> None:
    assert "INSERT INTO orders (placed_at, status) SELECT diglot_given.placed_at AS placed_at, NULL AS" in insert_sql(
        "orders", "placed_at"
    )


def test_a_record_of_nothing_but_its_number() -> None:
    assert "INSERT INTO categories (id) SELECT nextval(pg_get_serial_sequence('categories', 'id'))" in insert_sql(
        "categories"
    )


def test_a_reference_has_an_index_unless_another_begins_with_it() -> None:
    assert [index.name for resource in CATALOG for index in indexes(resource)] == [
        "products_category_id_price_idx",
        "staff_manager_id_idx",
        "orders_seller_id_idx",
        "lines_product_id_idx",
        "returns_order_id_position_idx",
    ]


def test_two_references_on_one_field_share_an_index() -> None:
    fields = {name: Field(name, Type(Kind.INT64), required=True) for name in ("id", "twin_id")}
    references = tuple(Reference(name, f"t_{name}_fkey", ("twin_id",), "t", ("id",)) for name in ("a", "b"))
    (index,) = indexes(Resource("t", fields, ("id",), references))
    assert index.keys == (("twin_id", False),)


def test_sequences_are_identities_that_may_be_given() -> None:
    field = Field("id", Type(Kind.INT32), required=True, generated=Generated.SEQUENCE)
    column: Any = tables(Catalog({"t": Resource("t", {"id": field}, ("id",))})).tables["t"].c.id
    assert column.identity is not None
    assert not column.identity.always

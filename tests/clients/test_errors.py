"""Errors as the clients hand them on: code, message, details and hint."""

from __future__ import annotations

import pytest

from tests.clients.answers import PythonQuery
from tests.clients.conftest import Ask

Case = tuple[str, PythonQuery, dict[str, str | None]]

ERRORS: list[Case] = [
    (
        "db.from('product').select()",
        lambda db: db.from_("product").select(),
        {
            "code": "PGRST205",
            "message": "Could not find the table 'product' in the schema cache",
            "details": None,
            "hint": "Perhaps you meant the table 'products'",
        },
    ),
    (
        "db.from('products').select('sku, nope')",
        lambda db: db.from_("products").select("sku", "nope"),
        {"code": "42703", "message": "column products.nope does not exist", "details": None},
    ),
    (
        "db.from('products').select('sku').eq('stock', 'many')",
        lambda db: db.from_("products").select("sku").eq("stock", "many"),
        {
            "code": "22P02",
            "message": 'invalid input syntax for type integer: "many"',
            "details": None,
            "hint": None,
        },
    ),
    (
        "db.from('products').select('sku').filter('stock', 'near', 3)",
        lambda db: db.from_("products").select("sku").filter("stock", "near", "3"),
        {
            "code": "PGRST100",
            "message": '"failed to parse filter (near.3)" (line 1, column 1)',
        },
    ),
    (
        "db.from('products').select('sku(')",
        lambda db: db.from_("products").select("sku("),
        {"code": "PGRST100"},
    ),
    (
        "db.from('products').select('price::money')",
        lambda db: db.from_("products").select("price::money"),
        {"code": "42704", "message": 'type "money" does not exist', "details": None},
    ),
    (
        "db.from('products').select('name.sum()')",
        lambda db: db.from_("products").select("name.sum()"),
        {"code": "42883"},
    ),
    (
        "db.from('categories').select('name, products(sku)').order('products(sku)')",
        lambda db: db.from_("categories").select("name", "products(sku)").order("products(sku)"),
        {
            "code": "PGRST118",
            "message": "A related order on 'products' is not possible",
            "details": "'categories' and 'products' do not form a many-to-one or one-to-one relationship",
            "hint": None,
        },
    ),
    (
        "db.schema('private').from('products').select('sku')",
        lambda db: db.schema("private").from_("products").select("sku"),
        {
            "code": "PGRST106",
            "message": "Invalid schema: private",
            "details": None,
            "hint": "Only the following schemas are exposed: public",
        },
    ),
]


@pytest.mark.parametrize(("javascript", "python", "expected"), ERRORS)
def test_errors(ask: Ask, javascript: str, python: PythonQuery, expected: dict[str, str | None]) -> None:
    answer = ask(javascript, python)
    assert answer.error is not None
    assert {name: answer.error[name] for name in expected} == expected


def test_the_only_schema(ask: Ask) -> None:
    answer = ask(
        "db.schema('public').from('categories').select('name').eq('id', 1)",
        lambda db: db.schema("public").from_("categories").select("name").eq("id", 1),
    )
    assert (answer.error, answer.data) == (None, [{"name": "Light"}])

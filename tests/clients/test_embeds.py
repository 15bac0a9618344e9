"""Embedded resources as the clients ask for them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.answers import PythonQuery
from tests.clients.conftest import Ask

Case = tuple[str, PythonQuery, list[dict[str, Any]]]

FORMS: list[Case] = [
    (
        "db.from('products').select('sku, categories(name)').order('sku')",
        lambda db: db.from_("products").select("sku", "categories(name)").order("sku"),
        [
            {"sku": "A-1", "categories": {"name": "Light"}},
            {"sku": "B-2", "categories": {"name": "Light"}},
            {"sku": "C-3", "categories": {"name": "Food"}},
            {"sku": "D-4", "categories": None},
        ],
    ),
    (
        "db.from('products').select('sku, category(*), kind:categories!products_category_id_fkey(name)')"
        ".eq('sku', 'C-3')",
        lambda db: (
            db.from_("products")
            .select("sku", "category(*)", "kind:categories!products_category_id_fkey(name)")
            .eq("sku", "C-3")
        ),
        [{"sku": "C-3", "category": {"id": 2, "name": "Food"}, "kind": {"name": "Food"}}],
    ),
    (
        "db.from('categories').select('name, products(sku, price)').order('name')",
        lambda db: db.from_("categories").select("name", "products(sku, price)").order("name"),
        [
            {"name": "Empty", "products": []},
            {"name": "Food", "products": [{"sku": "C-3", "price": 0.1}]},
            {"name": "Light", "products": [{"sku": "A-1", "price": 19.5}, {"sku": "B-2", "price": 5}]},
        ],
    ),
    (
        "db.from('products').select('sku, labels(name)').order('sku').order('name', {referencedTable: 'labels'})",
        lambda db: (
            db.from_("products").select("sku", "labels(name)").order("sku").order("name", foreign_table="labels")
        ),
        [
            {"sku": "A-1", "labels": [{"name": "fragile"}, {"name": "gift"}]},
            {"sku": "B-2", "labels": []},
            {"sku": "C-3", "labels": [{"name": "gift"}]},
            {"sku": "D-4", "labels": []},
        ],
    ),
    (
        "db.from('labels').select('name, products(sku)').order('name').order('sku', {foreignTable: 'products'})",
        lambda db: (
            db.from_("labels").select("name", "products(sku)").order("name").order("sku", foreign_table="products")
        ),
        [
            {"name": "fragile", "products": [{"sku": "A-1"}]},
            {"name": "gift", "products": [{"sku": "A-1"}, {"sku": "C-3"}]},
            {"name": "unused", "products": []},
        ],
    ),
    (
        "db.from('staff').select('name, manager(name), reports:staff!manager_id(name), desks(room)').order('id')",
        lambda db: (
            db.from_("staff")
            .select("name", "manager(name)", "reports:staff!manager_id(name)", "desks(room)")
            .order("id")
        ),
        [
            {"name": "Ada", "manager": None, "reports": [{"name": "Bob"}, {"name": "Cy"}], "desks": {"room": "1.01"}},
            {"name": "Bob", "manager": {"name": "Ada"}, "reports": [{"name": "Di"}], "desks": {"room": None}},
            {"name": "Cy", "manager": {"name": "Ada"}, "reports": [], "desks": None},
            {"name": "Di", "manager": {"name": "Bob"}, "reports": [], "desks": None},
        ],
    ),
    (
        "db.from('returns').select('reason, line:lines(quantity, products(sku))').order('id')",
        lambda db: db.from_("returns").select("reason", "line:lines(quantity, products(sku))").order("id"),
        [
            {"reason": "stale", "line": {"quantity": 10, "products": {"sku": "C-3"}}},
            {"reason": "late", "line": {"quantity": 5, "products": {"sku": "D-4"}}},
            {"reason": "lost", "line": None},
        ],
    ),
    (
        """db.from('orders').select(`
            id, seller:staff(name, manager(name)),
            lines(quantity, product:products(sku, category(name)), returns(reason))
        `).lte('id', 2).order('id')""",
        lambda db: (
            db.from_("orders")
            .select(
                "id, seller:staff(name, manager(name))",
                "lines(quantity, product:products(sku, category(name)), returns(reason))",
            )
            .lte("id", 2)
            .order("id")
        ),
        [
            {
                "id": 1,
                "seller": {"name": "Bob", "manager": {"name": "Ada"}},
                "lines": [
                    {"quantity": 2, "product": {"sku": "A-1", "category": {"name": "Light"}}, "returns": []},
                    {
                        "quantity": 10,
                        "product": {"sku": "C-3", "category": {"name": "Food"}},
                        "returns": [{"reason": "stale"}],
                    },
                ],
            },
            {
                "id": 2,
                "seller": {"name": "Cy", "manager": {"name": "Ada"}},
                "lines": [{"quantity": 1, "product": {"sku": "A-1", "category": {"name": "Light"}}, "returns": []}],
            },
        ],
    ),
    (
        "db.from('products').select('sku, ...categories(category:name)').gte('price', 19).order('sku')",
        lambda db: db.from_("products").select("sku", "...categories(category:name)").gte("price", 19).order("sku"),
        [{"sku": "A-1", "category": "Light"}, {"sku": "D-4", "category": None}],
    ),
    (
        "db.from('categories').select('name, ...products(skus:sku, prices:price)').order('id')",
        lambda db: db.from_("categories").select("name", "...products(skus:sku, prices:price)").order("id"),
        [
            {"name": "Light", "skus": ["A-1", "B-2"], "prices": [19.5, 5]},
            {"name": "Food", "skus": ["C-3"], "prices": [0.1]},
            {"name": "Empty", "skus": [], "prices": []},
        ],
    ),
]

NARROWED: list[Case] = [
    (
        "db.from('orders').select('id, seller:staff!orders_seller_id_fkey!inner(name), lines!left(position)')"
        ".in('seller.name', ['Cy', 'Di'])",
        lambda db: (
            db.from_("orders")
            .select("id", "seller:staff!orders_seller_id_fkey!inner(name)", "lines!left(position)")
            .in_("seller.name", ["Cy", "Di"])
        ),
        [{"id": 2, "seller": {"name": "Cy"}, "lines": [{"position": 1}]}],
    ),
    (
        "db.from('categories').select('name, products!inner(sku)').gt('products.price', 10)",
        lambda db: db.from_("categories").select("name", "products!inner(sku)").gt("products.price", 10),
        [{"name": "Light", "products": [{"sku": "A-1"}]}],
    ),
    (
        "db.from('categories').select('name, products(sku)').gt('products.price', 10).order('name')",
        lambda db: db.from_("categories").select("name", "products(sku)").gt("products.price", 10).order("name"),
        [
            {"name": "Empty", "products": []},
            {"name": "Food", "products": []},
            {"name": "Light", "products": [{"sku": "A-1"}]},
        ],
    ),
    (
        "db.from('products').select('sku, categories!inner(name)').eq('categories.name', 'Food')",
        lambda db: db.from_("products").select("sku", "categories!inner(name)").eq("categories.name", "Food"),
        [{"sku": "C-3", "categories": {"name": "Food"}}],
    ),
    (
        "db.from('categories').select('name, products!inner()').eq('products.active', true)",
        lambda db: db.from_("categories").select("name", "products!inner()").eq("products.active", True),
        [{"name": "Light"}],
    ),
    (
        "db.from('categories').select('name, products(sku)').or('stock.eq.0,price.eq.5', {referencedTable: 'products'})"
        ".order('id').limit(2)",
        lambda db: (
            db.from_("categories")
            .select("name", "products(sku)")
            .or_("stock.eq.0,price.eq.5", reference_table="products")
            .order("id")
            .limit(2)
        ),
        [{"name": "Light", "products": [{"sku": "B-2"}]}, {"name": "Food", "products": [{"sku": "C-3"}]}],
    ),
    (
        "db.from('categories').select('name, products()').is('products', null)",
        lambda db: db.from_("categories").select("name", "products()").is_("products", None),
        [{"name": "Empty"}],
    ),
    (
        "db.from('categories').select('name, products()').not('products', 'is', null).order('name')",
        lambda db: db.from_("categories").select("name", "products()").not_.is_("products", None).order("name"),
        [{"name": "Food"}, {"name": "Light"}],
    ),
    (
        "db.from('orders').select('id, staff(), lines()').or('staff.is.null,lines.is.null').order('id')",
        lambda db: db.from_("orders").select("id", "staff()", "lines()").or_("staff.is.null,lines.is.null").order("id"),
        [{"id": 3}, {"id": 4}],
    ),
    (
        "db.from('orders').select('id, lines!inner(products!inner(sku))').eq('lines.products.sku', 'A-1').order('id')",
        lambda db: (
            db.from_("orders")
            .select("id", "lines!inner(products!inner(sku))")
            .eq("lines.products.sku", "A-1")
            .order("id")
        ),
        [
            {"id": 1, "lines": [{"products": {"sku": "A-1"}}]},
            {"id": 2, "lines": [{"products": {"sku": "A-1"}}]},
        ],
    ),
    (
        "db.from('categories').select('name, products(sku)').order('id')"
        ".order('price', {referencedTable: 'products', ascending: false}).limit(1, {referencedTable: 'products'})",
        lambda db: (
            db.from_("categories")
            .select("name", "products(sku)")
            .order("id")
            .order("price", desc=True, foreign_table="products")
            .limit(1, foreign_table="products")
        ),
        [
            {"name": "Light", "products": [{"sku": "A-1"}]},
            {"name": "Food", "products": [{"sku": "C-3"}]},
            {"name": "Empty", "products": []},
        ],
    ),
    (
        "db.from('categories').select('name, products(sku)').eq('id', 1)"
        ".order('sku', {referencedTable: 'products'}).range(1, 5, {referencedTable: 'products'})",
        lambda db: (
            db.from_("categories")
            .select("name", "products(sku)")
            .eq("id", 1)
            .order("sku", foreign_table="products")
            .range(1, 5, foreign_table="products")
        ),
        [{"name": "Light", "products": [{"sku": "B-2"}]}],
    ),
    (
        "db.from('products').select('sku, categories(name)')"
        ".order('categories(name)', {nullsFirst: true}).order('sku')",
        lambda db: (
            db.from_("products")
            .select("sku", "categories(name)")
            .order("categories(name)", nullsfirst=True)
            .order("sku")
        ),
        [
            {"sku": "D-4", "categories": None},
            {"sku": "C-3", "categories": {"name": "Food"}},
            {"sku": "A-1", "categories": {"name": "Light"}},
            {"sku": "B-2", "categories": {"name": "Light"}},
        ],
    ),
]

GROUPED: list[Case] = [
    (
        "db.from('categories').select('name, products(count())').order('id')",
        lambda db: db.from_("categories").select("name", "products(count())").order("id"),
        [
            {"name": "Light", "products": [{"count": 2}]},
            {"name": "Food", "products": [{"count": 1}]},
            {"name": "Empty", "products": [{"count": 0}]},
        ],
    ),
    (
        "db.from('products').select('categories(name), price.sum()').not('category_id', 'is', null)"
        ".order('categories(name)')",
        lambda db: (
            db.from_("products")
            .select("categories(name)", "price.sum()")
            .not_.is_("category_id", None)
            .order("categories(name)")
        ),
        [{"categories": {"name": "Food"}, "sum": 0.1}, {"categories": {"name": "Light"}, "sum": 24.5}],
    ),
    (
        "db.from('lines').select('order_id, ...products(highest:price.max()), quantity.sum()').order('order_id')",
        lambda db: (
            db.from_("lines").select("order_id", "...products(highest:price.max())", "quantity.sum()").order("order_id")
        ),
        [
            {"order_id": 1, "highest": 19.5, "sum": 12},
            {"order_id": 2, "highest": 19.5, "sum": 1},
            {"order_id": 3, "highest": 19.5, "sum": 6},
        ],
    ),
]


@pytest.mark.parametrize(("javascript", "python", "data"), FORMS + NARROWED + GROUPED)
def test_embeds(ask: Ask, javascript: str, python: PythonQuery, data: object) -> None:
    answer = ask(javascript, python)
    assert (answer.error, answer.data) == (None, data)


def test_a_relation_that_there_is_not(ask: Ask) -> None:
    answer = ask(
        "db.from('products').select('sku, staff(name)')", lambda db: db.from_("products").select("sku", "staff(name)")
    )
    assert answer.error == {
        "code": "PGRST200",
        "message": "Could not find a relationship between 'products' and 'staff' in the schema cache",
        "details": "Searched for a foreign key relationship between 'products' and 'staff', but no matches were found.",
        "hint": None,
    }


def test_several_relations(ask: Ask) -> None:
    answer = ask(
        "db.from('staff').select('name, staff(name)')", lambda db: db.from_("staff").select("name", "staff(name)")
    )
    assert answer.error is not None
    assert answer.error["code"] == "PGRST201"
    assert [each["cardinality"] for each in answer.error["details"]] == ["many-to-one", "one-to-many"]
    assert "Try changing 'staff' to one of the following" in answer.error["hint"]


def test_a_filter_on_what_is_not_embedded(ask: Ask) -> None:
    answer = ask(
        "db.from('products').select('sku').eq('categories.name', 'Food')",
        lambda db: db.from_("products").select("sku").eq("categories.name", "Food"),
    )
    assert answer.error is not None
    assert answer.error["code"] == "PGRST108"

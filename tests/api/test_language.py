"""The rest of the language over HTTP: embeds, spreads, aggregates, paths, casts, and the shape of their refusals."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import MakeClient, refused


@pytest.fixture
def shop(client: FlaskClient) -> FlaskClient:
    def made(name: str, *records: dict[str, Any]) -> None:
        response = client.post(f"/api/{name}", json=list(records))
        assert response.status_code == 201, response.get_json()

    ids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
    made("categories", {"name": "light"}, {"name": "sound"})
    made(
        "products",
        {
            "id": ids[0],
            "sku": "A",
            "name": "Lamp",
            "price": 19.5,
            "category_id": 1,
            "tags": ["a", "b c"],
            "notes": {"k": [1, "x"]},
        },
        {"id": ids[1], "sku": "B", "name": "Torch", "price": 5, "category_id": 1, "tags": [], "notes": None},
        {
            "id": ids[2],
            "sku": "C",
            "name": "Bell",
            "price": 2.25,
            "category_id": None,
            "tags": ["b c"],
            "notes": {"k": {}},
        },
    )
    made("staff", {"name": "Ann", "manager_id": None}, {"name": "Bob", "manager_id": 1})
    made("orders", {"status": "open", "seller_id": 2}, {"status": "paid", "seller_id": None})
    made(
        "lines",
        {"order_id": 1, "position": 1, "product_id": ids[0], "quantity": 2},
        {"order_id": 1, "position": 2, "product_id": ids[1], "quantity": 5},
        {"order_id": 2, "position": 1, "product_id": ids[0], "quantity": 1},
    )
    return client


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (
            "products?select=sku,category(name)&order=sku",
            [
                {"sku": "A", "category": {"name": "light"}},
                {"sku": "B", "category": {"name": "light"}},
                {"sku": "C", "category": None},
            ],
        ),
        ("products?select=sku,category!inner(name)&category.name=eq.sound", []),
        (
            "products?select=sku,...category(kind:name)&order=sku.desc&limit=2",
            [{"sku": "C", "kind": None}, {"sku": "B", "kind": "light"}],
        ),
        (
            "orders?select=id,lines(quantity,product(sku))&lines.order=position.desc&order=id",
            [
                {
                    "id": 1,
                    "lines": [{"quantity": 5, "product": {"sku": "B"}}, {"quantity": 2, "product": {"sku": "A"}}],
                },
                {"id": 2, "lines": [{"quantity": 1, "product": {"sku": "A"}}]},
            ],
        ),
        (
            "orders?select=id,...lines(quantity)&lines.order=position&order=id",
            [{"id": 1, "quantity": [2, 5]}, {"id": 2, "quantity": [1]}],
        ),
        (
            "orders?select=id,lines(position)&lines.limit=1&lines.offset=1&order=id",
            [{"id": 1, "lines": [{"position": 2}]}, {"id": 2, "lines": []}],
        ),
        ("products?select=sku,lines()&lines=is.null", [{"sku": "C"}]),
        (
            "staff?select=name,manager(name)&order=id",
            [{"name": "Ann", "manager": None}, {"name": "Bob", "manager": {"name": "Ann"}}],
        ),
        (
            "staff?select=name,team:staff!manager_id(name)&order=id",
            [{"name": "Ann", "team": [{"name": "Bob"}]}, {"name": "Bob", "team": []}],
        ),
        (
            "orders?select=id,seller(name)&order=seller(name).nullsfirst",
            [{"id": 2, "seller": None}, {"id": 1, "seller": {"name": "Bob"}}],
        ),
        (
            "lines?select=order_id,quantity.sum(),count()&order=order_id",
            [{"order_id": 1, "sum": 7, "count": 2}, {"order_id": 2, "sum": 1, "count": 1}],
        ),
        ("products?select=price.avg()", [{"avg": 8.916666666666666}]),
        ("products?select=sku,sold:lines(quantity.sum())&order=sku&limit=1", [{"sku": "A", "sold": [{"sum": 3}]}]),
        ("products?select=sku,lines(count)&sku=eq.C", [{"sku": "C", "lines": [{"count": 0}]}]),
        ("products?select=sku,k:notes->k->0,t:notes->k->>1&notes->k->>1=eq.x", [{"sku": "A", "k": 1, "t": "x"}]),
        (
            "products?select=price::text,p:price::int,tags::text&sku=eq.A",
            [{"price": "19.50", "p": 20, "tags": '{a,"b c"}'}],
        ),
        ('products?select=sku&tags=cs.{"b c"}&order=sku', [{"sku": "A"}, {"sku": "C"}]),
        ("products?select=sku&name=like(any).{L*,B*}&order=sku", [{"sku": "A"}, {"sku": "C"}]),
        ("products?select=sku&name=match.^[A-L].*[lp]$&order=sku", [{"sku": "A"}, {"sku": "C"}]),
        ("products?select=sku&name=imatch.^T&order=sku", [{"sku": "B"}]),
    ],
)
def test_answers(shop: FlaskClient, path: str, answer: list[dict[str, Any]]) -> None:
    response = shop.get(f"/api/{path}")
    assert (response.status_code, response.get_json()) == (200, answer)


def test_exact_numbers(shop: FlaskClient) -> None:
    assert shop.get("/api/products?select=price.avg()").data == b'[{"avg":8.9166666666666667}]'
    assert shop.get("/api/products?select=price.sum()").data == b'[{"sum":26.75}]'


def test_an_item_with_embeds(shop: FlaskClient) -> None:
    response = shop.get("/api/orders/1?select=id,lines(quantity)&lines.quantity=gt.2")
    assert response.data == b'{"id":1,"lines":[{"quantity":5}]}'
    refused(shop.get("/api/orders/1?lines.quantity=gt.2"), 400, "PGRST108")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("staff?select=name,staff(name)", 300, "PGRST201"),
        ("products?select=sku,nope(id)", 400, "PGRST200"),
        ("products?select=sku&lines.quantity=eq.1", 400, "PGRST108"),
        ("products?select=sku,lines(quantity)&order=lines(quantity)", 400, "PGRST118"),
        ("products?select=sku,lines()&lines=is.true", 400, "PGRST120"),
        ("products?select=sku,...lines(quantity.sum())", 400, "PGRST127"),
        ("products?select=sku,lines(quantity)&lines.limit=-1", 416, "PGRST103"),
        ("products?select=" + "lines(order(" * 25 + "id" + "))" * 25, 400, "54001"),
        ("products?select=" + ",".join(f"e{number}:lines(position)" for number in range(21)), 400, "54001"),
        ("products?name=match.(a%2B)%2B", 400, "2201B"),
        ("products?name=match.[", 400, "2201B"),
        ("products?name=match." + "a" * 10_000, 400, "2201B"),
        ("products?select=name::int", 400, "22P02"),
        ("products?select=name::money", 400, "42704"),
        ("products?select=name::text);--", 400, "PGRST100"),
        ("products?select=price.sum()--", 400, "PGRST100"),
        ("products?or=(" + ",".join(["stock.eq.1"] * 2000) + ")", 400, "54001"),
    ],
)
def test_refusals(shop: FlaskClient, path: str, status: int, code: str) -> None:
    problem = refused(shop.get(f"/api/{path}"), status, code)
    assert "Lamp" not in str(problem)


def test_candidates_of_an_ambiguous_relation(client: FlaskClient) -> None:
    problem = refused(client.get("/api/staff?select=name,staff(name)"), 300, "PGRST201")
    assert [each["cardinality"] for each in problem["details"]] == ["many-to-one", "one-to-many"]
    assert "'manager', 'staff!staff_manager_id_fkey'" in problem["hint"]


def test_aggregates_can_be_turned_off(make_client: MakeClient) -> None:
    refused(make_client(aggregates=False).get("/api/products?select=count()"), 400, "PGRST123")

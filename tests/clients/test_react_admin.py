"""react-admin's data provider for PostgREST, without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from postgrest import SyncPostgrestClient

from tests.clients.answers import Answer
from tests.clients.conftest import Clients, ServiceUrl
from tests.clients.shop import ECLAIR, LAMP, LANTERN

Admin = Callable[[str], Answer]


@pytest.fixture
def admin(clients: Clients, backend: str) -> Admin:
    ask = clients("javascript", backend)

    def call(expression: str) -> Answer:
        answer = ask(expression, lambda _: None)
        assert answer.error is None
        return answer

    return call


@pytest.fixture
def offer(service_url: ServiceUrl, backend: str) -> Iterator[str]:
    """The key of a product that may be changed."""
    with SyncPostgrestClient(service_url(backend)) as client:
        (record,) = client.from_("products").insert({"sku": "W-1", "name": "offer", "price": 1}).execute().data
        assert isinstance(record, dict)
        yield str(record["id"])
        client.from_("products").delete().like("sku", "W-%").execute()


def names(records: list[dict[str, Any]]) -> list[str]:
    return [record["name"] for record in records]


def test_get_list(admin: Admin) -> None:
    answer = admin(
        "admin.getList('products', {pagination: {page: 2, perPage: 2}, sort: {field: 'name', order: 'DESC'},"
        " filter: {'price@gt': 0}})"
    )
    assert (names(answer.data), answer.count) == (["Lamp", "50% off_\\"], 4)


def test_get_list_by_words_and_an_embed(admin: Admin) -> None:
    answer = admin(
        "admin.getList('products', {pagination: {page: 1, perPage: 10}, sort: {field: 'id', order: 'ASC'},"
        " filter: {'name@ilike': 'éclair'}, meta: {columns: ['id', 'name'], embed: ['categories']}})"
    )
    category = {"id": 2, "name": "Food"}
    assert answer.data == [{"id": ECLAIR, "name": "Éclair (big), sweet", "categories": category}]
    assert answer.count == 1


def test_get_one(admin: Admin) -> None:
    answer = admin(f"admin.getOne('products', {{id: '{LAMP}'}})")
    assert (answer.data["sku"], answer.data["price"]) == ("A-1", 19.5)


def test_get_one_by_a_composite_key(admin: Admin) -> None:
    answer = admin("admin.getOne('lines', {id: '[1,2]'})")
    assert (answer.data["id"], answer.data["quantity"]) == ("[1,2]", 10)


def test_get_many(admin: Admin) -> None:
    answer = admin(f"admin.getMany('products', {{ids: ['{LAMP}', '{LANTERN}']}})")
    assert names(answer.data) == ["Lamp", "lantern"]
    lines = admin("admin.getMany('lines', {ids: ['[1,2]', '[3,1]']})")
    assert [record["id"] for record in lines.data] == ["[1,2]", "[3,1]"]


def test_get_many_reference(admin: Admin) -> None:
    answer = admin(
        "admin.getManyReference('products', {target: 'category_id', id: 1, pagination: {page: 1, perPage: 1},"
        " sort: {field: 'price', order: 'ASC'}, filter: {}})"
    )
    assert (names(answer.data), answer.count) == (["lantern"], 2)


def test_update(admin: Admin, offer: str) -> None:
    answer = admin(
        f"admin.update('products', {{id: '{offer}', data: {{name: 'x', price: 2}}, previousData: {{name: 'offer'}}}})"
    )
    assert (answer.data["id"], answer.data["name"], answer.data["price"]) == (offer, "x", 2)


def test_update_many(admin: Admin, offer: str) -> None:
    answer = admin(f"admin.updateMany('products', {{ids: ['{offer}'], data: {{stock: 5}}}})")
    assert answer.data == [offer]


def test_create_and_delete(admin: Admin, offer: str) -> None:
    created = admin("admin.create('products', {data: {sku: 'W-2', name: 'new', price: 1}})")
    assert created.data["sku"] == "W-2"
    deleted = admin(f"admin.delete('products', {{id: '{created.data['id']}'}})")
    assert deleted.data["id"] == created.data["id"]
    many = admin(f"admin.deleteMany('products', {{ids: ['{offer}', '{created.data['id']}']}})")
    assert many.data == [offer]

"""The clients' writes; every record is taken out again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from postgrest import CountMethod, ReturnMethod, SyncPostgrestClient

from tests.clients.conftest import Ask, ServiceUrl

EXACT, MINIMAL = CountMethod.exact, ReturnMethod.minimal


@pytest.fixture(autouse=True)
def _clean(service_url: ServiceUrl, backend: str) -> Iterator[None]:
    yield
    with SyncPostgrestClient(service_url(backend)) as client:
        client.from_("products").delete(returning=MINIMAL).like("sku", "W-%").execute()


@pytest.fixture
def written(ask: Ask) -> None:
    """Two products to change."""
    answer = ask(
        "db.from('products').insert(["
        "{sku: 'W-1', name: 'first', price: 1, stock: 1}, {sku: 'W-2', name: 'second', price: 2, stock: null}])",
        lambda db: db.from_("products").insert(
            [
                {"sku": "W-1", "name": "first", "price": 1, "stock": 1},
                {"sku": "W-2", "name": "second", "price": 2, "stock": None},
            ],
            returning=MINIMAL,
        ),
    )
    assert answer.error is None
    assert not answer.data


def stored(ask: Ask) -> list[dict[str, Any]]:
    answer = ask(
        "db.from('products').select('sku, price, stock').like('sku', 'W-%').order('sku')",
        lambda db: db.from_("products").select("sku", "price", "stock").like("sku", "W-%").order("sku"),
    )
    assert answer.error is None
    assert isinstance(answer.data, list)
    return answer.data


def test_insert_one(ask: Ask) -> None:
    answer = ask(
        "db.from('products').insert({sku: 'W-1', name: 'é', price: 0.5, tags: ['a,b'], released: '2026-01-01'})"
        ".select('sku, name, price, stock, active, tags, sizes, released').single()",
        lambda db: (
            db.from_("products")
            .insert({"sku": "W-1", "name": "é", "price": 0.5, "tags": ["a,b"], "released": "2026-01-01"})
            .select("sku, name, price, stock, active, tags, sizes, released")
            .single()
        ),
    )
    assert answer.error is None
    assert answer.data == {
        "sku": "W-1",
        "name": "é",
        "price": 0.5,
        "stock": 0,
        "active": True,
        "tags": ["a,b"],
        "sizes": None,
        "released": "2026-01-01",
    }


def test_insert_many(ask: Ask) -> None:
    answer = ask(
        "db.from('products').insert([{sku: 'W-1', name: 'a', price: 1}, {sku: 'W-2', name: 'b', price: 2}],"
        " {count: 'exact'}).select('sku, price')",
        lambda db: (
            db.from_("products")
            .insert([{"sku": "W-1", "name": "a", "price": 1}, {"sku": "W-2", "name": "b", "price": 2}], count=EXACT)
            .select("sku", "price")
        ),
    )
    assert answer.error is None
    assert answer.data == [{"sku": "W-1", "price": 1}, {"sku": "W-2", "price": 2}]
    assert answer.count == 2


def test_insert_with_defaults(ask: Ask) -> None:
    answer = ask(
        "db.from('products').insert([{sku: 'W-1', name: 'a', price: 1, stock: 4}, {sku: 'W-2', name: 'b', price: 2}],"
        " {defaultToNull: false})",
        lambda db: db.from_("products").insert(
            [{"sku": "W-1", "name": "a", "price": 1, "stock": 4}, {"sku": "W-2", "name": "b", "price": 2}],
            returning=MINIMAL,
            default_to_null=False,
        ),
    )
    assert answer.error is None
    assert stored(ask) == [{"sku": "W-1", "price": 1, "stock": 4}, {"sku": "W-2", "price": 2, "stock": 0}]


@pytest.mark.usefixtures("written")
def test_update(ask: Ask) -> None:
    answer = ask(
        "db.from('products').update({price: 3}).like('sku', 'W-%').gt('stock', 0).select('sku, price')",
        lambda db: db.from_("products").update({"price": 3}).like("sku", "W-%").gt("stock", 0).select("sku", "price"),
    )
    assert (answer.error, answer.data) == (None, [{"sku": "W-1", "price": 3}])
    counted = ask(
        "db.from('products').update({stock: 9}, {count: 'exact'}).like('sku', 'W-%')",
        lambda db: db.from_("products").update({"stock": 9}, count=EXACT, returning=MINIMAL).like("sku", "W-%"),
    )
    assert (counted.error, counted.count) == (None, 2)
    assert stored(ask) == [{"sku": "W-1", "price": 3, "stock": 9}, {"sku": "W-2", "price": 2, "stock": 9}]


@pytest.mark.usefixtures("written")
def test_update_of_nothing(ask: Ask) -> None:
    answer = ask(
        "db.from('products').update({price: 3}).eq('sku', 'W-3').select()",
        lambda db: db.from_("products").update({"price": 3}).eq("sku", "W-3").select(),
    )
    assert (answer.error, answer.data) == (None, [])


@pytest.mark.usefixtures("written")
def test_delete(ask: Ask) -> None:
    answer = ask(
        "db.from('products').delete({count: 'exact'}).eq('sku', 'W-1').select('sku, name').maybeSingle()",
        lambda db: db.from_("products").delete(count=EXACT).eq("sku", "W-1").select("sku", "name"),
    )
    assert answer.error is None
    assert answer.data in ({"sku": "W-1", "name": "first"}, [{"sku": "W-1", "name": "first"}])
    assert answer.count == 1
    silent = ask(
        "db.from('products').delete().in('sku', ['W-1', 'W-2'])",
        lambda db: db.from_("products").delete(returning=MINIMAL).in_("sku", ["W-1", "W-2"]),
    )
    assert silent.error is None
    assert not silent.data
    assert stored(ask) == []


@pytest.mark.usefixtures("written")
def test_a_unique_value_is_taken(ask: Ask) -> None:
    answer = ask(
        "db.from('products').insert({sku: 'W-1', name: 'x', price: 1})",
        lambda db: db.from_("products").insert({"sku": "W-1", "name": "x", "price": 1}),
    )
    assert answer.error == {
        "code": "23505",
        "message": 'duplicate key value violates unique constraint "products_sku_key"',
        "details": "Key (sku) already exists.",
        "hint": None,
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"category_id": 99}, "23503"), ({"name": None}, "23502"), ({"price": -1}, "23514"), ({"nope": 1}, "PGRST204")],
)
@pytest.mark.usefixtures("written")
def test_what_an_update_must_not_do(ask: Ask, changes: dict[str, Any], code: str) -> None:
    ((name, value),) = changes.items()
    answer = ask(
        f"db.from('products').update({{{name}: {'null' if value is None else value}}}).eq('sku', 'W-1')",
        lambda db: db.from_("products").update(changes, returning=MINIMAL).eq("sku", "W-1"),
    )
    assert answer.error is not None
    assert answer.error["code"] == code


def test_a_delete_without_a_filter(ask: Ask) -> None:
    answer = ask("db.from('lines').delete()", lambda db: db.from_("lines").delete(returning=MINIMAL))
    assert answer.error is not None
    assert answer.error["code"] == "21000"
    left = ask(
        "db.from('lines').select('*', {count: 'exact', head: true})",
        lambda db: db.from_("lines").select("*", count=EXACT, head=True),
    )
    assert left.count == 5


@pytest.mark.usefixtures("written")
def test_no_more_are_affected_than_the_client_allows(ask: Ask) -> None:
    answer = ask(
        "db.from('products').update({price: 9}).like('sku', 'W-%').maxAffected(1)",
        lambda db: db.from_("products").update({"price": 9}, returning=MINIMAL).like("sku", "W-%").max_affected(1),
    )
    assert answer.error is not None
    assert [record["price"] for record in stored(ask)] == [1, 2]


def test_insert_with_nulls_for_what_is_missing(ask: Ask) -> None:
    answer = ask(
        "db.from('products').insert([{sku: 'W-1', name: 'a', price: 1, stock: 4}, {sku: 'W-2', name: 'b', price: 2}])",
        lambda db: db.from_("products").insert(
            [{"sku": "W-1", "name": "a", "price": 1, "stock": 4}, {"sku": "W-2", "name": "b", "price": 2}],
            returning=MINIMAL,
        ),
    )
    assert answer.error is None
    # The JavaScript client sends missing=default only where it is told to; without it the service puts defaults in.
    assert stored(ask) == [{"sku": "W-1", "price": 1, "stock": 4}, {"sku": "W-2", "price": 2, "stock": 0}]


@pytest.mark.usefixtures("written")
def test_upsert(ask: Ask) -> None:
    answer = ask(
        "db.from('products').upsert([{sku: 'W-3', name: 'c', price: 3}, {sku: 'W-1', name: 'A', price: 9}],"
        " {onConflict: 'sku', count: 'exact'}).select('sku, name, price, stock')",
        lambda db: (
            db.from_("products")
            .upsert(
                [{"sku": "W-3", "name": "c", "price": 3}, {"sku": "W-1", "name": "A", "price": 9}],
                on_conflict="sku",
                count=EXACT,
            )
            .select("sku", "name", "price", "stock")
        ),
    )
    assert answer.error is None
    assert answer.data == [
        {"sku": "W-3", "name": "c", "price": 3, "stock": 0},
        {"sku": "W-1", "name": "A", "price": 9, "stock": 1},
    ]
    assert answer.count == 2
    assert [record["sku"] for record in stored(ask)] == ["W-1", "W-2", "W-3"]


@pytest.mark.usefixtures("written")
def test_upsert_that_ignores_duplicates(ask: Ask) -> None:
    answer = ask(
        "db.from('products').upsert([{sku: 'W-1', name: 'A', price: 9}, {sku: 'W-3', name: 'c', price: 3}],"
        " {onConflict: 'sku', ignoreDuplicates: true}).select('sku, price')",
        lambda db: (
            db.from_("products")
            .upsert(
                [{"sku": "W-1", "name": "A", "price": 9}, {"sku": "W-3", "name": "c", "price": 3}],
                on_conflict="sku",
                ignore_duplicates=True,
            )
            .select("sku", "price")
        ),
    )
    assert (answer.error, answer.data) == (None, [{"sku": "W-3", "price": 3}])
    assert [record["price"] for record in stored(ask)] == [1, 2, 3]


@pytest.mark.usefixtures("written")
def test_upsert_on_what_is_not_unique(ask: Ask) -> None:
    answer = ask(
        "db.from('products').upsert({sku: 'W-1', name: 'A', price: 9}, {onConflict: 'price'})",
        lambda db: db.from_("products").upsert({"sku": "W-1", "name": "A", "price": 9}, on_conflict="price"),
    )
    assert answer.error is not None
    assert answer.error["code"] == "42P10"


@pytest.mark.usefixtures("written")
def test_written_records_come_with_embeds(ask: Ask) -> None:
    answer = ask(
        "db.from('products').update({category_id: 2}).like('sku', 'W-%').order('sku', {ascending: false})"
        ".select('sku, category:categories(name)')",
        lambda db: (
            db.from_("products").update({"category_id": 2}).eq("sku", "W-1").select("sku", "category:categories(name)")
        ),
    )
    assert answer.error is None
    first = {"sku": "W-1", "category": {"name": "Food"}}
    assert answer.data in ([first], [{"sku": "W-2", "category": {"name": "Food"}}, first])


@pytest.mark.usefixtures("written")
def test_single_records_of_writes(ask: Ask) -> None:
    one = ask(
        "db.from('products').update({price: 5}).eq('sku', 'W-1').select('sku, price').single()",
        lambda db: db.from_("products").update({"price": 5}).eq("sku", "W-1").select("sku", "price").single(),
    )
    assert (one.error, one.data) == (None, {"sku": "W-1", "price": 5})
    several = ask(
        "db.from('products').update({price: 7}).like('sku', 'W-%').select('sku').single()",
        lambda db: db.from_("products").update({"price": 7}).like("sku", "W-%").select("sku").single(),
    )
    assert several.error is not None
    assert several.error["code"] == "PGRST116"
    assert [record["price"] for record in stored(ask)] == [5, 2]


@pytest.mark.usefixtures("written")
def test_csv_of_writes(ask: Ask) -> None:
    answer = ask(
        "db.from('products').update({price: 5}).eq('sku', 'W-1').select('sku, price').csv()",
        lambda db: db.from_("products").update({"price": 5}).eq("sku", "W-1").select("sku", "price").csv(),
    )
    assert (answer.error, answer.data) == (None, "sku,price\r\nW-1,5.00\r\n")

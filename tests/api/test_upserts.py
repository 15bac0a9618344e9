"""`Prefer: resolution=` and `on_conflict=`: records that are there already are merged into, or passed over."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import refused

MERGE, IGNORE = "resolution=merge-duplicates", "resolution=ignore-duplicates"
LAMP = {"sku": "A-1", "name": "Lamp", "price": 19.5}


def upsert(client: FlaskClient, path: str, body: Any, *preferences: str, **headers: str) -> TestResponse:
    return client.post(path, json=body, headers={"Prefer": ", ".join(preferences), **headers})


def names(client: FlaskClient) -> dict[int, str]:
    return {record["id"]: record["name"] for record in client.get("/api/categories").get_json()}


@pytest.fixture(autouse=True)
def _two(client: FlaskClient) -> None:
    assert client.post("/api/categories", json=[{"id": 10, "name": "a"}, {"id": 20, "name": "b"}]).status_code == 201


def test_new_and_known_records_are_merged_in_the_order_of_the_rows(client: FlaskClient) -> None:
    body = [{"id": 30, "name": "c"}, {"id": 20, "name": "B"}, {"id": 10, "name": "A"}]
    response = upsert(client, "/api/categories", body, MERGE, "count=exact")
    assert (response.status_code, response.get_json()) == (201, body)
    assert response.headers["Preference-Applied"] == f"count=exact, {MERGE}"
    assert response.headers["Content-Range"] == "*/3"
    assert "Location" not in response.headers
    assert names(client) == {10: "A", 20: "B", 30: "c"}


@pytest.mark.parametrize("body", [{"id": 10, "name": "A"}, [{"id": 10, "name": "A"}]])
def test_one_known_record_is_merged(client: FlaskClient, body: Any) -> None:
    response = upsert(client, "/api/categories", body, MERGE)
    assert (response.status_code, response.get_json()) == (200, [{"id": 10, "name": "A"}])
    assert response.headers["Location"] == "/api/categories/10"
    assert response.headers["ETag"] == client.get("/api/categories/10").headers["ETag"]
    assert names(client) == {10: "A", 20: "b"}


def test_one_new_record(client: FlaskClient) -> None:
    for number, preference in ((30, MERGE), (40, IGNORE)):
        response = upsert(client, "/api/categories", {"id": number, "name": str(number)}, preference)
        assert (response.status_code, response.get_json()) == (201, [{"id": number, "name": str(number)}])
        assert response.headers["Location"] == f"/api/categories/{number}"
        assert response.headers["Preference-Applied"] == preference


def test_the_location_is_that_of_the_record_found_by_another_unique_set(client: FlaskClient) -> None:
    response = upsert(client, "/api/categories?on_conflict=name", {"name": "b"}, MERGE)
    assert (response.status_code, response.get_json()) == (200, [{"id": 20, "name": "b"}])
    assert response.headers["Location"] == "/api/categories/20"
    quiet = upsert(client, "/api/categories?on_conflict=name", {"name": "b"}, MERGE, "return=minimal")
    assert (quiet.status_code, quiet.data, quiet.headers["Location"]) == (200, b"", "/api/categories/20")
    assert quiet.headers["Preference-Applied"] == f"return=minimal, {MERGE}"
    only = upsert(client, "/api/categories?on_conflict=name", {"name": "b"}, MERGE, "return=headers-only")
    assert (only.status_code, only.data, only.headers["Location"]) == (200, b"", "/api/categories/20")
    assert only.headers["ETag"] == client.get("/api/categories/20").headers["ETag"]


def test_known_records_are_passed_over(client: FlaskClient) -> None:
    body = [{"id": 10, "name": "A"}, {"id": 30, "name": "c"}, {"id": 20, "name": "B"}, {"id": 30, "name": "again"}]
    response = upsert(client, "/api/categories", body, IGNORE, "count=exact")
    assert (response.status_code, response.get_json()) == (201, [{"id": 30, "name": "c"}])
    assert response.headers["Content-Range"] == "*/1"
    assert names(client) == {10: "a", 20: "b", 30: "c"}
    for body in ([{"id": 10, "name": "A"}], [{"id": 10, "name": "A"}, {"id": 20, "name": "B"}]):
        none = upsert(client, "/api/categories", body, IGNORE)
        assert (none.status_code, none.data) == (201, b"[]")
        assert "Location" not in none.headers
        assert "ETag" not in none.headers


def test_only_the_given_fields_are_merged(client: FlaskClient) -> None:
    first = client.post("/api/products", json=LAMP | {"stock": 5, "tags": ["x"], "category_id": 10}).get_json()[0]
    path = "/api/products?on_conflict=sku"
    second = upsert(client, path, {"sku": "A-1", "name": "Lantern", "price": 2}, MERGE).get_json()
    assert second == [first | {"name": "Lantern", "price": 2}]
    third = upsert(client, f"{path}&columns=sku,name,price,stock", [LAMP | {"tags": ["y"]}], MERGE).get_json()
    assert third == [first | {"stock": 0}]  # missing=default: as in an insert
    fourth = upsert(client, f"{path}&columns=sku,name,price,stock", [LAMP], MERGE, "missing=null").get_json()
    assert fourth == [first | {"stock": None}]


def test_what_is_merged_keeps_the_rules(client: FlaskClient) -> None:
    client.post("/api/products", json=LAMP)
    path = "/api/products?on_conflict=sku"
    refused(upsert(client, path, LAMP | {"name": None}, MERGE), 400, "23502")
    refused(upsert(client, path, LAMP | {"price": -1}, MERGE), 400, "23514")
    refused(upsert(client, path, {"sku": "A-1"}, MERGE), 400, "23502")  # it might be new
    refused(upsert(client, path, LAMP | {"created_at": "2026-01-01"}, MERGE), 400, "428C9")
    problem = refused(upsert(client, path, [LAMP | {"category_id": 99}], MERGE), 409, "23503")
    assert [error["pointer"] for error in problem["errors"]] == ["/0/category_id"]
    problem = refused(upsert(client, "/api/categories", [{"id": 10, "name": "b"}], MERGE), 409, "23505")
    assert [error["pointer"] for error in problem["errors"]] == ["/0/name"]
    problem = refused(upsert(client, "/api/categories", {"id": 10, "name": "b"}, MERGE), 409, "23505")
    assert [error["pointer"] for error in problem["errors"]] == ["/name"]
    problem = refused(
        upsert(client, "/api/categories", [{"id": 30, "name": "c"}, {"id": 40, "name": "b"}], IGNORE), 409, "23505"
    )
    assert [error["pointer"] for error in problem["errors"]] == ["/1/name"]
    assert names(client) == {10: "a", 20: "b"}


def test_two_rows_for_one_record(client: FlaskClient) -> None:
    body = [{"id": 30, "name": "c"}, {"id": 10, "name": "x"}, {"id": 10, "name": "y"}]
    problem = refused(upsert(client, "/api/categories", body, MERGE), 400, "21000")
    assert problem["message"] == "ON CONFLICT DO UPDATE command cannot affect row a second time"
    refused(upsert(client, "/api/categories", [{"id": 5, "name": "x"}, {"id": 5, "name": "x"}], MERGE), 400, "21000")
    assert names(client) == {10: "a", 20: "b"}
    lines = "".join(f'{{"id": {row["id"]}, "name": "{row["name"]}"}}\n' for row in body)
    headers = {"Prefer": MERGE, "Content-Type": "application/x-ndjson"}
    refused(client.post("/api/categories", data=lines, headers=headers), 400, "21000")
    assert names(client) == {10: "a", 20: "b"}


def test_a_null_never_conflicts(client: FlaskClient) -> None:
    path, row = "/api/products?on_conflict=category_id,name&select=sku,name", {"price": 1, "category_id": None}
    for sku in ("A", "B"):
        response = upsert(client, path, [row | {"sku": sku, "name": "same"}], MERGE)
        assert (response.status_code, response.get_json()) == (201, [{"sku": sku, "name": "same"}])
    body = [row | {"sku": sku, "name": "same"} for sku in "CD"]
    assert upsert(client, path, body, IGNORE).get_json() == [{"sku": sku, "name": "same"} for sku in "CD"]
    assert len(client.get("/api/products").get_json()) == 4


def test_composite_sets_in_any_order(client: FlaskClient) -> None:
    client.post("/api/products", json=LAMP | {"category_id": 10})
    for fields in ("category_id,name", "name,category_id"):
        body = {"sku": "B-2", "name": "Lamp", "price": 3, "category_id": 10}
        response = upsert(client, f"/api/products?on_conflict={fields}&select=sku,price", body, MERGE)
        assert (response.status_code, response.data) == (200, b'[{"sku":"B-2","price":3.00}]')
    assert len(client.get("/api/products").get_json()) == 1


def test_composite_keys(client: FlaskClient) -> None:
    product = client.post("/api/products", json=LAMP).get_json()[0]["id"]
    order = client.post("/api/orders", json={}).get_json()[0]["id"]
    line = {"order_id": order, "position": 1, "product_id": product, "quantity": 1}
    assert upsert(client, "/api/lines", line, MERGE).status_code == 201
    again = upsert(client, "/api/lines?on_conflict=position,order_id", line | {"quantity": 7}, MERGE)
    assert (again.status_code, again.headers["Location"]) == (200, f"/api/lines/{order},1")
    both = upsert(client, "/api/lines", [line | {"position": 2}, line | {"quantity": 8}], MERGE)
    assert [row["quantity"] for row in both.get_json()] == [1, 8]


@pytest.mark.parametrize("fields", ["sku,name", "price", "category_id", "stock,sku", "id,sku"])
@pytest.mark.parametrize("resolution", [MERGE, IGNORE])
def test_what_is_no_unique_set(client: FlaskClient, fields: str, resolution: str) -> None:
    problem = refused(upsert(client, f"/api/products?on_conflict={fields}", LAMP, resolution), 400, "42P10")
    assert problem["message"] == "there is no unique or exclusion constraint matching the ON CONFLICT specification"


@pytest.mark.parametrize(("fields", "code"), [("nope", "42703"), ("", "PGRST100"), ("id%22);--", "PGRST100")])
def test_names_that_are_refused(client: FlaskClient, fields: str, code: str) -> None:
    response = upsert(client, f"/api/products?on_conflict={fields}", LAMP, MERGE)
    refused(response, 400, code)


def test_where_a_resolution_has_no_meaning(client: FlaskClient) -> None:
    refused(client.post("/api/categories?on_conflict=id", json={"id": 10, "name": "x"}), 400, "PGRST100")
    refused(client.patch("/api/categories?on_conflict=id&id=eq.10", json={"name": "x"}), 400, "PGRST100")
    refused(client.delete("/api/categories?on_conflict=id&id=eq.10"), 400, "PGRST100")
    refused(client.put("/api/categories/10?on_conflict=id", json={"name": "x"}), 400, "PGRST100")
    assert client.get("/api/categories?on_conflict=id").status_code == 400
    changed = client.patch("/api/categories?id=eq.10", json={"name": "x"}, headers={"Prefer": MERGE})
    assert "Preference-Applied" not in changed.headers
    assert names(client) == {10: "x", 20: "b"}


def test_upserts_answer_with_embeds(client: FlaskClient) -> None:
    client.post("/api/products", json=[LAMP | {"category_id": 10}])
    body = [
        {"sku": "B-2", "name": "Desk", "price": 2, "category_id": 20},
        {"sku": "A-1", "name": "Lamp", "price": 3, "category_id": 20},
    ]
    path = "/api/products?on_conflict=sku&select=sku,category(name)"
    response = upsert(client, path, body, MERGE)
    assert (response.status_code, response.get_json()) == (
        201,
        [{"sku": "B-2", "category": {"name": "b"}}, {"sku": "A-1", "category": {"name": "b"}}],
    )
    one = upsert(client, path, body[1], MERGE)
    assert (one.status_code, one.get_json()) == (200, [{"sku": "A-1", "category": {"name": "b"}}])
    key = one.headers["Location"]
    assert one.headers["ETag"] == client.get(f"{key}?select=sku,category(name)").headers["ETag"]
    over = upsert(client, path, body, IGNORE)
    assert (over.status_code, over.data) == (201, b"[]")


def test_singular_answers_of_upserts(client: FlaskClient) -> None:
    accept = "application/vnd.pgrst.object+json"
    one = upsert(client, "/api/categories", {"id": 10, "name": "A"}, MERGE, Accept=accept)
    assert (one.status_code, one.get_json()) == (200, {"id": 10, "name": "A"})
    refused(upsert(client, "/api/categories", {"id": 10, "name": "X"}, IGNORE, Accept=accept), 406, "PGRST116")
    body = [{"id": 10, "name": "X"}, {"id": 30, "name": "c"}]
    refused(upsert(client, "/api/categories", body, MERGE, Accept=accept), 406, "PGRST116")
    passed = upsert(client, "/api/categories", body, IGNORE, Accept=accept)
    assert (passed.status_code, passed.get_json()) == (201, {"id": 30, "name": "c"})
    assert names(client) == {10: "A", 20: "b", 30: "c"}


def test_csv_is_merged_as_well(client: FlaskClient) -> None:
    headers = {"Prefer": MERGE, "Content-Type": "text/csv"}
    response = client.post("/api/categories", data="id,name\n30,c\n10,A\n", headers=headers)
    assert (response.status_code, response.get_json()) == (201, [{"id": 30, "name": "c"}, {"id": 10, "name": "A"}])
    assert names(client) == {10: "A", 20: "b", 30: "c"}

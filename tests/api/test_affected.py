"""`Prefer: max-affected=` and singular answers of writes: what goes beyond them is undone."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import refused

SINGLE = {"Accept": "application/vnd.pgrst.object+json"}
RECORDS = [{"id": number, "name": name} for number, name in enumerate("abc", start=101)]


@pytest.fixture(autouse=True)
def _three(client: FlaskClient) -> None:
    client.post("/api/categories", json=RECORDS)


def test_too_many_are_undone(client: FlaskClient) -> None:
    path = "/api/products?sku=like.*"
    client.post("/api/products", json=[{"sku": sku, "name": sku, "price": 1} for sku in "ABC"])
    before = client.get("/api/products").data
    for method, body in (("PATCH", {"price": 2}), ("DELETE", None)):
        for returning in ("minimal", "representation"):
            headers = {"Prefer": f"handling=strict, max-affected=2, return={returning}"}
            problem = refused(client.open(path, method=method, json=body, headers=headers), 400, "PGRST124")
            assert problem["details"] == "The query affects 3 rows"
    assert client.get("/api/products").data == before
    headers = {"Prefer": "handling=strict, max-affected=3, return=minimal"}
    done = client.delete(path, headers=headers)
    assert (done.status_code, done.headers["Preference-Applied"]) == (204, "return=minimal, max-affected=3")
    assert client.get("/api/products").get_json() == []


def test_inserts(client: FlaskClient) -> None:
    body = [{"id": 8, "name": "x"}, {"id": 9, "name": "y"}]
    refused(client.post("/api/categories", json=body, headers={"Prefer": "max-affected=1"}), 400, "PGRST124")
    refused(client.post("/api/categories", json=body[0], headers={"Prefer": "max-affected=0"}), 400, "PGRST124")
    lines = b'{"name":"x"}\n{"name":"y"}\n'
    headers = {"Prefer": "max-affected=1", "Content-Type": "application/x-ndjson"}
    refused(client.post("/api/categories", data=lines, headers=headers), 400, "PGRST124")
    merge = {"Prefer": "max-affected=1, resolution=merge-duplicates"}
    both = [{"id": 101, "name": "A"}, {"id": 9, "name": "y"}]
    refused(client.post("/api/categories", json=both, headers=merge), 400, "PGRST124")
    assert client.get("/api/categories").get_json() == RECORDS
    ignore = {"Prefer": "max-affected=1, resolution=ignore-duplicates"}
    done = client.post("/api/categories", json=both, headers=ignore)
    assert (done.status_code, done.get_json()) == (201, [{"id": 9, "name": "y"}])


def test_single_records(client: FlaskClient) -> None:
    for method, body in (("PATCH", {"name": "x"}), ("PUT", {"name": "x"}), ("DELETE", None)):
        headers = {"Prefer": "max-affected=0"}
        refused(client.open("/api/categories/101", method=method, json=body, headers=headers), 400, "PGRST124")
    assert client.get("/api/categories").get_json() == RECORDS
    assert (
        client.patch("/api/categories/101", json={"name": "x"}, headers={"Prefer": "max-affected=1"}).status_code == 200
    )


@pytest.mark.parametrize("prefer", ["handling=lenient, max-affected=1", "max-affected=1, handling=lenient"])
def test_leniency(client: FlaskClient, prefer: str) -> None:
    done = client.delete("/api/categories?id=gt.0", headers={"Prefer": prefer})
    assert (done.status_code, client.get("/api/categories").get_json()) == (204, [])
    assert "max-affected" not in done.headers.get("Preference-Applied", "")


@pytest.mark.parametrize("value", ["-1", "x", "", "1.5", "9999999999"])
def test_values_that_are_none(client: FlaskClient, value: str) -> None:
    headers = {"Prefer": f"handling=strict, max-affected={value}"}
    refused(client.delete("/api/categories?id=gt.0", headers=headers), 400, "PGRST122")
    assert client.get("/api/categories").get_json() == RECORDS


@pytest.mark.parametrize("returning", ["representation", "minimal"])
@pytest.mark.parametrize(("condition", "count"), [("id=gt.101", 2), ("id=gt.900", 0), ("id=eq.9", 0)])
def test_singular_answers(client: FlaskClient, returning: str, condition: str, count: int) -> None:
    headers = SINGLE | {"Prefer": f"return={returning}"}
    path = f"/api/categories?{condition}"
    for method, body in (("PATCH", {}), ("DELETE", None)):
        problem = refused(client.open(path, method=method, json=body, headers=headers), 406, "PGRST116")
        assert problem["details"] == f"The result contains {count} rows"
    assert client.get("/api/categories").get_json() == RECORDS


def test_one(client: FlaskClient) -> None:
    patched = client.patch("/api/categories?name=eq.a", json={"name": "x"}, headers=SINGLE)
    assert (patched.status_code, patched.get_json()) == (200, {"id": 101, "name": "x"})
    assert patched.content_type == "application/vnd.pgrst.object+json; charset=utf-8"
    deleted = client.delete("/api/categories?id=lt.102", headers=SINGLE | {"Prefer": "return=representation"})
    assert (deleted.status_code, deleted.get_json()) == (200, {"id": 101, "name": "x"})
    assert client.delete("/api/categories?id=lt.103", headers=SINGLE).status_code == 204
    inserted = client.post("/api/categories", json=[{"id": 9, "name": "z"}], headers=SINGLE)
    assert (inserted.status_code, inserted.get_json()) == (201, {"id": 9, "name": "z"})
    left: Any = client.get("/api/categories").get_json()
    assert [record["id"] for record in left] == [9, 103]


@pytest.mark.parametrize("prefer", ["return=representation", "return=minimal"])
@pytest.mark.parametrize("body", [[], [{"name": "x"}, {"name": "y"}]])
def test_inserts_of_not_one(client: FlaskClient, body: Any, prefer: str) -> None:
    refused(client.post("/api/categories", json=body, headers=SINGLE | {"Prefer": prefer}), 406, "PGRST116")
    assert client.get("/api/categories").get_json() == RECORDS


def test_with_embeds(client: FlaskClient) -> None:
    client.post("/api/products", json=[{"sku": sku, "name": sku, "price": 1, "category_id": 101} for sku in "AB"])
    before = client.get("/api/products").data
    path = "/api/products?price=eq.1&select=sku,category(name)"
    for method, body in (("PATCH", {"stock": 3}), ("DELETE", None)):
        for headers in (SINGLE | {"Prefer": "return=representation"}, {"Prefer": "max-affected=1"}):
            response = client.open(path, method=method, json=body, headers=headers)
            refused(response, *((406, "PGRST116") if "Accept" in headers else (400, "PGRST124")))
    assert client.get("/api/products").data == before

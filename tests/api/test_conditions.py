"""Conditional writes, and the settings that demand them; how many records a write may concern."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import MakeClient, refused

LAMP = {"sku": "A-1", "name": "Lamp", "price": 19.5}


def test_create_only(client: FlaskClient) -> None:
    created = client.put("/api/categories/7", json={"name": "a"}, headers={"If-None-Match": "*"})
    assert (created.status_code, created.headers["Location"]) == (201, "/api/categories/7")
    problem = refused(
        client.put("/api/categories/7", json={"name": "b"}, headers={"If-None-Match": "*"}), 412, "PGRST412"
    )
    assert problem["errors"] == []
    assert client.get("/api/categories").get_json() == [{"id": 7, "name": "a"}]
    for method, body in (("PATCH", {"name": "c"}), ("DELETE", None)):
        refused(
            client.open("/api/categories/7", method=method, json=body, headers={"If-None-Match": "*"}), 412, "PGRST412"
        )
    refused(client.patch("/api/categories/8", json={"name": "c"}, headers={"If-None-Match": "*"}), 404, "PGRST116")
    refused(client.delete("/api/categories/8", headers={"If-None-Match": "*"}), 404, "PGRST116")


def test_tags_that_the_record_must_not_have(client: FlaskClient) -> None:
    tag = client.put("/api/categories/7", json={"name": "a"}).headers["ETag"]
    for header in (tag, f'"x", {tag}', f"W/{tag}"):
        refused(client.put("/api/categories/7", json={"name": "b"}, headers={"If-None-Match": header}), 412, "PGRST412")
    changed = client.put("/api/categories/7", json={"name": "b"}, headers={"If-None-Match": '"x"'})
    assert changed.status_code == 200
    assert client.patch("/api/categories/7", json={"name": "c"}, headers={"If-None-Match": tag}).status_code == 200
    created = client.put("/api/categories/8", json={"name": "d"}, headers={"If-None-Match": tag})
    assert created.status_code == 201


def test_replacing_only_what_is_there(client: FlaskClient) -> None:
    for header in ("*", '"x"'):
        refused(client.put("/api/categories/7", json={"name": "b"}, headers={"If-Match": header}), 412, "PGRST412")
    assert client.get("/api/categories").get_json() == []


@pytest.mark.parametrize("header", ["x", '"x', '"x" "y"', "W/", '"a\u00e9"', "*, *"])
@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_headers_that_are_no_tags(client: FlaskClient, name: str, header: str) -> None:
    client.put("/api/categories/7", json={"name": "a"})
    for method, body in (("PATCH", {"name": "c"}), ("PUT", {"name": "c"}), ("DELETE", None)):
        refused(client.open("/api/categories/7", method=method, json=body, headers={name: header}), 400, "PGRST100")
    assert client.get("/api/categories/7").get_json()["name"] == "a"


def test_one_condition_at_a_time(client: FlaskClient) -> None:
    both = {"If-Match": "*", "If-None-Match": "*"}
    for method, body in (("PATCH", {"name": "c"}), ("PUT", {"name": "c"}), ("DELETE", None)):
        refused(client.open("/api/categories/7", method=method, json=body, headers=both), 400, "PGRST100")


def test_the_tag_comes_with_every_answer_about_one_record(client: FlaskClient) -> None:
    minimal = {"Prefer": "return=minimal"}
    put = client.put("/api/categories/7", json={"name": "a"}, headers=minimal)
    assert (put.status_code, put.data, put.headers["Location"]) == (201, b"", "/api/categories/7")
    assert put.headers["ETag"] == client.get("/api/categories/7").headers["ETag"]
    again = client.put("/api/categories/7?select=name", json={"name": "b"}, headers=minimal)
    assert (again.status_code, again.headers["ETag"]) == (
        204,
        client.get("/api/categories/7?select=name").headers["ETag"],
    )
    patched = client.patch("/api/categories/7", json={"name": "c"}, headers=minimal)
    assert (patched.status_code, patched.headers["ETag"]) == (204, client.get("/api/categories/7").headers["ETag"])
    for headers in (minimal, {"Prefer": "return=headers-only"}, {}):
        response = client.delete("/api/categories/7", headers=headers)
        assert (response.status_code, response.data) == (204, b"")
        assert "Content-Type" not in response.headers
        client.put("/api/categories/7", json={"name": "a"})


def test_a_condition_may_be_about_embedded_records(client: FlaskClient) -> None:
    client.put("/api/categories/7", json={"name": "a"})
    key = client.post("/api/products", json=LAMP | {"category_id": 7}).headers["Location"]
    path = f"{key}?select=sku,category(name)"
    tag = client.get(path).headers["ETag"]
    first = client.patch(path, json={"stock": 4}, headers={"If-Match": tag})
    assert (first.status_code, first.get_json()) == (200, {"sku": "A-1", "category": {"name": "a"}})
    assert first.headers["ETag"] == tag
    client.patch("/api/categories/7", json={"name": "b"})
    for method, body in (("PATCH", {"stock": 5}), ("PUT", LAMP), ("DELETE", None)):
        refused(client.open(path, method=method, json=body, headers={"If-Match": tag}), 412, "PGRST412")
    assert client.get(f"{key}?select=stock").get_json() == {"stock": 4}
    second = client.put(path, json=LAMP, headers={"If-None-Match": tag})
    assert (second.status_code, second.get_json()) == (200, {"sku": "A-1", "category": None})
    refused(client.delete(path, headers={"If-None-Match": second.headers["ETag"]}), 412, "PGRST412")
    assert client.delete(path, headers={"If-Match": second.headers["ETag"]}).status_code == 204
    refused(client.patch(path, json={"stock": 5}, headers={"If-Match": tag}), 412, "PGRST412")
    refused(client.patch(path, json={"stock": 5}, headers={"If-Match": "*"}), 412, "PGRST412")


def test_unconditional_changes_can_be_forbidden(client: FlaskClient, make_client: MakeClient) -> None:
    strict = make_client(require_conditions=True)
    merge = {"Prefer": "resolution=merge-duplicates"}
    assert strict.post("/api/categories", json={"id": 7, "name": "a"}).status_code == 201
    requests: list[tuple[str, str, Any, dict[str, str]]] = [
        ("PUT", "/api/categories/7", {"name": "x"}, {}),
        ("PUT", "/api/categories/8", {"name": "x"}, {}),
        ("PATCH", "/api/categories/7", {"name": "x"}, {}),
        ("DELETE", "/api/categories/7", None, {}),
        ("PATCH", "/api/categories?id=eq.7", {"name": "x"}, {}),
        ("DELETE", "/api/categories?id=eq.7", None, {}),
        ("POST", "/api/categories", {"id": 7, "name": "x"}, merge),
    ]
    for method, path, body, headers in requests:
        refused(strict.open(path, method=method, json=body, headers=headers), 428, "PGRST428")
        batch = [{"method": method, "path": path, "headers": headers} | ({} if body is None else {"body": body})]
        refused(strict.post("/api/_batch", json=batch), 428, "PGRST428")
    assert client.get("/api/categories").get_json() == [{"id": 7, "name": "a"}]
    ignore = {"Prefer": "resolution=ignore-duplicates"}
    assert strict.post("/api/categories", json={"id": 7, "name": "x"}, headers=ignore).get_json() == []
    tag = strict.get("/api/categories/7").headers["ETag"]
    changed = strict.patch("/api/categories/7", json={"name": "b"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert strict.put("/api/categories/8", json={"name": "c"}, headers={"If-None-Match": "*"}).status_code == 201
    assert strict.delete("/api/categories/8", headers={"If-Match": "*"}).status_code == 204


@pytest.mark.parametrize("catalog_name", ["shop"])
def test_of_two_racing_writers_one_wins(client: FlaskClient, backend: str) -> None:
    app = client.application
    for number in range(5):
        path = f"/api/categories/{number}"
        tag = client.put(path, json={"name": f"{number}"}).headers["ETag"]

        def change(name: str, path: str = path, tag: str = tag) -> int:
            return app.test_client().patch(path, json={"name": name}, headers={"If-Match": tag}).status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(change, [f"{number}-{each}" for each in range(4)]))
        assert statuses == [200, 412, 412, 412], backend


def test_of_two_racing_creators_one_wins(client: FlaskClient) -> None:
    app = client.application
    for number in range(5):

        def create(name: str, number: int = number) -> int:
            headers = {"If-None-Match": "*"}
            return app.test_client().put(f"/api/categories/{number}", json={"name": name}, headers=headers).status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(create, [f"{number}-{each}" for each in range(4)]))
        assert statuses == [201, 412, 412, 412]

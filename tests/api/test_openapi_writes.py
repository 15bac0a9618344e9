"""The OpenAPI document is true of writes: bodies, headers, answers, batches."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient

from tests.api.conftest import MakeClient
from tests.api.described import PRODUCT, checked, conforms, description


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    return description(client)


def test_writes_answer_what_it_promises(client: FlaskClient, document: dict[str, Any]) -> None:
    one, many = "/api/categories/{id}", "/api/categories"
    conforms(document, many, client.post(many, json=[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]))
    conforms(document, many, client.post(many, json={"name": "c"}, headers={"Prefer": "return=minimal"}))
    conforms(document, many, client.patch(f"{many}?id=eq.1", json={"name": "d"}))
    conforms(document, many, client.delete(f"{many}?id=eq.2"))
    conforms(document, one, client.put(f"{many}/3", json={"name": "e"}))
    conforms(document, one, client.put(f"{many}/9", json={"name": "f"}))
    conforms(document, one, client.patch(f"{many}/9", json={"name": "g"}))
    conforms(document, one, client.delete(f"{many}/9"))


@pytest.mark.parametrize(
    "media", ["application/json", "application/vnd.pgrst.object+json", "text/csv", "application/x-ndjson"]
)
def test_writes_answer_in_the_types_that_it_promises(client: FlaskClient, document: dict[str, Any], media: str) -> None:
    one, many = "/api/categories/{id}", "/api/categories"
    headers = {"Accept": media, "Prefer": "return=representation"}
    for path, response, status in (
        (many, client.post(many, json={"id": 1, "name": "a"}, headers=headers), 201),
        (many, client.patch(f"{many}?id=eq.1", json={"name": "b"}, headers=headers), 200),
        (one, client.put(f"{many}/1", json={"name": "c"}, headers=headers), 200),
        (one, client.put(f"{many}/2", json={"name": "d"}, headers=headers), 201),
        (one, client.patch(f"{many}/1", json={"name": "e"}, headers=headers), 200),
        (one, client.delete(f"{many}/1", headers=headers), 200),
        (many, client.delete(f"{many}?id=eq.2", headers=headers), 200),
    ):
        assert (response.status_code, response.mimetype) == (status, media)
        conforms(document, path, response)


def test_bodies_are_of_the_types_that_it_promises(client: FlaskClient, document: dict[str, Any]) -> None:
    one, many = "/api/categories/{id}", "/api/categories"
    bodies = {"application/json": '{"name": "%s"}', "application/merge-patch+json": '{"name": "%s"}'}
    bodies |= {"text/csv": "name\n%s\n", "application/x-ndjson": '{"name": "%s"}\n'}
    for path, method, url, status in (
        (many, "post", many, 201),
        (many, "patch", f"{many}?id=eq.1", 200),
        (one, "put", f"{many}/1", 200),
        (one, "patch", f"{many}/1", 200),
    ):
        promised = document["paths"][path][method]["requestBody"]["content"]
        for number, (media, body) in enumerate(bodies.items()):
            data = body % f"{method}{number}"
            response = client.open(url, method=method.upper(), data=data, content_type=media)
            assert response.status_code == (status if media in promised else 415), (path, method, media)
            conforms(document, path, response)


def test_headers_of_writes_do_what_it_promises(client: FlaskClient, document: dict[str, Any]) -> None:
    one, many = "/api/categories/{id}", "/api/categories"
    upsert = {"Prefer": "resolution=merge-duplicates, max-affected=1"}
    assert client.post(many, json={"id": 1, "name": "a"}, headers={"Idempotency-Key": "k"}).status_code == 201
    for path, response, status in (
        (many, client.post(many, json={"id": 1, "name": "a"}, headers={"Idempotency-Key": "k"}), 201),
        (many, client.post(many, json={"id": 2, "name": "a"}, headers={"Idempotency-Key": "k"}), 422),
        (many, client.post(f"{many}?on_conflict=name", json={"id": 1, "name": "a"}, headers=upsert), 200),
        (many, client.post(many, json=[{"id": 1, "name": "a"}, {"id": 3, "name": "b"}], headers=upsert), 400),
        (one, client.put(f"{many}/1", json={"name": "c"}, headers={"If-None-Match": "*"}), 412),
        (one, client.put(f"{many}/4", json={"name": "d"}, headers={"If-None-Match": "*"}), 201),
        (one, client.delete(f"{many}/4", headers={"If-Match": "*", "Idempotency-Key": '"l"'}), 204),
        (one, client.delete(f"{many}/4", headers={"If-Match": "*", "Idempotency-Key": '"l"'}), 204),
    ):
        assert response.status_code == status, response.get_data(as_text=True)
        conforms(document, path, response)


def test_conditions_and_keys_are_demanded_as_it_promises(make_client: MakeClient) -> None:
    client = make_client(require_conditions=True, require_idempotency_key=True, max_operations=1)
    document = client.get("/openapi.json").get_json()
    assert document["components"]["parameters"]["idempotency-key"]["required"] is True
    assert document["components"]["schemas"]["_batch"]["maxItems"] == 1
    refused = client.delete("/api/categories/1", headers={"Idempotency-Key": "k"})
    assert refused.status_code == 428
    conforms(document, "/api/categories/{id}", refused)
    assert client.delete("/api/categories/1", headers={"If-Match": "*"}).status_code == 400


def test_batches_are_as_it_promises(client: FlaskClient, document: dict[str, Any]) -> None:
    batch: list[dict[str, Any]] = [
        {"id": "new", "method": "POST", "path": "/api/categories", "body": {"name": "a"}},
        {
            "method": "PUT",
            "path": "/api/categories/${/new/body/0/id}",
            "headers": {"If-Match": "*"},
            "body": {"name": "b"},
        },
        {"method": "DELETE", "path": "/api/categories/${/0/body/0/id}"},
    ]
    schema = {"$ref": "#/components/schemas/_batch"}
    checked(document, schema, batch)
    done = client.post("/api/_batch", json=batch)
    assert [each["status"] for each in done.get_json()] == [201, 200, 204]
    conforms(document, "/api/_batch", done)
    conforms(document, "/api/_batch", client.post("/api/_batch", json=[*batch[:1], *batch[:1]]))
    for operation in (
        {"method": "POST"},
        {"method": "POST", "path": "/elsewhere"},
        {"method": "HEAD", "path": "/api/staff"},
        {"method": "GET", "path": "/api/staff", "headers": {"Accept": 1}},
        {"method": "GET", "path": "/api/staff", "verb": "GET"},
        {"method": "GET", "path": "/api/staff", "id": ""},
    ):
        refused = client.post("/api/_batch", json=[operation])
        assert refused.status_code == 400
        conforms(document, "/api/_batch", refused)
        with pytest.raises(jsonschema.ValidationError):
            checked(document, schema, [operation])


@pytest.mark.parametrize("patch", [{"attributes": {"a": None}}, {"attributes": {"b": {"c": [None]}}, "stock": 1}])
def test_merge_patches_are_taken_as_their_schema_says(
    client: FlaskClient, document: dict[str, Any], patch: dict[str, Any]
) -> None:
    created = client.post("/api/products", json=PRODUCT)
    checked(document, {"$ref": "#/components/schemas/products.merge"}, patch)
    headers = {"Content-Type": "application/merge-patch+json"}
    assert client.patch(created.headers["Location"], json=patch, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (PRODUCT, 201),
        ({"sku": "A", "name": "b", "price": 0}, 201),
        ({"sku": "A", "name": "b", "price": 1, "stock": None, "notes": None, "released": "2024-02-29"}, 201),
        ({"sku": "a", "name": "b", "price": 1}, 400),
        ({"sku": "A", "name": "b"}, 400),
        ({"sku": "A", "name": None, "price": 1}, 400),
        ({"sku": "A", "name": "b", "price": -0.01}, 400),
        ({"sku": "A", "name": "b", "price": 10**10}, 400),
        ({"sku": "A", "name": "b" * 201, "price": 1}, 400),
        ({"sku": "A", "name": "b", "price": 1, "stock": 1.5}, 400),
        ({"sku": "A", "name": "b", "price": 1, "tags": [None]}, 400),
        ({"sku": "A", "name": "b", "price": 1, "attributes": [1]}, 400),
        ({"sku": "A", "name": "b", "price": 1, "released": "2024-02-30"}, 400),
        ({"sku": "A", "name": "b", "price": 1, "created_at": "2024-02-29T00:00:00Z"}, 400),
        ({"sku": "A", "name": "b", "price": 1, "unknown": 1}, 400),
    ],
)
def test_bodies_are_taken_as_their_schema_says(
    client: FlaskClient, document: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    schema = {"$ref": "#/components/schemas/products.new"}
    try:
        checked(document, schema, body)
        expected = 201
    except jsonschema.ValidationError:
        expected = 400
    assert (expected, client.post("/api/products", json=body).status_code) == (status, status)

"""`POST /api/_batch`: several operations in one transaction, with references among them."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import MakeClient, refused

LAMP = {"sku": "A-1", "name": "Lamp", "price": 19.5}
Operation = dict[str, Any]


def op(method: str, path: str, body: Any = ..., **rest: Any) -> Operation:
    return {"method": method, "path": f"/api/{path}"} | ({} if body is ... else {"body": body}) | rest


def batch(client: FlaskClient, *operations: Any, **headers: str) -> TestResponse:
    return client.post("/api/_batch", json=list(operations), headers=headers)


def done(client: FlaskClient, *operations: Any, **headers: str) -> list[dict[str, Any]]:
    response = batch(client, *operations, **headers)
    assert response.status_code == 200, response.data
    assert response.content_type == "application/json; charset=utf-8"
    results: list[dict[str, Any]] = response.get_json()
    assert all(result.keys() == {"status", "headers", "body"} for result in results)
    return results


def names(client: FlaskClient) -> list[str]:
    return [record["name"] for record in client.get("/api/categories").get_json()]


def test_all_methods(client: FlaskClient) -> None:
    client.post("/api/categories", json={"id": 70, "name": "there"})
    results = done(
        client,
        op("POST", "categories", {"id": 1, "name": "a"}),
        op("PUT", "categories/2", {"name": "b"}),
        op("PATCH", "categories/1?select=name", {"name": "é"}),
        op("GET", "categories?order=id.desc&limit=2", headers={"Prefer": "count=exact"}),
        op("DELETE", "categories/70"),
        op("DELETE", "categories?id=eq.2", headers={"Prefer": "return=representation"}),
        op("PATCH", "categories?id=eq.9", {"name": "x"}, headers={"Prefer": "return=minimal"}),
    )
    assert [result["status"] for result in results] == [201, 201, 200, 206, 204, 200, 204]
    assert [result["body"] for result in results] == [
        [{"id": 1, "name": "a"}],
        {"id": 2, "name": "b"},
        {"name": "é"},
        [{"id": 70, "name": "there"}, {"id": 2, "name": "b"}],
        None,
        [{"id": 2, "name": "b"}],
        None,
    ]
    assert results[0]["headers"]["Location"] == "/api/categories/1"
    assert results[1]["headers"]["Location"] == "/api/categories/2"
    assert results[2]["headers"]["ETag"] == client.get("/api/categories/1?select=name").headers["ETag"]
    assert results[3]["headers"] == {"Content-Range": "0-1/3", "Preference-Applied": "count=exact"}
    assert results[4]["headers"] == {}
    assert client.get("/api/categories").get_json() == [{"id": 1, "name": "é"}]


def test_nothing(client: FlaskClient) -> None:
    assert done(client) == []


def test_references(client: FlaskClient) -> None:
    results = done(
        client,
        op("POST", "categories", [{"name": "a"}, {"name": "b"}], id="cat"),
        op("POST", "products?select=id,sku,category_id", LAMP | {"category_id": {"$result": "/cat/body/1/id"}}),
        op("PATCH", "products/${/1/body/0/id}?select=tags", {"tags": ["x", {"$result": "/cat/body/0/name"}]}),
        op("GET", "categories?name=eq.${/cat/body/1/name}&select=name"),
        {"method": "PATCH", "path": "${/1/headers/Location}?select=stock", "body": {"stock": {"$result": "/0/status"}}},
        op("GET", "products?id=eq.${/1/body/0/id}&select=price"),
        op("DELETE", "categories/${/0/body/0/id}"),
    )
    assert results[1]["body"][0]["category_id"] == results[0]["body"][1]["id"]
    assert [result["body"] for result in results[2:]] == [
        {"tags": ["x", "a"]},
        [{"name": "b"}],
        {"stock": 201},
        [{"price": 19.5}],
        None,
    ]
    assert names(client) == ["b"]


def test_references_to_conditions_and_whole_bodies(client: FlaskClient) -> None:
    results = done(
        client,
        op("PUT", "categories/1", {"name": "a"}, id="made"),
        op("PATCH", "categories/1", {"name": "b"}, headers={"If-Match": "${/made/headers/ETag}"}),
        op("GET", "categories?select=name", id="all"),
        op("POST", "products?select=notes", LAMP | {"notes": {"$result": "/all/body"}}),
        op("PUT", "categories/1", {"$result": "/1/body"}),
    )
    assert results[3]["body"] == [{"notes": [{"name": "b"}]}]
    assert results[4]["body"] == {"id": 1, "name": "b"}
    problem = refused(
        batch(
            client,
            op("PATCH", "categories/1", {"name": "c"}),
            op("PATCH", "categories/1", {"name": "d"}, headers={"If-Match": '"${/0/status}"'}),
        ),
        412,
        "PGRST412",
    )
    assert [error["pointer"] for error in problem["errors"]] == ["/1"]
    assert names(client) == ["b"]


def test_what_looks_like_a_reference(client: FlaskClient) -> None:
    plain = {"$result": "/0/body", "other": 1}
    results = done(
        client,
        op("PUT", "categories/1", {"name": "${/0/body}"}),
        op(
            "POST",
            "products?select=notes,attributes",
            LAMP | {"notes": {"$value": {"$result": "/0/body"}}, "attributes": plain},
        ),
        op("PATCH", "products?sku=eq.A-1&select=notes", {"notes": {"$value": {"$value": 1}}}),
        op("PATCH", "products?sku=eq.A-1&select=notes", {"notes": {"$result": 5}}),
    )
    assert [result["body"] for result in results] == [
        {"id": 1, "name": "${/0/body}"},
        [{"notes": {"$result": "/0/body"}, "attributes": plain}],
        [{"notes": {"$value": 1}}],
        [{"notes": {"$result": 5}}],
    ]


def test_values_that_need_encoding(client: FlaskClient) -> None:
    name = 'a/b, "c"&d=é?#%'
    results = done(
        client,
        op("PUT", "categories/1", {"name": name}),
        op("GET", "categories?name=eq.${/0/body/name}"),
        op("POST", "products?select=attributes", LAMP | {"attributes": {"a/b": {"~": [10]}}}),
        op("GET", "categories?id=lt.${/2/body/0/attributes/a~1b/~0/0}&select=id"),
    )
    assert results[1]["body"] == [{"id": 1, "name": name}]
    assert results[3]["body"] == [{"id": 1}]


@pytest.mark.parametrize(
    "pointer",
    [
        "",
        "0/body",
        "/1/body",
        "/2/body",
        "/x",
        "/0/body/0/nope",
        "/0/body/1/id",
        "/0/body/-",
        "/0/body/00/id",
        "/0/nope",
    ],
)
def test_references_that_lead_nowhere(client: FlaskClient, pointer: str) -> None:
    first = op("POST", "categories", [{"name": "a"}])
    for second in (
        op("POST", "categories", {"name": {"$result": pointer}}),
        op("PATCH", f"categories/${{{pointer}}}", {"name": "x"}),
        op("PATCH", "categories/1", {"name": "x"}, headers={"If-Match": f"${{{pointer}}}"}),
    ):
        problem = refused(batch(client, first, second), 400, "PGRST100")
        assert [error["pointer"] for error in problem["errors"]] == ["/1"]
    assert names(client) == []


def test_only_text_numbers_and_booleans_fit_a_path(client: FlaskClient) -> None:
    first = op("POST", "products", LAMP)
    for pointer in ("/0/body", "/0/body/0", "/0/body/0/tags", "/0/body/0/weight"):
        refused(batch(client, first, op("GET", f"products?sku=eq.${{{pointer}}}")), 400, "PGRST100")
    found = done(
        client, first, op("GET", "products?active=is.${/0/body/0/active}&price=eq.${/0/body/0/price}&select=sku")
    )
    assert found[1]["body"] == [{"sku": "A-1"}]


FAILING: list[tuple[Operation, int, str, list[str]]] = [
    (op("POST", "categories", {"name": "a"}), 409, "23505", ["/2/body/name"]),
    (op("POST", "categories", [{"name": "x"}, {"name": "a"}]), 409, "23505", ["/2/body/1/name"]),
    (op("POST", "categories", {"name": None}), 400, "23502", ["/2/body/name"]),
    (
        op("POST", "categories", [{"name": "x" * 81}, {"name": None}]),
        400,
        "22001",
        ["/2/body/0/name", "/2/body/1/name"],
    ),
    (op("POST", "products", LAMP | {"category_id": 99}), 409, "23503", ["/2/body/category_id"]),
    (op("DELETE", "categories/99"), 404, "PGRST116", ["/2"]),
    (op("GET", "categories/99"), 404, "PGRST116", ["/2"]),
    (op("GET", "nothing"), 404, "PGRST205", ["/2"]),
    (op("GET", ""), 200, "", []),
    (op("GET", "categories?x=1"), 400, "PGRST100", ["/2"]),
    (op("POST", "categories/1", {"name": "x"}), 405, "PGRST117", ["/2"]),
    (op("DELETE", "categories"), 400, "21000", ["/2"]),
    (op("POST", "categories", {"nope": 1}), 400, "PGRST204", ["/2"]),
    (op("POST", "categories"), 415, "PGRST415", ["/2"]),
    (op("POST", "categories", 5), 400, "PGRST102", ["/2"]),
    (op("POST", "_batch", []), 400, "PGRST100", ["/2"]),
    (op("POST", "_batch", [op("GET", "categories")]), 400, "PGRST100", ["/2"]),
    (op("GET", "categories", headers={"Accept": "text/csv"}), 406, "PGRST107", ["/2"]),
    (op("GET", "categories", headers={"Accept": "application/x-ndjson"}), 406, "PGRST107", ["/2"]),
    (op("GET", "categories/1", headers={"Accept": "text/csv"}), 406, "PGRST107", ["/2"]),
    (
        op("GET", "categories?id=gt.900", headers={"Accept": "application/vnd.pgrst.object+json"}),
        406,
        "PGRST116",
        ["/2"],
    ),
    (op("PATCH", "categories?id=gt.0", {}, headers={"Prefer": "max-affected=0"}), 400, "PGRST124", ["/2"]),
    (op("POST", "categories", {"name": "x"}, headers={"Content-Type": "text/plain"}), 415, "PGRST415", ["/2"]),
]


@pytest.mark.parametrize(("operation", "status", "code", "pointers"), FAILING)
def test_one_failure_undoes_all(
    client: FlaskClient, operation: Operation, status: int, code: str, pointers: list[str]
) -> None:
    client.post("/api/categories", json={"id": 100, "name": "before"})
    response = batch(
        client,
        op("POST", "categories", {"id": 101, "name": "a"}),
        op("DELETE", "categories/100"),
        operation,
        op("POST", "categories", {"id": 102, "name": "c"}),
    )
    if status == 200:
        assert response.status_code == 200
        return
    problem = refused(response, status, code or response.get_json(force=True)["code"])
    assert [error["pointer"] for error in problem["errors"]] == pointers
    assert problem["instance"] == "/api/_batch"
    assert names(client) == ["before"]


BAD_MEMBERS: list[tuple[Any, str]] = [
    (5, "/1"),
    (None, "/1"),
    ([], "/1"),
    ({}, "/1/method"),
    (op("HEAD", "categories"), "/1/method"),
    (op("OPTIONS", "categories"), "/1/method"),
    (op("TRACE", "categories"), "/1/method"),
    (op("get", "categories"), "/1/method"),
    ({"method": 5, "path": "/api/categories"}, "/1/method"),
    ({"method": ["GET"], "path": "/api/categories"}, "/1/method"),
    ({"method": "GET"}, "/1/path"),
    ({"method": "GET", "path": 5}, "/1/path"),
    ({"method": "GET", "path": "categories"}, "/1/path"),
    ({"method": "GET", "path": "http://evil.example/api/categories"}, "/1/path"),
    ({"method": "GET", "path": "/openapi.json"}, "/1/path"),
    ({"method": "GET", "path": "/apis/categories"}, "/1/path"),
    (op("GET", "categories", extra=1), "/1/extra"),
    (op("GET", "categories", headers=[]), "/1/headers"),
    (op("GET", "categories", headers={"Prefer": 5}), "/1/headers"),
    (op("GET", "categories", headers={"idempotency-key": "a"}), "/1/headers"),
    (op("GET", "categories", headers={"Content-Length": "5"}), "/1/headers"),
    (op("GET", "categories", headers={"Transfer-Encoding": "chunked"}), "/1/headers"),
    (op("GET", "categories", headers={"Host": "evil"}), "/1/headers"),
    (op("GET", "categories", id=5), "/1/id"),
    (op("GET", "categories", id=""), "/1/id"),
    (op("GET", "categories", id="0"), "/1/id"),
    (op("GET", "categories", id="first"), "/1/id"),
]


@pytest.mark.parametrize(("operation", "pointer"), BAD_MEMBERS)
def test_operations_that_are_none(client: FlaskClient, operation: Any, pointer: str) -> None:
    problem = refused(batch(client, op("POST", "categories", {"name": "a"}, id="first"), operation), 400, "PGRST102")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert names(client) == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X\n": "a"}, "PGRST102"),
        ({"X:": "a"}, "PGRST102"),
        ({"": "a"}, "PGRST102"),
        ({"X": "a\r\nEvil: 1"}, "PGRST100"),
        ({"X": "${/0/body/0/name}"}, "PGRST100"),
        ({"X": "a\0"}, "PGRST100"),
        ({"Accept-Profile": "${/0/body/0/name}"}, "PGRST100"),
    ],
)
def test_headers_that_are_none(client: FlaskClient, headers: dict[str, str], code: str) -> None:
    first = op("POST", "categories", [{"name": "a\nb"}])
    refused(batch(client, first, op("GET", "categories", headers=headers)), 400, code)
    assert names(client) == []


def test_headers_of_any_text(client: FlaskClient) -> None:
    (result,) = done(client, op("GET", "categories", headers={"X-Note": "é \t😀", "prefer": "count=exact"}))
    assert result["headers"]["Content-Range"] == "*/0"
    refused(batch(client, op("GET", "categories", headers={"X": "x" * 33_000})), 431, "PGRST431")


@pytest.mark.parametrize(
    "path", ["categories?%ZZ", "categories/%00", "categories/\0", "categories?a=%FF", "categories?é=1"]
)
def test_paths_that_are_none(client: FlaskClient, path: str) -> None:
    response = batch(client, op("GET", path))
    refused(response, response.status_code, response.get_json(force=True)["code"])
    assert response.status_code in (400, 404)


@pytest.mark.parametrize("path", ["//evil.example/x", "/api/[x", "/api//categories", "/api/categories#x"])
def test_odd_paths(client: FlaskClient, path: str) -> None:
    response = batch(client, {"method": "GET", "path": path})
    assert response.status_code < 500, response.data


@pytest.mark.parametrize("body", ["5", "{}", '"x"', "null", "[", ""])
def test_bodies_that_are_no_batch(client: FlaskClient, body: str) -> None:
    refused(client.post("/api/_batch", data=body, content_type="application/json"), 400, "PGRST102")


def test_the_batch_itself(client: FlaskClient) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        response = client.open("/api/_batch", method=method, json=[])
        assert response.status_code in (404, 405)
    refused(client.post("/api/_batch", data="[]", content_type="text/csv"), 415, "PGRST415")
    refused(client.post("/api/_batch", json=[], headers={"Accept": "text/csv"}), 406, "PGRST107")


def test_a_batch_may_be_only_so_long(client: FlaskClient, make_client: MakeClient) -> None:
    operations = [op("PUT", f"categories/{number}", {"name": f"{number}"}) for number in range(101)]
    refused(batch(client, *operations), 413, "54000")
    assert names(client) == []
    assert len(done(client, *operations[:100])) == 100
    assert len(names(client)) == 100
    refused(batch(make_client(max_operations=1), *operations[:2]), 413, "54000")


def test_csv_and_lines_in_a_batch(client: FlaskClient) -> None:
    results = done(
        client,
        op("POST", "categories?select=name", "name\na\n", headers={"Content-Type": "text/csv"}),
        op("POST", "categories?select=name", '{"name":"b"}\n', headers={"Content-Type": "application/x-ndjson"}),
        op("PATCH", "products?sku=eq.x", {"notes": {}}, headers={"Content-Type": "application/merge-patch+json"}),
    )
    assert [result["body"] for result in results] == [[{"name": "a"}], [{"name": "b"}], []]
    bodies: list[Any] = [[], 5, None, {}]
    for body in bodies:
        response = batch(client, op("POST", "categories", body, headers={"Content-Type": "text/csv"}))
        refused(response, 400, "PGRST102")


def test_a_batch_with_a_key(client: FlaskClient) -> None:
    operation = op("POST", "categories", {"name": "a"})
    first = batch(client, operation, **{"Idempotency-Key": "k"})
    second = batch(client, operation, **{"Idempotency-Key": "k"})
    assert (first.status_code, second.status_code, second.data) == (200, 200, first.data)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert names(client) == ["a"]


def test_a_batch_of_upserts_embeds_and_singular_answers(client: FlaskClient) -> None:
    single = {"Accept": "application/vnd.pgrst.object+json"}
    merge = {"Prefer": "resolution=merge-duplicates"}
    results = done(
        client,
        op("POST", "categories", {"name": "a"}, headers=single, id="c"),
        op("POST", "categories?on_conflict=name", {"name": "a"}, headers=single | merge),
        op(
            "POST",
            "products?select=sku,category(name)",
            LAMP | {"category_id": {"$result": "/c/body/id"}},
            headers=single,
        ),
        op("GET", "categories?select=name,products(sku)"),
    )
    assert [result["status"] for result in results] == [201, 200, 201, 200]
    assert results[2]["body"] == {"sku": "A-1", "category": {"name": "a"}}
    assert results[3]["body"] == [{"name": "a", "products": [{"sku": "A-1"}]}]

"""`Idempotency-Key`: a write is carried out once, and its answer given again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from repositories.query import Read
from service import idempotency
from service.app import create_app
from service.config import Settings
from tests.api.conftest import MakeClient, refused

LAMP = {"sku": "A-1", "name": "Lamp", "price": 19.5}
KEY = {"Idempotency-Key": '"key-1"'}
REPLAYED = "Idempotent-Replayed"


def told(response: TestResponse) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in response.headers.items() if name != REPLAYED}
    return response.status_code, response.data, headers


def assert_replayed(first: TestResponse, second: TestResponse) -> None:
    assert REPLAYED not in first.headers
    assert second.headers[REPLAYED] == "true"
    assert told(first) == told(second)


def names(client: FlaskClient) -> list[str]:
    return [record["name"] for record in client.get("/api/categories").get_json()]


REQUESTS: list[tuple[str, str, Any, dict[str, str]]] = [
    ("POST", "/api/categories", {"name": "é😀\u2028"}, {}),
    ("POST", "/api/categories", [{"name": "x"}, {"name": "y"}], {"Prefer": "count=exact"}),
    ("POST", "/api/categories?select=name", {"name": "x"}, {"Prefer": "return=minimal"}),
    ("POST", "/api/categories", {"name": "x"}, {"Prefer": "return=headers-only"}),
    ("POST", "/api/categories", {"id": 1, "name": "x"}, {"Prefer": "resolution=merge-duplicates"}),
    ("POST", "/api/categories", {"name": "x"}, {"Accept": "application/vnd.pgrst.object+json;nulls=stripped"}),
    ("POST", "/api/categories", [], {}),
    ("PATCH", "/api/categories/1", {"name": "x"}, {}),
    ("PATCH", "/api/categories/1", {"name": "x"}, {"Prefer": "return=minimal"}),
    ("PATCH", "/api/categories?id=eq.1", {"name": "x"}, {"Prefer": "count=exact"}),
    ("PATCH", "/api/categories?id=eq.1", {"name": "x"}, {"Prefer": "return=minimal"}),
    ("PUT", "/api/categories/9", {"name": "x"}, {}),
    ("PUT", "/api/categories/1", {"name": "x"}, {"If-Match": "*"}),
    ("DELETE", "/api/categories/1", None, {}),
    ("DELETE", "/api/categories?id=eq.1", None, {"Prefer": "return=representation"}),
    ("POST", "/api/_batch", [{"method": "POST", "path": "/api/categories", "body": {"name": "x"}}], {}),
]


@pytest.mark.parametrize(("method", "path", "body", "headers"), REQUESTS)
def test_replays(client: FlaskClient, method: str, path: str, body: Any, headers: dict[str, str]) -> None:
    client.put("/api/categories/1", json={"name": "first"})
    if method == "POST" and "resolution" not in headers.get("Prefer", ""):
        client.post("/api/categories", json={"id": 50, "name": "moves the sequence"})
        client.delete("/api/categories/1")
    first = client.open(path, method=method, json=body, headers=headers | KEY)
    assert first.status_code in (200, 201, 204), first.data
    after = client.get("/api/categories").data
    for _ in range(2):
        assert_replayed(first, client.open(path, method=method, json=body, headers=headers | KEY))
    assert client.get("/api/categories").data == after


REFUSALS: list[tuple[str, str, Any, dict[str, str], int, str]] = [
    ("POST", "/api/categories", {"name": "taken"}, {}, 409, "23505"),
    ("POST", "/api/products", LAMP | {"category_id": 99}, {}, 409, "23503"),
    ("PATCH", "/api/categories/9", {"name": "x"}, {}, 404, "PGRST116"),
    ("PATCH", "/api/categories/1", {"name": "x"}, {"If-Match": '"old"'}, 412, "PGRST412"),
    ("PATCH", "/api/categories?id=eq.9", {}, {"Accept": "application/vnd.pgrst.object+json"}, 406, "PGRST116"),
    ("DELETE", "/api/categories?id=eq.1", None, {"Prefer": "max-affected=0"}, 400, "PGRST124"),
    ("DELETE", "/api/categories/9", None, {}, 404, "PGRST116"),
    ("POST", "/api/_batch", [{"method": "DELETE", "path": "/api/categories/9"}], {}, 404, "PGRST116"),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "code"), REFUSALS)
def test_refusals_by_the_data_are_kept(
    client: FlaskClient, method: str, path: str, body: Any, headers: dict[str, str], status: int, code: str
) -> None:
    client.put("/api/categories/1", json={"name": "taken"})
    first = client.open(path, method=method, json=body, headers=headers | KEY)
    refused(first, status, code)
    client.patch("/api/categories/1", json={"name": "free"})
    client.put("/api/categories/99", json={"name": "there"})
    client.put("/api/categories/9", json={"name": "there, too"})
    after = client.get("/api/categories").data
    assert_replayed(first, client.open(path, method=method, json=body, headers=headers | KEY))
    assert client.get("/api/categories").data == after


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/api/categories", {"nope": 1}, {}, 400),
        ("/api/categories", {"name": None}, {}, 400),
        ("/api/categories?x=1", {"name": "a"}, {}, 400),
        ("/api/nothing", {"name": "a"}, {}, 404),
        ("/api/categories", {"name": "a"}, {"Accept": "image/png"}, 406),
        ("/api/categories", {"name": "a"}, {"Content-Type": "text/plain"}, 415),
    ],
)
def test_malformed_requests_are_not_kept(
    client: FlaskClient, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    for _ in range(2):
        response = client.post(path, json=body, headers=headers | KEY)
        assert (response.status_code, REPLAYED in response.headers) == (status, False)
    done = client.post("/api/categories", json={"name": "b"}, headers=KEY)
    assert (done.status_code, names(client)) == (201, ["b"])


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", "/api/categories", {"name": "b"}, {}),
        ("POST", "/api/categories", {"name": "a "}, {}),
        ("POST", "/api/categories?select=id", {"name": "a"}, {}),
        ("POST", "/api/categories", {"name": "a"}, {"Prefer": "return=minimal"}),
        ("POST", "/api/categories", {"name": "a"}, {"Accept": "application/vnd.pgrst.object+json"}),
        ("POST", "/api/products", {"name": "a"}, {}),
        ("PUT", "/api/categories/1", {"name": "a"}, {}),
        ("DELETE", "/api/categories/1", None, {}),
        ("POST", "/api/_batch", [], {}),
    ],
)
def test_a_key_is_for_one_request(
    client: FlaskClient, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    assert client.post("/api/categories", json={"name": "a"}, headers=KEY).status_code == 201
    problem = refused(client.open(path, method=method, json=body, headers=headers | KEY), 422, "PGRST422")
    assert "hint" in problem
    assert names(client) == ["a"]
    assert client.post("/api/categories", json={"name": "a"}, headers=KEY).headers[REPLAYED] == "true"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ('"a"', "a", True),
        (' "a" ', '"a"', True),
        ('"a\\"b"', '"a\\"b"', True),
        ('"a\\\\"', '"a\\\\"', True),
        ('"a\\\\"', '"a\\""', False),
        ('"a"', '"A"', False),
        ('"a"', '"a "', False),
        ('"x y z"', '"x y  z"', False),
        ('"$where.a"', '"$where.a"', True),
        ('"' + "k" * 255 + '"', "k" * 255, True),
    ],
)
def test_spellings_of_keys(client: FlaskClient, first: str, second: str, same: bool) -> None:
    body = {"name": "a"}
    assert client.post("/api/categories", json=body, headers={"Idempotency-Key": first}).status_code == 201
    response = client.post("/api/categories", json=body, headers={"Idempotency-Key": second})
    if same:
        assert (response.status_code, response.headers.get(REPLAYED)) == (201, "true")
    else:
        refused(response, 409, "23505")


@pytest.mark.parametrize(
    "key", ["", '""', '"', '"a', 'a"', '"a"b"', '"a\\x"', "a b", '"é"', "é", '"a\t"', "k" * 256, '"a";q=1', '"a", "b"']
)
def test_keys_that_are_none(client: FlaskClient, key: str) -> None:
    for method, path in (("POST", "/api/categories"), ("POST", "/api/_batch"), ("DELETE", "/api/categories/1")):
        response = client.open(
            path, method=method, json=[], headers={"Idempotency-Key": key.encode().decode("latin-1")}
        )
        refused(response, 400, "PGRST100")


def test_reads_take_no_notice(client: FlaskClient) -> None:
    for _ in range(2):
        response = client.get("/api/categories", headers=KEY)
        assert (response.status_code, REPLAYED in response.headers) == (200, False)


def test_a_key_can_be_demanded(make_client: MakeClient) -> None:
    client = make_client(require_idempotency_key=True)
    for method, path in (
        ("POST", "/api/categories"),
        ("PATCH", "/api/categories?id=eq.1"),
        ("DELETE", "/api/categories?id=eq.1"),
        ("PUT", "/api/categories/1"),
        ("PATCH", "/api/categories/1"),
        ("DELETE", "/api/categories/1"),
        ("POST", "/api/_batch"),
    ):
        refused(client.open(path, method=method, json={"name": "a"}), 400, "PGRST100")
    assert client.post("/api/categories", json={"name": "a"}, headers=KEY).status_code == 201
    assert client.get("/api/categories").status_code == 200
    batch = [{"method": "POST", "path": "/api/categories", "body": {"name": "b"}}]
    assert client.post("/api/_batch", json=batch, headers={"Idempotency-Key": "b"}).status_code == 200


def test_keys_expire(make_client: MakeClient) -> None:
    client = make_client(idempotency_expiry=1)
    assert client.post("/api/categories", json={"name": "a"}, headers=KEY).status_code == 201
    assert client.post("/api/categories", json={"name": "a"}, headers=KEY).headers[REPLAYED] == "true"
    time.sleep(1.1)
    refused(client.post("/api/categories", json={"name": "a"}, headers=KEY), 409, "23505")
    time.sleep(1.1)
    other = client.post("/api/categories", json={"name": "b"}, headers=KEY)
    assert (other.status_code, REPLAYED in other.headers) == (201, False)
    assert client.post("/api/categories", json={"name": "b"}, headers=KEY).headers[REPLAYED] == "true"
    assert names(client) == ["a", "b"]


def test_what_has_expired_is_purged(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "PURGE_SECONDS", 0.0)
    # One of its own: when it purges next depends on what it was asked before.
    client = create_app(store.repository, Settings(idempotency_expiry=1)).test_client()
    for number in range(3):
        client.post("/api/categories", json={"name": f"{number}"}, headers={"Idempotency-Key": f"{number}"})
    assert kept(store) == {"0", "1", "2"}
    time.sleep(1.1)
    client.post("/api/categories", json={"name": "3"}, headers={"Idempotency-Key": "3"})
    assert kept(store) == {"3"}


def kept(store: Any) -> set[str]:
    """The keys that are remembered."""
    repository = store.repository
    return {key for key in ("0", "1", "2", "3") if repository.rows(Read(idempotency._FIND, (key,))).rows}


def test_the_answers_are_no_resource(client: FlaskClient) -> None:
    client.post("/api/categories", json={"name": "a"}, headers=KEY)
    refused(client.get("/api/_diglot_requests"), 404, "PGRST205")
    refused(client.post("/api/_diglot_requests", json={}), 404, "PGRST205")
    refused(client.delete("/api/_diglot_requests/key-1"), 404, "PGRST205")
    assert "_diglot_requests" not in client.get("/api").get_data(as_text=True)
    assert "_diglot_requests" not in client.get("/openapi.json").get_data(as_text=True)


def test_an_answer_may_be_only_so_long(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MAX_ANSWER", 100)
    body = [{"name": "x" * 50}, {"name": "y" * 50}]
    refused(client.post("/api/categories", json=body, headers=KEY), 413, "54000")
    assert names(client) == []
    quiet = client.post("/api/categories", json=body, headers=KEY | {"Prefer": "return=minimal"})
    assert quiet.status_code == 201


@pytest.mark.parametrize("path", ["/api/orders", "/api/_batch"])
def test_many_at_once_have_one_effect(client: FlaskClient, path: str) -> None:
    app = client.application
    body: Any = {} if path == "/api/orders" else [{"method": "POST", "path": "/api/orders", "body": {}}]
    for number in range(3):
        headers = {"Idempotency-Key": f'"race {number}"'}

        def send(_: int, headers: dict[str, str] = headers) -> TestResponse:
            return app.test_client().post(path, json=body, headers=headers)

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(send, range(6)))
        done = [answer for answer in answers if answer.status_code < 300]
        assert sum(REPLAYED not in answer.headers for answer in done) == 1
        assert len({answer.data for answer in done}) == 1
        for answer in answers:
            if answer.status_code >= 300:
                refused(answer, 409, "PGRST409")
                assert answer.headers["Retry-After"] == "1"
        assert len(client.get("/api/orders").get_json()) == number + 1


def test_many_refused_at_once(client: FlaskClient) -> None:
    client.put("/api/categories/1", json={"name": "a"})
    app = client.application

    def send(_: int) -> TestResponse:
        return app.test_client().post("/api/categories", json={"name": "a"}, headers=KEY)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    codes = {answer.get_json(force=True)["code"] for answer in answers}
    assert codes <= {"23505", "PGRST409"}
    assert "23505" in codes
    assert REPLAYED in send(0).headers

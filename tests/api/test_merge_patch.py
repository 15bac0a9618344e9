"""JSON merge patch (RFC 7396) of JSON fields; other fields are set."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.merging import merge_patch
from tests.api.conftest import refused

MERGE_PATCH = "application/merge-patch+json"

#: Appendix A of the RFC, as far as the patch is an object: only then is there anything to merge.
APPENDIX: list[tuple[Any, dict[str, Any], Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ("text", {"a": 1}, {"a": 1}),
    (None, {"a": None}, {}),
    ({"a": 5}, {"a": {"b": None}}, {"a": {}}),
    ({"a": {"b": 1}}, {}, {"a": {"b": 1}}),
]
#: The same, where the patch is no object: the value takes its place.
REPLACED: list[tuple[Any, Any]] = [
    (["a", "b"], ["c", "d"]),
    ({"a": "b"}, ["c"]),
    ({"a": "foo"}, None),
    ({"a": "foo"}, "bar"),
    ([{"a": None}], [{"b": None}]),
]


@pytest.fixture
def catalog_name() -> str:
    return "shapes"


def patch(client: FlaskClient, path: str, body: Any, **headers: str) -> TestResponse:
    return client.patch(path, json=body, headers={"Content-Type": MERGE_PATCH, **headers})


def insert(client: FlaskClient, *records: dict[str, Any]) -> None:
    body = [{"id": number, **record} for number, record in enumerate(records, start=1)]
    names = {name for record in body for name in record}
    response = client.post(f"/api/people?columns={','.join(sorted(names))}", json=body)
    assert response.status_code == 201, response.data


@pytest.mark.parametrize(("target", "change", "result"), APPENDIX)
def test_merging(target: Any, change: dict[str, Any], result: Any) -> None:
    assert merge_patch(target, change) == result


@pytest.mark.parametrize(("target", "change", "result"), APPENDIX)
def test_free_json(client: FlaskClient, target: Any, change: dict[str, Any], result: Any) -> None:
    insert(client, {"free": target, "name": "Ada"})
    response = patch(client, "/api/people/1?select=free,name", {"free": change})
    assert (response.status_code, response.get_json()) == (200, {"free": result, "name": "Ada"})
    assert client.get("/api/people/1?select=free").get_json() == {"free": result}


@pytest.mark.parametrize(("target", "value"), REPLACED)
def test_what_is_no_object_takes_the_place(client: FlaskClient, target: Any, value: Any) -> None:
    insert(client, {"free": target})
    assert patch(client, "/api/people/1?select=free", {"free": value}).get_json() == {"free": value}


def test_plain_json_replaces(client: FlaskClient) -> None:
    insert(client, {"free": {"a": 1, "b": 2}})
    changed = client.patch("/api/people/1?select=free", json={"free": {"a": None}})
    assert changed.get_json() == {"free": {"a": None}}


def test_every_record_of_a_set_is_merged_on_its_own(client: FlaskClient) -> None:
    insert(
        client, {"extra": {"a": 1, "b": {"c": 1}}}, {"extra": None}, {"extra": {"a": 2}, "name": "Cy"}, {"name": "D"}
    )
    response = patch(
        client,
        "/api/people?id=lt.4&order=id.desc&select=id,name,extra",
        {"extra": {"a": None, "b": {"d": True}}, "name": "x"},
        Prefer="count=exact",
    )
    assert (response.status_code, response.headers["Content-Range"]) == (200, "0-2/3")
    assert response.get_json() == [
        {"id": 3, "name": "x", "extra": {"b": {"d": True}}},
        {"id": 2, "name": "x", "extra": {"b": {"d": True}}},
        {"id": 1, "name": "x", "extra": {"b": {"c": 1, "d": True}}},
    ]
    assert client.get("/api/people/4?select=name,extra").get_json() == {"name": "D", "extra": None}


def test_fields_that_the_filter_is_about_may_be_changed(client: FlaskClient) -> None:
    insert(client, {"name": "a", "extra": {"v": 1}}, {"name": "a", "extra": {"v": 2}})
    path = "/api/people?name=eq.a&extra-%3Ev=eq.1&select=id,name,extra"
    response = patch(client, path, {"id": 9, "name": "b", "extra": {"v": 3, "w": []}})
    assert (response.status_code, response.get_json()) == (200, [{"id": 9, "name": "b", "extra": {"v": 3, "w": []}}])
    assert client.get("/api/people?select=id,extra-%3Ev").get_json() == [{"id": 2, "v": 2}, {"id": 9, "v": 3}]


def test_no_record(client: FlaskClient) -> None:
    refused(patch(client, "/api/people/1", {"free": {"a": 1}}), 404, "PGRST116")
    response = patch(client, "/api/people?id=eq.1", {"free": {"a": 1}})
    assert (response.status_code, response.data, response.headers["Content-Range"]) == (200, b"[]", "*/*")


def test_several_fields_at_once(client: FlaskClient) -> None:
    insert(client, {"free": {"a": 1}, "extra": {"a": 1}, "address": {"city": "Bonn"}})
    body = {"free": {"a": None}, "extra": {"b": 2}, "address": {"zip": "53111"}, "needed": {"x": "é😀"}}
    response = patch(client, "/api/people/1?select=free,extra,address,needed", body)
    assert response.get_json() == {
        "free": {},
        "extra": {"a": 1, "b": 2},
        "address": {"city": "Bonn", "zip": "53111"},
        "needed": {"x": "é😀"},
    }


@pytest.mark.parametrize(
    "change",
    [
        {"address": {"city": None}},
        {"address": {"city": "longer than ten"}},
        {"address": {"city": 5}},
        {"address": {"zip": "123"}},
        {"address": {"street": "x"}},
        {"needed": None},
        {"extra": [1]},
        {"name": {"a": 1}},
        {"free": {"a": {"b\0": 1}}},
        {"free": {"a": 2**64 + 1}},
        {"nope": {}},
    ],
)
@pytest.mark.parametrize("path", ["/api/people/1", "/api/people?id=gte.1"])
def test_results_that_break_a_rule(client: FlaskClient, change: dict[str, Any], path: str) -> None:
    insert(client, {"address": {"city": "Bonn"}, "free": {"a": 1}}, {"address": {"city": "Ulm", "zip": "89073"}})
    before = client.get("/api/people").data
    response = patch(client, path, {"name": "changed"} | change)
    assert response.status_code == 400
    problem = refused(response, 400, response.get_json(force=True)["code"])
    assert problem["code"] in ("23514", "22001", "22P02", "23502", "22P05", "22003", "PGRST204")
    if problem["code"] != "PGRST204":
        (name,) = change
        assert [error["pointer"] for error in problem["errors"]] == [f"/{name}"]
    assert client.get("/api/people").data == before


def test_a_result_that_is_refused_in_one_record_undoes_all(client: FlaskClient) -> None:
    insert(client, {"address": {"city": "Bonn"}}, {"address": None})
    before = client.get("/api/people").data
    problem = refused(patch(client, "/api/people?id=gt.0", {"address": {"zip": "53111"}}), 400, "23514")
    assert [error["pointer"] for error in problem["errors"]] == ["/address"]
    assert client.get("/api/people").data == before


def test_a_patch_that_mends(client: FlaskClient) -> None:
    insert(client, {"address": None})
    changed = patch(client, "/api/people/1?select=address", {"address": {"city": "Bonn", "zip": None}})
    assert changed.get_json() == {"address": {"city": "Bonn"}}
    assert patch(client, "/api/people/1?select=address", {"address": None}).get_json() == {"address": None}


def test_conditions(client: FlaskClient) -> None:
    insert(client, {"free": {"a": 1}})
    tag = client.get("/api/people/1").headers["ETag"]
    first = patch(client, "/api/people/1", {"free": {"b": 2}}, **{"If-Match": tag})
    assert (first.status_code, first.get_json()["free"]) == (200, {"a": 1, "b": 2})
    assert first.headers["ETag"] == client.get("/api/people/1").headers["ETag"] != tag
    refused(patch(client, "/api/people/1", {"free": {"c": 2}}, **{"If-Match": tag}), 412, "PGRST412")
    refused(patch(client, "/api/people/2", {"free": {"c": 2}}, **{"If-Match": "*"}), 412, "PGRST412")
    assert client.get("/api/people/1?select=free").get_json() == {"free": {"a": 1, "b": 2}}


def test_how_many_may_be_affected(client: FlaskClient) -> None:
    insert(client, {"free": {"a": 1}}, {"free": {"a": 1}})
    before = client.get("/api/people").data
    refused(patch(client, "/api/people?id=gt.0", {"free": {"b": 1}}, Prefer="max-affected=1"), 400, "PGRST124")
    accept = {"Accept": "application/vnd.pgrst.object+json"}
    refused(patch(client, "/api/people?id=gt.0", {"free": {"b": 1}}, **accept), 406, "PGRST116")
    assert client.get("/api/people").data == before


def test_quiet(client: FlaskClient) -> None:
    insert(client, {"free": {"a": 1}})
    response = patch(client, "/api/people/1", {"free": {"b": 1}}, Prefer="return=minimal")
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["ETag"] == client.get("/api/people/1").headers["ETag"]
    response = patch(client, "/api/people?id=eq.1", {"free": {"c": 1}}, Prefer="return=minimal")
    assert (response.status_code, response.data, response.headers["Content-Range"]) == (204, b"", "0-0/*")
    assert client.get("/api/people/1?select=free").get_json() == {"free": {"a": 1, "b": 1, "c": 1}}


def test_where_a_merge_patch_is_not_understood(client: FlaskClient) -> None:
    for method, path in (("POST", "/api/people"), ("PUT", "/api/people/1")):
        response = client.open(path, method=method, json={"id": 1}, headers={"Content-Type": MERGE_PATCH})
        refused(response, 415, "PGRST415")
        assert MERGE_PATCH not in response.headers["Accept"]
    for body in ("[]", "5", "null", "{", ""):
        response = client.patch("/api/people/1", data=body, content_type=MERGE_PATCH)
        refused(response, 400, "PGRST102")


def test_depth(client: FlaskClient) -> None:
    deep: dict[str, Any] = {}
    for _ in range(63):
        deep = {"a": deep}
    insert(client, {"free": {}})
    assert patch(client, "/api/people/1?select=free", {"free": deep}).get_json() == {"free": deep}
    refused(patch(client, "/api/people/1", {"free": {"a": deep}}), 400, "54001")

"""Bodies of CSV and of lines of JSON; bodies that come in pieces, are too large, or end early."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service import body
from tests.api.conftest import MakeClient, refused
from tests.patience import PAUSE

LAMP = {"sku": "A-1", "name": "Lamp", "price": 19.5}
CSV, LINES = "text/csv", "application/x-ndjson"


def post(client: FlaskClient, path: str, data: bytes | str, kind: str = CSV, **headers: str) -> TestResponse:
    return client.post(f"/api/{path}", data=data, headers={"Content-Type": kind, **headers})


def names(client: FlaskClient) -> list[str]:
    return [record["name"] for record in client.get("/api/categories").get_json()]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("name\na\n", ["a"]),
        ("name\na", ["a"]),
        ("name\r\na\r\nb\r\n", ["a", "b"]),
        ('name\n"a,b"\n', ["a,b"]),
        ('name\n"a""b"\n', ['a"b']),
        ('name\n"a\nb"\n', ["a\nb"]),
        ('name\n"a\r\nb"\r\n', ["a\r\nb"]),
        ('"name"\n""\n', [""]),
        ("name\n a \n", [" a "]),
        ("\ufeffname\na\n", ["a"]),
        ("name\né😀\n", ["é😀"]),
        ("name,id\na,7\nb,3\n", ["a", "b"]),
        ("name\n", []),
        ("name", []),
        ("name\n=cmd()\n", ["=cmd()"]),
        ("name\nNULL\n", ["NULL"]),
        ("id,name\n7,a\n\n8,b\n", ["a", "b"]),
    ],
)
def test_csv(client: FlaskClient, data: str, expected: list[str]) -> None:
    response = post(client, "categories?select=name", data.encode())
    assert (response.status_code, [each["name"] for each in response.get_json()]) == (201, expected), response.data
    assert sorted(names(client)) == sorted(expected)
    assert ("Location" in response.headers) == (len(expected) == 1)


def test_csv_of_every_type(client: FlaskClient) -> None:
    header = "sku,name,price,weight,stock,views,active,tags,sizes,attributes,notes,released,category_id"
    row = 'A,"",1.5,1e3,,9223372036854775807,true,"[""x"",""y,z""]",[1],"{""a"":null}","""text""",2024-02-29,'
    response = post(client, f"products?select={header}", f"{header}\n{row}\n")
    assert response.status_code == 201, response.data
    assert response.get_json() == [
        {
            "sku": "A",
            "name": "",
            "price": 1.5,
            "weight": 1000,
            "stock": None,
            "views": 2**63 - 1,
            "active": True,
            "tags": ["x", "y,z"],
            "sizes": [1],
            "attributes": {"a": None},
            "notes": "text",
            "released": "2024-02-29",
            "category_id": None,
        }
    ]


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        ("", "PGRST102", ""),
        ("\n", "PGRST102", "line 1"),
        ("name,id\na\n", "PGRST102", "line 2 has 1 fields where the header has 2"),
        ("name,id\na,1\nb,2,3\n", "PGRST102", "line 3 has 3 fields where the header has 2"),
        ('name\n"a\nb"\n"c\n', "PGRST102", "line 4"),
        ('name\na"b\n', "PGRST102", "line 2"),
        ('name\n"a"b\n', "PGRST102", "line 2"),
        ("name\na\rb\n", "PGRST102", "line 2"),
        ("name,name\na,b\n", "PGRST102", "line 1"),
        ("name\n\xff\n", "", ""),
        ("nope\na\n", "PGRST204", ""),
        ("name,\na,b\n", "PGRST204", ""),
        ("name\na\0\n", "22P05", ""),
        ("na\0me\na\n", "PGRST204", ""),
        ("name\n\n", "23502", ""),
        ("id,name\nx,a\n", "22P02", ""),
        ("id,name\n9223372036854775808,a\n", "22003", ""),
        ("created_at\n2024-01-01\n", "PGRST204", ""),
    ],
)
def test_csv_that_is_refused(client: FlaskClient, data: str, code: str, told: str) -> None:
    if data == "name\n\xff\n":
        problem = refused(post(client, "categories", data.encode("latin-1")), 400, "PGRST102")
        assert "line 2" in problem["details"]
    else:
        problem = refused(post(client, "categories", data), 400, code)
        assert told in (problem["details"] or "")
    assert names(client) == []


@pytest.mark.parametrize("name", ["a", "name", "x{}"])
def test_csv_with_100000_columns(client: FlaskClient, name: str) -> None:
    started = time.monotonic()
    header = ",".join(name.format(number) for number in range(100_000))
    code = "PGRST204" if "{" in name else "PGRST102"
    refused(post(client, "categories", f"{header}\n1\n"), 400, code)
    assert time.monotonic() - started < PAUSE


def test_csv_with_columns_and_missing(client: FlaskClient) -> None:
    data = "sku,name,price,stock,junk\nA,a,1,,x\nB,b,2,5,y\n"
    path = "products?columns=sku,name,price,active&select=sku,stock,active"
    response = post(client, path, data)
    assert response.get_json() == [
        {"sku": "A", "stock": 0, "active": True},
        {"sku": "B", "stock": 0, "active": True},
    ]
    client.delete("/api/products?sku=in.(A,B)")
    response = post(client, path, data, Prefer="missing=null")
    assert (response.status_code, response.headers["Preference-Applied"]) == (201, "missing=null")
    assert response.get_json() == [
        {"sku": "A", "stock": 0, "active": None},
        {"sku": "B", "stock": 0, "active": None},
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"name":"a"}\n{"name":"b"}\n', ["a", "b"]),
        ('{"name":"a"}\n{"name":"b"}', ["a", "b"]),
        ('\n  \n{"name":"a"}\r\n\r\n\t\n{"name":"b"}\n\n', ["a", "b"]),
        ("\n", []),
        ('{"name":"é\\u00e9😀"}', ["éé😀"]),
    ],
)
def test_lines(client: FlaskClient, data: str, expected: list[str]) -> None:
    response = post(client, "categories?select=name", data, LINES)
    assert (response.status_code, [each["name"] for each in response.get_json()]) == (201, expected)
    assert names(client) == expected


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        ("", "PGRST102", "empty"),
        ('{"name":"a"}\n{"name":\n', "PGRST102", "line 2 is not JSON"),
        ('{"name":"a"}\n\n\n[]\n', "PGRST102", "line 4 is not an object"),
        ('[{"name":"a"}]', "PGRST102", "line 1 is not an object"),
        ('{"name":"a"} {"name":"b"}', "PGRST102", "line 1 is not JSON"),
        ('{"name":"a","name":"b"}', "PGRST102", "line 1 is not JSON"),
        ('{"name":NaN}', "PGRST102", "line 1 is not JSON"),
        ('\ufeff{"name":"a"}', "PGRST102", "line 1 is not JSON"),
        ('{"name":"a"}\n{"nome":"b"}', "PGRST102", "index 1"),
        ('{"name":"a"}\n{"name":null}', "23502", "/1/name"),
        ('\n{"name":"a"}\n\n{"name":5}', "22P02", "/1/name"),
        ('{"nope":"a"}', "PGRST204", ""),
    ],
)
def test_lines_that_are_refused(client: FlaskClient, data: str, code: str, told: str) -> None:
    problem = refused(post(client, "categories", data, LINES), 400, code)
    assert told in (problem["details"] or "")
    assert names(client) == []


def test_many_lines_with_a_bad_one(client: FlaskClient) -> None:
    records = [{"name": f"n{number}"} for number in range(10_000)]
    good = "".join(json.dumps(record) + "\n" for record in records)
    bad = good + '{"name":null}\n'
    problem = refused(post(client, "categories", bad, LINES), 400, "23502")
    assert [error["pointer"] for error in problem["errors"]] == ["/10000/name"]
    twice = good + '{"name":"n5"}\n'
    problem = refused(post(client, "categories", twice, LINES), 409, "23505")
    assert [error["pointer"] for error in problem["errors"]] == ["/10000/name"]
    assert names(client) == []
    done = post(client, "categories", good, LINES, Prefer="return=minimal, count=exact")
    assert (done.status_code, done.data, done.headers["Content-Range"]) == (201, b"", "*/10000")
    assert client.head("/api/categories", headers={"Prefer": "count=exact"}).headers["Content-Range"] == "0-999/10000"


def test_streams_may_be_only_so_long(make_client: MakeClient) -> None:
    client = make_client(max_insert_rows=2)
    for kind, data in ((CSV, "name\na\nb\nc\n"), (LINES, '{"name":"a"}\n{"name":"b"}\n{"name":"c"}\n')):
        refused(post(client, "categories", data, kind), 413, "54000")
    assert names(client) == []


def test_rows_of_a_stream_may_refer_to_one_another(client: FlaskClient) -> None:
    data = "id,name,manager_id\n101,a,103\n102,b,101\n103,c,\n"
    response = post(client, "staff?select=name,manager(name)", data)
    assert response.status_code == 201, response.data
    assert response.get_json() == [
        {"name": "a", "manager": {"name": "c"}},
        {"name": "b", "manager": {"name": "a"}},
        {"name": "c", "manager": None},
    ]
    problem = refused(post(client, "staff", "id,name,manager_id\n201,a,\n202,b,999\n"), 409, "23503")
    assert [error["pointer"] for error in problem["errors"]] == ["/1/manager_id"]


@pytest.mark.parametrize("kind", [CSV, LINES])
@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "categories/1"), ("PUT", "categories/1"), ("PATCH", "categories?id=eq.1")]
)
def test_only_inserts_take_several_records(client: FlaskClient, kind: str, method: str, path: str) -> None:
    response = client.open(f"/api/{path}", method=method, data="name\na\n", headers={"Content-Type": kind})
    refused(response, 415, "PGRST415")


def chunked(client: FlaskClient, path: str, data: bytes, kind: str) -> TestResponse:
    """As a server passes on a body without a length."""
    return client.post(
        f"/api/{path}",
        input_stream=BytesIO(data),
        headers={"Content-Type": kind, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )


BODIES: list[tuple[str, bytes]] = [
    ("application/json", b'[{"name":"a"},{"name":"b"}]'),
    (CSV, b"name\na\nb\n"),
    (LINES, b'{"name":"a"}\n{"name":"b"}\n'),
]


@pytest.mark.parametrize(("kind", "data"), BODIES)
def test_bodies_without_a_length(client: FlaskClient, kind: str, data: bytes) -> None:
    assert chunked(client, "categories", data, kind).status_code == 201
    assert names(client) == ["a", "b"]


@pytest.mark.parametrize(("kind", "data"), BODIES)
@pytest.mark.parametrize("in_memory", [10, 4 * 2**20])
def test_large_bodies(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, kind: str, data: bytes, in_memory: int
) -> None:
    monkeypatch.setattr(body, "_IN_MEMORY", in_memory)
    client = make_client(max_body=1024)
    fitting = data[:-1].ljust(1023) + data[-1:] if kind == "application/json" else data
    padding = b"" if kind != LINES else b"\n" * (1024 - len(fitting))
    sends: tuple[Callable[[bytes], TestResponse], ...] = (
        lambda each: post(client, "categories", each, kind),
        lambda each: chunked(client, "categories", each, kind),
    )
    for send in sends:
        large = fitting + b"\n" * (1025 - len(fitting))
        refused(send(large), 413, "PGRST413")
        assert names(client) == []
        assert send(fitting + padding).status_code == 201
        assert names(client) == ["a", "b"]
        client.delete("/api/categories?id=gt.0")


@pytest.mark.parametrize(("kind", "data"), BODIES)
@pytest.mark.parametrize("in_memory", [10, 4 * 2**20])
def test_bodies_that_end_early(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, kind: str, data: bytes, in_memory: int
) -> None:
    monkeypatch.setattr(body, "_IN_MEMORY", in_memory)
    environ: dict[str, Any] = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(data) + 1)}
    response = client.post("/api/categories", data=data, content_type=kind, environ_overrides=environ)
    refused(response, 400, "PGRST102")
    assert names(client) == []


class Dripping(BytesIO):
    """A body of which each read brings a little."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(3 if size is None or size < 0 else min(size, 3))


def test_small_bodies_that_come_in_parts(client: FlaskClient) -> None:
    data = b'{"name": "in parts"}'
    stream = Dripping(data + b"and what belongs to the next request")
    length = {"CONTENT_LENGTH": str(len(data))}
    answer = client.post(
        "/api/categories", input_stream=stream, content_type="application/json", environ_overrides=length
    )
    assert (answer.status_code, names(client)) == (201, ["in parts"])


def test_a_key_covers_bodies_of_every_kind(client: FlaskClient) -> None:
    for number, (kind, data) in enumerate(BODIES):
        key = {"Idempotency-Key": f"{number}"}
        first = post(client, "categories", data, kind, **key)
        assert first.status_code == 201
        assert post(client, "categories", data, kind, **key).data == first.data
        refused(post(client, "categories", data + b"\n", kind, **key), 422, "PGRST422")
        client.delete("/api/categories?id=gt.0")


def test_locations_of_odd_keys(stores: Any, backend: str) -> None:
    """A text key with whatever a path gives a meaning to: its `Location` leads to the record."""
    from service.app import create_app  # noqa: PLC0415
    from service.config import Settings  # noqa: PLC0415

    store = stores.get(backend, "lab")
    client = create_app(store.repository, Settings()).test_client()
    try:
        for code in (
            "a/b",
            "a,b",
            '"q"',
            "..",
            ".",
            " ",
            "é😀",
            "a?b#c",
            "100%",
            "%41",
            "a\\b",
            "a\r\nX: 1",
            "a+b",
            "",
        ):
            created = client.post("/api/countries", json={"code": code})
            assert created.status_code == 201, created.data
            path = created.headers["Location"]
            assert path.isascii()
            assert not set(path) & set(' \r\n"?#')
            assert client.get(path).get_json()["code"] == code
            assert client.patch(path, json={"name": code}).get_json() == {"code": code, "name": code}
            again = client.post(
                "/api/countries", json={"code": code}, headers={"Prefer": "resolution=merge-duplicates"}
            )
            assert (again.status_code, again.headers["Location"]) == (200, path)
            assert client.delete(path).status_code == 204
            put = client.put(path, json={})
            assert (put.status_code, put.headers["Location"], put.get_json()["code"]) == (201, path, code)
    finally:
        store.empty()

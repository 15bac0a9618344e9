"""Bad input: its status and code, the same on every store; nothing is stored, and nothing is told of a driver."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import refused
from tests.patience import PAUSE

JSON = "application/json"
PATH = "/api/products"
#: What no answer may hold: names of drivers, of their classes, and of what they say.
DRIVER_WORDS = (b"psycopg", b"sqlalchemy", b"pymongo", b"bson", b"Traceback", b"mongodb://", b"postgresql://", b"<html")


class Bad(NamedTuple):
    """One body of a record, or a list of them, by its row in the table of bad inputs."""

    row: int
    data: bytes
    status: int = 400
    code: str = "PGRST102"
    headers: dict[str, str] = {}  # noqa: RUF012
    path: str = PATH


def product(member: str) -> bytes:
    """A product with one member more, as JSON."""
    return f'{{"sku":"A","name":"a","price":1,{member}}}'.encode()


def value(text: str, code: str, row: int) -> Bad:
    return Bad(row, product(text), 400, code)


def nested(depth: int) -> bytes:
    return product(f'"notes":{"[" * depth}{"]" * depth}')


CSV, GZIP = {"Content-Type": "text/csv"}, {"Content-Encoding": "gzip"}
BODIES = [
    *(
        Bad(1, data)
        for data in (b"", b" ", b"{", b'{"sku":', b"{}{}", b"[]]", b"{'sku':1}", b"{,}", b"[{},]", b"//", b"tru")
    ),
    *(Bad(2, data) for data in (b"5", b'"x"', b"null", b"true", b"[1]", b"[[]]", b"[null]", b"[{},1]", b"[[{}]]")),
    Bad(3, b'[{"sku":"A"},{"name":"a"}]'),
    Bad(3, b'[{"sku":"A","name":"a","price":1},{"sku":"B","name":"b"}]'),
    Bad(3, b'[{},{"sku":"B"}]'),
    Bad(4, nested(65), 400, "54001"),
    Bad(4, nested(1_500)),
    Bad(4, nested(100_000)),
    Bad(4, b"[" * 100_000),
    Bad(5, b" " * 1_048_577, 413, "PGRST413"),
    Bad(6, b"\x1f\x8b\x08", 415, "PGRST415", GZIP),
    Bad(6, b"{}", 415, "PGRST415", {"Content-Encoding": "br"}),
    Bad(7, product('"notes":"X"').replace(b"X", b"\xff")),
    Bad(7, product('"notes":"X"').replace(b"X", b"\xc0\xaf")),
    Bad(7, product('"notes":"X"').replace(b"X", b"\xed\xa0\x80")),
    Bad(7, product('"notes":1').decode().encode("utf-16")),
    Bad(7, product('"notes":1').decode().encode("utf-16-le")),
    Bad(7, product('"notes":1').decode().encode("utf-32")),
    Bad(7, b"\xef\xbb\xbf" + product('"notes":1')),
    Bad(8, product('"sku":"B"')),
    Bad(8, product('"notes":{"a":1,"a":2}')),
    *(Bad(9, product(f'"{name}":{text}')) for name in ("weight", "notes") for text in ("NaN", "Infinity", "-Infinity")),
    *(value(f'"{name}":{text}', "22003", 9) for name in ("weight", "notes") for text in ("1e400", "-1e400", "1e-400")),
    *(value(f'"{name}":{"9" * 4000}', "22003", 9) for name in ("weight", "views", "stock", "notes")),
    Bad(10, product('"notes":"\\ud800"')),
    Bad(10, product('"name2":"\\ud800x"')),
    Bad(10, product('"attributes":{"\\udc00":1}')),
    Bad(11, b'{"sku":"A","name":"\\u0000","price":1}', 400, "22P05"),
    value('"notes":"\\u0000"', "22P05", 11),
    value('"notes":{"\\u0000":1}', "22P05", 11),
    value('"attributes":{"a":["\\u0000"]}', "22P05", 11),
    value('"tags":["\\u0000"]', "22P05", 11),
    Bad(11, product('"notes":"\0"')),
    *(value(text, "22003", 12) for text in ('"views":9223372036854775808', '"views":-9223372036854775809')),
    *(
        value(text, "22003", 12)
        for text in ('"stock":2147483648', '"stock":-2147483649', '"sizes":[9223372036854775808]')
    ),
    value('"notes":9223372036854775809', "22003", 12),
    *(
        Bad(13, f'{{"sku":"A","name":"a","price":{text}}}'.encode(), 400, "22003")
        for text in ("1.005", "10000000000", "1e7000", "1e-7000", '"1e7000"', "0.0000000000000000000001", "9" * 40)
    ),
    *(
        value(f'"stock":{text}', "22P02", 14)
        for text in ("1.5", "true", '"1_000"', '"１２"', '" 7 "', '""', '"0x1"', "[1]", "{}", '"1.0"', '"+"', "1e0")
    ),
    *(
        value(f'"released":"{text}"', code, 15)
        for text, code in (
            ("infinity", "22007"),
            ("now", "22007"),
            ("", "22007"),
            ("2026-02-30", "22008"),
            ("2026-13-01", "22008"),
            ("0044-03-15 BC", "22007"),
        )
    ),
    *(
        Bad(15, f'{{"placed_at":"{text}"}}'.encode(), path="/api/orders", code=code)
        for text, code in (
            ("infinity", "22007"),
            ("now", "22007"),
            ("2026-02-30T00:00:00Z", "22008"),
            ("2026-01-01T25:00:00Z", "22008"),
        )
    ),
    *(
        value(f'"{name}":1', "PGRST204", 17)
        for name in ("nope", "_id", "__proto__", "$set", "attributes.a", "constructor", "")
    ),
    Bad(18, b'{"sku":"A","name":{"$ne":null},"price":1}', 400, "22P02"),
    value('"stock":{"$where":"sleep(1)"}', "22P02", 18),
    value('"tags":{"$gt":""}', "22P02", 18),
    value('"tags":[{"$gt":""}]', "22P02", 18),
    value('"active":{"$ne":false}', "22P02", 18),
    value('"id":{"$oid":"507f1f77bcf86cd799439011"}', "22P02", 18),
    value('"released":{"$date":"2026-01-01"}', "22P02", 18),
    value('"created_at":"2026-01-01T00:00:00Z"', "428C9", 19),
    value('"created_at":null', "428C9", 19),
    *(
        Bad(20, b'{"sku":"A","name":"a","price":1}', 415, "PGRST415", {"Content-Type": kind})
        for kind in (
            "",
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-16",
            "application/jsonx",
            "*/*",
            "json",
        )
    ),
    Bad(21, b"sku,name,price\nA,a\n", headers=CSV),
    Bad(21, b"sku,name,price\nA,a,1,\n", headers=CSV),
    Bad(21, b"sku,name,price\nA,a\0,1\n", 400, "22P05", CSV),
    Bad(21, b"sku\0,name,price\nA,a,1\n", 400, "PGRST204", CSV),
    Bad(21, b"a," * 100_000 + b"\n", headers=CSV),
    Bad(21, ",".join(f"c{number}" for number in range(100_000)).encode() + b"\n", 400, "PGRST204", CSV),
    *(
        Bad(25, b"{}", 400, code, path=f"{PATH}?{query}")
        for query, code in (
            ("columns=a%22,b", "PGRST100"),
            ("columns=sku;drop", "PGRST100"),
            ("columns=drop", "PGRST204"),
            ("columns=", "PGRST100"),
            ("on_conflict=sku", "PGRST100"),
            ("select=id;drop%20table%20t", "PGRST100"),
            ("select=nope", "42703"),
            ("order=id", "PGRST100"),
            ("id=eq.1", "PGRST100"),
            ("limit=1", "PGRST100"),
            ("select=id&select=id", "PGRST100"),
            ("%ZZ", "PGRST100"),
            ("select=%FF", "PGRST100"),
            ("select=%00", "PGRST100"),
        )
    ),
    *(
        Bad(41, b"{}", 404, "PGRST205", path=path)
        for path in ("/api/pg_user", "/api/system.users", "/api/t$cmd", "/api/product%D1%95", "/api/_diglot_requests")
    ),
    Bad(42, b"{}", 400, "PGRST122", {"Prefer": "handling=strict, bogus"}),
    Bad(46, b"{}", 406, "PGRST107", {"Accept": "image/png"}),
    *(
        Bad(47, b"{}", 400, "PGRST100", {"Idempotency-Key": key})
        for key in ("", '"', '""', "a b", '"a', '"\\a"', "k" * 256)
    ),
    Bad(48, b"{}", 400, "PGRST100", {"If-Match": "*"}),
]


def check(client: FlaskClient, response: TestResponse, status: int, code: str) -> dict[str, Any]:
    problem = refused(response, status, code)
    assert not any(word.lower() in response.data.lower() for word in DRIVER_WORDS), response.data
    for path in (PATH, "/api/orders"):
        assert client.get(path).data == b"[]"
    return problem


def name_of(bad: Bad) -> str:
    return f"{bad.row}-{bad.data[-24:]!r}-{bad.path[14:]}-{'-'.join(bad.headers.values())[:24]}"


@pytest.mark.parametrize("bad", BODIES, ids=name_of)
def test_inserts(client: FlaskClient, bad: Bad) -> None:
    headers = {
        name: text for name, text in ({"Content-Type": JSON} | bad.headers).items() if text or name != "Content-Type"
    }
    started = time.monotonic()
    response = client.post(bad.path, data=bad.data, headers=headers)
    assert time.monotonic() - started < PAUSE
    check(client, response, bad.status, bad.code)
    if bad.headers == GZIP:
        assert response.headers["Accept-Encoding"] == "identity"


CHANGES = [bad for bad in BODIES if bad.row in (1, 2, 4, 6, 7, 8, 9, 10, 12, 17, 18, 19, 20) and bad.path == PATH]


@pytest.mark.parametrize("bad", CHANGES, ids=name_of)
@pytest.mark.parametrize("kind", [JSON, "application/merge-patch+json"])
def test_changes(client: FlaskClient, bad: Bad, kind: str) -> None:
    """The same bodies change no record, and replace none."""
    key = client.post(PATH, json={"sku": "Z", "name": "z", "price": 1}).headers["Location"]
    before = client.get(PATH).data
    headers = {
        name: text for name, text in ({"Content-Type": kind} | bad.headers).items() if text or name != "Content-Type"
    }
    for path in (key, f"{PATH}?sku=eq.Z"):
        problem = refused(client.patch(path, data=bad.data, headers=headers), bad.status, bad.code)
        assert problem["instance"] == path.partition("?")[0]
    if kind == JSON:
        refused(client.put(key, data=bad.data, headers=headers), bad.status, bad.code)
    assert client.get(PATH).data == before


def test_an_empty_array_inserts_nothing(client: FlaskClient) -> None:
    response = client.post(PATH, json=[])
    assert (response.status_code, response.data, response.headers["Content-Range"]) == (201, b"[]", "*/*")


def test_arrays_of_nothing_change_nothing(client: FlaskClient) -> None:
    for path in (f"{PATH}/0190a000-0000-7000-8000-00000000000a", f"{PATH}?sku=eq.A"):
        refused(client.patch(path, json=[]), 400, "PGRST102")


def test_digits_past_the_millisecond(client: FlaskClient) -> None:
    """Row 16."""
    created = client.post("/api/orders", json={"placed_at": "2026-01-31T12:00:00.123456Z"})
    assert (created.status_code, created.get_json()[0]["placed_at"]) == (201, "2026-01-31T12:00:00.123+00:00")
    assert client.get(created.headers["Location"]).get_json()["placed_at"] == "2026-01-31T12:00:00.123+00:00"


def test_the_last_row_of_many(client: FlaskClient) -> None:
    """Row 22."""
    records = [{"sku": f"S{number}", "name": f"n{number}", "price": 1} for number in range(10_000)]
    records[9_999]["price"] = -1
    problem = check(client, client.post(PATH, json=records), 400, "23514")
    assert [error["pointer"] for error in problem["errors"]] == ["/9999/price"]


def test_names_within_free_json_are_plain_data(client: FlaskClient) -> None:
    """Row 17."""
    notes = {"$where": "1", "a.b": {"$gt": ""}, "": 0, "_id": {"$oid": "x"}, "__proto__": {"x": [{"$ne": None}]}}
    created = client.post(PATH, json={"sku": "A", "name": "a", "price": 1, "notes": notes, "attributes": notes})
    assert (created.status_code, created.get_json()[0]["notes"], created.get_json()[0]["attributes"]) == (
        201,
        notes,
        notes,
    )


@pytest.mark.parametrize("text", ["' OR 1=1--", '{"$gt":""}', "'; DROP TABLE products;--", "$where", "\\", "%", "*"])
def test_hostile_text_filters_nothing_away(client: FlaskClient, text: str) -> None:
    """Row 24, in writes: nothing is changed or deleted by a value that is only data."""
    client.post(PATH, json={"sku": "A", "name": "a", "price": 1})
    before = client.get(PATH).data
    query = {"name": f"eq.{text}"}
    assert client.delete(PATH, query_string=query, headers={"Prefer": "return=representation"}).get_json() == []
    assert client.patch(PATH, query_string=query, json={"stock": 9}).get_json() == []
    assert client.get(PATH).data == before


@pytest.mark.parametrize(
    "query",
    [
        "id=1",
        "sku=eq",
        "sku=foo.1",
        "$where=eq.1",
        "$or=eq.1",
        "sku[$gt]=eq.",
        "sku=eq.A&limit=1",
        "sku=eq.A&offset=1",
        "sku=match.[",
        "sku=eq.A&select=nope",
        "sku=eq.A&order=nope",
        "nope=eq.1",
        "price=eq.x",
        "sku=eq.%00",
        "sku=eq.%FF",
    ],
)
def test_queries_that_change_nothing(client: FlaskClient, query: str) -> None:
    client.post(PATH, json={"sku": "A", "name": "a", "price": 1})
    before = client.get(PATH).data
    for method, body in (("PATCH", {"stock": 9}), ("DELETE", None)):
        response = client.open(f"{PATH}?{query}", method=method, json=body)
        refused(response, 400, response.get_json(force=True)["code"])
    assert client.get(PATH).data == before


def test_methods(client: FlaskClient) -> None:
    """Row 43."""
    client.put("/api/categories/1", json={"name": "a"})
    for path, method in (
        ("/api/categories", "TRACE"),
        ("/api/categories", "PUT"),
        ("/api/categories/1", "POST"),
        ("/api/categories/1", "TRACE"),
        ("/api/_batch", "TRACE"),
    ):
        response = client.open(path, method=method, json={"name": "x"})
        refused(response, 405, "PGRST117")
        assert method not in response.headers["Allow"].split(", ")
    assert client.open("/api/categories", method="PUT").headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST"
    assert client.post("/api/categories/1").headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
    overridden = client.get("/api/categories/1", headers={"X-HTTP-Method-Override": "DELETE"})
    assert (overridden.status_code, client.get("/api/categories/1").status_code) == (200, 200)


@pytest.mark.parametrize("key", ["x", "1.5", "99999999999999999999", "1,2", "", "%00", '"1', "1;drop"])
def test_keys_that_are_none(client: FlaskClient, key: str) -> None:
    for method, body in (("PATCH", {"name": "x"}), ("PUT", {"name": "x"}), ("DELETE", None)):
        response = client.open(f"/api/categories/{key}", method=method, json=body)
        assert 400 <= response.status_code < 500
        refused(response, response.status_code, response.get_json(force=True)["code"])
    assert client.get("/api/categories").data == b"[]"


def test_locations_do_not_reflect_the_host(client: FlaskClient) -> None:
    """Row 44."""
    created = client.post("/api/categories", json={"name": "a"}, headers={"Host": "evil.example"})
    assert created.headers["Location"] == "/api/categories/1"

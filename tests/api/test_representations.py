"""The forms of an answer: one object, CSV, NDJSON, without nulls, plans; and where a page lies."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import pytest
from flask.testing import FlaskClient

from repositories.base import Explanation, Repository
from repositories.errors import CastFailed, Unavailable
from repositories.query import Read, Row
from service.app import create_app
from service.config import Settings
from service.representation.responses import without_nulls
from tests.api.conftest import MakeClient, refused

OBJECT = "application/vnd.pgrst.object+json"
ARRAY = "application/vnd.pgrst.array+json"
CSV = "text/csv"
NDJSON = "application/x-ndjson"
PLAN = "application/vnd.pgrst.plan+json"
FORMULAS = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", "-12.5", "+1e5", "'quoted", "a=b"]


@pytest.fixture
def shop(client: FlaskClient) -> FlaskClient:
    products: list[dict[str, Any]] = [
        {"sku": "A-1", "name": 'Lamp, "big"', "price": 19.5, "stock": 3, "tags": ["x", "y"], "weight": 1e15},
        {"sku": "B-2", "name": "line\nbreak", "price": 5, "stock": None, "tags": [], "weight": None},
        {"sku": "C-3", "name": "", "price": 0.1, "stock": 0, "tags": None, "weight": -0.5},
    ]
    for product in products:
        product["attributes"] = {"none": None, "deep": {"b": [None, {"c": None}], "a": 1}}
        product["notes"] = '"x":null'
    assert client.post("/api/products", json=products).status_code == 201
    return client


def get(client: FlaskClient, path: str, accept: str, **headers: str) -> Any:
    return client.get(f"/api/{path}", headers={"Accept": accept, **headers})


def key_of(client: FlaskClient, sku: str) -> str:
    key: str = client.get(f"/api/products?sku=eq.{sku}&select=id").get_json()[0]["id"]
    return key


class TestOneObject:
    def test_of_a_collection(self, shop: FlaskClient) -> None:
        response = get(shop, "products?sku=eq.A-1&select=sku,price", OBJECT)
        assert (response.status_code, response.data) == (200, b'{"sku":"A-1","price":19.50}')
        assert response.content_type == f"{OBJECT}; charset=utf-8"
        assert response.headers["Content-Range"] == "0-0/*"

    @pytest.mark.parametrize(("query", "count"), [("sku=eq.X", 0), ("", 3), ("limit=2", 2)])
    def test_must_be_one(self, shop: FlaskClient, query: str, count: int) -> None:
        problem = refused(get(shop, f"products?{query}", OBJECT), 406, "PGRST116")
        assert problem["message"] == "Cannot coerce the result to a single JSON object"
        assert problem["details"] == f"The result contains {count} rows"

    def test_of_an_item_has_the_tag_of_its_json(self, shop: FlaskClient) -> None:
        path = f"products/{key_of(shop, 'A-1')}"
        plain, single = get(shop, path, "*/*"), get(shop, path, OBJECT)
        assert (single.data, single.headers["ETag"]) == (plain.data, plain.headers["ETag"])
        assert single.content_type == f"{OBJECT}; charset=utf-8"

    def test_insert(self, client: FlaskClient) -> None:
        headers = {"Accept": OBJECT}
        created = client.post("/api/categories", json=[{"name": "a"}], headers=headers)
        assert (created.status_code, created.get_json()) == (201, {"id": 1, "name": "a"})
        for body, count in (([{"name": "b"}, {"name": "c"}], 2), ([], 0)):
            problem = refused(client.post("/api/categories", json=body, headers=headers), 406, "PGRST116")
            assert problem["details"] == f"The result contains {count} rows"
        assert client.get("/api/categories?select=name").get_json() == [{"name": "a"}]

    def test_update(self, shop: FlaskClient) -> None:
        headers = {"Accept": OBJECT}
        for query in ("sku=eq.A-1", f"id=eq.{key_of(shop, 'A-1')}&stock=eq.4", "and=(sku.eq.A-1,stock.eq.4)"):
            changed = shop.patch(f"/api/products?{query}&select=stock", json={"stock": 4}, headers=headers)
            assert (changed.status_code, changed.get_json()) == (200, {"stock": 4}), query
        missing = shop.patch("/api/products?sku=eq.X", json={"stock": 5}, headers=headers)
        assert refused(missing, 406, "PGRST116")["details"] == "The result contains 0 rows"

    @pytest.mark.parametrize(
        "query", ["stock=gte.0", "sku=neq.A-1", "or=(sku.eq.A-1,stock.eq.0)", "not.and=(sku.eq.A-1)", "name=eq.x"]
    )
    def test_a_write_that_concerns_none_or_several_is_undone(self, shop: FlaskClient, query: str) -> None:
        headers = {"Accept": OBJECT}
        before = shop.get("/api/products").data
        refused(shop.patch(f"/api/products?{query}", json={"stock": 9}, headers=headers), 406, "PGRST116")
        refused(shop.delete(f"/api/products?{query}", headers=headers), 406, "PGRST116")
        assert shop.get("/api/products").data == before

    def test_delete(self, shop: FlaskClient) -> None:
        path, headers = "/api/products?sku=eq.A-1&select=sku", {"Accept": OBJECT, "Prefer": "return=representation"}
        assert shop.delete(path, headers=headers).get_json() == {"sku": "A-1"}
        refused(shop.delete(path, headers=headers), 406, "PGRST116")

    def test_of_an_item_in_writes(self, shop: FlaskClient) -> None:
        response = shop.patch(
            f"/api/products/{key_of(shop, 'A-1')}?select=sku", json={"stock": 1}, headers={"Accept": OBJECT}
        )
        assert (response.get_json(), response.content_type) == ({"sku": "A-1"}, f"{OBJECT}; charset=utf-8")


class TestCsv:
    def test_text(self, shop: FlaskClient) -> None:
        response = get(shop, "products?select=sku,title:name,price,stock,weight,tags,notes,active&order=sku", CSV)
        assert response.content_type == "text/csv; charset=utf-8"
        assert response.data.decode() == (
            "sku,title,price,stock,weight,tags,notes,active\r\n"
            'A-1,"Lamp, ""big""",19.50,3,1e+15,"[""x"",""y""]","""\\""x\\"":null""",true\r\n'
            'B-2,"line\nbreak",5.00,,,[],"""\\""x\\"":null""",true\r\n'
            'C-3,"",0.10,0,-0.5,,"""\\""x\\"":null""",true\r\n'
        )
        assert response.headers["Content-Range"] == "0-2/*"
        assert int(response.headers["Content-Length"]) == len(response.data)

    def test_values_are_those_of_json(self, shop: FlaskClient) -> None:
        records = shop.get("/api/products").get_json()
        rows = list(csv.DictReader(io.StringIO(get(shop, "products", CSV).data.decode(), newline="")))
        assert len(rows) == len(records)
        for row, record in zip(rows, records, strict=True):
            assert row.keys() == record.keys()
            for name, value in record.items():
                if value is None:
                    assert row[name] == ""
                elif isinstance(value, str) and name != "notes":
                    assert row[name] == value
                else:
                    assert json.loads(row[name]) == value

    def test_no_records(self, shop: FlaskClient) -> None:
        response = get(shop, "products?sku=eq.X&select=sku,a:name", CSV)
        assert (response.data, response.headers["Content-Range"]) == (b"sku,a\r\n", "*/*")

    @pytest.mark.parametrize(("guard", "disarmed"), [(True, FORMULAS[:6]), (False, [])])
    def test_formulas(self, client: FlaskClient, make_client: MakeClient, guard: bool, disarmed: list[str]) -> None:
        client.post("/api/categories", json=[{"name": name} for name in FORMULAS])
        answer = get(make_client(csv_guard=guard), "categories?select=name&order=id", CSV).data.decode()
        cells = [row[0] for row in csv.reader(io.StringIO(answer, newline=""))][1:]
        assert cells == [f"'{name}" if name in disarmed else name for name in FORMULAS]

    def test_a_header_is_no_formula_either(self, client: FlaskClient) -> None:
        assert get(client, "categories?select=%22=1%22:name", CSV).data == b"'=1\r\n"

    def test_an_item(self, shop: FlaskClient) -> None:
        path = f"products/{key_of(shop, 'A-1')}?select=sku,price"
        response = get(shop, path, CSV)
        assert response.data == b"sku,price\r\nA-1,19.50\r\n"
        tag = response.headers["ETag"]
        assert tag != get(shop, path, "*/*").headers["ETag"]
        assert get(shop, path, CSV, **{"If-None-Match": tag}).status_code == 304
        refused(get(shop, "products/00000000-0000-0000-0000-000000000000", CSV), 404, "PGRST116")


class TestLines:
    def test_text(self, shop: FlaskClient) -> None:
        records = shop.get("/api/products?order=sku").get_json()
        response = get(shop, "products?order=sku", NDJSON)
        assert response.content_type == f"{NDJSON}; charset=utf-8"
        assert response.data.endswith(b"\n")
        assert [json.loads(line) for line in response.data.splitlines()] == records
        assert b'"price":19.50' in response.data

    def test_an_item(self, shop: FlaskClient) -> None:
        path = f"products/{key_of(shop, 'A-1')}?select=sku"
        assert get(shop, path, NDJSON).data == b'{"sku":"A-1"}\n'

    def test_no_records(self, shop: FlaskClient) -> None:
        response = get(shop, "products?sku=eq.X", NDJSON)
        assert (response.status_code, response.data, response.headers["Content-Range"]) == (200, b"", "*/*")


class TestStreams:
    """CSV and NDJSON of more records than are held."""

    COUNT = 2500

    @pytest.fixture
    def many(self, client: FlaskClient) -> FlaskClient:
        rows = [{"name": f"n{number:04}"} for number in range(self.COUNT)]
        assert client.post("/api/categories", json=rows).status_code == 201
        return client

    @pytest.mark.parametrize("accept", [CSV, NDJSON])
    def test_are_complete_and_not_cut_at_a_page(self, many: FlaskClient, accept: str) -> None:
        response = get(many, "categories", accept)
        assert "Content-Length" not in response.headers
        assert "Content-Range" not in response.headers
        assert response.data.count(b"\n") == self.COUNT + (accept == CSV)
        assert b"n2499" in response.data

    @pytest.mark.parametrize("accept", [CSV, NDJSON])
    def test_have_a_largest_size_of_their_own(self, many: FlaskClient, make_client: MakeClient, accept: str) -> None:
        small = make_client(max_rows=10, max_stream_rows=20)
        response = get(small, "categories", accept)
        assert response.data.count(b"\n") == 20 + (accept == CSV)
        assert response.headers["Content-Range"] == "0-19/*"

    def test_counted(self, many: FlaskClient) -> None:
        response = get(many, "categories?offset=10&limit=2000", NDJSON, Prefer="count=exact")
        assert (response.status_code, response.headers["Content-Range"]) == (206, f"10-2009/{self.COUNT}")
        assert response.headers["Preference-Applied"] == "count=exact"
        assert response.data.count(b"\n") == 2000
        past = get(many, "categories?offset=9999", NDJSON, Prefer="count=exact")
        refused(past, 416, "PGRST103")

    def test_head_and_half_a_reading_leave_nothing_open(self, many: FlaskClient) -> None:
        """What the store still holds open is checked after every test."""
        head = many.head("/api/categories", headers={"Accept": CSV})
        assert (head.status_code, head.data) == (200, b"")
        response = many.get("/api/categories", headers={"Accept": NDJSON}, buffered=False)
        next(iter(response.response))
        response.close()


@contextmanager
def _named() -> Iterator[None]:
    """As stores do it: a driver's error becomes the port's where it leaves the stream's context."""
    try:
        yield
    except BrokenPipeError as error:
        raise Unavailable from error


class BrokenRepository:
    """A repository whose streams end with an error after some batches."""

    def __init__(self, whole: Repository, batches: int, error: Exception) -> None:
        self._whole, self._batches, self._error = whole, batches, error
        self.open = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    @contextmanager
    def stream(self, read: Read, batch: int = 1000) -> Iterator[Iterator[Sequence[Row]]]:
        with _named():
            yield self._broken([(1, "x")] * batch)

    @contextmanager
    def lines(self, read: Read, batch: int = 1000) -> Iterator[Iterator[bytes]]:
        with _named():
            yield self._broken(b'{"id":1}\n' * batch)

    def _broken(self, batch: Any) -> Iterator[Any]:
        self.open += 1
        try:
            for _ in range(self._batches):
                yield batch
            raise self._error
        finally:
            self.open -= 1

    def explain(self, read: Read, *, analyze: bool = False, verbose: bool = False) -> Explanation:
        plan = {"verbose": verbose, "limit": read.selection.limit is not None}
        rows = 3 if analyze else None
        return Explanation("fake", "SELECT $1", ["x"], plan, ("a_idx",), ("products",), True, rows, rows, 0.5)


class TestBrokenStreams:
    @pytest.fixture
    def broken(self, repository: Repository, batches: int) -> BrokenRepository:
        return BrokenRepository(repository, batches, BrokenPipeError())

    @pytest.fixture
    def client_of_broken(self, broken: BrokenRepository) -> FlaskClient:
        return create_app(broken, Settings()).test_client()  # type: ignore[arg-type]

    @pytest.mark.parametrize("accept", [CSV, NDJSON])
    @pytest.mark.parametrize("batches", [0, 1])
    def test_at_first_are_told_as_errors(
        self, broken: BrokenRepository, client_of_broken: FlaskClient, accept: str
    ) -> None:
        refused(get(client_of_broken, "categories", accept), 503, "PGRST000")
        assert broken.open == 0

    @pytest.mark.parametrize("accept", [CSV, NDJSON])
    @pytest.mark.parametrize("batches", [5])
    def test_later_do_not_end_as_if_complete(
        self, broken: BrokenRepository, client_of_broken: FlaskClient, accept: str
    ) -> None:
        response = client_of_broken.get("/api/categories", headers={"Accept": accept}, buffered=False)
        assert response.status_code == 200
        with pytest.raises(Unavailable):
            for _ in response.response:
                pass
        response.close()
        assert broken.open == 0


class TestWithoutNulls:
    @pytest.mark.parametrize(
        ("given", "left"),
        [
            (b"[]", b"[]"),
            (b'[{"a":null}]', b"[{}]"),
            (b'{"a":null,"b":1}', b'{"b":1}'),
            (b'{"a":1,"b":null}', b'{"a":1}'),
            (b'{"a":1,"b":null,"c":2}', b'{"a":1,"c":2}'),
            (b'{"a":null,"b":null,"c":2,"d":null,"e":null}', b'{"c":2}'),
            (b'{"a":[null,{"b": null, "c": [null]}]}', b'{"a":[null,{"c": [null]}]}'),
            (b'{"a": "x", "b": null}', b'{"a": "x"}'),
            (b'{"a":"\\"b\\":null","c":"{\\"d\\":null}"}', b'{"a":"\\"b\\":null","c":"{\\"d\\":null}"}'),
            (b'{"a\\"":null,"\\\\":null,"b":",\\"x\\":null}"}', b'{"b":",\\"x\\":null}"}'),
            (b'{"null":"null","x":[1.50,1e+15]}', b'{"null":"null","x":[1.50,1e+15]}'),
            (b'["a",null,"b"]', b'["a",null,"b"]'),
            (b'{"a":{"b":null},"c":null}', b'{"a":{}}'),
        ],
    )
    def test_bytes(self, given: bytes, left: bytes) -> None:
        assert without_nulls(given) == left

    @pytest.mark.parametrize("media", ["application/json", ARRAY])
    def test_of_a_collection(self, shop: FlaskClient, media: str) -> None:
        response = get(shop, "products?select=sku,stock,price,attributes,notes&order=sku", f"{media};nulls=stripped")
        assert response.content_type == f"{media};nulls=stripped; charset=utf-8"
        attributes = b'"attributes":{"deep": {"a": 1, "b": [null, {}]}},"notes":"\\"x\\":null"'
        assert response.data == (
            b'[{"sku":"A-1","stock":3,"price":19.50,' + attributes + b"},"
            b'{"sku":"B-2","price":5.00,' + attributes + b"},"
            b'{"sku":"C-3","stock":0,"price":0.10,' + attributes + b"}]"
        )

    def test_of_an_item_and_of_writes(self, shop: FlaskClient) -> None:
        path, media = f"/api/products/{key_of(shop, 'B-2')}?select=sku,stock", f"{OBJECT};nulls=stripped"
        assert shop.get(path, headers={"Accept": media}).data == b'{"sku":"B-2"}'
        assert shop.get(path, headers={"Accept": f"{ARRAY};nulls=stripped"}).data == b'[{"sku":"B-2"}]'
        assert shop.patch(path, json={"stock": None}, headers={"Accept": media}).data == b'{"sku":"B-2"}'
        created = shop.post(
            "/api/products?select=sku,stock",
            json={"sku": "N", "name": "n", "price": 1, "stock": None},
            headers={"Accept": f"{ARRAY};nulls=stripped"},
        )
        assert created.data == b'[{"sku":"N"}]'

    def test_of_lines(self, shop: FlaskClient) -> None:
        response = get(shop, "products?select=sku,stock&order=sku", f"{NDJSON};nulls=stripped")
        assert response.data == b'{"sku":"A-1","stock":3}\n{"sku":"B-2"}\n{"sku":"C-3","stock":0}\n'


class TestPlans:
    @pytest.fixture
    def explaining(self, repository: Repository) -> FlaskClient:
        fake: Any = BrokenRepository(repository, 0, CastFailed())
        return create_app(fake, Settings(plan_enabled=True)).test_client()

    def test_are_off_by_default(self, client: FlaskClient) -> None:
        refused(get(client, "products", PLAN), 406, "PGRST107")

    def test_shape(self, explaining: FlaskClient) -> None:
        response = get(explaining, "products?sku=eq.x", f"{PLAN}; options=analyze|verbose")
        assert response.content_type == (f'{PLAN}; for="application/json"; options=analyze|verbose; charset=utf-8')
        assert response.get_json(force=True) == {
            "backend": "fake",
            "statement": "SELECT $1",
            "parameters": ["x"],
            "plan": {"verbose": True, "limit": True},
            "indexes": ["a_idx"],
            "scans": ["products"],
            "sorts": True,
            "rows": 3,
            "examined": 3,
            "milliseconds": 0.5,
        }

    @pytest.mark.parametrize("options", ["", "; options=analyze|verbose"])
    def test_of_each_store(self, make_client: MakeClient, backend: str, options: str) -> None:
        client = make_client(plan_enabled=True)
        # So many that the index is best, whatever the server knows of a table that was full, and empty, before.
        many = [{"name": f"{number}"} for number in range(2000)]
        assert client.post("/api/categories", json=many).status_code == 201
        response = get(client, "categories?name=eq.x", PLAN + options)
        if backend == "oracle":
            refused(response, 400, "54001")
            return
        document = response.get_json(force=True)
        assert document.keys() == {field.name for field in fields(Explanation)}
        assert (document["backend"], document["scans"]) == (backend, [])
        assert document["indexes"] == ["categories_name_key"]
        assert (document["rows"] == 0, document["milliseconds"] is not None) == (bool(options), bool(options))

    @pytest.mark.parametrize(
        "path", ["select=*&limit=0", "select=count(),category(name)&limit=0", "select=count()&offset=1"]
    )
    def test_of_a_page_of_none(self, make_client: MakeClient, backend: str, path: str) -> None:
        client = make_client(plan_enabled=True)
        assert client.post("/api/categories", json={"name": "x"}).status_code == 201
        product = {"sku": "A", "name": "a", "price": 1, "category_id": 1}
        assert client.post("/api/products", json=product).status_code == 201
        for options in ("", "; options=analyze"):
            response = get(client, f"products?{path}", PLAN + options)
            if backend == "oracle":
                refused(response, 400, "54001")
                continue
            assert response.status_code == 200
            assert response.get_json(force=True)["rows"] == (0 if options else None)

    def test_of_an_item(self, explaining: FlaskClient) -> None:
        response = get(explaining, "products/00000000-0000-0000-0000-000000000000", PLAN)
        assert response.get_json(force=True)["plan"] == {"verbose": False, "limit": False}

    def test_there_are_none_of_writes(self, explaining: FlaskClient) -> None:
        refused(explaining.post("/api/categories", json={"name": "x"}, headers={"Accept": PLAN}), 406, "PGRST107")
        assert explaining.get("/api/categories").get_json() == []


class TestPages:
    def links(self, client: FlaskClient, path: str, **headers: str) -> dict[str, str]:
        link = client.get(path, headers=headers).headers.get("Link", "")
        return {part.split('rel="')[1][:-1]: part.split(">")[0][1:] for part in link.split(", ") if part}

    def test_links_lead_through_all_pages(self, shop: FlaskClient) -> None:
        path: str | None = "/api/products?select=sku&order=sku&limit=2&price=gt.0"
        seen = []
        while path:
            seen += [record["sku"] for record in shop.get(path).get_json()]
            path = self.links(shop, path).get("next")
        assert seen == ["A-1", "B-2", "C-3"]

    def test_first_and_previous(self, shop: FlaskClient) -> None:
        links = self.links(shop, "/api/products?offset=2&select=sku&limit=1&order=sku.desc")
        base = "/api/products?select=sku&order=sku.desc&limit=1&offset="
        assert links == {"first": f"{base}0", "prev": f"{base}1", "next": f"{base}3"}
        assert [record["sku"] for record in shop.get(links["prev"]).get_json()] == ["B-2"]

    def test_only_where_there_may_be_more(self, shop: FlaskClient) -> None:
        assert self.links(shop, "/api/products") == {}
        assert self.links(shop, "/api/products?limit=0") == {}
        assert "next" in self.links(shop, "/api/products?limit=3")
        assert "next" not in self.links(shop, "/api/products?limit=3", Prefer="count=exact")
        assert "next" in self.links(shop, "/api/products?limit=2", Prefer="count=exact")

    def test_of_a_capped_page(self, shop: FlaskClient, make_client: MakeClient) -> None:
        assert self.links(make_client(max_rows=2), "/api/products")["next"] == "/api/products?limit=2&offset=2"

    def test_parameters_are_kept_as_they_are(self, shop: FlaskClient) -> None:
        query = "name=neq.%C3%A9%3E%22&sku=in.(A-1,%22B-2%22)&%6Cimit=1&attributes-%3E%3Eb=is.null"
        link = self.links(shop, f"/api/products?{query}")["next"]
        assert link == (
            "/api/products?name=neq.%C3%A9%3E%22&sku=in.(A-1,%22B-2%22)&attributes-%3E%3Eb=is.null&limit=1&offset=1"
        )
        overrides = {"QUERY_STRING": 'limit=1&offset=1&name=neq.<">\xc3\xa9 x'}
        raw = shop.get("/api/products", environ_overrides=overrides).headers["Link"]
        assert raw.split(">;")[0] == "</api/products?name=neq.%3C%22%3E%C3%A9%20x&limit=1&offset=0"

    def test_headers(self, shop: FlaskClient) -> None:
        response = shop.get("/api/products")
        assert (response.headers["Range-Unit"], response.headers["Vary"]) == ("items", "Accept")
        assert get(shop, "products", "image/png").headers["Vary"] == "Accept"

    @pytest.mark.parametrize(
        ("asked", "status", "span", "skus"),
        [
            ("0-0", 200, "0-0/*", ["A-1"]),
            ("1-", 200, "1-2/*", ["B-2", "C-3"]),
            ("1-99", 200, "1-2/*", ["B-2", "C-3"]),
            ("9-", 200, "*/*", []),
        ],
    )
    def test_ranges(self, shop: FlaskClient, asked: str, status: int, span: str, skus: list[str]) -> None:
        for accept in ("application/json", NDJSON):
            headers = {"Range-Unit": "items", "Range": asked}
            response = get(shop, "products?select=sku&order=sku", accept, **headers)
            assert (response.status_code, response.headers["Content-Range"]) == (status, span)
            assert [sku for sku in ("A-1", "B-2", "C-3") if sku.encode() in response.data] == skus

    def test_ranges_and_counts(self, shop: FlaskClient) -> None:
        path = "/api/products?select=sku&order=sku"
        part = shop.get(path, headers={"Range": "1-1", "Prefer": "count=exact"})
        assert (part.status_code, part.headers["Content-Range"]) == (206, "1-1/3")
        assert self.links(shop, path, Range="1-1")["next"] == f"{path}&limit=1&offset=2"
        past = shop.get(path, headers={"Range": "4-", "Prefer": "count=exact"})
        refused(past, 416, "PGRST103")
        assert past.headers["Content-Range"] == "*/3"
        refused(shop.get(path, headers={"Range": "5-2"}), 416, "PGRST103")

    @pytest.mark.parametrize("count", ["exact", "planned", "estimated"])
    def test_counts(self, shop: FlaskClient, count: str) -> None:
        response = shop.get("/api/products?limit=1", headers={"Prefer": f"count={count}"})
        assert (response.status_code, response.headers["Content-Range"]) == (206, "0-0/3")
        assert response.headers["Preference-Applied"] == f"count={count}"

    def test_head(self, shop: FlaskClient) -> None:
        for accept in ("application/json", CSV, NDJSON):
            asked = {"Accept": accept, "Prefer": "count=exact"}
            head, full = shop.head("/api/products", headers=asked), shop.get("/api/products", headers=asked)
            assert head.data == b""
            assert dict(head.headers) == dict(full.headers)

    def test_options(self, client: FlaskClient) -> None:
        response = client.options("/api/products/1", headers={"Accept": "image/png"})
        assert (response.status_code, response.data) == (200, b"")
        for path in ("/api/nope", "/api/nope/1"):
            refused(client.options(path), 404, "PGRST205")

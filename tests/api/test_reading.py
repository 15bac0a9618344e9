"""GET on collections and items: pages, filters, order, headers."""

from __future__ import annotations

import socket

import pytest
from flask.testing import FlaskClient

from repositories.base import Limits
from repositories.connect import connect
from service.app import create_app
from service.config import Settings
from tests.api.conftest import MakeClient, refused
from tests.stores import CATALOGS

SCHEMES = {"postgres": "postgresql", "mongodb": "mongodb"}

PRODUCTS = [
    {"sku": "A-1", "name": "Lamp", "price": 19.5, "stock": 3, "active": True, "released": "2024-02-29"},
    {"sku": "B-2", "name": "lantern", "price": 5, "stock": None, "active": None, "released": None},
    {"sku": "C-3", "name": "Éclair", "price": 0.1, "stock": 0, "active": False, "released": "2023-01-01"},
    {"sku": "D-4", "name": "50% off_\\", "price": 19.5, "stock": 7, "active": True, "released": None},
]


@pytest.fixture
def shop(client: FlaskClient) -> FlaskClient:
    assert client.post("/api/products", json=PRODUCTS).status_code == 201
    return client


def skus(client: FlaskClient, query: str) -> str:
    """The first letters of the records that the query answers with, in order."""
    response = client.get(f"/api/products?select=sku&{query}")
    assert response.status_code == 200, response.get_json(force=True)
    return "".join(record["sku"][0] for record in response.get_json())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sku=eq.A-1", "A"),
        ("sku=neq.A-1", "BCD"),
        ("stock=neq.3", "CD"),
        ("stock=not.eq.3", "CD"),
        ("price=gt.5", "AD"),
        ("price=gte.5.00", "ABD"),
        ("price=lt.5", "C"),
        ("price=lte.5.000", "BC"),
        ("price=gt.0.09999999999", "ABCD"),
        ("price=eq.0.1", "C"),
        ("price=in.(5,19.50)", "ABD"),
        ("stock=not.in.(3,7)", "C"),
        ("sku=in.()", ""),
        ("stock=not.in.()", "ABCD"),
        ("stock=is.null", "B"),
        ("stock=not.is.null", "ACD"),
        ("stock=is.not_null", "ACD"),
        ("active=is.true", "AD"),
        ("active=is.not_null&active=is.false", "C"),
        ("active=is.unknown", "B"),
        ("active=not.is.true", "BC"),
        ("active=eq.false", "C"),
        ("name=like.L*", "A"),
        ("name=ilike.l*", "AB"),
        ("name=ilike.*É*", "C"),
        ("name=ilike.*é*", "C"),
        ("name=like.50\\%25*", "D"),
        ("name=like.*\\_\\\\", "D"),
        ("name=like._amp", "A"),
        ("name=not.like.L*", "BCD"),
        ("name=eq.' OR 1=1--", ""),
        ('name=eq.{"$gt":""}', ""),
        ("released=gte.2024-01-01", "A"),
        ("released=not.gte.2024-01-01", "C"),
        ("and=(price.gt.1,stock.gt.1)", "AD"),
        ("or=(price.lt.1,stock.eq.7)", "CD"),
        ("not.and=(price.gt.1,stock.gt.3)", "AC"),
        ("not.or=(stock.eq.3,active.is.false)", "D"),
        ("or=(and(stock.eq.3,active.is.true),not.or(price.gt.1,active.is.true))", "AC"),
        ("price=gte.5&price=lt.10", "B"),
    ],
)
def test_filters(shop: FlaskClient, query: str, found: str) -> None:
    assert skus(shop, f"order=sku&{query}") == found


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("sku.desc", "DCBA"),
        ("stock", "CADB"),
        ("stock.desc", "BDAC"),
        ("stock.nullsfirst", "BCAD"),
        ("stock.desc.nullslast", "DACB"),
        ("price.desc,name", "DABC"),
        ("price.desc,sku.desc", "DABC"),
        ("name", "DABC"),  # by code point: digits, capitals, small letters, É
        ("active,sku", "CADB"),
    ],
)
def test_order(shop: FlaskClient, order: str, found: str) -> None:
    assert skus(shop, f"order={order}") == found


def test_pages(shop: FlaskClient) -> None:
    first = shop.get("/api/products?select=sku&order=sku&limit=3")
    assert (first.status_code, first.headers["Content-Range"]) == (200, "0-2/*")
    counted = shop.get("/api/products?select=sku&order=sku&limit=3&offset=2", headers={"Prefer": "count=exact"})
    assert (counted.status_code, counted.headers["Content-Range"]) == (206, "2-3/4")
    assert counted.headers["Preference-Applied"] == "count=exact"
    assert counted.get_json() == [{"sku": "C-3"}, {"sku": "D-4"}]
    whole = shop.get("/api/products?stock=gt.0", headers={"Prefer": "count=exact"})
    assert (whole.status_code, whole.headers["Content-Range"]) == (200, "0-1/2")
    empty = shop.get("/api/products?limit=0")
    assert (empty.get_json(), empty.headers["Content-Range"]) == ([], "*/*")
    none = shop.get("/api/products?stock=gt.99", headers={"Prefer": "count=exact"})
    assert (none.status_code, none.get_json(), none.headers["Content-Range"]) == (200, [], "*/0")
    assert skus(shop, "order=sku&offset=-1&limit=3") == "AB"  # the part of the window that lies within the list
    past = shop.get("/api/products?offset=9", headers={"Prefer": "count=exact"})
    refused(past, 416, "PGRST103")
    assert past.headers["Content-Range"] == "*/4"
    for query in ("limit=-1", "offset=-5&limit=5"):
        refused(shop.get(f"/api/products?{query}"), 416, "PGRST103")


def test_the_largest_page_is_capped(shop: FlaskClient, make_client: MakeClient) -> None:
    small = make_client(max_rows=2)
    for query in ("", "limit=1000000000"):
        response = small.get(f"/api/products?{query}", headers={"Prefer": "count=exact"})
        assert (response.status_code, response.headers["Content-Range"]) == (206, "0-1/4")


def test_select(shop: FlaskClient) -> None:
    response = shop.get("/api/products?select=title:name,price,stock,active,tags,released&sku=eq.A-1")
    assert response.content_type == "application/json; charset=utf-8"
    assert response.data == (
        b'[{"title":"Lamp","price":19.50,"stock":3,"active":true,"tags":[],"released":"2024-02-29"}]'
    )
    all_fields = shop.get("/api/products?sku=eq.A-1").get_json()[0]
    assert shop.get("/api/products?sku=eq.A-1&select=*").get_json()[0] == all_fields
    assert list(all_fields)[:4] == ["id", "sku", "name", "price"]
    assert all_fields["stock"] == 3


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("nope=eq.1", "42703"),
        ("select=nope", "42703"),
        ("order=nope", "42703"),
        ("or=(nope.eq.1)", "42703"),
        ("$where=eq.1", "42703"),
        ("__proto__=eq.1", "42703"),
        ("_id=eq.1", "42703"),
        ("stock=eq.x", "22P02"),
        ("stock=in.(1,x)", "22P02"),
        ("stock=eq.2147483648", "22003"),
        ("released=eq.now", "22007"),
        ("released=eq.2026-02-30", "22008"),
        ("id=eq.5", "22P02"),
        ("active=eq.maybe", "22P02"),
        ("name=like.a\\", "22025"),
        ("name=like." + "a" * 1001, "54001"),
        ("stock=like.1*", "42883"),
        ("tags=eq.x", "42883"),
        ("attributes=eq.x", "42883"),
        ("stock=is.true", "42804"),
        ("select=sku,sku", "42712"),
        ("select=sku,sku:name", "42712"),
        ("select=" + "a" * 64 + ":sku", "PGRST100"),
        ('select="":sku', "PGRST100"),
        ("order=sku.description", "PGRST100"),
        ("and=(" + ",".join(["stock.eq.1"] * 101) + ")", "54001"),
        ("and=(" + "or(" * 10 + "stock.eq.1" + ")" * 11, "54001"),
        ("name=foo.1", "PGRST100"),
        ("columns=sku", "PGRST100"),
    ],
)
def test_what_is_refused(client: FlaskClient, query: str, code: str) -> None:
    refused(client.get(f"/api/products?{query}"), 400, code)


def test_a_near_miss_is_told(client: FlaskClient) -> None:
    assert refused(client.get("/api/product"), 404, "PGRST205")["hint"] == "Perhaps you meant the table 'products'"
    hint = refused(client.get("/api/products?prise=gt.1"), 400, "42703")["hint"]
    assert hint == 'Perhaps you meant to reference the column "price".'


@pytest.mark.parametrize("name", ["nope", "pg_catalog.pg_user", "system.users", "t$cmd", "рroducts", "Products", "%20"])
def test_only_declared_resources_exist(client: FlaskClient, name: str) -> None:
    for path in (f"/api/{name}", f"/api/{name}/1"):
        refused(client.get(path), 404, "PGRST205")


def test_many_values_in_a_list(shop: FlaskClient) -> None:
    values = ",".join(map(str, range(2000)))
    assert skus(shop, f"order=sku&stock=in.({values})") == "ACD"


def test_one_item(shop: FlaskClient) -> None:
    key = shop.get("/api/products?sku=eq.A-1&select=id").get_json()[0]["id"]
    response = shop.get(f"/api/products/{key}")
    assert response.status_code == 200
    assert response.get_json() == shop.get("/api/products?sku=eq.A-1").get_json()[0]
    assert shop.get(f"/api/products/{key.upper()}").data == response.data
    assert shop.get(f"/api/products/{key}?select=sku,price").data == b'{"sku":"A-1","price":19.50}'
    assert shop.head(f"/api/products/{key}").headers["ETag"] == response.headers["ETag"]

    refused(shop.get("/api/products/00000000-0000-0000-0000-000000000000"), 404, "PGRST116")
    refused(shop.get("/api/products/x"), 400, "22P02")
    for query in ("sku=eq.A-1", "order=sku", "limit=1", "offset=1", "columns=sku"):
        refused(shop.get(f"/api/products/{key}?{query}"), 400, "PGRST100")


def test_entity_tags(shop: FlaskClient) -> None:
    key = shop.get("/api/products?sku=eq.A-1&select=id").get_json()[0]["id"]
    path = f"/api/products/{key}"
    tag = shop.get(path).headers["ETag"]
    assert tag.startswith('"')
    assert shop.get(path).headers["ETag"] == tag
    assert shop.get(path + "?select=sku").headers["ETag"] != tag
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        response = shop.get(path, headers={"If-None-Match": known})
        assert (response.status_code, response.data, response.headers["ETag"]) == (304, b"", tag)
        assert "Content-Type" not in response.headers
    assert shop.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
    refused(shop.get(path, headers={"If-None-Match": "x"}), 400, "PGRST100")
    shop.patch(path, json={"stock": 4})
    assert shop.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_composite_keys(client: FlaskClient) -> None:
    client.post("/api/products", json=PRODUCTS[0])
    product = client.get("/api/products?select=id").get_json()[0]["id"]
    client.post("/api/orders", json={})
    response = client.post("/api/lines", json={"order_id": 1, "position": 2, "product_id": product, "quantity": 3})
    assert (response.status_code, response.headers["Location"]) == (201, "/api/lines/1,2")
    assert client.get("/api/lines/1,2").get_json()["quantity"] == 3
    assert client.get('/api/lines/"1","2"').status_code == 200
    refused(client.get("/api/lines/2,1"), 404, "PGRST116")
    for key in ("1", "1,2,3", '"1', '"1"2'):
        refused(client.get(f"/api/lines/{key}"), 400, "PGRST100")


def test_welcome(client: FlaskClient) -> None:
    for path in ("/api", "/api/"):
        body = client.get(path).get_json()
        assert body["message"] == "Welcome to the API!"
        assert body["links"]["products"] == {"href": "/api/products"}
    assert client.get("/").headers["Location"] == "/api"


def test_the_prefix_is_configurable(make_client: MakeClient) -> None:
    client = make_client(api_prefix="/v1/shop")
    assert client.get("/v1/shop").get_json()["links"]["products"] == {"href": "/v1/shop/products"}
    created = client.post("/v1/shop/categories", json={"name": "x"})
    assert client.get(created.headers["Location"]).status_code == 200
    refused(client.get("/api/products"), 404, "PGRST125")


def test_health(client: FlaskClient, backend: str) -> None:
    assert client.get("/health/live").get_json() == {"status": "live"}
    assert client.get("/health/ready").get_json() == {"status": "ready", "backend": backend}


@pytest.mark.parametrize("backend", SCHEMES)
def test_health_of_a_dead_database(backend: str, catalog_name: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # taken, and never listening: connections are refused
        url = f"{SCHEMES[backend]}://127.0.0.1:{closed.getsockname()[1]}/shop"
        with connect(backend, url, CATALOGS[catalog_name](), Limits(1, 1, 1, 1)) as repository:
            client = create_app(repository, Settings()).test_client()
            response = client.get("/health/ready")
            refused(response, 503, "PGRST000")
            assert response.headers["Retry-After"] == "1"
            assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/json", 200),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 200),
        ("application/*", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("image/png", 406),
    ],
)
def test_content_negotiation(client: FlaskClient, accept: str, status: int) -> None:
    response = client.get("/api/categories", headers={"Accept": accept})
    assert response.status_code == status
    if status == 406:
        refused(response, 406, "PGRST107")


def test_methods(client: FlaskClient) -> None:
    assert set(client.options("/api/categories").headers["Allow"].split(", ")) == {
        "GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE",
    }  # fmt: skip
    assert set(client.options("/api/categories/1").headers["Allow"].split(", ")) == {
        "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE",
    }  # fmt: skip
    for method, path in (("TRACE", "/api/categories"), ("PUT", "/api/categories"), ("POST", "/api/categories/1")):
        response = client.open(path, method=method)
        refused(response, 405, "PGRST117")
        allowed = response.headers["Allow"].split(", ")
        assert "GET" in allowed
        assert allowed == sorted(allowed)
    overridden = client.get("/api/categories", headers={"X-HTTP-Method-Override": "DELETE"})
    assert overridden.status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/\xff", "/api/products/\xc0\xaf", "/api/products/\0", "/api/products/\xc3\xa9\0"]
)
def test_broken_paths(client: FlaskClient, path: str) -> None:
    # as a server hands them over: each byte of the decoded path as one character
    refused(client.get("/", environ_overrides={"PATH_INFO": path}), 400, "PGRST100")


def test_long_urls(client: FlaskClient) -> None:
    refused(client.get("/api/categories?name=eq." + "x" * 100_000), 414, "PGRST414")


def test_long_headers(client: FlaskClient) -> None:
    refused(client.get("/api/categories", headers={"X-Long": "x" * 64_000}), 431, "PGRST431")


def test_strict_handling(client: FlaskClient) -> None:
    headers = {"Prefer": "handling=strict, bogus"}
    refused(client.get("/api/categories", headers=headers), 400, "PGRST122")
    assert client.get("/api/categories", headers={"Prefer": "bogus"}).status_code == 200

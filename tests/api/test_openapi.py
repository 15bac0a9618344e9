"""The OpenAPI document: valid, complete, and true of what the service does, on every store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from repositories.query import Operator, State
from repositories.schema import Catalog, Field, Kind, Shape, Type
from service import catalog, demo
from service.batches import METHODS
from service.openapi.document import build
from service.openapi.schemas import example_of, field_schema, type_schema
from tests.api.conftest import MakeClient
from tests.api.described import PRODUCT, checked, conforms, description, resolved
from tests.catalogs import lab, shop

DEMO = Path(demo.__file__).with_name("shop.yaml")


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    return description(client)


@pytest.mark.parametrize(("declared", "prefix", "plans"), [(shop(), "/api", True), (lab(), "", False)])
def test_the_document_is_valid(declared: Catalog, prefix: str, plans: bool) -> None:
    document = json.loads(json.dumps(build(declared, prefix, plans=plans)))
    validate(document)
    identifiers = [
        operation["operationId"]
        for path in document["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]
    assert len(set(identifiers)) == len(identifiers)


def test_it_is_the_same_every_time() -> None:
    first, second = (json.dumps(build(catalog.load(DEMO), "/api")) for _ in range(2))
    assert first == second


def test_it_has_a_tag(client: FlaskClient) -> None:
    response = client.get("/openapi.json")
    assert response.mimetype == "application/json"
    again = client.get("/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")


def test_it_has_every_path_and_method_of_the_service(client: FlaskClient, document: dict[str, Any]) -> None:
    paths = document["paths"]
    routes = {rule.rule.rstrip("/") for rule in client.application.url_map.iter_rules() if rule.rule.startswith("/api")}
    assert routes == {"/api", "/api/_batch", "/api/<name>", "/api/<name>/<key:key>", "/api/<name>/<key:_key>"}
    names = {path.split("/")[2] for path in paths if path.startswith("/api/")}
    assert names == {resource.name for resource in shop()} | {"_batch"}
    for path in filter(lambda path: path.startswith("/api"), paths):
        url = "/api/" if path == "/api" else re.sub(r"\{\w+\}", "1", path)
        described = {method.upper() for method in paths[path] if method != "parameters"}
        allowed = set(client.options(url).headers["Allow"].split(", "))
        assert described == allowed - ({"HEAD", "OPTIONS"} if path == "/api" else set()), path
        assert [client.open(url, method=method).status_code for method in METHODS if method not in allowed] == [
            405 for method in METHODS if method not in allowed
        ]


def test_every_kind_of_value_has_a_true_example() -> None:
    document = json.loads(json.dumps(build(lab(), "")))
    fields = document["components"]["schemas"]["samples"]["properties"]
    for name, schema in fields.items():
        assert schema["examples"], name
        for example in schema["examples"]:
            checked(document, schema, example)
        if name != "id":
            checked(document, schema, None)


def test_numbers_are_bounded_by_their_types() -> None:
    document = json.loads(json.dumps(build(lab(), "")))
    fields = document["components"]["schemas"]["samples"]["properties"]
    checked(document, fields["money"], 9_999_999_999.99)
    checked(document, fields["big"], 2**63 - 1)
    for name, number in (("money", 10**10), ("small", 2**31), ("big", 2**63), ("small", 1.5)):
        with pytest.raises(jsonschema.ValidationError):
            checked(document, fields[name], number)


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/vnd.pgrst.object+json",
        "text/csv",
        "application/x-ndjson",
    ],
)
def test_reads_answer_what_it_promises(client: FlaskClient, document: dict[str, Any], media: str) -> None:
    created = client.post("/api/products", json=PRODUCT)
    conforms(document, "/api/products", created)
    headers = {"Accept": media}
    listed = client.get("/api/products", headers=headers)
    assert (listed.status_code, listed.mimetype) == (200, media)
    conforms(document, "/api/products", listed)
    one = client.get(created.headers["Location"], headers=headers)
    assert (one.status_code, one.mimetype) == (200, media)
    conforms(document, "/api/products/{id}", one)
    conforms(document, "/api/products/{id}", client.head(created.headers["Location"]))
    conforms(document, "/api/products", client.head("/api/products"))
    conforms(document, "/api/products", client.options("/api/products"))
    conforms(document, "/api/products", client.get("/api/products?limit=0", headers={"Prefer": "count=exact"}))


def test_errors_answer_what_it_promises(client: FlaskClient, document: dict[str, Any]) -> None:
    one, many = "/api/categories/{id}", "/api/categories"
    assert client.post(many, json={"id": 1, "name": "a"}).status_code == 201
    for path, response, status in (
        (many, client.get(f"{many}?id=eq.x"), 400),
        (many, client.get(many, headers={"Accept": "image/png"}), 406),
        (many, client.get(f"{many}?offset=5", headers={"Prefer": "count=exact"}), 416),
        (many, client.post(many, json={"name": "a"}), 409),
        (many, client.post(many, json={}), 400),
        (many, client.post(many, data="a,b"), 415),
        (many, client.delete(many), 400),
        (one, client.get(f"{many}/5"), 404),
        (one, client.delete(f"{many}/1", headers={"If-Match": '"x"'}), 412),
        ("/api/orders", client.get("/api/staff?select=nothing(*)"), 400),
    ):
        assert response.status_code == status
        conforms(document, path, response)


def test_every_filter_has_an_example_that_is_understood(client: FlaskClient, document: dict[str, Any]) -> None:
    parameters = document["components"]["parameters"]
    names = [name for name in parameters if ".filter." in name]
    assert len(names) > 30
    for name in names:
        resource, _, column = name.split(".", 2)
        schema = resolved(document, parameters[name]["schema"]["items"])
        for example in schema["examples"]:
            assert re.search(schema["pattern"], example)
            response = client.get(f"/api/{resource}", query_string={column: example})
            assert response.status_code == 200, (name, example, response.get_data(as_text=True))


@pytest.mark.parametrize("name", ["select", "order", "columns", "on_conflict"])
def test_an_empty_list_is_accepted_where_the_document_says_so(
    client: FlaskClient, document: dict[str, Any], name: str
) -> None:
    """Empty is as absent in a read; in a write it would name nothing."""
    allowed = document["components"]["parameters"][f"categories.{name}"].get("allowEmptyValue", False)
    client.post("/api/categories", json={"id": 1, "name": "a"})
    if name in ("select", "order"):
        response = client.get(f"/api/categories?{name}=")
        assert response.get_json() == client.get("/api/categories").get_json() != []
    else:
        response = client.post(f"/api/categories?{name}=", json={"id": 2, "name": "b"})
    assert (response.status_code < 300) is allowed


def test_a_name_that_is_listed_twice_says_nothing_new(client: FlaskClient, document: dict[str, Any]) -> None:
    assert client.get("/api/categories?order=name,name.desc,name").status_code == 200
    twice = "/api/categories?columns=name,name,id&on_conflict=id,id"
    assert (
        client.post(twice, json={"id": 1, "name": "a"}, headers={"Prefer": "resolution=merge-duplicates"}).status_code
        == 201
    )
    refused = client.get("/api/categories?select=name,name").status_code == 400
    parameters = document["components"]["parameters"]
    for name in ("order", "columns", "on_conflict", "select"):
        assert parameters[f"categories.{name}"]["schema"].get("uniqueItems", False) is (refused and name == "select")


@pytest.mark.parametrize("operator", [*Operator, "is"])
def test_every_operator_is_in_some_filter(operator: str) -> None:
    schemas = build(shop(), "")["components"]["schemas"]
    assert any(f"`{operator}`" in schema["description"] for name, schema in schemas.items() if "filter." in name)


@pytest.mark.parametrize(
    ("kind", "text", "fits"),
    [
        ("int32", "eq.5", True),
        ("int32", "not.in.(1,2)", True),
        ("int32", "gte(any).{1,2}", True),
        ("int32", "eq.a", False),
        ("int32", "like.5", False),
        ("string", "ilike(all).{a,b}", True),
        ("string", "cs.{a}", False),
        ("boolean", "is.unknown", True),
        ("date", "is.unknown", False),
        ("date", "lt.2024-01-01", True),
        ("array", "ov.{1}", True),
        ("json", 'cs.{"a":1}', True),
        ("decimal", "neq.1.50", True),
        ("uuid", "isdistinct.01857182-791e-7731-a9b3-b30364f4e303", True),
        ("date-time", "gt.2026-01-31T09:30:00+01:00", True),
    ],
)
def test_filters_are_typed_by_their_column(kind: str, text: str, fits: bool) -> None:
    schema = build(shop(), "")["components"]["schemas"][f"filter.{kind}"]
    assert bool(re.search(schema["pattern"], text)) is fits


def test_states_are_those_of_the_language() -> None:
    pattern = build(shop(), "")["components"]["schemas"]["filter.boolean"]["pattern"]
    assert all(re.search(pattern, f"is.{state.value}") for state in State)


def test_plans_are_described_where_they_can_be_had(make_client: MakeClient) -> None:
    hidden, shown = make_client(), make_client(plan_enabled=True)
    assert "plan" not in hidden.get("/openapi.json").get_json()["components"]["schemas"]
    document = shown.get("/openapi.json").get_json()
    response = shown.get("/api/categories", headers={"Accept": "application/vnd.pgrst.plan+json"})
    conforms(document, "/api/categories", response)


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (Type(Kind.STRING, pattern="^[A-Z]+$"), {"type": "string", "pattern": "^[A-Z]+$"}),
        (Type(Kind.STRING, pattern="(?i)a"), {"type": "string", "description": "It matches the pattern (?i)a."}),
        (Type(Kind.STRING, enum=("a", "b")), {"type": "string", "enum": ["a", "b"]}),
        (Type(Kind.DECIMAL), {"type": "number", "format": "decimal"}),
        (
            Type(Kind.ARRAY, items=Type(Kind.BOOLEAN), min_items=1, max_items=2),
            {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
        ),
        (
            Type(Kind.JSON, shape=Shape((("a", Type(Kind.DATE)), ("b", Type(Kind.BOOLEAN))), frozenset("a"), False)),
            {
                "type": "object",
                "properties": {"a": {"type": "string", "format": "date"}, "b": {"type": ["boolean", "null"]}},
                "required": ["a"],
                "additionalProperties": False,
            },
        ),
        (Type(Kind.DOUBLE, exclusive_minimum=0.5), {"type": "number", "format": "double", "exclusiveMinimum": 0.5}),
    ],
)
def test_types_become_json_schema(kind: Type, schema: dict[str, Any]) -> None:
    assert type_schema(kind) == schema


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        (Type(Kind.STRING, pattern="^[A-Z]+$"), None),
        (Type(Kind.STRING, enum=("a", "b")), "a"),
        (Type(Kind.INT32, minimum=5), 5),
        (Type(Kind.INT32, maximum=-5), -5),
        (Type(Kind.DOUBLE, exclusive_minimum=1.0, exclusive_maximum=2.0), None),
        (Type(Kind.ARRAY, items=Type(Kind.DATE), min_items=2), None),
        (Type(Kind.JSON, shape=Shape((("a", Type(Kind.BOOLEAN)),))), {"a": True}),
        (Type(Kind.JSON, shape=Shape((("a", Type(Kind.STRING, pattern="b")),), frozenset("a"))), None),
    ],
)
def test_examples_fit_or_are_left_out(kind: Type, example: Any) -> None:
    assert example_of(kind) == example


def test_a_required_field_with_a_default_may_be_left_out_and_not_be_null() -> None:
    document = build(shop(), "")
    new = document["components"]["schemas"]["orders.new"]
    assert "required" not in new
    assert new["properties"]["status"] == {"type": "string", "enum": ["open", "paid", "sent"], "default": "open"} | {
        "examples": ["open"]
    }
    replacement = document["components"]["schemas"]["lines.replacement"]
    assert replacement["required"] == ["product_id", "quantity"]


def test_a_nullable_enumeration_has_null() -> None:
    field = Field("level", Type(Kind.STRING, enum=("a",)), read_only=True)
    schema = field_schema(field)
    assert (schema["type"], schema["enum"], schema["readOnly"]) == (["string", "null"], ["a", None], True)

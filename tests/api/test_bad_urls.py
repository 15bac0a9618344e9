"""Bad URLs: their status and code, the same from every store; and hostile text that is only data."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from tests.api import test_bad_inputs, test_sockets
from tests.api.conftest import refused
from tests.api.test_bad_inputs import DRIVER_WORDS
from tests.patience import PAUSE

PATH = "/api/products"
ITEMS = [
    {"sku": f"S{number}", "name": name, "price": number, "notes": {"a": name}, "category_id": 1}
    for number, name in enumerate(["50%", "50_", "5x0", "a\nb", "a\\", "İx", "ix", "' OR 1=1--"])
]


class Bad(NamedTuple):
    """What follows the question mark, by its row in the table of bad inputs."""

    row: int
    query: str
    code: str = "PGRST100"
    status: int = 400
    path: str = PATH


def many(row: int, code: str, *queries: str) -> list[Bad]:
    return [Bad(row, query, code) for query in queries]


def nested(name: str, depth: int) -> str:
    return "select=" + f"{name}(" * depth + "id" + ")" * depth


URLS = [
    *many(23, "PGRST100", "sku=1", "sku=foo.1", "sku=eq", "sku=", "sku=not", "sku=not.eq", "sku=.eq.1"),
    *many(25, "PGRST100", "select=id;drop table t", "order=id);--", 'select=a",b', "select=id,,name", "order=id.down"),
    *many(25, "PGRST100", "on_conflict=sku", "columns=sku"),
    *many(25, "42703", "select=drop", "order=pg_sleep", "select=ID"),
    *many(26, "PGRST100", "select=notes->>'a'||pg_sleep(5)--", "order=notes.b'--", "select=name::text);--"),
    *many(26, "PGRST100", "select=price.sum()--", "select=name::text;x", "select=price.pg_sleep()", "select=a->>b)("),
    *many(26, "42704", "select=name::regclass", "select=name::oid", "select=name::pg_sleep"),
    *many(27, "42703", "$where=eq.1", "__proto__=eq.1", "$expr=eq.{}"),
    *many(
        27, "PGRST100", "$where=1", "$or=[{}]", "id[$gt]=eq.1", "a[$ne]=eq.1", "id[$gt]=", "a[$ne]=1", "sku[$in][]=1"
    ),
    *many(28, "22025", "name=like.a\\", "name=ilike.a\\", "name=not.like.%\\\\\\"),
    *many(29, "2201B", "name=match.(a)\\1", "name=match.(?=a)", f"name=match.{'a?' * 5_000}"),
    *many(30, "2201B", "name=match.[", "name=imatch.(", "name=match.a**", "name=match.{9999999}"),
    *many(34, "PGRST100", "limit=abc", f"limit={'9' * 20}", "limit=1.5", "limit=", "offset=x", f"offset={'9' * 20}"),
    Bad(34, "limit=-1", "PGRST103", 416),
    *many(36, "PGRST100", "select=id&select=id", "limit=1&limit=1", "order=id&order=id", "offset=0&offset=0"),
    *many(37, "54001", f"and=({'or(and(' * 500}sku.eq.1{'))' * 500})", f"and=({'not.and(' * 1_000}"),
    *many(37, "54001", f"or=({','.join(['a.eq.1'] * 4_000)})", "&".join(["a=eq.1"] * 4_000)),
    *many(38, "54001", nested("categories", 50), f"select={','.join(f'a{n}:categories(id)' for n in range(100))}"),
    *many(38, "54001", "select=" + "categories(products(" * 20 + "id" + "))" * 20),
    *many(39, "PGRST100", f"select={'a' * 64}:id", f"select={'é' * 32}:id"),
    *many(39, "42712", "select=x:id,x:name", "select=id,id:name"),
    *many(40, "PGRST100", "select=%ZZ", "sku=eq.%FF", "sku=eq.%C0%AF", "sku=eq.%00", "%FF=eq.1", "sku=eq.%"),
    *(
        Bad(41, "", "PGRST205", 404, path)
        for path in (
            "/api/..%2fproducts",
            "/api/pg_catalog.pg_user",
            "/api/system.users",
            "/api/t$cmd",
            "/api/рroducts",
            "/api/Products",
            "/api/_diglot_requests",
        )
    ),
]


@pytest.fixture(autouse=True)
def items(client: FlaskClient) -> None:
    client.put("/api/categories/1", json={"name": "c"})
    assert client.post(PATH, json=ITEMS).status_code == 201


def named(bad: Bad) -> str:
    return f"{bad.row}-{bad.query[:40] or bad.path}-{len(bad.query)}"


@pytest.mark.parametrize("bad", URLS, ids=named)
def test_refused(client: FlaskClient, bad: Bad) -> None:
    query = bad.query if bad.row == 40 else quote(bad.query, safe="=&,.()$*:;|'\"-!/")
    started = time.monotonic()
    response = client.get(f"{bad.path}?{query}")
    assert time.monotonic() - started < PAUSE
    refused(response, bad.status, bad.code)
    assert not any(word.lower() in response.data.lower() for word in DRIVER_WORDS), response.data


def found(client: FlaskClient, query: dict[str, str]) -> list[str]:
    response = client.get(PATH, query_string={"select": "name", "order": "sku", **query})
    assert response.status_code == 200, response.data
    return [each["name"] for each in response.get_json()]


@pytest.mark.parametrize("text", ['{"$gt":""}', "'; DROP TABLE products;--", "$where", "%", "*", "\\", "1 OR 1=1"])
def test_a_value_is_data(client: FlaskClient, text: str) -> None:
    """Row 24."""
    for query in ({"name": f"eq.{text}"}, {"notes->>a": f"eq.{text}"}):
        assert found(client, query) == []
    assert found(client, {"name": "eq.' OR 1=1--"}) == ["' OR 1=1--"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("like.50\\%*", ["50%"]),
        ("like.50\\_*", ["50_"]),
        ("like.50_", ["50%", "50_"]),
        ("like.5*0", ["5x0"]),
        ("like.a_b", ["a\nb"]),
        ("like.a%b", ["a\nb"]),
        ("like.a\\\\", ["a\\"]),
        ("ilike.İx", ["İx"]),
        ("ilike.IX", ["ix"]),
        ("match.a.b", ["a\nb"]),
    ],
)
def test_patterns(client: FlaskClient, query: str, names: list[str]) -> None:
    """Row 28."""
    assert found(client, {"name": query}) == names


def test_a_pattern_that_runs_away(client: FlaskClient) -> None:
    """Row 29: it is answered, or refused, within the deadline."""
    client.post(PATH, json={"sku": "LONG", "name": "b", "price": 1, "notes": {"a": "a" * 10_000 + "!"}})
    started = time.monotonic()
    response = client.get(PATH, query_string={"notes->>a": "match.^(a+)+$", "select": "sku"})
    assert time.monotonic() - started < 10
    assert response.status_code in (200, 400, 504)
    assert response.get_json() == [] or response.content_type == "application/problem+json"


def test_many_values(client: FlaskClient) -> None:
    """Row 32."""
    listed = ",".join([f"X{number}" for number in range(2_000)] + ["S1", "S2"])
    assert found(client, {"sku": f"in.({listed})"}) == ["50_", "5x0"]


def test_pages(client: FlaskClient) -> None:
    """Rows 33, 34 and 35."""
    assert len(found(client, {"offset": "-4"})) == len(ITEMS)
    assert len(found(client, {"limit": "1000000000"})) == len(ITEMS)
    counted = {"Prefer": "count=exact"}
    refused(client.get(f"{PATH}?offset=9", headers=counted), 416, "PGRST103")
    refused(client.get(PATH, headers=counted | {"Range": "9-10"}), 416, "PGRST103")
    refused(client.get(PATH, headers={"Range": "5-2"}), 416, "PGRST103")


def test_filters_on_one_column_combine(client: FlaskClient) -> None:
    """Row 36."""
    answer = client.get(f"{PATH}?price=gt.1&price=lt.4&select=sku&order=sku")
    assert answer.get_json() == [{"sku": "S2"}, {"sku": "S3"}]


def test_every_row_of_the_table_has_its_tests() -> None:
    """Rows 1 to 48, by the tables of these modules and the docstrings of their other tests."""
    rows = {bad.row for table in (URLS, test_bad_inputs.BODIES, test_sockets.BAD) for bad in table}
    for path in Path(__file__).parent.glob("test_*.py"):
        for text in re.findall(r'"""Rows? (\d+(?:(?:, | and )\d+)*)', path.read_text("utf-8")):
            rows |= {int(number) for number in re.findall(r"\d+", text)}
    assert rows == set(range(1, 49))

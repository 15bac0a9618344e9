"""Differences that generated requests have found (`make prove`), mended: each is asked of every store."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from service import catalog
from service.app import create_app
from service.config import Settings
from tests.api.conftest import MakeClient, refused
from tests.oracle import OracleRepository

PRODUCT = {"sku": "A", "name": "a", "price": 1, "category_id": 1}


def test_an_array_of_one_record_is_told_by_its_index(client: FlaskClient) -> None:
    assert client.post("/api/categories", json=[{"name": "a"}]).status_code == 201
    problem = refused(client.post("/api/categories", json=[{"name": "a"}]), 409, "23505")
    assert [each["pointer"] for each in problem["errors"]] == ["/0/name"]


def test_a_write_answers_with_casts(client: FlaskClient) -> None:
    response = client.post("/api/categories?select=key:id::text", json={"name": "a"})
    assert response.get_json() == [{"key": "1"}]


def test_what_a_filter_leaves_out_is_not_computed(client: FlaskClient) -> None:
    client.post("/api/categories", json=[{"name": "a"}, {"name": "b"}])
    assert client.post("/api/products", json=PRODUCT).status_code == 201
    answer = client.get("/api/categories?select=name,products(x:sku::int.max())&products=is.null")
    assert answer.get_json() == [{"name": "b", "products": [{"x": None}]}]


def test_a_write_counts_nothing(client: FlaskClient) -> None:
    refused(client.post("/api/categories?select=count", json=[]), 400, "PGRST100")


def test_a_broken_reference_comes_before_a_cast_that_fails(client: FlaskClient) -> None:
    refused(client.post("/api/products?select=sku::int", json=PRODUCT), 409, "23503")


def test_half_of_a_reference_is_merged_and_checked(client: FlaskClient) -> None:
    assert client.post("/api/returns", json={"id": 1, "order_id": None, "position": 7}).status_code == 201
    merge = {"Prefer": "resolution=merge-duplicates"}
    refused(client.post("/api/returns", json={"id": 1, "order_id": 9}, headers=merge), 409, "23503")


def test_an_upsert_names_what_its_first_record_breaks(client: FlaskClient) -> None:
    """A record that a later one of the request lets go is still held when the first is written."""
    assert client.post("/api/categories", json={"id": 1, "name": "a"}).status_code == 201
    ids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
    products = [PRODUCT | {"id": ids[number], "sku": sku, "name": sku} for number, sku in enumerate("ABC")]
    assert client.post("/api/products", json=products).status_code == 201
    changed = [products[0] | {"name": "B"}, products[1] | {"sku": "C", "name": "Z"}]
    merge = {"Prefer": "resolution=merge-duplicates"}
    problem = refused(client.post("/api/products", json=changed, headers=merge), 409, "23505")
    assert [each["pointer"] for each in problem["errors"]] == ["/0/category_id", "/0/name"]


def test_an_embedded_page_of_no_groups_makes_none(client: FlaskClient) -> None:
    client.post("/api/categories", json={"name": "a"})
    client.post("/api/products", json=PRODUCT)
    for columns in ("it:name::int,count()", "sku,name::int.sum()"):
        path = f"/api/categories?select=products({columns})"
        assert client.get(f"{path}&products.limit=0").get_json() == [{"products": []}]
        refused(client.get(f"{path}&products.limit=1"), 400, "22P02")
    path = "/api/categories?select=products(name::int.sum())"
    assert client.get(f"{path}&products.offset=1").get_json() == [{"products": []}]
    assert client.get(f"{path}&products.limit=0").get_json() == [{"products": []}]
    refused(client.get(f"{path}&products.offset=0"), 400, "22P02")


def test_a_cast_that_fails_in_an_embedded_group_of_another_page(client: FlaskClient) -> None:
    client.post("/api/categories", json=[{"name": "a"}, {"name": "b"}])
    client.post("/api/products", json=[PRODUCT | {"name": "7"}, PRODUCT | {"sku": "B", "name": "x"}])
    for columns in ("sku,name::int.sum()", "it:name::int,sku.max()"):
        path = f"/api/categories?select=products({columns})"
        refused(client.get(f"{path}&products.limit=1"), 400, "22P02")
        refused(client.get(f"{path}&products.offset=2"), 400, "22P02")
        assert client.get(f"{path}&id=eq.2").get_json() == [{"products": []}]
        assert client.get(f"{path}&products.name=eq.7&id=eq.1").status_code == 200


class TestLab:
    @pytest.fixture
    def catalog_name(self) -> str:
        return "lab"

    @pytest.mark.parametrize("filters", ["uuids->>0=gt.a", "uuids->>0=like.a*", "uuids->0=cd.[]"])
    def test_uuids_in_an_array_are_equal_or_not(self, make_client: MakeClient, filters: str) -> None:
        refused(make_client().get(f"/api/samples?{filters}"), 400, "42883")
        assert make_client().get("/api/samples?uuids->>0=neq.a").status_code == 200

    def test_groups_by_an_item_of_an_array_of_uuids(self, make_client: MakeClient) -> None:
        client = make_client()
        assert client.post("/api/samples", json=[{"uuids": ["F" * 32]}, {"uuids": []}]).status_code == 201
        answer = client.get("/api/samples?select=m:uuids->>0,count()").get_json()
        assert answer == [{"m": "ffffffff-ffff-ffff-ffff-ffffffffffff", "count": 1}, {"m": None, "count": 1}]

    @pytest.mark.parametrize(
        "filters",
        ["cs.0.1", "eq.0.1", "in.(0.1,7)", "gte.0.1", "lte.0.1", "not.neq.0.1", "eq(any).{0.1}", "cd.[0.1]"],
    )
    @pytest.mark.parametrize("name", ["moneys", "reals", "exacts"])
    def test_a_fraction_is_worth_its_text(self, make_client: MakeClient, name: str, filters: str) -> None:
        client = make_client()
        client.post("/api/samples", json=[{name: [0.1]}, {name: [0.3]}])
        assert len(client.get(f"/api/samples?{name}->0={filters}").get_json()) == {"gte": 2}.get(filters[:3], 1)

    @pytest.mark.parametrize(
        ("item", "number", "order"),
        [
            (1.7976931348623157e308, "1.7976931348623157e308", 0),
            (-1.7976931348623157e308, "-1.7976931348623157e308", 0),
            (1e300, "1e300", 0),
            (1e23, "1e23", -1),  # its digits are 99999999999999990000000 in JSON
            (1.2345678901234567e25, "1.2345678901234567e25", 0),
            (2.0**63, "9223372036854776000", 0),
            (-(2.0**63), "-9.223372036854776e18", 0),
            (2.0**63 - 1024, "9223372036854775000", 0),
            (2.0**60, "1152921504606847000", 0),
            (2.0**60, "1.152921504606847e18", 0),
            (2.0**60, "1152921504606846976", 1),
            (2.0**55 + 8, "36028797018963976", 0),
            (2.0**53, "9007199254740992", 0),
            (-(2.0**53), "-9007199254740992.0", 0),
            (0.1, "0.1", 0),
        ],
    )
    def test_large_doubles_are_worth_their_digits(
        self, make_client: MakeClient, item: float, number: str, order: int
    ) -> None:
        """`order` is the sign of the item less the number."""
        client = make_client()
        client.post("/api/samples", json=[{"reals": [item]}, {"reals": [7.5]}, {"reals": None}])

        def finds(condition: str) -> bool:
            records = client.get("/api/samples", query_string={"reals->0": condition.format(number)}).get_json()
            return {"reals": [item]} in [{"reals": record["reals"]} for record in records]

        for condition in (
            "eq.{}",
            "in.({},0)",
            "not.neq.{}",
            "eq(any).{{{}}}",
            "not.isdistinct.{}",
            "cs.{}",
            "cd.[{}]",
        ):
            assert finds(condition) == (order == 0), condition
        assert [finds(f"{name}.{{}}") for name in ("gt", "gte", "lt", "lte")] == [
            order > 0,
            order >= 0,
            order < 0,
            order <= 0,
        ]
        text = client.get("/api/samples?select=x:reals->>0&reals->0=neq.7.5").get_json()[0]["x"]
        found = client.get("/api/samples", query_string={"reals->>0": f"eq.{text}"}).get_json()
        assert [record["reals"] for record in found] == [[item]]

    @pytest.mark.parametrize("name", ["moneys", "exacts", "reals"])
    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ('eq(any).{"{0.10000000000000001}"}', 0),
            ('eq(any).{"{0.1}","{1e308}"}', 1),
            ("in.({0.1000000000000001},{7})", 0),
            ("in.({0.1},{1e300})", 1),
        ],
    )
    def test_given_arrays_are_not_rounded(self, make_client: MakeClient, name: str, filters: str, found: int) -> None:
        client = make_client()
        client.post("/api/samples", json={name: [0.1]})
        found += name == "reals" and filters.startswith("eq") and "0001" in filters  # that double is 0.1
        assert len(client.get("/api/samples", query_string={name: filters}).get_json()) == found

    def test_a_page_of_no_groups_makes_none(self, make_client: MakeClient) -> None:
        client = make_client()
        client.post("/api/samples", json={"text": "x"})
        assert client.get("/api/samples?select=it:text::int,count()&limit=0").get_json() == []
        counted = client.get("/api/samples?select=small,text::int.sum()&limit=0", headers={"Prefer": "count=exact"})
        assert (counted.get_json(), counted.headers["Content-Range"]) == ([], "*/1")

    def test_a_cast_that_fails_in_a_group_of_another_page(self, make_client: MakeClient) -> None:
        client = make_client()
        client.post("/api/samples", json=[{"small": 1, "text": "7"}, {"small": 2, "text": "x"}])
        for columns in ("small,text::int.sum()", "small,text::int.count()", "small,it:text::int,count()"):
            refused(client.get(f"/api/samples?select={columns}&order=small&limit=1"), 400, "22P02")
        answer = client.get("/api/samples?select=small,sum:text::int.sum()&small=eq.1&limit=1")
        assert answer.get_json() == [{"small": 1, "sum": 7}]

    def test_a_sum_that_is_too_large_in_a_group_of_another_page(self, make_client: MakeClient) -> None:
        client = make_client()
        whole = int("9" * 34)
        client.post("/api/samples", json=[{"small": 1, "whole": 1}, *([{"small": 2, "whole": whole}] * 2)])
        path = "/api/samples?select=small,whole.sum()&order=small"
        assert client.get(f"{path}&limit=1").get_json() == [{"small": 1, "sum": 1}]
        refused(client.get(path), 400, "22003")

    def test_a_value_of_the_one_group_that_no_page_shows(self, make_client: MakeClient) -> None:
        client = make_client()
        whole = int("9" * 34)
        client.post("/api/samples", json=[{"whole": whole, "text": "x"}] * 2)
        for columns in ("whole.sum()", "whole.avg(),count()", "it:whole.max()::int"):
            path = f"/api/samples?select={columns}"
            refused(client.get(path), 400, "22P02" if "::" in columns else "22003")
            answer = client.get(f"{path}&offset=1", headers={"Prefer": "count=exact"})
            assert (answer.get_json(), answer.headers["Content-Range"]) == ([], "*/1")
        answer = client.get("/api/samples?select=text::int.sum()&offset=1", headers={"Prefer": "count=exact"})
        assert (answer.get_json(), answer.headers["Content-Range"]) == ([], "*/1")

    @pytest.mark.parametrize("kind", ["int", "bigint", "numeric", "float8", "bool", "date", "timestamptz"])
    def test_text_of_a_uuid_is_nothing_else(self, make_client: MakeClient, kind: str) -> None:
        client = make_client()
        client.post("/api/samples", json=[{"uuids": []}, {"uuids": None}])
        assert client.get(f"/api/samples?select=uuids->>0::{kind}.count()").get_json() == [{"count": 0}]
        client.post("/api/samples", json={"uuids": [f"0000000{number}-0000-0000-0000-000000000000" for number in "10"]})
        for columns in (f"it:uuids->>0::{kind},count()", f"uuids->>0::{kind}.count()", f"it:uuids->>0::{kind}"):
            refused(client.get(f"/api/samples?select={columns}"), 400, "22P02")

    def test_text_of_a_uuid_is_one(self, make_client: MakeClient) -> None:
        client = make_client()
        texts = [f"0000000{number}-0000-0000-0000-000000000000" for number in "21a"]
        client.post("/api/samples", json=[*({"uuids": [text]} for text in texts), {"uuids": []}])
        columns = "a:uuids->>0.min(),b:uuids->>0::text.max(),c:uuids->>0::uuid.count()"
        answer = client.get(f"/api/samples?select={columns}")
        assert answer.get_json() == [{"a": texts[1], "b": texts[2], "c": 3}]
        for kind in ("", "::uuid", "::text"):
            groups = client.get(f"/api/samples?select=it:uuids->>0{kind},count()").get_json()
            assert {group["it"] for group in groups} == {*texts, None}
        groups = client.get("/api/samples?select=it:uuids->>0,count()&order=uuids->>0.desc").get_json()
        assert [group["it"] for group in groups] == [None, *sorted(texts, reverse=True)]

    @pytest.mark.parametrize("media", ["application/json", "text/csv", "application/x-ndjson"])
    @pytest.mark.parametrize("column", ["reals->0", "reals->>0", "real::json", "reals::json"])
    def test_large_doubles_have_the_digits_of_postgresql(
        self, make_client: MakeClient, column: str, media: str
    ) -> None:
        client = make_client()
        client.post(
            "/api/samples", json=[{"real": value, "reals": [value]} for value in (1e23, 1e22, -0.0, 1e-7, 2**63)]
        )
        answer = client.get(f"/api/samples?select=x:{column}&order=id", headers={"Accept": media})
        digits = re.findall(r"-?\d[\d.]*", answer.get_data(as_text=True))
        assert digits == ["99999999999999990000000", "1" + "0" * 22, "0", "0.0000001", "9223372036854776000"]

    @pytest.mark.parametrize("values", [[0.0, -0.0], [-0.0, 0.0], [-0.0]])
    def test_no_zero_is_less_than_another(self, make_client: MakeClient, values: list[float]) -> None:
        client = make_client()
        assert client.post("/api/samples", json=[{"real": value} for value in values]).status_code == 201
        columns = "a:real.min(),b:real.max(),c:real::numeric.min(),d:real::numeric.max(),e:real.sum()"
        answer = client.get(f"/api/samples?select={columns}").get_data(as_text=True)
        assert answer == '[{"a":0,"b":0,"c":0,"d":0,"e":0}]'
        groups = client.get("/api/samples?select=it:real::numeric,count()").get_data(as_text=True)
        assert groups == f'[{{"it":0,"count":{len(values)}}}]'

    def test_casts_that_fail_each_in_its_own_way(self, make_client: MakeClient) -> None:
        client = make_client()
        client.post("/api/samples", json=[{"text": "99999999999"}, {"text": "x"}])
        for columns in ("text::int", "text::int,other:text::date", "id,it:text::int,count()"):
            for order in ("id", "id.desc"):
                refused(client.get(f"/api/samples?select={columns}&order={order}"), 400, "22P02")

    def test_a_double_is_worth_its_text(self, make_client: MakeClient) -> None:
        client = make_client()
        assert client.post("/api/samples", json=[{"real": 1e23}, {"real": 0.3}]).status_code == 201
        assert client.get("/api/samples?select=real.sum()").get_data(as_text=True) == '[{"sum":9.999999999999999e+22}]'
        answer = client.get("/api/samples?select=real::text,count()&real=gt.1").get_json()
        assert answer == [{"real": "9.999999999999999e+22", "count": 1}]

    def test_an_average_of_too_large_a_sum_is_refused(self, make_client: MakeClient) -> None:
        client = make_client()
        body = '[{"whole": 9999999999999999999999999999999999}, {"whole": 1}]'
        assert client.post("/api/samples", data=body, content_type="application/json").status_code == 201
        refused(client.get("/api/samples?select=whole.avg()"), 400, "22003")
        answer = client.get("/api/samples?select=whole.avg()&whole=gt.1").get_data(as_text=True)
        assert answer == '[{"avg":9999999999999999999999999999999999}]'


class TestRivals:
    @pytest.fixture
    def catalog_name(self) -> str:
        return "rivals"

    def test_a_group_of_no_record_comes_after_one_of_nulls(self, client: FlaskClient) -> None:
        client.post("/api/people", json={"id": 1})
        client.post("/api/teams", json=[{"id": number, "lead_id": None} for number in range(5)])
        client.post("/api/teams", json=[{"id": number, "lead_id": 1} for number in range(5, 8)])
        expected = [{"count": 3, "lead": {"code": None}}, {"count": 5, "lead": None}]
        assert client.get("/api/teams?select=count(),lead(code)").get_json() == expected
        assert client.get("/api/teams?select=count(),lead(code)&limit=1&offset=1").get_json() == expected[1:]

    def test_records_that_are_changed_at_once_are_in_nobodys_way(self, client: FlaskClient) -> None:
        client.post("/api/people", json=[{"id": 1, "code": None}, {"id": 2, "code": "a"}, {"id": 3, "code": "b"}])
        problem = refused(client.patch("/api/people?id=gte.1", json={"id": 3, "code": "a"}), 409, "23505")
        assert problem["details"] == "Key (id) already exists."


def test_a_unique_reference_to_the_same_resource_is_served() -> None:
    text = "resources: {a: {primaryKey: id, properties: {id: {type: integer}, b_id: {references: a, unique: true}}}}"
    client = create_app(OracleRepository(catalog.loads(text, "a.yaml")), Settings()).test_client()
    assert client.get("/api/a?select=id,b(id)").get_json() == []

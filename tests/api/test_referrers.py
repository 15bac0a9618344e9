"""Which reference is named where a change would break several: the first of the catalog, by every store."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import refused

PERSON = "/api/people/1"


@pytest.fixture
def catalog_name() -> str:
    return "rivals"


@pytest.fixture(autouse=True)
def person(client: FlaskClient) -> None:
    fill(client, people={"id": 1, "code": "a"})


@pytest.fixture(params=["alone", "in a batch"])
def details(request: pytest.FixtureRequest, client: FlaskClient) -> Any:
    """Sends a request that is refused for a reference, and gives what is said of it."""

    def send(method: str, path: str, body: object = None) -> str:
        if request.param == "alone":
            response = client.open(path, method=method, json=body)
        else:
            operation = {"method": method, "path": path, **({} if body is None else {"body": body})}
            response = client.post("/api/_batch", json=[operation])
        return str(refused(response, 409, "23503")["details"])

    return send


def fill(client: FlaskClient, **records: object) -> None:
    for resource, body in records.items():
        assert client.post(f"/api/{resource}", json=body).status_code == 201


ROWS: dict[str, dict[str, object]] = {
    "acts": {"id": 1, "person_id": 1},
    "notes": {"id": 1, "person_id": 1},
    "tasks": {"id": 1, "person": "a"},
    "teams": {"id": 1, "lead_id": 1},
    "games": {"id": 1, "team_id": 1},
}


@pytest.mark.parametrize(
    ("there", "named"),
    [
        (["acts"], "acts"),
        (["acts", "notes"], "notes"),
        (["acts", "notes", "teams", "games"], "games"),
        (["acts", "notes", "tasks", "teams"], "notes"),
    ],
)
def test_deleted(client: FlaskClient, details: Any, there: list[str], named: str) -> None:
    fill(client, **{name: ROWS[name] for name in there})
    said = details("DELETE", PERSON)
    assert said == f'Key (id) is still referenced from "{named}".'


def test_deleted_by_a_filter(client: FlaskClient, details: Any) -> None:
    fill(client, people={"id": 2, "code": "b"}, acts={"id": 1, "person_id": 1}, notes={"id": 1, "person_id": 2})
    assert details("DELETE", "/api/people?id=gte.1") == 'Key (id) is still referenced from "notes".'


def test_what_was_in_the_way_goes_with_the_rest(client: FlaskClient) -> None:
    fill(client, teams=ROWS["teams"], tasks=ROWS["tasks"])
    assert client.delete(PERSON).status_code == 204
    assert client.get("/api/teams").get_json() == client.get("/api/tasks").get_json() == []


@pytest.mark.parametrize("there", [False, True])
def test_a_key_that_another_record_is_given(client: FlaskClient, *, there: bool) -> None:
    """In the same statement: what refers to it refers to the other one then; one that nobody is given is missed."""
    fill(client, tasks=ROWS["tasks"], **({"people": {"id": 2, "code": "c"}} if there else {}))
    merge = {"Prefer": "resolution=merge-duplicates"}
    swapped = client.post("/api/people", json=[{"id": 1, "code": "b"}, {"id": 2, "code": "a"}], headers=merge)
    assert swapped.status_code == (200 if there else 201)
    assert client.get("/api/tasks?select=person,people(id)").get_json() == [{"person": "a", "people": {"id": 2}}]
    lost = client.post("/api/people", json=[{"id": 1, "code": "c"}, {"id": 2, "code": "b"}], headers=merge)
    assert refused(lost, 409, "23503")["details"] == 'Key (code) is still referenced from "tasks".'


@pytest.mark.parametrize(("method", "body"), [("PUT", {"code": "b"}), ("PATCH", {"code": "b"})])
@pytest.mark.parametrize(("there", "named"), [(["tasks"], "tasks"), (["people", "tasks"], "people")])
def test_another_key(
    client: FlaskClient, details: Any, method: str, body: object, there: list[str], named: str
) -> None:
    rows = {**ROWS, "people": {"id": 2, "code": "c", "mentor": "a"}}
    fill(client, **{name: rows[name] for name in there})
    assert details(method, PERSON, body) == f'Key (code) is still referenced from "{named}".'


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
class TestOwnReference:
    @pytest.fixture(autouse=True)
    def mentor(self, client: FlaskClient) -> None:
        assert client.patch(PERSON, json={"mentor": "a"}).status_code == 200

    @pytest.mark.parametrize("tasks", [False, True])
    def test_kept(self, client: FlaskClient, details: Any, method: str, tasks: bool) -> None:
        fill(client, **({"tasks": ROWS["tasks"]} if tasks else {}))
        said = details(method, PERSON, {"code": "b", "mentor": "a"})
        assert said == 'Key (code) is still referenced from "people".'

    def test_changed(self, details: Any, method: str) -> None:
        assert details(method, PERSON, {"code": "b", "mentor": "c"}) == 'Key (mentor) is not present in "people".'

    def test_changed_to_what_it_takes_away(self, client: FlaskClient, details: Any, method: str) -> None:
        client.patch(PERSON, json={"mentor": None})
        assert details(method, PERSON, {"code": "b", "mentor": "a"}) == 'Key (mentor) is not present in "people".'

    def test_both_changed(self, client: FlaskClient, method: str) -> None:
        assert client.open(PERSON, method=method, json={"code": "b", "mentor": "b"}).status_code == 200


def test_merged_upsert(client: FlaskClient) -> None:
    fill(client, tasks=ROWS["tasks"], acts=ROWS["acts"])
    headers = {"Prefer": "resolution=merge-duplicates"}
    problem = refused(client.post("/api/people", json={"id": 1, "code": "b"}, headers=headers), 409, "23503")
    assert problem["details"] == 'Key (code) is still referenced from "tasks".'

"""Keys that are text: each record is found under the `Location` that it was given."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient


@pytest.fixture
def catalog_name() -> str:
    return "lab"


KEYS = ["a", "", "/", "/a", "a/", "//", "a/b", ".", "..", ".a", ",", '"', 'a"b', "\\", "é", "😀"]
KEYS += ["\n", "a\n", "a\nb", "\r\nX: y", "\t", "\x7f", "\u2028", "a b", "+", "?", "#", "*", "%41", "%ZZ"]


@pytest.mark.parametrize("key", KEYS)
def test_any_text_is_a_key(client: FlaskClient, key: str) -> None:
    path = client.post("/api/countries", json={"code": key}).headers["Location"]
    assert path.isascii()
    assert path.isprintable()
    assert client.get(path).get_json() == {"code": key, "name": None}
    assert client.put(path, json={"name": "b"}).status_code == 200
    assert client.patch(path, json={"name": "c"}).get_json() == {"code": key, "name": "c"}
    assert client.delete(path).status_code == 204
    created = client.put(path, json={"name": "d"})
    assert (created.status_code, created.headers["Location"]) == (201, path)


def test_the_location_has_the_keys_own_spelling(client: FlaskClient) -> None:
    created = client.put('/api/countries/"no"', json={})
    assert (created.status_code, created.headers["Location"]) == (201, "/api/countries/no")
    assert client.post("/api/countries/", json={"code": "x"}).headers["Location"] == "/api/countries/x"

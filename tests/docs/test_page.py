"""The page at /docs: complete, self-contained, and every request on it answers."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from repositories.base import Repository
from service import catalog
from service.app import create_app
from service.commands.demo import RESOURCES
from service.config import Settings
from service.docs_page import HEADERS
from service.openapi.codes import CODES
from tests.oracle import OracleRepository

ATTRIBUTE = re.compile(r'(?:href|src|action)="([^"]*)"')


@pytest.fixture
def page(client: FlaskClient) -> str:
    response = client.get("/docs")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    return response.get_data(as_text=True)


def test_it_tells_every_resource_field_relation_and_code(page: str, repository: Repository) -> None:
    for resource in repository.catalog.public:
        section = page.partition(f'<section id="r-{resource.name}"')[2].partition("</section>")[0]
        for field in resource.fields.values():
            assert f"<code>{field.name}</code>" in section
        for reference in resource.references:
            assert f"<code>{reference.name}(…)</code>" in section
            assert f'href="#r-{reference.target}"' in section
    for code in CODES:
        assert f"<code>{code.code}</code>" in page


def test_every_request_on_it_answers(page: str, client: FlaskClient) -> None:
    paths = [unescape(path) for path in re.findall(r'class="run" href="([^"]+)"', page)]
    assert len(paths) > 20
    assert [path for path in paths if client.get(path).status_code != 200] == []


def test_it_loads_nothing_from_outside(page: str, client: FlaskClient) -> None:
    for target in {unescape(target) for target in ATTRIBUTE.findall(page)}:
        assert target.startswith(("#", "/api/", "docs/static/", "openapi.json")), target
        if target.startswith("docs/static/"):
            asset = client.get(f"/{target}")
            assert asset.status_code == 200
            assert "://" not in asset.get_data(as_text=True).replace("http://www.w3.org/2000/svg", "")
            asset.close()


def test_a_browser_may_run_only_what_the_page_brings(client: FlaskClient) -> None:
    response = client.get("/docs")
    page = response.get_data(as_text=True)
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert not re.search(r"<style|style=|\son[a-z]+=|<script>", page)


def test_links_within_the_page_lead_somewhere(page: str) -> None:
    anchors = set(re.findall(r'id="([^"]+)"', page))
    assert {target[1:] for target in ATTRIBUTE.findall(page) if target.startswith("#")} <= anchors


def test_it_writes_the_prefix_and_escapes_what_the_client_says(repository: Repository) -> None:
    client = create_app(repository, Settings(api_prefix="/v1/data")).test_client()
    page = client.get("/docs", headers={"Host": "<b>"}).get_data(as_text=True)
    assert 'href="/v1/data/products?limit=3"' in page
    assert "<b>" not in page


def test_it_tells_the_limits_of_values() -> None:
    page = create_app(OracleRepository(catalog.load(RESOURCES)), Settings()).test_client().get("/docs").text
    for note in ("at most 20 items", "with street, postal_code, city", "≥ 1", "one of EUR, NOK, USD", "default []"):
        assert f'<span class="note">{note}</span>' in page
    assert "<code>diglot demo</code>" in page

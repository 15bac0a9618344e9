"""`diglot schema advise`, in front of both databases, and what it makes of counted shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from typer.testing import CliRunner, Result

from repositories.connect import BACKENDS
from service import catalog
from service.app import create_app
from service.cli import app
from service.config import Settings
from service.idempotency import with_requests
from tests.contract import queries
from tests.stores import MongoStore, PostgresStore, Store

FILE = """
resources:
  products:
    primaryKey: id
    required: [stock, price]
    properties:
      id: {type: integer}
      stock: {type: integer}
      price: {type: integer}
"""
LIST = "products?stock=eq.7&order=price.desc&limit=5"


@pytest.fixture(scope="module")
def stores(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: str, mongodb_url: str
) -> Iterator[tuple[Path, dict[str, Store]]]:
    path = tmp_path_factory.mktemp("advise") / "resources.yaml"
    path.write_text(FILE, "utf-8")
    declared = with_requests(catalog.load(path))
    rows = [{"id": n, "stock": n % 300, "price": n % 7} for n in range(3000)]
    with ExitStack() as stack:
        opened: dict[str, Store] = {}
        for name, kind, url in zip(BACKENDS, (PostgresStore, MongoStore), (postgres_url, mongodb_url), strict=True):
            made: Any = kind(url, declared, "diglot_test_advise")
            opened[name] = stack.enter_context(closing(made))
            made.repository.write(queries.insert(declared, "products", *rows))
        yield path, opened


@pytest.fixture(autouse=True)
def environment(
    stores: tuple[Path, dict[str, Store]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, Store]:
    path, opened = stores
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGLOT_RESOURCES", str(path))
    for name, store in opened.items():
        monkeypatch.setenv(f"DIGLOT_{name.upper()}_URL", store.url)  # type: ignore[attr-defined]
    return opened


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["schema", "advise", *arguments])


def test_what_is_lacking_in_both(environment: dict[str, Store]) -> None:
    result = run("--url", LIST, "--try", "--json")
    assert result.exit_code == 1, result.output
    found = json.loads(result.output)
    [advice] = found["advice"]
    assert (advice["resource"], advice["index"]) == ("products", ["stock", "-price", "id"])
    assert advice["backends"] == list(BACKENDS)
    assert [trial["backend"] for trial in advice["trials"]] == list(BACKENDS)
    for trial in advice["trials"]:
        assert trial["used"]
        assert trial["before"]["rows"] == trial["after"]["rows"] == 5
        assert trial["after"]["examined"] < 100 < trial["before"]["examined"]
    for store in environment.values():
        assert store.repository.schema_changes() == []
        store.check_idle()


def test_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    result = run("--url", LIST, "--try")
    assert result.exit_code == 1
    for part in ("indexes: [[stock, -price, id]]", *BACKENDS, "reads all of products", "as a whole", " → "):
        assert part in result.output


def test_nothing_is_lacking() -> None:
    result = run("--url", "products?id=eq.1", "--url", "products/7")
    assert (result.exit_code, result.output) == (0, "No index is lacking for these 2 reads.\n")


def test_what_no_index_helps_is_told_and_no_lack() -> None:
    result = run("--url", "products?or=(stock.eq.1,price.eq.2)", "--json", "--backend", BACKENDS[0])
    assert result.exit_code == 0
    found = json.loads(result.output)
    assert found["advice"] == []
    assert len(found["beyond"]) == 1


def test_reads_must_be_given() -> None:
    assert run().exit_code == 2
    assert run("--url", "products?nothing=eq.1").exit_code == 2
    assert run("--from", "nowhere").exit_code == 2


def test_a_store_that_is_not_there_leaves_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGLOT_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("DIGLOT_CONNECT_TIMEOUT", "0.5")
    monkeypatch.setenv("DIGLOT_POOL_TIMEOUT", "0.5")
    result = run("--url", LIST, "--json", "--try")
    assert result.exit_code == 3
    found = json.loads(result.output)
    assert list(found["errors"]) == [BACKENDS[0]]
    assert found["advice"][0]["backends"] == [BACKENDS[1]]


def test_shapes_that_the_service_has_counted(
    environment: dict[str, Store], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "shapes"
    monkeypatch.setenv("DIGLOT_RECORD_SHAPES", str(folder))
    monkeypatch.setattr("service.advice.shapes.Shapes.__init__.__defaults__", (0.0,))
    client: FlaskClient = create_app(environment[BACKENDS[0]].repository, Settings()).test_client()
    for stock in range(3):
        assert client.get(f"/api/products?stock=eq.{stock + 88_000}&order=price.desc").status_code == 200
    assert client.get("/api/products?nothing=eq.1").status_code == 400
    written = "".join(file.read_text("utf-8") for file in folder.iterdir())
    assert "8800" not in written
    result = run("--json")
    assert result.exit_code == 1, result.output
    [advice] = json.loads(result.output)["advice"]
    assert (advice["index"], advice["count"]) == (["stock", "-price", "id"], 3)

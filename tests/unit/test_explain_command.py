"""`diglot explain`, in front of stores that are not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner, Result

from repositories.base import Explanation
from repositories.connect import BACKENDS, EmbeddedServerError
from repositories.errors import Unavailable
from repositories.query import Read
from repositories.schema import Catalog
from service.cli import app
from service.commands import explain
from service.config import Settings

RESOURCES = """
resources:
  products:
    primaryKey: id
    properties:
      id:    {type: integer}
      price: {type: number}
"""


class FakeStore:
    """Answers for the backend with a statement in its own language."""

    reads: ClassVar[list[Read]] = []
    broken: ClassVar[dict[str, Exception]] = {}

    def __init__(self, settings: Settings, declared: Catalog) -> None:
        self.backend = settings.backend

    def __enter__(self) -> FakeStore:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ping(self) -> None:
        if self.backend in self.broken:
            raise self.broken[self.backend]

    def schema_changes(self) -> list[Any]:
        return []

    def explain(self, read: Read, *, analyze: bool, verbose: bool) -> Explanation:
        self.reads.append(read)
        sql = self.backend == BACKENDS[0]
        return Explanation(
            self.backend,
            "SELECT price FROM products WHERE price >= $1" if sql else '{"find": "products"}',
            ["10"] if sql else [],
            {"node": "Index Scan"},
            ("products_price_idx",) if sql else (),
            () if sql else ("products",),
            not sql,
            1234 if analyze else None,
            5678 if analyze else None,
            1.5 if analyze else None,
        )


@pytest.fixture(autouse=True)
def stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[FakeStore]:
    @contextmanager
    def located(settings: Settings) -> Iterator[Settings]:
        yield settings

    monkeypatch.setattr(explain, "located", located)
    monkeypatch.setattr(explain, "open_repository", FakeStore)
    monkeypatch.chdir(tmp_path)
    Path("resources.yaml").write_text(RESOURCES, "utf-8")
    FakeStore.reads, FakeStore.broken = [], {}
    return FakeStore


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["explain", *arguments])


def test_both_stores_side_by_side() -> None:
    result = run("products?price=gte.10&order=price")
    assert result.exit_code == 0, result.output
    header = next(line for line in result.output.splitlines() if BACKENDS[0] in line)
    assert BACKENDS[1] in header
    for part in ("SELECT price FROM products", '{"find": "products"}', "products_price_idx", "none", "nothing"):
        assert part in result.output
    assert "Rows" not in result.output
    assert "Index Scan" not in result.output


def test_the_cost_and_the_plan_are_told_on_demand() -> None:
    result = run("products", "--analyze", "--verbose")
    for part in ("1,234", "5,678", "1.50 ms", "Index Scan"):
        assert part in result.output


def test_one_store_only() -> None:
    result = run("products", "--backend", BACKENDS[1])
    assert BACKENDS[0] not in result.output
    assert len(FakeStore.reads) == 1


@pytest.mark.parametrize(
    "request_text",
    [
        "products?price=eq.1",
        "/products?price=eq.1",
        "/api/products?price=eq.1",
        "http://localhost:8000/api/products?price=eq.1",
    ],
)
def test_a_request_may_be_written_in_several_ways(request_text: str) -> None:
    assert run(request_text, "--backend", BACKENDS[0]).exit_code == 0
    (read,) = FakeStore.reads
    assert (read.selection.resource.name, read.values) == ("products", (1.0, 1000))


def test_one_record() -> None:
    assert run("products/7?select=price", "--backend", BACKENDS[0]).exit_code == 0
    (read,) = FakeStore.reads
    assert (read.values, read.selection.limit) == ((7,), None)


@pytest.mark.parametrize(
    ("request_text", "said"),
    [("product", "Perhaps you meant the table 'products'"), ("products?prise=eq.1", "42703"), ("products/x", "22P02")],
)
def test_a_bad_request_is_a_usage_error(request_text: str, said: str) -> None:
    result = run(request_text)
    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split())
    assert FakeStore.reads == []


def test_json() -> None:
    result = run("products", "--json", "--analyze")
    first, second = json.loads(result.output)
    assert (first["backend"], second["backend"]) == BACKENDS
    assert first.keys() == second.keys()
    assert (first["rows"], first["indexes"], first["plan"]) == (1234, ["products_price_idx"], {"node": "Index Scan"})


@pytest.mark.parametrize("error", [Unavailable(), EmbeddedServerError("No server here.")])
def test_a_store_that_is_not_there_leaves_the_other(error: Exception) -> None:
    FakeStore.broken = {BACKENDS[1]: error}
    result = run("products")
    assert result.exit_code == 3
    assert "SELECT price FROM products" in result.output
    assert str(error) in " ".join(result.output.replace("│", " ").split())
    shown = json.loads(run("products", "--json").output)[1]
    assert shown == {"backend": BACKENDS[1], "error": str(error)}


def test_the_demo_has_its_own_resources() -> None:
    Path("resources.yaml").unlink()
    assert run("products?select=sku", "--demo").exit_code == 0
    assert FakeStore.reads[0].selection.outputs[0].name == "sku"

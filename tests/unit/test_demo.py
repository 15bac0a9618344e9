"""The demonstration's records: the same in every run, sound under their own resource file; and how they are written."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repositories.errors import Unavailable
from repositories.schema import MISSING, Catalog
from repositories.writes import Write
from service import catalog, cli, serve, store
from service.commands import demo
from service.config import Settings
from service.demo import seed
from service.demo.shop import Shop
from service.planner.checks import check
from service.transfer.formats import Format
from service.transfer.writers import writer
from tests.oracle import OracleRepository
from tests.oracle.columns import Record

#: Of the shop of 500 products, in the form of an export; the same on every platform and version of Python.
DIGEST = "72c61700e5890d9967129dd751927b0e0f24c4252561d8c07e506c79b3f8a1f5"


@pytest.fixture(scope="module")
def declared() -> Catalog:
    return catalog.load(demo.RESOURCES)


def quiet(_what: str, _count: int) -> Callable[[int], None]:
    return lambda _: None


def digest(declared: Catalog, shop: Shop) -> str:
    found = hashlib.sha256()
    for part in shop.parts:
        form = writer(Format.CSV, tuple(declared[part.resource].fields.values()))
        for row in part.rows():
            found.update(form.record(row))
    return found.hexdigest()


def test_every_run_makes_the_same_records(declared: Catalog) -> None:
    assert digest(declared, Shop(500)) == digest(declared, Shop(500)) == DIGEST


@pytest.mark.parametrize("products", [1, 3, 500])
def test_the_records_keep_the_rules_of_their_resource_file(declared: Catalog, products: int) -> None:
    shop = Shop(products)
    for part in shop.parts:
        fields = tuple(declared[part.resource].fields.values())
        rows = list(part.rows())
        assert len(rows) == part.count
        for row in rows:
            for field, value in zip(fields, row, strict=True):
                assert not (value is None and field.required), field
                assert value is None or repr(check(field.type, value)) == repr(value), field
    repository = OracleRepository(declared)
    seed.seed(repository, shop, quiet)  # which checks keys, unique sets and references


def test_the_records_come_in_the_order_of_their_keys(declared: Catalog) -> None:
    for part in Shop(500).parts:
        resource = declared[part.resource]
        names = list(resource.fields)
        places = [names.index(name) for name in resource.primary_key]
        keys = [tuple(row[place] for place in places) for row in part.rows()]
        assert keys == sorted(set(keys))


def test_the_records_are_worth_asking_for(declared: Catalog) -> None:
    """Nulls, empty texts, ties and letters of many scripts are among them."""
    parts = {part.resource: list(part.rows()) for part in Shop(500).parts}
    for resource in declared:
        for place, field in enumerate(resource.fields.values()):
            values = [row[place] for row in parts[resource.name]]
            if field.default is MISSING and field.generated is None:
                assert field.required or None in values, field
            assert len(values) == 1 or len(set(map(repr, values))) > 1, field
    assert any(not row[2].isascii() for row in parts["products"])
    assert "" in [row[2] for row in parts["reviews"]]
    assert len({row[4] for row in parts["products"]}) < 500
    assert len({row[2] for row in parts["orders"]}) < 200


def test_an_interrupted_seed_is_completed(declared: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "BATCH", 70)
    whole = OracleRepository(declared)
    seed.seed(whole, Shop(100), quiet)
    repository, written = OracleRepository(declared), 0

    def fails(write: Write, *, after: int) -> Any:
        nonlocal written
        if written == after:
            raise Unavailable
        written += 1
        return OracleRepository.write(repository, write)

    for after in (0, 3, 4, 9):
        monkeypatch.setattr(repository, "write", lambda write, after=after: fails(write, after=after))
        with pytest.raises(Unavailable):
            seed.seed(repository, Shop(100), quiet)
        assert not seed.is_complete(repository)
    monkeypatch.undo()
    monkeypatch.setattr(seed, "BATCH", 70)
    seed.seed(repository, Shop(100), quiet)
    assert seed.is_complete(repository)
    assert repository.state == whole.state


class Run:
    """`diglot demo` on a store in memory; what it would have served is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.states: list[dict[str, list[Record]]] = []
        self.served: list[Settings] = []
        self._monkeypatch = monkeypatch
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DIGLOT_POSTGRES_URL", "postgresql://db/x")
        monkeypatch.setattr(store, "connect", self._connect)
        monkeypatch.setattr(serve, "serve", self._serve)

    def _connect(self, _backend: str, _url: str, declared: Catalog, *_: object) -> OracleRepository:
        repository = OracleRepository(declared)
        if self.states:
            repository.state = self.states[-1]
        self.states.append(repository.state)
        self._repository = repository
        return repository

    def _serve(self, settings: Settings, announce: Callable[[Settings, str], None]) -> None:
        self.states.append(self._repository.state)
        self.served.append(settings)
        announce(settings, "http://localhost:1")

    def __call__(self, *arguments: str) -> dict[str, list[Record]]:
        self._monkeypatch.setattr(sys, "argv", ["diglot", "demo", *arguments])
        with pytest.raises(SystemExit) as raised:
            cli.main()
        assert not raised.value.code
        return self._repository.state


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    return Run(monkeypatch, tmp_path)


def test_the_command_fills_the_shop_once_and_serves_it(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    state = run("--products", "30", "--port", "8123")
    output = capsys.readouterr()
    assert "Filling the shop with" in output.err
    for path in demo.requests(Shop(30)):
        assert f"  curl 'http://localhost:1/api/{path}'" in output.out
    (settings,) = run.served
    assert (settings.port, settings.schema_mode, settings.plan_enabled) == (8123, "apply", True)
    assert settings.data_dir == Path(".diglot/demo-30")
    state["reviews"].clear()
    assert run("--products", "30")["reviews"] == []
    assert capsys.readouterr().err == ""


def test_the_command_can_fill_the_shop_only(run: Run) -> None:
    assert len(run("--products", "30", "--seed-only")["products"]) == 30
    assert run.served == []

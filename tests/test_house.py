"""The rules of this house that a machine can check: who imports whom, complete tables, documented modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from repositories.mongo import comparisons as mongo_comparisons
from repositories.query import Operator, State
from repositories.sql import operators as sql_operators

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("service", "repositories")
    for path in (ROOT / folder).rglob("*.py")
)
#: What the service, and each backend, may know of the repository layer.
PORT = {"schema", "query", "writes", "expressions", "errors", "base", "encoding", "texts", "casts"}
PORT |= {"kept"}
PORT |= {"patterns", "regexes", "regex_trees", "regex_ways", "regex_writing", "charsets"}
BACKENDS = {"sql", "mongo"}
DRIVERS = {"psycopg", "psycopg_pool", "sqlalchemy", "pymongo", "bson", "gridfs"}
#: The names by which a backend may be asked for; only configuration and wiring know them.
BACKEND_NAMES = {"postgres", "postgresql", "mongodb"}
WIRING = {"service/config.py", "service/serve.py", "service/store.py", "service/app.py", "service/log.py"}
#: Rooms of a request that know neither HTTP nor the database.
PURE = ("service/dialect/", "service/planner/", "service/catalog/")
LONGEST = 400


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text("utf-8"))


def imports(module: str) -> Iterator[str]:
    """The full names of everything that the module imports, at whatever place in it."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def of_repositories(module: str) -> set[str]:
    """Which files and folders of the repository layer the module imports from."""
    return {name.split(".")[1] for name in imports(module) if name.split(".")[0] == "repositories"}


def roots(module: str) -> set[str]:
    return {name.split(".")[0] for name in imports(module)}


def within(*folders: str) -> list[str]:
    found = [module for module in MODULES if module.startswith(folders)]
    assert found
    return found


@pytest.mark.parametrize("module", MODULES)
def test_the_first_line_of_a_module_says_its_job(module: str) -> None:
    assert ast.get_docstring(tree(module)), "no docstring"
    assert len((ROOT / module).read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("module", within("repositories/"))
def test_repositories_know_no_service_and_no_http(module: str) -> None:
    assert roots(module) & {"service", "tests", "flask", "werkzeug", "granian", "typer"} == set()


@pytest.mark.parametrize("module", within("repositories/"))
def test_a_backend_knows_the_port_and_itself(module: str) -> None:
    folder = module.split("/")[1].removesuffix(".py")
    known = of_repositories(module) - {folder}
    if folder == "connect":
        return
    if folder in PORT:
        assert known <= PORT
    elif module.endswith("/embedded.py"):
        assert known <= PORT | {"connect", "embedded"}
    else:
        assert known <= PORT | {"connect"}


@pytest.mark.parametrize("module", [f"repositories/{name}.py" for name in sorted(PORT)])
def test_the_port_knows_no_driver(module: str) -> None:
    assert roots(module) & DRIVERS == set()


@pytest.mark.parametrize("module", within("service/"))
def test_the_service_knows_only_the_port(module: str) -> None:
    assert of_repositories(module) <= PORT | {"connect"}
    assert roots(module) & (DRIVERS | {"tests"}) == set()


@pytest.mark.parametrize("module", [module for module in within("service/") if module not in WIRING])
def test_the_service_names_no_backend(module: str) -> None:
    """Prose may say their names; code may not ask for them."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Constant):
            assert node.value not in BACKEND_NAMES, f"line {node.lineno}"
        elif isinstance(node, ast.Name | ast.Attribute):
            name = (node.id if isinstance(node, ast.Name) else node.attr).lower()
            assert not any(backend in name for backend in ("postgres", "mongo")), f"line {node.lineno}"


@pytest.mark.parametrize("module", within(*PURE))
def test_dialect_planner_and_catalog_are_pure(module: str) -> None:
    assert roots(module) & {"flask", "werkzeug", "socket", "os"} == set()
    assert "connect" not in of_repositories(module)


@pytest.mark.parametrize("module", within("service/dialect/"))
def test_the_dialect_knows_no_schema(module: str) -> None:
    assert of_repositories(module) & {"schema", "base", "encoding"} == set()


@pytest.mark.parametrize("table", [sql_operators.OPERATORS, mongo_comparisons.COMPARISONS])
def test_operator_tables_are_complete(table: dict[Operator, object]) -> None:
    assert set(table) == set(Operator)


def test_state_tables_are_complete() -> None:
    assert set(sql_operators.STATES) == set(State)


def test_the_oracle_shares_no_code_with_the_backends() -> None:
    for path in (ROOT / "tests/oracle").glob("*.py"):
        module = path.relative_to(ROOT).as_posix()
        assert of_repositories(module) <= PORT
        assert roots(module) & DRIVERS == set()

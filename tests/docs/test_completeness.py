"""The documentation is complete: every operator, state, aggregate, cast and code is in it, and nothing that is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from repositories.expressions import CAST_NAMES
from repositories.query import AggregateFunction, Operator, Quantifier, State
from service import problems
from service.body import BodyType
from service.config import variables
from service.dialect.filters import QUANTIFIABLE
from service.dialect.prefer import Preferences
from service.openapi.codes import CODES
from tests.docs.examples import DOCS, examples

ROOT = Path(__file__).parents[2]
LANGUAGE = (DOCS / "language.md").read_text("utf-8")
ERRORS = (DOCS / "errors.md").read_text("utf-8")
REQUESTS = [example.path for example in examples("language.md") if example.status == "200 OK"]
#: A code in the source: five characters of SQLSTATE, or PostgREST's.
CODE = re.compile(r'"(PGRST\d{3}|(?:\d[0-9A-Z]|XX)[0-9A-Z]{3})"')
#: Where codes stand that no client sees, or only after they have been turned into others.
UNSEEN = ("service/transfer/", "service/catalog/", "service/openapi/", "repositories/sql/", "repositories/mongo/")


def sources() -> Iterator[tuple[str, str]]:
    for folder in ("service", "repositories"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(UNSEEN):
                yield name, path.read_text("utf-8")


def raised() -> dict[str, str]:
    """Each code in the source, with a file that has it."""
    found = {code: name for name, text in sources() for code in CODE.findall(text)}
    assert len(found) > 30
    return found


@pytest.mark.parametrize("operator", Operator)
def test_every_operator_has_an_example(operator: Operator) -> None:
    assert any(re.search(rf"[=.]{operator.value}[.(]", request) for request in REQUESTS)
    assert f"`{operator.value}`" in LANGUAGE


@pytest.mark.parametrize("state", State)
def test_every_state_has_an_example(state: State) -> None:
    assert any(f"=is.{state.value}" in request for request in REQUESTS)


@pytest.mark.parametrize("function", AggregateFunction)
def test_every_aggregate_has_an_example(function: AggregateFunction) -> None:
    assert any(f"{function.value}()" in request for request in REQUESTS)


@pytest.mark.parametrize("quantifier", Quantifier)
def test_every_quantifier_has_an_example(quantifier: Quantifier) -> None:
    assert any(f"({quantifier.value})." in request for request in REQUESTS)


@pytest.mark.parametrize("operator", sorted(QUANTIFIABLE))
def test_every_quantifiable_operator_is_named(operator: Operator) -> None:
    section = LANGUAGE.partition("### Any and all")[2].partition("###")[0]
    assert f"`{operator.value}`" in section


@pytest.mark.parametrize("media", BodyType)
def test_every_type_of_body_has_an_example(media: BodyType) -> None:
    done = [example for example in examples("language.md") if example.status.startswith("20")]
    assert any(example.headers.get("Content-Type") == media for example in done)


@pytest.mark.parametrize("name", ["count", "handling", "max-affected", "missing", "resolution", "return"])
def test_every_preference_has_an_example_or_a_refusal(name: str) -> None:
    assert len(fields(Preferences)) == 6
    assert f"| `{name}=" in LANGUAGE
    assert any(f"{name}=" in example.headers.get("Prefer", "") for example in examples("language.md"))


def test_the_casts_are_those_that_there_are() -> None:
    section = LANGUAGE.partition("### Casts")[2].partition("\n## ")[0]
    rows = [line.split("|")[2] for line in section.splitlines() if line.startswith("|")][2:]
    assert [name for row in rows for name in re.findall(r"`([^`]+)`", row)] == list(CAST_NAMES)


def test_the_table_of_errors_is_that_of_the_service() -> None:
    rows = [
        tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in ERRORS.splitlines() if line.startswith("| `")
    ]
    assert rows == [(f"`{code.code}`", ", ".join(map(str, code.statuses)), code.meaning, code.remedy) for code in CODES]


def test_every_code_that_is_raised_is_in_the_table() -> None:
    known = {code.code for code in CODES}
    # What HTTP itself refuses gets a code of its status.
    of_http = {f"PGRST{status}" for code in CODES for status in code.statuses}
    assert {code: name for code, name in raised().items() if code not in known} == {}
    assert known - raised().keys() - of_http == set()


@pytest.mark.parametrize("error", problems.STATUS)
def test_the_ports_errors_have_their_status(error: type) -> None:
    statuses = {code.code: code.statuses for code in CODES}
    assert problems.STATUS[error] in statuses[error.code]  # type: ignore[attr-defined]


def test_requests_are_refused_with_the_statuses_in_the_table() -> None:
    statuses = {code.code: code.statuses for code in CODES}
    found = [
        (int(status), code)
        for _, text in sources()
        for status, code in re.findall(r'RequestError\(\s*(\d{3}),\s*"([^"]+)"', text)
    ]
    assert len(found) > 30
    assert [(status, code) for status, code in found if status not in statuses[code]] == []


def test_the_settings_that_are_named_are_there() -> None:
    known = {variable.name for variable in variables()}
    named = set(re.findall(r"DIGLOT_[A-Z_]+", LANGUAGE + ERRORS + "".join(code.remedy for code in CODES)))
    assert len(named) > 5
    assert named <= known

"""Every operator on every kind of column, in the language of the API, alone, negated, in a tree, quantified."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from repositories.query import Operator
from service.dialect.filters import QUANTIFIABLE
from service.errors import RequestError
from tests.contract.asking import Asker, condition
from tests.contract.conftest import Opened
from tests.contract.matrix import CELLS, REFUSED, SUBJECTS, Case, Subject, base, braced, records

#: Every operator, and on which columns; each is asked in every form.
PAIRS = [(operator, subject.column) for subject in SUBJECTS.values() for operator in CELLS[subject.group]]
QUANTIFIED = [(operator, column) for operator, column in PAIRS if operator in {each.value for each in QUANTIFIABLE}]
FORMS = ("plain", "not", "tree", "not in tree")


@pytest.fixture(scope="module")
def samples(opened: Opened) -> Iterator[Asker]:
    with opened("lab") as asker:
        asker.fill({"samples": records()})
        yield asker


def rungs(asker: Asker, subject: Subject, parameter: str) -> set[int]:
    """The rungs that the filter meets; those from the length of the ladder on have no value."""
    first = base(subject)
    found = asker.values(f"samples?select=id&id=gte.{first}&id=lt.{first + 100}&{parameter}")
    return {number - first for number in found}


def quoted(text: str) -> str:
    """The text as a value in a tree."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def nested(case: Case) -> str:
    """The operation as it is written in a tree."""
    return f"{case.operator}.{case.value if case.operator in ('in', 'is') else quoted(case.value)}"


def met(subject: Subject, case: Case, *, negated: bool) -> set[int]:
    """What the case says of the ladder, and of the records without a value."""
    size = len(subject.ladder)
    everything = set(range(size))
    gone = {size + number for number in range(len(subject.absent))}
    if not negated:
        return set(case.rungs) | (gone if case.nulls else set())
    return (everything - case.rungs) | (gone if not case.unknown and not case.nulls else set())


def test_the_matrix_has_no_hole() -> None:
    names = {each.value for each in Operator} | {"is"}
    assert set(CELLS) == set(REFUSED) == {subject.group for subject in SUBJECTS.values()}
    for group, cells in CELLS.items():
        assert cells.keys() | REFUSED[group].keys() == names
        assert not cells.keys() & REFUSED[group].keys()
    assert all(list(CELLS[subject.group][operator](subject)) for operator, subject in _pairs())
    assert len(PAIRS) * len(FORMS) + len(QUANTIFIED) * 2 >= 1500


def _pairs() -> Iterator[tuple[str, Subject]]:
    yield from ((operator, SUBJECTS[column]) for operator, column in PAIRS)


@pytest.mark.parametrize(("operator", "column"), PAIRS)
def test_an_operator(samples: Asker, operator: str, column: str) -> None:
    subject = SUBJECTS[column]
    cases = list(CELLS[subject.group][operator](subject))
    for case in cases:
        yes, no = met(subject, case, negated=False), met(subject, case, negated=True)
        text = f"{operator}.{case.value}"
        assert rungs(samples, subject, condition(column, text)) == yes, text
        assert rungs(samples, subject, condition(column, f"not.{text}")) == no, text
        if case not in (cases[0], cases[-1]):
            continue  # how values are written in a tree does not depend on where they lie
        assert rungs(samples, subject, condition("or", f"({column}.{nested(case)})")) == yes, text
        tree = f"(id.lt.0,or({column}.{nested(case)},id.lt.0))"
        assert rungs(samples, subject, condition("not.or", tree)) == no, text


@pytest.mark.parametrize(("operator", "column"), QUANTIFIED)
def test_a_quantified_operator(samples: Asker, operator: str, column: str) -> None:
    subject = SUBJECTS[column]
    cases = list(CELLS[subject.group][operator](subject))
    size = len(subject.ladder)
    everything, gone = set(range(size)), set(range(size, size + len(subject.absent)))
    for chosen in ([], cases[-2:], cases):
        values = braced([case.value for case in chosen])
        any_of = {rung for case in chosen for rung in case.rungs}
        all_of = {rung for rung in everything if all(rung in case.rungs for case in chosen)}
        certain = set() if chosen else gone
        for word, expected, nulls in (("any", any_of, set()), ("all", all_of, certain)):
            text = f"{operator}({word}).{values}"
            assert rungs(samples, subject, condition(column, text)) == expected | nulls, text
            refuted = everything - expected | (gone if not chosen and word == "any" else set())
            assert rungs(samples, subject, condition(column, f"not.{text}")) == refuted, text
            assert rungs(samples, subject, condition("and", f"({column}.{text})")) == expected | nulls, text


class TestRefused:
    """What no store is ever asked."""

    @pytest.fixture
    def catalog_name(self) -> str:
        return "lab"

    @pytest.fixture
    def backend(self) -> str:
        return "oracle"

    @pytest.fixture
    def asker(self, port: Asker) -> Asker:
        return Asker(port.store)

    @pytest.mark.parametrize("column", SUBJECTS)
    def test_operators_that_a_column_has_not(self, asker: Asker, column: str) -> None:
        subject = SUBJECTS[column]
        for operator in REFUSED[subject.group]:
            with pytest.raises(RequestError) as caught:
                asker.plan(f"samples?{condition(column, f'{operator}.{subject.ladder[0]}')}")
            assert (caught.value.status, caught.value.code) == (400, "42883")

    @pytest.mark.parametrize("column", [subject.column for subject in SUBJECTS.values() if subject.wrong])
    def test_values_that_a_type_cannot_read(self, asker: Asker, column: str) -> None:
        subject = SUBJECTS[column]
        operators = [each for each in CELLS[subject.group] if each != "is"]
        for value, code in subject.wrong:
            for operator in operators:
                given = f"({quoted(value)})" if operator == "in" else value
                with pytest.raises(RequestError) as caught:
                    asker.plan(f"samples?{condition(column, f'{operator}.{given}')}")
                assert (caught.value.status, caught.value.code) == (400, code), (operator, value)

    @pytest.mark.parametrize("column", [subject.column for subject in SUBJECTS.values() if subject.group != "boolean"])
    def test_only_booleans_are_true_or_false(self, asker: Asker, column: str) -> None:
        for state in ("true", "false", "unknown"):
            with pytest.raises(RequestError) as caught:
                asker.plan(f"samples?{condition(column, f'is.{state}')}")
            assert caught.value.code == "42804"

    @pytest.mark.parametrize("operator", ["gt", "gte", "lt", "lte"])
    def test_arrays_and_objects_in_json_have_no_order(self, asker: Asker, operator: str) -> None:
        for value in ("[]", "{}"):
            with pytest.raises(RequestError) as caught:
                asker.plan(f"samples?{condition('free->a', f'{operator}.{value}')}")
            assert caught.value.code == "42883"

"""The oracle's own parts that the contract tests lean on: the truth tables, the matcher, the order."""

from __future__ import annotations

from itertools import product as combinations

import pytest

from repositories.patterns import Wildcard
from repositories.query import ALL, And, Column, Comparison, Condition, Is, Not, Operator, Or, Param, Sort, State
from repositories.schema import Field, Kind, Type
from tests.oracle.logic import Record, Truth, matches, ordered, truth

FIELD = Column(Field("x", Type(Kind.INT64)))
#: A condition for each truth value, over a record whose `x` is null.
KNOWN: dict[Truth, Condition] = {
    True: Is(FIELD, State.NULL),
    False: Is(FIELD, State.NOT_NULL),
    None: Comparison(FIELD, Operator.EQ, Param(0)),
}


def of(condition: Condition) -> Truth:
    return truth(condition, {"x": None}, (1,))


def test_the_truth_tables_of_sql() -> None:
    no, yes, unknown = False, True, None
    conjunction = {
        (yes, yes): yes, (yes, no): no, (yes, unknown): unknown,
        (no, yes): no, (no, no): no, (no, unknown): no,
        (unknown, yes): unknown, (unknown, no): no, (unknown, unknown): unknown,
    }  # fmt: skip
    disjunction = {
        (yes, yes): yes, (yes, no): yes, (yes, unknown): yes,
        (no, yes): yes, (no, no): no, (no, unknown): unknown,
        (unknown, yes): yes, (unknown, no): unknown, (unknown, unknown): unknown,
    }  # fmt: skip
    for left, right in combinations(KNOWN, KNOWN):
        assert of(And((KNOWN[left], KNOWN[right]))) is conjunction[left, right]
        assert of(Or((KNOWN[left], KNOWN[right]))) is disjunction[left, right]
    assert [of(Not(KNOWN[each])) for each in (yes, no, unknown)] == [no, yes, unknown]
    assert (of(ALL), of(Or())) == (yes, no)


def test_in_nothing_is_false_even_of_null() -> None:
    nothing = Comparison(FIELD, Operator.IN, Param(0))
    assert truth(nothing, {}, ((),)) is False
    assert truth(nothing, {}, ((1,),)) is None
    assert truth(nothing, {"x": 1}, ((2, 1),)) is True


@pytest.mark.parametrize(
    ("operator", "truths"),
    [
        (Operator.EQ, [False, True, False]),
        (Operator.NEQ, [True, False, True]),
        (Operator.GT, [False, False, True]),
        (Operator.GTE, [False, True, True]),
        (Operator.LT, [True, False, False]),
        (Operator.LTE, [True, True, False]),
    ],
)
def test_comparisons(operator: Operator, truths: list[bool]) -> None:
    condition = Comparison(FIELD, operator, Param(0))
    assert [truth(condition, {"x": stored}, (1,)) for stored in (0, 1, 2)] == truths
    assert truth(condition, {"x": None}, (1,)) is None
    assert truth(condition, {}, (1,)) is None


@pytest.mark.parametrize(
    ("tokens", "text", "matched"),
    [
        ([], "", True),
        ([], "a", False),
        (["a", Wildcard.ANY], "a", True),
        (["a", Wildcard.ANY, "c"], "abcbc", True),
        (["a", Wildcard.ANY, "c"], "abcb", False),
        ([Wildcard.ONE], "", False),
        ([Wildcard.ONE], "😀", True),
        ([Wildcard.ANY, "a", Wildcard.ANY, "b"], "ab\nab", True),
        (["%"], "x", False),
    ],
)
def test_matches(tokens: list[str | Wildcard], text: str, matched: bool) -> None:
    assert matches(tokens, text) is matched


def test_ordered() -> None:
    other = Column(Field("y", Type(Kind.INT64)))
    records: list[Record] = [{"x": x, "y": y} for x in (None, 1, 2) for y in (2, 1)] + [{"y": 0}]
    found = ordered(records, [Sort(FIELD, descending=True, nulls_first=True), Sort(other)])
    assert [(each.get("x"), each["y"]) for each in found] == [
        (None, 0), (None, 1), (None, 2), (2, 1), (2, 2), (1, 1), (1, 2),
    ]  # fmt: skip

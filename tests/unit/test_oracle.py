"""The oracle's own parts that the contract tests lean on: the truth tables, the matcher, the order."""

from __future__ import annotations

from decimal import Decimal
from itertools import product as combinations

import pytest

from repositories.patterns import Wildcard
from repositories.query import ALL, And, Column, Comparison, Condition, Is, Not, Operator, Or, Param, Sort, State
from repositories.schema import Field, Kind, Type
from tests.oracle.casts import average
from tests.oracle.columns import Record
from tests.oracle.logic import Truth, matches, truth
from tests.oracle.selections import ordered
from tests.oracle.values import contains, json_rank, step

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


@pytest.mark.parametrize(
    ("total", "count", "quotient"),
    [
        ("5", 3, "1.6666666666666667"),
        ("0", 7, "0.00000000000000000000"),
        ("-1", 2, "-0.50000000000000000000"),
        ("18014398509481986", 3, "6004799503160662.0000"),
        ("0.0000000003", 3, "0.0000000001000000000000000000"),
        ("19999999999.98", 2, "9999999999.99000000"),
        ("9999999999999999999999999999999999", 3, "3333333333333333333333333333333333"),
    ],
)
def test_average(total: str, count: int, quotient: str) -> None:
    """The quotients are those that PostgreSQL has printed."""
    assert f"{average(Decimal(total), count):f}" == quotient


def test_json_ranks() -> None:
    ascending = ["", "a", "é", -1.5, 0, 2**53 + 1, False, True]
    ranks = [json_rank(value) for value in ascending]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ascending)
    assert json_rank([1]) == json_rank([]) > json_rank(True)
    assert json_rank({}) == json_rank({"a": 1}) > json_rank([])


@pytest.mark.parametrize(
    ("whole", "part", "contained"),
    [
        ([1, "a"], 1, True),
        ([[1]], 1, False),
        (1, [1], False),
        ([1, 2, 2], [2, 1, 1], True),
        ([[1, 2]], [[1]], True),
        ([], {}, False),
        ({"a": [1, 2]}, {"a": [2]}, True),
        ({"a": [1]}, {"a": 1}, False),
        ({"a": None}, {"a": None}, True),
        ({}, {"a": None}, False),
        (True, 1, False),
        (1.0, 1, True),
    ],
)
def test_json_containment(whole: object, part: object, contained: bool) -> None:
    """As PostgreSQL's `@>` has answered."""
    assert contains(whole, part) is contained


def test_steps() -> None:
    assert [step([1, 2], index) for index in (0, 1, 2, -1, -2, -3)] == [1, 2, None, 2, 1, None]
    assert [step({"0": 1, "a": None}, key) for key in ("0", 0, "a", "b")] == [1, None, None, None]
    assert [step(value, "a") for value in ([1], "a", 1, None)] == [None] * 4
    assert [step(value, 0) for value in ("a", 1, True, None)] == [None] * 4

"""Each operator on each kind, over values, nulls and missing fields. Ladders tell the answer by place alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from repositories.query import Operator, State
from repositories.schema import Value
from tests.contract import queries
from tests.contract.port import Port
from tests.contract.queries import compare, every, negated, null, state, within
from tests.contract.samples import JSONS, LADDERS

#: For each operator, which rungs of a ladder of `size` are met when the value is the one at `pivot`.
RUNGS: dict[Operator, Callable[[int, int], Iterable[int]]] = {
    Operator.EQ: lambda pivot, size: [pivot],
    Operator.NEQ: lambda pivot, size: [rung for rung in range(size) if rung != pivot],
    Operator.GT: lambda pivot, size: range(pivot + 1, size),
    Operator.GTE: range,
    Operator.LT: lambda pivot, size: range(pivot),
    Operator.LTE: lambda pivot, size: range(pivot + 1),
}


@pytest.fixture
def catalog_name() -> str:
    return "lab"


@pytest.fixture(params=["null", "missing"])
def absent(request: pytest.FixtureRequest) -> str:
    """How a record says that it has no value."""
    return str(request.param)


def fill(port: Port, name: str, values: list[Value], absent: str) -> None:
    """Records 0, 1, … with the values, and two without any."""
    rows: list[dict[str, Value]] = [{"id": rung, name: value} for rung, value in enumerate([*values, None, None])]
    port.insert("samples", *rows)
    if absent == "missing":
        port.store.forget_nulls("samples")


def ids(port: Port, where: queries.Filter) -> list[int]:
    read = queries.read(port.catalog, "samples", where=where, columns=["id"], count=True)
    page = port.repository.rows(read)
    assert page.total == len(page.rows)
    return [number for (number,) in page.rows]


@pytest.mark.parametrize("name", LADDERS)
def test_comparisons(port: Port, name: str, absent: str) -> None:
    ladder = LADDERS[name]
    fill(port, name, ladder, absent)
    everything = set(range(len(ladder)))
    for pivot, value in enumerate(ladder):
        for operator, rungs in RUNGS.items():
            expected = list(rungs(pivot, len(ladder)))
            where = compare(name, operator, value)
            assert ids(port, where) == expected, (operator, value)
            assert ids(port, negated(where)) == sorted(everything - set(expected)), ("not", operator, value)


@pytest.mark.parametrize("name", LADDERS)
def test_a_value_that_is_not_there(port: Port, name: str, absent: str) -> None:
    """Between and beyond the rungs: the ladder with every second rung is asked for the others."""
    ladder = LADDERS[name]
    fill(port, name, ladder[::2], absent)
    size = len(ladder[::2])
    for step, value in enumerate(ladder[1::2], 1):
        assert ids(port, compare(name, Operator.EQ, value)) == []
        assert ids(port, compare(name, Operator.NEQ, value)) == list(range(size))
        assert ids(port, compare(name, Operator.LT, value)) == list(range(step))
        assert ids(port, compare(name, Operator.GTE, value)) == list(range(step, size))


@pytest.mark.parametrize("name", LADDERS)
def test_in(port: Port, name: str, absent: str) -> None:
    ladder = LADDERS[name]
    fill(port, name, ladder, absent)
    rungs = list(range(len(ladder)))
    ends = [ladder[0], ladder[-1], ladder[0]]
    assert ids(port, within(name, *ends)) == [rungs[0], rungs[-1]]
    assert ids(port, negated(within(name, *ends))) == rungs[1:-1]
    assert ids(port, within(name, *ladder)) == rungs
    assert ids(port, negated(within(name, *ladder))) == []
    assert ids(port, within(name, ladder[0])) == [0]


@pytest.mark.parametrize("name", [*LADDERS, "texts", "free"])
def test_in_nothing(port: Port, name: str, absent: str) -> None:
    """`in.()` is false also for null, so that `not.in.()` is true for every record."""
    value = {"texts": ["a"], "free": {"a": 1}}.get(name) or LADDERS[name][0]
    fill(port, name, [value], absent)
    assert ids(port, within(name)) == []
    assert ids(port, negated(within(name))) == [0, 1, 2]


@pytest.mark.parametrize("name", [*LADDERS, *(f"{name}s" for name in LADDERS), "free", "shaped"])
def test_is_null(port: Port, name: str, absent: str) -> None:
    values: list[Value]
    if name in LADDERS:
        values = LADDERS[name]
    elif name in ("free", "shaped"):
        values = ["", 0, False, [], {}, {"a": None}] if name == "free" else [{}, {"a": None}]
    else:
        values = [[], LADDERS[name.removesuffix("s")]]
    fill(port, name, values, absent)
    there = list(range(len(values)))
    gone = [len(values), len(values) + 1]
    assert ids(port, null(name)) == gone
    assert ids(port, negated(state(name, State.NOT_NULL))) == gone
    assert ids(port, state(name, State.NOT_NULL)) == there
    assert ids(port, negated(null(name))) == there


def test_is_asked_of_booleans(port: Port, absent: str) -> None:
    fill(port, "flag", [False, True], absent)
    assert ids(port, state("flag", State.FALSE)) == [0]
    assert ids(port, state("flag", State.TRUE)) == [1]
    assert ids(port, state("flag", State.UNKNOWN)) == [2, 3]
    assert ids(port, negated(state("flag", State.FALSE))) == [1, 2, 3]
    assert ids(port, negated(state("flag", State.TRUE))) == [0, 2, 3]
    assert ids(port, negated(state("flag", State.UNKNOWN))) == [0, 1]


def test_arrays_are_compared_whole(port: Port, absent: str) -> None:
    arrays: list[Value] = [[], ["a"], ["b", "a"], ["a", "b"], ["a", "a"], ["a,b"], [""]]
    fill(port, "texts", arrays, absent)
    for rung, array in enumerate(arrays):
        others = [other for other in range(len(arrays)) if other != rung]
        assert ids(port, compare("texts", Operator.EQ, array)) == [rung]
        assert ids(port, compare("texts", Operator.NEQ, array)) == others
        assert ids(port, within("texts", array)) == [rung]
        assert ids(port, negated(within("texts", array))) == others
    assert ids(port, compare("texts", Operator.EQ, ["b"])) == []
    assert ids(port, within("texts", ["b"], ["a"], [])) == [0, 1]


@pytest.mark.parametrize("name", LADDERS)
def test_arrays_of_every_kind_are_compared(port: Port, name: str) -> None:
    ladder = LADDERS[name]
    fill(port, f"{name}s", [ladder, ladder[::-1], [ladder[0]], []], "null")
    assert ids(port, compare(f"{name}s", Operator.EQ, ladder)) == [0]
    assert ids(port, compare(f"{name}s", Operator.NEQ, [ladder[0]])) == [0, 1, 3]


def test_free_json_is_compared_whole(port: Port, absent: str) -> None:
    values = [value for value in JSONS if value is not True and value != 1.0] + [True, 1, {"a": 1, "b": [1, {"c": 2}]}]
    fill(port, "free", values, absent)
    for rung, value in enumerate(values):
        others = [other for other in range(len(values)) if other != rung]
        assert ids(port, compare("free", Operator.EQ, value)) == [rung], value
        assert ids(port, compare("free", Operator.NEQ, value)) == others, value
        assert ids(port, within("free", value, {"no": 1})) == [rung], value
        assert ids(port, negated(within("free", value, {"no": 1}))) == others, value
    assert ids(port, compare("free", Operator.EQ, {"b": [1, {"c": 2}], "a": 1})) == [len(values) - 1]
    assert ids(port, compare("free", Operator.EQ, {"b": [{"c": 2}, 1], "a": 1})) == []
    assert ids(port, compare("free", Operator.EQ, 1.0)) == [len(values) - 2]


def test_negative_zero_equals_zero(port: Port) -> None:
    fill(port, "real", [-0.0, 0.0, 1.0], "null")
    for zero in (0.0, -0.0):
        assert ids(port, compare("real", Operator.EQ, zero)) == [0, 1]
        assert ids(port, compare("real", Operator.GTE, zero)) == [0, 1, 2]
        assert ids(port, compare("real", Operator.LT, zero)) == []
        assert ids(port, within("real", zero, 1.0)) == [0, 1, 2]


def test_text_is_not_normalised(port: Port) -> None:
    fill(port, "text", ["é", "e\u0301", "E", "ﬁ", "fi"], "null")
    assert ids(port, compare("text", Operator.EQ, "é")) == [0]
    assert ids(port, compare("text", Operator.EQ, "e\u0301")) == [1]
    assert ids(port, within("text", "ﬁ", "e")) == [3]


@pytest.mark.parametrize(
    "text", ["' OR 1=1--", '{"$gt": ""}', "%s", "$1", ":a", "%(a)s", "$name", "$$ROOT", "\\", '"', "a'b"]
)
def test_values_are_literal(port: Port, text: str) -> None:
    fill(port, "text", [text, "other", ""], "null")
    assert ids(port, compare("text", Operator.EQ, text)) == [0]
    assert ids(port, compare("text", Operator.NEQ, text)) == [1, 2]
    assert ids(port, within("text", text)) == [0]


def test_two_thousand_values_in_one_list(port: Port) -> None:
    fill(port, "big", list(range(10)), "null")
    assert ids(port, within("big", *range(5, 2005))) == [5, 6, 7, 8, 9]


def test_conditions_on_the_key(port: Port) -> None:
    port.insert("samples", *({"id": number} for number in range(5)))
    assert ids(port, compare("id", Operator.EQ, 3)) == [3]
    assert ids(port, compare("id", Operator.NEQ, 3)) == [0, 1, 2, 4]
    assert ids(port, within("id", 4, 0)) == [0, 4]
    assert ids(port, every(compare("id", Operator.GT, 0), compare("id", Operator.LTE, 3))) == [1, 2, 3]
    assert ids(port, null("id")) == []


def test_conditions_on_part_of_a_composite_key(port: Port) -> None:
    key = {"day": LADDERS["day"][0], "moment": LADDERS["moment"][0], "level": LADDERS["money"][2]}
    rest = {**key, "device": LADDERS["uuid"][0], "good": True}
    port.insert("readings", *({"station": station, **rest} for station in ("a", "b", "c")))
    where = every(compare("station", Operator.GTE, "b"), compare("good", Operator.EQ, True))
    assert port.column("readings", "station", where) == ["b", "c"]
    assert port.column("readings", "station", within("station", "a", "c")) == ["a", "c"]
    assert port.column("readings", "station", order="station.desc") == ["c", "b", "a"]

"""Three-valued logic: what is true, false and unknown of each record, through every nesting."""

from __future__ import annotations

import random

import pytest

from repositories.query import Operator, State
from tests.contract import queries
from tests.contract.port import Port
from tests.contract.queries import Filter, compare, eq, every, gt, ilike, like, negated, neq, null, some, state, within
from tests.oracle.logic import truth

SMALLS = [None, 0, 1, 2]
TEXTS = [None, "", "a", "b"]
FLAGS = [None, False, True]
EVERYTHING = [
    {"id": number, "small": small, "text": text, "flag": flag}
    for number, (small, text, flag) in enumerate(
        (small, text, flag) for small in SMALLS for text in TEXTS for flag in FLAGS
    )
]
#: The empty conjunction is true and the empty disjunction is false.
TRUE, FALSE = every(), some()


@pytest.fixture
def catalog_name() -> str:
    return "lab"


@pytest.fixture(params=["null", "missing"])
def records(port: Port, request: pytest.FixtureRequest) -> Port:
    port.insert("samples", *EVERYTHING)
    if request.param == "missing":
        port.store.forget_nulls("samples")
    return port


def ids(port: Port, where: Filter) -> list[int]:
    read = queries.read(port.catalog, "samples", where=where, columns=["id"])
    return [number for (number,) in port.repository.rows(read).rows]


def those(small: object = ..., text: object = ..., flag: object = ...) -> list[int]:
    """The records with these values, in literal Python."""
    wanted = {"small": small, "text": text, "flag": flag}
    return [
        int(str(record["id"]))
        for record in EVERYTHING
        if all(value is ... or record[name] == value for name, value in wanted.items())
    ]


def test_the_empty_conditions(records: Port) -> None:
    everything = [record["id"] for record in EVERYTHING]
    assert ids(records, TRUE) == everything
    assert ids(records, negated(TRUE)) == []
    assert ids(records, FALSE) == []
    assert ids(records, negated(FALSE)) == everything
    assert ids(records, every(some(), TRUE)) == []
    assert ids(records, some(every(), eq("small", 1))) == everything


def test_unknown_is_not_true(records: Port) -> None:
    assert ids(records, neq("small", 1)) == sorted(those(small=0) + those(small=2))
    assert ids(records, negated(eq("small", 1))) == sorted(those(small=0) + those(small=2))
    assert ids(records, negated(negated(eq("small", 1)))) == those(small=1)
    assert ids(records, negated(within("text", "a", ""))) == those(text="b")
    assert ids(records, negated(like("text", "a%"))) == sorted(those(text="") + those(text="b"))
    assert ids(records, some(eq("small", 1), negated(eq("small", 1)))) == sorted(
        those(small=0) + those(small=1) + those(small=2)
    )


def test_unknown_with_true_and_false(records: Port) -> None:
    """Where `small` is null: unknown and false is false, unknown or true is true; the rest is unknown."""
    unknown, here = eq("small", 1), null("small")
    nulls = those(small=None)
    assert ids(records, every(here, negated(every(unknown, FALSE)))) == nulls
    assert ids(records, every(here, negated(every(unknown, TRUE)))) == []
    assert ids(records, every(here, some(unknown, TRUE))) == nulls
    assert ids(records, every(here, some(unknown, FALSE))) == []
    assert ids(records, every(here, negated(some(unknown, FALSE)))) == []
    assert ids(records, every(here, negated(some(unknown, TRUE)))) == []
    assert ids(records, every(here, negated(every(unknown, eq("text", "a"))))) == sorted(
        set(nulls) & {*those(text=""), *those(text="b")}
    )


def test_is_is_never_unknown(records: Port) -> None:
    assert ids(records, negated(null("flag"))) == sorted(those(flag=True) + those(flag=False))
    assert ids(records, negated(state("flag", State.TRUE))) == sorted(those(flag=None) + those(flag=False))
    assert ids(records, negated(every(null("small"), null("text")))) == sorted(
        {record["id"] for record in EVERYTHING} - {*those(small=None, text=None)}  # type: ignore[type-var]
    )


def _leaf(chance: random.Random) -> Filter:
    operator = chance.choice([Operator.EQ, Operator.NEQ, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE])
    return chance.choice(
        [
            compare("small", operator, chance.choice([-1, 0, 1, 2])),
            compare("text", operator, chance.choice(["", "a", "b", "c"])),
            compare("flag", operator, chance.choice([True, False])),
            within("small", *chance.sample([0, 1, 2], chance.randrange(3))),
            within("text", *chance.sample(["", "a", "b"], chance.randrange(3))),
            like("text", chance.choice(["%", "a%", "_", ""])),
            ilike("text", chance.choice(["A", "%B", "_"])),
            state("flag", chance.choice(list(State))),
            state("small", chance.choice([State.NULL, State.NOT_NULL])),
        ]
    )


def _tree(chance: random.Random, depth: int) -> Filter:
    if depth == 0 or chance.random() < 0.2:
        return _leaf(chance)
    if chance.random() < 0.3:
        return negated(_tree(chance, depth - 1))
    join = chance.choice([every, some])
    return join(*(_tree(chance, depth - 1) for _ in range(chance.choice([0, 1, 2, 2, 3]))))


@pytest.mark.parametrize("seed", range(6))
def test_trees_of_conditions(records: Port, seed: int) -> None:
    """For each tree: the true, the false and the unknown records are those of the truth table, and they are all."""
    chance = random.Random(seed)
    for _ in range(20):
        tree = _tree(chance, 4)
        read = queries.read(records.catalog, "samples", where=tree)
        table = {record["id"]: truth(read.selection.where, record, read.values) for record in EVERYTHING}
        assert ids(records, tree) == [number for number, known in table.items() if known is True]
        assert ids(records, negated(tree)) == [number for number, known in table.items() if known is False]
        unknown = sum(known is None for known in table.values())
        assert records.count("samples", tree) + records.count("samples", negated(tree)) + unknown == len(EVERYTHING)


def test_a_wide_and_a_deep_condition(records: Port) -> None:
    wide = some(*(eq("id", number) for number in range(100)))
    assert ids(records, wide) == [record["id"] for record in EVERYTHING]
    deep = gt("small", 0)
    for _ in range(10):
        deep = negated(every(deep, some(deep)))
    assert ids(records, deep) == sorted(those(small=1) + those(small=2))

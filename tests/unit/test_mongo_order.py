"""Orders that MongoDB does not have by nature, against the oracle: nulls, arrays, indexes and pages in any mixture."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from repositories.base import Limits
from repositories.mongo.compiler import compile_selection
from repositories.mongo.plans import FlatPlan
from repositories.mongo.repository import MongoRepository
from repositories.schema import Catalog, Field, Index, Kind, Resource, Type
from tests.contract import queries
from tests.contract.queries import eq, every, gt, negated, null, some, within
from tests.oracle import OracleRepository
from tests.servers import with_database

DATABASE = "diglot_test_order"
INT, TEXT = Type(Kind.INT64), Type(Kind.STRING)
FIELDS = (
    Field("a", INT, required=True),
    Field("b", TEXT, required=True),
    Field("n", INT),
    Field("m", TEXT),
    Field("r", INT, required=True),
    Field("t", Type(Kind.ARRAY, items=INT)),
)
INDEXES = (
    Index("n", (("n", False),)),
    Index("r_n", (("r", False), ("n", True))),
    Index("m_n", (("m", True), ("n", True))),
)
CATALOG = Catalog({"things": Resource("things", {f.name: f for f in FIELDS}, ("a", "b"), indexes=INDEXES)})
WHERE = (
    None,
    eq("r", 1),
    eq("a", 3),
    gt("n", 1),
    negated(eq("n", 2)),
    null("n"),
    eq("m", "x"),
    every(eq("r", 1), eq("m", "x")),
    some(eq("r", 1), null("m")),
)


@pytest.fixture(scope="module")
def both(mongodb_url: str) -> Iterator[tuple[MongoRepository, OracleRepository]]:
    rng = random.Random(5)
    rows = [
        {
            "a": rng.randrange(8),
            "b": f"k{number}",
            "n": rng.choice([None, None, 1, 2, 3]),
            "m": rng.choice([None, "x", "y"]),
            "r": rng.randrange(3),
            "t": rng.choice([None, [], [1], [1, 2], [0, 9], [2]]),
        }
        for number in range(120)
    ]
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        with MongoRepository(with_database(mongodb_url, DATABASE), CATALOG, Limits()) as repository:
            repository.apply_schema()
            oracle = OracleRepository(CATALOG)
            for each in (repository, oracle):
                each.write(queries.insert(CATALOG, "things", *rows))
            for name in "nmt":  # half of the nulls are missing members
                client[DATABASE].things.update_many({name: {"$type": "null"}, "r": 1}, {"$unset": {name: ""}})
            yield repository, oracle
        client.drop_database(DATABASE)


@pytest.mark.parametrize("seed", range(20))
def test_pages(both: tuple[MongoRepository, OracleRepository], seed: int) -> None:
    rng = random.Random(seed)
    repository, oracle = both
    for _ in range(20):
        names = rng.sample([field.name for field in FIELDS], rng.randrange(4))
        directions = ["", ".desc", ".nullsfirst", ".nullslast", ".desc.nullsfirst", ".desc.nullslast"]
        read = queries.read(
            CATALOG,
            "things",
            where=rng.choice(WHERE),
            order=",".join(name + rng.choice(directions) for name in names),
            limit=rng.choice([None, 0, 1, 3, 10, 200]),
            offset=rng.choice([None, 0, 1, 5, 130]),
            count=rng.choice([True, False]),
        )
        assert repository.rows(read) == oracle.rows(read), read


def plan_of(order: str, where: queries.Filter | None = None) -> tuple[dict[str, int], list[str], str | None]:
    plan = compile_selection(queries.read(CATALOG, "things", where=where, order=order).selection)
    assert isinstance(plan, FlatPlan)
    return plan.sort.keys, list(plan.sort.computed), plan.split


def test_which_way_each_order_goes() -> None:
    assert plan_of("") == ({"_id": 1}, [], None)
    assert plan_of("a.desc,b.desc") == ({"_id": -1}, [], None)
    assert plan_of("b") == ({"_id.b": 1, "_id.a": 1}, [], None)
    assert plan_of("b", eq("a", 1)) == ({"_id": 1}, [], None)
    assert plan_of("r") == ({"r": 1, "_id": 1}, [], None)
    assert plan_of("r", eq("r", 1)) == ({"_id": 1}, [], None)
    assert plan_of("r", every(eq("a", 1), eq("b", "x"))) == ({}, [], None)
    assert plan_of("n.nullsfirst") == ({"n": 1, "_id": 1}, [], None)
    # MongoDB merges scans by null and by missing apart.
    assert plan_of("n.nullsfirst", some(eq("r", 1), eq("r", 2)))[1:] == (["~sort 0"], "n")
    assert plan_of("n.desc.nullslast", eq("r", 1))[1:] == ([], None)
    assert plan_of("n.desc.nullslast", within("r", 1, 2))[1:] == (["~sort 0"], None)
    assert plan_of("n,m.nullsfirst")[2] is None
    assert plan_of("n", gt("n", 1)) == ({"n": 1, "_id": 1}, [], None)
    assert plan_of("n") == ({"~sort 0": 1, "n": 1, "_id": 1}, ["~sort 0"], "n")
    assert plan_of("n.desc", eq("r", 1)) == ({"~sort 0": -1, "n": -1, "_id": 1}, ["~sort 0"], "n")
    assert plan_of("n.desc") == ({"~sort 0": -1, "n": -1, "_id": 1}, ["~sort 0"], None)
    assert plan_of("m,n") == ({"~sort 0": 1, "m": 1, "~sort 1": 1, "n": 1, "_id": 1}, ["~sort 0", "~sort 1"], None)
    assert plan_of("t.nullsfirst") == ({"~sort 0": 1, "_id": 1}, ["~sort 0"], None)

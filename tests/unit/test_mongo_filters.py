"""The filters that conditions become: negation at the leaves, null left out, and like without backtracking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from pymongo import MongoClient

from repositories.mongo.comparisons import COMPARISONS, FALSE, TRUE
from repositories.mongo.filters import compile_filter
from repositories.query import Operator, State
from tests.catalogs import shop
from tests.contract import queries
from tests.contract.queries import (
    Filter,
    compare,
    eq,
    every,
    gt,
    ilike,
    like,
    lt,
    negated,
    neq,
    null,
    some,
    state,
    within,
)

SHOP = shop()


def built(name: str, where: Filter) -> dict[str, Any]:
    read = queries.read(SHOP, name, where=where)
    return compile_filter(SHOP[name], read.selection.where).build(read.values)


def of_notes(test: Any) -> dict[str, Any]:
    return {"$expr": {"$let": {"vars": {"v": "$notes"}, "in": {"$cond": [{"$gt": ["$$v", None]}, test, False]}}}}


def test_the_table_has_every_operator_and_no_other() -> None:
    assert set(COMPARISONS) == set(Operator)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (eq("name", "x"), {"name": "x"}),
        (negated(eq("name", "x")), {"name": {"$nin": ["x", None]}}),
        (neq("name", "x"), {"name": {"$nin": ["x", None]}}),
        (negated(neq("name", "x")), {"name": "x"}),
        (negated(gt("stock", 1)), {"stock": {"$lte": 1}}),
        (negated(negated(gt("stock", 1))), {"stock": {"$gt": 1}}),
        (within("stock", 1, 2), {"stock": {"$in": [1, 2]}}),
        (negated(within("stock", 1, 2)), {"stock": {"$nin": [1, 2, None]}}),
        (within("stock"), {"stock": {"$in": []}}),
        (negated(within("stock")), TRUE),
        (state("stock", State.NULL), {"stock": None}),
        (negated(state("active", State.TRUE)), {"active": {"$ne": True}}),
        (state("notes", State.NULL), {"$expr": {"$lte": ["$notes", None]}}),
        (
            negated(every(gt("stock", 1), some(eq("name", "x"), lt("views", 2)))),
            {"$or": [{"stock": {"$lte": 1}}, {"$and": [{"name": {"$nin": ["x", None]}}, {"views": {"$gte": 2}}]}]},
        ),
        (every(), TRUE),
        (some(), FALSE),
        (negated(every()), FALSE),
        (negated(some()), TRUE),
        (every(every(), eq("name", "x")), {"name": "x"}),
        (eq("id", UUID(int=1)), {"_id": UUID(int=1)}),
        (eq("tags", ["a"]), {"tags": ["a"]}),
        (eq("notes", [1]), of_notes({"$eq": ["$$v", {"$literal": [1]}]})),
        (negated(eq("notes", [1])), of_notes({"$not": [{"$eq": ["$$v", {"$literal": [1]}]}]})),
        (within("notes"), {"$expr": False}),
        (negated(within("notes")), {"$expr": True}),
        (compare("stock", Operator.ISDISTINCT, 1), {"stock": {"$ne": 1}}),
        (negated(compare("stock", Operator.ISDISTINCT, 1)), {"stock": 1}),
        (compare("tags", Operator.CONTAINS, ["a"]), {"tags": {"$all": ["a"]}}),
        (compare("tags", Operator.CONTAINS, []), {"tags": {"$ne": None}}),
        (negated(compare("tags", Operator.CONTAINS, [])), FALSE),
        (compare("tags", Operator.OVERLAPS, ["a"]), {"tags": {"$in": ["a"]}}),
        (negated(compare("tags", Operator.OVERLAPS, [])), {"tags": {"$nin": [None]}}),
        (like("name", "abc"), {"name": "abc"}),
        (like("name", ""), {"name": ""}),
        (negated(like("name", "abc")), {"name": {"$nin": ["abc", None]}}),
        (like("name", "a.c*"), {"name": {"$regex": r"^a\.c", "$options": "s", "$gte": "a.c"}}),
        (like("name", "*a*b_*c"), {"name": {"$regex": r"^(?>.*?a)(?>.*?b.).*c\z", "$options": "s"}}),
        (like("name", "a_"), {"name": {"$regex": r"^a.\z", "$options": "s", "$gte": "a"}}),
        (like("name", "*"), {"name": {"$regex": "^", "$options": "s"}}),
        (ilike("name", ""), {"name": {"$regex": r"^\z", "$options": "s"}}),
        (ilike("name", "1k*"), {"name": {"$regex": "^1[Kk\u212a]", "$options": "s"}}),
        (negated(like("name", "*x")), {"name": {"$not": {"$regex": r"^.*x\z", "$options": "s"}, "$ne": None}}),
    ],
)
def test_filters(where: Filter, expected: dict[str, Any]) -> None:
    assert built("products", where) == expected


def test_the_whole_composite_key_is_one_value() -> None:
    one = every(eq("position", 2), every(eq("order_id", 1)), gt("quantity", 3))
    assert built("lines", one) == {"$and": [{"_id": {"order_id": 1, "position": 2}}, {"quantity": {"$gt": 3}}]}
    assert built("lines", eq("order_id", 1)) == {"_id.order_id": 1}
    # A key that is asked to be two things at once stays so.
    twice = every(eq("position", 2), eq("order_id", 1), eq("order_id", 3))
    assert built("lines", twice) == {"$and": [{"_id": {"order_id": 1, "position": 2}}, {"_id.order_id": 3}]}


@pytest.mark.parametrize(
    ("where", "present"),
    [
        (gt("stock", 1), {"stock"}),
        (negated(gt("stock", 1)), {"stock"}),
        (within("stock", 1), {"stock"}),
        (negated(within("stock", 1)), set()),
        (state("stock", State.NULL), set()),
        (state("stock", State.NOT_NULL), {"stock"}),
        (negated(state("stock", State.NULL)), {"stock"}),
        (state("active", State.TRUE), {"active"}),
        (negated(state("active", State.TRUE)), set()),
        (state("active", State.UNKNOWN), set()),
        (every(gt("stock", 1), lt("views", 2)), {"stock", "views"}),
        (some(gt("stock", 1), lt("views", 2)), set()),
        (some(gt("stock", 1), lt("stock", 2)), {"stock"}),
        (negated(every(gt("stock", 1), lt("views", 2))), set()),
        (negated(some(gt("stock", 1), lt("views", 2))), {"stock", "views"}),
        (some(), set()),
    ],
)
def test_which_fields_cannot_be_null(where: Filter, present: set[str]) -> None:
    read = queries.read(SHOP, "products", where=where)
    found = compile_filter(SHOP["products"], read.selection.where)
    assert {field.name for field in found.present} == present


@pytest.mark.parametrize(
    ("where", "merges"),
    [
        (eq("stock", 1), False),
        (every(gt("stock", 1), like("name", "x*"), negated(within("views", 1))), False),
        (within("stock", 1), True),
        (null("stock"), True),
        (negated(null("stock")), False),
        (state("stock", State.NOT_NULL), False),
        (negated(state("stock", State.NOT_NULL)), True),
        (state("active", State.UNKNOWN), True),
        (state("active", State.TRUE), False),
        (negated(state("active", State.TRUE)), False),
        (some(eq("stock", 1), eq("stock", 2)), True),
        (negated(every(eq("stock", 1), eq("stock", 2))), True),
        (negated(some(eq("stock", 1), eq("stock", 2))), False),
        (every(eq("stock", 1), every(within("views", 1))), True),
    ],
)
def test_which_filters_may_merge_scans(where: Filter, merges: bool) -> None:
    read = queries.read(SHOP, "products", where=where)
    assert compile_filter(SHOP["products"], read.selection.where).merges is merges


@pytest.fixture(scope="module")
def texts(mongodb_url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database("diglot_test_filters")
        yield client.diglot_test_filters.texts
        client.drop_database("diglot_test_filters")


LONG = "ab" * 40 + "cd" + "ab" * 50_000


@pytest.mark.parametrize(
    ("pattern", "is_met"),
    [
        ("*ab*ab*ab*ab*ab*ab*cd*", True),
        ("*ab*ab*ab*ab*ab*ab*cd*ab", True),
        ("*b_*_ab*cd*b*b*b*a_", True),
        ("*ab*ab*ab*ab*ab*ab*ce*", False),
        ("*ab*ab*ab*ab*ab*cd*cd*", False),
        ("ab%cd%ab", True),
        ("%b", True),
        ("%_%_%_%_%_%b", True),
        ("%a", False),
    ],
)
@pytest.mark.parametrize("fold", [False, True])
def test_long_texts_are_matched_to_their_end(texts: Any, pattern: str, fold: bool, is_met: bool) -> None:
    """PCRE gives up silently where it would have to backtrack much."""
    texts.replace_one({"_id": 1}, {"name": LONG}, upsert=True)
    match = ilike if fold else like
    assert texts.count_documents(built("products", match("name", pattern))) == int(is_met)
    assert texts.count_documents(built("products", negated(match("name", pattern)))) == int(not is_met)

"""Plans kept by shape: the same plans and the same errors as those made anew, whatever was asked before; bounded."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.dialect.query_string import parse
from service.errors import RequestError
from service.planner.kept import LONGEST, SHAPES, Plans, Recent, Wanted
from service.planner.reads import plan_item, plan_page
from service.planner.relations import Relations
from service.planner.scope import PlanLimits
from tests.catalogs import shop

SHOP = shop()
RELATIONS = Relations(SHOP)
LIMITS = PlanLimits(max_rows=50, max_filters=4, max_depth=3, max_embeds=2)
#: One for all examples, so that each meets what the others have left.
WARM = Plans(RELATIONS, LIMITS)

NAMES = ["id", "name", "price", "stock", "tags", "attributes", "released", "category.name", "category.id"]
NAMES += [
    "nam%65",
    '"name"',
    "attributes->>a",
    "attributes->a",
    "nope",
    "limit",
    "order",
    "not.and",
    "or",
    "x.y.z",
    "",
    " order",
    "products.id",
]
OPERATORS = ["eq", "neq", "gt", "gte", "like", "ilike", "match", "in", "is", "cs", "ov", "isdistinct", "nope"]
OPERATORS += (
    ["eq(any)"]
    + [f"not.{each}" for each in ("eq", "in", "is", "not.eq", "like(all)")]
    + ["eq(some)", "in(any)", "%65q", ""]
)
VALUES = ["1", "7.25", "abc", "null", "", "()", "(1,2)", '(a,"b,c")', "(1,", "{1,2}", "{a,b}", "{}", "{", "2024-01-31"]
VALUES += [
    "true",
    "a*b",
    "a\\",
    "(",
    "[",
    "%zz",
    "%00",
    "%ff",
    "a+b",
    "a%2Bb",
    '{"a":1}',
    "é",
    "9" * 30,
    "not_null",
    "eq.1",
]
VALUES += ["0199a5a0-0000-7000-8000-000000000001"]
PAGES = ["0", "1", "20", "99", "-1", "-5", "", "1.5", "%31", "9" * 18, "9" * 19, "x", "a.b"]

filters = st.builds(
    "{}={}{}{}".format, st.sampled_from(NAMES), st.sampled_from(OPERATORS), st.sampled_from([".", ".", ".", ""]),
    st.sampled_from(VALUES),
)  # fmt: skip
PAGE_NAMES = ["limit", "offset", "limit", "offset", "category.limit", "lim%69t", "+limit", "offset "]
page_words = st.builds("{}={}".format, st.sampled_from(PAGE_NAMES), st.sampled_from(PAGES))
OTHERS = [
    "select=id,name",
    "select=id,category(name)",
    "select=id,category!inner(id,name)",
    "select=",
    "select=count(),stock",
    "select=nope",
    "order=price.desc",
    "order=price.desc.nullslast,id",
    "order=nope",
    "order=category(name).asc",
    "or=(price.gt.1,name.is.null)",
    "not.and=(price.gt.1,stock.lt.5)",
    "or=(price.gt.x)",
    "limit",
    "offset",
    "",
    "columns=id",
    "on_conflict=id",
    "columns=a.b",
    "select=id,name.eq",
]
others = st.sampled_from(OTHERS)
queries = st.lists(st.one_of(filters, filters, page_words, others), max_size=5).map("&".join)
ranges = st.sampled_from([None, None, (0, 9), (5, None), (5, 5), (40, 99)])


def outcome(work: Callable[[], Any]) -> Any:
    """What comes of it: a plan, or an error with all that a client is told of it."""
    try:
        return work()
    except RequestError as error:
        return error.status, error.code, error.message, error.details, error.hint, dict(error.headers)


def anew(name: str, query: str, wanted: Wanted) -> Any:
    params = parse(query, max_depth=3, max_filters=4)
    return plan_page(
        RELATIONS, SHOP[name], params, LIMITS, count=wanted.count, ranges=wanted.ranges, largest=wanted.largest
    )


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(queries, ranges, st.booleans())
def test_a_page_is_planned_as_if_nothing_had_been_kept(
    query: str, span: tuple[int, int | None] | None, count: bool
) -> None:
    wanted = Wanted(count, span, 10 if count else None)
    expected = outcome(lambda: anew("products", query, wanted))
    assert outcome(lambda: WARM.page(SHOP["products"], query, wanted)) == expected
    assert outcome(lambda: WARM.page(SHOP["products"], query, wanted)) == expected


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["1", "x", "", "0199a5a0-0000-7000-8000-000000000001", '"1"']), queries)
def test_an_item_is_planned_as_if_nothing_had_been_kept(key: str, query: str) -> None:
    expected = outcome(
        lambda: plan_item(RELATIONS, SHOP["products"], (key,), parse(query, max_depth=3, max_filters=4), LIMITS)
    )
    assert outcome(lambda: WARM.item(SHOP["products"], (key,), query)) == expected
    assert outcome(lambda: WARM.item(SHOP["products"], (key,), query)) == expected


def crossed() -> Iterator[tuple[str, str]]:
    """Each filter after a fitting one of the same shape."""
    for name, operator in itertools.product(["price", "name", "tags", "released"], OPERATORS):
        for first, second in itertools.product(["1", "abc", "{1}", "(1)", "2024-01-31"], VALUES):
            yield f"{name}={operator}.{first}", f"{name}={operator}.{second}"


def test_a_value_is_checked_though_the_shape_is_known() -> None:
    plans, resource, differ = Plans(RELATIONS, LIMITS), SHOP["products"], 0
    for first, second in crossed():
        outcome(lambda first=first: plans.page(resource, first, Wanted()))  # type: ignore[misc]
        expected = outcome(lambda second=second: anew("products", second, Wanted()))  # type: ignore[misc]
        assert outcome(lambda second=second: plans.page(resource, second, Wanted())) == expected, second  # type: ignore[misc]
        differ += isinstance(expected, tuple)
    assert differ > 100


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("price=gte.5&name=eq.a&limit=20", "price=gte.7&name=eq.b%20c&limit=3"),
        ("name=in.(a,b)&order=price", 'name=in.("x,y")&order=price'),
        ("name=like(any).{a*,b}", "name=like(any).{c}"),
        ("offset=20", "offset=40"),
        ("select=id,category(name)&category.name=eq.a", "select=id,category(name)&category.name=eq.b"),
    ],
)
def test_requests_of_one_shape_share_their_selection(first: str, second: str) -> None:
    plans = Plans(RELATIONS, LIMITS)
    one, other = (plans.page(SHOP["products"], query, Wanted()).read for query in (first, second))
    assert one.selection is other.selection
    assert one.values != other.values


def test_items_share_their_selection() -> None:
    plans = Plans(RELATIONS, LIMITS)
    keys = ("0199a5a0-0000-7000-8000-000000000001", "0199a5a0-0000-7000-8000-000000000002")
    one, other = (plans.item(SHOP["products"], (key,), "select=id,name") for key in keys)
    assert one.selection is other.selection
    assert one.values != other.values


@pytest.mark.parametrize("resource", ["products", "categories"])
def test_a_shape_is_one_of_its_resource(resource: str) -> None:
    assert WARM.page(SHOP[resource], "select=id", Wanted()).read.selection.resource.name == resource


def test_a_long_query_string_is_not_kept() -> None:
    plans = Plans(RELATIONS, LIMITS)
    query = f"or=(name.eq.{'x' * LONGEST})"
    one, other = (plans.page(SHOP["products"], query, Wanted()).read for _ in range(2))
    assert one == other
    assert one.selection is not other.selection


def test_what_was_longest_unused_goes() -> None:
    recent = Recent[int](2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert (len(recent), recent.get("a"), recent.get("b"), recent.get("c")) == (2, 1, None, 3)


def test_shapes_are_kept_within_bounds_and_for_all_threads_alike() -> None:
    plans = Plans(RELATIONS, LIMITS)
    wrong: list[str] = []

    def ask(start: int) -> None:
        for number in range(start, start + 600):
            query = f"price=gte.{number}&or=(stock.eq.{number},stock.eq.{number % 7})"
            plan = plans.page(SHOP["products"], query, Wanted())
            if plan != anew("products", query, Wanted()):
                wrong.append(query)

    threads = [threading.Thread(target=ask, args=(start,)) for start in (0, 300, 900, 1200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(plans._pages) == SHAPES

"""The URL language: text in, `Params` out, everything unknown refused."""

from __future__ import annotations

import pytest

from repositories.query import Operator, State
from service.dialect.params import FilterParam, IsParam, LogicParam, OrderParam, Params, SelectParam
from service.dialect.prefer import Preferences, parse_prefer, parse_tags
from service.dialect.query_string import parse
from service.errors import RequestError

EQ, GTE, IN, LIKE = Operator.EQ, Operator.GTE, Operator.IN, Operator.LIKE


@pytest.mark.parametrize("operator", [operator for operator in Operator if operator is not Operator.IN])
def test_every_operator_is_spoken(operator: Operator) -> None:
    assert parse(f"a={operator.value}.x").where == (FilterParam("a", operator, "x"),)
    assert parse(f"and=(a.not.{operator.value}.x)").where == (
        LogicParam(False, (FilterParam("a", operator, "x", negated=True),)),
    )


@pytest.mark.parametrize("state", State)
def test_every_state_is_spoken(state: State) -> None:
    assert parse(f"a=is.{state.value}").where == (IsParam("a", state),)
    assert parse(f"a=not.is.{state.value.upper()}").where == (IsParam("a", state, negated=True),)
    assert parse(f"or=(a.is.{state.value},b.eq.1)").where == (
        LogicParam(True, (IsParam("a", state), FilterParam("b", EQ, "1"))),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("eq.", ""),
        ("eq.a.b,c", "a.b,c"),
        ('eq."quoted"', '"quoted"'),
        ("eq.' OR 1=1--", "' OR 1=1--"),
        ("eq.a+b", "a b"),
        ("eq.a%2Bb", "a+b"),
        ("eq.%C3%A9%F0%9F%8E%B8", "é🎸"),
        ("eq.é", "é"),
        ('eq.{"$gt":""}', '{"$gt":""}'),
    ],
)
def test_a_filters_value_is_taken_as_it_stands(text: str, value: str) -> None:
    assert parse(f"a={text}").where == (FilterParam("a", EQ, value),)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("in.()", ()),
        ("in.(a)", ("a",)),
        ("in.(a,b c,d)", ("a", "b c", "d")),
        ('in.("a,b","c)d","e\\"f","g\\\\h")', ("a,b", "c)d", 'e"f', "g\\h")),
        ('in.("",x)', ("", "x")),
        ("in.(,)", ("", "")),
    ],
)
def test_lists(text: str, items: tuple[str, ...]) -> None:
    assert parse(f"a={text}").where == (FilterParam("a", IN, items),)
    assert parse(f"and=(a.{text})").where == (LogicParam(False, (FilterParam("a", IN, items),)),)


def test_filters_on_one_column_combine() -> None:
    assert parse("a=gte.1&a=not.eq.5").where == (FilterParam("a", GTE, "1"), FilterParam("a", EQ, "5", negated=True))


def test_quoted_names() -> None:
    assert parse('"a.b"=eq.1').where == (FilterParam("a.b", EQ, "1"),)
    assert parse('select="a,b","c\\"d"').select == (SelectParam("a,b"), SelectParam('c"d'))


def test_logic_trees() -> None:
    assert parse('not.or=(a.eq."x,)y",not.and(b.is.null,c.in.(1,2)),d.not.like.*z*)').where == (
        LogicParam(
            True,
            (
                FilterParam("a", EQ, "x,)y"),
                LogicParam(False, (IsParam("b", State.NULL), FilterParam("c", IN, ("1", "2"))), negated=True),
                FilterParam("d", LIKE, "*z*", negated=True),
            ),
            negated=True,
        ),
    )


def test_a_column_may_be_named_like_the_beginning_of_a_word() -> None:
    assert parse("and=(android.eq.1,order.eq.2)").where == (
        LogicParam(False, (FilterParam("android", EQ, "1"), FilterParam("order", EQ, "2"))),
    )


def test_select_order_and_pages() -> None:
    params = parse("select=id,title:name,*&order=a,b.desc,c.asc.nullsfirst,d.nullslast&limit=5&offset=-2&columns=a,b")
    assert params == Params(
        select=(SelectParam("id"), SelectParam("name", "title"), SelectParam("*")),
        order=(
            OrderParam("a"),
            OrderParam("b", True),
            OrderParam("c", False, True),
            OrderParam("d", False, False),
        ),
        limit=5,
        offset=-2,
        columns=("a", "b"),
    )


def test_columns_are_named_once() -> None:
    assert parse("columns=a,b,a").columns == ("a", "b")


def test_empty_parameters_say_nothing() -> None:
    assert parse("") == parse("&&") == parse("select=&order=") == Params()


REFUSED = [
    "id=1",
    "id=foo.1",
    "id=eq",
    "id=is",
    "id=not.eq",
    "id",
    "id=is.nul",
    "id=in.1",
    "id=in.(1",
    "id=in.(1)x",
    'id=in.("1)',
    "select=id;drop table t",
    "select=a,",
    "select=,a",
    'select="a',
    "order=id);--",
    "order=a.b'--",
    "order=id.down",
    "order=id.desc.first",
    "order=id.descending",
    "order=id.ascx.nullsfirst",
    "order=id.nullsfirst.desc",
    "order=id.desc.nullslast.x",
    "order=id.asc.",
    "order=id,",
    'columns=a",b',
    "columns=",
    "$where[]=eq.1",
    "id[$gt]=1",
    "a[$ne]=1",
    "a.b=eq.1",
    "=eq.1",
    "and=",
    "and=()",
    "and=(a.eq.1",
    "and=(a.eq.1)x",
    "and=(a)",
    "and=(a.is.x)",
    "or=(a.eq.1,)",
    "limit=abc",
    "limit=1.5",
    "limit=１２",
    "limit=12345678901234567890",
    "limit=",
    "offset=x",
    "select=a&select=b",
    "limit=1&limit=2",
    "order=a&order=b",
    "a=eq.%ZZ",
    "a=eq.%4",
    "a=eq.%FF",
    "a=eq.%C0%AF",
    "a=eq.%ED%A0%80",
    "a=eq.%00",
    "%00=eq.1",
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_is_no_part_of_the_language_is_refused(query: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse(query)
    assert (refused.value.status, refused.value.code) == (400, "PGRST100")


def test_errors_tell_the_place() -> None:
    with pytest.raises(RequestError) as refused:
        parse("id=foo.1")
    assert refused.value.message == '"failed to parse filter (foo.1)" (line 1, column 1)'
    assert refused.value.details is not None
    assert refused.value.details.startswith('unexpected "f" expecting operator ("not", "is", "eq"')


def test_depth_is_bounded() -> None:
    def nested(depth: int) -> str:
        return "and=(" + "or(" * (depth - 1) + "a.eq.1" + ")" * depth

    assert parse(nested(10), max_depth=10).where
    for depth in (11, 1000, 5000):
        with pytest.raises(RequestError) as refused:
            parse(nested(depth), max_depth=10)
        assert refused.value.code == "54001"


def test_preferences() -> None:
    assert parse_prefer(None) == parse_prefer("") == Preferences()
    assert parse_prefer("return=minimal, count=exact") == Preferences("minimal", "exact")
    assert parse_prefer('Return="minimal", bogus, count=some') == Preferences("minimal")
    assert parse_prefer("return=minimal,return=representation") == Preferences("minimal")
    assert parse_prefer("return=minimal,count=exact").applied("return", "count") == "return=minimal, count=exact"
    assert parse_prefer("count=exact").applied("return") == ""
    with pytest.raises(RequestError) as refused:
        parse_prefer("handling=strict, bogus, return=all")
    assert refused.value.code == "PGRST122"
    assert refused.value.details == "Invalid preferences: bogus, return=all"


def test_entity_tags() -> None:
    assert parse_tags("*", weak=True) is None
    assert parse_tags('"a", W/"b" , "c"', weak=True) == frozenset({"a", "b", "c"})
    assert parse_tags('"a", W/"b"', weak=False) == frozenset({"a"})
    for header in ("a", '"a" "b"', '"a', 'w/"a"', "", '"a\n"'):
        if header:
            with pytest.raises(RequestError):
                parse_tags(header, weak=True)
        else:
            assert parse_tags(header, weak=True) == frozenset()

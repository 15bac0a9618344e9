"""The URL language: text in, `Params` out, everything unknown refused."""

from __future__ import annotations

import pytest

from repositories.query import Operator, Quantifier, State
from service.dialect.arrays import parse_array
from service.dialect.filters import QUANTIFIABLE
from service.dialect.params import (
    ColumnParam,
    EmbedParam,
    FilterParam,
    IsParam,
    Level,
    LogicParam,
    OrderParam,
    Params,
    PathParam,
    SelectParam,
)
from service.dialect.prefer import Preferences, parse_prefer, parse_tags
from service.dialect.query_string import parse
from service.dialect.ranges import parse_range
from service.errors import RequestError

EQ, GTE, IN, LIKE = Operator.EQ, Operator.GTE, Operator.IN, Operator.LIKE
A, B, C, D = (PathParam(name) for name in "abcd")


def column(name: str, *steps: str | int, text: bool = False, **rest: str) -> ColumnParam:
    return ColumnParam(PathParam(name, steps, text), **rest)


def selected(text: str) -> tuple[SelectParam, ...]:
    select = parse(f"select={text}").select
    assert select is not None
    return select


@pytest.mark.parametrize("operator", [operator for operator in Operator if operator is not Operator.IN])
def test_every_operator_is_spoken(operator: Operator) -> None:
    assert parse(f"a={operator.value}.x").top.where == (FilterParam(A, operator, "x"),)
    assert parse(f"and=(a.not.{operator.value}.x)").top.where == (
        LogicParam(False, (FilterParam(A, operator, "x", negated=True),)),
    )


@pytest.mark.parametrize("state", State)
def test_every_state_is_spoken(state: State) -> None:
    assert parse(f"a=is.{state.value}").top.where == (IsParam(A, state),)
    assert parse(f"a=not.is.{state.value.upper()}").top.where == (IsParam(A, state, negated=True),)
    assert parse(f"or=(a.is.{state.value},b.eq.1)").top.where == (
        LogicParam(True, (IsParam(A, state), FilterParam(B, EQ, "1"))),
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
    assert parse(f"a={text}").top.where == (FilterParam(A, EQ, value),)


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
    assert parse(f"a={text}").top.where == (FilterParam(A, IN, items),)
    assert parse(f"and=(a.{text})").top.where == (LogicParam(False, (FilterParam(A, IN, items),)),)


def test_filters_on_one_column_combine() -> None:
    assert parse("a=gte.1&a=not.eq.5").top.where == (FilterParam(A, GTE, "1"), FilterParam(A, EQ, "5", negated=True))


def test_quoted_names() -> None:
    assert parse('"a.b"=eq.1').top.where == (FilterParam(PathParam("a.b"), EQ, "1"),)
    assert parse('select="a,b","c\\"d"').select == (column("a,b"), column('c"d'))


def test_logic_trees() -> None:
    assert parse('not.or=(a.eq."x,)y",not.and(b.is.null,c.in.(1,2)),d.not.like.*z*)').top.where == (
        LogicParam(
            True,
            (
                FilterParam(A, EQ, "x,)y"),
                LogicParam(False, (IsParam(B, State.NULL), FilterParam(C, IN, ("1", "2"))), negated=True),
                FilterParam(D, LIKE, "*z*", negated=True),
            ),
            negated=True,
        ),
    )


def test_a_column_may_be_named_like_the_beginning_of_a_word() -> None:
    assert parse("and=(android.eq.1,order.eq.2)").top.where == (
        LogicParam(False, (FilterParam(PathParam("android"), EQ, "1"), FilterParam(PathParam("order"), EQ, "2"))),
    )


def test_select_order_and_pages() -> None:
    params = parse("select=id,title:name,*&order=a,b.desc,c.asc.nullsfirst,d.nullslast&limit=5&offset=-2&columns=a,b")
    assert params == Params(
        select=(column("id"), column("name", alias="title"), column("*")),
        top=Level(
            order=(
                OrderParam(A),
                OrderParam(B, descending=True),
                OrderParam(C, nulls_first=True),
                OrderParam(D, nulls_first=False),
            ),
            limit=5,
            offset=-2,
        ),
        columns=("a", "b"),
    )


def test_empty_parameters_say_nothing() -> None:
    assert parse("") == parse("&&") == parse("select=&order=") == Params()


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("data->a", (column("data", "a"),)),
        ("data->>a", (column("data", "a", text=True),)),
        ("data->a->0->-1->>b.c", None),
        ('data->a->0->-1->>"b.c"', (column("data", "a", 0, -1, "b.c", text=True),)),
        ('x:data->"0"->a', (column("data", "0", "a", alias="x"),)),
        ("data->a-b->$c", (column("data", "a-b", "$c"),)),
        ("tags->0", (column("tags", 0),)),
        ("data->>a->b", None),
        ("data->", None),
        ("data->>a->>b", None),
        ("a::text", (column("a", cast="text"),)),
        ("x:a::Double Precision,b", (column("a", alias="x", cast="double precision"), column("b"))),
        ("data->>a::int", (column("data", "a", text=True, cast="int"),)),
        ("a::int[]", (column("a", cast="int[]"),)),
        ("a::", None),
        ("a::text);--", None),
        ("a::te-xt", None),
        ("a::text::int", None),
        ("count()", (ColumnParam(None, aggregate="count"),)),
        ("n:count()::text", (ColumnParam(None, "n", aggregate="count", aggregate_cast="text"),)),
        ("a.count()", (column("a", aggregate="count"),)),
        ("a.sum(),b.avg()", (column("a", aggregate="sum"), column("b", aggregate="avg"))),
        ("a.min(),b.max()", (column("a", aggregate="min"), column("b", aggregate="max"))),
        ("x:a::int.sum()::text", (column("a", alias="x", cast="int", aggregate="sum", aggregate_cast="text"),)),
        ("data->a::numeric.avg()", (column("data", "a", cast="numeric", aggregate="avg"),)),
        ("a.sum", None),
        ("a.sum()--", None),
        ("a.median()", None),
        ("a.sum().avg()", None),
        ("a.sum(b)", None),
        ("count", (column("count"),)),
        ("a , b", (column("a"), column("b"))),
        ("a b", (column("a b"),)),
        ('"a b":"c,d"', (column("c,d", alias="a b"),)),
        ("*,a", (column("*"), column("a"))),
        ("*a", None),
        ("*::text", None),
        ("a:b:c", None),
        (":a", None),
    ],
)
def test_members_of_select(text: str, members: tuple[SelectParam, ...] | None) -> None:
    if members is not None:
        assert selected(text) == members
        return
    with pytest.raises(RequestError) as refused:
        parse(f"select={text}")
    assert refused.value.code == "PGRST100"


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("r(a)", EmbedParam("r", (column("a"),))),
        ("r()", EmbedParam("r", ())),
        ("r(*)", EmbedParam("r", (column("*"),))),
        ("x:r(a)", EmbedParam("r", (column("a"),), "x")),
        ("r!h(a)", EmbedParam("r", (column("a"),), hint="h")),
        ("r!inner(a)", EmbedParam("r", (column("a"),), inner=True)),
        ("r!left(a)", EmbedParam("r", (column("a"),), inner=False)),
        ("x:r!h!inner(a)", EmbedParam("r", (column("a"),), "x", "h", True)),
        ("r!inner!h(a)", EmbedParam("r", (column("a"),), hint="h", inner=True)),
        ("...r(a)", EmbedParam("r", (column("a"),), spread=True)),
        ("...r!h!inner(x:a)", EmbedParam("r", (column("a", alias="x"),), hint="h", inner=True, spread=True)),
        ('"r,s"!"h(i"("a.b")', EmbedParam("r,s", (column("a.b"),), hint="h(i")),
        (
            "r(a,s(b,...t(c)))",
            EmbedParam(
                "r", (column("a"), EmbedParam("s", (column("b"), EmbedParam("t", (column("c"),), spread=True))))
            ),
        ),
        ("r(count(),a.sum())", EmbedParam("r", (ColumnParam(None, aggregate="count"), column("a", aggregate="sum")))),
    ],
)
def test_embeds(text: str, member: EmbedParam) -> None:
    assert selected(text) == (member,)
    assert selected(f"{text},z") == (member, column("z"))
    assert selected(f"q({text})") == (EmbedParam("q", (member,)),)


@pytest.mark.parametrize(
    "text",
    [
        "r(",
        "r(a",
        "r(a))",
        "r)",
        "r!",
        "r!()",
        "r!h",
        "r!h!i(a)",
        "r!inner!left!h(a)",
        "...",
        "...r",
        "...x:r(a)",
        "r(a,)",
        "r(,a)",
        "r(a)b",
        "r(a)::text",
        "r(a).sum()",
        "x:(a)",
        "(a)",
        "r(a;b)",
    ],
)
def test_what_is_no_embed_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse(f"select={text}")
    assert refused.value.code == "PGRST100"


def test_the_depth_of_embeds_is_bounded() -> None:
    def nested(depth: int) -> str:
        return "select=" + "r(" * depth + "a" + ")" * depth

    assert parse(nested(5), max_embed_depth=5).select
    for depth in (6, 50, 5000):
        with pytest.raises(RequestError) as refused:
            parse(nested(depth), max_embed_depth=5)
        assert refused.value.code == "54001"


def test_members_are_called_by_their_last_key() -> None:
    names = [
        PathParam("a"),
        PathParam("a", ("b",)),
        PathParam("a", ("b", 0)),
        PathParam("a", (0,)),
        PathParam("a", ("b", "c")),
    ]
    assert [path.name for path in names] == ["a", "b", "b", "a", "c"]
    assert [embed.name for embed in (EmbedParam("r", ()), EmbedParam("r", (), "x"))] == ["r", "x"]


def test_parameters_of_embeds() -> None:
    params = parse(
        "r.a=eq.1&r.a=not.is.null&r.s.b=gte.2&r.or=(a.eq.1,b.eq.2)&r.not.and=(a.eq.1)&r.order=a.desc,s(b)"
        "&r.limit=3&r.offset=1&r.s.limit=4&a=eq.5&limit=6&r.data->>k=eq.x&%22r.r%22.%22order%22=eq.1"
    )
    assert params.top == Level((FilterParam(A, EQ, "5"),), limit=6)
    assert dict(params.embedded) == {
        ("r",): Level(
            (
                FilterParam(A, EQ, "1"),
                IsParam(A, State.NULL, negated=True),
                LogicParam(True, (FilterParam(A, EQ, "1"), FilterParam(B, EQ, "2"))),
                LogicParam(False, (FilterParam(A, EQ, "1"),), negated=True),
                FilterParam(PathParam("data", ("k",), True), EQ, "x"),
            ),
            (OrderParam(A, descending=True), OrderParam(B, "s")),
            3,
            1,
        ),
        ("r", "s"): Level((FilterParam(B, GTE, "2"),), limit=4),
        ("r.r",): Level((FilterParam(PathParam("order"), EQ, "1"),)),
    }


@pytest.mark.parametrize(
    "query",
    [
        "r.limit=1&r.limit=2",
        "r.order=a&r.order=b",
        "r.offset=1&r.offset=1",
        "r.limit=x",
        "r.select=a",
        "r..a=eq.1",
        ".a=eq.1",
        "r.=eq.1",
        "not.or=a",
        "r.not.or=()",
        "a->b.c=eq.1",
    ],
)
def test_what_is_no_parameter_of_an_embed_is_refused(query: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse(query)
    assert refused.value.code == "PGRST100"


@pytest.mark.parametrize("operator", sorted(QUANTIFIABLE))
@pytest.mark.parametrize("quantifier", Quantifier)
def test_quantifiers(operator: Operator, quantifier: Quantifier) -> None:
    written = f"{operator.value}({quantifier.value})"
    expected = FilterParam(A, operator, '{x,"y,)z"}', quantifier, negated=True)
    assert parse(f'a=not.{written}.{{x,"y,)z"}}').top.where == (expected,)
    assert parse(f'or=(b.eq.1,a.not.{written}.{{x,"y,)z"}})').top.where == (
        LogicParam(True, (FilterParam(B, EQ, "1"), expected)),
    )


@pytest.mark.parametrize("operator", sorted(set(Operator) - QUANTIFIABLE))
def test_other_operators_have_no_quantifier(operator: Operator) -> None:
    for text in (
        f"{operator.value}(any).{{1}}",
        "eq(some).{1}",
        "eq(any.{1}",
        "eq().{1}",
        "is(any).null",
        "eq(any){1}",
    ):
        with pytest.raises(RequestError) as refused:
            parse(f"a={text}")
        assert refused.value.code == "PGRST100"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a,b}", "{a,b}"),
        ('{"a}",b}', '{"a}",b}'),
        ('{"a":{"b":[1,2]}}', '{"a":{"b":[1,2]}}'),
        ('"[1,2]"', "[1,2]"),
        ('"a\\"b\\\\c"', 'a"b\\c'),
        ("a b.c:d", "a b.c:d"),
        ("", ""),
    ],
)
def test_values_in_logic_trees(text: str, value: str) -> None:
    expected = (LogicParam(False, (FilterParam(A, EQ, value), FilterParam(B, EQ, "1"))),)
    assert parse(f"and=(a.eq.{text},b.eq.1)").top.where == expected


def test_paths_in_filters_logic_and_order() -> None:
    path = PathParam("data", ("a.b", 0, "c"), True)
    assert parse('data->"a.b"->0->>c=eq.1').top.where == (FilterParam(path, EQ, "1"),)
    assert parse('or=(data->"a.b"->0->>c.is.null)').top.where == (LogicParam(True, (IsParam(path, State.NULL),)),)
    assert parse('order=data->"a.b"->0->>c.desc,r(data->a).nullsfirst').top.order == (
        OrderParam(path, descending=True),
        OrderParam(PathParam("data", ("a",)), "r", nulls_first=True),
    )


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("{}", ()),
        ("{a}", ("a",)),
        ("{a,b c, d }", ("a", "b c", "d")),
        ('{"a,b" , "",NULL,"NULL",null}', ("a,b", "", None, "NULL", None)),
        ('{"\\"\\\\"}', ('"\\',)),
        ("{\u00a0}", ("\u00a0",)),
        ("{,}", None),
        ("{a,}", None),
        ("{{a}}", None),
        ("{a", None),
        ("a", None),
        ("{a}b", None),
        ('{"a"b}', None),
        ('{a"b"}', None),
        ("{a\\,b}", None),
    ],
)
def test_array_literals(text: str, items: tuple[str | None, ...] | None) -> None:
    if items is not None:
        assert parse_array(text) == items
        return
    with pytest.raises(RequestError):
        parse_array(text)


@pytest.mark.parametrize(
    ("header", "unit", "expected"),
    [
        (None, None, None),
        (None, "items", None),
        ("0-24", None, (0, 24)),
        ("0-24", "items", (0, 24)),
        ("items=5-5", None, (5, 5)),
        ("25-", "Items", (25, None)),
        ("0-24", "bytes", None),
        ("bytes=0-24", None, None),
        ("-5", None, None),
        ("0-1,3-4", None, None),
        ("a-b", None, None),
        ("", None, None),
        ("１-２", None, None),
        ("0-" + "9" * 19, None, None),
    ],
)
def test_ranges(header: str | None, unit: str | None, expected: tuple[int, int | None] | None) -> None:
    assert parse_range(header, unit) == expected


def test_a_range_that_ends_before_it_begins() -> None:
    with pytest.raises(RequestError) as refused:
        parse_range("5-2")
    assert (refused.value.status, refused.value.code) == (416, "PGRST103")
    assert parse_range("5-2", "bytes") is None


def test_the_number_of_conditions_is_bounded() -> None:
    queries = ["&".join(["a=eq.1"] * 5000), "or=(" + ",".join(["a.eq.1"] * 5000) + ")"]
    queries.append("and=(" + ",".join(["or(" + ",".join(["a.eq.1"] * 90) + ")"] * 2) + ")")
    for query in queries:
        with pytest.raises(RequestError) as refused:
            parse(query, max_filters=100)
        assert refused.value.code == "54001"
    assert len(parse("&".join(["a=eq.1"] * 100), max_filters=100).top.where) == 100


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
    "order=id.asc.",
    "order=id.desc.nullslast.x",
    "order=id.ascx.nullsfirst",
    "order=a.b'--",
    "order=id.down",
    "order=id.desc.first",
    "order=id.ascending",
    "order=id.descending",
    "order=id.asc.desc",
    "order=id.nullsfirst.desc",
    "order=id.nullsfirst.nullslast",
    "order=r(id",
    "order=r(id))",
    "order=r(id.desc)",
    "order=r()",
    "order=id::text",
    "order=id.sum()",
    "data->>'a'||pg_sleep(5)--=eq.1",
    "select=data->>'a'||pg_sleep(5)--",
    "order=data->>'a'||pg_sleep(5)--",
    "a=eq",
    "a=not",
    "a=not.not.eq.1",
    "and=(not.a.eq.1)",
    'and=(a.eq."x"y)',
    "and=(a.eq.{x)",
    "and=(a.in.(1,2)",
    "on_conflict=a)b",
    "columns=a.b",
    "order=id,",
    'columns=a",b',
    "columns=",
    "$where[]=eq.1",
    "id[$gt]=1",
    "a[$ne]=1",
    "a.b=1",
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
    assert isinstance(refused.value.details, str)
    assert refused.value.details.startswith('unexpected "f" expecting operator ("not", "is", "eq"')


def test_depth_is_bounded() -> None:
    def nested(depth: int) -> str:
        return "and=(" + "or(" * (depth - 1) + "a.eq.1" + ")" * depth

    assert parse(nested(10), max_depth=10).top.where
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
        with pytest.raises(RequestError):
            parse_tags(header, weak=True)


def test_columns_are_named_once() -> None:
    assert parse("columns=a,b,a").columns == ("a", "b")

"""From parameters to queries: relations, embeds, spreads, aggregates, order, limits, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from repositories.expressions import is_grouped, type_of
from repositories.query import (
    ALL,
    Aggregate,
    AggregateFunction,
    And,
    Cast,
    Column,
    Comparison,
    Expression,
    Is,
    Member,
    Not,
    Operator,
    Or,
    Output,
    Param,
    Quantifier,
    Read,
    Record,
    Related,
    Relation,
    Selection,
    Sort,
    State,
)
from repositories.schema import Catalog, Field, Kind, Reference, Resource, Type, Unique
from service.dialect.query_string import parse
from service.errors import RequestError
from service.planner.reads import PagePlan, plan_item, plan_page
from service.planner.relations import Relations
from service.planner.scope import DEFAULT_LIMITS, PlanLimits
from tests.catalogs import shop

INT, TEXT = Type(Kind.INT64), Type(Kind.STRING)
SHOP = shop()
RELATIONS = Relations(SHOP)


def resource(
    name: str, fields: dict[str, Type], *references: Reference, key: tuple[str, ...] = ("id",), **rest: Any
) -> Resource:
    made = {field: Field(field, kind, required=field in key) for field, kind in fields.items()}
    return Resource(name, made, key, references, **rest)


def reference(origin: str, field: str, target: str, *more: str) -> Reference:
    fields = (field, *more)
    return Reference(field.removesuffix("_id"), f"{origin}_{'_'.join(fields)}_fkey", fields, target, ("id", *more))


def films() -> Catalog:
    """Every kind of relation: both sides, one to one, many to many, doubled, to itself, composite."""
    ids = {"id": INT}
    resources = (
        resource("people", ids | {"name": TEXT}),
        resource(
            "films",
            ids | {"title": TEXT, "director_id": INT, "writer_id": INT, "sequel_id": INT, "count": INT},
            reference("films", "director_id", "people"),
            reference("films", "writer_id", "people"),
            reference("films", "sequel_id", "films"),
        ),
        resource(
            "roles",
            {"film_id": INT, "person_id": INT, "part": TEXT},
            reference("roles", "film_id", "films"),
            reference("roles", "person_id", "people"),
            key=("film_id", "person_id"),
        ),
        resource(
            "reviews",
            ids | {"film_id": INT, "person_id": INT},
            reference("reviews", "film_id", "films"),
            reference("reviews", "person_id", "people"),
        ),
        resource(
            "scripts",
            ids | {"film_id": INT},
            reference("scripts", "film_id", "films"),
            uniques=(Unique("scripts_film_id_key", ("film_id",)),),
        ),
        resource(
            "friends",
            {"one_id": INT, "other_id": INT},
            reference("friends", "one_id", "people"),
            reference("friends", "other_id", "people"),
            key=("one_id", "other_id"),
        ),
    )
    return Catalog({each.name: each for each in resources})


FILMS = films()
FILM_RELATIONS = Relations(FILMS)


def page(query: str, name: str = "products", limits: PlanLimits = DEFAULT_LIMITS, **rest: Any) -> PagePlan:
    params = parse(query, max_depth=limits.max_depth, max_embed_depth=limits.max_embed_depth)
    return plan_page(RELATIONS, SHOP[name], params, limits, count=False, **rest)


def read(query: str, name: str = "products", **limits: Any) -> Read:
    return page(query, name, PlanLimits(**limits)).read


def select(query: str, name: str = "products") -> Selection:
    return read(query, name).selection


def refused(query: str, name: str = "products", **limits: Any) -> RequestError:
    with pytest.raises(RequestError) as error:
        read(query, name, **limits)
    return error.value


def column(name: str, resource: str = "products") -> Column:
    return Column(SHOP[resource].fields[name])


def outputs(selection: Selection) -> dict[str, Expression]:
    return {output.name: output.expression for output in selection.outputs}


def found(origin: str, name: str, hint: str | None = None) -> tuple[str, bool, list[tuple[str, str]], str | None]:
    relation: Relation = FILM_RELATIONS.find(FILMS[origin], name, hint)
    pairs = [(own.name, other.name) for own, other in relation.pairs]
    if relation.junction is not None:
        pairs += [(own.name, other.name) for own, other in relation.junction.pairs]
    through = None if relation.junction is None else relation.junction.resource.name
    return relation.target.name, relation.many, pairs, through


@pytest.mark.parametrize(
    ("origin", "name", "hint", "expected"),
    [
        ("films", "director", None, ("people", False, [("director_id", "id")], None)),
        ("films", "director_id", None, ("people", False, [("director_id", "id")], None)),
        ("films", "films_writer_id_fkey", None, ("people", False, [("writer_id", "id")], None)),
        ("films", "people", "director", ("people", False, [("director_id", "id")], None)),
        ("films", "people", "writer_id", ("people", False, [("writer_id", "id")], None)),
        ("films", "people", "films_writer_id_fkey", ("people", False, [("writer_id", "id")], None)),
        ("films", "people", "roles", ("people", True, [("id", "film_id"), ("person_id", "id")], "roles")),
        ("people", "films", "director_id", ("films", True, [("id", "director_id")], None)),
        ("people", "films", "roles", ("films", True, [("id", "person_id"), ("film_id", "id")], "roles")),
        ("films", "sequel", None, ("films", False, [("sequel_id", "id")], None)),
        ("films", "films", "sequel_id", ("films", True, [("id", "sequel_id")], None)),
        ("films", "reviews", None, ("reviews", True, [("id", "film_id")], None)),
        ("films", "scripts", None, ("scripts", False, [("id", "film_id")], None)),
        ("scripts", "films", None, ("films", False, [("film_id", "id")], None)),
        ("people", "people", "other_id", ("people", True, [("id", "one_id"), ("other_id", "id")], "friends")),
        ("roles", "film", None, ("films", False, [("film_id", "id")], None)),
        ("films", "roles", None, ("roles", True, [("id", "film_id")], None)),
    ],
)
def test_relations_are_found_by_name_and_hint(
    origin: str, name: str, hint: str | None, expected: tuple[str, bool, list[tuple[str, str]], str | None]
) -> None:
    assert found(origin, name, hint) == expected


def test_composite_references() -> None:
    line = RELATIONS.find(SHOP["returns"], "line", None)
    assert [(own.name, other.name) for own, other in line.pairs] == [("order_id", "order_id"), ("position", "position")]
    assert RELATIONS.find(SHOP["lines"], "returns", None).many


@pytest.mark.parametrize(
    ("origin", "name", "hint", "cardinalities"),
    [
        ("films", "people", None, ["many-to-one", "many-to-one", "many-to-many"]),
        ("people", "films", None, ["one-to-many", "one-to-many", "many-to-many"]),
        ("films", "films", None, ["many-to-one", "one-to-many"]),
        ("people", "people", None, ["many-to-many", "many-to-many"]),
        ("people", "people", "friends", ["many-to-many", "many-to-many"]),
        ("people", "friends", None, ["one-to-many", "one-to-many"]),
    ],
)
def test_ambiguous_relations_are_told_with_their_candidates(
    origin: str, name: str, hint: str | None, cardinalities: list[str]
) -> None:
    with pytest.raises(RequestError) as error:
        FILM_RELATIONS.find(FILMS[origin], name, hint)
    problem = error.value
    assert (problem.status, problem.code) == (300, "PGRST201")
    assert isinstance(problem.details, list)
    assert [each["cardinality"] for each in problem.details] == cardinalities
    assert all(each.keys() == {"cardinality", "embedding", "relationship"} for each in problem.details)
    # Every proposal of the hint is a name that is not ambiguous.
    assert problem.hint is not None
    proposals = [part for part in problem.hint.split("'")[3::2] if part != "details"]
    assert len(set(proposals)) == len(cardinalities)
    for proposal in proposals:
        target, _, own = proposal.partition("!")
        FILM_RELATIONS.find(FILMS[origin], target, own or None)


@pytest.mark.parametrize(
    ("origin", "name", "hint"),
    [
        ("films", "peple", None),
        ("films", "people", "nope"),
        ("films", "director", "writer_id"),
        ("people", "director", None),
        ("reviews", "scripts", None),
        ("films", "x" * 5000, "y" * 5000),
    ],
)
def test_missing_relations(origin: str, name: str, hint: str | None) -> None:
    with pytest.raises(RequestError) as error:
        FILM_RELATIONS.find(FILMS[origin], name, hint)
    assert (error.value.status, error.value.code) == (400, "PGRST200")
    assert len(error.value.message) < 300
    assert error.value.hint == ("Perhaps you meant 'people' instead of 'peple'." if name == "peple" else None)


def test_a_plain_page() -> None:
    plan = page("price=gte.10&order=name&limit=5&offset=2")
    assert plan.offset == 2
    selection = plan.read.selection
    assert selection.where == Comparison(column("price"), Operator.GTE, Param(0))
    assert [str(value) for value in plan.read.values] == ["10", "5", "2"]
    assert (selection.limit, selection.offset) == (Param(1), Param(2))
    assert selection.order == (Sort(column("name")), Sort(column("id")))
    assert list(outputs(selection)) == list(SHOP["products"].fields)
    assert selection.embeds == ()


def test_embeds() -> None:
    selection = select(
        "select=sku,category(name),items:lines(quantity,order(status))&items.quantity=gt.1&items.limit=3"
    )
    assert outputs(selection) == {"sku": column("sku"), "category": Record(0), "items": Record(1)}
    category, items = selection.embeds
    assert (category.relation.target.name, category.relation.many, category.inner) == ("categories", False, False)
    assert (category.selection.limit, category.selection.where) == (None, ALL)
    assert items.selection.where == Comparison(column("quantity", "lines"), Operator.GT, Param(0))
    assert items.selection.order == (Sort(column("order_id", "lines")), Sort(column("position", "lines")))
    (order,) = items.selection.embeds
    assert outputs(order.selection) == {"status": column("status", "orders")}


def test_an_embed_without_members_only_filters() -> None:
    selection = select("select=sku,category!inner()&category.name=eq.x")
    assert list(outputs(selection)) == ["sku"]
    assert (selection.embeds[0].inner, selection.embeds[0].selection.outputs) == (True, ())


def test_embeds_have_the_largest_page_too() -> None:
    plan = read("select=sku,lines(quantity),more:lines(position)&lines.limit=5&more.limit=50", max_rows=10)
    limits = [embed.selection.limit for embed in plan.selection.embeds]
    assert [plan.values[limit.index] for limit in limits if limit is not None] == [5, 10]


def test_an_alias_does_not_take_away_the_relations_name() -> None:
    by_alias = read("select=sku,c:category(name)&c.name=eq.x&order=c(name)&c=not.is.null")
    by_name = read("select=sku,c:category(name)&category.name=eq.x&order=category(name)&category=not.is.null")
    assert by_alias == by_name
    assert refused("select=sku,c:lines(position),d:lines(position)&lines.position=eq.1").code == "PGRST108"
    both = read("select=sku,c:lines(position),lines(quantity)&lines.position=eq.1&c.position=eq.2").selection
    assert [embed.selection.where for embed in both.embeds] == [
        Comparison(column("position", "lines"), Operator.EQ, Param(index)) for index in (0, 2)
    ]


def test_filters_on_whether_there_are_records() -> None:
    selection = select("select=sku,category(),lines()&or=(category.is.null,lines.not.is.null)&lines=not.is.not_null")
    assert selection.where == And((Or((Not(Related(0)), Not(Not(Related(1))))), Not(Related(1))))
    assert refused("select=sku,category()&category=is.true").code == "PGRST120"
    assert refused("select=sku,category()&category=eq.1").code == "42703"
    assert refused("select=sku&category=is.null").code == "42703"


def test_spreads() -> None:
    selection = select("select=sku,...category(category:name),...lines(quantity,...order(status,seller(name)))")
    to_line, to_order = Member(1, column("quantity", "lines")), Member(0, column("status", "orders"))
    assert outputs(selection) == {
        "sku": column("sku"),
        "category": Member(0, column("name", "categories")),
        "quantity": to_line,
        "status": Member(1, to_order),
        "seller": Member(1, Member(0, Record(0))),
    }
    assert [embed.selection.outputs for embed in selection.embeds] == [(), ()]
    assert type_of(to_line, selection.embeds) == Type(Kind.ARRAY, items=SHOP["lines"].fields["quantity"].type)


def test_order_by_an_embedded_record() -> None:
    selection = select("select=sku,category(name)&order=category(name).desc,sku")
    assert selection.order == (
        Sort(Member(0, column("name", "categories")), descending=True, nulls_first=True),
        Sort(column("sku")),
    )
    assert refused("select=sku,lines(quantity)&order=lines(quantity)").code == "PGRST118"
    assert refused("select=sku&order=category(name)").code == "PGRST108"
    assert refused("select=sku,category(name)&order=category(nope)").code == "42703"


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["id"]),
        ("order=price", ["price", "id"]),
        ("order=price,price.desc", ["price", "id"]),
        ("order=id.desc,price", ["id"]),
        ("order=sku,price", ["sku"]),
        ("order=category_id,name,price", ["category_id", "name", "price", "id"]),
    ],
)
def test_order_is_total(query: str, keys: list[str]) -> None:
    order = select(query).order
    assert [sort.expression.field.name for sort in order if isinstance(sort.expression, Column)] == keys


def test_nulls_come_last_ascending_and_first_descending() -> None:
    order = select("order=price.asc,stock.desc,weight.nullsfirst,views.desc.nullslast").order
    assert [(sort.descending, sort.nulls_first) for sort in order] == [
        (False, False),
        (True, True),
        (False, True),
        (True, False),
        (False, False),
    ]


def test_aggregates_group_by_the_other_outputs() -> None:
    selection = select("select=category_id,count(),total:price.sum(),stock::text.max()&order=category_id.desc&limit=3")
    assert is_grouped(selection)
    assert outputs(selection) == {
        "category_id": column("category_id"),
        "count": Aggregate(AggregateFunction.COUNT),
        "total": Aggregate(AggregateFunction.SUM, column("price")),
        "max": Aggregate(AggregateFunction.MAX, Cast(column("stock"), TEXT)),
    }
    assert selection.order == (Sort(column("category_id"), descending=True, nulls_first=True),)
    assert select("select=count()").order == ()
    assert refused("select=category_id,count()&order=price").code == "42803"
    assert refused("select=sku,lines(quantity),count()").code == "0A000"
    assert refused("select=...lines(quantity),count()").code == "0A000"
    assert refused("select=...category(...products(sku)),count()").code == "0A000"
    assert refused("select=attributes,count()").code == "0A000"
    assert is_grouped(select("select=tags,...category(name),count()"))


def test_groups_by_an_embedded_record_are_ordered_by_its_outputs() -> None:
    selection = select("select=category(name),price.sum()&order=category(name).desc")
    assert selection.order == (Sort(Member(0, column("name", "categories")), descending=True, nulls_first=True),)


def test_aggregates_over_a_spread() -> None:
    selection = select("select=status,...seller(name,n:count(),id.max()::text)", "orders")
    assert outputs(selection) == {
        "status": column("status", "orders"),
        "name": Member(0, column("name", "staff")),
        "n": Aggregate(AggregateFunction.COUNT),
        "max": Cast(Aggregate(AggregateFunction.MAX, Member(0, column("id", "staff"))), TEXT),
    }
    assert is_grouped(selection)
    assert not is_grouped(selection.embeds[0].selection)
    assert refused("select=sku,...lines(quantity.sum())").code == "PGRST127"


def test_aggregates_inside_an_embed() -> None:
    selection = select("select=sku,lines(quantity.sum(),count)")
    assert not is_grouped(selection)
    assert is_grouped(selection.embeds[0].selection)
    assert outputs(selection.embeds[0].selection)["count"] == Aggregate(AggregateFunction.COUNT)


def test_a_column_named_count_is_a_column() -> None:
    params = parse("select=count,n:count()")
    plan = plan_page(FILM_RELATIONS, FILMS["films"], params, PlanLimits(), count=False)
    assert [type(output.expression) for output in plan.read.selection.outputs] == [Column, Aggregate]


def test_aggregates_can_be_turned_off() -> None:
    for query in ("select=count()", "select=price.sum()", "select=count", "select=sku,lines(quantity.max())"):
        assert refused(query, aggregates=False).code == "PGRST123"
        read(query)


def test_quantifiers_take_arrays() -> None:
    plan = read('name=like(any).{a*,"b,c"}&price=gt(all).{1,2}&stock=eq(any).{}')
    assert isinstance(plan.selection.where, And)
    assert [each.quantifier for each in plan.selection.where.conditions if isinstance(each, Comparison)] == [
        Quantifier.ANY,
        Quantifier.ALL,
        Quantifier.ANY,
    ]
    assert [len(value) for value in plan.values[:3]] == [2, 2, 0]
    assert refused("stock=eq(any).{1,NULL}").code == "22004"
    assert refused("stock=eq(any).1").code == "22P02"
    assert refused("stock=eq(any).{x}").code == "22P02"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("nope=eq.1", "42703"),
        ("select=nope", "42703"),
        ("select=nope::text", "42703"),
        ("select=nope.sum()", "42703"),
        ("order=nope", "42703"),
        ("or=(nope.eq.1)", "42703"),
        ("select=sku,lines(nope)", "42703"),
        ("select=sku,lines(quantity)&lines.nope=eq.1", "42703"),
        ("select=sku,lines(quantity)&lines.order=nope", "42703"),
        ("lines.quantity=eq.1", "PGRST108"),
        ("select=sku,lines(quantity)&lines.order.status=eq.1", "PGRST108"),
        ("select=sku&category.limit=1", "PGRST108"),
        ("select=nope(id)", "PGRST200"),
        ("select=sku::money", "42704"),
        ("select=sku::int[]", "42704"),
        ("select=active::int", "42846"),
        ("select=tags::int", "42846"),
        ("select=sku.sum()", "42883"),
        ("select=active.max()", "42883"),
        ("select=attributes->>a.sum()", "42883"),
        ("select=name->a", "42883"),
        ("name->a=eq.1", "42883"),
        ("attributes->" + "->".join("a" * 21) + "=eq.1", "54001"),
        ("stock=like.1*", "42883"),
        ("stock=cs.{1}", "42883"),
        ("notes=ov.{1}", "42883"),
        ("tags=eq.a", "22P02"),
        ("tags=eq.{a,NULL}", "22004"),
        ("sizes=cs.{a}", "22P02"),
        ("notes=eq.{a", "22P02"),
        ("notes=eq.null", "22004"),
        ("notes=gt.[1]", "42883"),
        ("name=like.a\\", "22025"),
        ("name=match.[", "2201B"),
        ("name=imatch.(a%2B)%2B", "2201B"),
        ("name=match." + "a" * 40_000, "2201B"),
        ("name=like." + "a" * 1001, "54001"),
        ("stock=is.true", "42804"),
        ("attributes->a=is.true", "42804"),
        ("select=sku,sku", "42712"),
        ("select=sku,x:price,x:name", "42712"),
        ("select=*,sku", "42712"),
        ("select=sku,lines(quantity),lines(position)", "42712"),
        ("select=lines:sku,lines(quantity)", "42712"),
        ("select=sku,...lines(sku:quantity)", "42712"),
        ("select=" + "x" * 64 + ":sku", "PGRST100"),
        ("select=" + "é" * 32 + ":sku", "PGRST100"),
        ("select=" + "x" * 64 + ":category(name)", "PGRST100"),
        ("select=sku,category(name)&category.limit=0", "PGRST100"),
        ("select=sku,category(name)&category.offset=1", "PGRST100"),
        ("select=sku,category(name)&category.limit=-1", "PGRST103"),
        ("select=sku,lines(quantity)&lines.limit=-1", "PGRST103"),
        ("limit=-1", "PGRST103"),
        ("columns=sku", "PGRST100"),
        ("on_conflict=sku", "PGRST100"),
    ],
)
def test_what_has_no_meaning_is_refused(query: str, code: str) -> None:
    error = refused(query)
    assert (error.code, error.status) == (code, 416 if code == "PGRST103" else 400)
    assert len(error.message) < 300


def test_aliases_of_63_bytes() -> None:
    assert list(outputs(select("select=" + "x" * 63 + ":sku," + "é" * 31 + ":name"))) == ["x" * 63, "é" * 31]


def test_the_numbers_of_conditions_and_embeds_are_bounded() -> None:
    embeds = ",".join(f"e{index}:lines(position)" for index in range(4))
    read(f"select=sku,{embeds}", max_embeds=4)
    assert refused(f"select=sku,{embeds}", max_embeds=3).code == "54001"
    nested = "select=sku,lines(position,order(status,seller(name)))"
    assert refused(nested, max_embeds=2).code == "54001"
    spread = "select=sku,lines(position)&lines.position=eq.1&stock=eq.1&or=(stock.eq.1,stock.eq.2)"
    read(spread, max_filters=4)
    assert refused(spread, max_filters=3).code == "54001"


@pytest.mark.parametrize(
    ("query", "ranges", "window"),
    [
        ("", None, (0, 1000)),
        ("limit=5", None, (0, 5)),
        ("limit=0", None, (0, 0)),
        ("limit=1000000000", None, (0, 1000)),
        ("offset=7", None, (7, 1000)),
        ("offset=-4", None, (0, 1000)),
        ("offset=-4&limit=6", None, (0, 2)),
        ("", (0, 24), (0, 25)),
        ("", (25, None), (25, 1000)),
        ("limit=5", (2, 10), (2, 3)),
        ("limit=5&offset=3", (0, 5), (3, 3)),
        ("limit=0", (3, 4), (3, 0)),
        ("", (5, 5000), (5, 1000)),
        ("limit=5", (5, 10), None),
        ("offset=20", (0, 5), None),
        ("offset=-4&limit=4", None, None),
    ],
)
def test_pages(query: str, ranges: tuple[int, int | None] | None, window: tuple[int, int] | None) -> None:
    if window is None:
        with pytest.raises(RequestError) as error:
            page(query, ranges=ranges)
        assert (error.value.status, error.value.code) == (416, "PGRST103")
        return
    plan = page(query, ranges=ranges)
    limit = plan.read.selection.limit
    assert limit is not None
    assert (plan.offset, plan.read.values[limit.index]) == window


def test_items_take_embeds_but_no_filter() -> None:
    key = "0190a0c8-51a4-7c3e-8a70-3f2b9a1c5d6e"
    params = parse("select=sku,lines(position)&lines.position=gt.1&lines.limit=2")
    plan = plan_item(RELATIONS, SHOP["products"], (key,), params, PlanLimits())
    assert plan.selection.where == Comparison(column("id"), Operator.EQ, Param(0))
    assert str(plan.values[0]) == key
    assert list(outputs(plan.selection)) == ["sku", "lines"]
    for query, code in (("price=gt.1", "PGRST100"), ("limit=1", "PGRST100"), ("lines.limit=1", "PGRST108")):
        with pytest.raises(RequestError) as error:
            plan_item(RELATIONS, SHOP["products"], (key,), parse(query), PlanLimits())
        assert error.value.code == code
    for bad, code in ((("x",), "22P02"), ((key, key), "PGRST100")):
        with pytest.raises(RequestError) as error:
            plan_item(RELATIONS, SHOP["products"], bad, parse(""), PlanLimits())
        assert error.value.code == code


def test_states_of_columns() -> None:
    selection = select("active=is.unknown&attributes->a=not.is.null")
    path = Column(SHOP["products"].fields["attributes"], ("a",))
    assert selection.where == And((Is(column("active"), State.UNKNOWN), Not(Is(path, State.NULL))))


def test_paths_are_json_or_text() -> None:
    selection = select("select=attributes->a,b:attributes->>b,tags->0&attributes->>b=eq.1&attributes->a=eq.1")
    assert [type_of(output.expression) for output in selection.outputs] == [Type(Kind.JSON), TEXT, Type(Kind.JSON)]
    assert read("attributes->>b=eq.1&attributes->a=eq.1").values[:2] == ("1", 1)
    assert selection.outputs[2] == Output("tags", Column(SHOP["products"].fields["tags"], (0,)))

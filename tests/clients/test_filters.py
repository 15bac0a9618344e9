"""Every filter method of the clients."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.answers import PythonQuery
from tests.clients.conftest import Ask
from tests.clients.shop import ECLAIR, LAMP

FILTERS: list[tuple[str, PythonQuery, str]] = [
    (".eq('sku', 'A-1')", lambda q: q.eq("sku", "A-1"), "A"),
    (".eq('price', 19.5)", lambda q: q.eq("price", 19.5), "AD"),
    (".eq('active', true)", lambda q: q.eq("active", True), "AD"),
    (f".eq('id', '{LAMP.upper()}')", lambda q: q.eq("id", LAMP.upper()), "A"),
    (".eq('name', 'Éclair (big), sweet')", lambda q: q.eq("name", "Éclair (big), sweet"), "C"),
    (".eq('name', '50% off_\\\\')", lambda q: q.eq("name", "50% off_\\"), "D"),
    (".eq('sizes', '{1,2,3}')", lambda q: q.eq("sizes", "{1,2,3}"), "A"),
    (".neq('stock', 3)", lambda q: q.neq("stock", 3), "CD"),
    (".gt('price', 5)", lambda q: q.gt("price", 5), "AD"),
    (".gte('price', 5)", lambda q: q.gte("price", 5), "ABD"),
    (".lt('price', 5)", lambda q: q.lt("price", 5), "C"),
    (".lte('price', 5)", lambda q: q.lte("price", 5), "BC"),
    (".gte('released', '2024-01-01')", lambda q: q.gte("released", "2024-01-01"), "A"),
    (".gt('views', 99999999999)", lambda q: q.gt("views", 99999999999), "C"),
    (".like('name', 'L%')", lambda q: q.like("name", "L%"), "A"),
    (".ilike('name', 'l%')", lambda q: q.ilike("name", "l%"), "AB"),
    (".likeAllOf('name', ['L%', '%m_'])", lambda q: q.like_all_of("name", "L%,%m_"), "A"),
    (".likeAnyOf('name', ['Lamp', 'lan%'])", lambda q: q.like_any_of("name", "Lamp,lan%"), "AB"),
    (".ilikeAllOf('name', ['l%', '%N'])", lambda q: q.ilike_all_of("name", "l%,%N"), "B"),
    (".ilikeAnyOf('name', ['LAMP', 'éCL%'])", lambda q: q.ilike_any_of("name", "LAMP,éCL%"), "AC"),
    (".regexMatch('name', '^L.*p$')", lambda q: q.filter("name", "match", "^L.*p$"), "A"),
    (".regexIMatch('name', '^l')", lambda q: q.filter("name", "imatch", "^l"), "AB"),
    (".is('stock', null)", lambda q: q.is_("stock", None), "B"),
    (".is('active', true)", lambda q: q.is_("active", True), "AD"),
    (".is('active', false)", lambda q: q.is_("active", False), "C"),
    (".isDistinct('stock', 3)", lambda q: q.filter("stock", "isdistinct", "3"), "BCD"),
    (".in('sku', ['A-1', 'C-3', 'Z'])", lambda q: q.in_("sku", ["A-1", "C-3", "Z"]), "AC"),
    (
        ".in('name', ['Lamp', 'Éclair (big), sweet'])",
        lambda q: q.in_("name", ["Lamp", "Éclair (big), sweet"]),
        "AC",
    ),
    (".in('stock', [])", lambda q: q.in_("stock", []), ""),
    (".notIn('stock', [3, 7])", lambda q: q.not_.in_("stock", [3, 7]), "C"),
    (".contains('tags', ['new'])", lambda q: q.contains("tags", ["new"]), "AD"),
    (".contains('tags', ['on sale', 'new'])", lambda q: q.cs("tags", ["on sale", "new"]), "A"),
    (""".contains('tags', '{"a,b"}')""", lambda q: q.contains("tags", ["a,b"]), "C"),
    (
        ".contains('attributes', {size: {w: 10}})",
        lambda q: q.contains("attributes", {"size": {"w": 10}}),
        "A",
    ),
    (".contains('attributes', {color: null})", lambda q: q.contains("attributes", {"color": None}), "D"),
    (".contains('notes', '[1]')", lambda q: q.contains("notes", "[1]"), "C"),
    (".containedBy('tags', ['new', 'on sale'])", lambda q: q.contained_by("tags", ["new", "on sale"]), "ABD"),
    (".containedBy('sizes', [3, 4])", lambda q: q.cd("sizes", [3, 4]), "CD"),
    (
        ".containedBy('attributes', {color: 'brown', size: {w: 3, h: 4}})",
        lambda q: q.contained_by("attributes", {"color": "brown", "size": {"w": 3, "h": 4}}),
        "C",
    ),
    (".overlaps('tags', ['food', 'new'])", lambda q: q.overlaps("tags", ["food", "new"]), "ACD"),
    (".overlaps('sizes', [3, 9])", lambda q: q.ov("sizes", [3, 9]), "AC"),
    (".not('stock', 'eq', 3)", lambda q: q.not_.eq("stock", 3), "CD"),
    (".not('stock', 'is', null)", lambda q: q.not_.is_("stock", None), "ACD"),
    (".not('name', 'ilike', 'l%')", lambda q: q.not_.ilike("name", "l%"), "CD"),
    (".not('tags', 'cs', '{new}')", lambda q: q.not_.contains("tags", ["new"]), "BC"),
    (".or('stock.eq.3,price.lt.1')", lambda q: q.or_("stock.eq.3,price.lt.1"), "AC"),
    (
        ".or('and(price.gt.1,stock.gt.3),sku.eq.B-2')",
        lambda q: q.or_("and(price.gt.1,stock.gt.3),sku.eq.B-2"),
        "BD",
    ),
    (
        """.or('name.in.("Lamp","Éclair (big), sweet"),stock.not.is.null').neq('stock', 0)""",
        lambda q: q.or_('name.in.("Lamp","Éclair (big), sweet"),stock.not.is.null').neq("stock", 0),
        "AD",
    ),
    (".filter('not.or', '(stock.eq.3,active.is', 'false)')", lambda q: q.not_.or_("stock.eq.3,active.is.false"), "D"),
    (".match({active: true, price: 19.5})", lambda q: q.match({"active": True, "price": 19.5}), "AD"),
    (".filter('name', 'ilike', '*amp')", lambda q: q.filter("name", "ilike", "*amp"), "A"),
    (".filter('sku', 'eq(any)', '{A-1,D-4}')", lambda q: q.filter("sku", "eq(any)", "{A-1,D-4}"), "AD"),
    (".eq('attributes->>color', 'red')", lambda q: q.eq("attributes->>color", "red"), "A"),
    (""".eq('attributes->color', '"red"')""", lambda q: q.eq("attributes->color", '"red"'), "A"),
    (".gt('attributes->size->w', 5)", lambda q: q.gt("attributes->size->w", 5), "A"),
    (".eq('attributes->size->>w', '3')", lambda q: q.eq("attributes->size->>w", "3"), "C"),
    (".is('attributes->>color', null)", lambda q: q.is_("attributes->>color", None), "BD"),
    (".eq('attributes->parts->>0', 'base')", lambda q: q.eq("attributes->parts->>0", "base"), "A"),
    (".eq('attributes->parts->>-1', 'shade')", lambda q: q.eq("attributes->parts->>-1", "shade"), "A"),
    (".eq('tags->>0', 'new')", lambda q: q.eq("tags->>0", "new"), "AD"),
    (".eq('notes->>1', 'two')", lambda q: q.eq("notes->>1", "two"), "C"),
]


@pytest.mark.parametrize(("javascript", "python", "found"), FILTERS, ids=[case[0] for case in FILTERS])
def test_filters(ask: Ask, javascript: str, python: PythonQuery, found: str) -> None:
    answer = ask(
        f"db.from('products').select('sku').order('sku'){javascript}",
        lambda db: python(db.from_("products").select("sku").order("sku")),
    )
    assert answer.error is None
    assert "".join(record["sku"][0] for record in answer.data) == found


ELSEWHERE: list[tuple[str, PythonQuery, list[dict[str, Any]]]] = [
    (
        "db.from('orders').select('id').gt('placed_at', '2026-02-01T00:00:00+00:00').order('id')",
        lambda db: db.from_("orders").select("id").gt("placed_at", "2026-02-01T00:00:00+00:00").order("id"),
        [{"id": 3}, {"id": 4}],
    ),
    (
        f"db.from('lines').select('order_id').match({{product_id: '{ECLAIR}', quantity: 10}})",
        lambda db: db.from_("lines").select("order_id").match({"product_id": ECLAIR, "quantity": 10}),
        [{"order_id": 1}],
    ),
    (
        "db.from('staff').select('name').is('manager_id', null)",
        lambda db: db.from_("staff").select("name").is_("manager_id", None),
        [{"name": "Ada"}],
    ),
]


@pytest.mark.parametrize(("javascript", "python", "data"), ELSEWHERE)
def test_filters_elsewhere(ask: Ask, javascript: str, python: PythonQuery, data: object) -> None:
    answer = ask(javascript, python)
    assert (answer.error, answer.data) == (None, data)


UNDEFINED: list[tuple[str, PythonQuery]] = [
    (".textSearch('name', 'lamp')", lambda q: q.fts("name", "lamp")),
    (".textSearch('name', 'lamp', {type: 'websearch'})", lambda q: q.wfts("name", "lamp")),
    (".textSearch('name', 'lamp', {config: 'english'})", lambda q: q.filter("name", "fts(english)", "lamp")),
    (".rangeGt('price', '[1,2]')", lambda q: q.range_gt("price", (1, 2))),
    (".rangeAdjacent('price', '[1,2]')", lambda q: q.range_adjacent("price", (1, 2))),
]


@pytest.mark.parametrize(("javascript", "python"), UNDEFINED, ids=[case[0] for case in UNDEFINED])
def test_operators_of_types_that_there_are_not(ask: Ask, javascript: str, python: PythonQuery) -> None:
    answer = ask(
        f"db.from('products').select('sku'){javascript}", lambda db: python(db.from_("products").select("sku"))
    )
    assert answer.error is not None
    assert answer.error["code"] == "PGRST100"
    assert "parse filter" in answer.error["message"]

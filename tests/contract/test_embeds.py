"""Every form of embedding on every kind of relation, with what it answers written out."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import RequestError
from tests.contract.asking import Asker
from tests.contract.relations import KINDS, TO_MANY, TO_ONE


def answered(asker: Asker, kind: dict[str, Any], embed: str, *rest: str, member: str = "it") -> dict[Any, Any]:
    """What the embed gives for each parent's key: a value, or a list of values."""
    text = f"{kind['from']}?select={kind['key']},{embed}&" + "&".join(rest)
    return {key_of(kind, record): plucked(kind, record[member]) for record in asker.ask(text)}


def key_of(kind: dict[str, Any], record: dict[str, Any]) -> Any:
    keys = tuple(record[name] for name in kind["key"].split(","))
    return keys if len(keys) > 1 else keys[0]


def plucked(kind: dict[str, Any], embedded: Any) -> Any:
    """The column of the embedded record or records."""
    if kind["many"]:
        return [record[kind["column"]] for record in embedded]
    return None if embedded is None else embedded[kind["column"]]


def relation(kind: dict[str, Any]) -> str:
    return str(kind["name"] + kind.get("modifier", ""))


def there(kind: dict[str, Any], found: dict[Any, Any]) -> dict[Any, Any]:
    """Only the parents that have any."""
    return {key: value for key, value in found.items() if value not in (None, [])}


@pytest.mark.parametrize("name", KINDS)
class TestForms:
    """Forms that every kind of relation has."""

    def test_the_whole_record(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        assert answered(studio, kind, f"{relation(kind)}(*)", member=kind["name"]) == kind["found"]
        target = studio.plan(f"{kind['from']}?select={relation(kind)}(*)").selection.embeds[0].relation.target
        for record in studio.ask(f"{kind['from']}?select={relation(kind)}(*)"):
            embedded = record[kind["name"]]
            for each in embedded if kind["many"] else [embedded] if embedded else []:
                assert list(each) == list(target.fields)

    def test_an_alias(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        assert answered(studio, kind, f"it:{relation(kind)}({kind['column']})") == kind["found"]

    def test_a_hint(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        assert answered(studio, kind, f"it:{kind['hint']}({kind['column']})") == kind["found"]
        assert answered(studio, kind, f"it:{kind['hint']}!left({kind['column']})") == kind["found"]

    def test_inner(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        assert answered(studio, kind, f"it:{relation(kind)}!inner({kind['column']})") == there(kind, kind["found"])
        operation, found = kind["filter"]
        rest = f"it.{kind['column']}={operation}"
        assert answered(studio, kind, f"it:{relation(kind)}!inner({kind['column']})", rest) == there(kind, found)

    def test_a_filter(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        operation, found = kind["filter"]
        rest = f"it.{kind['column']}={operation}"
        assert answered(studio, kind, f"it:{relation(kind)}({kind['column']})", rest) == found

    def test_either_filter(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        tree, found = kind["either"]
        assert answered(studio, kind, f"it:{relation(kind)}({kind['column']})", f"it.or={tree}") == found
        everything = f"it.not.or={tree}"
        refuted = answered(studio, kind, f"it:{relation(kind)}({kind['column']})", everything)
        for key, value in refuted.items():
            assert not value or not found[key] or not (set_of(kind, value) & set_of(kind, found[key]))

    def test_a_hidden_filter(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        operation, found = kind["filter"]
        rest = f"it.{kind['column']}={operation}"
        text = f"{kind['from']}?select={kind['key']},it:{relation(kind)}!inner()&{rest}"
        records = studio.ask(text)
        assert [key_of(kind, record) for record in records] == in_order(kind, there(kind, found))
        assert all(set(record) == set(kind["key"].split(",")) for record in records)
        assert studio.total(text) == len(records)

    def test_is_null(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        operation, found = kind["filter"]
        rest = f"it.{kind['column']}={operation}"
        met = list(there(kind, found))
        for embed in (f"it:{relation(kind)}({kind['column']})", f"it:{relation(kind)}()"):
            text = f"{kind['from']}?select={kind['key']},{embed}&{rest}"
            some = [key_of(kind, record) for record in studio.ask(f"{text}&it=not.is.null")]
            none = [key_of(kind, record) for record in studio.ask(f"{text}&it=is.null")]
            assert some == in_order(kind, met)
            assert none == in_order(kind, [key for key in found if key not in met])
            either = [key_of(kind, record) for record in studio.ask(f"{text}&or=(it.is.null,it.not.is.null)")]
            assert either == in_order(kind, list(found))

    def test_a_spread(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        text = f"{kind['from']}?select={kind['key']},...{relation(kind)}(it:{kind['column']})"
        assert {key_of(kind, record): record["it"] for record in studio.ask(text)} == kind["found"]
        inner = text.replace(f"...{relation(kind)}", f"...{relation(kind)}!inner")
        assert {key_of(kind, record): record["it"] for record in studio.ask(inner)} == there(kind, kind["found"])

    def test_a_count(self, studio: Asker, name: str) -> None:
        """Of a to-many relation; a record without relations has none."""
        kind = KINDS[name]
        counts = {key: len(value) if kind["many"] else int(value is not None) for key, value in kind["found"].items()}
        embed = f"it:{relation(kind)}(count())"
        found = {
            key_of(kind, record): record["it"] for record in studio.ask(f"{kind['from']}?select={kind['key']},{embed}")
        }
        assert found == {key: [{"count": count}] if kind["many"] else {"count": count} for key, count in counts.items()}


def set_of(kind: dict[str, Any], value: Any) -> set[Any]:
    return set(value) if kind["many"] else {value}


def in_order(kind: dict[str, Any], keys: Any) -> list[Any]:
    return [key for key in kind["found"] if key in keys]


@pytest.mark.parametrize("name", TO_MANY)
class TestLists:
    """Forms that only lists have: each parent's records have an order and pages of their own."""

    def test_an_order(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        embed, column = f"it:{relation(kind)}({kind['column']})", kind["column"]
        assert answered(studio, kind, embed, f"it.order={column}.desc") == kind["descending"]
        ascending = {key: value[::-1] for key, value in kind["descending"].items()}
        assert answered(studio, kind, embed, f"it.order={column}") == ascending

    def test_a_page(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        embed = f"it:{relation(kind)}({kind['column']})"
        assert answered(studio, kind, embed, "it.limit=1", "it.offset=1") == kind["page"]
        first = {key: value[:1] for key, value in kind["found"].items()}
        assert answered(studio, kind, embed, "it.limit=1") == first
        rest = {key: value[1:] for key, value in kind["found"].items()}
        assert answered(studio, kind, embed, "it.offset=1") == rest
        assert answered(studio, kind, embed, "it.limit=0") == {key: [] for key in kind["found"]}

    def test_a_page_of_a_spread(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        column = kind["column"]
        text = (
            f"{kind['from']}?select={kind['key']},...{relation(kind)}(it:{column})&{kind['name']}.order={column}.desc"
        )
        found = {key_of(kind, record): record["it"] for record in studio.ask(f"{text}&{kind['name']}.limit=1")}
        assert found == {key: value[:1] for key, value in kind["descending"].items()}

    def test_an_empty_page_is_not_nothing(self, studio: Asker, name: str) -> None:
        """Whether there are related records does not depend on the page that is shown of them."""
        kind = KINDS[name]
        embed = f"it:{relation(kind)}!inner({kind['column']})"
        found = answered(studio, kind, embed, "it.limit=0")
        assert found == {key: [] for key in there(kind, kind["found"])}
        found = answered(studio, kind, embed.replace("!inner", ""), "it.offset=9", "it=not.is.null")
        assert found == {key: [] for key in there(kind, kind["found"])}

    def test_the_parent_cannot_be_ordered_by_it(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        with pytest.raises(RequestError) as caught:
            studio.plan(f"{kind['from']}?select=*,it:{relation(kind)}(*)&order=it({kind['column']})")
        assert caught.value.code == "PGRST118"


@pytest.mark.parametrize("name", TO_ONE)
class TestRecords:
    """Forms that only single records have."""

    def test_the_parent_is_ordered_by_it(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        for words, backwards, nulls_first in [
            ("", False, False),
            (".desc", True, True),
            (".nullsfirst", False, True),
            (".desc.nullslast", True, False),
        ]:
            order = f"order=it({kind['column']}){words}"
            for columns in (kind["column"], ""):
                text = f"{kind['from']}?select={kind['key']},it:{relation(kind)}({columns})&{order}"
                nulls = [key for key, value in kind["found"].items() if value is None]
                others = [key for key, value in kind["found"].items() if value is not None]
                others.sort(key=lambda key: kind["found"][key], reverse=backwards)
                expected = nulls + others if nulls_first else others + nulls
                assert [key_of(kind, record) for record in studio.ask(text)] == expected

    def test_pages_ordered_by_it(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        text = f"{kind['from']}?select={kind['key']},it:{relation(kind)}()&order=it({kind['column']}).desc"
        everything = [key_of(kind, record) for record in studio.ask(text)]
        pages = [studio.ask(f"{text}&limit=2&offset={at}") for at in range(0, len(everything), 2)]
        assert [key_of(kind, record) for page in pages for record in page] == everything

    def test_a_record_has_no_pages(self, studio: Asker, name: str) -> None:
        kind = KINDS[name]
        for rest in ("it.limit=0", "it.offset=1"):
            with pytest.raises(RequestError) as caught:
                studio.plan(f"{kind['from']}?select=*,it:{relation(kind)}(*)&{rest}")
            assert caught.value.code == "PGRST100"


def test_the_forms_and_relations_are_counted() -> None:
    """Every relation has every form that makes sense for it."""
    forms = {form: len(KINDS) for form in vars(TestForms) if form.startswith("test_")}
    forms |= {form: len(TO_MANY) for form in vars(TestLists) if form.startswith("test_")}
    forms |= {form: len(TO_ONE) for form in vars(TestRecords) if form.startswith("test_")}
    assert sum(forms.values()) >= 130
    assert all({"found", "filter", "either"} <= set(kind) for kind in KINDS.values())
    assert all({"descending", "page"} <= set(KINDS[name]) for name in TO_MANY)

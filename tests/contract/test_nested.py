"""Embeds within embeds, several side by side, spread into one another; and relations that are not clear."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import RequestError
from tests.contract.asking import Asker


def test_three_deep(studio: Asker) -> None:
    text = "films?select=title,director(name,boss(name,boss(name))),scenes(number,takes(id,scene(place)))&id=in.(1,3)"
    assert studio.body(text) == (
        '[{"title":"Alpha","director":{"name":"Ada","boss":null},"scenes":['
        '{"number":1,"takes":[{"id":1,"scene":{"place":"hall"}},{"id":2,"scene":{"place":"hall"}}]},'
        '{"number":2,"takes":[{"id":3,"scene":{"place":"roof"}}]},{"number":3,"takes":[]}]},'
        '{"title":"Gamma","director":{"name":"Bo","boss":{"name":"Ada","boss":null}},'
        '"scenes":[{"number":1,"takes":[]}]}]'
    )


def test_many_to_many_within_one_another(studio: Asker) -> None:
    text = "genres?select=name,films(title,halls(id,films(id)))&films.halls.order=id.desc&films.order=title.desc"
    lux = {"id": 1, "films": [{"id": 1}, {"id": 3}]}
    alpha = {"title": "Alpha", "halls": [{"id": 2, "films": [{"id": 1}]}, lux]}
    assert studio.ask(text) == [
        {"name": "comedy", "films": [alpha]},
        {"name": "drama", "films": [{"title": "Beta", "halls": []}, alpha]},
        {"name": "noir", "films": [{"title": "Delta", "halls": []}]},
        {"name": "unused", "films": []},
    ]


def test_filters_orders_and_pages_at_every_depth(studio: Asker) -> None:
    text = (
        "people?select=name,films!director_id(title,scenes(number))&films.order=year.desc,title"
        "&films.limit=1&films.scenes.order=number.desc&films.scenes.limit=2&films.scenes.minutes=not.eq.5"
    )
    assert studio.ask(text) == [
        {"name": "Ada", "films": [{"title": "Beta", "scenes": []}]},
        {"name": "Bo", "films": [{"title": "Gamma", "scenes": [{"number": 1}]}]},
        {"name": "Cy", "films": []},
        {"name": "Dee", "films": []},
    ]


def test_inner_within_inner(studio: Asker) -> None:
    """The innermost condition reaches the outermost records."""
    text = "people?select=name,films!director_id!inner(title,scenes!inner(place))&films.scenes.place=eq.sea"
    assert studio.ask(text) == [{"name": "Bo", "films": [{"title": "Gamma", "scenes": [{"place": "sea"}]}]}]
    outer = text.replace("films!director_id!inner", "films!director_id")
    assert [(each["name"], len(each["films"])) for each in studio.ask(outer)] == [
        ("Ada", 0),
        ("Bo", 1),
        ("Cy", 0),
        ("Dee", 0),
    ]
    assert (studio.total(text), studio.total(outer)) == (1, 4)


def test_pages_and_counts_with_inner(studio: Asker) -> None:
    text = "films?select=id,scenes!inner(number)&order=id.desc"
    assert studio.total(text) == 3
    assert studio.values(f"{text}&limit=2") == [3, 2]
    assert studio.values(f"{text}&limit=2&offset=2") == [1]
    assert studio.total(f"{text}&limit=1&scenes.place=eq.hall") == 2
    assert studio.values(f"{text}&limit=1&scenes.place=eq.hall") == [2]


def test_or_across_embeds(studio: Asker) -> None:
    embeds = "films?select=id,director(),genres(),halls()"
    assert studio.values(f"{embeds}&or=(director.not.is.null,genres.not.is.null)") == [1, 2, 3, 4]
    assert studio.values(f"{embeds}&or=(director.is.null,and(genres.is.null,halls.not.is.null))") == [3, 4, 5]
    assert studio.values(f"{embeds}&or=(year.eq.1999,not.or(director.is.null,genres.is.null))") == [1, 2, 3]
    assert studio.values(f"{embeds}&halls.seats=lt.50&not.and=(halls.is.null,year.not.eq.0)") == [1]
    serious = f"{embeds}&genres.serious=is.true&genres=not.is.null&director=is.null"
    assert studio.values(f"{serious}&director.name=eq.Ada") == []
    assert studio.values(f"{serious}&director.name=neq.Ada") == [1, 2]


def test_the_same_relation_twice(studio: Asker) -> None:
    text = "films?select=id,short:scenes(number),long:scenes(number)&short.minutes=lt.5&long.minutes=gte.5&id=lte.2"
    assert studio.ask(text) == [
        {"id": 1, "short": [{"number": 2}], "long": [{"number": 1}, {"number": 3}]},
        {"id": 2, "short": [], "long": []},
    ]


def test_several_relations_to_the_same_resource(studio: Asker) -> None:
    text = "films?select=id,director(name),writer(name),people!roles(name)&people.order=name.desc&id=lte.3"
    ada, bo, cy, dee = ({"name": name} for name in ("Ada", "Bo", "Cy", "Dee"))
    assert studio.ask(text) == [
        {"id": 1, "director": ada, "writer": bo, "people": [dee, cy]},
        {"id": 2, "director": ada, "writer": ada, "people": [cy]},
        {"id": 3, "director": bo, "writer": None, "people": [ada]},
    ]


class TestSpread:
    """Spread members stand in the record that they are embedded in."""

    def test_one_in_one(self, studio: Asker) -> None:
        text = "films?select=title,...director(director:name,...boss(boss:name))&order=id"
        assert studio.ask(text) == [
            {"title": "Alpha", "director": "Ada", "boss": None},
            {"title": "Beta", "director": "Ada", "boss": None},
            {"title": "Gamma", "director": "Bo", "boss": "Ada"},
            {"title": "Delta", "director": None, "boss": None},
            {"title": "Epsilon", "director": None, "boss": None},
        ]

    def test_one_in_many(self, studio: Asker) -> None:
        """The lists go together: one item for each record, in the same order, nulls too."""
        text = "genres?select=name,...films(titles:title,years:year,...director(directors:name))&films.order=title.desc"
        assert studio.ask(text) == [
            {"name": "comedy", "titles": ["Alpha"], "years": [1999], "directors": ["Ada"]},
            {"name": "drama", "titles": ["Beta", "Alpha"], "years": [2001, 1999], "directors": ["Ada", "Ada"]},
            {"name": "noir", "titles": ["Delta"], "years": [2001], "directors": [None]},
            {"name": "unused", "titles": [], "years": [], "directors": []},
        ]

    def test_many_in_one(self, studio: Asker) -> None:
        text = "scenes?select=number,...film(title,...genres(genres:name))&place=in.(hall,sea)"
        assert studio.ask(text) == [
            {"number": 1, "title": "Alpha", "genres": ["comedy", "drama"]},
            {"number": 1, "title": "Beta", "genres": ["drama"]},
            {"number": 1, "title": "Gamma", "genres": []},
        ]

    def test_many_in_many(self, studio: Asker) -> None:
        text = "genres?select=name,...films(...scenes(places:place))&films.order=id"
        assert studio.ask(text) == [
            {"name": "comedy", "places": [["hall", "roof", None]]},
            {"name": "drama", "places": [["hall", "roof", None], ["hall"]]},
            {"name": "noir", "places": [[]]},
            {"name": "unused", "places": []},
        ]

    def test_records_in_a_spread(self, studio: Asker) -> None:
        text = "scenes?select=number,...film(director(name),genres(name))&film_id=eq.1&number=eq.1"
        assert studio.ask(text) == [
            {"number": 1, "director": {"name": "Ada"}, "genres": [{"name": "comedy"}, {"name": "drama"}]}
        ]
        text = "genres?select=name,...films(director(name))&name=in.(noir,drama)"
        assert studio.ask(text) == [
            {"name": "drama", "director": [{"name": "Ada"}, {"name": "Ada"}]},
            {"name": "noir", "director": [None]},
        ]

    def test_every_kind_of_value(self, studio: Asker) -> None:
        columns = "rating,score,seen,opened,added,tags,extra,budget"
        plain = studio.body(f"films?select={columns}&id=eq.1")
        spread = studio.body(f"scenes?select=...film({columns})&film_id=eq.1&number=eq.1")
        assert plain == spread
        assert plain == (
            '[{"rating":8.10,"score":7.5,"seen":true,"opened":"1999-05-01","added":"2026-01-31T09:30:00.12+00:00",'
            '"tags":["new","old"],"extra":{"a": 1, "n": {"list": [1, "x", null]}},"budget":100}]'
        )
        embedded = studio.body(f"scenes?select=film({columns})&film_id=eq.1&number=eq.1")
        assert embedded == '[{"film":' + plain[1:-1] + "}]"
        listed = studio.body(f"people?select=...films!director_id({columns})&id=eq.1&films.order=id")
        assert listed == (
            '[{"rating":[8.10,8.05],"score":[7.5,0.1],"seen":[true,false],"opened":["1999-05-01",null],'
            '"added":["2026-01-31T09:30:00.12+00:00",null],"tags":[["new","old"],[]],'
            '"extra":[{"a": 1, "n": {"list": [1, "x", null]}},{"a": "1"}],"budget":[100,50]}]'
        )


def test_paths_and_casts_in_embeds(studio: Asker) -> None:
    columns = "age:facts->age,lang:facts->langs->>-1,text:facts->>age,bio::text,sum:facts->age::int"
    text = f"people?select=id,profiles({columns})"
    assert studio.body(text) == (
        '[{"id":1,"profiles":{"age":70,"lang":"fr","text":"70","bio":"first","sum":70}},{"id":2,"profiles":null},'
        '{"id":3,"profiles":{"age":7.5,"lang":null,"text":"7.5","bio":null,"sum":8}},{"id":4,"profiles":null}]'
    )
    assert studio.values("people?select=id,profiles!inner()&profiles.facts->age=gt.8") == [1]
    assert studio.values("people?select=id,profiles()&order=profiles(facts->age).desc.nullslast") == [1, 3, 2, 4]
    assert studio.values("people?select=id,profiles()&order=profiles(facts->>age)") == [3, 1, 2, 4]


def test_a_record_that_is_all_null_is_a_record(studio: Asker) -> None:
    """An embedded record without any value differs from no record."""
    text = "people?select=id,profiles(bio)&order=id"
    assert [each["profiles"] for each in studio.ask(text)] == [{"bio": "first"}, None, {"bio": None}, None]
    assert studio.values("people?select=id,profiles()&profiles=not.is.null") == [1, 3]


class TestUnclear:
    """What no store is ever asked."""

    @pytest.fixture
    def catalog_name(self) -> str:
        return "studio"

    @pytest.fixture
    def backend(self) -> str:
        return "oracle"

    def refused(self, port: Any, text: str) -> tuple[int, str]:
        with pytest.raises(RequestError) as caught:
            Asker(port.store).plan(text)
        return caught.value.status, caught.value.code

    def test_several_relations(self, port: Any) -> None:
        with pytest.raises(RequestError) as caught:
            Asker(port.store).plan("films?select=people(*)")
        assert (caught.value.status, caught.value.code) == (300, "PGRST201")
        assert isinstance(caught.value.details, list)
        assert {(each["cardinality"], each["embedding"]) for each in caught.value.details} == {
            ("many-to-one", "films with people"),
            ("many-to-many", "films with people"),
        }
        assert len(caught.value.details) == 3
        assert caught.value.hint is not None
        for proposal in ("'director'", "'writer'", "'people!roles'"):
            assert proposal in caught.value.hint
        assert self.refused(port, "people?select=films(*)") == (300, "PGRST201")

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("films?select=nothing(*)", "PGRST200"),
            ("films?select=films(*)", "PGRST200"),
            ("films?select=scenes!director_id(*)", "PGRST200"),
            ("films?select=id&scenes.place=eq.x", "PGRST108"),
            ("films?select=id&order=director(name)", "PGRST108"),
            ("films?select=id&director=is.null", "42703"),
            ("films?select=id,director()&director=is.true", "PGRST120"),
            ("films?select=id,director(nothing)", "42703"),
            ("films?select=id,director(id),director(name)", "42712"),
            ("films?select=id,...director(id)", "42712"),
            ("people?select=name,...films!director_id(count())", "PGRST127"),
        ],
    )
    def test_the_rest(self, port: Any, text: str, code: str) -> None:
        assert self.refused(port, text) == (400, code)

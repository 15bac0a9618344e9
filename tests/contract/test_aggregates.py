"""Aggregates: of everything, by groups, in embeds and spreads, with casts, of nothing, and at the limits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from repositories.errors import CastFailed, RepositoryError, ValueOutOfRange
from repositories.schema import Value
from repositories.texts import from_text
from service.errors import RequestError
from tests.contract.asking import Asker
from tests.contract.conftest import Opened
from tests.contract.queries import gte

#: For each kind of column and each function: the answer's text over `VALUES`, over no values, and over no records.
VALUES: dict[str, list[Value]] = {
    "small": [3, None, -1, 3],
    "big": [2**53 + 1, 2**53, None, 1],
    "real": [0.1, 0.2, None, 0.7],
    "money": [Decimal("0.10"), Decimal("10.00"), None, Decimal("-1.25")],
    "exact": [Decimal("0.0000000001"), None, Decimal("2.0000000000"), Decimal("-1.0000000000")],
    "text": ["b", None, "Z", "é"],
    "day": [None, "2024-02-29", "1969-12-31", "2024-02-28"],
    "moment": ["2026-01-31T09:30:00.12Z", None, "1969-12-31T23:59:59.999Z", "2026-01-31T09:30:00.1Z"],
    "flag": [True, None, True, False],
    "uuid": [None, "0" * 32, "f" * 32, "0" * 32],
    "texts": [[], None, ["a"], ["a"]],
    "free": [{}, None, 1, "x"],
}
ANSWERS: dict[str, dict[str, str]] = {
    "small": {"count": "3", "sum": "5", "avg": "1.6666666666666667", "min": "-1", "max": "3"},
    "big": {
        "count": "3",
        "sum": "18014398509481986",
        "avg": "6004799503160662.0000",
        "min": "1",
        "max": "9007199254740993",
    },
    "real": {"count": "3", "sum": "1", "avg": "0.3333333333333333", "min": "0.1", "max": "0.7"},
    "money": {"count": "3", "sum": "8.85", "avg": "2.9500000000000000", "min": "-1.25", "max": "10.00"},
    "exact": {
        "count": "3",
        "sum": "1.0000000001",
        "avg": "0.33333333336666666667",
        "min": "-1.0000000000",
        "max": "2.0000000000",
    },
    "text": {"count": "3", "min": '"Z"', "max": '"é"'},
    "day": {"count": "3", "min": '"1969-12-31"', "max": '"2024-02-29"'},
    "moment": {"count": "3", "min": '"1969-12-31T23:59:59.999+00:00"', "max": '"2026-01-31T09:30:00.12+00:00"'},
    "flag": {"count": "3"},
    "uuid": {"count": "3"},
    "texts": {"count": "3"},
    "free": {"count": "3"},
}
CELLS = [(name, function) for name, functions in ANSWERS.items() for function in functions]


def test_every_function_on_every_kind_is_answered_or_refused() -> None:
    functions = {"count", "sum", "avg", "min", "max"}
    assert sum(len(each) for each in ANSWERS.values()) == len(CELLS) == 38
    refused = {(name, function) for name in VALUES for function in functions} - set(CELLS)
    assert len(refused) == 12 * 5 - 38
    assert {name for name, function in refused if function == "count"} == set()


@pytest.fixture(scope="module")
def samples(opened: Opened) -> Iterator[Asker]:
    """Records 0 to 3 with the values, 10 to 19 with none."""
    with opened("lab") as asker:
        rows: list[dict[str, Value]] = [{"id": number} for number in (0, 1, 2, 3, *range(10, 20))]
        fields = asker.catalog["samples"].fields
        for name, values in VALUES.items():
            for row, value in zip(rows, values, strict=False):
                typed = isinstance(value, str) and name in ("day", "moment", "uuid")
                row[name] = from_text(fields[name].type, value) if typed else value
        asker.fill({"samples": rows})
        yield asker


@pytest.mark.parametrize(("name", "function"), CELLS)
class TestCells:
    def test_of_everything(self, samples: Asker, name: str, function: str) -> None:
        answer = ANSWERS[name][function]
        assert samples.body(f"samples?select={name}.{function}()") == f'[{{"{function}":{answer}}}]'
        assert samples.body(f"samples?select=it:{name}.{function}()&id=lt.10") == f'[{{"it":{answer}}}]'
        assert samples.total(f"samples?select={name}.{function}()") == 1

    def test_of_nulls_and_of_nothing(self, samples: Asker, name: str, function: str) -> None:
        empty = "0" if function == "count" else "null"
        for condition in ("id=gte.10", "id=lt.0"):
            assert samples.body(f"samples?select={name}.{function}()&{condition}") == f'[{{"{function}":{empty}}}]'
        assert samples.body(f"samples?select=id,{name}.{function}()&id=lt.0") == "[]"

    def test_as_text(self, samples: Asker, name: str, function: str) -> None:
        """A cast of what comes out; numbers are written as they are in PostgreSQL, dates too."""
        answer = ANSWERS[name][function].strip('"').replace("T", " ").replace("+00:00", "+00")
        assert samples.body(f"samples?select=it:{name}.{function}()::text") == f'[{{"it":"{answer}"}}]'

    def test_by_groups(self, samples: Asker, name: str, function: str) -> None:
        text = f"samples?select=id,it:{name}.{function}()&id=lt.4"
        count = [int(value is not None) for value in VALUES[name]]
        found = samples.ask(text)
        assert [record["id"] for record in found] == [0, 1, 2, 3]
        if function == "count":
            assert [record["it"] for record in found] == count
        else:
            assert [record["it"] is not None for record in found] == [bool(each) for each in count]


def test_the_records_themselves_are_counted(samples: Asker) -> None:
    assert samples.body("samples?select=count()") == '[{"count":14}]'
    assert samples.body("samples?select=n:count(),small.count()") == '[{"n":14,"count":3}]'
    assert samples.body("samples?select=count()&id=lt.0") == '[{"count":0}]'
    assert samples.body("samples?select=count()::text") == '[{"count":"14"}]'


def test_casts_of_what_goes_in(samples: Asker) -> None:
    assert samples.body("samples?select=money::int.sum(),a:money::int.avg()") == '[{"sum":9,"a":3.0000000000000000}]'
    assert samples.body("samples?select=small::float8.sum(),a:small::float8.avg()") == (
        '[{"sum":5,"a":1.6666666666666667}]'
    )
    assert samples.body("samples?select=small::numeric.avg(),x:small::text.max()") == (
        '[{"avg":1.6666666666666667,"x":"3"}]'
    )
    assert samples.body("samples?select=real::numeric.sum(),n:real::int.sum()") == '[{"sum":1.0,"n":1}]'
    assert samples.body("samples?select=moment::date.max()") == '[{"max":"2026-01-31"}]'
    assert samples.body("samples?select=small.avg()::int,s:money.sum()::int,t:real.avg()::numeric") == (
        '[{"avg":2,"s":9,"t":0.333333333333333}]'
    )
    assert samples.body("samples?select=n:free.count(),m:free->>a.count()") == '[{"n":3,"m":0}]'


class TestGroups:
    def test_by_a_column(self, studio: Asker) -> None:
        text = "films?select=year,count(),budget.sum(),s:score.min()"
        one = {"year": 1999, "count": 2, "sum": 100, "s": Decimal("0.2")}
        two = {"year": 2001, "count": 2, "sum": 75, "s": Decimal("0.1")}
        none = {"year": None, "count": 1, "sum": None, "s": None}
        assert studio.ask(text) == [one, two, none]
        assert studio.ask(f"{text}&order=year.desc") == [none, two, one]
        assert studio.ask(f"{text}&order=year.desc.nullslast&limit=2&offset=1") == [one, none]
        assert (studio.total(text), studio.total(f"{text}&limit=1")) == (3, 3)
        assert studio.ask(f"{text}&seen=is.true") == [{**one, "count": 2}]

    def test_by_several_columns(self, studio: Asker) -> None:
        found = studio.ask("films?select=seen,year,count()&order=year,seen.desc")
        assert [tuple(each.values()) for each in found] == [
            (True, 1999, 2),
            (None, 2001, 1),
            (False, 2001, 1),
            (None, None, 1),
        ]
        found = studio.ask("films?select=seen,year,count()")
        assert [tuple(each.values())[:2] for each in found] == [(False, 2001), (True, 1999), (None, 2001), (None, None)]

    def test_by_arrays_and_instants(self, studio: Asker) -> None:
        assert [each["count"] for each in studio.ask("films?select=tags,count()")] == [1, 1, 3]
        assert [each["tags"] for each in studio.ask("films?select=tags,count()&order=tags.desc")] == [
            None,
            ["new", "old"],
            [],
        ]
        assert [each["count"] for each in studio.ask("films?select=added,count()")] == [1, 4]

    def test_by_a_path(self, studio: Asker) -> None:
        assert studio.ask("films?select=a:extra->>a,count()") == [{"a": "1", "count": 2}, {"a": None, "count": 3}]
        assert studio.ask("films?select=n:extra->>n,count()") == [{"n": None, "count": 5}]
        assert studio.ask("films?select=tag:tags->>0,count(),title.max()&order=tags->>0.desc") == [
            {"tag": None, "count": 4, "max": "Gamma"},
            {"tag": "new", "count": 1, "max": "Alpha"},
        ]

    def test_by_a_cast(self, studio: Asker) -> None:
        assert studio.ask("films?select=y:year::text,count()") == [
            {"y": "1999", "count": 2},
            {"y": "2001", "count": 2},
            {"y": None, "count": 1},
        ]
        assert studio.ask("films?select=r:rating::int,count()") == [
            {"r": 0, "count": 1},
            {"r": 8, "count": 2},
            {"r": None, "count": 2},
        ]

    def test_by_a_record(self, studio: Asker) -> None:
        """The group has the record; no record differs from one that is all null."""
        assert studio.ask("films?select=director(name),count()") == [
            {"director": {"name": "Ada"}, "count": 2},
            {"director": {"name": "Bo"}, "count": 1},
            {"director": None, "count": 2},
        ]
        found = studio.ask("people?select=profiles(bio),count()")
        assert [(each["profiles"], each["count"]) for each in found] == [
            ({"bio": "first"}, 1),
            ({"bio": None}, 1),
            (None, 2),
        ]
        assert studio.total("people?select=profiles(bio),count()") == 3

    def test_by_a_spread(self, studio: Asker) -> None:
        assert studio.ask("films?select=...director(name),count(),budget.sum()") == [
            {"name": "Ada", "count": 2, "sum": 150},
            {"name": "Bo", "count": 1, "sum": None},
            {"name": None, "count": 2, "sum": 25},
        ]
        assert studio.ask("films?select=...director(name,...boss(boss:name)),count()&order=director(name).desc") == [
            {"name": None, "boss": None, "count": 2},
            {"name": "Bo", "boss": "Ada", "count": 1},
            {"name": "Ada", "boss": None, "count": 2},
        ]

    def test_of_a_spread(self, studio: Asker) -> None:
        """The aggregates are over the parent's records."""
        assert studio.ask("scenes?select=...film(budget.sum(),title.max())") == [{"sum": 350, "max": "Gamma"}]
        assert studio.ask("scenes?select=place,...film(budget.sum(),n:rating.avg()::text)") == [
            {"place": "hall", "sum": 150, "n": "8.0750000000000000"},
            {"place": "roof", "sum": 100, "n": "8.1000000000000000"},
            {"place": "sea", "sum": None, "n": None},
            {"place": None, "sum": 100, "n": "8.1000000000000000"},
        ]
        assert studio.ask("scenes?select=...film(title,...director(born.max())),count()&film.title=eq.Beta") == [
            {"title": "Beta", "max": "1950-01-01", "count": 1},
            {"title": None, "max": None, "count": 4},
        ]

    def test_in_an_embed(self, studio: Asker) -> None:
        text = "films?select=id,scenes(count(),minutes.sum(),minutes.avg())&id=in.(1,2,4)"
        assert studio.body(text) == (
            '[{"id":1,"scenes":[{"count":3,"sum":13,"avg":4.3333333333333333}]},'
            '{"id":2,"scenes":[{"count":1,"sum":null,"avg":null}]},{"id":4,"scenes":[{"count":0,"sum":null,"avg":null}]}]'
        )
        text = "films?select=id,scenes(minutes,count())&id=in.(1,4)&scenes.order=minutes.desc"
        assert studio.ask(text) == [
            {"id": 1, "scenes": [{"minutes": 5, "count": 2}, {"minutes": 3, "count": 1}]},
            {"id": 4, "scenes": []},
        ]
        assert studio.ask(f"{text}&scenes.limit=1&scenes.offset=1")[0]["scenes"] == [{"minutes": 3, "count": 1}]

    def test_in_a_many_to_many_embed(self, studio: Asker) -> None:
        found = studio.ask("genres?select=name,films(count(),budget.sum())&films.year=gte.2000")
        assert [(each["name"], *each["films"][0].values()) for each in found] == [
            ("comedy", 0, None),
            ("drama", 1, 50),
            ("noir", 1, 25),
            ("unused", 0, None),
        ]
        found = studio.ask("halls?select=id,films(count(),budget.sum())")
        assert [tuple(each["films"][0].values()) for each in found] == [(2, 100), (1, 100), (0, None)]

    def test_in_an_inner_embed(self, studio: Asker) -> None:
        text = "films?select=id,scenes!inner(count())&scenes.place=eq.hall"
        assert studio.ask(text) == [{"id": 1, "scenes": [{"count": 1}]}, {"id": 2, "scenes": [{"count": 1}]}]
        assert studio.ask("films?select=count(),scenes!inner()") == [{"count": 3}]

    def test_over_filtered_embeds(self, studio: Asker) -> None:
        assert studio.ask("films?select=count(),scenes()&scenes=is.null") == [{"count": 2}]
        assert studio.ask("films?select=year,count(),genres()&genres.name=eq.drama&genres=not.is.null") == [
            {"year": 1999, "count": 1},
            {"year": 2001, "count": 1},
        ]

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("films?select=title.sum()", "42883"),
            ("films?select=seen.max()", "42883"),
            ("films?select=tags.min()", "42883"),
            ("films?select=extra.sum()", "42883"),
            ("films?select=extra->>a.sum()", "42883"),
            ("films?select=year,count()&order=title", "42803"),
            ("films?select=scenes(number),count()", "0A000"),
            ("films?select=extra,count()", "0A000"),
            ("films?select=a:extra->a,count()", "0A000"),
            ("people?select=profiles(facts),count()", "0A000"),
            ("films?select=extra::text.max()", "0A000"),
            ("films?select=tags::text.count()", "0A000"),
            ("films?select=x:extra::text,count()", "0A000"),
            ("films?select=year.median()", "PGRST100"),
        ],
    )
    def test_refused(self, studio: Asker, text: str, code: str) -> None:
        with pytest.raises(RequestError) as caught:
            studio.plan(text)
        assert (caught.value.status, caught.value.code) == (400, code)


class TestLimits:
    """Exact up to 34 digits, and an error beyond; never rounded on the way."""

    @pytest.fixture
    def asker(self, samples: Asker) -> Iterator[Asker]:
        """The records from 1000 on are the test's own."""
        yield samples
        samples.delete("samples", gte("id", 1000))

    @pytest.mark.parametrize(
        ("name", "values", "total", "mean"),
        [
            ("big", [2**63 - 1] * 3, "27670116110564327421", "9223372036854775807"),
            ("big", [-(2**63)] * 3, "-27670116110564327424", "-9223372036854775808"),
            ("big", [2**63 - 1, -(2**63)], "-1", "-0.50000000000000000000"),
            ("small", [2**31 - 1] * 4, "8589934588", "2147483647.00000000"),
            ("whole", [Decimal("9" * 33), Decimal(1)], "1" + "0" * 33, "5" + "0" * 32),
            ("whole", [Decimal("9" * 34), Decimal("-" + "9" * 34), Decimal(1)], "1", "0.33333333333333333333"),
            ("whole", [Decimal("9" * 34), Decimal(1), Decimal(-1)], "9" * 34, "3" * 34),
            ("exact", [Decimal("9" * 24 + ".9999999999")], "9" * 24 + ".9999999999", "9" * 24 + ".9999999999"),
            ("exact", [Decimal("0.0000000001")] * 3, "0.0000000003", "0.0000000001000000000000000000"),
            ("money", [Decimal("9999999999.99")] * 2, "19999999999.98", "9999999999.99000000"),
            ("money", [Decimal("0.01"), Decimal("0.02")], "0.03", "0.01500000000000000000"),
            ("money", [Decimal("-0.01"), Decimal("0.01")], "0.00", "0.00000000000000000000"),
            ("real", [0.1] * 10, "1", "0.1"),
            ("real", [1e15, 0.1, -1e15], "0.1", "0.03333333333333333"),
            ("real", [1e308, 1e308, -1e308], "1e+308", "3.333333333333333e+307"),
            ("real", [5e-324, 5e-324], "1e-323", "5e-324"),
            ("real", [-0.0], "0", "0"),
            ("real", [1e16, 1.0], "1e+16", "5e+15"),
            # Halfway between two doubles: PostgreSQL writes 1e23 with more digits.
            ("real", [1e23, 1e22], "1.0999999999999999e+23", "5.499999999999999e+22"),
        ],
    )
    def test_exact(self, asker: Asker, name: str, values: list[Value], total: str, mean: str) -> None:
        asker.insert("samples", *({"id": 1000 + number, name: value} for number, value in enumerate(values)))
        assert asker.body(f"samples?select={name}.sum()&id=gte.1000") == f'[{{"sum":{total}}}]'
        assert (
            asker.body(f"samples?select={name}.sum(),avg:{name}.avg()&id=gte.1000")
            == f'[{{"sum":{total},"avg":{mean}}}]'
        )

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("whole", [Decimal("9" * 34), Decimal(1)]),
            ("whole", [Decimal("-" + "9" * 34)] * 2),
            ("exact", [Decimal("9" * 24 + ".9999999999"), Decimal("0.0000000001")]),
            ("real", [1.5e308, 1.5e308]),
        ],
    )
    def test_too_large(self, asker: Asker, name: str, values: list[Value]) -> None:
        asker.insert("samples", *({"id": 1000 + number, name: value} for number, value in enumerate(values)))
        for columns in (f"{name}.sum()", f"flag,{name}.sum()"):
            with pytest.raises(RepositoryError) as caught:
                asker.repository.json(asker.plan(f"samples?select={columns}&id=gte.1000"))
            assert (type(caught.value), caught.value.code) == (ValueOutOfRange, "22003")
        assert asker.body("samples?select=count()&id=gte.1000") == '[{"count":2}]'

    @pytest.mark.parametrize(
        ("name", "values", "total", "mean"),
        [
            ("text", ["0.1", "1e-34"], "0.1000000000000000000000000000000001", None),
            ("text", ["0." + "3" * 34] * 3, "0." + "9" * 34, "0." + "3" * 34),
            ("text", ["9" * 34, "-" + "9" * 34, "2.50"], "2.50", "0.83333333333333333333"),
            ("text", ["1e-300", "1e-301"], "0." + "0" * 299 + "11", None),
            ("text", [None, "0.50", "1"], "1.50", "0.75000000000000000000"),
            ("text", [None, None], "null", "null"),
            ("real", [1e300, 1e20, -1e300, 0.5], "1" + "0" * 20 + ".5", None),
            ("real", [1e300, -1e300, None], "0", "0.00000000000000000000"),
        ],
    )
    def test_exact_casts(self, asker: Asker, name: str, values: list[Value], total: str, mean: str | None) -> None:
        asker.insert("samples", *({"id": 1000 + number, name: value} for number, value in enumerate(values)))
        assert asker.body(f"samples?select=sum:{name}::numeric.sum()&id=gte.1000") == f'[{{"sum":{total}}}]'
        if mean is not None:
            assert asker.body(f"samples?select=avg:{name}::numeric.avg()&id=gte.1000") == f'[{{"avg":{mean}}}]'

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("text", ["0." + "9" * 34, "0.1"]),
            ("text", ["1", "1e-34"]),
            ("text", ["1", "1e-300"]),
            ("real", [2.5e-240, 3.1]),
            ("real", [1e300, 1e20]),
            ("real", [5e-324, -5e-324, 0.1]),
        ],
    )
    def test_casts_too_large(self, asker: Asker, name: str, values: list[Value]) -> None:
        asker.insert("samples", *({"id": 1000 + number, name: value} for number, value in enumerate(values)))
        for function in ("sum", "avg"):
            with pytest.raises(ValueOutOfRange):
                asker.repository.json(asker.plan(f"samples?select={name}::numeric.{function}()&id=gte.1000"))

    def test_casts_of_what_comes_out(self, asker: Asker) -> None:
        asker.insert("samples", {"id": 1001, "small": 2**31 - 1, "text": "7"}, {"id": 1002, "small": 1, "text": "8"})
        with pytest.raises(CastFailed):
            asker.repository.json(asker.plan("samples?select=small.sum()::int&id=gte.1000"))
        assert asker.body("samples?select=small.sum()::bigint&id=gte.1000") == '[{"sum":2147483648}]'
        found = asker.body("samples?select=text::int.sum(),a:text::numeric.avg()&id=gte.1000")
        assert found == '[{"sum":15,"a":7.5000000000000000}]'
        assert asker.body("samples?select=small.avg()::float8&id=gte.1000") == '[{"avg":1073741824}]'

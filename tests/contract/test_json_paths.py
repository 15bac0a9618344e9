"""Paths into JSON: what they lead to, how it is shown and sorted, at every edge."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal

import pytest

from repositories.schema import Kind, Type, Value
from repositories.texts import from_text
from service.errors import RequestError
from tests.contract.asking import Asker, condition
from tests.contract.conftest import Opened
from tests.contract.queries import eq

KEYS = {
    "": 1, "$a": 2, "a.b": 3, "a b": 4, 'q"': 5, "\\": 6, "0": 7, "ключ": 8, "a->b": 9, "-1": 10, "$oid": 11, "%": 12,
}  # fmt: skip
#: Free JSON by number; 0 has null, and what is missing is null where nulls are left out.
DOCUMENTS: list[Value] = [
    None,
    KEYS,
    {"a": {"b": {"c": [10, [20, 21], {"d": "deep"}]}}},
    [1, "two", None, [True], {"k": "v"}],
    "text",
    7,
    False,
    {},
    [],
    {"a": None, "b": [None], "c": ""},
    {"a": [1, 2, 3]},
    {"a": 1.50, "b": 1e21, "c": -0.0, "d": 2**63 - 1, "e": 1e-7},
]


@pytest.fixture(scope="module")
def samples(opened: Opened) -> Iterator[Asker]:
    """The documents, then one record for each value to be sorted (from 100 on), then arrays (200)."""
    with opened("lab") as asker:
        rows: list[dict[str, Value]] = [{"id": number, "free": value} for number, value in enumerate(DOCUMENTS)]
        rows += [{"id": 100 + number, "free": {"v": value}} for number, value in enumerate(SORTED)]
        rows += [{"id": 120, "free": {}}, {"id": 121}, {"id": 122, "free": {"v": None}}]
        asker.fill({"samples": rows})
        yield asker


#: In ascending order; equal ones stand side by side, arrays and objects are ties.
SORTED: list[Value] = [
    "", "A", "a", "é", "😀", -1e300, -5, -0.5, 0, 0.25, 7, 2**53 + 1, 1e300, False, True, [], [1], ["a"], {"b": 1}, {},
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "path", "json", "text"),
    [
        (0, "->a", "null", "null"),
        *((1, f'->"{key}"', str(n), f'"{n}"') for key, n in KEYS.items() if key not in ('q"', "\\")),
        (1, '->"q\\""', "5", '"5"'),
        (1, '->"\\\\"', "6", '"6"'),
        (1, "->$a", "2", '"2"'),
        (1, "->0", "null", "null"),
        (1, "->-1", "null", "null"),
        (1, "->nowhere", "null", "null"),
        (2, "->a->b->c->0", "10", '"10"'),
        (2, "->a->b->c->1->-1", "21", '"21"'),
        (2, "->a->b->c->-1->d", '"deep"', '"deep"'),
        (2, "->a->b->c->1", "[20, 21]", '"[20, 21]"'),
        (2, "->a->b->c->3", "null", "null"),
        (2, "->a->b->c->-4", "null", "null"),
        (2, "->a->c->b", "null", "null"),
        (2, "->a->b", '{"c": [10, [20, 21], {"d": "deep"}]}', '"{\\"c\\": [10, [20, 21], {\\"d\\": \\"deep\\"}]}"'),
        (3, "->0", "1", '"1"'),
        (3, "->1", '"two"', '"two"'),
        (3, "->2", "null", "null"),
        (3, "->-5", "1", '"1"'),
        (3, "->-6", "null", "null"),
        (3, "->3->0", "true", '"true"'),
        (3, "->-1->k", '"v"', '"v"'),
        (3, "->a", "null", "null"),
        (3, '->"0"', "null", "null"),
        (3, "->k", "null", "null"),
        (4, "->0", "null", "null"),
        (4, "->-1", "null", "null"),
        (4, "->a", "null", "null"),
        (5, "->0", "null", "null"),
        (6, "->a", "null", "null"),
        (7, "->a", "null", "null"),
        (8, "->0", "null", "null"),
        (9, "->a", "null", "null"),
        (9, "->a->b", "null", "null"),
        (9, "->b", "[null]", '"[null]"'),
        (9, "->b->0", "null", "null"),
        (9, "->c", '""', '""'),
        (10, "->a->1", "2", '"2"'),
        (10, "->a->b", "null", "null"),
        (11, "->a", "1.5", '"1.5"'),
        (11, "->b", "1000000000000000000000", '"1000000000000000000000"'),
        (11, "->d", "9223372036854775807", '"9223372036854775807"'),
        (11, "->e", "0.0000001", '"0.0000001"'),
    ],
)
def test_where_a_path_leads(samples: Asker, number: int, path: str, json: str, text: str) -> None:
    """As JSON, as text, and as null or not in a condition, where a text of an array or object is null."""
    encoded = condition(f"free{path}", "").removesuffix("=")
    assert samples.body(f"samples?select=it:{encoded}&id=eq.{number}") == f'[{{"it":{json}}}]'
    arrow = encoded.rfind("-%3E")
    as_text = encoded[:arrow] + "-%3E%3E" + encoded[arrow + 4 :]
    if path == '->"a->b"':
        as_text = encoded.replace("-%3E%22", "-%3E%3E%22", 1)
    assert samples.body(f"samples?select=it:{as_text}&id=eq.{number}") == f'[{{"it":{text}}}]'
    there = [number] if json != "null" else []
    assert samples.values(f"samples?select=id&id=eq.{number}&{encoded}=not.is.null") == there
    if there and json[0] in "[{":
        there = []
    assert samples.values(f"samples?select=id&id=eq.{number}&{as_text}=not.is.null") == there


def test_names_of_what_is_selected(samples: Asker) -> None:
    assert samples.body("samples?select=free->a->>b,free->0&id=eq.0") == '[{"b":null,"free":null}]'
    assert samples.body('samples?select=free->"a.b",free->a->0&id=eq.1') == '[{"a.b":3,"a":null}]'


@pytest.mark.parametrize("words", ["", ".desc", ".nullsfirst", ".desc.nullslast"])
def test_order(samples: Asker, words: str) -> None:
    """Strings, numbers, booleans, arrays, objects; arrays are ties and so are objects, which the next key breaks."""
    backwards = "desc" in words
    kinds = [*([each] for each in range(100, 115)), [115, 116, 117], [118, 119]]
    nulls = [120, 121, 122]
    rest = [number for kind in (kinds[::-1] if backwards else kinds) for number in kind]
    nulls_first = "nullsfirst" in words or words == ".desc"
    expected = nulls + rest if nulls_first else rest + nulls
    text = f"samples?select=id&id=gte.100&id=lt.123&order=free->v{words}"
    assert [record["id"] for record in samples.ask(text)] == expected
    pages = [samples.values(f"{text}&limit=5&offset={at}") for at in range(0, len(expected), 5)]
    assert [number for page in pages for number in page] == expected


def test_order_by_text(samples: Asker) -> None:
    """Numbers and booleans by their text, arrays and objects as null."""
    found = [record["id"] for record in samples.ask("samples?select=id&id=gte.100&id=lt.123&order=free->>v")]
    texts = [(str(value).lower() if isinstance(value, bool) else value, 100 + n) for n, value in enumerate(SORTED)]
    shown = {-1e300: "-1" + "0" * 300, 1e300: "1" + "0" * 300}
    scalars = [
        (each if isinstance(each, str) else shown.get(each, str(each)), number)
        for each, number in texts
        if not isinstance(each, list | dict)
    ]
    assert found == [number for _, number in sorted(scalars)] + [115, 116, 117, 118, 119, 120, 121, 122]


def test_order_by_a_whole_column(samples: Asker) -> None:
    found = samples.values("samples?select=id&id=lt.12&order=free,id.desc")
    assert found == [4, 5, 6, 10 - 2, 3, 11, 10, 9, 7, 2, 1, 0]


def test_equality_is_of_the_whole_value(samples: Asker) -> None:
    for path, value, expected in [
        ("free->a", "[1,2,3]", [10]),
        ("free->a", "1", []),
        ("free->a->0", "1", [10]),
        ("free->a", "1.5", [11]),
        ("free", "{}", [7]),
        ("free", "[]", [8]),
        ("free->b", "[null]", [9]),
        ("free->3", "[true]", [3]),
        ("free->c", '""', [9]),
        ("free->c", "0", [11]),
    ]:
        assert samples.values(f"samples?select=id&id=lt.100&{condition(path, f'eq.{value}')}") == expected, path


QUOTE = '"'


def scaled(value: Value, kind: Type) -> Value:
    """A decimal with the declared number of digits, as the planner hands it on."""
    if kind.kind is not Kind.DECIMAL:
        return value
    assert kind.scale is not None
    return Decimal(value).quantize(Decimal(1).scaleb(-kind.scale), context=Context(prec=50))


class TestArrays:
    """Arrays are JSON arrays to a path; their items are what an answer shows."""

    @pytest.mark.parametrize(
        ("column", "values", "path", "json", "text"),
        [
            ("texts", ["a", "b"], "->0", '"a"', '"a"'),
            ("texts", ["a", "b"], "->-1", '"b"', '"b"'),
            ("texts", ["a", "b"], "->2", "null", "null"),
            ("texts", ["a"], "->a", "null", "null"),
            ("texts", ['{"a": 1}'], "->0->a", "null", "null"),
            ("texts", [], "->0", "null", "null"),
            ("bigs", [2**63 - 1, -5], "->0", "9223372036854775807", '"9223372036854775807"'),
            ("flags", [True, False], "->1", "false", '"false"'),
            ("reals", [1e15, 0.5, 1.0, -0.0], "->0", "1000000000000000", '"1000000000000000"'),
            ("reals", [1e15, 0.5, 1.0, -0.0], "->1", "0.5", '"0.5"'),
            ("reals", [1e15, 0.5, 1.0, -0.0], "->2", "1", '"1"'),
            ("reals", [1e15, 0.5, 1.0, -0.0], "->3", "0", '"0"'),
            ("moneys", ["1.50", "0"], "->0", "1.50", '"1.50"'),
            ("wholes", ["9" * 34], "->0", "9" * 34, f'"{"9" * 34}"'),
            ("days", ["0001-01-01", "2024-02-29"], "->1", '"2024-02-29"', '"2024-02-29"'),
            ("moments", ["2026-01-31T09:30:00.12Z"], "->0", *['"2026-01-31T09:30:00.12+00:00"'] * 2),
            ("uuids", ["A" * 32], "->0", *['"aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"'] * 2),
        ],
    )
    def test_items(self, samples: Asker, column: str, values: list[Value], path: str, json: str, text: str) -> None:
        kind = samples.catalog["samples"].fields[column].type.items
        assert kind is not None
        typed = [scaled(from_text(kind, each), kind) if isinstance(each, str) else each for each in values]
        samples.insert("samples", {"id": 1000, column: typed})
        try:
            as_text = path[: path.rfind("->")] + "->>" + path[path.rfind("->") + 2 :]
            assert samples.body(f"samples?select=it:{column}{path}&id=eq.1000") == f'[{{"it":{json}}}]'
            assert samples.body(f"samples?select=it:{column}{as_text}&id=eq.1000") == f'[{{"it":{text}}}]'
            met = [] if json == "null" else [1000]
            assert samples.values(f"samples?select=id&{column}{path}=not.is.null") == met
            if met:
                if column != "wholes":  # a number in a filter on JSON is an int64 or a double
                    assert samples.values(f"samples?select=id&{condition(column + path, f'eq.{json}')}") == met
                same = condition(column + as_text, f"eq.{text.strip(QUOTE)}")
                assert samples.values(f"samples?select=id&{same}") == met
        finally:
            samples.delete("samples", eq("id", 1000))

    @pytest.mark.parametrize("column", ["text", "small", "day", "flag", "uuid"])
    def test_scalars_have_no_paths(self, samples: Asker, column: str) -> None:
        for text in (f"select={column}->a", f"{column}->>a=eq.x", f"order={column}->0"):
            with pytest.raises(RequestError) as caught:
                samples.plan(f"samples?{text}")
            assert (caught.value.status, caught.value.code) == (400, "42883")

"""Every cast there is, over values and their edges; and what cannot be cast, refused alike by every store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from repositories.errors import CastFailed, RepositoryError
from repositories.expressions import CAST_NAMES, castable
from repositories.schema import Kind, Value
from service.errors import RequestError
from tests.contract.asking import Asker
from tests.contract.conftest import Opened
from tests.contract.queries import gte
from tests.contract.samples import LADDERS

#: For each column, stored values, and for each cast the texts that they have in the answer's JSON.
VALUES: dict[str, list[Value]] = {
    "text": ["", "é\n", '"q"', "\\"],
    "uuid": [LADDERS["uuid"][0], LADDERS["uuid"][-1]],
    "day": [LADDERS["day"][0], LADDERS["day"][-2], LADDERS["day"][-1]],
    "moment": [LADDERS["moment"][0], LADDERS["moment"][2], LADDERS["moment"][5], LADDERS["moment"][-1]],
    "small": [-(2**31), -1, 0, 2**31 - 1],
    "big": [-(2**63), 0, 2**53 + 1, 2**63 - 1],
    "real": [-0.0, 0.5, 1.5, 2.5, -2.5, 0.1, 1e-5, 1e15, 123456.789, 1 / 3],
    "money": [Decimal("-0.50"), Decimal("0.00"), Decimal("0.49"), Decimal("1.50"), Decimal("2.50")],
    "whole": [Decimal("9" * 34), Decimal(-7)],
    "flag": [True, False],
    "texts": [[], ["a", "b c", "", "null", "NULLs", 'q"', "\\", "a,b", "{}", "\t"]],
    "bigs": [[1, -2]],
    "flags": [[True, False]],
    "moneys": [[Decimal("1.50"), Decimal("0.00")]],
    "reals": [[1.0, 1e15, -0.0]],
    "moments": [[LADDERS["moment"][5], LADDERS["moment"][1]]],
    "days": [[LADDERS["day"][0]]],
    "uuids": [[LADDERS["uuid"][0]]],
    "free": ["s", 1, 2.5, 3.5, -2.5, True, {"b": 1, "a": [None]}, 1e15],
}
_ZERO, _LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
#: What the answer's JSON has, value by value; where a value is missing, the cast of it fails (see `FAILING`).
ANSWERS: dict[str, dict[str, list[str]]] = {
    "text": {"text": ['""', '"é\\n"', '"\\"q\\""', '"\\\\"'], "json": ['""', '"é\\n"', '"\\"q\\""', '"\\\\"']},
    "uuid": {"text": [f'"{_ZERO}"', f'"{_LAST}"'], "json": [f'"{_ZERO}"', f'"{_LAST}"']},
    "day": {
        "text": ['"0001-01-01"', '"2024-02-29"', '"9999-12-31"'],
        "json": ['"0001-01-01"', '"2024-02-29"', '"9999-12-31"'],
        "timestamptz": [
            '"0001-01-01T00:00:00+00:00"',
            '"2024-02-29T00:00:00+00:00"',
            '"9999-12-31T00:00:00+00:00"',
        ],
    },
    "moment": {
        "text": [
            '"0001-01-01 00:00:00+00"',
            '"1969-12-31 23:59:59.999+00"',
            '"2026-01-31 09:30:00.12+00"',
            '"9999-12-31 23:59:59.999+00"',
        ],
        "jsonb": [
            '"0001-01-01T00:00:00+00:00"',
            '"1969-12-31T23:59:59.999+00:00"',
            '"2026-01-31T09:30:00.12+00:00"',
            '"9999-12-31T23:59:59.999+00:00"',
        ],
        "date": ['"0001-01-01"', '"1969-12-31"', '"2026-01-31"', '"9999-12-31"'],
    },
    "small": {
        "text": ['"-2147483648"', '"-1"', '"0"', '"2147483647"'],
        "bigint": ["-2147483648", "-1", "0", "2147483647"],
        "float8": ["-2147483648", "-1", "0", "2147483647"],
        "numeric": ["-2147483648", "-1", "0", "2147483647"],
        "json": ["-2147483648", "-1", "0", "2147483647"],
    },
    "big": {
        "text": ['"-9223372036854775808"', '"0"', '"9007199254740993"', '"9223372036854775807"'],
        "float8": ["-9.223372036854776e+18", "0", "9.007199254740992e+15", "9.223372036854776e+18"],
        "numeric": ["-9223372036854775808", "0", "9007199254740993", "9223372036854775807"],
        "json": ["-9223372036854775808", "0", "9007199254740993", "9223372036854775807"],
    },
    "real": {
        "text": ['"-0"', '"0.5"', '"1.5"', '"2.5"', '"-2.5"', '"0.1"', '"1e-05"', '"1e+15"', '"123456.789"',
                 '"0.3333333333333333"'],
        "bigint": ["0", "0", "2", "2", "-2", "0", "0", "1000000000000000", "123457", "0"],
        "numeric": ["0", "0.5", "1.5", "2.5", "-2.5", "0.1", "0.00001", "1000000000000000", "123456.789",
                    "0.333333333333333"],
        "json": ["0", "0.5", "1.5", "2.5", "-2.5", "0.1", "0.00001", "1000000000000000", "123456.789",
                 "0.3333333333333333"],
    },
    "money": {
        "text": ['"-0.50"', '"0.00"', '"0.49"', '"1.50"', '"2.50"'],
        "int": ["-1", "0", "0", "2", "3"],
        "float8": ["-0.5", "0", "0.49", "1.5", "2.5"],
        "numeric": ["-0.50", "0.00", "0.49", "1.50", "2.50"],
        "json": ["-0.50", "0.00", "0.49", "1.50", "2.50"],
    },
    "whole": {"text": [f'"{"9" * 34}"', '"-7"'], "float8": ["1e+34", "-7"], "json": ["9" * 34, "-7"]},
    "flag": {"text": ['"true"', '"false"'], "json": ["true", "false"]},
    "texts": {
        "text": ['"{}"', json.dumps('{a,"b c","","null",NULLs,"q\\"","\\\\","a,b","{}","\t"}')],
        "json": ["[]", '["a", "b c", "", "null", "NULLs", "q\\"", "\\\\", "a,b", "{}", "\\t"]'],
    },
    "bigs": {"text": ['"{1,-2}"'], "json": ["[1, -2]"]},
    "flags": {"text": ['"{t,f}"'], "json": ["[true, false]"]},
    "moneys": {"text": ['"{1.50,0.00}"'], "json": ["[1.50, 0.00]"]},
    "reals": {"text": ['"{1,1e+15,-0}"'], "json": ["[1, 1000000000000000, 0]"]},
    "moments": {
        "text": ['"{\\"2026-01-31 09:30:00.12+00\\",\\"1582-10-10 00:00:00+00\\"}"'],
        "json": ['["2026-01-31T09:30:00.12+00:00", "1582-10-10T00:00:00+00:00"]'],
    },
    "days": {"text": ['"{0001-01-01}"'], "json": ['["0001-01-01"]']},
    "uuids": {"text": [f'"{{{_ZERO}}}"'], "json": [f'["{_ZERO}"]']},
    "free": {
        "text": ['"\\"s\\""', '"1"', '"2.5"', '"3.5"', '"-2.5"', '"true"', '"{\\"a\\": [null], \\"b\\": 1}"',
                 '"1000000000000000.0"'],
        "json": ['"s"', "1", "2.5", "3.5", "-2.5", "true", '{"a": [null], "b": 1}', "1000000000000000.0"],
    },
}  # fmt: skip
CELLS = [(name, cast) for name, casts in ANSWERS.items() for cast in casts]

#: Texts that can be cast, and what the answer's JSON has.
TEXTS: dict[str, dict[str, str]] = {
    "int": {"7": "7", "-2147483648": "-2147483648", "007": "7", "+1": "1"},
    "bigint": {"9223372036854775807": "9223372036854775807"},
    "float8": {"1e3": "1000", ".5": "0.5", "-0": "-0", "1e15": "1e+15", "5e-324": "5e-324"},
    "numeric": {"1.50": "1.50", "-0.00": "0.00", "1e3": "1000", "9" * 34: "9" * 34, "00.1": "0.1", "1e-3": "0.001"},
    "boolean": {"true": "true", "f": "false", "YES": "true", "0": "false"},
    "date": {"2024-02-29": '"2024-02-29"', "0001-01-01": '"0001-01-01"'},
    "timestamptz": {
        "2026-01-31T09:30:00.1239+02:00": '"2026-01-31T07:30:00.123+00:00"',
        "2026-01-31": '"2026-01-31T00:00:00+00:00"',
        "2026-01-31 09:30Z": '"2026-01-31T09:30:00+00:00"',
    },
    "uuid": {
        "{ABCDEF00-0000-7000-8000-000000000001}": '"abcdef00-0000-7000-8000-000000000001"',
        "0" * 32: f'"{_ZERO}"',
    },
    "text": {"": '""', "x": '"x"'},
}
#: What cannot be cast: the column, its value, and the cast.
FAILING: list[tuple[str, Value, str]] = [
    ("text", "x", "int"),
    ("text", "", "int"),
    ("text", " 7", "int"),
    ("text", "1_0", "int"),
    ("text", "0x1F", "int"),
    ("text", "1.5", "int"),
    ("text", "2147483648", "int"),
    ("text", "9223372036854775808", "bigint"),
    ("text", "NaN", "float8"),
    ("text", "infinity", "float8"),
    ("text", "1e400", "float8"),
    ("text", "NaN", "numeric"),
    ("text", "1,5", "numeric"),
    ("text", "9" * 35, "numeric"),
    ("text", "maybe", "boolean"),
    ("text", "now", "date"),
    ("text", "2023-02-29", "date"),
    ("text", "today", "timestamptz"),
    ("text", "2023-02-28T25:00Z", "timestamptz"),
    ("text", "zz", "uuid"),
    ("big", 2**31, "int"),
    ("big", -(2**31) - 1, "int"),
    ("real", 2147483647.5, "int"),
    ("real", 1e300, "bigint"),
    ("money", Decimal("2147483647.50"), "int"),
    ("whole", Decimal("9223372036854775808"), "bigint"),
    ("free", "7", "int"),
    ("free", True, "int"),
    ("free", {}, "numeric"),
    ("free", [1], "float8"),
    ("free", 1, "boolean"),
    ("free", "true", "boolean"),
    ("free", 2147483647.5, "int"),
    ("free", 1e300, "bigint"),
]


@pytest.fixture(scope="module")
def samples(opened: Opened) -> Iterator[Asker]:
    """The values from number 0 on, for all columns side by side; the texts to be cast from 100 on, JSON from 200."""
    with opened("lab") as asker:
        size = max(map(len, VALUES.values())) + 1
        rows: list[dict[str, Value]] = [{"id": number} for number in range(size)]
        for name, values in VALUES.items():
            for row, value in zip(rows, values, strict=False):
                row[name] = value
        texts = [text for casts in TEXTS.values() for text in casts]
        rows += [{"id": 100 + number, "text": text, "free": {"t": text}} for number, text in enumerate(texts)]
        asker.fill({"samples": rows})
        yield asker


def test_every_cast_has_a_cell() -> None:
    """Each pair of kinds is shown by values, by texts, or is refused; booleans and arrays have text and JSON only."""
    shown = {(_kind(name), CAST_NAMES[cast]) for name, cast in CELLS}
    shown |= {(Kind.STRING, CAST_NAMES[cast]) for cast in TEXTS}
    shown |= {(_kind(name), CAST_NAMES[cast]) for name, _, cast in FAILING}
    everything = {
        (source, target) for source in Kind for target in set(CAST_NAMES.values()) if castable(source, target)
    }
    same = {(kind, kind) for kind in Kind}
    assert everything - same - shown == set()
    assert len(CELLS) + sum(map(len, TEXTS.values())) + len(FAILING) >= 100


def _kind(name: str) -> Kind:
    return Kind.ARRAY if name.endswith("s") else {
        "text": Kind.STRING, "uuid": Kind.UUID, "day": Kind.DATE, "moment": Kind.DATETIME, "small": Kind.INT32,
        "big": Kind.INT64, "real": Kind.DOUBLE, "money": Kind.DECIMAL, "whole": Kind.DECIMAL, "flag": Kind.BOOLEAN,
        "free": Kind.JSON,
    }[name]  # fmt: skip


@pytest.mark.parametrize(("name", "cast"), CELLS)
def test_a_cast(samples: Asker, name: str, cast: str) -> None:
    """Value by value, and null stays null."""
    expected = [*ANSWERS[name][cast], "null"]
    body = samples.body(f"samples?select=it:{name}::{cast}&id=lt.{len(expected)}")
    assert body == "[" + ",".join(f'{{"it":{text}}}' for text in expected) + "]"
    assert samples.body(f"samples?select={name}::{cast}&id=eq.0") == f'[{{"{name}":{expected[0]}}}]'


@pytest.mark.parametrize("cast", TEXTS)
def test_texts_are_cast(samples: Asker, cast: str) -> None:
    first = 100 + sum(len(texts) for other, texts in list(TEXTS.items())[: list(TEXTS).index(cast)])
    where = f"id=gte.{first}&id=lt.{first + len(TEXTS[cast])}"
    expected = "[" + ",".join(f'{{"it":{text}}}' for text in TEXTS[cast].values()) + "]"
    assert samples.body(f"samples?select=it:text::{cast}&{where}") == expected
    assert samples.body(f"samples?select=it:free->>t::{cast}&{where}") == expected


def test_json_numbers_are_cast(samples: Asker) -> None:
    """Halves of JSON numbers, which are exact, go away from zero; those of doubles to even."""
    text = "samples?select=i:free::int,b:free::bigint,n:free::numeric,f:free::float8&id=in.(1,2,3,4)"
    assert samples.body(text) == (
        '[{"i":1,"b":1,"n":1,"f":1},{"i":3,"b":3,"n":2.5,"f":2.5},{"i":4,"b":4,"n":3.5,"f":3.5},'
        '{"i":-3,"b":-3,"n":-2.5,"f":-2.5}]'
    )
    assert samples.body("samples?select=it:free::bool&id=eq.5") == '[{"it":true}]'
    assert samples.body("samples?select=it:free->b::int&id=eq.6") == '[{"it":1}]'
    assert samples.body("samples?select=it:free->nowhere::int&id=lt.3") == '[{"it":null},{"it":null},{"it":null}]'


def test_where_is_asked_first(samples: Asker) -> None:
    """Records that a condition leaves out are not cast."""
    assert samples.body("samples?select=it:free::int&id=eq.1") == '[{"it":1}]'
    assert samples.ask("samples?select=it:text::int&id=lt.0") == []


@pytest.mark.parametrize("name", ["text", "free"])
def test_names_of_types(samples: Asker, name: str) -> None:
    for cast in CAST_NAMES:
        samples.plan(f"samples?select=it:text::{cast.replace(' ', '%20')}")
    with pytest.raises(RequestError) as caught:
        samples.plan(f"samples?select=it:{name}::money")
    assert caught.value.code == "42704"


def test_casts_that_there_are_not(samples: Asker) -> None:
    refused = 0
    for name in VALUES:
        for cast, target in CAST_NAMES.items():
            if castable(_kind(name), target):
                continue
            with pytest.raises(RequestError) as caught:
                samples.plan(f"samples?select=it:{name}::{cast.replace(' ', '%20')}")
            assert (caught.value.status, caught.value.code) == (400, "42846")
            refused += 1
    assert refused > 100


class TestFailures:
    @pytest.fixture
    def asker(self, samples: Asker) -> Iterator[Asker]:
        """The records from 1000 on are the test's own."""
        yield samples
        samples.delete("samples", gte("id", 1000))

    @pytest.mark.parametrize(("name", "value", "cast"), FAILING)
    def test_failing(self, asker: Asker, name: str, value: Value, cast: str) -> None:
        asker.insert("samples", {"id": 1001, name: value}, {"id": 1002, name: None})
        for text in (f"samples?select={name}::{cast}", f"samples?select=it:{name}::{cast},count()"):
            self.fails(asker, f"{text}&id=gte.1000")
        assert asker.body(f"samples?select=it:{name}::{cast}&id=eq.1002") == '[{"it":null}]'

    def fails(self, asker: Asker, text: str) -> None:
        read = asker.plan(text)

        def streamed() -> Any:
            with asker.repository.stream(read) as batches:
                return list(batches)

        for ask in (lambda: asker.repository.json(read), lambda: asker.repository.rows(read), streamed):
            with pytest.raises(RepositoryError) as caught:
                ask()
            assert (type(caught.value), caught.value.code) == (CastFailed, "22P02")

"""The matrix of operators: for each kind of column, a ladder of values, and which rungs each operator meets.

A ladder's values ascend strictly, so that a rung's place alone tells the answer. Below each ladder lie records without
a value, which no operator but `isdistinct` and `is` may meet, negated or not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from repositories.query import Operator
from repositories.schema import Kind, Type, Value
from repositories.texts import from_text
from tests.catalogs import lab

#: Texts of values in ascending order, their edges among them.
SCALARS: dict[str, list[str]] = {
    "text": ["", "A", "a*", "a,b(", 'a."\\', "null", "é", "😀"],
    "uuid": [f"{0:032x}", "01890000-0000-7000-8000-000000000000", "f" * 32],
    "day": ["0001-01-01", "1969-12-31", "2024-02-29", "9999-12-31"],
    "moment": [
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999+00:00",
        "2026-01-31 09:30:00.12",
        "9999-12-31T23:59:59.999Z",
    ],
    "small": ["-2147483648", "-1", "0", "7", "2147483647"],
    "big": ["-9223372036854775808", "0", "9007199254740992", "9007199254740993", "9223372036854775807"],
    "real": ["-1.5e300", "-0.1", "0", "5e-324", "0.1", "1e15", "1.7976931348623157e308"],
    "money": ["-9999999999.99", "-0.01", "0", "0.1", "9", "10.00"],
    "exact": ["-1e-10", "0.0000000001", "123456789012345678901234.0123456789", "123456789012345678901234.012345679"],
    "whole": ["-" + "9" * 34, "0", "9" * 33, "9" * 34],
    "flag": ["false", "true"],
}
JSONS = ['""', '"a"', '"b"', "-1", "0.5", "2", "false", "true", '[1, {"b": "x"}]', '{"a": 1, "b": [2]}']
#: What a text reads as that was JSON before, and that JSON.
TEXTS_OF_JSON = {"": '""', "-1": "-1", "0.5": "0.5", "A": '"A"', "b,c": '"b,c"', "true": "true", "é": '"é"'}


@dataclass(frozen=True)
class Subject:
    """What is compared: a column or path, the texts of its ladder, and the records that hold them."""

    column: str
    group: str
    ladder: list[str]
    records: list[dict[str, Value]]
    #: Records in which it is null, each in its own way.
    absent: list[dict[str, Value]] = field(default_factory=lambda: [{}, {}])
    #: How many of the lowest rungs have an order; the others are only equal or not.
    ordered: int = 1000
    #: What its type cannot read, and the code of the refusal.
    wrong: tuple[tuple[str, str], ...] = ()


def _scalar(name: str, kind: Type) -> Subject:
    records: list[dict[str, Value]] = [{name: from_text(Type(kind.kind), text)} for text in SCALARS[name]]
    group = {Kind.STRING: "text", Kind.BOOLEAN: "boolean"}.get(kind.kind, "scalar")
    return Subject(name, group, SCALARS[name], [_rescaled(name, each, kind) for each in records], wrong=WRONG[name])


def _rescaled(name: str, record: dict[str, Value], kind: Type) -> dict[str, Value]:
    """Decimals with the declared number of digits, as the planner hands them on."""
    if kind.kind is not Kind.DECIMAL:
        return record
    assert kind.scale is not None
    sign, digits, exponent = Decimal(record[name]).as_tuple()
    assert isinstance(exponent, int)
    return {name: Decimal((sign, digits + (0,) * (exponent + kind.scale), -kind.scale))}


def _array(name: str, scalar: Subject) -> Subject:
    """An empty array, a shorter one before a longer that begins with it, and others by their first item."""
    column, items = f"{name}s", [record[name] for record in scalar.records]
    low, high = (json.dumps(text, ensure_ascii=False) for text in (scalar.ladder[0], scalar.ladder[-1]))
    ladder = ["{}", f"{{{low}}}", f"{{{low},{low}}}", f"{{{low},{high}}}", f"{{{high}}}"]
    values = [[], [items[0]], [items[0], items[0]], [items[0], items[-1]], [items[-1]]]
    wrong = (("{", "22P02"), ("x", "22P02"), ("{NULL}", "22004"), ('{{"a"}}', "22P02"))
    return Subject(column, "array", ladder, [{column: value} for value in values], wrong=wrong)


def _subjects() -> Iterator[Subject]:
    fields = lab()["samples"].fields
    scalars = {name: _scalar(name, fields[name].type) for name in SCALARS}
    yield from scalars.values()
    yield from (_array(name, scalar) for name, scalar in scalars.items())
    wrong_json = (("{", "22P02"), ("a", "22P02"), ("null", "22004"), ("NaN", "22P02"))
    values = [json.loads(text) for text in JSONS]
    yield Subject("free", "json", JSONS, [{"free": value} for value in values], ordered=8, wrong=wrong_json)
    nowhere: list[dict[str, Value]] = [{}, {"free": {}}, {"free": {"v": None}}, {"free": [1]}, {"free": "v"}]
    wrapped: dict[str, list[Value]] = {
        "free->v": [{"v": value} for value in values],
        "free->w->1": [{"w": [0, value]} for value in values],
    }
    for column, documents in wrapped.items():
        rows: list[dict[str, Value]] = [{"free": document} for document in documents]
        yield Subject(column, "json", JSONS, rows, nowhere, ordered=8, wrong=wrong_json)
    read = [json.loads(text) for text in TEXTS_OF_JSON.values()]
    containers: list[dict[str, Value]] = [*nowhere, {"free": {"v": []}}, {"free": {"v": {"a": 1}}}]
    yield Subject("free->>v", "text", list(TEXTS_OF_JSON), [{"free": {"v": value}} for value in read], containers)
    texts = ["", "A", "a,b", "é"]
    yield Subject(
        "texts->>-1", "text", texts, [{"texts": ["x", text]} for text in texts], [{}, {"texts": []}], wrong=()
    )
    numbers = [0, 7, 2**53 + 1]
    yield Subject("bigs->1", "json", [*map(str, numbers)], [{"bigs": [5, n]} for n in numbers], [{}, {"bigs": [5]}])


WRONG: dict[str, tuple[tuple[str, str], ...]] = {
    "text": (),
    "uuid": (("x", "22P02"), ("", "22P02"), ("0" * 31, "22P02")),
    "day": (("2023-02-29", "22008"), ("now", "22007"), ("2024-1-1", "22007"), ("", "22007")),
    "moment": (("infinity", "22007"), ("2024-01-01T25:00", "22008"), ("12:00", "22007")),
    "small": (("1.5", "22P02"), ("2147483648", "22003"), ("true", "22P02"), (" 7", "22P02"), ("1_0", "22P02")),
    "big": (("9223372036854775808", "22003"), ("1e3", "22P02"), ("0x1", "22P02"), ("", "22P02")),
    "real": (("NaN", "22P02"), ("1e400", "22003"), ("inf", "22P02"), ("1,5", "22P02")),
    "money": (("NaN", "22P02"), ("abc", "22P02"), ("9" * 35, "22003")),
    "exact": (("--1", "22P02"), ("1e1001", "22003")),
    "whole": (("x", "22P02"),),
    "flag": (("maybe", "22P02"), ("", "22P02"), ("2", "22P02")),
}
SUBJECTS: dict[str, Subject] = {subject.column: subject for subject in _subjects()}


@dataclass(frozen=True)
class Case:
    """An operator with its value, and the rungs that it meets; `nulls` where it also meets those without a value."""

    operator: str
    value: str
    rungs: frozenset[int]
    nulls: bool = False
    #: Whether it is unknown, rather than false, of a null.
    unknown: bool = True


Cases = Callable[[Subject], Iterator[Case]]


def _by_place(operator: Operator, meets: Callable[[int, int], bool]) -> Cases:
    def cases(subject: Subject) -> Iterator[Case]:
        rungs = range(len(subject.ladder))
        pivots = rungs if operator in (Operator.EQ, Operator.NEQ) else rungs[: subject.ordered]
        for pivot in pivots:
            yield Case(operator.value, subject.ladder[pivot], frozenset(rung for rung in rungs if meets(rung, pivot)))

    return cases


def _isdistinct(subject: Subject) -> Iterator[Case]:
    for pivot, text in enumerate(subject.ladder):
        others = frozenset(range(len(subject.ladder))) - {pivot}
        yield Case("isdistinct", text, others, nulls=True, unknown=False)


def listed(texts: list[str]) -> str:
    """The texts as a list in parentheses, each quoted."""
    return "(" + ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts) + ")"


def braced(texts: list[str]) -> str:
    """The texts as an array in braces, each quoted."""
    return "{" + listed(texts)[1:-1] + "}"


def _in(subject: Subject) -> Iterator[Case]:
    last = len(subject.ladder) - 1
    yield Case("in", listed([subject.ladder[0], subject.ladder[-1], subject.ladder[0]]), frozenset({0, last}))
    yield Case("in", listed(subject.ladder), frozenset(range(last + 1)))
    yield Case("in", listed(subject.ladder[1:2]), frozenset({1}))
    yield Case("in", "()", frozenset(), unknown=False)


#: Patterns for the texts of every ladder of texts: what each meets, told by the texts alone.
PATTERNS: dict[str, list[tuple[str, Callable[[str], bool]]]] = {
    "like": [
        ("*", lambda text: True),
        ("a*", lambda text: text[:1] == "a"),
        ("%b%", lambda text: "b" in text),
        ("_", lambda text: len(text) == 1),
        ("", lambda text: text == ""),
        (r"a\*", lambda text: text == "a*"),
        ("A", lambda text: text == "A"),
    ],
    "ilike": [
        ("a*", lambda text: text[:1] in ("a", "A")),
        ("É", lambda text: text == "é"),
        ("TRUE", lambda text: text == "true"),
        ("%(%", lambda text: "(" in text),
    ],
    "match": [
        ("^a", lambda text: text[:1] == "a"),
        ("[(,]", lambda text: "(" in text or "," in text),
        (r"\\", lambda text: "\\" in text),
        ("^.$", lambda text: len(text) == 1),
        ("^(true|null)?$", lambda text: text in ("true", "null", "")),
        (r"\d", lambda text: any(character in "0123456789" for character in text)),
    ],
    "imatch": [("^a", lambda text: text[:1] in ("a", "A")), ("é|TRUE", lambda text: text in ("é", "true"))],
}


def _pattern(operator: str) -> Cases:
    def cases(subject: Subject) -> Iterator[Case]:
        for pattern, meets in PATTERNS[operator]:
            yield Case(operator, pattern, frozenset(i for i, text in enumerate(subject.ladder) if meets(text)))

    return cases


#: The arrays are [], [low], [low, low], [low, high], [high], in this order.
_SETS: dict[str, dict[int, set[int]]] = {
    "cs": {0: {0, 1, 2, 3, 4}, 1: {1, 2, 3}, 2: {1, 2, 3}, 3: {3}, 4: {3, 4}},
    "cd": {0: {0}, 1: {0, 1, 2}, 2: {0, 1, 2}, 3: {0, 1, 2, 3, 4}, 4: {0, 4}},
    "ov": {0: set(), 1: {1, 2, 3}, 2: {1, 2, 3}, 3: {1, 2, 3, 4}, 4: {3, 4}},
}


def _set(operator: str) -> Cases:
    def cases(subject: Subject) -> Iterator[Case]:
        for pivot, rungs in _SETS[operator].items():
            yield Case(operator, subject.ladder[pivot], frozenset(rungs))

    return cases


#: For the ladder of JSON values: what each value contains, and is contained in.
_JSON_CONTAINS: list[tuple[str, set[str]]] = [
    ('"a"', {'"a"'}),
    ("2", {"2"}),
    ("2.0", {"2"}),
    ("1", {JSONS[8]}),
    ("[1]", {JSONS[8]}),
    ("[]", {JSONS[8]}),
    ('[{"b": "x"}, 1, 1]', {JSONS[8]}),
    ('[{"b": "y"}]', set()),
    ("{}", {JSONS[9]}),
    ('{"b": [2]}', {JSONS[9]}),
    ('{"b": 2}', set()),
    ('{"a": 1.0, "b": []}', {JSONS[9]}),
]
_JSON_CONTAINED: list[tuple[str, set[str]]] = [
    ('"a"', {'"a"'}),
    ('["a", 2, true]', {'"a"', "2", "true"}),
    ('[3, {"b": "x", "c": 1}, 1]', {JSONS[8]}),
    ('{"a": 1, "b": [3, 2], "c": null}', {JSONS[9]}),
    ("[]", set()),
]


def _json_set(operator: str, table: list[tuple[str, set[str]]]) -> Cases:
    def cases(subject: Subject) -> Iterator[Case]:
        numbers_only = subject.ladder is not JSONS
        for value, texts in [("7", {"7"}), ("[]", set())] if numbers_only else table:
            met = {"7"} if numbers_only and operator == "cd" and value == "7" else texts
            yield Case(operator, value, frozenset(subject.ladder.index(text) for text in met))

    return cases


def _is(subject: Subject) -> Iterator[Case]:
    everything = frozenset(range(len(subject.ladder)))
    yield Case("is", "null", frozenset(), nulls=True, unknown=False)
    yield Case("is", "not_null", everything, unknown=False)
    if subject.group == "boolean":
        yield Case("is", "false", frozenset({0}), unknown=False)
        yield Case("is", "true", frozenset({1}), unknown=False)
        yield Case("is", "UNKNOWN", frozenset(), nulls=True, unknown=False)


_PLACED: dict[str, Cases] = {
    "eq": _by_place(Operator.EQ, lambda rung, pivot: rung == pivot),
    "neq": _by_place(Operator.NEQ, lambda rung, pivot: rung != pivot),
    "gt": _by_place(Operator.GT, lambda rung, pivot: rung > pivot),
    "gte": _by_place(Operator.GTE, lambda rung, pivot: rung >= pivot),
    "lt": _by_place(Operator.LT, lambda rung, pivot: rung < pivot),
    "lte": _by_place(Operator.LTE, lambda rung, pivot: rung <= pivot),
    "in": _in,
    "isdistinct": _isdistinct,
    "is": _is,
}
_PATTERNED = {operator: _pattern(operator) for operator in PATTERNS}
#: For each group of columns, the operators that they have; of all others it is said that they are refused.
CELLS: dict[str, dict[str, Cases]] = {
    "scalar": _PLACED,
    "boolean": _PLACED,
    "text": _PLACED | _PATTERNED,
    "array": _PLACED | {operator: _set(operator) for operator in _SETS},
    "json": _PLACED | {"cs": _json_set("cs", _JSON_CONTAINS), "cd": _json_set("cd", _JSON_CONTAINED)},
}
#: Why an operator is refused on a group of columns (42883): the only holes there are.
REFUSED: dict[str, dict[str, str]] = {
    "scalar": dict.fromkeys(PATTERNS, "not text") | dict.fromkeys(_SETS, "neither array nor JSON"),
    "boolean": dict.fromkeys(PATTERNS, "not text") | dict.fromkeys(_SETS, "neither array nor JSON"),
    "text": dict.fromkeys(_SETS, "neither array nor JSON"),
    "array": dict.fromkeys(PATTERNS, "not text"),
    "json": dict.fromkeys(PATTERNS, "JSON; ->> is text") | {"ov": "PostgreSQL has no && for JSON"},
}


def records() -> list[dict[str, Any]]:
    """Every subject's records, a hundred numbers for each subject, those without a value last."""
    return [
        {"id": base + number, **record}
        for base, subject in zip(range(0, 100_000, 100), SUBJECTS.values(), strict=False)
        for number, record in enumerate([*subject.records, *subject.absent])
    ]


def base(subject: Subject) -> int:
    """The number of the subject's first record."""
    return 100 * list(SUBJECTS).index(subject.column)

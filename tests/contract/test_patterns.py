"""`like` and `ilike`: wildcards, escapes, newlines, case by Unicode, nulls."""

from __future__ import annotations

import pytest

from tests.contract import queries
from tests.contract.port import Port
from tests.contract.queries import ilike, like, negated

TEXTS = [
    "",
    "a",
    "A",
    "abc",
    "aXc",
    "a\nc",
    "a%c",
    "a_c",
    "a\\c",
    "a*c",
    "a.c",
    "[a]c",
    "50% off",
    "ends\n",
    "ends",
    "😀",
    "e\u0301",
    "straße",
    "STRASSE",
    "STRAẞE",
    "istanbul",
    "ISTANBUL",
    "İstanbul",
    "ıstanbul",
    "ΣΊΣΥΦΟΣ",
    "σίσυφος",
    "K",
    "k",
    "\u212a",  # the Kelvin sign, which folds to k
    "ÄÖÜ",
    "äöü",
    "ſ",
    "s",
]

CASES = [
    ("", [""]),
    ("abc", ["abc"]),
    ("a%", ["a", "abc", "aXc", "a\nc", "a%c", "a_c", "a\\c", "a*c", "a.c"]),
    ("a*c", ["abc", "aXc", "a\nc", "a%c", "a_c", "a\\c", "a*c", "a.c"]),
    ("a_c", ["abc", "aXc", "a\nc", "a%c", "a_c", "a\\c", "a*c", "a.c"]),
    ("a\\_c", ["a_c"]),
    ("a\\%c", ["a%c"]),
    ("a\\*c", ["a*c"]),
    ("a\\\\c", ["a\\c"]),
    ("a\\bc", ["abc"]),
    ("a.c", ["a.c"]),
    ("[a]%", ["[a]c"]),
    ("50\\%*", ["50% off"]),
    ("ends", ["ends"]),
    ("%ends%", ["ends\n", "ends"]),
    ("ends_", ["ends\n"]),
    ("_", ["a", "A", "😀", "K", "k", "\u212a", "ſ", "s"]),
    ("__", ["e\u0301"]),
    ("%c", ["abc", "aXc", "a\nc", "a%c", "a_c", "a\\c", "a*c", "a.c", "[a]c"]),
    ("%\n%", ["a\nc", "ends\n"]),
    ("stra%", ["straße"]),
    ("k", ["k"]),
]

FOLDED_CASES = [
    ("A", ["a", "A"]),
    ("ABC", ["abc"]),
    ("axC", ["aXc"]),
    ("k", ["K", "k", "\u212a"]),
    ("\u212a", ["K", "k", "\u212a"]),
    ("s", ["ſ", "s"]),
    ("äÖü", ["ÄÖÜ", "äöü"]),
    ("straße", ["straße", "STRAẞE"]),
    ("strasse", ["STRASSE"]),
    ("σίσυφοσ", ["ΣΊΣΥΦΟΣ", "σίσυφος"]),
    ("ISTANBUL", ["istanbul", "ISTANBUL"]),
    ("İSTANBUL", ["İstanbul"]),
    ("ISTAN*", ["istanbul", "ISTANBUL"]),
    ("%STAN%", ["istanbul", "ISTANBUL", "İstanbul", "ıstanbul"]),
    ("A_C", ["abc", "aXc", "a\nc", "a%c", "a_c", "a\\c", "a*c", "a.c"]),
    ("50\\% OFF", ["50% off"]),
    ("", [""]),
    ("%ENDS", ["ends"]),
]


@pytest.fixture
def catalog_name() -> str:
    return "lab"


@pytest.fixture
def texts(port: Port) -> Port:
    port.insert("samples", *({"id": number, "text": text} for number, text in enumerate([*TEXTS, None])))
    return port


def found(port: Port, where: queries.Filter) -> list[str]:
    read = queries.read(port.catalog, "samples", where=where, columns=["text"])
    return [text for (text,) in port.repository.rows(read).rows]


def test_like(texts: Port) -> None:
    for pattern, expected in CASES:
        assert found(texts, like("text", pattern)) == expected, pattern
        others = [text for text in TEXTS if text not in expected]
        assert found(texts, negated(like("text", pattern))) == others, ("not", pattern)


def test_ilike(texts: Port) -> None:
    for pattern, expected in FOLDED_CASES:
        assert found(texts, ilike("text", pattern)) == expected, pattern
        others = [text for text in TEXTS if text not in expected]
        assert found(texts, negated(ilike("text", pattern))) == others, ("not", pattern)


def test_any_run_matches_all_but_null(texts: Port) -> None:
    for pattern in ("%", "*", "**%"):
        assert found(texts, like("text", pattern)) == TEXTS
        assert found(texts, ilike("text", pattern)) == TEXTS
        assert found(texts, negated(like("text", pattern))) == []


def test_each_character_matches_itself(port: Port) -> None:
    """Every character with a meaning in some engine, and some that have none."""
    characters = [chr(code) for code in range(1, 128)] + list("äßıİſ\u2028\ufeff😀")
    port.insert("samples", *({"id": number, "text": text} for number, text in enumerate(characters)))
    for character in characters:
        assert found(port, like("text", f"\\{character}")) == [character]
        assert character in found(port, ilike("text", f"\\{character}"))


def test_a_long_pattern_over_a_long_text(port: Port) -> None:
    port.insert("samples", {"id": 1, "text": "ab" * 5000}, {"id": 2, "text": "ab" * 4999 + "a"})
    assert port.column("samples", "id", like("text", "ab%" * 100 + "b")) == [1]
    assert port.column("samples", "id", ilike("text", "A%" * 20 + "a")) == [2]

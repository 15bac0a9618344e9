"""Patterns of `like`: how they are parsed, and what is made of them for each engine."""

from __future__ import annotations

import re

import pytest

from repositories.patterns import Pattern, PatternError, Wildcard, case_variants, like, parse, regex, simple_fold

ANY, ONE = Wildcard.ANY, Wildcard.ONE


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("abc", ("abc",)),
        ("a*b%c", ("a", ANY, "b", ANY, "c")),
        ("**%*", (ANY,)),
        ("_%_", (ONE, ANY, ONE)),
        ("__", (ONE, ONE)),
        (r"\*\%\_\\", ("*%_\\",)),
        (r"a\bc", ("abc",)),
        ("50\\%*", ("50%", ANY)),
    ],
)
def test_parse(text: str, parts: tuple[str | Wildcard, ...]) -> None:
    assert parse(text).parts == parts


@pytest.mark.parametrize("text", ["\\", "a\\", "\\\\\\"])
def test_a_backslash_must_escape_something(text: str) -> None:
    with pytest.raises(PatternError, match="backslash"):
        parse(text)


@pytest.mark.parametrize(("text", "prefix"), [("abc*", "abc"), ("*abc", ""), ("", ""), ("_a", ""), ("a", "a")])
def test_prefix(text: str, prefix: str) -> None:
    assert parse(text).prefix == prefix


def test_like_of_sql() -> None:
    assert like(parse(r"a*b_c\%\_\\d")) == r"a%b_c\%\_\\d"


@pytest.mark.parametrize(
    ("text", "fold", "written"),
    [
        ("", False, "^$"),
        ("a.b", False, r"^a\.b$"),
        ("a*", False, "^a"),
        ("*", False, "^"),
        ("*a", False, "^.*a$"),
        ("_", False, "^.$"),
        ("ab", True, "^[Aa][Bb]$"),
        ("k", True, "^[Kk\u212a]$"),
        ("1é", True, "^1[Éé]$"),
        ("ß", True, "^[ßẞ]$"),
        ("^[", True, r"^\^\[$"),
    ],
)
def test_regex(text: str, fold: bool, written: str) -> None:
    assert regex(parse(text), fold=fold, any_character=".", end="$") == written


def test_every_ascii_character_is_literal_in_a_regex() -> None:
    for code in range(1, 128):
        written = regex(Pattern((chr(code),)), fold=False, any_character=".", end=r"\Z")
        matched = [other for other in range(128) if re.search(written, chr(other))]
        assert matched == [code]


@pytest.mark.parametrize(
    ("character", "fold"),
    [("A", "a"), ("İ", "İ"), ("ı", "ı"), ("ß", "ß"), ("ẞ", "ß"), ("ς", "σ"), ("ſ", "s"), ("1", "1")],
)
def test_simple_fold(character: str, fold: str) -> None:
    assert simple_fold(character) == fold


@pytest.mark.parametrize(("character", "variants"), [("s", "Ssſ"), ("Σ", "Σςσ"), ("1", "1"), ("İ", "İ"), ("日", "日")])
def test_case_variants(character: str, variants: str) -> None:
    assert case_variants(character) == variants

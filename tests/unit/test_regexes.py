"""The regular expressions of `match`: what is refused, and what the engines make of what is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from repositories.regexes import MAX_LENGTH, RegexError, parse

#: Tells of an expression, folding case or not, in which of the texts it is found.
Engine = Callable[[str, bool, Sequence[str]], list[bool]]
#: The same of an expression that is written for the engine.
Search = Callable[[str, Sequence[str]], list[bool]]

FOUND: list[tuple[str, list[str], list[str]]] = [
    ("", ["", "a"], []),
    ("a", ["a", "bab"], ["", "b", "A"]),
    ("^a", ["a", "ab"], ["ba", "b\na"]),
    ("a$", ["a", "ba"], ["ab", "a\n"]),
    ("^$", [""], ["\n", "a"]),
    ("a.c", ["abc", "a\nc", "a🎸c", "aéc", "a\u2028c"], ["ac", "abbc"]),
    ("^.$", ["🎸", "é", "\n", "\r"], ["", "ab", "\r\n"]),
    ("[^a]", ["b", "\n", "🎸"], ["", "aa"]),
    ("^[a-c-]+$", ["a-c", "-"], ["d", ""]),
    ("^[-a]$", ["-", "a"], ["b"]),
    ("[\\]\\[^\\\\\\-]", ["]", "[", "^", "\\", "-"], ["a"]),
    ("^\\d+$", ["0", "123"], ["", "٣", "１２", "1a"]),
    ("^\\D$", ["a", "٣", "\n"], ["1", ""]),
    ("^\\s$", [" ", "\t", "\n", "\r", "\f", "\v"], ["\x85", "\xa0", "\u2003", "a"]),
    ("^\\S$", ["\x85", "\xa0", "\u2003", "a"], [" ", "\t", "\v"]),
    ("^\\w+$", ["aZ_9"], ["é", "-", "ſ"]),
    ("^\\W$", ["é", "-", " "], ["_", "a"]),
    ("^[\\d\\s\\w.]+$", ["a 1._\v"], ["é", "-"]),
    ("^(\\d{1,3}\\.){3}\\d{1,3}$", ["127.0.0.1"], ["127.0.0", "1.2.3.4444", "1.2.3.4.5"]),
    ("^[a-z]+(-[a-z]+)*$", ["a", "a-b-cd"], ["a-", "-a", "a--b"]),
    ("^([a-z]+\\.){1,3}[a-z]+$", ["a.b", "a.b.c.d"], ["a", "a.b.c.d.e"]),
    ("^(jpg|jpeg|)$", ["jpg", "jpeg", ""], ["jp"]),
    ("x|^$|y", ["", "ax", "y"], ["a"]),
    ("(^|,)x(,|$)", ["x", "a,x", "x,a", "a,x,b"], ["ax", "a,xx"]),
    ("foo.*bar.*baz", ["foobarbaz", "foo\nbar\nbaz", "bazfoobarfoobaz"], ["foobaz", "barfoobaz", "fobarbaz"]),
    ("^foo.+bar$", ["foo bar", "foobarbar"], ["foobar", " foo bar", "foo bar "]),
    ("^.*a.*$", ["a", "\na\n"], ["", "b"]),
    ("^a.+b.+c", ["a1b2c", "abbbc"], ["abc", "ab2c", "a1bc"]),
    ("aa.*ab", ["aaab", "aaxab"], ["aab", "abaa"]),
    ("a{2}", ["aa", "baab"], ["a", "aba"]),
    ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
    ("^a{2,}$", ["aa", "aaaaa"], ["a"]),
    ("^a{0}b$", ["b"], ["ab"]),
    ("a*^b", ["b"], ["ab"]),
    ("^((a,)*b;)*$", ["", "b;", "a,a,b;b;"], ["a,", "a,b", "ab;"]),
    ("^(ab?c*)+$", ["a", "abcac"], ["", "b", "abb"]),
    ("\\^\\$\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\/\\-\\_\\!\\\"\\'", ["^$.*+?()[]{}|/-_!\"'"], ["^"]),
    ("-_!\"'/,;:<>=@#%&~` \t", ["-_!\"'/,;:<>=@#%&~` \t"], ["-_"]),
    ("[!-/]", ["!", "/", "-", "("], ["0", "a"]),
    ("[ -~]", [" ", "~", "]", "\\"], ["\x1f", "\x7f", "é"]),
    ("[à-ü]", ["é"], ["e", "É"]),
    ("[🎸-🎹]", ["🎸", "🎹"], ["🎺", "é"]),
    ("[^🎸]", ["🎹", "a"], ["🎸"]),
    ("[\ud7ff-\ue000]", ["\ud7ff", "\ue000"], ["\ud7fe", "\ue001"]),
]
FOLDED: list[tuple[str, list[str], list[str]]] = [
    ("^straße$", ["STRAẞE", "ſtraße"], ["strasse"]),
    ("^[a-c]+$", ["aBC"], ["d"]),
    ("^k$", ["k", "K", "\u212a"], ["c"]),
    ("^[^k]$", ["c"], ["k", "K", "\u212a"]),
    ("^\\w$", ["K", "k"], ["\u212a", "ſ"]),
    ("^σ$", ["Σ", "ς", "σ"], ["s"]),
    ("^i$", ["I", "i"], ["İ", "ı"]),
    ("^İ$", ["İ"], ["i", "I"]),
    ("^[à-é]$", ["À", "É", "å", "\u212b"], ["ê"]),
    ("^[Ā-ɏ]$", ["ā", "ⱥ", "ſ"], ["b"]),
    ("^𐐀$", ["𐐨"], ["𐐩"]),
]
REFUSED = [
    *("(a+)+", "(a*)*", "(a+)*", "^(a+)+$", "(a?)*", "(a|ab)*", "((a)+)+", "(a{1,}){2,}", "(.*,)*", "^(a|b|ab)*$"),
    *(
        "^([a-z]+\\.)+[a-z]+$",
        "^(ab)*a$",
        "^a.*b.*c[^x]*d$",
        "^[ab]*a[ab]*b$",
        "^\\w+\\d+x*\\w+$",
        "1[a-z]*a{2,}b",
        "ab?[^x]*b",
    ),
    *("^(a?){30}a{30}$", "^" + "a?" * 20 + "b$", "(a|a)*?", "^(.?,.?){20}$", "^(a{255}){255}$", "^((abc){99}){99}$"),
    *("\\1", "(a)\\1", "\\k<a>", "\\n", "\\t", "\\b", "\\A", "\\Z", "\\z", "\\x41", "\\u0041", "\\p{L}", "\\y", "\\m"),
    *("(?=a)", "(?!a)", "(?<=a)", "(?:a)", "(?i)a", "(?P<n>a)", "(?>a)", "(?#a)", "(*COMMIT)a", "***=a", "***:a"),
    *("a*?", "a+?", "a??", "a{2}?", "a*+", "a++", "a?+", "a**", "a{2}{3}", "a{2,3}+"),
    *("[[:alpha:]]", "[[.a.]]", "[[=a=]]", "[a[b]", "[a&&[b]]", "[\\D]", "[\\b]", "[\\n]"),
    *("a{256}", "a{0,256}", "a{999999999}", "a{1000000000}", "a{3,2}", "a{", "a{x}", "a{,3}", "a{1", "a{1,2", "{1}"),
    *("[z-a]", "[a-\\d]", "[\\w-z]", "[", "[]", "[^]", "[]a]", "[a", "[a\\", "[a-", "]", "}"),
    *(
        "(",
        ")",
        "(a",
        "a)",
        "(a))",
        "((a)",
        "\\",
        "a\\",
        "*",
        "+",
        "?",
        "*a",
        "(*a)",
        "a|*",
        "^*",
        "$+",
        "(^a)?",
        "(a$){2}",
    ),
    *("\0", "\ud800", "a\udfff", "a" * (MAX_LENGTH + 1), "(" * 9 + "a" + ")" * 9, "(" * 100),
]
NEVER_UNCLEAR = re.compile(r"[a-z\"].{10,150}", re.DOTALL)


def original(expression: str, texts: Sequence[str]) -> list[bool]:
    """What Python makes of the text as it was written. `$` is written only for the end in these tests."""
    compiled = re.compile(re.sub(r"(?<!\\)\$", r"\\Z", expression), re.DOTALL | re.ASCII)
    return [compiled.search(text) is not None for text in texts]


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[Search]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:

        def search(written: str, texts: Sequence[str]) -> list[bool]:
            rows = connection.execute(
                'SELECT text COLLATE "C" ~ %s FROM unnest(%s::text[]) WITH ORDINALITY AS given (text, place)'
                " ORDER BY place",
                [written, list(texts)],
            )
            return [found for (found,) in rows]

        yield search


@pytest.fixture(scope="module")
def mongodb(mongodb_url: str) -> Iterator[Search]:
    client: MongoClient[dict[str, Any]]
    with MongoClient(mongodb_url) as client:

        def search(written: str, texts: Sequence[str]) -> list[bool]:
            match = {"$regexMatch": {"input": "$text", "regex": written, "options": "s"}}
            pipeline: list[dict[str, Any]] = [
                {"$documents": [{"text": text} for text in texts]},
                {"$project": {"_id": 0, "found": match}},
            ]
            database: Any = client["diglot_test_regexes"]
            return [bool(row["found"]) for row in database.aggregate(pipeline)]

        yield search


@pytest.fixture(params=["python", "python possessive", "postgres", "mongodb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    def search(expression: str, fold: bool, texts: Sequence[str]) -> list[bool]:
        regex = parse(expression, fold=fold)
        match request.param:
            case "postgres":
                return list(request.getfixturevalue("postgres")(regex.text("$"), texts))
            case "mongodb":
                return list(request.getfixturevalue("mongodb")(regex.text(r"\z", possessive=True), texts))
        compiled = re.compile(regex.text(r"\Z", possessive="possessive" in request.param), re.DOTALL)
        return [compiled.search(text) is not None for text in texts]

    return search


@pytest.mark.parametrize(("expression", "inside", "outside"), FOUND)
def test_expressions_are_found_by_every_engine_alike(
    engine: Engine, expression: str, inside: list[str], outside: list[str]
) -> None:
    texts = [*inside, *outside]
    assert engine(expression, False, texts) == [True] * len(inside) + [False] * len(outside)


@pytest.mark.parametrize(("expression", "inside", "outside"), FOLDED)
def test_case_is_folded_by_every_engine_alike(
    engine: Engine, expression: str, inside: list[str], outside: list[str]
) -> None:
    texts = [*inside, *outside]
    assert engine(expression, True, texts) == [True] * len(inside) + [False] * len(outside)


@pytest.mark.parametrize("expression", REFUSED)
def test_what_is_not_in_the_subset_is_refused(expression: str) -> None:
    for fold in (False, True):
        with pytest.raises(RegexError) as refused:
            parse(expression, fold=fold)
        assert NEVER_UNCLEAR.fullmatch(str(refused.value))


ALPHABET = ["a", "b", "é", "🎸", "\n", "-", "1", "]"]
ATOMS = ["a", "b", "é", "🎸", "\n", "1", ".", "[ab]", "[^a]", "[a-é]", "\\d", "\\W", "\\-", "[^\\]\\-]", "[\\w🎸]"]


def expressions() -> st.SearchStrategy[str]:
    repeated = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "{0}"])
    pieces = st.builds(str.__add__, st.sampled_from([*ATOMS, ".", "."]), repeated) | st.sampled_from(
        ["^", "$", ".*", ".+"]
    )

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        branches = st.lists(inner, min_size=1, max_size=3).map("|".join)
        return st.builds("({}){}".format, branches, repeated) | st.lists(inner, min_size=1, max_size=4).map("".join)

    return st.recursive(pieces, larger, max_leaves=8)


def test_any_expression_of_the_subset_is_found_alike(postgres: Search, mongodb: Search) -> None:
    taken = 0

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(expressions(), st.lists(st.text(st.sampled_from(ALPHABET), max_size=8), min_size=1, max_size=12))
    def check(expression: str, texts: list[str]) -> None:
        nonlocal taken
        try:
            regex = parse(expression, fold=False)
        except RegexError:
            return
        taken += 1
        original = re.compile(expression.replace("$", r"\Z"), re.DOTALL | re.ASCII)
        expected = [original.search(text) is not None for text in texts]
        for possessive in (False, True):
            ours = re.compile(regex.text(r"\Z", possessive=possessive), re.DOTALL)
            assert [ours.search(text) is not None for text in texts] == expected
        assert postgres(regex.text("$"), texts) == expected
        assert mongodb(regex.text(r"\z", possessive=True), texts) == expected

    check()
    assert taken > 200


LONG = 10_000
#: Expressions that are taken, and pieces of text that make an engine try, and fail.
PATIENT: list[tuple[str, list[str]]] = [
    ("^[a-z]+(-[a-z]+)*$", ["a", "a-", "a-a"]),
    ("^((a,)*b;)*$", ["a,", "b;", "a,b;"]),
    ("^(ab?c*)+$", ["a", "ab", "acc"]),
    ("a.*b.*c", ["a", "ab", "b"]),
    ("^.*ab.*ba.*$|x", ["ab", "a"]),
    ("foo.*bar.*baz$", ["foobar", "foobarba", "baz"]),
    ("^a[^x]*bx?y$", ["a", "ab", "b"]),
    ("^[ab]*a[ab]{20}c", ["a", "ab"]),
    ("(foo|far){3}.*z", ["foo", "farfo"]),
    ("^(a|b|é|🎸)*$", ["a", "é🎸", "ab"]),
    ("^([a-z]{1,5}\\.){1,9}[a-z]+$", ["a.", "abcde.", "a"]),
    ("a{0,200}b", ["a", "aab"]),
]


@pytest.mark.parametrize(("expression", "pieces"), PATIENT)
def test_no_engine_gives_up_on_long_texts(
    postgres: Search, mongodb: Search, expression: str, pieces: list[str]
) -> None:
    regex = parse(expression, fold=False)
    texts = [
        begin + piece * (LONG // len(piece)) + end
        for piece in pieces
        for begin in ("", "!", "a")
        for end in ("", "!", "c")
    ]
    assert mongodb(regex.text(r"\z", possessive=True), texts) == postgres(regex.text("$"), texts)

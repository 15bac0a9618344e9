"""The text patterns of `like` and `ilike`, parsed once, for every backend alike.

`*` and `%` stand for any run of characters (newlines too), `_` for one character, and a backslash takes the meaning
away from the character after it. `ilike` folds case character by character, by Unicode's simple case folding: `ß` is
not `ss`, and no locale takes part.
"""

from __future__ import annotations

import re
import string
import sys
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from functools import cache


class Wildcard(Enum):
    """What stands for other characters in a pattern."""

    ANY = "%"
    ONE = "_"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern: literal text and wildcards, in order. Neighbouring literals are one, neighbouring ANY too."""

    parts: tuple[str | Wildcard, ...]

    @property
    def prefix(self) -> str:
        """The literal text that every match begins with."""
        first = self.parts[0] if self.parts else ""
        return first if isinstance(first, str) else ""


class PatternError(ValueError):
    """The pattern ends in a backslash that escapes nothing (SQLSTATE 22025)."""


def parse(text: str) -> Pattern:
    """The pattern that `text` writes. Raises `PatternError`."""
    parts: list[str | Wildcard] = []
    characters = iter(text)
    for character in characters:
        part: str | Wildcard
        if character in "*%":
            part = Wildcard.ANY
        elif character == "_":
            part = Wildcard.ONE
        elif character == "\\":
            escaped = next(characters, None)
            if escaped is None:
                raise PatternError("a like pattern must not end with a backslash")
            part = escaped
        else:
            part = character
        if parts and isinstance(part, str) and isinstance(parts[-1], str):
            parts[-1] += part
        elif part is not Wildcard.ANY or not parts or parts[-1] is not Wildcard.ANY:
            parts.append(part)
    return Pattern(tuple(parts))


def like(pattern: Pattern) -> str:
    """The pattern in SQL's LIKE, with the backslash as the escape character."""
    return "".join(
        part.value if isinstance(part, Wildcard) else re.sub(r"([\\%_])", r"\\\1", part) for part in pattern.parts
    )


def regex(pattern: Pattern, *, fold: bool, any_character: str, end: str) -> str:
    """The pattern as an anchored regular expression, in the subset that PostgreSQL's ARE and PCRE share.

    With `fold`, each cased character becomes the class of its case variants, so that the engines' own ideas of case
    (locale, Unicode version) play no part. `any_character` matches any one character, newlines included, and `end`
    only the very end of the text, in the engine that runs it.
    """
    written = ["^"]
    for part in pattern.parts:
        if part is Wildcard.ANY:
            written.append(f"{any_character}*")
        elif part is Wildcard.ONE:
            written.append(any_character)
        else:
            written.extend(_literal(character, fold) for character in str(part))
    if written[-1] == f"{any_character}*":
        written.pop()
    else:
        written.append(end)
    return "".join(written)


def _literal(character: str, fold: bool) -> str:
    variants = case_variants(character) if fold else character
    if len(variants) > 1:
        return f"[{variants}]"
    return "\\" + character if character in string.punctuation else character


def case_variants(character: str) -> str:
    """All characters that fold to the same character as this one, itself included, in code point order."""
    return fold_classes().get(simple_fold(character), character)


def simple_fold(character: str) -> str:
    """Unicode's simple case folding of one character (a fold to several characters is none)."""
    folded = character.casefold()
    if len(folded) == 1:
        return folded
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


@cache
def fold_classes() -> dict[str, str]:
    """From each fold to its characters, for folds that more than one character has. Built on first use."""
    classes: dict[str, list[str]] = defaultdict(list)
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if character.isalpha() or character.casefold() != character:
            classes[simple_fold(character)].append(character)
    return {fold: "".join(sorted(members)) for fold, members in classes.items() if len(members) > 1}

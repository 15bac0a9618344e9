r"""Regular expressions in the subset that both engines agree on (PostgreSQL's ARE, PCRE), parsed and written anew.

    expression  = branch *( "|" branch )
    branch      = *( piece )
    piece       = atom [ ( "*" | "+" | "?" | "{" m [ "," [ n ] ] "}" ) ]
    atom        = literal | "." | "^" | "$" | class | "(" expression ")" | "\" ( d | D | s | S | w | W | punctuation )
    class       = "[" [ "^" ] 1*( character | range | "\" ( d | s | w | punctuation ) ) "]"

`.` is any character, newlines too; `^` and `$` are the very begin and end; `\d`, `\s`, `\w` are ASCII's. An expression
has at most 200 characters, bounds of at most 255, groups at most 8 deep. There are no back-references, no look-around,
no lazy or possessive repetition, no flags, no POSIX classes.

What an engine that tries one way after the other (as PCRE does, and then gives up) could spend too long on is refused:
a group repeated without bound must tell by each next character whether and how it goes on, and beside that there may
be few ways to match the same text (see `regex_ways.py`).
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import Never

from repositories import charsets
from repositories.charsets import Ranges
from repositories.regex_trees import (
    Alternatives,
    Anchor,
    Characters,
    Node,
    RegexError,
    Repeat,
    Sequence,
    simplified,
)
from repositories.regex_ways import check
from repositories.regex_writing import write

__all__ = ["Regex", "RegexError", "parse"]

MAX_LENGTH = 200
MAX_BOUND = 255
MAX_DEPTH = 8
_BOUNDS = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}", re.ASCII)
_QUANTIFIERS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_SETS = {
    "d": charsets.normal([(ord("0"), ord("9"))]),
    "s": charsets.of(" \t\n\r\f\v"),
    "w": charsets.of(string.ascii_letters + string.digits + "_"),
}


@dataclass(frozen=True, slots=True)
class Regex:
    """A parsed expression, which is found in a text when any part of the text matches it."""

    tree: Node

    def text(self, end: str, *, possessive: bool = False) -> str:
        """The expression for an engine that writes the very end of the text as `end`, and whose `.` is any character.

        With `possessive` it has atomic groups and possessive repetitions, which keep an engine that tries one way
        after another from ways that cannot succeed; the texts in which it is found are the same.
        """
        return write(self.tree, end, possessive=possessive)


def parse(text: str, *, fold: bool) -> Regex:
    """The expression that `text` writes; with `fold`, characters match whatever their case. Raises `RegexError`."""
    if len(text) > MAX_LENGTH:
        raise RegexError(f"it has more than {MAX_LENGTH} characters")
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise RegexError("it holds a character that no text can have")
    tree = _Parser(text, fold=fold).whole()
    check(tree)
    return Regex(simplified(tree))


class _Parser:
    """Reads an expression from left to right."""

    def __init__(self, text: str, *, fold: bool) -> None:
        self._text = text
        self._fold = fold
        self._position = 0
        self._depth = 0

    def whole(self) -> Node:
        tree = self._alternatives()
        if self._position < len(self._text):
            self._fail('")" closes nothing')
        return tree

    def _fail(self, why: str) -> Never:
        raise RegexError(f"{why} (at character {self._position + 1})")

    def _take(self, token: str) -> bool:
        found = self._text.startswith(token, self._position)
        self._position += len(token) if found else 0
        return found

    def _next(self, otherwise: str) -> str:
        if self._position == len(self._text):
            self._fail(otherwise)
        self._position += 1
        return self._text[self._position - 1]

    def _alternatives(self) -> Node:
        branches = [self._branch()]
        while self._take("|"):
            branches.append(self._branch())
        if len(branches) == 1:
            return branches[0]
        sets = [branch.ranges for branch in branches if isinstance(branch, Characters)]
        if len(sets) == len(branches):
            return Characters(charsets.normal(pair for ranges in sets for pair in ranges))
        return Alternatives(tuple(branches))

    def _branch(self) -> Node:
        pieces: list[Node] = []
        while self._position < len(self._text) and self._text[self._position] not in "|)":
            piece = self._piece()
            pieces.extend(piece.items if isinstance(piece, Sequence) else [piece])
        return pieces[0] if len(pieces) == 1 else Sequence(tuple(pieces))

    def _piece(self) -> Node:
        atom = self._atom()
        bounds = self._bounds()
        if bounds is None:
            return atom
        if self._bounds() is not None:
            self._fail("a repetition cannot be repeated, lazy or possessive")
        if _anchored(atom):
            self._fail('"^" and "$" cannot be repeated')
        return Repeat(atom, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        """How often the atom before occurs at the least and at the most; None where nothing is said."""
        for token, bounds in _QUANTIFIERS.items():
            if self._take(token):
                return bounds
        match = _BOUNDS.match(self._text, self._position)
        if match is None:
            return None
        least = int(match[1])
        most = int(match[3]) if match[3] else None if match[2] else least
        if max(least, most or 0) > MAX_BOUND:
            self._fail(f"a bound is {MAX_BOUND} at the most")
        if most is not None and least > most:
            self._fail("the bounds of a repetition are in the wrong order")
        self._position = match.end()
        return least, most

    def _atom(self) -> Node:
        character = self._next("an atom is missing")
        match character:
            case ".":
                return Characters(charsets.EVERY)
            case "^":
                return Anchor.BEGIN
            case "$":
                return Anchor.END
            case "[":
                return Characters(self._class())
            case "(":
                return self._group()
            case "\\":
                return Characters(self._escape("dDsSwW"))
            case "*" | "+" | "?" | "{" | "}" | "]":
                self._position -= 1
                self._fail(f'"{character}" stands alone; "\\{character}" is the character itself')
        return Characters(self._cased(charsets.of(character)))

    def _group(self) -> Node:
        if self._text.startswith(("?", "*"), self._position):
            self._fail('"(?" and "(*" (flags, look-around, kinds of group) are not supported')
        if self._depth == MAX_DEPTH:
            self._fail(f"groups are nested more than {MAX_DEPTH} deep")
        self._depth += 1
        tree = self._alternatives()
        self._depth -= 1
        if not self._take(")"):
            self._fail('"(" is not closed')
        return tree

    def _cased(self, ranges: Ranges) -> Ranges:
        return charsets.folded(ranges) if self._fold else ranges

    def _escape(self, sets: str) -> Ranges:
        character = self._next("a backslash stands at the end")
        if character in string.punctuation:
            return charsets.of(character)
        if character not in sets:
            self._fail(f'"\\{character}" is not supported; a backslash stands before punctuation, or {", ".join(sets)}')
        found = _SETS[character.lower()]
        return found if character.islower() else charsets.complement(found)

    def _class(self) -> Ranges:
        negated = self._take("^")
        own: list[tuple[int, int]] = []
        sets: list[tuple[int, int]] = []
        while not self._take("]"):
            low = high = self._member(sets)
            if self._text.startswith("-", self._position) and not self._text.startswith("-]", self._position):
                self._position += 1
                high = self._member([])
                if low is None or high is None or high < low:
                    self._fail("a range in square brackets is not one")
            if low is not None and high is not None:
                own.append((low, high))
        if not own and not sets:
            self._fail("a class in square brackets is empty")
        ranges = charsets.union(self._cased(charsets.normal(own)), charsets.normal(sets))
        return charsets.complement(ranges) if negated else ranges

    def _member(self, sets: list[tuple[int, int]]) -> int | None:
        """The code point of a class's next character, or None for a set of characters, which is added to `sets`."""
        character = self._next('"[" is not closed')
        if character == "[":
            self._fail('"[" in square brackets is written "\\["')
        if character != "\\":
            return ord(character)
        start = self._position
        ranges = self._escape("dsw")
        if self._text[start] in string.punctuation:
            return ranges[0][0]
        sets.extend(ranges)
        return None


def _anchored(node: Node) -> bool:
    match node:
        case Anchor():
            return True
        case Sequence(items) | Alternatives(items):
            return any(map(_anchored, items))
        case Repeat(item):
            return _anchored(item)
    return False

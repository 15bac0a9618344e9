"""Sets of characters, as ascending ranges of code points that neither touch nor overlap."""

from __future__ import annotations

import string
import sys
from collections.abc import Iterable

from repositories.patterns import case_variants, fold_classes

Ranges = tuple[tuple[int, int], ...]

EVERY: Ranges = ((0, sys.maxunicode),)
NONE: Ranges = ()
#: Fewer characters than this are looked up one by one; the classes of case variants are about 1,400.
_FEW = 100


def normal(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The set of all characters in these ranges."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], high)
        else:
            merged.append((low, high))
    return tuple(merged)


def of(characters: str) -> Ranges:
    """The set of these characters."""
    return normal((ord(character), ord(character)) for character in characters)


def union(first: Ranges, second: Ranges) -> Ranges:
    """What is in one or the other."""
    return normal((*first, *second)) if first and second else first or second


def complement(ranges: Ranges) -> Ranges:
    """What is not in the set."""
    edges = [-1, *(edge for pair in ranges for edge in pair), sys.maxunicode + 1]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((low + 1, high - 1) for low, high in pairs if high - low > 1)


def overlap(first: Ranges, second: Ranges) -> bool:
    """Whether a character is in both."""
    mine = theirs = 0
    while mine < len(first) and theirs < len(second):
        if first[mine][1] < second[theirs][0]:
            mine += 1
        elif second[theirs][1] < first[mine][0]:
            theirs += 1
        else:
            return True
    return False


def folded(ranges: Ranges) -> Ranges:
    """The set with all case variants of its characters."""
    variants: list[tuple[int, int]] = []
    for low, high in ranges:
        if high - low < _FEW:
            classes: Iterable[str] = map(case_variants, map(chr, range(low, high + 1)))
        else:
            classes = (each for each in fold_classes().values() if any(low <= ord(one) <= high for one in each))
        variants.extend((ord(variant), ord(variant)) for each in classes for variant in each)
    return normal((*ranges, *variants))


def written(ranges: Ranges) -> str:
    """The set in a regular expression: a character, a dot or a class in square brackets."""
    if ranges == EVERY:
        return "."
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _escaped(ranges[0][0])
    # Only what was written as a negation has U+0000, and no text of a store has it.
    negated = ranges[:1] and ranges[0][0] == 0
    inside = "".join(
        _escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}"
        for low, high in (complement(ranges) if negated else ranges)
    )
    return f"[^{inside}]" if negated else f"[{inside}]"


def _escaped(code: int) -> str:
    character = chr(code)
    return "\\" + character if character in string.punctuation else character

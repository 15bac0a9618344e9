"""The trees of regular expressions: what they can match, and the simplest tree that is found in the same texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from repositories import charsets
from repositories.charsets import EVERY, NONE, Ranges, union


class RegexError(ValueError):
    """The text is no expression of the subset (SQLSTATE 2201B); the message says why."""


class Anchor(Enum):
    """The very begin and end of the text."""

    BEGIN = "^"
    END = "$"


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; without items, the empty text."""

    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One of the branches."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The item, `least` to `most` times (None: without bound)."""

    item: Node
    least: int
    most: int | None


Node = Anchor | Characters | Sequence | Alternatives | Repeat
EMPTY = Sequence()


def nodes_of(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    match node:
        case Sequence(items) | Alternatives(items):
            for item in items:
                yield from nodes_of(item)
        case Repeat(item):
            yield from nodes_of(item)


def nullable(node: Node) -> bool:
    """Whether it matches the empty text, anchors aside (which no repetition holds)."""
    match node:
        case Sequence(items):
            return all(map(nullable, items))
        case Alternatives(branches):
            return any(map(nullable, branches))
        case Repeat(item, least):
            return least == 0 or nullable(item)
    return False


def fixed_length(node: Node) -> int | None:
    """The length of everything that it matches, if that is one; None for anchors too."""
    match node:
        case Characters():
            return 1
        case Sequence(items):
            lengths = [fixed_length(item) for item in items]
            return sum(length for length in lengths if length is not None) if None not in lengths else None
        case Alternatives(branches):
            found = {fixed_length(branch) for branch in branches}
            return found.pop() if len(found) == 1 else None
        case Repeat(item, least, most):
            length = fixed_length(item)
            return length * least if length is not None and least == most else None
    return None


def first_characters(node: Node, follow: Ranges) -> Ranges:
    """The characters that may come next where the node begins and `follow` may come after it."""
    match node:
        case Characters(ranges):
            return ranges
        case Anchor.BEGIN:
            return EVERY
        case Anchor.END:
            return NONE
        case Sequence(items):
            for item in reversed(items):
                follow = first_characters(item, follow)
            return follow
        case Alternatives(branches):
            return charsets.normal(pair for branch in branches for pair in first_characters(branch, follow))
        case Repeat(item, least, most):
            if most == 0:
                return follow
            first = first_characters(item, follow)
            return first if least else union(first, follow)
    raise AssertionError(node)


def simplified(tree: Node) -> Node:
    """A tree that is found in the same texts, without repetitions where anything may stand beside them."""
    return _trimmed(tree, left=True, right=True)


def _trimmed(node: Node, *, left: bool, right: bool) -> Node:
    """The node where any text may stand to its left, to its right: there, the least of a repetition will do."""
    match node:
        case Repeat(item, least) if left or right:
            if least > 1:
                return Repeat(item, least, least)
            return _trimmed(item, left=left, right=right) if least else EMPTY
        case Alternatives(branches):
            return Alternatives(tuple(_trimmed(branch, left=left, right=right) for branch in branches))
        case Sequence(items):
            return _trimmed_sequence(list(items), left=left, right=right)
    return node


def _trimmed_sequence(items: list[Node], *, left: bool, right: bool) -> Node:
    index = 0
    while index < len(items):
        before = left if index == 0 else _is_run(items[index - 1])
        after = right if index == len(items) - 1 else _is_run(items[index + 1])
        item = _trimmed(items[index], left=before, right=after)
        if item == items[index]:
            index += 1
            continue
        # The neighbours of what has changed may have become simpler, too.
        items[index : index + 1] = item.items if isinstance(item, Sequence) else (item,)
        index = max(0, index - 1)
    return items[0] if len(items) == 1 else Sequence(tuple(items))


def _is_run(node: Node) -> bool:
    """Whether it is a run of any characters."""
    return isinstance(node, Repeat) and node.most is None and node.item == Characters(EVERY)


def parts_of(node: Node) -> list[list[Node]] | None:
    """The parts of a branch, each but the first begun by a run of any characters.

    None where the branch has no such run, or where a part but the last is not of fixed length.
    """
    parts: list[list[Node]] = [[]]
    for item in node.items if isinstance(node, Sequence) else (node,):
        if _is_run(item):
            parts.append([])
        parts[-1].append(item)
    first = parts[0][1:] if parts[0][:1] == [Anchor.BEGIN] else parts[0]
    fixed = [first, *(part[1:] for part in parts[1:-1])]
    if len(parts) == 1 or any(fixed_length(Sequence(tuple(part))) is None for part in fixed):
        return None
    return parts

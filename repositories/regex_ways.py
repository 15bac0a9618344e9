"""In how many ways a regular expression can match, for engines that try one way after another, as PCRE does.

Such an engine is safe with a repetition where the next character tells whether it goes on. So a tree is first made
simpler without changing where it is found (`[a-z]+@` is found where `[a-z]@` is), then the ways that are left are
counted: one repetition may be open, as in `^a[^x]*b$`, besides a few choices. Runs of any character between parts of
fixed length (`foo.*bar.*baz`) may be as many as wanted: the first place where a part is found is as good as any.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from repositories.charsets import EVERY, NONE, Ranges, overlap, union
from repositories.regex_trees import (
    Alternatives,
    Anchor,
    Characters,
    Node,
    RegexError,
    Repeat,
    Sequence,
    first_characters,
    nodes_of,
    nullable,
    parts_of,
    simplified,
)

#: How many ways to match there may be, beside an open repetition and without one.
MAX_WAYS_OPEN, MAX_WAYS = 8, 1000
#: How large an expression may grow with its bounded repetitions written out (PCRE has 64 kB, PostgreSQL some states).
MAX_SIZE = 30_000


@dataclass(frozen=True, slots=True)
class Ways:
    """In how many ways a node can match the same text: a number, times the text's length to the power `open`."""

    number: int = 1
    open: int = 0

    def times(self, other: Ways) -> Ways:
        """The ways where each of these goes with each of the other."""
        return Ways(self.number * other.number, self.open + other.open)

    def plus(self, other: Ways) -> Ways:
        """The ways where these are tried, and the other."""
        return Ways(self.number + other.number, max(self.open, other.open))


ONE = Ways()


def check(tree: Node) -> None:
    """Refuse what an engine could spend too long on. Raises `RegexError`."""
    if _size(tree) > MAX_SIZE:
        raise RegexError("it is too large when its repetitions are written out")
    for node in nodes_of(tree):
        if isinstance(node, Repeat) and node.most is None and not isinstance(node.item, Characters):
            _check_loop(node.item, NONE)
    simple = simplified(tree)
    for branch in simple.branches if isinstance(simple, Alternatives) else (simple,):
        _check_branch(branch)


def _check_branch(branch: Node) -> None:
    parts = parts_of(branch)
    if parts is None:
        ways, begins = _ways(branch, NONE), _begins(branch)
    else:
        # All parts but the last are looked for once.
        ways, begins = _ways(Sequence(tuple(parts[-1])), NONE), True
        ways = Ways(max(ways.number, *(_ways(Sequence(tuple(part)), EVERY).number for part in parts[:-1])), ways.open)
    # Every place of the text may be the begin of an expression that is not bound to it.
    alone = begins or sum(isinstance(node, Repeat) and node.least != node.most for node in nodes_of(branch)) == 1
    if ways.open > 1 or ways.number > (MAX_WAYS_OPEN if ways.open else MAX_WAYS) or (ways.open and not alone):
        raise RegexError("there are too many ways to match the same text: its repetitions overlap")


def _begins(branch: Node) -> bool:
    """Whether it is found at the text's begin only."""
    return branch == Anchor.BEGIN or (isinstance(branch, Sequence) and branch.items[:1] == (Anchor.BEGIN,))


def _check_loop(item: Node, follow: Ranges) -> None:
    """A group that is repeated without bound tells by the next character whether, and how, it goes on."""
    first = first_characters(item, NONE)
    if nullable(item) or overlap(first, follow) or _ways(item, union(first, follow)) != ONE:
        raise RegexError(
            "in and after a group that is repeated without bound, "
            "the next character must tell how it goes on: its repetitions overlap"
        )


def _size(node: Node) -> int:
    match node:
        case Characters(ranges):
            return 6 if len(ranges) == 1 else 40 + 10 * len(ranges)
        case Sequence(items) | Alternatives(items):
            return 6 + sum(6 + _size(item) for item in items)
        case Repeat(Characters() as item, least, most):
            return _size(item) + 30 * (most or least or 1)
        case Repeat(item, least, most):
            return 6 + _size(item) * max(1, least + 1 if most is None else most)
    return 2


def _ways(node: Node, follow: Ranges) -> Ways:
    """In how many ways the node can match, where `follow` may come after it. Raises `RegexError`."""
    match node:
        case Sequence(items):
            ways = ONE
            for item in reversed(items):
                ways = ways.times(_ways(item, follow))
                follow = first_characters(item, follow)
            return ways
        case Alternatives(branches):
            each = [_ways(branch, follow) for branch in branches]
            firsts = [first_characters(branch, follow) for branch in branches]
            ways = each[0]
            for other in each[1:]:
                ways = ways.plus(other)
            if any(overlap(first, second) for first, second in combinations(firsts, 2)):
                return ways
            return Ways(max(way.number for way in each), ways.open)
        case Repeat():
            return _repeat_ways(node, follow)
    return ONE


def _repeat_ways(node: Repeat, follow: Ranges) -> Ways:
    item, least, most = node.item, node.least, node.most
    if is_decided(node, follow):
        return ONE
    if most is None:
        if not isinstance(item, Characters):
            _check_loop(item, follow)
        return Ways(1, 1)
    inner = _ways(item, after_item(node, follow))
    number, times = inner.number**most, inner.open * most
    if least != most:
        number *= most - least + 1
    return Ways(number, times)


def after_item(node: Repeat, follow: Ranges) -> Ranges:
    """What may come after one occurrence of the item."""
    return follow if node.most == 1 else union(first_characters(node.item, follow), follow)


def is_decided(node: Repeat, follow: Ranges) -> bool:
    """Whether the next character always tells if and how the repetition goes on."""
    if node.least != node.most and overlap(first_characters(node.item, NONE), follow):
        return False
    return not nullable(node.item) and _ways(node.item, after_item(node, follow)) == ONE

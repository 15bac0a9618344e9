"""Regular expressions as text, in the language that both engines understand."""

from __future__ import annotations

from repositories import charsets
from repositories.charsets import EVERY, NONE, Ranges
from repositories.regex_trees import (
    Alternatives,
    Anchor,
    Characters,
    Node,
    Repeat,
    Sequence,
    first_characters,
    parts_of,
)
from repositories.regex_ways import after_item, is_decided


def write(tree: Node, end: str, *, possessive: bool) -> str:
    """The tree as text."""
    writer = _Writer(end, possessive)
    if isinstance(tree, Alternatives):
        return "|".join(map(writer.branch, tree.branches))
    return writer.branch(tree)


class _Writer:
    def __init__(self, end: str, possessive: bool) -> None:
        self._end = end
        self._possessive = possessive

    def branch(self, node: Node) -> str:
        """A branch of the whole tree."""
        parts = parts_of(node) if self._possessive else None
        if parts is None:
            return self._node(node, NONE)
        begin = self._node(Sequence(tuple(parts[0])), EVERY)
        if parts[0][:1] != [Anchor.BEGIN]:
            begin = f"^(?>.*?{begin})"
        return begin + "".join(map(self._earliest, parts[1:-1])) + self._node(Sequence(tuple(parts[-1])), NONE)

    def _earliest(self, part: list[Node]) -> str:
        """A run of any characters and what follows it, at the first place where that is found, and nowhere else."""
        run, *rest = part
        return f"(?>{self._node(run, EVERY)}?{self._node(Sequence(tuple(rest)), EVERY)})"

    def _node(self, node: Node, follow: Ranges) -> str:
        match node:
            case Characters(ranges):
                return charsets.written(ranges)
            case Anchor.BEGIN:
                return "^"
            case Anchor.END:
                return self._end
            case Sequence(items):
                written = []
                for item in reversed(items):
                    written.append(self._node(item, follow))
                    follow = first_characters(item, follow)
                return "".join(reversed(written))
            case Alternatives(branches):
                return "(?:" + "|".join(self._node(branch, follow) for branch in branches) + ")"
            case Repeat():
                return self._repeat(node, follow)
        raise AssertionError(node)

    def _repeat(self, node: Repeat, follow: Ranges) -> str:
        item = self._node(node.item, after_item(node, follow))
        if isinstance(node.item, Sequence | Repeat):
            item = f"(?:{item})"
        open_ended = node.most not in (node.least, 1)
        sure = "+" if self._possessive and open_ended and is_decided(node, follow) else ""
        return item + _quantifier(node.least, node.most) + sure


def _quantifier(least: int, most: int | None) -> str:
    match least, most:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _, None:
            return f"{{{least},}}"
    return f"{{{least}}}" if least == most else f"{{{least},{most}}}"

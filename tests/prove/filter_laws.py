"""Laws of filters: what a filter, its opposite and what is unknown of it have to do with each other, and with trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from repositories.query import TEXT, Operator
from repositories.schema import Field, Kind, Resource, Type
from service.planner.operands import APPLICABLE
from tests.prove import data
from tests.prove.asking import Asker, Key, alike, claim
from tests.prove.chance import Chance
from tests.prove.data import quoted
from tests.prove.reads import Reads

#: Asks one store, and gives the number of records that the law was about. Raises `Broken` and `Refused`.
Check = Callable[[Asker], int]
#: Operators that tell whether a null is one.
_KNOWING = ("is.", "isdistinct.")
#: Operands without any value, which say the same of null as of anything else.
_EMPTY = ("in.()", "(any).{}", "(all).{}")


def partition(reads: Reads, resource: Resource) -> Check:
    """count(p) + count(not p) + count(p is unknown) = count(all): unknown is what is null, unless p asks for that."""
    column, text = _condition(reads, resource)

    def check(asker: Asker) -> int:
        true = asker.keys(resource, [(column, text)])
        false = asker.keys(resource, [(column, f"not.{text}")])
        null = [] if _is_known(text) else asker.keys(resource, [(column, "is.null")])
        everything = asker.keys(resource)
        claim(
            len(true) + len(false) + len(null) == len(everything),
            f"{len(true)} are true, {len(false)} false, {len(null)} unknown, of {len(everything)}",
        )
        alike(sorted([*true, *false, *null], key=str), sorted(everything, key=str), "true, false and unknown")
        return len(everything)

    return check


@dataclass(frozen=True)
class Tree:
    """A filter: a comparison, or others joined by a word."""

    text: str
    word: str = ""
    members: tuple[Tree, ...] = ()

    @property
    def parameter(self) -> tuple[str, str]:
        """As a parameter of the URL."""
        if self.word:
            return self.word, self.text.removeprefix(self.word)
        return "and", f"({self.text})"

    @property
    def opposite(self) -> tuple[str, str]:
        return "not.and", f"({self.text})"


def partition_of_a_tree(reads: Reads, resource: Resource) -> Check:
    """A tree is true, false and unknown where three-valued logic says so of what its comparisons are."""
    tree = _tree(reads, resource, 2)

    def check(asker: Asker) -> int:
        everything = frozenset(asker.keys(resource))
        true, false = _truth(asker, resource, tree, everything)
        alike(_sorted(asker.keys(resource, [tree.parameter])), _sorted(true), "where the tree is true")
        alike(_sorted(asker.keys(resource, [tree.opposite])), _sorted(false), "where the tree is false")
        return len(true) + len(false)

    return check


def _truth(
    asker: Asker, resource: Resource, tree: Tree, everything: frozenset[Key]
) -> tuple[frozenset[Key], frozenset[Key]]:
    """Where it is true, and where it is false: of comparisons the store tells that, of the rest Kleene's logic."""
    if not tree.word:
        true = frozenset(asker.keys(resource, [tree.parameter]))
        false = frozenset(asker.keys(resource, [tree.opposite]))
        claim(not true & false, f"{tree.text} is true and false of {true & false}")
        return true, false
    found = [_truth(asker, resource, member, everything) for member in tree.members]
    trues, falses = [true for true, _ in found], [false for _, false in found]
    if tree.word.endswith("and"):
        true, false = everything.intersection(*trues), frozenset().union(*falses)
    else:
        true, false = frozenset().union(*trues), everything.intersection(*falses)
    return (false, true) if tree.word.startswith("not.") else (true, false)


def union(reads: Reads, resource: Resource) -> Check:
    """`or=` is the union of its members, `and=` and several parameters are their intersection."""
    parts = [_condition(reads, resource, tree=True) for _ in range(reads.chance.pick([2, 3]))]
    leaves = [f"{column}.{text}" for column, text in parts]

    def check(asker: Asker) -> int:
        found = [frozenset(asker.keys(resource, [("and", f"({leaf})")])) for leaf in leaves]
        either = asker.keys(resource, [("or", f"({','.join(leaves)})")])
        alike(_sorted(either), _sorted(frozenset().union(*found)), "or= and the union")
        both = found[0].intersection(*found[1:])
        alike(_sorted(asker.keys(resource, [("and", f"({','.join(leaves)})")])), _sorted(both), "and=, intersection")
        severally = [("and", f"({leaf})") for leaf in leaves]
        alike(_sorted(asker.keys(resource, severally)), _sorted(both), "several parameters and the intersection")
        return len(either)

    return check


def membership(reads: Reads, resource: Resource) -> Check:
    """`in.(…)` and `eq(any).{…}` are the union of `eq`; `not` of either is the rest, without nulls."""
    column, kind, texts = _values(reads, resource, Operator.IN)

    def check(asker: Asker) -> int:
        union = frozenset(key for text in texts for key in asker.keys(resource, [(column, f"eq.{text}")]))
        listed = asker.keys(resource, [(column, f"in.({','.join(map(quoted, texts))})")])
        alike(_sorted(listed), _sorted(union), "in.() and the union of eq")
        if kind.kind is not Kind.ARRAY:
            several = data.array_text(texts)
            alike(_sorted(asker.keys(resource, [(column, f"eq(any).{several}")])), _sorted(union), "eq(any)")
            others = frozenset(asker.keys(resource, [(column, "not.is.null")])) - union
            alike(_sorted(asker.keys(resource, [(column, f"not.eq(any).{several}")])), _sorted(others), "not.eq(any)")
        return len(listed)

    return check


def negation(reads: Reads, resource: Resource) -> Check:
    """`not` twice is the filter itself."""
    column, text = _condition(reads, resource, tree=True)

    def check(asker: Asker) -> int:
        once = asker.keys(resource, [("and", f"({column}.{text})")])
        alike(asker.keys(resource, [("not.and", f"({column}.not.{text})")]), once, "not.and=(column.not…)")
        alike(asker.keys(resource, [("not.or", f"(not.and({column}.{text}))")]), once, "not.or=(not.and(…))")
        return len(once)

    return check


def sorted_halves(reads: Reads, resource: Resource) -> Check:
    """What is less than a value, then what is at least it: together exactly the sorted list, nulls apart."""
    column, _, (text,) = _values(reads, resource, Operator.LT, most=1)

    def check(asker: Asker) -> int:
        count = 0
        for first, second, way in (("lt", "gte", ""), ("gt", "lte", ".desc"), ("lte", "gt", ".asc.nullsfirst")):
            order = ("order", f"{column}{way}")
            halves = [asker.keys(resource, [(column, f"{half}.{text}"), order]) for half in (first, second)]
            everything = asker.keys(resource, [(column, "not.is.null"), order])
            alike([*halves[0], *halves[1]], everything, f"{first} and {second} of {text!r}")
            count += len(everything)
        return count

    return check


def _sorted(keys: frozenset[Key] | list[Key]) -> list[Key]:
    return sorted(keys, key=str)


def _is_known(text: str) -> bool:
    return text.startswith(_KNOWING) or text.endswith(_EMPTY)


def _condition(reads: Reads, resource: Resource, *, tree: bool = False) -> tuple[str, str]:
    """A condition that is not negated."""
    column, text = reads.filters.condition(resource, tree=tree)
    return column, text.removeprefix("not.")


def _tree(reads: Reads, resource: Resource, depth: int) -> Tree:
    chance = reads.chance
    members = tuple(
        _tree(reads, resource, depth - 1)
        if depth and chance.one_in(3)
        else Tree(".".join(reads.filters.condition(resource, tree=True)))
        for _ in range(chance.pick([2, 1, 3]))
    )
    word = chance.pick(["or", "and", "not.or", "not.and"])
    return Tree(f"{word}({','.join(member.text for member in members)})", word, members)


def _values(reads: Reads, resource: Resource, operator: Operator, most: int = 3) -> tuple[str, Type, list[str]]:
    """A column or path that takes the operator, and texts of values, mostly of some that are stored."""
    chance = reads.chance
    known = chance.pick([each for each in resource.fields.values() if _is_plain(each, operator)] or [resource.key[0]])
    wanted = chance.number(1, most)
    if known.type.kind is Kind.JSON:
        path = chance.pick([each for each in data.PATHS if "->>" in each])
        return known.name + path, TEXT, [chance.pick(data.TEXTS) for _ in range(wanted)]
    return known.name, known.type, [_text(chance, reads, known) for _ in range(wanted)]


def _is_plain(known: Field, operator: Operator) -> bool:
    return known.type.kind in APPLICABLE[operator]


def _text(chance: Chance, reads: Reads, known: Field) -> str:
    if chance.one_in(4):
        return data.filter_text(known.type, data.value(chance, known.type))
    return data.filter_text(known.type, reads.filters.stored(known, known.type))

"""Generated filters: every operator, with quantifiers and `not`, alone and in trees, on columns and on paths."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from repositories.query import JSON, TEXT, Operator
from repositories.schema import Field, Kind, Resource, Type, Value
from service.dialect.filters import QUANTIFIABLE
from service.planner.operands import APPLICABLE
from tests.prove import data
from tests.prove.chance import Chance
from tests.prove.data import PATHS, filter_text, quoted
from tests.prove.worlds import Records

#: Expressions that both engines read alike, and some that are refused.
REGEXES = [
    "^a", "a$", "^$", "b", "^[a-c]+$", "^.$", "(a|b)c?", "[^a]", r"\d", r"\s", r"\w", "^a{1,3}$", "a.b", r"\.", "é",
    "ß",    "^[A-Z]", "i", "k", "ſ", r"\$", ".", "", "x{300}", "(a", "[", r"\1", "(?i)a", "a**", "(a+)+",
    "[[:alpha:]]", "a|",
]  # fmt: skip
_IS = ["null", "not_null", "true", "false", "unknown"]


@dataclass
class Cells:
    """The cells of the language that a request is in."""

    hit: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, table: str, row: str, column: str) -> None:
        self.hit.append((table, row, column))


@dataclass
class Filters:
    """Makes conditions on the fields of resources; their values are mostly some that are stored."""

    chance: Chance
    records: Records
    cells: Cells

    def condition(self, resource: Resource, *, tree: bool = False, embedded: bool = False) -> tuple[str, str]:
        """The name of the parameter, and its value."""
        chance = self.chance
        known = chance.pick(list(resource.fields.values()))
        column, kind = self.column(known)
        negation = "not." if chance.one_in(4) else ""
        forms = ["tree"] * tree + ["embedded"] * embedded + ["not"] * bool(negation) + ["path"] * (column != known.name)
        shown = kind.kind.value if column == known.name else f"json {'text' if kind is TEXT else 'value'}"
        if chance.one_in(8):
            state = chance.pick(_IS if kind.kind is Kind.BOOLEAN else _IS[:2])
            self._note(f"is.{state}", shown, forms)
            return column, f"{negation}is.{state}"
        operator = chance.pick([each for each in Operator if kind.kind in APPLICABLE[each]])
        quantifier = chance.pick(["any", "all"]) if operator in QUANTIFIABLE and chance.one_in(4) else ""
        self._note(operator.value, shown, [*forms, *([quantifier] if quantifier else [])])
        values = [self._operand(operator, known, kind) for _ in range(chance.pick([1, 2, 3, 0]))]
        return column, negation + self._written(operator, quantifier, values, known, kind, tree=tree)

    def _written(
        self,
        operator: Operator,
        quantifier: str,
        values: list[str],
        known: Field,
        kind: Type,
        *,
        tree: bool,
    ) -> str:
        if operator is Operator.IN:
            return f"in.({','.join(map(quoted, values))})"
        if quantifier:
            return f"{operator.value}({quantifier}).{data.array_text(values)}"
        text = self._operand(operator, known, kind)
        if tree and not (kind.kind is Kind.ARRAY and text.startswith("{")):
            text = quoted(text)
        return f"{operator.value}.{text}"

    def column(self, known: Field) -> tuple[str, Type]:
        """The column or a path into it, and its type."""
        if known.type.kind is Kind.JSON and not self.chance.one_in(3):
            path = self.chance.pick(PATHS)
        elif known.type.kind is Kind.ARRAY and self.chance.one_in(3):
            path = self.chance.pick(["->0", "->>0", "->-1", "->>1", "->a"])
        else:
            return known.name, known.type
        return known.name + path, TEXT if "->>" in path else JSON

    def _note(self, operator: str, kind: str, forms: list[str]) -> None:
        for form in forms or ["plain"]:
            self.cells.add(f"operators: {form}", operator, kind)

    def _operand(self, operator: Operator, known: Field, kind: Type) -> str:
        chance = self.chance
        if operator in (Operator.MATCH, Operator.IMATCH):
            return chance.pick(REGEXES)
        text = self._text(known, kind)
        if operator in (Operator.LIKE, Operator.ILIKE):
            return self._pattern(text, operator)
        if kind.kind is Kind.DATETIME and chance.one_in(4):
            return chance.pick(data.INSTANT_TEXTS)
        return text.upper() if kind.kind is Kind.UUID and chance.one_in(4) else text

    def _pattern(self, text: str, operator: Operator) -> str:
        if operator is Operator.ILIKE and self.chance.one_in(2):
            text = self.chance.pick([text.swapcase(), text.upper(), text.lower(), text.casefold()])
        if self.chance.one_in(3):
            escaped = re.sub(r"([\\%_*])", r"\\\1", text)
            return self.chance.pick([escaped, f"{escaped}*", f"*{escaped}"])
        cut = self.chance.number(0, len(text))
        made = [f"{text}*", text, f"*{text}", f"%{text[:cut]}_%", f"{text[:cut]}_{text[cut + 1 :]}", f"*{text[cut:]}*"]
        made += ["*", "", "_", r"\%", r"\_*", r"\\", text.swapcase(), text.upper() + "*", text.casefold(), "\\"]
        return self.chance.pick(made)

    def _text(self, known: Field, kind: Type) -> str:
        """A value that is stored, or one that may not be; of paths, one that any path may lead to."""
        chance = self.chance
        if kind is TEXT or kind is JSON:
            pool = data.TEXTS if kind is TEXT else data.JSONS
            found = chance.pick(pool) if chance.one_in(2) else chance.pick(_parts(self.stored(known, known.type)))
            return filter_text(JSON if isinstance(found, list | dict) else kind, found)
        if chance.one_in(3):
            return filter_text(kind, data.scalar(chance, kind))
        found = self.stored(known, kind)
        if kind.kind is Kind.JSON and chance.one_in(3):
            found = chance.pick(_parts(found))
        elif kind.kind is Kind.ARRAY and found and chance.one_in(3):
            found = [chance.pick(found)]
        return filter_text(kind, found)

    def stored(self, known: Field, kind: Type) -> Value:
        found = [row[known.name] for rows in self.records.values() for row in rows if row.get(known.name) is not None]
        found = [each for each in found if isinstance(each, type(data.fallback(kind)))] or [
            data.value(self.chance, kind)
        ]
        return self.chance.pick(found)

    def tree(self, resource: Resource, names: list[str], depth: int = 2) -> tuple[str, str]:
        """`or=(…)` and its like; `names` are of embeds, which may be asked for, too."""
        chance = self.chance
        members = []
        for _ in range(chance.pick([2, 1, 3])):
            if depth and chance.one_in(4):
                word, inner = self.tree(resource, names, depth - 1)
                members.append(word + inner)
            else:
                members.append(".".join(self.condition(resource, tree=True)))
        for name in names:
            if chance.one_in(3):
                members.append(f"{name}.{chance.pick(['is.null', 'not.is.null', 'is.not_null'])}")
                self.cells.add("embeds", "asked for in a tree", "any")
        word = chance.pick(["or", "and", "not.or", "not.and"])
        self.cells.add("logic", word, f"depth {depth}")
        return word, "(" + ",".join(members) + ")"


def _parts(found: Value) -> list[Value]:
    """An array or a value of JSON, and all that is within, but nulls."""
    within = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [found, *(part for each in within if each is not None for part in _parts(each))]

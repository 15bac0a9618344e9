"""Generated reads: what is selected, embedded, filtered, ordered and cut into pages, at every level."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from repositories.expressions import AGGREGABLE, CAST_NAMES, castable, castable_in_groups
from repositories.query import AggregateFunction
from repositories.schema import Field, Resource
from service.planner.relations import Known, Relations
from tests.prove import data
from tests.prove.chance import Chance
from tests.prove.filters import Cells, Filters
from tests.prove.worlds import Records

_ALIASES = ["m", "é", "A", "id", "count", "from", '"a b"', "$x", "x" * 63, "x" * 64]


@dataclass
class Draft:
    """A request under construction: its parameters, not encoded yet."""

    parameters: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def query(self) -> str:
        return "&".join(f"{quote(name, safe=_SAFE)}={quote(value, safe=_SAFE)}" for name, value in self.parameters)


_SAFE = "().,:*!->\"{}'$"


@dataclass
class Reads:
    """Makes the parameters of reads."""

    chance: Chance
    relations: Relations
    records: Records
    cells: Cells = field(default_factory=Cells)
    aliases: int = 0

    def __post_init__(self) -> None:
        self.filters = Filters(self.chance, self.records, self.cells)

    def collection(self, resource: Resource, draft: Draft) -> None:
        """All that a read of a collection may have."""
        chance = self.chance
        embeds = self.select(resource, draft)
        for _ in range(chance.pick([1, 0, 2, 1])):
            draft.parameters.append(self.filters.condition(resource))
        if chance.one_in(4):
            draft.parameters.append(self.filters.tree(resource, embeds))
        if embeds and chance.one_in(6):
            draft.parameters.append((chance.pick(embeds), chance.pick(["is.null", "not.is.null", "is.not_null"])))
            self.cells.add("embeds", "null-filtered", "any")
        if chance.one_in(3):
            self.order(resource, draft, "")
        self._page(draft, "", 4)

    def select(self, resource: Resource, draft: Draft, *, depth: int = 2) -> list[str]:
        """Select something; the embeds are told."""
        if self.chance.one_in(3):
            return []
        members, embeds = self._members(resource, draft, "", depth)
        draft.parameters.insert(0, ("select", ",".join(members)))
        return embeds

    def _members(
        self, resource: Resource, draft: Draft, path: str, depth: int, *, spread: bool = False
    ) -> tuple[list[str], list[str]]:
        chance = self.chance
        grouped = not spread and chance.one_in(4)
        members = ["*"] if not grouped and chance.one_in(4) else []
        fields = chance.some(list(resource.fields.values()), 0 if members else 1, 3)
        members += [self._member(each, grouped=grouped) for each in fields]
        if grouped:
            members = members if chance.one_in(2) else []
            members += [self._aggregate(resource, path) for _ in range(chance.pick([1, 2]))]
        names = []
        for _ in range(chance.pick([0, 1, 0, 2]) if depth else 0):
            member, name = self._embed(resource, draft, path, depth, grouped=grouped)
            members.append(member)
            names += [name] * bool(name)
        return members, names

    def _alias(self) -> str:
        self.aliases += 1
        if self.chance.one_in(12):
            return self.chance.pick(_ALIASES) + ":"
        return f"m{self.aliases}:"

    def _member(self, known: Field, *, grouped: bool) -> str:
        chance = self.chance
        column, kind = self.filters.column(known)
        alias = self._alias() if column != known.name or chance.one_in(3) else ""
        if not chance.one_in(4):
            return alias + column
        fit = castable_in_groups if grouped else castable
        names = [name for name, target in CAST_NAMES.items() if chance.one_in(12) or fit(kind.kind, target)]
        cast = chance.pick(names or ["text"])
        self.cells.add("casts: grouped" if grouped else "casts", CAST_NAMES[cast].value, _shown(known, column))
        return f"{alias or self._alias()}{column}::{cast}"

    def _aggregate(self, resource: Resource, path: str) -> str:
        chance = self.chance
        form = "embedded" if path else "plain"
        if chance.one_in(5):
            self.cells.add(f"aggregates: {form}", "count()", "records")
            return chance.pick(["count()", f"{self._alias()}count()", "count", f"{self._alias()}count()::text"])
        function = chance.pick(list(AggregateFunction))
        known = chance.pick(
            [each for each in resource.fields.values() if _aggregable(function, each)] or [resource.key[0]]
        )
        column, kind = self.filters.column(known)
        if kind.kind not in AGGREGABLE[function]:
            column = known.name
        inner = outer = ""
        if chance.one_in(6):
            inner, form = "::" + chance.pick(["numeric", "bigint", "float8", "int"]), f"{form}, cast"
        if chance.one_in(6):
            outer, form = "::" + chance.pick(["text", "int", "float8", "numeric", "json"]), f"{form}, cast"
        self.cells.add(f"aggregates: {form}", function.value, _shown(known, column))
        return f"{self._alias()}{column}{inner}.{function.value}(){outer}"

    def _embed(self, resource: Resource, draft: Draft, path: str, depth: int, *, grouped: bool) -> tuple[str, str]:
        """The member of select, and the embed's name for filters."""
        chance = self.chance
        known = self.relations.of(resource)
        if not known:
            return f"{self._alias()}{resource.primary_key[0]}", ""
        relation = chance.pick(known)
        shown = _relation(relation, resource)
        called, how = self._called(relation)
        join = chance.pick(["", "", "!inner", "!left"])
        target = relation.relation.target
        self._note(shown, how, join.removeprefix("!"), "nested" if path else "", "grouped by" if grouped else "")
        if chance.one_in(4):
            name = called.partition("!")[0]
            members, _ = self._members(target, draft, f"{path}{name}.", depth - 1, spread=True)
            if not relation.relation.many and chance.one_in(5):
                members.append(self._aggregate(target, "spread"))
            self._note(shown, "spread")
            self._level(target, draft, f"{path}{name}.", shown)
            return f"...{called}{join}({','.join(members)})", name
        name = called.partition("!")[0]
        alias = ""
        if not chance.one_in(4):
            alias, name = (made := self._alias()), made.removesuffix(":")
            self._note(shown, "alias")
        below = f"{path}{name}."
        if chance.one_in(10):
            self._note(shown, "without members")
            return f"{alias}{called}{join}()", name
        members, _ = self._members(target, draft, below, depth - 1)
        self._level(target, draft, below, shown)
        if not path and not grouped and chance.one_in(4):
            self.order(target, draft, "", name)
            self._note(shown, "ordered by")
        return f"{alias}{called}{join}({','.join(members)})", name

    def _called(self, relation: Known) -> tuple[str, str]:
        """A name for the relation, mostly one that means it alone."""
        chance = self.chance
        if relation.own_names and chance.one_in(3):
            return chance.pick(sorted(relation.own_names)), "own name"
        if chance.one_in(4):
            return relation.relation.target.name, "resource's name"
        if relation.hints and chance.one_in(3):
            return f"{relation.relation.target.name}!{chance.pick(sorted(relation.hints))}", "hint"
        return relation.proposal, "proposal"

    def _level(self, target: Resource, draft: Draft, path: str, shown: str) -> None:
        """Filters, order and page of an embed."""
        chance = self.chance
        if chance.one_in(3):
            name, value = self.filters.condition(target, embedded=True)
            draft.parameters.append((path + name, value))
            self._note(shown, "filtered")
        if chance.one_in(8):
            name, value = self.filters.tree(target, [], 1)
            draft.parameters.append((path + name, value))
            self._note(shown, "filtered by a tree")
        if chance.one_in(5):
            self.order(target, draft, path)
            self._note(shown, "ordered")
        if not shown.startswith("to one") and chance.one_in(4):
            self._page(draft, path, 2)
            self._note(shown, "page")

    def order(self, resource: Resource, draft: Draft, path: str, embed: str = "") -> None:
        """By columns, paths, or by columns of an embed."""
        if any(name == f"{path}order" for name, _ in draft.parameters):
            return
        keys = []
        for known in self.chance.some(list(resource.fields.values()), 1, 2):
            column, _ = self.filters.column(known)
            way = self.chance.pick(
                ["", ".desc", ".asc", ".nullsfirst", ".nullslast", ".desc.nullslast", ".asc.nullsfirst"]
            )
            self.cells.add("order" + (": by an embed" if embed else ": in an embed" if path else ""), way or "as it is",
                           _shown(known, column))  # fmt: skip
            keys.append((f"{embed}({column})" if embed else column) + way)
        draft.parameters.append((f"{path}order", ",".join(keys)))

    def _page(self, draft: Draft, path: str, rarity: int) -> None:
        chance = self.chance
        if chance.one_in(rarity):
            draft.parameters.append((f"{path}limit", str(chance.pick([1, 2, 0, 5, 100]))))
        if chance.one_in(rarity + 1):
            draft.parameters.append((f"{path}offset", str(chance.pick([0, 1, 3, 50]))))

    def _note(self, relation: str, *forms: str) -> None:
        for form in filter(None, forms):
            self.cells.add("embeds", form, relation)


def _aggregable(function: AggregateFunction, known: Field) -> bool:
    return known.type.kind in AGGREGABLE[function]


def _shown(known: Field, column: str) -> str:
    if column == known.name:
        return known.type.kind.value
    return "json text" if "->>" in column else "json value"


def _relation(known: Known, resource: Resource) -> str:
    """The kind of relation, for the table."""
    relation = known.relation
    kind = "many to many" if relation.junction else "to many" if relation.many else "to one"
    if relation.target is resource:
        kind += ", itself"
    return kind + (", composite" if len(relation.pairs) > 1 else "")


def key_value(resource: Resource, chance: Chance, records: Records) -> tuple[object, ...]:
    """A primary key, mostly one that is there."""
    rows = records.get(resource.name, ())
    if rows and not chance.one_in(5):
        row = chance.pick(rows)
        return tuple(row[name] for name in resource.primary_key)
    return tuple(data.value(chance, part.type) for part in resource.key)

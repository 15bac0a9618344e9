"""Reads made at random from the catalog and the records there are: all that the language has, in every combination."""

from __future__ import annotations

import random
from datetime import date, datetime
from urllib.parse import quote

from repositories.encoding import json_text
from repositories.expressions import AGGREGABLE
from repositories.query import AggregateFunction
from repositories.schema import Field, Kind, Resource, Value
from service.planner.relations import Known, Relations
from tests.contract.films import STUDIO

CASTS = {
    Kind.INT32: ["text", "bigint", "float8", "numeric"],
    Kind.INT64: ["text", "numeric", "float8", "int"],
    Kind.DOUBLE: ["text", "numeric", "int"],
    Kind.DECIMAL: ["text", "int", "float8"],
    Kind.STRING: ["text", "json"],
    Kind.DATE: ["text", "timestamptz"],
    Kind.DATETIME: ["text", "date"],
    Kind.BOOLEAN: ["text", "json"],
}
PATHS = ["->a", "->>a", "->0", "->>0", "->n->list->1", "->n->>list", "->>age", "->age", "->langs->-1", "->1->a"]


class Maker:
    """Makes one request after the other, the same for the same seed."""

    def __init__(self, relations: Relations, resources: list[Resource], seed: int) -> None:
        self.relations, self.resources = relations, resources
        self.chance = random.Random(seed)
        self.parameters: list[str] = []
        self.aliases = 0

    def read(self) -> str:
        resource = self.chance.choice(self.resources)
        self.parameters, self.aliases = [], 0
        select = self._members(resource, "", depth=2)
        page = [f"limit={self.chance.randrange(5)}"] if self.chance.random() < 0.3 else []
        page += [f"offset={self.chance.randrange(3)}"] if self.chance.random() < 0.2 else []
        return f"{resource.name}?" + "&".join([f"select={select}", *self.parameters, *page])

    def _alias(self) -> str:
        self.aliases += 1
        return f"m{self.aliases}"

    def _members(self, resource: Resource, path: str, depth: int, *, spread: bool = False) -> str:
        """The members of a level; its filters and order join the parameters."""
        chance = self.chance
        grouped = not spread and chance.random() < 0.25
        members = [self._column(resource, grouped=grouped) for _ in range(chance.choice([0, 1, 2]) or (not path))]
        if grouped:
            members += [self._aggregate(resource) for _ in range(chance.choice([1, 2]))]
        embeds = []
        for _ in range(chance.choice([0, 0, 1, 1, 2]) if depth else 0):
            embed, name = self._embed(resource, path, depth, grouped=grouped)
            members.append(embed)
            embeds.append(name)
        self._conditions(resource, path, embeds)
        if not grouped and not spread and chance.random() < 0.5:
            self._order(resource, path)
        return ",".join(members)

    def _column(self, resource: Resource, *, grouped: bool) -> str:
        field = self.chance.choice(list(resource.fields.values()))
        text = field.name
        if field.type.kind is Kind.JSON:
            text += self.chance.choice([each for each in PATHS if not grouped or ">>" in each])
        elif field.type.kind is Kind.ARRAY:
            text += self.chance.choice(["->>0", ""])
        elif self.chance.random() < 0.3:
            text += "::" + self.chance.choice(CASTS[field.type.kind][: 1 if grouped else None])
        return f"{self._alias()}:{text}"

    def _aggregate(self, resource: Resource) -> str:
        function = self.chance.choice(list(AggregateFunction))
        fields = [each for each in resource.fields.values() if each.type.kind in AGGREGABLE[function]]
        if not fields or self.chance.random() < 0.3:
            return f"{self._alias()}:count()"
        field = self.chance.choice(fields)
        cast = "::text" if self.chance.random() < 0.2 else ""
        return f"{self._alias()}:{field.name}.{function.value}(){cast}"

    def _embed(self, resource: Resource, path: str, depth: int, *, grouped: bool) -> tuple[str, str]:
        chance = self.chance
        known = [each for each in self.relations.of(resource) if not grouped or not each.relation.many]
        if not known:
            return f"{self._alias()}:{resource.primary_key[0]}", ""
        relation = chance.choice(known)
        target = relation.relation.target
        inner = chance.choice(["", "", "!inner"])
        if chance.random() < 0.3:
            name = _named(relation).partition("!")[0]
            members = self._members(target, f"{path}{name}.", depth - 1, spread=True)
            if grouped and chance.random() < 0.5:
                members += "," + self._aggregate(target)
            return f"...{_named(relation)}{inner}({members})", name
        name = self._alias()
        below = f"{path}{name}."
        members = self._embedded(target, below, depth, grouped=grouped)
        if not relation.relation.many and members and not grouped and chance.random() < 0.3:
            self._order(target, path, name)
        if relation.relation.many and chance.random() < 0.3 and members:
            self.parameters.append(f"{below}limit={chance.randrange(1, 3)}")
        return f"{name}:{_named(relation)}{inner}({members})", name

    def _embedded(self, target: Resource, path: str, depth: int, *, grouped: bool) -> str:
        """The members of an embed; none where it only filters; plain ones where its parent is grouped by it."""
        if self.chance.random() < 0.1:
            return ""
        if grouped:
            return self._plain(target)
        return self._members(target, path, depth - 1)

    def _plain(self, resource: Resource) -> str:
        names = [each.name for each in resource.fields.values() if each.type.kind is not Kind.JSON]
        return ",".join(self.chance.sample(names, min(2, len(names))))

    def _conditions(self, resource: Resource, path: str, embeds: list[str]) -> None:
        chance = self.chance
        for _ in range(chance.choice([0, 0, 1, 1, 2])):
            column, operation = self._condition(resource)
            self.parameters.append(f"{path}{quote(column)}={quote(operation)}")
        if chance.random() < 0.3:
            members = [".".join(self._condition(resource, nested=True)) for _ in range(chance.choice([1, 2, 3]))]
            members += [f"{name}.{chance.choice(['is.null', 'not.is.null'])}" for name in embeds if name]
            word = chance.choice(["or", "and", "not.or", "not.and"])
            self.parameters.append(f"{path}{word}={quote('(' + ','.join(members) + ')')}")

    def _condition(self, resource: Resource, *, nested: bool = False) -> tuple[str, str]:
        chance = self.chance
        field = chance.choice(list(resource.fields.values()))
        negation = chance.choice(["", "", "not."])
        column, values = self._operand(resource, field)
        if not values or chance.random() < 0.15:
            return column, negation + chance.choice(["is.null", "is.not_null"])
        first, others = chance.choice(values), values
        quoted = ['"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in others]
        operators = ["eq", "neq", "gt", "gte", "lt", "lte", "isdistinct", "in", "eq(any)", "lte(all)"]
        if field.type.kind is Kind.ARRAY and "->" not in column:
            operators = ["eq", "neq", "gt", "lte", "cs", "cd", "ov", "isdistinct"]
        elif "->>" in column or field.type.kind is Kind.STRING:
            operators += ["like", "ilike", "match"]
        elif "->" in column:
            scalar = not first.startswith(("[", "{"))
            operators = ["eq", "neq", "isdistinct", "cs", "cd", *(["gt", "gte", "lt", "lte"] if scalar else [])]
        operator = chance.choice(operators)
        if operator == "in":
            return column, f"{negation}in.({','.join(quoted[:3])})"
        if "(" in operator:
            return column, f"{negation}{operator}.{{{','.join(quoted[:3])}}}"
        if operator in ("like", "ilike"):
            first = first[:1].replace("\\", "") + "*"
        if operator == "match":
            first = "^[a-mA]"
        if nested:
            first = '"' + first.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return column, f"{negation}{operator}.{first}"

    def _operand(self, resource: Resource, field: Field) -> tuple[str, list[str]]:
        """A column or path, and texts of values that occur there or near."""
        if field.type.kind is Kind.JSON:
            path = self.chance.choice(PATHS)
            return field.name + path, ["1", "x", "70", "fr"] if "->>" in path else ["1", '"1"', "70", "[]", "{}", '"x"']
        stored = [record.get(field.name) for record in STUDIO[resource.name]]
        return field.name, sorted({written(value) for value in stored if value is not None})

    def _order(self, resource: Resource, path: str, embed: str = "") -> None:
        """The order of a level, by its own columns or by those of an embed of one record."""
        if any(each.startswith(f"{path}order=") for each in self.parameters):
            return
        keys = []
        for _ in range(self.chance.choice([1, 2])):
            field = self.chance.choice(list(resource.fields.values()))
            text = field.name + (self.chance.choice(PATHS) if field.type.kind is Kind.JSON else "")
            text = f"{embed}({text})" if embed else text
            keys.append(text + self.chance.choice(["", ".desc", ".nullsfirst", ".desc.nullslast"]))
        self.parameters.append(f"{path}order={','.join(keys)}")


def _named(known: Known) -> str:
    """A name that means this relation alone."""
    return known.proposal


def written(value: Value) -> str:
    """The value as the text of a filter."""
    if isinstance(value, list):
        return "{" + ",".join(f'"{item}"' for item in value) + "}"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str) else json_text(value)

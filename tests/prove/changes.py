"""Generated writes: bodies in every form, with what says how they are written and answered."""

from __future__ import annotations

from dataclasses import dataclass

from repositories.encoding import json_text
from repositories.schema import Field, Kind, Resource
from tests.prove import data
from tests.prove.data import body_text, csv_cell
from tests.prove.reads import Draft, Reads

_WRONG = [
    "null",
    "{}",
    "[]",
    '"x"',
    "1.5",
    "99999999999999999999",
    "-1",
    "true",
    '""',
    '"\\u0000"',
    "1e400",
    '"2024-13-01"',
]
_RETURNS = ["return=representation", "return=minimal", "return=headers-only"]
Row = dict[str, str]


@dataclass
class Body:
    """Text, and its media type."""

    text: str
    type: str = "application/json"


class Changes:
    """Makes the parameters, headers and bodies of writes."""

    def __init__(self, reads: Reads) -> None:
        self.reads, self.chance, self.records = reads, reads.chance, reads.records
        self.cells = reads.cells
        #: Whether values are to be fit for their fields, all of them.
        self.sound = False

    def insert(self, resource: Resource, draft: Draft) -> Body:
        chance = self.chance
        form = chance.pick(["object", "array", "array", "csv", "ndjson"])
        names = self.names(resource)
        rows = [self.row(resource, names) for _ in range(1 if form == "object" else chance.pick([1, 2, 3, 0]))]
        if chance.one_in(5):
            self._columns(draft, names, rows, form)
        if chance.one_in(6):
            self._prefer(draft, chance.pick(["missing=default", "missing=null"]))
        if chance.one_in(3):
            self._resolve(resource, draft)
        self._answer(resource, draft, form)
        self.note("POST", form)
        return body_of(form, names, rows, resource)

    def update(self, resource: Resource, draft: Draft, *, item: bool) -> Body:
        chance = self.chance
        fields = [
            each for each in resource.fields.values() if each.name not in resource.primary_key or chance.one_in(6)
        ]
        row = {each.name: self.value(each) for each in chance.some(fields, 0 if chance.one_in(9) else 1, 3)}
        if not item:
            self.filter(resource, draft)
        verb = "PATCH item" if item else "PATCH"
        merges = chance.one_in(3)
        if merges:
            for each in fields:
                if each.type.kind is Kind.JSON:
                    row[each.name] = body_text(
                        chance.pick([{"a": None}, {"a": 2}, {"b": {"c": None}}, {}, {"a": {"b": 3}}])
                    )
        self._answer(resource, draft, verb)
        self.note(verb, "merge patch" if merges else "json")
        return Body(object_text(row), "application/merge-patch+json" if merges else "application/json")

    def replace(self, resource: Resource, draft: Draft, key: tuple[object, ...]) -> Body:
        chance = self.chance
        names = [name for name in self.names(resource) if name not in resource.primary_key]
        row = self.row(resource, names)
        if chance.one_in(2):
            row |= {name: body_text(part) for name, part in zip(resource.primary_key, key, strict=True)}
        self._answer(resource, draft, "PUT")
        self.note("PUT", "json")
        return Body(object_text(row))

    def filter(self, resource: Resource, draft: Draft) -> None:
        chance = self.chance
        for _ in range(chance.pick([1, 2, 1, 0]) if chance.one_in(3) else 1):
            draft.parameters.append(self.reads.filters.condition(resource))
        if chance.one_in(5):
            draft.parameters.append(self.reads.filters.tree(resource, []))

    def delete(self, resource: Resource, draft: Draft, *, item: bool) -> None:
        if not item:
            self.filter(resource, draft)
        verb = "DELETE item" if item else "DELETE"
        self._answer(resource, draft, verb)
        self.note(verb, "plain")

    def note(self, verb: str, feature: str) -> None:
        self.cells.add("writes", feature, verb)

    def names(self, resource: Resource) -> list[str]:
        """Mostly the fields that must be given, and others."""
        chance = self.chance
        return [
            each.name
            for each in resource.fields.values()
            if (each.required and each.generated is None and (self.sound or not chance.one_in(25)))
            or (not each.read_only and not each.required and chance.one_in(2))
            or (each.generated is not None and not each.read_only and chance.one_in(2))
        ]

    def row(self, resource: Resource, names: list[str]) -> Row:
        row = {name: self.value(resource.fields[name]) for name in names}
        for reference in resource.references:
            targets = self.records.get(reference.target, ())
            if targets and set(reference.fields) <= row.keys() and not self.chance.one_in(6):
                target = self.chance.pick(targets)
                for own, other in zip(reference.fields, reference.target_fields, strict=True):
                    row[own] = body_text(target.get(other))
        return row

    def value(self, known: Field) -> str:
        """As JSON."""
        chance = self.chance
        if not self.sound and chance.one_in(40):
            return chance.pick(_WRONG)
        if not known.required and chance.one_in(5):
            return "null"
        if chance.one_in(3):
            return body_text(self.reads.filters.stored(known, known.type))
        if known.type.kind is Kind.DATETIME and chance.one_in(5):
            return json_text(chance.pick(data.INSTANT_TEXTS))
        found = (
            data.scalar(chance, known.type) if not self.sound and chance.one_in(8) else data.value(chance, known.type)
        )
        return body_text(found)

    def _columns(self, draft: Draft, names: list[str], rows: list[Row], form: str) -> None:
        wanted = self.chance.some(names, 1, len(names)) if names else []
        draft.parameters.append(("columns", ",".join(wanted)))
        for row in rows:
            if form != "csv" and wanted and self.chance.one_in(3):
                row.pop(self.chance.pick(wanted), None)
        self.note("POST", "columns")

    def _resolve(self, resource: Resource, draft: Draft) -> None:
        chance = self.chance
        resolution = chance.pick(["resolution=merge-duplicates", "resolution=ignore-duplicates"])
        self._prefer(draft, resolution)
        keys = [resource.primary_key, *(unique.fields for unique in resource.uniques)]
        if chance.one_in(2):
            draft.parameters.append(("on_conflict", ",".join(chance.pick(keys))))
            self.note("POST", "on_conflict")
        self.note("POST", resolution)

    def _answer(self, resource: Resource, draft: Draft, verb: str) -> None:
        """How the answer is wanted."""
        chance = self.chance
        shown = verb if verb[0].isupper() else "POST"
        if chance.one_in(2):
            returned = chance.pick(_RETURNS)
            self._prefer(draft, returned)
            self.note(shown, returned)
        if chance.one_in(3):
            embeds = self.reads.select(resource, draft, depth=chance.pick([0, 1]))
            self.note(shown, "select with embeds" if embeds else "select")
        if chance.one_in(8) and "item" not in verb and verb != "PUT":
            self._prefer(draft, f"max-affected={chance.pick([1, 0, 2, 5])}")
            self.note(shown, "max-affected")
        if chance.one_in(12):
            self._prefer(draft, chance.pick(["handling=strict", "handling=lenient", "count=exact", "bogus"]))
        if chance.one_in(12):
            self.reads.order(resource, draft, "")

    @staticmethod
    def _prefer(draft: Draft, preference: str) -> None:
        draft.headers["Prefer"] = ", ".join(filter(None, [draft.headers.get("Prefer"), preference]))


def object_text(row: Row) -> str:
    """A record as a JSON body."""
    return "{" + ",".join(f"{json_text(name)}:{text}" for name, text in row.items()) + "}"


def body_of(form: str, names: list[str], rows: list[Row], resource: Resource) -> Body:
    """The records in this form."""
    match form:
        case "object":
            return Body(object_text(rows[0]))
        case "array":
            return Body("[" + ",".join(map(object_text, rows)) + "]")
        case "ndjson":
            return Body("".join(object_text(row) + "\n" for row in rows), "application/x-ndjson")
    lines = [",".join(csv_cell(resource.fields[name], row[name]) for name in names) for row in rows]
    return Body("\r\n".join([",".join(names), *lines, ""]), "text/csv")

"""Pairs of requests that get in each other's way when they are sent at once.

Their filters ask for keys only, and their answers tell of no other resource: what they do depends on what they write,
so that snapshots of one moment, which is what transactions see, make them the same as one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from repositories.schema import Kind, Reference, Resource, Value
from service.keys import format_key
from tests.prove.changes import Row, object_text
from tests.prove.data import body_text, filter_text, quoted
from tests.prove.reads import key_value
from tests.prove.requests import API, Maker
from tests.prove.worlds import CURRENT_TAG, Request

Key = tuple[Value, ...]
Pair = tuple[Request, Request]
_JSON = ("Content-Type", "application/json")
_BACK, _NOTHING = "return=representation", "return=minimal"


class Rivals:
    """Makes such pairs, about records that there are now."""

    def __init__(self, maker: Maker) -> None:
        self._maker, self._chance, self._changes = maker, maker.chance, maker.changes
        self._changes.sound = True

    def pair(self) -> tuple[str, Pair]:
        """What the two are about, and the two."""
        name = self._chance.pick(list(KINDS))
        resource = self._chance.pick(list(self._maker.catalog))
        return name, KINDS[name](self, resource)

    def one_record(self, resource: Resource) -> Pair:
        """Two writes of one record."""
        key = self.key(resource)
        return self.write(resource, key), self.write(resource, key)

    def one_value(self, resource: Resource) -> Pair:
        """Two inserts with the same key, or the same values of a unique set."""
        fields = self._chance.pick([resource.primary_key, *(unique.fields for unique in resource.uniques)])
        first, second = (self.record(resource, self.new_key(resource)) for _ in range(2))
        second |= {name: first[name] for name in fields if name in first}
        return self._insert(resource, first), self._insert(resource, second)

    def parent_and_child(self, resource: Resource) -> Pair:
        """A record is deleted or changed, while another comes to refer to it."""
        children = [each for each in self._maker.catalog if each.references]
        if not children:
            return self.one_record(resource)
        child = self._chance.pick(children)
        reference = self._chance.pick(child.references)
        target = self._maker.catalog[reference.target]
        found = self._maker.records.get(target.name) or [{}]
        parent = self._chance.pick(found)
        if not parent:
            return self.one_record(resource)
        key = tuple(parent[name] for name in target.primary_key)
        deletion = Request("DELETE", self._path(target, key))
        first = deletion if not self._chance.one_in(3) else self.write(target, key)
        return first, self._referring(child, reference, parent)

    def _referring(self, child: Resource, reference: Reference, parent: object) -> Request:
        assert isinstance(parent, dict)
        row = {
            own: body_text(parent.get(other))
            for own, other in zip(reference.fields, reference.target_fields, strict=True)
        }
        if self._chance.one_in(2) and not set(row) & set(child.primary_key):
            return self._patch(child, self.key(child), row)
        return self._insert(child, self.record(child, self.new_key(child)) | row)

    def batches(self, resource: Resource) -> Pair:
        """Batches that write the same two records, one of them in the other order."""
        other = self._chance.pick(list(self._maker.catalog))
        ends = [(resource, self.key(resource)), (other, self.key(other))]
        return self._batch(ends), self._batch(ends[::-1] if self._chance.one_in(2) else ends)

    def batch_and_write(self, resource: Resource) -> Pair:
        """A batch, and a write of one of its records."""
        other = self._chance.pick(list(self._maker.catalog))
        ends = [(resource, self.key(resource)), (other, self.key(other))]
        return self._batch(ends), self.write(*self._chance.pick(ends))

    def _batch(self, ends: list[tuple[Resource, Key]]) -> Request:
        operations = [_operation(self.write(*end, tagged=False)) for end in ends]
        return Request("POST", f"{API}/_batch", (_JSON,), f"[{','.join(operations)}]".encode())

    def several(self, resource: Resource) -> Pair:
        """Two writes of overlapping sets of records."""
        keys = [self.key(resource) for _ in range(4)]
        return self._of_several(resource, keys[:3]), self._of_several(resource, keys[1:][::-1])

    def _of_several(self, resource: Resource, keys: list[Key]) -> Request:
        members = (f"and({_same(resource, key)})" for key in dict.fromkeys(keys))
        path = f"{API}/{resource.name}?or={quote('(' + ','.join(members) + ')', safe='(),.')}"
        if self._chance.one_in(3):
            return Request("DELETE", path)
        return Request("PATCH", path, (_JSON,), object_text(self._changed(resource)).encode())

    def merge_patches(self, resource: Resource) -> Pair:
        """Two merge patches of one value, each of other members: both are there in the end."""
        places = [(each, field) for each in self._maker.catalog for field in each.fields.values()
                  if field.type.kind is Kind.JSON and self._maker.records[each.name]]  # fmt: skip
        if not places:
            return self.one_record(resource)
        owner, field = self._chance.pick(places)
        path = self._path(owner, self.key(owner))
        headers = (("Content-Type", "application/merge-patch+json"), ("Prefer", _BACK))
        patches = [f'{{"a":{self._chance.number(1, 9)}}}', f'{{"c":{self._chance.number(1, 9)},"a":null}}', '{"d":[]}']
        first, second = self._chance.some(patches, 2, 2)
        return (
            Request("PATCH", path, headers, object_text({field.name: first}).encode()),
            Request("PATCH", path, headers, object_text({field.name: second}).encode()),
        )

    def upserts(self, resource: Resource) -> Pair:
        """Two upserts of the same records, in either order."""
        rows = self.records(resource, [self.key(resource) for _ in range(2)])
        return self._upsert(resource, rows), self._upsert(resource, rows[::-1])

    def one_request(self, resource: Resource) -> Pair:
        """The same request twice, with one Idempotency-Key; or another one with that key."""
        key = ("Idempotency-Key", f"r{self._chance.number(1, 10**9)}")
        first = self.write(resource, self.key(resource))
        second = self.write(resource, self.key(resource)) if self._chance.one_in(4) else first
        return tuple(replace(each, headers=(*each.headers, key)) for each in (first, second))  # type: ignore[return-value]

    def a_look(self, resource: Resource) -> Pair:
        """A list is read while several of its records are written: it has all that was written, or nothing."""
        look = Request("GET", f"{API}/{resource.name}", (("Prefer", "count=exact"),))
        keys = [self.new_key(resource) for _ in range(3)]
        insert = self._rows(resource, self.records(resource, keys), _NOTHING)
        return look, self._chance.pick([insert, self._of_several(resource, [self.key(resource) for _ in range(3)])])

    def key(self, resource: Resource) -> Key:
        return key_value(resource, self._chance, self._maker.records)

    def new_key(self, resource: Resource) -> Key:
        return key_value(resource, self._chance, {})

    def write(self, resource: Resource, key: Key, *, tagged: bool = True) -> Request:
        """Any write of the record with this key; with the tag that it has now perhaps."""
        chance = self._chance
        match chance.pick(["PATCH", "PUT", "DELETE", "POST", "upsert"]):
            case "PATCH":
                request = self._patch(resource, key, self._changed(resource))
            case "PUT":
                request = self._to_item("PUT", resource, key, self.record(resource, key))
            case "DELETE":
                request = Request("DELETE", self._path(resource, key))
            case "POST":
                return self._insert(resource, self.record(resource, key))
            case _:
                return self._upsert(resource, [self.record(resource, key)])
        if chance.one_in(4):
            condition = chance.pick([("If-Match", CURRENT_TAG if tagged else "*"), ("If-None-Match", "*")])
            request = replace(request, headers=(*request.headers, condition))
        return request

    def record(self, resource: Resource, key: Key) -> Row:
        """A record with its key, and with nothing left to be generated by a store."""
        return self.records(resource, [key])[0]

    def records(self, resource: Resource, keys: list[Key]) -> list[Row]:
        """Such records, all with the same fields."""
        fields = resource.fields.values()
        generated = [each.name for each in fields if each.generated and not each.read_only]
        names = list(dict.fromkeys([*self._changes.names(resource), *generated]))
        rows = [self._changes.row(resource, names) for _ in keys]
        for row, key in zip(rows, keys, strict=True):
            row.update({name: body_text(part) for name, part in zip(resource.primary_key, key, strict=True)})
        return rows

    def _changed(self, resource: Resource) -> Row:
        fields = [
            each for each in resource.fields.values() if each.name not in resource.primary_key and not each.read_only
        ]
        row = {each.name: self._changes.value(each) for each in self._chance.some(fields, 1, 2)}
        for reference in resource.references:
            targets = self._maker.records.get(reference.target, ())
            if targets and row.keys() & set(reference.fields) and not set(reference.fields) & set(resource.primary_key):
                target = self._chance.pick(targets)
                for own, other in zip(reference.fields, reference.target_fields, strict=True):
                    row[own] = body_text(target.get(other))
        return row

    def _patch(self, resource: Resource, key: Key, row: Row) -> Request:
        return self._to_item("PATCH", resource, key, row)

    def _insert(self, resource: Resource, row: Row) -> Request:
        return self._rows(resource, [row], self._chance.pick([_BACK, _NOTHING]))

    def _upsert(self, resource: Resource, rows: list[Row]) -> Request:
        resolution = self._chance.pick(["resolution=merge-duplicates", "resolution=ignore-duplicates"])
        return self._rows(resource, rows, f"{resolution}, {self._chance.pick([_BACK, _NOTHING])}")

    @staticmethod
    def _rows(resource: Resource, rows: list[Row], prefer: str) -> Request:
        text = ",".join(object_text(row) for row in rows)
        headers = (_JSON, ("Prefer", prefer))
        return Request("POST", f"{API}/{resource.name}", headers, (text if len(rows) == 1 else f"[{text}]").encode())

    def _to_item(self, method: str, resource: Resource, key: Key, row: Row) -> Request:
        headers = (_JSON, ("Prefer", self._chance.pick([_BACK, _NOTHING])))
        return Request(method, self._path(resource, key), headers, object_text(row).encode())

    @staticmethod
    def _path(resource: Resource, key: Key) -> str:
        return f"{API}/{resource.name}/{format_key(resource, key)}"


KINDS: dict[str, Callable[[Rivals, Resource], Pair]] = {
    "one record": Rivals.one_record,
    "one value": Rivals.one_value,
    "parent and child": Rivals.parent_and_child,
    "batches": Rivals.batches,
    "batch and write": Rivals.batch_and_write,
    "several records": Rivals.several,
    "merge patches": Rivals.merge_patches,
    "upserts": Rivals.upserts,
    "one request": Rivals.one_request,
    "a look": Rivals.a_look,
}


def _same(resource: Resource, key: Key) -> str:
    parts = zip(resource.key, key, strict=True)
    return ",".join(f"{field.name}.eq.{quoted(filter_text(field.type, value))}" for field, value in parts)


def _operation(request: Request) -> str:
    """The request as a batch has it; the digits of its numbers are kept."""
    headers = json.dumps(dict(request.headers))
    body = "" if request.body is None else f',"body":{request.body.decode()}'
    return f'{{"method":"{request.method}","path":{json.dumps(request.path)},"headers":{headers}{body}}}'

"""The port as it must not be: every rule is looked at first, and written after, on a store that has no rules.

What the races catch in it is what they would catch in a backend that checks outside its transaction, or whose
transactions let others in between.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from repositories.base import Document, representation_tag
from repositories.encoding import outputs_encoder
from repositories.errors import PreconditionFailed, ReferenceViolation, UniqueViolation
from repositories.query import Condition, Read, Row, Selection, Values
from repositories.schema import OnDelete, Unique, Value
from repositories.writes import Assign, Delete, Expectation, Insert, Replace, Update, Write
from tests import catalogs
from tests.contract import queries
from tests.contract.port import Desk, Port
from tests.contract.queries import Filter, eq, every

RULES = catalogs.shop()
T = TypeVar("T")
#: Seconds at most between a look and what is written after it.
PAUSE = 0.01


class Careless(Port):
    """A desk on the lax shop that keeps the shop's rules by looking, each look and each write on its own."""

    def read(self, name: str, where: Filter | None = None, columns: Sequence[str] | None = None) -> list[Row]:
        return self.repository.rows(queries.read(self.catalog, name, where=where, columns=columns)).rows

    def transact(self, work: Callable[[Desk], T], *, name: str | None = None) -> T:
        return work(self)

    def write(self, write: Write) -> Document:
        match write:
            case Insert():
                return self._insert(write)
            case Replace():
                row = {field.name: value for field, value in zip(write.fields, write.row, strict=True)}
                condition, values = self._condition(write.resource.name, same(row, write.resource.primary_key))
                self._expect(write.resource.name, condition, values, write.expect)
                self._check_references(write.resource.name, row)
                return self._write(replace(write, expect=None))
            case Update():
                self._expect(write.resource.name, write.where, write.values, write.expect)
                changes = {field.name: write.values[value.index] for field, value in write.changes}
                self._check_references(write.resource.name, changes)
                return self._write(replace(write, expect=None))
            case Delete():
                self._expect(write.resource.name, write.where, write.values, write.expect)
                self._follow(write)
                return self._write(replace(write, expect=None))
            case Assign():
                return self._write(write)

    def _write(self, write: Write) -> Document:
        """A moment after it was looked, so that others come in between."""
        time.sleep(random.uniform(0, PAUSE))
        return self.repository.write(write)

    def _insert(self, write: Insert) -> Document:
        documents = [self._insert_row(write, row) for row in write.rows]
        created = any(document.created for document in documents)
        return Document(b"", sum(document.count for document in documents), key=documents[0].key, created=created)

    def _insert_row(self, write: Insert, values: Values) -> Document:
        name = write.resource.name
        row = {field.name: value for field, value in zip(write.fields, values, strict=True)}
        if "id" in write.resource.fields and "id" not in row:
            row["id"] = max((key for (key,) in self.read(name, columns=["id"])), default=0) + 1
        on = {field.name for field in write.conflict.fields} if write.conflict else None
        rules = RULES[name]
        for unique in (Unique(rules.key_name, rules.primary_key), *rules.uniques):
            there = None if None in map(row.get, unique.fields) else same(row, unique.fields)
            if there is None or not self.read(name, there):
                continue
            if write.conflict is None or set(unique.fields) != on:
                raise UniqueViolation.of(name, unique)
            changes = {field.name: row[field.name] for field in write.conflict.merge}
            self._check_references(name, changes)
            return self._write(queries.update(self.catalog, name, changes, there)) if changes else NOTHING
        self._check_references(name, row)
        return self._write(queries.insert(self.catalog, name, row))

    def _check_references(self, name: str, row: Mapping[str, Value]) -> None:
        for reference in RULES[name].references:
            key = [row.get(each) for each in reference.fields]
            target = every(*(eq(*pair) for pair in zip(reference.target_fields, key, strict=True)))
            if None not in key and not self.read(reference.target, target):
                raise ReferenceViolation.dangling(name, reference)

    def _follow(self, write: Delete) -> None:
        """Bring about what `onDelete` says, one write after the other."""
        for resource, reference in RULES.referrers[write.resource.name]:
            outputs = queries.outputs(write.resource, reference.target_fields)
            order = queries.sorts(write.resource)
            selection = Selection(write.resource, outputs, write.where, order)
            for key in self.repository.rows(Read(selection, write.values)).rows:
                there = every(*(eq(*pair) for pair in zip(reference.fields, key, strict=True)))
                if reference.on_delete is OnDelete.CASCADE:
                    self.delete(resource.name, there)
                elif reference.on_delete is OnDelete.SET_NULL:
                    self.update(resource.name, dict.fromkeys(reference.fields), there)
                elif self.read(resource.name, there):
                    raise ReferenceViolation.still_referenced(resource.name, reference)

    def _condition(self, name: str, where: Filter) -> tuple[Condition, Values]:
        read = queries.read(self.catalog, name, where=where)
        return read.selection.where, read.values

    def _expect(self, name: str, where: Condition, values: Values, expect: Expectation | None) -> None:
        if expect is None:
            return
        resource = self.catalog[name]
        selection = Selection(resource, expect.outputs, where, queries.sorts(resource))
        rows = self.repository.rows(Read(selection, values)).rows
        encode = outputs_encoder(expect.outputs, ())
        tags = {representation_tag(encode([row])[1:-1]) for row in rows}
        met = bool(tags) if expect.tags is None else bool(tags & expect.tags)
        if met is not expect.present:
            raise PreconditionFailed


NOTHING = Document(b"", 0)


def same(row: Mapping[str, Value], names: tuple[str, ...]) -> Filter:
    return every(*(eq(name, row[name]) for name in names))

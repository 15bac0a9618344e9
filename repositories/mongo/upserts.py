"""Inserts that merge into the records they are in conflict with, or pass over them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pymongo import DeleteOne, InsertOne, ReturnDocument, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from repositories.base import Document
from repositories.errors import CardinalityViolation, ConstraintError, NotNullViolation
from repositories.mongo.blame import named
from repositories.mongo.building import changed
from repositories.mongo.documents import BSON
from repositories.mongo.errors import translate
from repositories.mongo.inserting import in_transaction, insert_jointly, is_many
from repositories.mongo.joining import Joint
from repositories.mongo.keys import holding, keys_of
from repositories.mongo.references import References, refers
from repositories.mongo.store import Store, key_of
from repositories.mongo.transactions import Attempt
from repositories.query import Row
from repositories.schema import Resource
from repositories.writes import Conflict, Insert

_RETRY_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class _Part:
    """A row that is written: the record it is merged into, if there is one, and the record it becomes."""

    row: int
    before: BSON | None
    after: BSON


_Operation = InsertOne[BSON] | UpdateOne | DeleteOne


def upsert(store: Store, write: Insert, conflict: Conflict, joint: Joint) -> Document:
    """Insert the rows, or merge them, or pass over them; a single new one by way of the resource's `joint`."""
    if is_many(write):
        return in_transaction(store, write, None, lambda: _Merge(store, write.resource, conflict))
    assert isinstance(write.rows, Sequence)
    documents = store.documents(write.resource, write.fields, write.rows)
    if not documents:
        return store.answer(write.resource, write.returning, [])
    if len(documents) == 1 and store.scope.session is None and _is_single(store, write.resource, conflict, documents):
        if not refers(write.resource, documents[0]):
            return _at_once(store, write, conflict, documents[0])
        if merged := _merged_at_once(store, write, conflict, documents[0]):
            return merged
        if _inserted_jointly(store, write.resource, conflict, documents[0], joint):
            return store.answer(
                write.resource, write.returning, documents, key_of(write.resource, documents[0]), created=True
            )
    return in_transaction(store, write, documents, lambda: _Merge(store, write.resource, conflict))


def _is_single(store: Store, resource: Resource, conflict: Conflict, documents: list[BSON]) -> bool:
    """One command does it: the row has a key to be in conflict with, and no `_id` or key referred to is touched."""
    names = tuple(field.name for field in conflict.fields)
    if set(names) != set(resource.primary_key) and not set(names).isdisjoint(resource.primary_key):
        return False
    if any(None in key for key in keys_of(resource, names, documents)):
        return False
    linked = set(resource.primary_key).difference(names)
    linked.update(*(reference.target_fields for _, reference in store.catalog.referrers[resource.name]))
    return linked.difference(names).isdisjoint(field.name for field in conflict.merge)


def _merged_at_once(store: Store, write: Insert, conflict: Conflict, document: BSON) -> Document | None:
    """Merged by one command into a record that refers to the same records already; None where there is no such."""
    resource = write.resource
    where, changes = _merging(resource, conflict, document)
    if not changes or _misfit(resource, document, 0):
        return None
    kept = {name for reference in resource.references for name in reference.fields}.intersection(changes)
    try:
        after = store.records(resource).find_one_and_update(
            where | {name: document[name] for name in kept}, {"$set": changes}, return_document=ReturnDocument.AFTER
        )
    except DuplicateKeyError:
        return None
    return None if after is None else store.answer(resource, write.returning, [after], key_of(resource, after))


def _inserted_jointly(store: Store, resource: Resource, conflict: Conflict, document: BSON, joint: Joint) -> bool:
    """Inserted along with others; not where a record is there, which would be in the way of them all."""
    where, _ = _merging(resource, conflict, document)
    is_there = store.records(resource).find_one(where, {"_id": 1}) is not None
    return not is_there and insert_jointly(store, resource, document, joint)


def _merging(resource: Resource, conflict: Conflict, document: BSON) -> tuple[BSON, BSON]:
    """The filter for the record in conflict, and the values that it is given."""
    names = tuple(field.name for field in conflict.fields)
    of_key = set(names) == set(resource.primary_key)
    where = {"_id": document["_id"]} if of_key else {name: document[name] for name in names}
    return where, {field.name: document[field.name] for field in conflict.merge if field.name not in names}


def _at_once(store: Store, write: Insert, conflict: Conflict, document: BSON) -> Document:
    """Found and merged, or inserted, by one command; two that insert the same at once are told apart by the index."""
    resource = write.resource
    if misfit := _misfit(resource, document, 0):
        raise misfit
    where, changes = _merging(resource, conflict, document)
    initial = {name: value for name, value in document.items() if name not in where and name not in changes}
    update = {operator: values for operator, values in (("$set", changes), ("$setOnInsert", initial)) if values}
    records = store.records(resource)
    while True:
        try:
            before = records.find_one_and_update(where, update, upsert=True, return_document=ReturnDocument.BEFORE)
            break
        except DuplicateKeyError as error:
            broken = translate(error, store.catalog, resource)
            if set(broken.fields) != {field.name for field in conflict.fields}:
                return in_transaction(store, write, [document], lambda: _Merge(store, resource, conflict))
        time.sleep(_RETRY_SECONDS * random.random())  # noqa: S311 - jitter
    if before is None:
        return store.answer(resource, write.returning, [document], key_of(resource, document), created=True)
    if not conflict.merge:
        return store.answer(resource, write.returning, [])
    after = {**before, **changes}
    return store.answer(resource, write.returning, [after], key_of(resource, after))


def _misfit(resource: Resource, document: BSON, row: int) -> NotNullViolation | None:
    """What forbids to insert the document, also where it is not: of inserted ones the server says it."""
    for name, field in resource.fields.items():
        if field.required and name not in resource.primary_key and document[name] is None:
            return NotNullViolation.of(resource.name, name, row)
    return None


class _Merge:
    """Inserts what is in conflict with nothing, and merges the rest or passes over it."""

    def __init__(self, store: Store, resource: Resource, conflict: Conflict) -> None:
        self._store = store
        self._resource = resource
        self._names = tuple(field.name for field in conflict.fields)
        self._merge = [field.name for field in conflict.merge]
        #: The keys of the rows so far: a record may be merged into once.
        self._seen: set[Row] = set()

    def __call__(
        self, attempt: Attempt, references: References, documents: list[BSON], first: int
    ) -> tuple[list[BSON], bool]:
        resource = self._resource
        parts, fault = self._plan(attempt.session, documents, first)
        written = [part.after for part in parts]
        merged = [part for part in parts if part.before is not None]
        before = [part.before for part in merged if part.before is not None]
        replaced = [part.before for part in parts]
        self._store.with_care(attempt, resource, written, replaced=replaced, rows=[part.row for part in parts])
        operations = self._operations(parts)
        if operations:
            rows = [row for row, _ in operations]
            with named(attempt, self._store.catalog, resource, rows, self._names):
                records = self._store.records(resource)
                done = records.bulk_write([operation for _, operation in operations], session=attempt.session)
                where = {"_id": {"$in": [part["_id"] for part in before]}}
                self._store.claim(resource, where, done, attempt.session, several=len(operations) > 1)
        if fault is not None:
            raise fault
        new = [part for part in parts if part.before is None]
        references.written(resource, [part.after for part in new], rows=[part.row for part in new])
        after = [part.after for part in merged]
        references.written(resource, after, self._merge, rows=[part.row for part in merged])
        references.rekeyed(resource, before, after)
        return written, bool(new)

    def _plan(
        self, session: ClientSession, documents: list[BSON], first: int
    ) -> tuple[list[_Part], ConstraintError | None]:
        """What becomes of each row, up to one that is at fault itself."""
        resource, names = self._resource, self._names
        keys = keys_of(resource, names, documents)
        wanted = {key for key in keys if None not in key}
        there: dict[Row, BSON] = {}
        for found in holding(self._store.records(resource), resource, names, wanted, session, shown=None):
            there.update(zip(keys_of(resource, names, found), found, strict=True))
        parts: list[_Part] = []
        fresh: set[Row] = set()
        for row, (document, key) in enumerate(zip(documents, keys, strict=True), first):
            before = None
            if None not in key:
                before = there.get(key)
                if before is not None and (misfit := _misfit(resource, document, row)):
                    return parts, misfit
                if not self._merge:
                    if before is not None or key in fresh:
                        continue
                    fresh.add(key)
                elif key in self._seen:
                    return parts, CardinalityViolation(resource=resource.name, fields=names, row=row)
                else:
                    self._seen.add(key)
            after = document if before is None else changed(resource, before, self._changes(document))
            parts.append(_Part(row, before, after))
        return parts, None

    def _changes(self, document: BSON) -> BSON:
        resource = self._resource
        key = document["_id"] if len(resource.primary_key) > 1 else {resource.primary_key[0]: document["_id"]}
        return {name: key[name] if name in resource.primary_key else document[name] for name in self._merge}

    def _operations(self, parts: list[_Part]) -> list[tuple[int, _Operation]]:
        """The commands, each with its row; inserts first, unless a row may need a value that another has let go."""
        members = [name for name in self._merge if name not in self._resource.primary_key]
        operations: list[tuple[int, _Operation]] = []
        for part in parts:
            if part.before is None:
                operations.append((part.row, InsertOne(part.after)))
            elif part.before["_id"] != part.after["_id"]:  # which cannot be changed
                operations.append((part.row, DeleteOne({"_id": part.before["_id"]})))
                operations.append((part.row, InsertOne(part.after)))
            else:
                changes = {name: part.after[name] for name in members}
                operations.append((part.row, UpdateOne({"_id": part.before["_id"]}, {"$set": changes})))
        if not any(self._frees(part) for part in parts):
            operations.sort(key=lambda each: not isinstance(each[1], InsertOne))
        return operations

    def _frees(self, part: _Part) -> bool:
        if part.before is None:
            return False
        names = {name for unique in self._resource.uniques for name in unique.fields} - {*self._resource.primary_key}
        return part.before["_id"] != part.after["_id"] or any(
            part.before.get(name) != part.after[name] for name in names.intersection(self._merge)
        )

"""Foreign keys within a transaction: what a statement does to them is noted, and checked at its end.

As in PostgreSQL the rules hold when the statement is done, not at each record: the records of one insert may refer to
each other in any order, and a restricting reference may be mended by a cascade. The checks read the transaction's own
snapshot; that nobody else makes them wrong before the commit is seen to by `locks.py`.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from pymongo.client_session import ClientSession

from repositories.errors import ReferenceViolation
from repositories.mongo import locks
from repositories.mongo.connection import Connection
from repositories.mongo.documents import BSON, decoder, identifier, path, writer
from repositories.mongo.errors import not_null
from repositories.query import Row
from repositories.schema import Catalog, OnDelete, Reference, Resource

#: Keys that are looked for with one command.
_KEYS_AT_ONCE = 1000

_Edge = tuple[Resource, Reference]


class References:
    """The references that one statement, in one attempt of its transaction, makes and breaks."""

    def __init__(self, connection: Connection, catalog: Catalog, session: ClientSession) -> None:
        self._connection = connection
        self._catalog = catalog
        self.session = session
        #: For each reference the keys that are referred to anew, each with the first record that does.
        self._made: dict[_Edge, dict[Row, int | None]] = defaultdict(dict)
        #: For each reference the keys that are there no more, and that nobody may refer to at the end.
        self._broken: dict[_Edge, set[Row]] = defaultdict(set)
        self._gone: set[locks.Target] = set()

    def written(
        self,
        resource: Resource,
        documents: Sequence[BSON],
        fields: Collection[str] | None = None,
        *,
        bulk: bool = False,
    ) -> None:
        """The documents have new values in these fields (None: in all). In a bulk, errors name the row."""
        for reference in resource.references:
            if fields is None or not set(reference.fields).isdisjoint(fields):
                made = self._made[resource, reference]
                for row, key in enumerate(_keys(resource, reference.fields, documents)):
                    if None not in key:
                        made.setdefault(key, row if bulk else None)

    def rekeyed(self, resource: Resource, before: Sequence[BSON], after: Sequence[BSON]) -> None:
        """Documents are others than before: the keys that they had and have no more must not be referred to."""
        for referrer, reference in self._catalog.referrers[resource.name]:
            had = _keys(resource, reference.target_fields, before)
            has = _keys(resource, reference.target_fields, after)
            self._lose(referrer, reference, {old for old, new in zip(had, has, strict=True) if old != new}, check=True)

    def deleted(self, resource: Resource, documents: Sequence[BSON]) -> None:
        """The documents are deleted by the statement: follow the references that point at them."""
        done: dict[str, set[Row]] = defaultdict(set)
        waiting = [(resource, documents)]
        while waiting:
            resource, documents = waiting.pop()
            keys = _keys(resource, resource.primary_key, documents)
            fresh = [found for key, found in zip(keys, documents, strict=True) if key not in done[resource.name]]
            done[resource.name].update(keys)
            for referrer, reference in self._catalog.referrers[resource.name]:
                lost = set(_keys(resource, reference.target_fields, fresh))
                restricted = reference.on_delete is OnDelete.RESTRICT
                lost = self._lose(referrer, reference, lost, check=restricted)
                if restricted or not lost:
                    continue
                children = self._children(referrer, reference, lost)
                if reference.on_delete is OnDelete.CASCADE:
                    self._delete(referrer, children)
                    waiting.append((referrer, children))
                elif children:
                    self._set_null(referrer, reference, children)

    def check(self) -> None:
        """Lock what the statement has touched, and raise the first reference that would dangle."""
        shared = [
            locks.Target(reference.target, reference.target_fields, key)
            for (_, reference), keys in self._made.items()
            for key in keys
        ]
        collection = self._connection.collection(locks.COLLECTION)
        locks.acquire(collection, self.session, shared=shared, exclusive=self._gone)
        for (resource, reference), made in self._made.items():
            target = self._catalog[reference.target]
            found = set()
            for documents in self._holding(target, reference.target_fields, made):
                found.update(_keys(target, reference.target_fields, documents))
            for key, row in made.items():
                if key not in found:
                    raise ReferenceViolation.dangling(resource.name, reference, row)
        for (referrer, reference), keys in self._broken.items():
            if any(self._holding(referrer, reference.fields, keys, limit=1)):
                raise ReferenceViolation.still_referenced(referrer.name, reference)

    def _lose(self, referrer: Resource, reference: Reference, keys: Iterable[Row], *, check: bool) -> set[Row]:
        lost = {key for key in keys if None not in key}
        self._gone.update(locks.Target(reference.target, reference.target_fields, key) for key in lost)
        if check and lost:
            self._broken[referrer, reference] |= lost
        return lost

    def _children(self, referrer: Resource, reference: Reference, keys: Collection[Row]) -> list[BSON]:
        return list(itertools.chain.from_iterable(self._holding(referrer, reference.fields, keys)))

    def _holding(
        self, resource: Resource, names: tuple[str, ...], keys: Collection[Row], limit: int = 0
    ) -> Iterator[list[BSON]]:
        """The documents of the resource that have one of the keys in these fields, in batches."""
        records = self._connection.collection(resource.name)
        needed = {name for edge in self._catalog.referrers[resource.name] for name in edge[1].target_fields}
        fields = [resource.fields[name] for name in sorted({*names, *needed, *resource.primary_key})]
        shown = {path(resource, field).partition(".")[0]: 1 for field in fields}
        rest = iter(keys)
        while some := list(itertools.islice(rest, _KEYS_AT_ONCE)):
            found = records.find(_with_key(resource, names, some), shown, limit=limit, session=self.session).to_list()
            if found:
                yield found

    def _delete(self, resource: Resource, documents: Iterable[BSON]) -> None:
        rest = iter(documents)
        while some := [found["_id"] for found in itertools.islice(rest, _KEYS_AT_ONCE)]:
            self._connection.collection(resource.name).delete_many({"_id": {"$in": some}}, session=self.session)

    def _set_null(self, resource: Resource, reference: Reference, documents: list[BSON]) -> None:
        for name in reference.fields:
            if resource.fields[name].required or name in resource.primary_key:
                raise not_null(resource.name, name)
        nulls = dict.fromkeys(reference.fields)
        rest = iter(documents)
        while some := [found["_id"] for found in itertools.islice(rest, _KEYS_AT_ONCE)]:
            records = self._connection.collection(resource.name)
            records.update_many({"_id": {"$in": some}}, {"$set": nulls}, session=self.session)
        self.rekeyed(resource, documents, [{**found, **nulls} for found in documents])


def _keys(resource: Resource, names: tuple[str, ...], documents: Sequence[BSON]) -> list[Row]:
    """The documents' values in these fields, as the port has them: equal in Python where they are in the store."""
    return decoder(resource, [resource.fields[name] for name in names])(documents)


def _with_key(resource: Resource, names: tuple[str, ...], keys: list[Row]) -> BSON:
    """The filter for documents that have one of the keys in these fields."""
    fields = [resource.fields[name] for name in names]
    writers = [writer(field.type) for field in fields]
    stored = [[write(value) for write, value in zip(writers, key, strict=True)] for key in keys]
    if len(names) == 1:
        return {path(resource, fields[0]): {"$in": [value for (value,) in stored]}}
    if set(names) == set(resource.primary_key):
        return {"_id": {"$in": [identifier(resource, dict(zip(names, key, strict=True))) for key in stored]}}
    paths = [path(resource, field) for field in fields]
    return {"$or": [dict(zip(paths, key, strict=True)) for key in stored]}

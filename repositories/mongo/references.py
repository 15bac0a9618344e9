"""Foreign keys within a transaction: what a statement does to them is noted, and checked at its end.

As in PostgreSQL the rules hold when the statement is done, not at each record: the records of one insert may refer to
each other in any order, and a restricting reference may be mended by a cascade. The checks read the transaction's own
snapshot; that nobody else makes them wrong before the commit is seen to by `locks.py`.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import itemgetter

from pymongo.client_session import ClientSession

from repositories.errors import NotNullViolation, ReferenceViolation
from repositories.mongo import locks
from repositories.mongo.documents import BSON
from repositories.mongo.keys import KEYS_AT_ONCE, holding, keys_of
from repositories.mongo.transactions import Scope
from repositories.query import Row
from repositories.schema import Catalog, OnDelete, Reference, Resource

#: Keys that are remembered to be there, so that they need not be looked up for every batch.
_KEYS_KNOWN = 10_000

_Edge = tuple[Resource, Reference]


def refers(resource: Resource, document: BSON) -> bool:
    """The document has part of a reference: where it is merged, the record may have the other part."""
    parts = (part for reference in resource.references for part in keys_of(resource, reference.fields, [document])[0])
    return any(part is not None for part in parts)


class References:
    """The references that one statement, in one attempt of its transaction, makes and breaks."""

    def __init__(self, connection: Scope, catalog: Catalog, session: ClientSession) -> None:
        self._connection = connection
        self._catalog = catalog
        self.session = session
        #: For each reference the keys that are referred to anew, each with the first row that does.
        self._made: dict[_Edge, dict[Row, int]] = defaultdict(dict)
        #: Of those the ones that are known to be there; some of them, for what is written in many batches.
        self._known: dict[_Edge, set[Row]] = defaultdict(set)
        #: For each reference the keys that are there no more, and that nobody may refer to at the end.
        self._broken: dict[_Edge, set[Row]] = defaultdict(set)
        self._gone: set[locks.Target] = set()
        self._locked: frozenset[int] = frozenset()

    def written(
        self,
        resource: Resource,
        documents: Sequence[BSON],
        fields: Collection[str] | None = None,
        *,
        rows: Iterable[int] | None = None,
        before: Sequence[BSON] = (),
    ) -> None:
        """The documents, which are these rows, have new values in these fields (None: in all)."""
        numbers = range(len(documents)) if rows is None else list(rows)
        for reference in resource.references:
            if fields is None or not set(reference.fields).isdisjoint(fields):
                made, known = self._made[resource, reference], self._known[resource, reference]
                keys = keys_of(resource, reference.fields, documents)
                had = keys_of(resource, reference.fields, before) or [()] * len(keys)
                for row, key, old in zip(numbers, keys, had, strict=True):
                    if None not in key and key != old and key not in known:
                        made[key] = min(row, made.get(key, row))

    def rekeyed(self, resource: Resource, before: Sequence[BSON], after: Sequence[BSON]) -> None:
        """Documents are others than before: the keys that they had and have no more must not be referred to."""
        for referrer, reference in self._catalog.referrers[resource.name]:
            had = keys_of(resource, reference.target_fields, before)
            has = keys_of(resource, reference.target_fields, after)
            self._lose(referrer, reference, {old for old, new in zip(had, has, strict=True) if old != new}, check=True)

    def deleted(self, resource: Resource, documents: Sequence[BSON]) -> None:
        """The documents are deleted by the statement: follow the references that point at them."""
        done: dict[str, set[Row]] = defaultdict(set)
        waiting = [(resource, documents)]
        while waiting:
            resource, documents = waiting.pop()
            keys = keys_of(resource, resource.primary_key, documents)
            fresh = [found for key, found in zip(keys, documents, strict=True) if key not in done[resource.name]]
            done[resource.name].update(keys)
            for referrer, reference in self._catalog.referrers[resource.name]:
                lost = set(keys_of(resource, reference.target_fields, fresh))
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
        self.settle(exclusive=self._gone)
        dangling = [
            (row, order, resource, reference)
            for (resource, reference), made in self._made.items()
            for order in (resource.references.index(reference),)
            for row in made.values()
        ]
        if dangling:
            row, _, resource, reference = min(dangling, key=lambda each: each[:2])
            raise ReferenceViolation.dangling(resource.name, reference, row)
        for referrer in self._catalog:
            for reference in referrer.references:
                keys = self._broken.get((referrer, reference), set())
                while keys and (found := next(self._holding(referrer, reference.fields, keys, limit=1), None)):
                    [key] = keys_of(referrer, reference.fields, found)
                    if not any(self._holding(self._catalog[reference.target], reference.target_fields, {key}, limit=1)):
                        raise ReferenceViolation.still_referenced(referrer.name, reference)
                    keys.remove(key)  # another record has been given it

    def lock(self, exclusive: Iterable[locks.Target] = ()) -> None:
        """Lock what is referred to so far. The sooner in a transaction, the fewer writers it can meet."""
        shared = [
            locks.Target(reference.target, reference.target_fields, key)
            for (_, reference), keys in self._made.items()
            for key in keys
        ]
        collection = self._connection.collection(locks.COLLECTION)
        self._locked |= locks.acquire(collection, self.session, shared, exclusive, self._locked)

    def settle(self, exclusive: Iterable[locks.Target] = ()) -> None:
        """Look up what is referred to so far, and keep only what is not there.

        What has been found stays: it is locked, and a statement that makes references in several steps breaks none.
        """
        self.lock(exclusive)
        for edge, made in self._made.items():
            resource, reference = edge
            target = self._catalog[reference.target]
            found: set[Row] = set()
            for documents in self._holding(target, reference.target_fields, made):
                found.update(keys_of(target, reference.target_fields, documents))
            self._made[edge] = missing = {key: row for key, row in made.items() if key not in found}
            if missing and target is not resource:  # nothing that this statement writes can help
                key, row = min(missing.items(), key=itemgetter(1))
                self._made[edge] = {key: row}
            known = self._known[edge]
            if len(known) + len(found) > _KEYS_KNOWN:
                known.clear()
            known |= found

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
        needed = [name for edge in self._catalog.referrers[resource.name] for name in edge[1].target_fields]
        return holding(records, resource, names, keys, self.session, shown=needed, limit=limit)

    def _delete(self, resource: Resource, documents: Iterable[BSON]) -> None:
        rest = iter(documents)
        while some := [found["_id"] for found in itertools.islice(rest, KEYS_AT_ONCE)]:
            self._connection.collection(resource.name).delete_many({"_id": {"$in": some}}, session=self.session)

    def _set_null(self, resource: Resource, reference: Reference, documents: list[BSON]) -> None:
        for name in reference.fields:
            if resource.fields[name].required or name in resource.primary_key:
                raise NotNullViolation.of(resource.name, name)
        nulls = dict.fromkeys(reference.fields)
        rest = iter(documents)
        while some := [found["_id"] for found in itertools.islice(rest, KEYS_AT_ONCE)]:
            records = self._connection.collection(resource.name)
            records.update_many({"_id": {"$in": some}}, {"$set": nulls}, session=self.session)
        self.rekeyed(resource, documents, [{**found, **nulls} for found in documents])

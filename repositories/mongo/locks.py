"""Locks that let no reference dangle: writers of children and deleters of their parents get in each other's way.

MongoDB's transactions are of snapshot isolation: one that adds a child and one that deletes its parent each see a
state where all is well, and write different documents, so both would commit. Therefore both write to a collection of
counters, where a parent's key is hashed to a stripe. A stripe has several lanes: the writer of a child counts up one
lane, any one, and the deleter counts up all of them. So writers of children, which are many, hardly ever meet, and a
deleter meets every one of them; the second of the two to write has a write conflict, starts again, and sees the truth.

Each thread keeps to one lane, and moves to another when it has met somebody there: so they spread over the lanes.
"""

from __future__ import annotations

import itertools
import random
import threading
import zlib
from collections.abc import Iterable, Set
from dataclasses import dataclass
from decimal import Decimal

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from repositories.errors import SchemaMismatch
from repositories.mongo.documents import BSON
from repositories.query import Row

COLLECTION = "_diglot_locks"
STRIPES = 64
LANES = 16

#: The threads of a process begin on different lanes, and those of different processes anywhere.
_lanes = itertools.count(random.randrange(LANES))  # noqa: S311 - spreads the load, keeps no secret
_own = threading.local()


@dataclass(frozen=True, slots=True)
class Target:
    """A record that can be referred to: its resource, and the fields that references name it by."""

    resource: str
    fields: tuple[str, ...]
    key: Row

    @property
    def stripe(self) -> int:
        """The same in every process, and for every way to write the same number."""
        key = [str(value.normalize()) if isinstance(value, Decimal) else repr(value) for value in self.key]
        return zlib.crc32(repr((self.resource, self.fields, key)).encode()) % STRIPES


def acquire(
    collection: Collection[BSON],
    session: ClientSession,
    shared: Iterable[Target],
    exclusive: Iterable[Target],
    held: Set[int] = frozenset(),
) -> frozenset[int]:
    """Lock the targets until the transaction's end, or let it fail with a write conflict; the stripes locked.

    `shared` are those that are referred to from now on, `exclusive` those that will be there no more; `held` are the
    stripes that the statement has locked before, all of them for the former.
    """
    closed = {target.stripe for target in exclusive}
    opened = {target.stripe for target in shared} - closed - held
    lane = _lane()
    wanted = [stripe * LANES + each for stripe in closed for each in range(LANES)]
    wanted += [stripe * LANES + lane for stripe in opened]
    if wanted:
        try:
            locked = collection.update_many({"_id": {"$in": sorted(wanted)}}, {"$inc": {"n": 1}}, session=session)
        except OperationFailure:
            _own.lane = random.randrange(LANES)  # noqa: S311 - as above
            raise
        if locked.matched_count != len(wanted):
            raise SchemaMismatch("The store's lock collection is incomplete.", hint="Apply the schema.")
    return frozenset(closed | opened)


def _lane() -> int:
    """The thread's own lane."""
    if not hasattr(_own, "lane"):
        _own.lane = next(_lanes) % LANES
    lane: int = _own.lane
    return lane


def missing(collection: Collection[BSON]) -> bool:
    """Whether any of the lock documents is not there."""
    return collection.count_documents({"_id": {"$gte": 0, "$lt": STRIPES * LANES}}) < STRIPES * LANES


def prepare(collection: Collection[BSON]) -> None:
    """Make the lock documents that are not there."""
    numbers = range(STRIPES * LANES)
    collection.bulk_write([UpdateOne({"_id": n}, {"$setOnInsert": {"n": 0}}, upsert=True) for n in numbers], False)

"""Generated numbers: one counter for each sequence field, counted up outside of transactions, as PostgreSQL does.

A number that a failed write has taken is not given again. The counter needs no majority of its own: the record that
carries the number is acknowledged by one, and it comes later in the same log.
"""

from __future__ import annotations

from pymongo import DESCENDING, ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, OperationFailure
from pymongo.write_concern import WriteConcern

from repositories.errors import ValueOutOfRange
from repositories.mongo.connection import Connection
from repositories.mongo.documents import BSON, decoder, path
from repositories.schema import Field, Generated, Kind, Resource

COLLECTION = "_diglot_sequences"

_BAD_VALUE = 2
_LARGEST = {Kind.INT32: 2**31 - 1, Kind.INT64: 2**63 - 1}


class Sequences:
    """The counters of a database. All methods are for use within `Connection.run`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, resource: Resource, field: Field, count: int) -> range:
        """The next `count` numbers."""
        counters = self._counters().with_options(write_concern=WriteConcern(w=1))
        try:
            last = self._count_up(counters, _name(resource, field), count)
        except OperationFailure as error:
            if error.code != _BAD_VALUE:
                raise
            last = _LARGEST[Kind.INT64] + 1
        if last > _LARGEST[field.type.kind]:
            raise ValueOutOfRange(
                f'the sequence of "{field.name}" of "{resource.name}" has run out of numbers',
                resource=resource.name,
                fields=(field.name,),
            )
        return range(last - count + 1, last + 1)

    @staticmethod
    def _count_up(counters: Collection[BSON], name: str, count: int) -> int:
        while True:
            try:
                counter = counters.find_one_and_update(
                    {"_id": name}, {"$inc": {"value": count}}, upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:  # somebody else has just begun the sequence
                continue
            assert counter is not None  # it is made where it is not there
            return int(counter["value"])

    def advance(self, resource: Resource) -> None:
        """Let every sequence of the resource go on above the largest number that is stored."""
        for field in resource.fields.values():
            if field.generated is Generated.SEQUENCE:
                where = path(resource, field)
                records = self._connection.collection(resource.name)
                largest = records.find_one({where: {"$ne": None}}, {where: 1}, sort=[(where, DESCENDING)])
                if largest is not None:
                    [(value,)] = decoder(resource, (field,))([largest])
                    self._counters().update_one(
                        {"_id": _name(resource, field)}, {"$max": {"value": max(value, 0)}}, upsert=True
                    )

    def _counters(self) -> Collection[BSON]:
        return self._connection.collection(COLLECTION)


class Taken:
    """The numbers that an attempt takes, which are given to the next attempt again as far as it takes the same."""

    def __init__(self, sequences: Sequences | Taken) -> None:
        self._sequences = sequences
        self._taken: list[tuple[tuple[str, int], range]] = []
        self._next = 0

    def begin(self) -> None:
        """Another attempt begins."""
        self._next = 0

    def take(self, resource: Resource, field: Field, count: int) -> range:
        """The next `count` numbers."""
        wanted = _name(resource, field), count
        if self._next == len(self._taken) or self._taken[self._next][0] != wanted:
            self._taken[self._next :] = [(wanted, self._sequences.take(resource, field, count))]
        self._next += 1
        return self._taken[self._next - 1][1]


def _name(resource: Resource, field: Field) -> str:
    return f"{resource.name}.{field.name}"

"""New fields of old records: the default, or what is generated, where a record lacks the field."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from pymongo import UpdateOne
from uuid_utils.compat import uuid7

from repositories.mongo.connection import Connection
from repositories.mongo.documents import path, writer
from repositories.mongo.sequences import Sequences
from repositories.schema import MISSING, Field, Generated, Resource

_BATCH = 1000


def has_backfill(field: Field) -> bool:
    """Whether the field has a value for records that were there before it."""
    return field.generated is not None or (field.default is not MISSING and field.default is not None)


def backfill(connection: Connection, sequences: Sequences, resource: Resource, field: Field) -> None:
    """Give every record that lacks the field its value. For use within `Connection.run`."""
    where = path(resource, field)
    lacking = {where: {"$exists": False}}
    records = connection.collection(resource.name)
    if field.generated in (None, Generated.NOW):
        now = datetime.now(UTC)
        value = now.replace(microsecond=now.microsecond // 1000 * 1000) if field.generated else field.default
        records.update_many(lacking, {"$set": {where: writer(field.type)(value)}})
        return
    make: dict[Generated | None, Callable[[int], Iterator[Any]]] = {
        Generated.UUID7: lambda count: (uuid7() for _ in range(count)),
        Generated.SEQUENCE: lambda count: iter(sequences.take(resource, field, count)),
    }
    found = records.find(lacking, {"_id": 1}, sort=[("_id", 1)])
    while identifiers := [each["_id"] for each in itertools.islice(found, _BATCH)]:
        values = zip(identifiers, make[field.generated](len(identifiers)), strict=True)
        # Another service may be filling, too: whoever comes first has given the value.
        records.bulk_write([UpdateOne({"_id": each, **lacking}, {"$set": {where: value}}) for each, value in values])

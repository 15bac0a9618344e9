"""Keys: the values that documents have in some fields, and the documents that have one of them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from pymongo.client_session import ClientSession
from pymongo.collection import Collection as Records

from repositories.mongo.documents import BSON, Decode, decoder, key_writer, path, writer
from repositories.query import Row
from repositories.schema import Resource

#: Keys that are looked for with one command.
KEYS_AT_ONCE = 1000
#: Sets of fields whose reader is kept.
_KEPT_SHAPES = 1024


def keys_of(resource: Resource, names: Sequence[str], documents: Sequence[BSON]) -> list[Row]:
    """The documents' values in these fields, as the port has them: equal in Python where they are in the store."""
    return _decoder(resource, tuple(names))(documents)


@lru_cache(_KEPT_SHAPES)
def _decoder(resource: Resource, names: tuple[str, ...]) -> Decode:
    return decoder(resource, [resource.fields[name] for name in names])


def holding(
    records: Records[BSON],
    resource: Resource,
    names: tuple[str, ...],
    keys: Collection[Row],
    session: ClientSession | None,
    *,
    shown: Iterable[str] | None = (),
    limit: int = 0,
) -> Iterator[list[BSON]]:
    """The documents that have one of the keys in these fields, in batches; with these members, or whole (None).

    The fields of the keys and of the primary key are always among the members.
    """
    projection = None
    if shown is not None:
        fields = [resource.fields[name] for name in sorted({*names, *shown, *resource.primary_key})]
        projection = {path(resource, field).partition(".")[0]: 1 for field in fields}
    for some in in_batches(keys, KEYS_AT_ONCE):
        found = records.find(_with_key(resource, names, some), projection, limit=limit, session=session).to_list()
        if found:
            yield found


def in_batches(items: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """The items in lists of this length; the last may be shorter."""
    rest = iter(items)
    while some := list(itertools.islice(rest, size)):
        yield some


def _with_key(resource: Resource, names: tuple[str, ...], keys: list[Row]) -> BSON:
    """The filter for documents that have one of the keys in these fields."""
    if set(names) == set(resource.primary_key):
        places = [names.index(name) for name in resource.primary_key]
        make = key_writer(resource)
        return {"_id": {"$in": [make(tuple(key[place] for place in places)) for key in keys]}}
    fields = [resource.fields[name] for name in names]
    writers = [writer(field.type) for field in fields]
    stored = [[write(value) for write, value in zip(writers, key, strict=True)] for key in keys]
    paths = [path(resource, field) for field in fields]
    if len(paths) == 1:
        return {paths[0]: {"$in": [value for (value,) in stored]}}
    return {"$or": [dict(zip(paths, key, strict=True)) for key in stored]}

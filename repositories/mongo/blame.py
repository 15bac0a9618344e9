"""Which of several broken unique sets is named: the server reports the index that it happens to meet first.

It takes documents in order, and their `_id` before anything else, so only what is declared after the first unique set
leaves a doubt. Then the truth is looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from pymongo.client_session import ClientSession
from pymongo.collection import Collection as Records
from pymongo.errors import BulkWriteError, DuplicateKeyError

from repositories.errors import UniqueViolation
from repositories.mongo.documents import BSON
from repositories.mongo.errors import translate
from repositories.mongo.keys import holding, keys_of
from repositories.mongo.transactions import Again, Attempt, is_transient
from repositories.query import Row
from repositories.schema import Catalog, Resource, Unique


def is_ambiguous(resource: Resource, names: Collection[str]) -> bool:
    """Changes of these fields may break several unique sets, and the server may name the wrong one."""
    return any(not set(unique.fields).isdisjoint(names) for unique in resource.uniques[1:])


@contextmanager
def named(
    attempt: Attempt,
    catalog: Catalog,
    resource: Resource,
    rows: Sequence[int] | None = None,
    kept: tuple[str, ...] | None = None,
) -> Iterator[None]:
    """Duplicates, named rightly or found out by another, careful attempt; the commands are of these rows.

    The unique set of the fields `kept` has been looked at: who breaks it has come meanwhile.
    """
    try:
        yield
    except (BulkWriteError, DuplicateKeyError) as error:
        if is_transient(error):
            raise
        failure = translate(error, catalog, resource)
        if isinstance(failure, UniqueViolation):
            if kept is not None and set(failure.fields) == set(kept):
                raise Again from error
            # The server looks at the `_id` first.
            is_first = failure.fields in (resource.primary_key, *(unique.fields for unique in resource.uniques[:1]))
            if not is_first and not attempt.careful:
                raise Again(careful=True) from error
        if failure.row is not None and rows is not None:
            failure.row = rows[failure.row]
        raise failure from error


def first_duplicate(
    records: Records[BSON],
    resource: Resource,
    documents: Sequence[BSON],
    session: ClientSession | None,
    *,
    own: Collection[Row] = (),
    replaced: Sequence[BSON | None] = (),
) -> tuple[int, Unique] | None:
    """The first of the documents that cannot be written, by its index, and the first unique set that it breaks.

    Records whose primary keys are `own` are being changed into documents, and in nobody's way. Those that are
    `replaced`, each by the document of the same index, are so from there on.
    """
    rules = [Unique(resource.key_name, resource.primary_key), *resource.uniques]
    found: list[tuple[int, int]] = []
    for order, rule in enumerate(rules):
        keys = keys_of(resource, rule.fields, documents)
        taken: set[Row] = set()
        for there in holding(records, resource, rule.fields, {key for key in keys if None not in key}, session):
            owners = keys_of(resource, resource.primary_key, there)
            held = keys_of(resource, rule.fields, there)
            taken.update(key for key, owner in zip(held, owners, strict=True) if owner not in own)
        let_go = [() if each is None else keys_of(resource, rule.fields, [each])[0] for each in replaced]
        for row, (key, freed) in enumerate(zip(keys, let_go or [()] * len(keys), strict=True)):
            taken.discard(freed)
            if key in taken:
                found.append((row, order))
                break
            if None not in key:
                taken.add(key)
    if not found:
        return None
    row, order = min(found)
    return row, rules[order]

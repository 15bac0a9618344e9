"""Which of a resource's indexes serves a need, and what shows in a plan that none does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from repositories.base import Explanation, Indexing
from repositories.schema import Resource, constraint_name
from service.advice.needs import Keys, Need


@dataclass(frozen=True, slots=True)
class Known:
    """An index that the resource file brings about, by its name in the store."""

    name: str
    keys: Keys


def known_indexes(resource: Resource, indexing: Indexing) -> Iterator[Known]:
    """All indexes of the resource: of its key, its unique sets and references, and those declared."""
    yield Known(indexing.key_index or resource.key_name, _ascending(resource.primary_key))
    for unique in resource.uniques:
        yield Known(unique.name, _ascending(unique.fields))
    tail = _ascending(resource.primary_key) if indexing.ends_with_key and len(resource.primary_key) == 1 else ()
    for index in resource.indexes:
        yield Known(index.name, with_tail(index.keys, tail))
    for reference in resource.references:
        name = constraint_name(resource.name, reference.fields, "idx")
        yield Known(name, with_tail(_ascending(reference.fields), tail))


def with_tail(keys: Keys, tail: Keys) -> Keys:
    """The keys, and those of the tail that are not among them."""
    names = {name for name, _ in keys}
    return keys + tuple(key for key in tail if key[0] not in names)


def serves(keys: Keys, need: Need, indexing: Indexing) -> bool:
    """Whether an index with these keys finds what is needed, in its order as far as the store cannot make up for it."""
    count = len(need.equal)
    if {name for name, _ in keys[:count]} != set(need.equal):
        return False
    rest = keys[count:]
    if need.bounded is not None and not need.asked:
        return rest[:1] == ((need.bounded, False),) or rest[:1] == ((need.bounded, True),)
    order = need.order
    if indexing.incremental:
        order = order[:1] if need.asked or not need.equal else ()
    backwards = tuple((name, not descending) for name, descending in order)
    return rest[: len(order)] in (order, backwards)


def faults(found: Explanation, need: Need, indexing: Indexing) -> tuple[str, ...]:
    """What is wrong with how the store answers, as far as an index can mend it; nothing where one serves already."""
    name = need.resource.name
    known = list(known_indexes(need.resource, indexing))
    if any(serves(index.keys, need, indexing) for index in known):
        return ()
    said = []
    if name in found.scans:
        said.append(f"reads all of {name}")
    elif need.filters and (walked := _walked(found, need, known)):
        said.append(f"filters what it reads by {walked}")
    if found.sorts and need.order:
        said.append("sorts in memory")
    return tuple(said)


def _walked(found: Explanation, need: Need, known: list[Known]) -> str | None:
    """The index that is read though it tells nothing of the need's fields, if no other is."""
    used = [index for index in known if index.name in found.indexes]
    if not used or any(index.keys[0][0] in need.filters for index in used):
        return None
    return used[0].name


def _ascending(names: tuple[str, ...]) -> Keys:
    return tuple((name, False) for name in names)

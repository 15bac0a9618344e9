"""From reads and how each store explains them to the fewest indexes that serve them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from repositories.base import Explanation, Indexing
from repositories.query import Read
from repositories.schema import Catalog, Index, Resource, constraint_name
from service.advice.needs import Keys, Need, needs, unindexable
from service.advice.serving import faults, serves


@dataclass(frozen=True, slots=True)
class Request:
    """A read as it was asked for, and how often."""

    text: str
    read: Read
    count: int = 1


@dataclass(frozen=True, slots=True)
class Lack:
    """What a request wants of an index of one store, and what the store does without it."""

    backend: str
    request: Request
    need: Need
    faults: tuple[str, ...]
    indexing: Indexing
    before: Explanation


@dataclass(slots=True)
class Advice:
    """An index that is lacking, and for what."""

    resource: Resource
    keys: Keys
    lacks: list[Lack] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The index as the resource file has it, among the resource's `indexes`."""
        return f"[{', '.join('-' * descending + name for name, descending in self.keys)}]"

    @property
    def backends(self) -> tuple[str, ...]:
        """The stores that lack it."""
        return tuple(dict.fromkeys(lack.backend for lack in self.lacks))

    @property
    def count(self) -> int:
        """How often it was lacking: the requests that want it in any store."""
        return sum({lack.request.text: lack.request.count for lack in self.lacks}.values())

    @property
    def index(self) -> Index:
        """The index, by a name for trials."""
        return Index(constraint_name(self.resource.name, tuple(name for name, _ in self.keys), "trial"), self.keys)


def lacking(backend: str, indexing: Indexing, request: Request, found: Explanation) -> list[Lack]:
    """What the request lacks in the store that explains it so."""
    return [
        Lack(backend, request, need, said, indexing, found)
        for need in needs(request.read.selection, indexing)
        if (said := faults(found, need, indexing))
    ]


def advise(lacks: Iterable[Lack]) -> list[Advice]:
    """As few indexes as serve them all, the most wanted first."""
    found: list[Advice] = []
    # Longer ones first: they may serve what asks for less.
    for lack in sorted(lacks, key=lambda lack: -len(lack.need.keys)):
        need = lack.need
        serving = (each for each in found if each.resource is need.resource and _suits(each.keys, lack))
        advice = next(serving, None)
        if advice is None:
            advice = Advice(need.resource, need.keys)
            found.append(advice)
        advice.lacks.append(lack)
    return sorted(found, key=lambda advice: -advice.count)


def _suits(keys: Keys, lack: Lack) -> bool:
    return keys == lack.need.keys or serves(keys, lack.need, lack.indexing)


def with_index(catalog: Catalog, advice: Advice) -> Catalog:
    """The catalog as it would be with the index."""
    resource = replace(advice.resource, indexes=(*advice.resource.indexes, advice.index))
    return Catalog({each.name: resource if each is advice.resource else each for each in catalog})


def beyond_help(request: Request, found: Explanation) -> list[str]:
    """The resources that the store reads whole for conditions which no index of the resource file can serve."""
    return [name for name in unindexable(request.read.selection) if name in found.scans]

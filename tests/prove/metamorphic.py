"""Laws that must hold inside of every store: of filters, pages, forms, embeds and aggregates, on generated worlds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Flaky
from hypothesis.strategies import DrawFn, SearchStrategy, composite

from repositories.schema import Resource
from service.planner.relations import Relations
from tests.prove import filter_laws, form_laws, page_laws, related_laws
from tests.prove.asking import Asker, Broken, Refused
from tests.prove.chance import Chance, Drawn
from tests.prove.differential import Differs, written
from tests.prove.filter_laws import Check
from tests.prove.parts import Outcome, Part
from tests.prove.reads import Reads
from tests.prove.studies import Study, hash_of
from tests.prove.worlds import World

LAWS: dict[str, Callable[[Reads, Resource], Check]] = {
    "partition": filter_laws.partition,
    "partition of a tree": filter_laws.partition_of_a_tree,
    "union and intersection": filter_laws.union,
    "membership": filter_laws.membership,
    "double negation": filter_laws.negation,
    "sorted halves": filter_laws.sorted_halves,
    "pages by offset": page_laws.by_offset,
    "pages by range": page_laws.by_range,
    "pages by links": page_laws.by_links,
    "pages by keyset": page_laws.by_keyset,
    "HEAD": form_laws.head,
    "count": form_laws.count,
    "projection": form_laws.projection,
    "CSV": form_laws.in_csv,
    "NDJSON": form_laws.ndjson,
    "nulls stripped": form_laws.stripped,
    "item": form_laws.item,
    "embed": related_laws.embed,
    "spread": related_laws.spread,
    "inner join": related_laws.inner,
    "aggregates in an embed": related_laws.embedded_aggregates,
    "aggregates": related_laws.aggregates,
}
#: Laws of resources that have relations.
_RELATED = ("embed", "spread", "inner join", "aggregates in an embed")
#: Relations of each law in one world.
RELATIONS = 30
SHRINK_SECONDS = 20.0
#: A law that is broken so often in a world is not looked at there again.
ALIKE = 2
_SETTINGS = settings(
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    verbosity=Verbosity.quiet,
)


class Relation:
    """A law, with all that chance has chosen for it."""

    def __init__(self, world: World, chance: Chance, law: str) -> None:
        reads = Reads(chance, Relations(world.catalog.public), world.records)
        resources = list(world.catalog.public)
        if law in _RELATED:
            resources = [each for each in resources if reads.relations.of(each)]
        self.law = law
        self.check = LAWS[law](reads, chance.pick(resources))
        self.cells = reads.cells.hit


class Laws(Study):
    """Laws that every store keeps."""

    def world(self, world: World, seed: str, laws: Iterable[str] = LAWS, relations: int = RELATIONS) -> None:
        """Look at so many relations of each law in a world."""
        relations_of = Relations(world.catalog.public).of
        related = any(relations_of(resource) for resource in world.catalog.public)
        # A world that there is too little time for begins with another law than the one before.
        listed, first = list(laws), hash_of(seed)
        for law in (listed[(first + number) % len(listed)] for number in range(len(listed))):
            if law in _RELATED and not related:
                continue
            search = _Search(self, world, law)
            for turn in range(ALIKE):
                found = search.run(relations - search.done, hash_of(f"{seed} {law} {turn}"))
                if found is None:
                    break
                self.outcome.differences.append(written(found, world, seed))
        self.tell()

    def count(self, relation: Relation, sizes: list[int], refused: int, requests: int) -> None:
        self.tally["cases"] += 1
        self.tally["requests"] += requests
        if sizes or not refused:
            self.outcome.cells.update(relation.cells)
            self.tally[f"{relation.law}: relations checked"] += len(sizes)
            self.tally[f"{relation.law}: of these not empty"] += sum(size > 0 for size in sizes)
        else:
            self.outcome.refused.update(relation.cells)
            self.tally[f"{relation.law}: refused by the planner"] += refused


class _Search:
    """Relations of one law, made by Hypothesis until one does not hold, which is then shrunk."""

    def __init__(self, study: Laws, world: World, law: str) -> None:
        self._study, self._world, self._law = study, world, law
        self._until: float | None = None
        self._found: Differs | None = None
        self.done = 0

    def run(self, count: int, seed: int) -> Differs | None:
        @seeded(seed)
        @settings(_SETTINGS, max_examples=max(count, 1))
        @given(_relations(self._world, self._law))
        def body(relation: Relation) -> None:
            self._look(relation)

        self._until = None
        try:
            body()
        except Differs as found:
            return found
        except Flaky:  # there was no time to look again
            return self._found
        return None

    def _look(self, relation: Relation) -> None:
        shrinking = self._until is not None
        if self._study.over or (self._until is not None and time.monotonic() > self._until):
            return
        found, sizes, refused, requests = judged(relation, self._world)
        if not shrinking:
            self.done += 1
            self._study.count(relation, sizes, refused, requests)
        if found is not None:
            self._found = found
            self._until = self._until or time.monotonic() + SHRINK_SECONDS
            raise found


def judged(relation: Relation, world: World) -> tuple[Differs | None, list[int], int, int]:
    """How the relation is broken, if it is; its size in each store that has answered; refusals, requests."""
    sizes, refusals, requests = [], [], 0
    found: Differs | None = None
    for name in world.names:
        asker = Asker(world, name)
        try:
            sizes.append(relation.check(asker))
        except Refused as refusal:
            refusals.append((asker, str(refusal)))
        except (Broken, LookupError, ValueError) as broken:
            found = Differs(relation.law, frozenset(relation.cells), asker.requests, f"{name}: {broken!r}")
        requests += len(asker.requests)
    if refusals and len(refusals) < len(world.names) and found is None:
        asker, told = refusals[0]
        found = Differs(f"{relation.law}: refused", frozenset(relation.cells), asker.requests, told)
    return found, sizes, len(refusals), requests


def _relations(world: World, law: str) -> SearchStrategy[Relation]:
    @composite
    def drawn(draw: DrawFn) -> Relation:
        return Relation(world, Drawn(draw), law)

    return drawn()


def run(seconds: float, seed: int) -> Outcome:
    """Worlds of new seeds until the time is over."""
    return Laws(time.monotonic() + seconds).worlds("laws", seed)


PART = Part("metamorphic", "Inside of every store, laws of the language hold", run, weight=2)

"""The hunt for a mutant: generated requests are asked of it and of the oracle until they differ.

The requests are those of the differential proof, but drawn from a seed: no hunt is worth shrinking.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.prove.chance import Seeded
from tests.prove.comparing import difference, unlike
from tests.prove.differential import COMPARE_EVERY, RESET_EVERY
from tests.prove.mutants.planting import Mutant, forget_compiled
from tests.prove.requests import Maker
from tests.prove.worlds import ALL, ORACLE, Request, World, generated, opened

#: So many requests are asked in one world before the next one is tried.
PATIENCE = 600
_READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Caught:
    """What has given a mutant away: the kind of difference, after so many cases, and the requests that lead to it."""

    kind: str
    cases: int
    requests: tuple[Request, ...]
    #: Whether the mutant goes free once the mistake is gone: then it was the mistake that was found.
    cleared: bool

    @property
    def by(self) -> str:
        """The check."""
        return "stored records" if self.kind.endswith("stored records") else "answers"


class Hunter:
    """Looks for mutants in the worlds of certain seeds, which are opened once."""

    def __init__(self, postgres: str, mongodb: str, seeds: tuple[str, ...], stack: ExitStack) -> None:
        self._urls, self._stack, self._seeds = (postgres, mongodb), stack, seeds
        self._worlds: dict[str, World] = {}

    def hunt(self, mutant: Mutant, salt: str, seconds: float) -> Caught | None:
        """Whatever gives the mutant away; the requests depend on the salt."""
        deadline, cases = time.monotonic() + seconds, 0
        for seed in dict.fromkeys((mutant.seed, *self._seeds)):
            with self._world(mutant, seed) as world, _among(world, mutant):
                found, count = _hunted(world, mutant, f"{salt} {seed}", deadline)
                cases += count
            forget_compiled()
            if found is not None:
                kind, log = found
                return Caught(kind, cases, tuple(log), self._is_cleared(mutant, seed, log))
        return None

    @contextmanager
    def _world(self, mutant: Mutant, seed: str) -> Iterator[World]:
        """The world in which the mutant is at work."""
        if mutant.schema:
            plan, _ = generated(seed)
            with mutant.planted(), opened(plan, {}, *self._urls, _label("own"), (ORACLE, mutant.side)) as world:
                yield world
        else:
            world = self._shared(seed)
            with world.rebuilt(mutant.side, mutant.planted):
                yield world

    def _shared(self, seed: str) -> World:
        if seed not in self._worlds:
            label = _label(str(len(self._worlds)))
            self._worlds[seed] = self._stack.enter_context(opened(*generated(seed), *self._urls, label, ALL))
        return self._worlds[seed]

    def _is_cleared(self, mutant: Mutant, seed: str, log: list[Request]) -> bool:
        good = Mutant(mutant.name, mutant.side, (), mutant.seed, mutant.writes, mutant.schema)
        with self._world(good, seed) as world, _among(world, good):
            return not any(difference(world.ask(request)) for request in log) and unlike(world) is None


def _label(which: str) -> str:
    return f"mutants_{os.getpid()}_{which}"


@contextmanager
def _among(world: World, mutant: Mutant) -> Iterator[None]:
    """Only the oracle and the mutant are asked."""
    names, world.names = world.names, (ORACLE, mutant.side)
    world.reset()
    try:
        yield
    finally:
        world.reset()
        world.names = names


def _hunted(world: World, mutant: Mutant, salt: str, deadline: float) -> tuple[tuple[str, list[Request]] | None, int]:
    """The kind of difference that was met, the requests since the first records, and the number of cases."""
    log: list[Request] = []
    written = 0
    for number in itertools.count(1):
        if number > PATIENCE or time.monotonic() > deadline:
            return None, number - 1
        maker = Maker(world, Seeded(f"{salt} {number}"))
        request = world.resolved((maker.write() if mutant.writes and number % 3 else maker.read()).request)
        answers = world.ask(request)
        if not world.dirty:
            log.clear()
        log.append(request)
        kind, writes = difference(answers), request.method not in _READING
        written += writes
        if kind is None and writes and written % COMPARE_EVERY == 0:
            kind = unlike(world)
        if kind is not None:
            return (kind, log), number
        if writes and written % RESET_EVERY == 0:
            world.reset()
            log.clear()
    raise AssertionError

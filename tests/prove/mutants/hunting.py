"""The hunt for a mutant: requests are asked of it and of the oracle until they differ.

They are generated as those of the differential proof are, but drawn from a seed: no hunt is worth shrinking.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.prove.chance import Seeded
from tests.prove.comparing import difference, unlike
from tests.prove.differential import COMPARE_EVERY, RESET_EVERY
from tests.prove.mutants.catalogs import CATALOGS
from tests.prove.mutants.planting import Mutant, forget_compiled
from tests.prove.requests import Maker
from tests.prove.worlds import ALL, ORACLE, Records, Request, World, filled, opened

_READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Caught:
    """What has given a mutant away: the kind of difference, after so many cases, and the requests that lead to it."""

    kind: str
    cases: int
    requests: tuple[Request, ...]
    #: The same requests make no difference without the mistake: so it was the mistake that was found.
    cleared: bool

    @property
    def by(self) -> str:
        """What was compared."""
        return "stored records" if self.kind.endswith("stored records") else "answers"


class Hunter:
    """Looks for mutants in small worlds, each of which is opened once."""

    def __init__(self, postgres: str, mongodb: str, stack: ExitStack) -> None:
        self._urls, self._stack = (postgres, mongodb), stack
        self._worlds: dict[str, World] = {}

    def hunt(self, mutant: Mutant, salt: str, seconds: float, most: int | None = None) -> Caught | None:
        """Whatever gives the mutant away, in this time, and after so many cases at the most.

        Which requests are generated depends on the salt.
        """
        until = time.monotonic() + seconds
        with self._world(mutant) as world:
            found = _hunted(world, mutant, salt, most, until)
        forget_compiled()
        if found is None:
            return None
        kind, cases, log = found
        with self._world(replace(mutant, patches=())) as world:
            differs = any(difference(world.ask(request)) for request in log) or unlike(world) is not None
        return Caught(kind, cases, log, not differs)

    @contextmanager
    def _world(self, mutant: Mutant) -> Iterator[World]:
        """The first records, of which only the oracle and the mutant are asked."""
        with ExitStack() as stack:
            if mutant.schema:
                stack.enter_context(mutant.planted())
                plan, records = _drawn(mutant.world)
                records = {} if mutant.empty else records
                world = stack.enter_context(opened(plan, records, *self._urls, _label("own"), (ORACLE, mutant.side)))
            else:
                world = self._shared(mutant.world)
                stack.enter_context(world.rebuilt(mutant.side, mutant.planted))
            names, world.names = world.names, (ORACLE, mutant.side)
            try:
                yield world
            finally:
                world.reset()
                world.names = names

    def _shared(self, name: str) -> World:
        if name not in self._worlds:
            label = _label(str(len(self._worlds)))
            self._worlds[name] = self._stack.enter_context(opened(*_drawn(name), *self._urls, label, ALL))
        return self._worlds[name]


def _drawn(name: str) -> tuple[Mapping[str, Any], Records]:
    """A small catalog, by its name and a number, and records for it."""
    plan = CATALOGS[name.partition(" ")[0]]
    return plan, filled(Seeded(name), plan)


def _label(which: str) -> str:
    return f"mutants_{os.getpid()}_{which}"


def _hunted(
    world: World, mutant: Mutant, salt: str, most: int | None, until: float
) -> tuple[str, int, tuple[Request, ...]] | None:
    """The kind of difference that was met, the number of cases, and the requests since the first records."""
    log: list[Request] = []
    written = 0
    for number in itertools.count(1):
        if time.monotonic() > until or (most is not None and number > most):
            return None
        if not world.dirty:
            log.clear()
        request = _request(world, mutant, salt, number)
        answers = world.ask(request)
        log.append(request)
        kind, writes = difference(answers), request.method not in _READING
        written += writes
        if kind is None and writes and written % COMPARE_EVERY == 0:
            kind = unlike(world)
        if kind is not None:
            return kind, number, tuple(log)
        if writes and written % RESET_EVERY == 0:
            world.reset()
    raise AssertionError


def _request(world: World, mutant: Mutant, salt: str, number: int) -> Request:
    if number <= len(mutant.directed):
        return mutant.directed[number - 1]
    maker = Maker(world, Seeded(f"{salt} {number}"))
    return world.resolved((maker.write() if mutant.writes and number % 3 else maker.read()).request)

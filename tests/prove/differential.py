"""Every store answers generated requests as the oracle does: status, code, headers, body, and what is then stored."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis.strategies import SearchStrategy, one_of

from tests.prove.comparing import difference, told, unlike
from tests.prove.parts import Outcome, Part
from tests.prove.requests import Asked, Cell, reads, writes
from tests.prove.studies import Study, hash_of, running
from tests.prove.worlds import ORACLE, SPARSE, Answer, Request, World, generated, opened

#: Requests of one world: reads of its first records, then writes with reads between them.
READS, WRITES = 900, 500
#: After so many writes all that is stored is compared, and after so many it is as at first again.
COMPARE_EVERY, RESET_EVERY = 8, 40
SHRINK_SECONDS = 20.0
#: So many differences are enough for a world to tell what is wrong.
ENOUGH = 6
#: So many differences of one kind are shown.
ALIKE = 3
_SETTINGS = settings(
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    verbosity=Verbosity.quiet,
)


class Differs(Exception):
    """A difference: its kind, the requests that lead to it, and what it is."""

    def __init__(self, kind: str, cells: frozenset[Cell], requests: Sequence[Request], text: str) -> None:
        super().__init__(kind)
        self.kind, self.cells, self.requests, self.text = kind, cells, list(requests), text


class Requests(Study):
    """Requests whose answers are compared."""

    def __init__(self, deadline: float) -> None:
        super().__init__(deadline)
        self._known: list[Differs] = []

    def world(self, world: World, seed: str, *, reading: int = READS, writing: int = WRITES) -> None:
        """Ask a world."""
        everyone = world.names
        started = len(self.outcome.differences)
        for strategy, count, names in (
            (reads(world), reading, everyone),
            (one_of(writes(world), writes(world), reads(world)), writing, self._writers(seed, everyone)),
        ):
            world.names = names
            done, turn = 0, 0
            while done < count and not self.over and len(self.outcome.differences) < started + ENOUGH:
                attempt = Attempt(self, world)
                turn += 1
                found = attempt.run(strategy, count - done, hash_of(f"{seed} {turn} {count}"))
                done += max(attempt.done, 1)
                if found is not None:
                    self._found(found, world, seed)
            world.reset()
            world.names = everyone
        self.tell()

    @staticmethod
    def _writers(seed: str, names: tuple[str, ...]) -> tuple[str, ...]:
        """Every third world writes also to the store that lacks fields."""
        return names if hash_of(seed) % 3 == 0 else tuple(name for name in names if name != SPARSE)

    def _found(self, found: Differs, world: World, seed: str) -> None:
        self._known.append(found)
        self.outcome.differences.append(written(found, world, seed))

    def is_known(self, kind: str, cells: frozenset[Cell]) -> bool:
        alike = [each for each in self._known if each.kind == kind]
        known = len(alike) >= ALIKE or any(each.cells <= cells for each in alike)
        self.tally["differences met again"] += known
        return known

    def count(self, asked: Asked, answers: dict[str, Answer]) -> None:
        answered = answers[ORACLE].status < 400
        self.tally["cases"] += 1
        self.tally["answers compared"] += len(answers)
        self.tally["reads" if asked.request.method in ("GET", "HEAD", "OPTIONS") else "writes"] += 1
        self.tally["answered" if answered else "refused"] += 1
        self.tally["broken off"] += bool(answers[ORACLE].broken)
        (self.outcome.cells if answered else self.outcome.refused).update(asked.cells)


class Attempt:
    """One run of Hypothesis: requests until a difference is found, which is then shrunk."""

    def __init__(self, study: Requests, world: World) -> None:
        self._study, self._world = study, world
        self._log: list[Request] = []
        self._writes = 0
        self._shrinking: str | None = None
        self._until = 0.0
        self._failed: dict[Request, Differs] = {}
        self._aside: Differs | None = None
        self.done = 0

    def run(self, strategy: SearchStrategy[Asked], count: int, seed: int) -> Differs | None:
        @seeded(seed)
        @settings(_SETTINGS, max_examples=count)
        @given(strategy)
        def body(asked: Asked) -> None:
            if self._aside is None:
                self._check(asked)

        self._world.reset()
        try:
            body()
        except Differs as found:
            return found
        return self._aside

    def _check(self, asked: Asked) -> None:
        if asked.request in self._failed:
            raise self._failed[asked.request]
        if self._study.over or (self._shrinking and time.monotonic() > self._until):
            return
        if self._shrinking:
            self._world.reset()
            self._log.clear()
        request, answers = self._asked(asked.request)
        if not self._shrinking:
            self.done += 1
            self._study.count(asked, answers)
        kind = difference(answers) or self._stored(asked)
        if kind is None or (self._shrinking and kind != self._shrinking):
            return
        cells = frozenset(asked.cells)
        if not self._shrinking and self._study.is_known(kind, cells):
            self._restart()
            return
        if len(self._log) > 1 and not self._alone(request, kind):
            self._aside = Differs(kind, cells, self._least(kind), told(answers))
            return
        self._shrinking = kind
        self._until = self._until or time.monotonic() + SHRINK_SECONDS
        self._failed[asked.request] = Differs(kind, cells, [request], told(answers))
        raise self._failed[asked.request]

    def _asked(self, wanted: Request) -> tuple[Request, dict[str, Answer]]:
        request = self._world.resolved(wanted)
        answers = self._world.ask(request)
        if self._world.dirty:
            self._log.append(request)
        return request, answers

    def _stored(self, asked: Asked) -> str | None:
        """Whether the stores hold different records, looked at now and then."""
        if not self._world.dirty or asked.request.method in ("GET", "HEAD", "OPTIONS"):
            return None
        self._writes += 1
        if not self._shrinking and self._writes % COMPARE_EVERY:
            return None
        self._study.tally["stores compared as a whole"] += 1
        kind = unlike(self._world)
        if kind is None and self._writes % RESET_EVERY == 0:
            self._restart()
        return kind

    def _restart(self) -> None:
        self._world.reset()
        self._log.clear()

    def _alone(self, request: Request, kind: str) -> bool:
        """Whether the request makes the difference on the first records, too."""
        return self._again([request]) == kind

    def _again(self, requests: Sequence[Request]) -> str | None:
        """The difference that these requests end in, on the first records."""
        self._world.reset()
        for request in requests:
            found = difference(self._world.ask(request))
            if found is not None:
                return found
        return unlike(self._world)

    def _least(self, kind: str) -> list[Request]:
        """The log without what is not needed for the difference."""
        kept, until = list(self._log), time.monotonic() + SHRINK_SECONDS
        for request in self._log:
            fewer = [each for each in kept if each is not request]
            if fewer and time.monotonic() < until and self._again(fewer) == kind:
                kept = fewer
        self._restart()
        return kept


def written(found: Differs, world: World, seed: str) -> str:
    """The difference, and how to have it again."""
    again = [[each.method, each.path, each.headers, None if each.body is None else each.body.decode("latin-1")]
             for each in found.requests]  # fmt: skip
    replay = json.dumps({"world": seed, "requests": again})
    return "\n".join(
        [
            found.kind,
            *(f">>> {each}" for each in found.requests),
            found.text,
            "Resources: " + json.dumps(world.plan, ensure_ascii=False),
            f"Again: .venv/bin/python -m tests.prove --replay '{replay.replace(chr(39), '%27')}'",
        ]
    )


def replayed(text: str, tell: Callable[[str], None]) -> bool:
    """Ask the requests of a difference once more; whether the stores still differ."""
    plan = json.loads(text.replace("%27", "'"))
    requests = [
        Request(method, path, tuple(map(tuple, headers)), None if body is None else body.encode("latin-1"))
        for method, path, headers, body in plan["requests"]
    ]
    differs = False
    with ExitStack() as stack:
        urls = running(stack)
        world = stack.enter_context(opened(*generated(plan["world"]), *urls, f"replay_{os.getpid()}"))
        for request in requests:
            answers = world.ask(request)
            differs |= difference(answers) is not None
            tell(f">>> {request}\n{told(answers)}")
        stored = unlike(world)
        tell(stored or "All stores hold the same records.")
    return differs or stored is not None


def run(seconds: float, seed: int) -> Outcome:
    """Worlds of new seeds until the time is over."""
    return Requests(time.monotonic() + seconds).worlds("requests", seed)


PART = Part("differential", "All stores answer generated requests alike", run, weight=6)

"""Walks through worlds: writes of every kind, one after the other or two at once, all stores compared at each step.

What two requests at once have come to must be what they come to one after the other, in the oracle, in some order.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from tests.oracle import OracleRepository
from tests.oracle.rules import State
from tests.prove.comparing import difference, told, unlike
from tests.prove.parts import Outcome, Part
from tests.prove.steps import Step, Steps
from tests.prove.studies import Study, running
from tests.prove.worlds import ORACLE, Answer, World, generated, opened

#: Steps of one walk, after which every store is as at first again, and walks in one world.
STEPS, WALKS = 40, 5
SHRINK_SECONDS = 20.0
#: So many differences are enough for a world to tell what is wrong.
ENOUGH = 2
#: How often a race is run, to see whether it comes to a difference again.
ATTEMPTS = 5
#: Seconds that a racing request waits for the other one.
PATIENCE = 30.0
_IN_FLIGHT = "PGRST409"


@dataclass(frozen=True)
class End:
    """What requests come to: their answers, and all that is stored then."""

    answers: tuple[Answer, ...]
    stored: Mapping[str, bytes]
    #: The oracle's own state, to go on from there.
    state: State


class Walker:
    """Takes steps in a world, and tells what differs."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.tally: Counter[str] = Counter()

    def take(self, step: Step) -> tuple[str, str] | None:
        """The kind of a difference, and what it is; None where there is none."""
        return self._race(step) if step.is_race else self._single(step)

    def _single(self, step: Step) -> tuple[str, str] | None:
        answers = self._world.ask(step.requests[0], step.turn)
        self.tally["answered" if answers[ORACLE].status < 400 else "refused"] += 1
        self.tally["replayed"] += "Idempotent-Replayed" in dict(answers[ORACLE].headers)
        self.tally["stores compared"] += len(answers)
        kind = difference(answers) or unlike(self._world)
        return None if kind is None else (kind, told(answers))

    def _race(self, step: Step) -> tuple[str, str] | None:
        self._world.prepare(*step.requests, turn=step.turn)
        orders = dict(self._orders(step))
        found: dict[str, set[str]] = {}
        for name in self._world.names:
            if name == ORACLE:
                continue
            end = self._raced(name, step)
            self.tally["stores compared"] += 1
            found[name] = {order for order, expected in orders.items() if _same(name, end, expected)}
            if not found[name]:
                expected = "\n".join(f"=== {order}\n{_written(each)}" for order, each in orders.items())
                return f"{name}: {step.kind}", f"=== {name}\n{_written(end)}\n{expected}"
        self.tally["races"] += 1
        self._agree(orders, found)
        return None

    def _orders(self, step: Step) -> Iterator[tuple[str, End]]:
        """What the oracle comes to, in either order; or where the one was in flight when the other came."""
        oracle = self._world.stores[ORACLE].repository
        assert isinstance(oracle, OracleRepository)
        state, numbers = oracle.state, dict(oracle._numbers)
        keys = [dict(each.headers).get("Idempotency-Key") for each in step.requests]
        for name, order in (("the first one first", (0, 1)), ("the second one first", (1, 0))):
            oracle.state, oracle._numbers = state, dict(numbers)
            answers = {each: self._answer(ORACLE, step, each) for each in order}
            yield name, End((answers[0], answers[1]), self._world.stored(ORACLE), oracle.state)
        if keys[0] is not None and keys[0] == keys[1]:
            for alone in (0, 1):
                oracle.state, oracle._numbers = state, dict(numbers)
                done, refused = self._answer(ORACLE, step, alone), Answer(409, (), b"", _IN_FLIGHT)
                answers = {alone: done, 1 - alone: refused}
                yield f"{alone} alone", End((answers[0], answers[1]), self._world.stored(ORACLE), oracle.state)
        oracle.state = state

    def _answer(self, name: str, step: Step, index: int) -> Answer:
        return self._world.answer(name, step.requests[index], 2 * step.turn + index, still=True)

    def _raced(self, name: str, step: Step) -> End:
        """Both requests at once."""
        line = threading.Barrier(2)

        def run(index: int) -> Answer:
            line.wait(PATIENCE)
            return self._answer(name, step, index)

        with ThreadPoolExecutor(2) as threads:
            first, second = threads.map(run, range(2))
        return End((first, second), self._world.stored(name), {})

    def _agree(self, orders: Mapping[str, End], found: Mapping[str, set[str]]) -> None:
        """Let all stores go on from one order: one in which all have ended, or else the one of most."""
        counts = Counter(order for names in found.values() for order in names)
        chosen = max(orders, key=lambda order: counts[order])
        for order in orders:
            self.tally[f"outcomes by order: {order}"] += counts[order]
        self.tally["outcomes that tell the order"] += sum(len(names) == 1 for names in found.values())
        oracle = self._world.stores[ORACLE].repository
        assert isinstance(oracle, OracleRepository)
        oracle.state = orders[chosen].state
        if counts[chosen] < len(found):
            self.tally["races that the stores have ended differently"] += 1
            self._world.fill({each.name: oracle.state[each.name] for each in self._world.catalog.public})


def _same(name: str, end: End, expected: End) -> bool:
    """Whether a store has come to the same as the oracle."""
    if end.stored != expected.stored:
        return False
    for answer, right in zip(end.answers, expected.answers, strict=True):
        if right.broken == _IN_FLIGHT:
            in_flight = answer.status == 409 and "Retry-After" in dict(answer.headers)
            if not in_flight or json.loads(answer.body)["code"] != _IN_FLIGHT:
                return False
        elif difference({ORACLE: right, name: answer}):
            return False
    return True


def _written(end: End) -> str:
    stored = "\n".join(f"{name}: {body.decode()}" for name, body in end.stored.items())
    return "\n---\n".join([*map(str, end.answers), stored])


class Walks(Study):
    """Walks through worlds."""

    def world(self, world: World, seed: str, walks: int = WALKS, steps: int = STEPS) -> None:
        """Take so many walks through a world."""
        before = len(self.outcome.differences)
        for number in range(walks):
            if self.over or len(self.outcome.differences) >= before + ENOUGH:
                break
            self._walk(world, seed, f"{seed} {number}", steps)
        self.tell()

    def _walk(self, world: World, seed: str, walk: str, steps: int) -> None:
        world.reset()
        walker, maker, taken = Walker(world), Steps(world, walk), list[Step]()
        while len(taken) < steps and not self.over:
            step, cells = maker.make(len(taken) + 1)
            taken.append(step)
            found = walker.take(step)
            self.tally["cases"] += 1
            self.tally["steps"] += 1
            self.tally[f"steps: {step.kind}"] += 1
            self.outcome.cells.update(cells)
            if found is not None:
                least = shrunk(world, taken, found[0])
                self.outcome.differences.append(_difference(found, least, world, seed))
                break
        self.tally += walker.tally
        world.dirty = True


def shrunk(world: World, steps: Sequence[Step], kind: str) -> list[Step]:
    """The steps without those that are not needed for the difference: fewer and fewer are left out at once."""
    kept, until = list(steps), time.monotonic() + SHRINK_SECONDS
    size = len(kept) - 1
    while size and time.monotonic() < until:
        start = 0
        while start < len(kept) - 1 and time.monotonic() < until:
            fewer = [*kept[:start], *kept[min(start + size, len(kept) - 1) :]]
            if _again(world, fewer) == kind:
                kept = fewer
            else:
                start += size
        size = min(size, len(kept) - 1) // 2
    return kept


def _again(world: World, steps: Sequence[Step]) -> str | None:
    """The kind of difference that these steps end in."""
    for _ in range(ATTEMPTS if steps[-1].is_race else 1):
        world.dirty = True
        world.reset()
        walker = Walker(world)
        for step in steps:
            found = walker.take(step)
            if found is not None:
                return found[0] if step is steps[-1] else None
    return None


def _difference(found: tuple[str, str], steps: Sequence[Step], world: World, seed: str) -> str:
    replay = json.dumps({"world": seed, "steps": [step.as_data() for step in steps]})
    return "\n".join(
        [
            found[0],
            found[1],
            "After:",
            *(f">>> {step}" for step in steps),
            "Resources: " + json.dumps(world.plan, ensure_ascii=False),
            f"Again: .venv/bin/python -m tests.prove --replay '{replay.replace(chr(39), '%27')}'",
        ]
    )


def replayed(text: str, tell: Callable[[str], None]) -> bool:
    """Take the steps of a difference once more; whether the stores still differ."""
    plan = json.loads(text.replace("%27", "'"))
    with ExitStack() as stack:
        world = stack.enter_context(opened(*generated(plan["world"]), *running(stack), f"replay_{os.getpid()}"))
        walker = Walker(world)
        for step in map(Step.of, plan["steps"]):
            found = walker.take(step)
            tell(f">>> {step}\n{found[0] if found else 'alike'}")
            if found is not None:
                tell(found[1])
                return True
    return False


def run(seconds: float, seed: int) -> Outcome:
    """Worlds of new seeds until the time is over."""
    return Walks(time.monotonic() + seconds).worlds("walks", seed)


PART = Part(
    "stateful", "Whatever is written, also by two at once, all stores hold the same at every step", run, weight=2
)

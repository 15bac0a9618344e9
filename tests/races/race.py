"""What a race is, and how it is run: round by round, all writers from one starting line."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ClassVar

from repositories.base import Document
from repositories.errors import RepositoryError
from tests.contract.port import Port

#: What became of a writer. Work in a transaction gives True where there is no document.
Outcome = Document | RepositoryError | bool
#: Rounds between two looks at the store, which is then emptied; and where a violation is all that is waited for.
BATCH, SHORT_BATCH = 100, 20
#: How long a writer waits for the others before the race is over.
PATIENCE = 60.0


class Race(ABC):
    """Writers that get in each other's way in every round, and what must hold when all have ended.

    Rounds are independent of each other: `number` tells which records a round is about.
    """

    writers: ClassVar[int] = 2

    def __init__(self, port: Port) -> None:
        self.port = port

    def prepare(self, rounds: range) -> None:  # noqa: B027 - many races need nothing
        """Put in place what the rounds begin with."""

    @abstractmethod
    def run(self, number: int, writer: int) -> Outcome:
        """What the writer does in this round."""

    @abstractmethod
    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        """What is wrong with the outcomes of a round, if anything is."""

    def look(self, rounds: range) -> list[str]:
        """What is wrong with the records that a batch of rounds has left."""
        return []


@dataclass
class Result:
    """The figures of one race."""

    rounds: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0


def run(race: Race, rounds: int, *, until_caught: bool = False) -> Result:
    """Run the race for so many rounds, or until the first batch with a violation."""
    result, start = Result(), time.monotonic()
    race.port.store.empty()
    try:
        while result.rounds < rounds and not (until_caught and result.violations):
            batch = range(min(SHORT_BATCH if until_caught else BATCH, rounds - result.rounds))
            race.prepare(batch)
            for number, outcomes in enumerate(_outcomes(race, batch)):
                if wrong := race.judge(number, outcomes):
                    result.violations.append(f"{wrong}: {[_told(each) for each in outcomes]}")
            result.violations.extend(race.look(batch))
            result.rounds += len(batch)
            race.port.store.empty()
    finally:
        race.port.store.empty()
    result.seconds = time.monotonic() - start
    return result


def _outcomes(race: Race, rounds: range) -> list[list[Outcome]]:
    """For each round, what became of each writer."""
    line = threading.Barrier(race.writers)

    def write(writer: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            for number in rounds:
                line.wait(PATIENCE)
                try:
                    outcomes.append(race.run(number, writer))
                except RepositoryError as error:
                    outcomes.append(error)
        except threading.BrokenBarrierError:
            pass  # another writer's error is told, or that rounds are missing
        except BaseException:
            line.abort()
            raise
        return outcomes

    with ThreadPoolExecutor(race.writers) as threads:
        found = list(threads.map(write, range(race.writers)))
    assert all(len(each) == len(rounds) for each in found), "a writer did not come to the starting line in time"
    return [list(each) for each in zip(*found, strict=True)]


def _told(outcome: Outcome) -> str:
    if isinstance(outcome, Document):
        return f"count={outcome.count} created={outcome.created}"
    return repr(outcome)

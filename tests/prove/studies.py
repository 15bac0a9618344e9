"""A study: what is found in one generated world after the other, until its time is over."""

from __future__ import annotations

import os
import tempfile
import time
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from tests import servers
from tests.prove.parts import Outcome
from tests.prove.worlds import World, generated, opened


class Study(ABC):
    """What is found in the worlds of one run."""

    def __init__(self, deadline: float) -> None:
        self.outcome = Outcome()
        self.tally: Counter[str] = Counter()
        self._deadline = deadline

    @property
    def over(self) -> bool:
        return time.monotonic() > self._deadline

    def worlds(self, label: str, seed: int) -> Outcome:
        """Study worlds of new seeds until the time is over."""
        with ExitStack() as stack:
            urls = running(stack)
            number = 0
            while not self.over:
                name = f"{label} {seed}-{number}"
                with opened(*generated(name), *urls, f"{label}_{os.getpid()}_{number}") as world:
                    self.world(world, name)
                number += 1
        return self.outcome

    @abstractmethod
    def world(self, world: World, seed: str) -> None:
        """Study one world, and end with `tell`."""

    def tell(self) -> None:
        """A world is done: the figures."""
        self.tally["worlds"] += 1
        self.outcome.figures = dict(sorted(self.tally.items()))


def running(stack: ExitStack) -> tuple[str, str]:
    """The URLs of the servers."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diglot-prove-")))
    return (
        stack.enter_context(servers.postgres(folder / "postgres")),
        stack.enter_context(servers.mongodb(folder / "mongodb")),
    )


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(sha256(text.encode()).digest()[:7], "big")

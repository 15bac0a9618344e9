"""The parts of the proof: what `make prove` runs, each with a share of the time, and what each hands back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module


@dataclass
class Outcome:
    """What a part has found: figures to be shown (those of several workers are added up), and each difference."""

    #: Under "cases" is the number of cases, which every part has.
    figures: dict[str, float] = field(default_factory=dict)
    #: Each as text: what, and how to have it again.
    differences: list[str] = field(default_factory=list)
    #: How often each cell of the language was hit: (table, row, column) → cases. Cells of refused requests are apart.
    cells: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, other: Outcome) -> None:
        for name, value in other.figures.items():
            self.figures[name] = self.figures.get(name, 0) + value
        self.differences += other.differences
        self.cells += other.cells
        self.refused += other.refused


@dataclass(frozen=True)
class Part:
    """A part of the proof.

    `run(seconds, seed)` takes about so many seconds, and finds the servers where `tests.servers` does: the URLs are in
    the environment. `weight` is its share of the time beside the other parts'. A part that is `split` runs in every
    worker, each with another seed; any other runs once.
    """

    name: str
    title: str
    run: Callable[[float, int], Outcome]
    weight: float = 1.0
    split: bool = True


#: The modules that have a part each, as `PART`.
MODULES = (
    "tests.prove.differential",
    "tests.prove.metamorphic",
    "tests.prove.stateful",
    "tests.prove.mutants",
    "tests.hostile.fuzz",
    "tests.hostile.openapi",
)


def parts(only: list[str] | None = None) -> list[Part]:
    """The parts of these names, or all."""
    found: list[Part] = [import_module(name).PART for name in MODULES]
    return [part for part in found if not only or part.name in only]


def work(name: str, seconds: float, seed: int) -> Outcome:
    """Run a part; for a worker process, which finds this by its module."""
    (part,) = parts([name])
    begun = time.monotonic()
    outcome = part.run(seconds, seed)
    outcome.figures["seconds"] = time.monotonic() - begun
    return outcome

"""Choices of a generator: drawn by Hypothesis, which shrinks them, or from a seed, for what is too dear to shrink."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

T = TypeVar("T")


class Chance(ABC):
    """Makes choices. The plainest choice is always the first, so that what is shrunk becomes plain."""

    @abstractmethod
    def number(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""

    def pick(self, items: Sequence[T]) -> T:
        return items[self.number(0, len(items) - 1)]

    def one_in(self, count: int) -> bool:
        return self.number(1, count) == count

    def some(self, items: Sequence[T], least: int, most: int) -> list[T]:
        """Different ones of the items, in their order."""
        left = list(items)
        wanted = self.number(min(least, len(left)), min(most, len(left)))
        chosen = {left.pop(self.number(0, len(left) - 1)): None for _ in range(wanted)} if wanted else {}
        return [item for item in items if item in chosen]


class Seeded(Chance):
    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)


class Drawn(Chance):
    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return low if low == high else self._draw(_numbers(low, high))


@cache
def _numbers(low: int, high: int) -> SearchStrategy[int]:
    return st.integers(low, high)

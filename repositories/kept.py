"""What is compiled from the shape of a selection, and kept: found by identity first, by hash for equals."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

from repositories.query import Selection

_Compiled = TypeVar("_Compiled")


class Kept(Generic[_Compiled]):
    """A compiler that keeps what it has compiled for so many shapes.

    Hashing a shape takes longer than all else that is done here; who keeps shapes is spared it.
    """

    def __init__(self, compile_shape: Callable[[Selection], _Compiled], size: int) -> None:
        self._equal = lru_cache(size)(compile_shape)
        self._same: dict[int, tuple[Selection, _Compiled]] = {}
        self._size = size

    def __call__(self, shape: Selection) -> _Compiled:
        """What was compiled from this shape."""
        kept = self._same.get(id(shape))
        if kept is not None and kept[0] is shape:
            return kept[1]
        compiled = self._equal(shape)
        if len(self._same) >= self._size:
            self._same.clear()
        self._same[id(shape)] = (shape, compiled)
        return compiled

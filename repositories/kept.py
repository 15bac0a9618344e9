"""What is compiled from the shape of a query, and kept: found by identity first, by hash for equals."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar

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


class KeptParts(Generic[_Compiled]):
    """The same for a shape of several parts, as writes have them."""

    def __init__(self, compile_parts: Callable[..., _Compiled], size: int) -> None:
        self._equal = lru_cache(size)(compile_parts)
        self._same: dict[tuple[int, ...], tuple[tuple[Any, ...], _Compiled]] = {}
        self._size = size

    def __call__(self, *parts: Any) -> _Compiled:
        """What was compiled from these parts."""
        identity = tuple(map(id, parts))
        # The parts are kept with it, so that nothing else can have their identities meanwhile.
        kept = self._same.get(identity)
        if kept is not None:
            return kept[1]
        compiled = self._equal(*parts)
        if len(self._same) >= self._size:
            self._same.clear()
        self._same[identity] = (parts, compiled)
        return compiled

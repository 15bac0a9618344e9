"""A mutant: one mistake in one build, planted by a patch of the real code while that build is at work."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from typing import Any

from repositories.kept import Kept, KeptParts
from tests.prove.worlds import Request


@dataclass(frozen=True)
class Mutant:
    """A build of the service with a mistake, over one store; the builds over the others are good."""

    #: What is wrong.
    name: str
    #: The store that it stands on.
    side: str
    #: The mistake, each time that it is planted.
    patches: tuple[AbstractContextManager[Any], ...]
    #: The catalog of the world in which it is looked for first.
    world: str
    #: Whether it shows in writes, with reads between them, rather than in reads of the first records.
    writes: bool = False
    #: The mistake is in the schema: the world is one of its own.
    schema: bool = False
    #: That world is empty at first, since its records would be refused.
    empty: bool = False
    #: The requests that depend on it find this mutant early.
    salt: str = "a"
    #: Requests that come before those generated, where these would take too long to come to the point.
    directed: tuple[Request, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.side})"

    @contextmanager
    def planted(self) -> Iterator[None]:
        with ExitStack() as stack:
            for patch in self.patches:
                stack.enter_context(patch)
            yield


def forget_compiled() -> None:
    """Forget what good code and bad code have compiled for all repositories of this process.

    What is kept without bounds depends on no query.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith(("repositories.", "service.")):
            for kept in vars(module).values():
                if type(kept) is _lru_cache_wrapper and kept.cache_parameters()["maxsize"] is not None:
                    kept.cache_clear()
                elif isinstance(kept, Kept | KeptParts):
                    kept._equal.cache_clear()
                    kept._same.clear()

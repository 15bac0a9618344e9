"""The service with idempotency keys that do not keep their promise, to see that the ledger's audit finds it out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from flask import Response

from repositories.base import Repository
from service import cli, idempotency
from service.idempotency import _fingerprint, _Keeper

#: `none`: the key is ignored. `separate`: the answer is kept in a transaction of its own, after the one of the effect.
KINDS = ("none", "separate")
#: Seconds between the two, so that it takes less luck to see what comes of it.
GAP = 0.03


def _without_key(self: _Keeper, key: str, view: Callable[[], Response]) -> Response:
    return view()


def _separate(self: _Keeper, key: str, view: Callable[[], Response]) -> Response:
    repository: Repository = self._repository
    fingerprint = _fingerprint()
    known = repository.transact(lambda transaction: self._known(transaction, key, fingerprint))
    if known is not None:
        return known
    response = view()
    time.sleep(GAP)
    repository.transact(lambda transaction: self._keep(transaction, key, fingerprint, response))
    return response


# Here, and not under the guard below, since a worker may import this module anew.
_WAYS = {"none": _without_key, "separate": _separate}
if (kind := os.environ.get("LEDGER_BROKEN", "")) in _WAYS:
    idempotency._Keeper.answer = _WAYS[kind]  # type: ignore[method-assign]

if __name__ == "__main__":
    cli.main()

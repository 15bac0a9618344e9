"""Whether a contender answers as Diglot does, found out before it is timed."""

from __future__ import annotations

import csv
import json
import time

from bench import client
from bench.contenders import Contender
from bench.dialects.base import MADE, plain
from bench.templates import Store
from bench.works import INSERT, NDJSON, ONE, STREAMED, UPSERT, Kind, Request, Work

#: The answers of the first contender, by store, work and number of the request.
Answers = dict[tuple[str, str], object]
_SAMPLES = 12
#: Seconds without a further record after which nothing of the work before is under way any more, and at the most.
_QUIET, _PATIENCE = 0.3, 10.0


class DifferentError(Exception):
    """The answer is not what the first contender gave, or is not what the work asks for."""


def check(
    contender: Contender,
    work: Work,
    requests: list[Request],
    *,
    port: int,
    counter: int,
    store: Store,
    database: str,
    known: Answers,
) -> None:
    """Compare some answers. Raises `DifferentError`, `HttpError` and `OSError`."""
    if work.kind is Kind.STREAM:
        found: object = _stream(port, requests[0], work)
    elif work.records:
        before = _settled(store, database, contender.dialect.table)
        client.body(port, requests[0], counter=counter)
        found = store.written(database, contender.dialect.table) - before
        if found != work.records:
            raise DifferentError(f"{found} records were written")
    else:
        found = [_answer(contender, work, request, port, counter) for request in _some(requests)]
    reference = known.setdefault((contender.backend, work.name), found)
    made = contender.dialect.made + (MADE if work in {INSERT, UPSERT} else ())
    if plain(reference, made) != plain(found, made):
        raise DifferentError(f"it answers otherwise: {_first(plain(reference, made), plain(found, made))}")


def _some(requests: list[Request]) -> list[Request]:
    return requests[:: max(1, len(requests) // _SAMPLES)][:_SAMPLES]


def _answer(contender: Contender, work: Work, request: Request, port: int, counter: int) -> object:
    """The answer; of a write, the record as it is read afterwards."""
    body = client.body(port, request, counter=counter)
    if work.kind is not Kind.WRITE:
        return contender.dialect.answer(work, body)
    back = contender.dialect.back(request, json.loads(body))
    return contender.dialect.answer(ONE, client.body(port, back))


def _settled(store: Store, database: str, table: str) -> int:
    """How many records there are once no more come: a service goes on with requests whose clients have left."""
    deadline = time.monotonic() + _PATIENCE
    written = store.written(database, table)
    while True:
        time.sleep(_QUIET)
        now = store.written(database, table)
        if now == written or time.monotonic() > deadline:
            return now
        written = now


def _stream(port: int, request: Request, work: Work) -> object:
    body = client.body(port, request)
    lines = body.splitlines()
    if len(lines) != STREAMED + (work is not NDJSON):
        raise DifferentError(f"{len(lines)} lines came")
    if work is NDJSON:
        return [plain(json.loads(line)) for line in lines[:: STREAMED // _SAMPLES]]
    # Lists, objects and instants have no one form in CSV.
    rows = csv.DictReader([lines[0].decode(), *(line.decode() for line in lines[1 :: STREAMED // _SAMPLES])])
    return [[row[name] for name in ("id", "sku", "name")] for row in rows]


def _first(expected: object, found: object) -> str:
    """Where two answers begin to differ."""
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return next((_first(*pair) for pair in zip(expected, found, strict=True) if pair[0] != pair[1]), "")
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name) != found.get(name):
                return f"{name}: {_first(expected.get(name), found.get(name))}"
    return f"{str(found)[:300]} instead of {str(expected)[:300]}"

"""The steps of a walk through a world: a request, or two at once, made for the records that there are by then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tests.prove.chance import Seeded
from tests.prove.changes import body_of
from tests.prove.reads import Draft
from tests.prove.requests import API, Cell, Maker
from tests.prove.rivals import Rivals
from tests.prove.worlds import ORACLE, Request, World

_KINDS = ["write", "write", "write", "race", "race", "again", "stale", "bulk", "aimed"]
#: Records of a long body.
_MANY = (3, 10, 40)


@dataclass(frozen=True)
class Step:
    """Requests that are sent at once; the turn tells what the service and the stores make up meanwhile."""

    turn: int
    kind: str
    requests: tuple[Request, ...]

    @property
    def is_race(self) -> bool:
        return len(self.requests) > 1

    def __str__(self) -> str:
        return "\n>>> at the same time\n".join(map(str, self.requests))

    def as_data(self) -> list[Any]:
        """For a replay."""
        return [self.turn, self.kind, [[each.method, each.path, each.headers,
                None if each.body is None else each.body.decode("latin-1")] for each in self.requests]]  # fmt: skip

    @classmethod
    def of(cls, found: list[Any]) -> Step:
        turn, kind, requests = found
        return cls(turn, kind, tuple(
            Request(method, path, tuple(map(tuple, headers)), None if body is None else body.encode("latin-1"))
            for method, path, headers, body in requests
        ))  # fmt: skip


class Steps:
    """Makes the steps of one walk."""

    def __init__(self, world: World, seed: str) -> None:
        self._world, self._seed = world, seed
        #: Requests with an Idempotency-Key, and entity tags that records have had.
        self._keyed: list[Request] = []
        self._tags: list[tuple[str, str]] = []

    def make(self, turn: int) -> tuple[Step, tuple[Cell, ...]]:
        """The next step, and the cells of the language that it is in."""
        state = self._world.stores[ORACLE].repository.state  # type: ignore[attr-defined]
        records = {resource.name: state[resource.name] for resource in self._world.catalog.public}
        maker = Maker(self._world, Seeded(f"{self._seed} {turn}"), records)
        kind = maker.chance.pick(_KINDS)
        match kind:
            case "race":
                name, pair = Rivals(maker).pair()
                kind, requests = f"race: {name}", tuple(map(self._world.resolved, pair))
            case "again" if self._keyed:
                requests = (maker.chance.pick(self._keyed),)
            case "stale" if self._tags:
                requests = (self._stale(maker),)
            case "bulk":
                requests = (_bulk(maker),)
            case "aimed":
                requests = (self._aimed(maker),)
            case _:
                kind, requests = "write", (self._world.resolved(maker.write().request),)
        self._remember(maker, requests)
        return Step(turn, kind, requests), tuple(dict.fromkeys(maker.cells.hit))

    def _remember(self, maker: Maker, requests: tuple[Request, ...]) -> None:
        self._keyed += [each for each in requests if any(name == "Idempotency-Key" for name, _ in each.headers)]
        resource = maker.chance.pick(list(maker.catalog))
        if maker.records[resource.name] and maker.chance.one_in(4):
            path = f"{API}/{resource.name}/{maker.key(resource)}"
            tag = dict(self._world.answer(ORACLE, Request("GET", path)).headers).get("ETag")
            if tag is not None:
                self._tags.append((path, tag))

    def _stale(self, maker: Maker) -> Request:
        """A write under the condition that the record is as it was some time ago."""
        path, tag = maker.chance.pick(self._tags)
        resource = maker.catalog[path.split("/")[2]]
        name = maker.chance.pick(["If-Match", "If-Match", "If-None-Match"])
        if maker.chance.one_in(3):
            return Request("DELETE", path, ((name, tag),))
        draft = Draft()
        body = maker.changes.update(resource, draft, item=True)
        headers = {**draft.headers, name: tag, "Content-Type": body.type}
        query = draft.query()
        return Request("PATCH", path + (f"?{query}" if query else ""), tuple(headers.items()), body.text.encode())

    def _aimed(self, maker: Maker) -> Request:
        """A write of a record that there is, often with a key, so that it can be repeated."""
        resource, rivals = maker.chance.pick(list(maker.catalog)), Rivals(maker)
        request = self._world.resolved(rivals.write(resource, rivals.key(resource)))
        if maker.chance.one_in(2):
            key = f'"{self._seed} {maker.chance.number(1, 10**6)}"'
            request = replace(request, headers=(*request.headers, ("Idempotency-Key", key)))
        return request


def _bulk(maker: Maker) -> Request:
    """Many records in one body, which is read in pieces; one of the last may be there already."""
    chance, rivals = maker.chance, Rivals(maker)
    resource = chance.pick(list(maker.catalog))
    keys = [rivals.new_key(resource) if number else rivals.key(resource) for number in range(chance.pick(_MANY))]
    keys = [*dict.fromkeys(keys)][:: chance.pick([1, -1])]
    rows = rivals.records(resource, keys)
    names = list(rows[0])
    form = chance.pick(["ndjson", "csv", "array"])
    body = body_of(form, names, rows, resource)
    prefer = chance.pick(["return=minimal", "resolution=ignore-duplicates", "resolution=merge-duplicates"])
    headers = (("Content-Type", body.type), ("Prefer", prefer))
    return Request("POST", f"{API}/{resource.name}", headers, body.text.encode())

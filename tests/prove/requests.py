"""Generated requests: reads and writes in every form, one in ten with a mistake in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from repositories.schema import Resource
from service.keys import format_key
from service.planner.relations import Relations
from tests.prove.chance import Chance, Drawn
from tests.prove.changes import Body, Changes
from tests.prove.reads import Draft, Reads, key_value
from tests.prove.worlds import CURRENT_TAG, Records, Request, World

API = "/api"
ACCEPTS = [
    "application/json", "text/csv", "application/x-ndjson", "application/vnd.pgrst.object+json",
    "application/json;nulls=stripped", "application/vnd.pgrst.array+json;nulls=stripped", "*/*", "text/*",
    "application/x-ndjson;nulls=stripped", "application/vnd.pgrst.object+json;nulls=stripped",
    "text/csv;q=0.1, */*;q=0.2", "application/json;q=0", "image/png", "application/vnd.pgrst.plan+json",
]  # fmt: skip
_RANGES = ["0-1", "1-", "0-0", "2-3", "5-2", "0-1000", "x", "-1"]
#: Characters that mean something in the language.
_SIGNS = "().,:*!->\"{}'&=%+\\ []$"
Cell = tuple[str, str, str]


@dataclass(frozen=True)
class Asked:
    """A request, and the cells of the language that it is in."""

    request: Request
    cells: tuple[Cell, ...]


class Maker:
    """Makes the requests of one world."""

    def __init__(self, world: World, chance: Chance, records: Records | None = None) -> None:
        self.chance, self.records = chance, world.records if records is None else records
        self.catalog = world.catalog.public
        self.reads = Reads(chance, Relations(self.catalog), self.records)
        self.changes = Changes(self.reads)
        self.cells = self.reads.cells

    def read(self) -> Asked:
        resource, draft = self.chance.pick(list(self.catalog)), Draft()
        kind = self.chance.pick(["collection"] * 6 + ["item", "head", "options"])
        path = f"{API}/{resource.name}"
        if kind == "item":
            self.reads.select(resource, draft)
            path += f"/{self.key(resource)}"
            self._conditions(draft, ("If-None-Match",), 4)
        elif kind != "options":
            self.reads.collection(resource, draft)
            if self.chance.one_in(8):
                draft.headers["Range"] = self.chance.pick(_RANGES)
            if self.chance.one_in(3):
                draft.headers["Prefer"] = self.chance.pick(["count=exact", "count=planned", "count=estimated"])
        method = {"head": "HEAD", "options": "OPTIONS"}.get(kind, "GET")
        self._accept(draft)
        for name, value in draft.headers.items():
            self.cells.add("reads", f"{name}: {value}"[:60], f"{method} {kind if kind == 'item' else ''}".strip())
        self.cells.add("reads", "plain", f"{method} {kind if kind == 'item' else ''}".strip())
        return self._finished(method, path, draft, None)

    def write(self) -> Asked:
        chance = self.chance
        resource, draft = chance.pick(list(self.catalog)), Draft()
        kind = chance.pick(["POST", "POST", "POST", "PATCH item", "PATCH", "PUT", "DELETE item", "DELETE", "batch"])
        if kind == "batch":
            return self._batch()
        path, body = f"{API}/{resource.name}", None
        if "item" in kind or kind == "PUT":
            key = key_value(resource, chance, self.records)
            path += f"/{format_key(resource, key)}"
        match kind.split():
            case ["POST"]:
                body = self.changes.insert(resource, draft)
            case ["PATCH", *item]:
                body = self.changes.update(resource, draft, item=bool(item))
            case ["PUT"]:
                body = self.changes.replace(resource, draft, key)
            case ["DELETE", *item]:
                self.changes.delete(resource, draft, item=bool(item))
        if "/" in path.removeprefix(f"{API}/"):
            self._conditions(draft, ("If-Match", "If-None-Match"), 3, verb=kind)
        self._accept(draft, rarity=8)
        if chance.one_in(12):
            draft.headers["Idempotency-Key"] = f"k{chance.number(1, 4)}"
            self.cells.add("writes", "Idempotency-Key", kind)
        if chance.one_in(6):
            self.cells.add("writes", f"Accept: {draft.headers.get('Accept', '')}"[:60], kind)
        return self._finished(kind.split()[0], path, draft, body)

    def key(self, resource: Resource) -> str:
        """Of a record, mostly of one that is there, as it stands in a path."""
        return format_key(resource, key_value(resource, self.chance, self.records))

    def _conditions(self, draft: Draft, names: tuple[str, ...], rarity: int, verb: str = "GET item") -> None:
        if self.chance.one_in(rarity):
            name = self.chance.pick(names)
            draft.headers[name] = self.chance.pick([CURRENT_TAG, '"x"', "*", f"W/{CURRENT_TAG}", '"x", "y"'])
            self.cells.add("writes" if verb != "GET item" else "reads", f"{name}: {draft.headers[name]}", verb)

    def _accept(self, draft: Draft, rarity: int = 3) -> None:
        if self.chance.one_in(rarity):
            draft.headers["Accept"] = self.chance.pick(ACCEPTS)

    def _batch(self) -> Asked:
        """Operations that mostly succeed; the later ones may refer to the first one's result."""
        chance = self.chance
        operations = []
        for number in range(chance.pick([2, 1, 3])):
            resource, draft = chance.pick(list(self.catalog)), Draft()
            kind = chance.pick(["POST", "GET", "PATCH", "DELETE"])
            operation: dict[str, object] = {"method": kind, "path": f"{API}/{resource.name}"}
            body: Body | None = None
            if kind == "GET":
                self.reads.collection(resource, draft)
            elif kind == "POST":
                body = self.changes.insert(resource, draft)
                while body.type != "application/json":
                    body = self.changes.insert(resource, draft := Draft())
            else:
                operation["path"] = f"{operation['path']}/{self.key(resource)}"
                if kind == "PATCH":
                    body = self.changes.update(resource, draft, item=True)
                else:
                    self.changes.delete(resource, draft, item=True)
            if draft.parameters:
                operation["path"] = f"{operation['path']}?{draft.query()}"
            headers = dict(draft.headers)
            if body is not None:
                operation["body"] = _loaded(body.text)
                headers["Content-Type"] = body.type
            if headers:
                operation["headers"] = headers
            if number and chance.one_in(4) and isinstance(operation.get("body"), dict):
                field = chance.pick(list(resource.fields))
                operation["body"] = {**operation["body"], field: {"$result": f"/0/body/0/{field}"}}  # type: ignore[dict-item]
            operations.append(operation)
            self.changes.note("batch", kind)
        text = json.dumps(operations, ensure_ascii=False)
        return self._finished("POST", f"{API}/_batch", Draft(), Body(text))

    def _finished(self, method: str, path: str, draft: Draft, body: Body | None) -> Asked:
        query = draft.query()
        headers = dict(draft.headers)
        data = None
        if body is not None:
            headers["Content-Type"] = body.type
            data = body.text.encode()
        request = Request(method, path + (f"?{query}" if query else ""), tuple(headers.items()), data)
        if self.chance.one_in(10):
            request = self._mistaken(request)
        return Asked(request, tuple(dict.fromkeys(self.cells.hit)))

    def _mistaken(self, request: Request) -> Request:
        name = self.chance.pick(list(MISTAKES))
        self.cells.add("mistakes", name, request.method)
        return MISTAKES[name](self.chance, request)


def _loaded(text: str) -> object:
    """Numbers keep their digits only where Python has them; that will do for batches."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _scribbled(chance: Chance, text: str) -> str:
    """The text with a character too many, too few, or another one."""
    place = chance.number(0, len(text))
    sign = quote(chance.pick(_SIGNS + "aA0é\0"), safe=_SIGNS)
    return text[:place] + chance.pick([sign + text[place:], text[place + 1 :], sign + text[place + 1 :]])


def _query(change: Callable[[Chance, str], str]) -> Callable[[Chance, Request], Request]:
    def mistaken(chance: Chance, request: Request) -> Request:
        path, _, query = request.path.partition("?")
        return replace(request, path=f"{path}?{change(chance, query)}")

    return mistaken


def _added(*parameters: str) -> Callable[[Chance, Request], Request]:
    return _query(lambda chance, query: "&".join(filter(None, [query, chance.pick(parameters)])))


def _headed(*headers: tuple[str, str]) -> Callable[[Chance, Request], Request]:
    def mistaken(chance: Chance, request: Request) -> Request:
        name, value = chance.pick(headers)
        kept = tuple(each for each in request.headers if each[0] != name)
        return replace(request, headers=(*kept, (name, value)))

    return mistaken


def _body(chance: Chance, request: Request) -> Request:
    if not request.body:
        return replace(request, body=chance.pick([b"", b"{", b"x"]))
    text = request.body.decode()
    place = chance.number(0, len(text))
    changed = chance.pick(
        [text[:place], text[:place] + chance.pick('{}[]",:0x') + text[place:], text + text, "5", "null"]
    )
    return replace(request, body=changed.encode())


def _path(chance: Chance, request: Request) -> Request:
    path, mark, query = request.path.partition("?")
    changed = chance.pick(
        [path + "x", path + "/", path + "/a,b,c", path + '/"', path + "/%FF", path.lower(), path + "/%00"]
    )
    return replace(request, path=changed + mark + query)


MISTAKES: dict[str, Callable[[Chance, Request], Request]] = {
    "scribbled query": _query(_scribbled),
    "cut query": _query(lambda chance, query: query[: chance.number(0, len(query))]),
    "unknown column": _added("nosuch=eq.1", "select=nosuch", "order=nosuch", "nosuch.x=eq.1", "columns=nosuch"),
    "unknown operator": _query(lambda _, query: re.sub(r"=(not\.)?[a-z]+", r"=\1foo", query, count=1) or "id=foo.1"),
    "bad value": _added("id=eq.%00", "id=gt.x", "id=in.(", "id=eq(any).x", "id=is.maybe", "id=like.%5C", "id=match.["),
    "bad page": _added("limit=-1", "limit=abc", "offset=-4", "limit=1&limit=2", "limit=99999999999999999999"),
    "unknown embed": _added("select=nosuch(id)", "nosuch.limit=1", "order=nosuch(id)", "select=...nosuch(id)"),
    "bad cast": _added("select=id::foo", "select=id::", "select=id.foo()", "select=id::uuid::text"),
    "bad tree": _added("or=()", "or=(id.eq.1", "and=(or(and(id.is.null)))", "not.or=id.eq.1", "or=(id)"),
    "bad escape": _added("id=eq.%FF", "id=eq.%ZZ", "%C0%AF=eq.1"),
    "bad header": _headed(
        ("Accept", "image/png"), ("Prefer", "handling=strict, foo=bar"), ("Content-Type", "text/plain"),
        ("Content-Encoding", "gzip"), ("If-Match", "x"), ("If-None-Match", '"'), ("Accept-Profile", "nosuch"),
        ("Range", "9-1"), ("Content-Type", "application/json; charset=utf-16"), ("Idempotency-Key", "a b"),
    ),
    "bad body": _body,
    "bad path": _path,
    "other method": lambda chance, request: replace(
        request, method=chance.pick(["PUT", "PATCH", "DELETE", "POST", "TRACE"])
    ),
}  # fmt: skip


def reads(world: World) -> SearchStrategy[Asked]:
    """Requests that change nothing."""
    return _strategy(world, Maker.read)


def writes(world: World) -> SearchStrategy[Asked]:
    """Requests that may change what is stored."""
    return _strategy(world, Maker.write)


def _strategy(world: World, make: Callable[[Maker], Asked]) -> SearchStrategy[Asked]:
    @st.composite
    def drawn(draw: DrawFn) -> Asked:
        return make(Maker(world, Drawn(draw)))

    return drawn()

"""Requests as bytes: seeds from the documentation and from the tables of bad input, and what is made of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from tests.docs.examples import PAGES, examples

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Case:
    """A request: the target is a path with its query, the way it stands in the first line."""

    method: str
    target: bytes
    headers: Headers = ()
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.target!r} {dict(self.headers)} {self.body[:2000]!r}"


METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")
#: Headers that the service reads, each with values that it may understand.
HEADERS: Final[dict[str, tuple[bytes, ...]]] = {
    "Accept": (
        b"*/*",
        b"text/csv",
        b"application/x-ndjson",
        b"application/vnd.pgrst.object+json",
        b"application/vnd.pgrst.array+json;nulls=stripped",
        b'application/vnd.pgrst.plan+json;for="x";options=analyze',
        b"text/*;q=0.5, application/json;q=0",
        b";q=,",
    ),
    "Content-Type": (
        b"application/json",
        b"text/csv",
        b"application/x-ndjson",
        b"application/merge-patch+json",
        b'application/json; charset="utf-8"',
        b"a/b;c=",
    ),
    "Prefer": (
        b"return=representation, count=exact",
        b"return=minimal",
        b"return=headers-only",
        b"resolution=merge-duplicates, missing=null",
        b"resolution=ignore-duplicates",
        b"handling=strict, max-affected=1",
        b"count=planned, timezone=Europe/Berlin",
        b'a;b="c, d", e=',
    ),
    "Range": (b"0-1", b"2-", b"-", b"5-2", b"99999999999999999999-"),
    "Range-Unit": (b"items", b"bytes"),
    "If-Match": (b"*", b'"x"', b'W/"x", "y"', b'"'),
    "If-None-Match": (b"*", b'"x"', b""),
    "Idempotency-Key": (b'"k"', b"k", b'"k\\"', b"\x7f"),
    "Accept-Profile": (b"public", b"x"),
    "Content-Encoding": (b"identity", b"gzip"),
    "Host": (b"x", b"evil:99999", b"[::", b""),
    "X-Forwarded-For": (b"1, 2",),
}
#: What is put in and left out: the marks of the languages spoken, and values at their edges.
WORDS: Final = """
( ) { } [ ] , . : ; = & ? / \\ " ' * % ! | ~ + - -> ->> :: ... $ # @ ^ < > %00 %FF %ZZ %2C %22 %C0%AF %D1%95
eq. neq. gt. lt. like. ilike. match. imatch. in.( is.null is.unknown isdistinct. cs.{ cd.{ ov.{ not. not.not.
eq(any).{ like(all).{ and=( or=( not.and=( .and(or( select= order= limit= offset= columns= on_conflict= count()
!inner !left !x .asc .desc .nullsfirst .sum() .avg() .max() ::text ::int4 ::date :x: ...x( (*) true null NaN
1e400 -0 9223372036854775808 1e-7000 0x1 1_000 2026-02-30 infinity ١ {"a":1} [1,2] [[ {"$ne":null} "" NULL
{"$result":"/0/body"} ${/0/body/0/id} \\u0000 \\ud800 é İ ß \u0301 \U0001f600 _batch _id __proto__
id name price tags attributes category_id
"""
TOKENS: Final = (
    *(word.encode() for word in WORDS.split()),
    *(b"\0", b"\xff", b"\xc3", b"\r\n", b"\t", b" "),
    *(b"(" * 40, b"{" * 70, b"[" * 300, b"a" * 300, b"," * 120),
)
#: Paths and queries that no example has.
_MORE: Final = (
    b"/", b"/api", b"/api/", b"/docs", b"/openapi.json", b"/health", b"/api/_batch", b"/api/products/1,2", b"/api/nope",
    b"/api/products?and=(id.gt.1,or(name.like.*a*,price.lt.5))", b"/api/products?select=name,price::text,category(*)",
    b"/api/products?select=count(),price.sum()", b"/api/products?attributes->>colour=eq.red&order=attributes->a.desc",
    b"/api/products?name=match.^(a+)+$", b"/api/products?id=in.(1,2,\"3\")", b"/api/products?tags=cs.{a,b}",
)  # fmt: skip
_BATCH: Final = (
    b'[{"id":"a","method":"POST","path":"/api/categories","body":{"name":"z"}},'
    b'{"method":"GET","path":"/api/categories/${/0/body/0/id}","headers":{"Accept":"*/*"}}]'
)


def seeds() -> list[Case]:
    """Every example of the documentation, and some more."""
    found = [
        Case(
            example.method,
            quote(example.path, safe="%/?:@!$&'()*+,;=[]~").encode(),
            tuple((name, value.encode()) for name, value in example.headers.items()),
            example.data.encode(),
        )
        for page in PAGES
        for example in examples(page)
    ]
    found += [Case("GET", target) for target in _MORE]
    found.append(Case("POST", b"/api/_batch", (("Content-Type", b"application/json"),), _BATCH))
    return found


class Mutator:
    """Makes cases of seeds, the same ones for the same number."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)
        self._seeds = seeds()
        assert len(self._seeds) > 100

    def case(self) -> Case:
        """A seed with one to a dozen changes."""
        case = self._random.choice(self._seeds)
        for _ in range(self._random.choice((1, 1, 2, 3, 5, 12))):
            case = self._changed(case)
        return case

    def _changed(self, case: Case) -> Case:
        match self._random.randrange(10):
            case 0:
                return replace(case, method=self._random.choice(METHODS))
            case 1 | 2:
                return replace(case, headers=self._headers(case.headers))
            case 3 | 4 | 5 if case.body:
                return replace(case, body=self._bytes(case.body, [each.body for each in self._seeds]))
            case 6:
                other = self._random.choice(self._seeds)
                return replace(case, body=other.body, headers=other.headers)
        return replace(case, target=b"/" + self._target(case.target)[1:])

    def _target(self, target: bytes) -> bytes:
        path, mark, query = target.partition(b"?")
        others = [each.target.partition(b"?")[2] for each in self._seeds]
        if self._random.random() < 0.15:
            path = self._bytes(path, [each.target.partition(b"?")[0] for each in self._seeds])
        elif not mark or self._random.random() < 0.1:
            query = b"&".join(filter(None, (query, self._random.choice(others))))
        else:
            query = self._bytes(query, others)
        changed = path + b"?" + query
        # What the server would not take for a target, it would refuse itself.
        return bytes(each for each in changed if each > 32 and each != 127)

    def _headers(self, headers: Headers) -> Headers:
        found = dict(headers)
        name = self._random.choice([*found, *HEADERS])
        values = HEADERS.get(name, (b"",))
        match self._random.randrange(3):
            case 0:
                found.pop(name, None)
            case 1:
                found[name] = self._random.choice(values)
            case _:
                found[name] = self._bytes(found.get(name, self._random.choice(values)), values)
        return tuple(found.items())

    def _bytes(self, data: bytes, others: Sequence[bytes]) -> bytes:
        start, end = sorted(self._random.randrange(len(data) + 1) for _ in range(2))
        end = min(end, start + 40)
        match self._random.randrange(9):
            case 0:
                return data[:start] + data[end:]
            case 1:
                return data[:start] + self._random.choice(TOKENS) + data[start:]
            case 2:
                return data[:start] + self._random.choice(TOKENS) + data[end:]
            case 3:
                return data[:start] + data[start:end] * self._random.choice((2, 3, 15)) + data[end:]
            case 4:
                other = self._random.choice(others)
                return data[:start] + other[self._random.randrange(len(other) + 1) :]
            case 5:
                return data[:start]
            case 6:
                return data[:start] + bytes(self._random.randrange(256) for _ in range(1 + start % 4)) + data[end:]
            case 7:
                flipped = bytearray(data)
                for place in range(start, min(end, start + 2)):
                    flipped[place] ^= 1 << self._random.randrange(8)
                return bytes(flipped)
        return data[:start] + b"%%%02X" % self._random.randrange(256) + data[end:]

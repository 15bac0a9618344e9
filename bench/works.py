"""The kinds of work that are timed, and the requests that they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

#: In a path or body: replaced by another number of as many digits each time the request is sent.
COUNTER = "@@@@@@@@@@"
#: What the `sku` of every record that a run writes begins with, so that it can be found and removed.
WRITTEN = "BENCH"
BULK = 1000
LOTS = 100_000
STREAMED = 100_000


class Kind(Enum):
    """What a work does to the data, and how it is timed."""

    READ = "read"
    WRITE = "write"
    STREAM = "stream"


@dataclass(frozen=True)
class Work:
    """One kind of request.

    `open_rate`: also timed at a fixed rate. `quick`: part of a short run. `long`: sent one after the other, since a
    single one may take longer than a run lasts. `records` is how many records a request writes, if many.
    """

    name: str
    kind: Kind
    open_rate: bool = False
    quick: bool = False
    long: bool = False
    records: int = 0


ONE = Work("one by id", Kind.READ, open_rate=True, quick=True)
LIST = Work("list of 20", Kind.READ, open_rate=True, quick=True)
TO_ONE = Work("20 with a to-one embed", Kind.READ)
TO_MANY = Work("order with its lines", Kind.READ)
GROUPS = Work("grouped aggregate", Kind.READ)
COUNT = Work("exact count", Kind.READ)
INSERT = Work("insert one", Kind.WRITE, open_rate=True, quick=True)
INSERT_MANY = Work("bulk insert 1,000", Kind.WRITE, long=True, records=BULK)
INSERT_LOTS = Work("bulk insert 100,000", Kind.WRITE, long=True, records=LOTS)
CHANGE = Work("PATCH one", Kind.WRITE)
UPSERT = Work("upsert one", Kind.WRITE)
NDJSON = Work("100,000 rows as NDJSON", Kind.STREAM)
CSV = Work("100,000 rows as CSV", Kind.STREAM)

WORKS = (ONE, LIST, TO_ONE, TO_MANY, GROUPS, COUNT, CHANGE, INSERT, UPSERT, INSERT_MANY, INSERT_LOTS, NDJSON, CSV)
STREAMS = (NDJSON, CSV)


@dataclass(frozen=True)
class Request:
    """One HTTP request; the path is relative to the service, and encoded."""

    path: str
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def raw(self, port: int) -> bytes:
        """As it is sent, on a connection that is kept open."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        if self.body and "Content-Type" not in self.headers:
            lines.append("Content-Type: application/json")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Keys:
    """What can be asked for: keys of records that are there."""

    products: list[str]
    categories: list[int]
    orders: list[int]


def new_product(sku: str) -> dict[str, object]:
    """A record to be written, all but its key and its time."""
    return {
        "sku": sku,
        "name": "Nordlicht Espresso Maker Studio 31",
        "description": "Made in small numbers, to be repaired and not to be replaced.",
        "price": 149.95,
        "weight": 2.75,
        "stock": 120,
        "views": 4711,
        "active": True,
        "tags": ["new", "gift"],
        "attributes": {"colour": "grey", "size": {"width": 30, "height": 42, "unit": "cm"}},
        "released": "2024-05-17",
        "category_id": 20,
    }


def new_products(count: int = BULK) -> list[dict[str, object]]:
    """The records of a bulk insert."""
    return [new_product(f"{WRITTEN}{COUNTER}{number:05}") for number in range(count)]

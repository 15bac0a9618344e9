"""The data of a run: an embedded server with the demonstration's shop on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repositories.base import Limits
from repositories.connect import connect, embedded
from service import catalog
from service.demo.seed import seed
from service.demo.shop import Shop as Records

MEMORY_MIB = 1024
RESOURCES = Path("service/demo/shop.yaml")


@dataclass(frozen=True)
class Shop:
    """A loaded store: where it is, and keys to ask for."""

    url: str
    products: list[str]
    categories: list[int]
    customers: int


@contextmanager
def loaded(backend: str, folder: Path, products: int) -> Iterator[Shop]:
    """The shop on a fresh embedded server, while the context lasts."""
    records = Records(products)
    with embedded(backend, folder, MEMORY_MIB) as server:
        with connect(backend, server.url, catalog.load(RESOURCES), Limits(statement_timeout=60)) as repository:
            repository.apply_schema()
            seed(repository, records, lambda _name, _count: lambda _done: None)
            fields = list(repository.catalog["products"].fields)
        rows = next(iter([part.rows() for part in records.parts if part.resource == "products"]))
        categories = sorted({row[fields.index("category_id")] for row in rows})
        step = max(1, products // 2000)
        keys = [str(records.product_id(number)) for number in range(0, products, step)]
        yield Shop(server.url, keys, categories, records.customers)

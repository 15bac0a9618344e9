"""Which violation is named where several rules are broken: the same one from every store, by every verb."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from repositories.errors import RepositoryError
from repositories.query import Row
from repositories.schema import Value
from repositories.writes import Insert, Write
from tests.contract import queries
from tests.contract.port import Desk, Port, told
from tests.contract.queries import Walked, eq
from tests.contract.samples import product

Record = dict[str, Value]
Refused = Callable[[Write], RepositoryError]
NAMES = [*product(0), "category_id"]


def rows_of(*records: Record) -> list[Row]:
    return [tuple(record.get(name) for name in NAMES) for record in records]


def bulk(port: Port, *records: Record) -> Insert:
    return queries.bulk(port.catalog, "products", NAMES, rows_of(*records))


def streamed(port: Port, *records: Record) -> Insert:
    rows = rows_of(*records)
    return queries.bulk(port.catalog, "products", NAMES, Walked(lambda: iter(rows)))


def upserted(port: Port, *records: Record) -> Insert:
    """By a set in which the rows are in conflict with nothing."""
    conflict = queries.conflict(port.catalog, "products", "id", merge=["name"])
    return queries.bulk(port.catalog, "products", NAMES, rows_of(*records), conflict=conflict)


#: What breaks several rules of the shop below, and the fields of the one that is named.
BROKEN: dict[str, tuple[Record, tuple[str, ...]]] = {
    "key, unique": (product(1, sku="SKU-2", name="x"), ("id",)),
    "key, reference": (product(1, sku="NEW", category_id=99), ("id",)),
    "key, both unique sets, reference": (product(1, sku="SKU-2", name="product 2", category_id=1), ("id",)),
    "unique, reference": (product(7, sku="SKU-2", category_id=99), ("sku",)),
    "both unique sets": (product(7, sku="SKU-2", name="product 1", category_id=1), ("sku",)),
    "second unique set": (product(7, sku="NEW", name="product 1", category_id=1), ("category_id", "name")),
    "reference": (product(7, sku="NEW", category_id=99), ("category_id",)),
}
#: Each verb that can break such rules, and the row that its error names.
VERBS: dict[str, tuple[Callable[[Port, Record], Write], int | None]] = {
    "insert": (bulk, 0),
    "insert of many": (lambda port, record: bulk(port, product(50), record, product(51)), 1),
    "insert of a stream": (lambda port, record: streamed(port, product(50), record, product(51)), 1),
    "upsert": (lambda port, record: upserted(port, product(50), record), 1),
    "replace": (lambda port, record: queries.replace(port.catalog, "products", record), None),
    "update": (lambda port, record: queries.update(port.catalog, "products", record, eq("sku", "SKU-5")), None),
}
#: Verbs that find their record by the key, and so cannot break it.
BY_KEY = ("upsert", "replace")


@pytest.fixture
def shop(port: Port) -> Port:
    port.insert("categories", {"id": 1, "name": "a"})
    port.insert("products", *(product(number, category_id=1) for number in (1, 2, 5)))
    return port


@pytest.fixture(params=["alone", "in a transaction"])
def refused(request: pytest.FixtureRequest, shop: Port) -> Refused:
    """Carries the write out, and gives the error that it ends in."""

    def within(write: Write) -> RepositoryError:
        def work(desk: Desk) -> None:
            desk.insert("staff", {"name": "x"})
            desk.write(write)

        before = shop.everything()
        with pytest.raises(RepositoryError) as caught:
            shop.transact(work)
        assert shop.everything() == before
        return caught.value

    return shop.refused if request.param == "alone" else within


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("broken", BROKEN)
def test_by_every_verb(shop: Port, refused: Refused, verb: str, broken: str) -> None:
    record, fields = BROKEN[broken]
    write, row = VERBS[verb]
    if verb in BY_KEY and fields == ("id",):
        record = {**record, "id": UUID(int=7)}
        fields = ("category_id",) if broken == "key, reference" else ("sku",)
    if verb == "update" and broken == "second unique set":
        record = {name: record[name] for name in ("name", "category_id")}
    error = refused(write(shop, record))
    assert told(error) == ("23503" if fields == ("category_id",) else "23505", "products", fields, row)


#: Several rows, each of which breaks a rule, and the row and the fields that are named.
MANY: dict[str, tuple[list[Record], int, tuple[str, ...]]] = {
    "a reference, then a unique set": ([product(7, category_id=99), product(8, sku="SKU-1")], 1, ("sku",)),
    "a reference, then a key": ([product(7, category_id=99), product(8), product(1, sku="NEW")], 2, ("id",)),
    "a unique set, then a key": ([product(7, sku="SKU-1"), product(1, sku="NEW")], 0, ("sku",)),
    "the second set, then the first": (
        [product(7, name="product 1", category_id=1), product(8, sku="SKU-1")],
        0,
        ("category_id", "name"),
    ),
    "a key within, then one that is stored": ([product(7), product(7, sku="NEW"), product(1, sku="X")], 1, ("id",)),
    "one that is stored, then a key within": ([product(1, sku="X"), product(7), product(7, sku="N")], 0, ("id",)),
    "two references": ([product(7, category_id=98), product(8, category_id=99)], 0, ("category_id",)),
}


@pytest.mark.parametrize("insert", [bulk, streamed])
@pytest.mark.parametrize("rows", MANY)
def test_of_several_rows(shop: Port, refused: Refused, insert: Callable[..., Insert], rows: str) -> None:
    records, row, fields = MANY[rows]
    error = refused(insert(shop, *records))
    assert told(error) == ("23503" if fields == ("category_id",) else "23505", "products", fields, row)


class TestOfSeveralReferences:
    @pytest.fixture
    def catalog_name(self) -> str:
        return "studio"

    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_one_declared_first(self, port: Port, rows: int) -> None:
        bad = {"id": 9, "title": "x", "director_id": 77, "writer_id": 78}
        good = [{"id": number, "title": "x", "director_id": None, "writer_id": None} for number in range(rows - 1)]
        error = port.refused(queries.insert(port.catalog, "films", *good, bad))
        assert told(error) == ("23503", "films", ("director_id",), rows - 1)

    def test_the_first_row(self, port: Port) -> None:
        """A row's place counts for more than where its reference is declared."""
        rows = [{"id": 1, "title": "x", "director_id": None, "writer_id": 77}]
        rows.append({"id": 2, "title": "y", "director_id": 78, "writer_id": None})
        error = port.refused(queries.insert(port.catalog, "films", *rows))
        assert told(error) == ("23503", "films", ("writer_id",), 0)

    @pytest.mark.parametrize("verb", ["replace", "update", "merge"])
    def test_of_other_verbs(self, port: Port, verb: str) -> None:
        film: Record = {"id": 1, "title": "x", "director_id": 77, "writer_id": 78}
        port.insert("films", {"id": 1, "title": "x"})
        merge = queries.conflict(port.catalog, "films", "id", merge=["writer_id", "director_id"])
        writes: dict[str, Write] = {
            "replace": queries.replace(port.catalog, "films", film),
            "update": queries.update(port.catalog, "films", {"writer_id": 78, "director_id": 77}, eq("id", 1)),
            "merge": queries.insert(port.catalog, "films", film, conflict=merge),
        }
        error = port.refused(writes[verb])
        assert told(error)[:3] == ("23503", "films", ("director_id",))

"""What is peculiar to MongoDB's many rows: batches in one transaction, and duplicates that are looked up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pymongo import MongoClient

from repositories.base import Limits
from repositories.errors import (
    CardinalityViolation,
    ConstraintError,
    ReferenceViolation,
    UniqueViolation,
)
from repositories.mongo import inserting
from repositories.mongo.references import References
from repositories.mongo.repository import MongoRepository
from repositories.mongo.transactions import Again
from repositories.query import Row
from repositories.writes import Conflict, Insert, Write
from tests.catalogs import shop
from tests.contract import queries
from tests.servers import with_database

DATABASE = "diglot_test_bulk"
CATALOG = shop()
BATCH = 10
#: Both unique sets of the first product.
BOTH = {"sku": "S-1", "name": "1", "category_id": 1}


class Streamed:
    """Rows that are no sequence, and how often they have been walked."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        self.walks = 0

    def __iter__(self) -> Iterator[Row]:
        self.walks += 1
        return iter(self._rows)


@pytest.fixture
def database(mongodb_url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(DATABASE)
        yield client[DATABASE]
        client.drop_database(DATABASE)


@pytest.fixture
def repository(mongodb_url: str, database: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MongoRepository]:
    monkeypatch.setattr(inserting, "BATCH", BATCH)
    with MongoRepository(with_database(mongodb_url, DATABASE), CATALOG, Limits()) as repository:
        repository.apply_schema()
        yield repository


def staff(*rows: tuple[int, int | None], merge: bool = False) -> Insert:
    """Streamed rows of people with their managers."""
    resource = CATALOG["staff"]
    names = ("id", "name", "manager_id")
    fields = tuple(resource.fields[name] for name in names)
    conflict = Conflict(fields[:1], fields[1:2]) if merge else None
    return Insert(resource, fields, Streamed([(key, f"{key}", boss) for key, boss in rows]), conflict=conflict)


def product(number: int, **changes: Any) -> dict[str, Any]:
    row = {"id": UUID(int=number), "sku": f"S-{number}", "name": f"{number}", "price": Decimal(1), "category_id": None}
    return row | changes


def refused(repository: MongoRepository, write: Write) -> ConstraintError:
    with pytest.raises(ConstraintError) as caught:
        repository.write(write)
    return caught.value


def test_references_among_the_rows_of_all_batches(repository: MongoRepository, database: Any) -> None:
    """Everybody's manager comes in another batch, later or earlier."""
    rows = [(number, (number + 17) % 50) for number in range(50)]
    assert repository.write(staff(*rows)).count == 50
    assert database.staff.count_documents({}) == 50


def test_the_first_row_that_refers_to_nothing(repository: MongoRepository, database: Any) -> None:
    rows: list[tuple[int, int | None]] = [(number, None) for number in range(50)]
    rows[23], rows[41] = (23, 1000), (41, 2000)
    error = refused(repository, staff(*rows))
    assert isinstance(error, ReferenceViolation)
    assert error.row == 23
    assert database.staff.count_documents({}) == 0


def test_a_duplicate_comes_before_a_reference(repository: MongoRepository, database: Any) -> None:
    rows = [(3, 1000), *((number, None) for number in range(40))]
    error = refused(repository, staff(*rows))
    assert isinstance(error, UniqueViolation)
    assert error.row == 4
    assert database.staff.count_documents({}) == 0


def test_a_record_of_an_earlier_batch_is_not_merged_into(repository: MongoRepository, database: Any) -> None:
    rows = [*((number, None) for number in range(40)), (3, None)]
    assert isinstance(refused(repository, staff(*rows, merge=True)), CardinalityViolation)
    assert database.staff.count_documents({}) == 0


def numbered() -> Insert:
    """Streamed categories, whose keys are numbers of a sequence."""
    resource = CATALOG["categories"]
    return Insert(resource, (resource.fields["name"],), Streamed([(f"{number}",) for number in range(25)]))


@pytest.mark.parametrize("transacted", [False, True])
def test_another_attempt_takes_the_same_numbers(
    repository: MongoRepository, database: Any, monkeypatch: pytest.MonkeyPatch, *, transacted: bool
) -> None:
    """They tell nobody how often it was tried; and those of another request are others."""
    failures = iter([Again(), Again()])
    check = References.check

    def failing(self: References) -> None:
        for failure in failures:
            raise failure
        check(self)

    monkeypatch.setattr(References, "check", failing)
    repository.transact(lambda t: t.write(numbered())) if transacted else repository.write(numbered())
    assert database.categories.distinct("_id") == [*range(1, 26)]
    assert next(failures, None) is None
    assert repository.write(queries.insert(CATALOG, "categories", {"name": "x"})).key == (26,)


@pytest.fixture
def reversed_indexes(repository: MongoRepository, database: Any) -> None:
    """The unique set that is declared first is the index that the server meets last."""
    index = database.products.index_information()["products_sku_key"]
    database.products.drop_index("products_sku_key")
    partial = index.get("partialFilterExpression")
    options = {} if partial is None else {"partialFilterExpression": partial}
    database.products.create_index(index["key"], name="products_sku_key", unique=True, **options)


@pytest.mark.usefixtures("reversed_indexes")
class TestWhichIsNamed:
    """A row that breaks both of its unique sets breaks the one that is declared first."""

    @pytest.fixture(autouse=True)
    def _there(self, repository: MongoRepository) -> None:
        repository.write(queries.insert(CATALOG, "categories", {"id": 1, "name": "a"}))
        repository.write(queries.insert(CATALOG, "products", product(1, category_id=1), product(2, category_id=1)))

    @pytest.mark.parametrize("transacted", [False, True])
    @pytest.mark.parametrize(
        ("write", "row"),
        [
            (queries.insert(CATALOG, "products", product(9, **BOTH)), 0),
            (queries.insert(CATALOG, "products", product(8), product(9, **BOTH), product(8)), 1),
            (queries.insert(CATALOG, "products", *map(product, range(10, 40)), product(9, **BOTH)), 30),
            (queries.replace(CATALOG, "products", product(9, **BOTH)), None),
            (queries.replace(CATALOG, "products", product(2, **BOTH)), None),
            (queries.update(CATALOG, "products", BOTH, queries.eq("id", UUID(int=2))), None),
            (queries.update(CATALOG, "products", {"sku": "S-1", "name": "1"}, queries.eq("id", UUID(int=2))), None),
            (queries.update(CATALOG, "products", {"sku": "S-1", "name": "1"}, queries.eq("sku", "S-2")), None),
        ],
    )
    def test_it(self, repository: MongoRepository, write: Write, row: int | None, *, transacted: bool) -> None:
        carry_out = repository.write if not transacted else lambda write: repository.transact(lambda t: t.write(write))
        with pytest.raises(UniqueViolation) as caught:
            carry_out(write)
        assert (caught.value.fields, caught.value.row) == (("sku",), row)

    def test_what_the_transaction_has_written_itself(self, repository: MongoRepository) -> None:
        def work(executor: Any) -> None:
            executor.write(queries.insert(CATALOG, "products", product(5, category_id=1)))
            twice = product(6, sku="S-5", name="5", category_id=1)
            executor.write(queries.insert(CATALOG, "products", twice))

        with pytest.raises(UniqueViolation) as caught:
            repository.transact(work)
        assert caught.value.fields == ("sku",)

    def test_a_merge(self, repository: MongoRepository) -> None:
        insert = queries.insert(CATALOG, "products", product(2, **BOTH))
        fields = CATALOG["products"].fields
        conflict = Conflict((fields["id"],), (fields["sku"], fields["name"], fields["category_id"]))
        error = refused(repository, replace(insert, conflict=conflict))
        assert error.fields == ("sku",)


def test_rows_take_what_others_let_go(repository: MongoRepository) -> None:
    """Rows are carried out in their order where that matters."""
    repository.write(queries.insert(CATALOG, "products", product(1), product(2)))
    fields = CATALOG["products"].fields
    conflict = Conflict((fields["id"],), (fields["sku"],))
    freed = queries.insert(CATALOG, "products", product(1, sku="FREE"), product(3, sku="S-1"))
    assert repository.write(replace(freed, conflict=conflict)).count == 2
    too_soon = queries.insert(CATALOG, "products", product(4, sku="S-2"), product(2, sku="LATE"))
    error = refused(repository, replace(too_soon, conflict=conflict))
    assert (error.fields, error.row) == (("sku",), 0)

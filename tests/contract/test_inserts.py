"""Insert: one and many, all or nothing; what is left out; unique sets and their nulls; numbers of a sequence."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from repositories.errors import NotNullViolation, UniqueViolation, ValueOutOfRange
from repositories.schema import Value
from repositories.writes import Insert
from tests.contract import queries
from tests.contract.port import Port, decoded, told
from tests.contract.samples import product

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def test_fields_left_out_are_null(port: Port) -> None:
    """Defaults are the planner's: the port puts in nothing of its own."""
    written = port.insert("products", product(1), returning=["stock", "active", "tags", "created_at"])
    assert decoded(written) == [{"stock": None, "active": None, "tags": None, "created_at": None}]
    [record] = port.find("products")
    assert record == dict.fromkeys(record) | product(1)


def test_what_an_insert_gives_back(port: Port) -> None:
    one = port.insert("products", product(1), returning=["name", "sku"])
    assert (one.body, one.count, one.key) == (b'[{"name":"product 1","sku":"SKU-1"}]', 1, (UUID(int=1),))
    silent = port.insert("products", product(2))
    assert (silent.body, silent.count, silent.key) == (b"", 1, (UUID(int=2),))
    many = port.insert("products", *(product(number) for number in (5, 3, 4)), returning=["sku"])
    assert (many.body, many.count) == (b'[{"sku":"SKU-5"},{"sku":"SKU-3"},{"sku":"SKU-4"}]', 3)
    assert port.column("products", "sku") == ["SKU-1", "SKU-2", "SKU-3", "SKU-4", "SKU-5"]


def test_inserting_nothing(port: Port) -> None:
    assert port.insert("products").count == 0
    nothing = port.insert("products", returning=["sku"])
    assert (nothing.body, nothing.count) == (b"[]", 0)
    assert port.find("products") == []


def test_a_thousand_at_once_in_their_order(port: Port) -> None:
    numbers = [number * 7919 % 1000 for number in range(1000)]
    written = port.insert("products", *(product(number) for number in numbers), returning=["sku"])
    assert [record["sku"] for record in decoded(written)] == [f"SKU-{number}" for number in numbers]
    assert port.count("products") == 1000


class TestAtomicity:
    """Of a bulk insert, everything is stored or nothing, and the row at fault is named."""

    @pytest.mark.parametrize("size", [3, 1500])
    @pytest.mark.parametrize("place", ["first", "middle", "last"])
    def test_a_duplicate_of_a_stored_record(self, port: Port, size: int, place: str) -> None:
        port.insert("products", product(9999, sku="TAKEN"))
        bad = {"first": 0, "middle": size // 2, "last": size - 1}[place]
        rows = [product(number, sku="TAKEN" if number == bad else f"SKU-{number}") for number in range(size)]
        error = port.refused(queries.insert(port.catalog, "products", *rows))
        assert isinstance(error, UniqueViolation)
        assert told(error) == ("23505", "products", ("sku",), bad)

    def test_a_duplicate_within(self, port: Port) -> None:
        rows = [product(1), product(2), product(3, sku="SKU-1"), product(4)]
        error = port.refused(queries.insert(port.catalog, "products", *rows))
        assert told(error) == ("23505", "products", ("sku",), 2)

    def test_a_key_that_occurs_twice_within(self, port: Port) -> None:
        error = port.refused(queries.insert(port.catalog, "products", product(1), product(2), product(1, sku="X")))
        assert told(error) == ("23505", "products", ("id",), 2)

    def test_a_dangling_reference(self, port: Port) -> None:
        port.insert("categories", {"id": 1, "name": "a"})
        rows = [product(number, category_id=7 if number == 2 else 1) for number in range(4)]
        error = port.refused(queries.insert(port.catalog, "products", *rows))
        assert told(error) == ("23503", "products", ("category_id",), 2)

    def test_a_required_field(self, port: Port) -> None:
        rows = [product(number, name=None if number == 1 else f"name {number}") for number in range(3)]
        error = port.refused(queries.insert(port.catalog, "products", *rows))
        assert isinstance(error, NotNullViolation)
        assert told(error) == ("23502", "products", ("name",), 1)


class TestUnique:
    """Keys and unique sets, of one field or more: null collides with nothing."""

    def test_the_primary_key(self, port: Port) -> None:
        port.insert("products", product(1))
        error = port.refused(queries.insert(port.catalog, "products", product(1, sku="OTHER")))
        assert isinstance(error, UniqueViolation)
        assert error.message == 'duplicate key value violates unique constraint "products_pkey"'
        assert error.details == "Key (id) already exists."
        assert error.fields == ("id",)

    def test_one_field(self, port: Port) -> None:
        port.insert("products", product(1))
        error = port.refused(queries.insert(port.catalog, "products", product(2, sku="SKU-1")))
        assert error.message == 'duplicate key value violates unique constraint "products_sku_key"'
        assert error.details == "Key (sku) already exists."
        assert (error.code, error.fields, error.resource) == ("23505", ("sku",), "products")

    def test_text_is_unique_by_code_point(self, port: Port) -> None:
        names = ["é", "e\u0301", "E", "e", "e ", "", "ß", "ss", "İ", "i"]
        port.insert("categories", *({"name": name} for name in names))
        assert port.column("categories", "name") == names
        for name in names:
            assert told(port.refused(queries.insert(port.catalog, "categories", {"name": name})))[0] == "23505"

    def test_several_fields(self, port: Port) -> None:
        port.insert("categories", {"id": 1, "name": "a"}, {"id": 2, "name": "b"})
        port.insert("products", product(1, category_id=1, name="x"))
        port.insert("products", product(2, category_id=2, name="x"))
        port.insert("products", product(3, category_id=1, name="y"))
        error = port.refused(queries.insert(port.catalog, "products", product(4, category_id=1, name="x")))
        assert error.message == 'duplicate key value violates unique constraint "products_category_id_name_key"'
        assert error.details == "Key (category_id, name) already exists."
        assert error.fields == ("category_id", "name")

    def test_a_composite_key(self, port: Port) -> None:
        port.insert("products", product(1))
        port.insert("orders", {"id": 1, "status": "open", "placed_at": NOW})
        line: dict[str, Value] = {"order_id": 1, "position": 1, "product_id": UUID(int=1), "quantity": 1}
        port.insert("lines", line, line | {"position": 2})
        error = port.refused(queries.insert(port.catalog, "lines", line))
        assert (error.code, error.fields) == ("23505", ("order_id", "position"))
        assert error.message == 'duplicate key value violates unique constraint "lines_pkey"'

    class TestNulls:
        @pytest.fixture
        def catalog_name(self) -> str:
            return "lab"

        def test_single(self, port: Port) -> None:
            port.insert("countries", *({"code": code, "name": None} for code in "abc"))
            port.insert("countries", {"code": "d"})
            port.insert("countries", {"code": "e", "name": ""})
            assert port.count("countries") == 5
            error = port.refused(queries.insert(port.catalog, "countries", {"code": "f", "name": ""}))
            assert error.fields == ("name",)

        def test_composite(self, port: Port) -> None:
            pairs = [(None, None), (None, None), ("a", None), ("a", None), (None, 1), (None, 1), ("a", 1), ("a", 2)]
            port.insert("cities", *({"district": district, "number": number} for district, number in pairs))
            assert port.count("cities") == len(pairs)
            error = port.refused(queries.insert(port.catalog, "cities", {"district": "a", "number": 2}))
            assert error.fields == ("district", "number")

        def test_missing_fields(self, port: Port) -> None:
            port.insert("countries", {"code": "a"}, {"code": "b"})
            port.store.forget_nulls("countries")
            port.insert("countries", {"code": "c"})
            assert port.count("countries") == 3


class TestRequired:
    """A required field is never null, whether it is given as null or left out."""

    def test_given_as_null(self, port: Port) -> None:
        error = port.refused(queries.insert(port.catalog, "products", product(1, name=None)))
        assert isinstance(error, NotNullViolation)
        assert told(error)[:3] == ("23502", "products", ("name",))

    def test_left_out(self, port: Port) -> None:
        row = product(1)
        del row["price"]
        error = port.refused(queries.insert(port.catalog, "products", row))
        assert told(error)[:3] == ("23502", "products", ("price",))

    def test_its_words(self, port: Port) -> None:
        error = port.refused(queries.insert(port.catalog, "products", product(1, name=None)))
        assert error.message == 'null value in column "name" of relation "products" violates not-null constraint'
        assert error.details is None


class TestSequences:
    """Numbers count up from 1, are never given twice, and take no notice of numbers that are given."""

    def test_they_count_from_one(self, port: Port) -> None:
        assert port.insert("categories", {"name": "a"}).key == (1,)
        written = port.insert("categories", {"name": "b"}, {"name": "c"}, {"name": "d"}, returning=["id", "name"])
        assert written.body == b'[{"id":2,"name":"b"},{"id":3,"name":"c"},{"id":4,"name":"d"}]'
        assert port.insert("categories", {"name": "e"}).key == (5,)

    def test_a_failed_write_uses_its_number_up(self, port: Port) -> None:
        port.insert("categories", {"name": "a"})
        port.refused(queries.insert(port.catalog, "categories", {"name": "a"}))
        assert port.insert("categories", {"name": "b"}).key == (3,)

    def test_a_failed_bulk_write_gives_no_number_twice(self, port: Port) -> None:
        port.insert("categories", {"name": "a"})
        port.refused(queries.insert(port.catalog, "categories", {"name": "b"}, {"name": "c"}, {"name": "a"}))
        assert port.insert("categories", {"name": "b"}).key == (5,)

    def test_deleted_numbers_do_not_come_back(self, port: Port) -> None:
        port.insert("categories", {"name": "a"}, {"name": "b"})
        port.delete("categories")
        assert port.insert("categories", {"name": "a"}).key == (3,)

    def test_given_numbers_may_stand_in_the_way(self, port: Port) -> None:
        port.insert("categories", {"id": 1, "name": "a"}, {"id": 3, "name": "b"})
        error = port.refused(queries.insert(port.catalog, "categories", {"name": "c"}))
        assert (error.code, error.fields) == ("23505", ("id",))
        assert port.insert("categories", {"name": "c"}).key == (2,)

    def test_advancing_past_given_numbers(self, port: Port) -> None:
        port.insert("categories", {"id": 41, "name": "a"}, {"id": 7, "name": "b"})
        port.repository.advance_sequences(port.catalog["categories"])
        assert port.insert("categories", {"name": "c"}).key == (42,)

    def test_advancing_never_goes_back(self, port: Port) -> None:
        port.insert("categories", {"name": "a"}, {"name": "b"}, {"name": "c"})
        port.delete("categories", queries.gt("id", 1))
        port.repository.advance_sequences(port.catalog["categories"])
        assert port.insert("categories", {"name": "d"}).key == (4,)

    def test_advancing_where_there_is_nothing(self, port: Port) -> None:
        port.repository.advance_sequences(port.catalog["categories"])
        assert port.insert("categories", {"name": "a"}).key == (1,)
        port.repository.advance_sequences(port.catalog["products"])

    def test_negative_numbers_do_not_move_it(self, port: Port) -> None:
        port.insert("categories", {"id": -5, "name": "a"})
        port.repository.advance_sequences(port.catalog["categories"])
        assert port.insert("categories", {"name": "b"}).key == (1,)

    def test_a_sequence_that_has_run_out(self, port: Port) -> None:
        port.insert("categories", {"id": 2**63 - 1, "name": "last"})
        port.repository.advance_sequences(port.catalog["categories"])
        error = port.refused(queries.insert(port.catalog, "categories", {"name": "one more"}))
        assert isinstance(error, ValueOutOfRange)
        assert error.code == "22003"

    class TestInt32:
        @pytest.fixture
        def catalog_name(self) -> str:
            return "lab"

        def test_a_sequence_that_has_run_out(self, port: Port) -> None:
            port.insert("cities", {"id": 2**31 - 2})
            port.repository.advance_sequences(port.catalog["cities"])
            assert port.insert("cities", {"number": 1}).key == (2**31 - 1,)
            error = port.refused(queries.insert(port.catalog, "cities", {"number": 2}))
            assert (type(error), error.code) == (ValueOutOfRange, "22003")

    def test_a_record_of_nothing_but_its_number(self, port: Port) -> None:
        """`fields` may be empty: everything is the store's to fill."""
        resource = port.catalog["returns"]
        written = port.write(Insert(resource, (), [(), ()], queries.outputs(resource, ["id", "reason"])))
        assert written.body == b'[{"id":1,"reason":null},{"id":2,"reason":null}]'


def test_prices_keep_their_scale(port: Port) -> None:
    written = port.insert("products", product(1, price=Decimal("10.50")), returning=["price"])
    assert written.body == b'[{"price":10.50}]'

"""Upserts: a row whose key a record has already is merged into it, or passed over; the key may be any unique set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from repositories.base import Document
from repositories.errors import CardinalityViolation, NotNullViolation, ReferenceViolation, UniqueViolation
from repositories.schema import Value
from repositories.writes import Insert
from tests.contract import queries
from tests.contract.port import Port, decoded, told
from tests.contract.queries import eq
from tests.contract.samples import product

Row = dict[str, Value]
NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def upsert(
    port: Port, name: str, *rows: Row, on: Sequence[str], merge: Sequence[str] = (), returning: Sequence[str] = ()
) -> Insert:
    conflict = queries.conflict(port.catalog, name, *on, merge=merge)
    return queries.insert(port.catalog, name, *rows, conflict=conflict, returning=returning)


def answer(document: Document) -> tuple[Any, int, tuple[Value, ...] | None, bool]:
    return decoded(document), document.count, document.key, document.created


@pytest.fixture
def shop(port: Port) -> Port:
    port.insert("categories", {"id": 1, "name": "a"}, {"id": 2, "name": "b"})
    port.insert("products", product(1, stock=1, category_id=1), product(2, stock=2, category_id=1))
    return port


class TestMerge:
    def test_by_the_primary_key(self, shop: Port) -> None:
        row = product(1, sku="IGNORED", name="new", stock=None)
        write = upsert(shop, "products", row, on=["id"], merge=["name", "stock"], returning=["sku", "name", "stock"])
        assert answer(shop.write(write)) == (
            [{"sku": "SKU-1", "name": "new", "stock": None}], 1, (UUID(int=1),), False,
        )  # fmt: skip
        assert shop.find("products", eq("id", UUID(int=1)), ["name", "sku", "stock", "category_id"]) == [
            {"name": "new", "sku": "SKU-1", "stock": None, "category_id": 1}
        ]
        assert shop.column("products", "name") == ["new", "product 2"]

    def test_of_a_new_record(self, shop: Port) -> None:
        write = upsert(shop, "products", product(3), on=["id"], merge=["name"], returning=["sku"])
        assert answer(shop.write(write)) == ([{"sku": "SKU-3"}], 1, (UUID(int=3),), True)
        assert shop.count("products") == 3

    def test_by_a_unique_field(self, shop: Port) -> None:
        """The key told is that of the record, not of the row."""
        row = product(9, sku="SKU-2", name="new", price=Decimal("9.99"))
        write = upsert(shop, "products", row, on=["sku"], merge=["name", "price"], returning=["id", "price"])
        assert answer(shop.write(write)) == (
            [{"id": str(UUID(int=2)), "price": 9.99}], 1, (UUID(int=2),), False,
        )  # fmt: skip
        assert shop.column("products", "name") == ["product 1", "new"]

    def test_by_a_composite_set(self, shop: Port) -> None:
        row = product(9, name="product 2", category_id=1, stock=7)
        write = upsert(shop, "products", row, on=["category_id", "name"], merge=["stock"])
        assert shop.write(write).key == (UUID(int=2),)
        assert shop.column("products", "stock") == [1, 7]

    def test_a_null_is_in_conflict_with_nothing(self, shop: Port) -> None:
        shop.insert("products", product(3, name="x", category_id=None))
        rows = [product(number, name="x", category_id=None, stock=7) for number in (4, 5)]
        write = upsert(shop, "products", *rows, on=["category_id", "name"], merge=["stock"], returning=["sku"])
        assert answer(shop.write(write)) == ([{"sku": "SKU-4"}, {"sku": "SKU-5"}], 2, None, True)
        assert shop.count("products", eq("name", "x")) == 3

    def test_by_a_composite_primary_key(self, shop: Port) -> None:
        shop.insert("orders", {"id": 1, "status": "open", "placed_at": NOW})
        line = {"order_id": 1, "position": 1, "product_id": UUID(int=1), "quantity": 1}
        for quantity, created in ((2, True), (3, False)):
            write = upsert(
                shop, "lines", {**line, "quantity": quantity}, on=["order_id", "position"], merge=["quantity"]
            )
            document = shop.write(write)
            assert (document.key, document.created) == ((1, 1), created)
        assert shop.column("lines", "quantity") == [3]

    def test_several_rows_in_their_order(self, shop: Port) -> None:
        rows = [product(number, name=f"new {number}") for number in (4, 2, 3, 1)]
        write = upsert(shop, "products", *rows, on=["id"], merge=["name"], returning=["name", "stock"])
        document = shop.write(write)
        assert decoded(document) == [
            {"name": "new 4", "stock": None},
            {"name": "new 2", "stock": 2},
            {"name": "new 3", "stock": None},
            {"name": "new 1", "stock": 1},
        ]
        assert (document.count, document.key, document.created) == (4, None, True)
        again = shop.write(upsert(shop, "products", *rows, on=["id"], merge=["name"]))
        assert (again.body, again.count, again.created) == (b"", 4, False)

    def test_of_what_was_in_conflict_only(self, shop: Port) -> None:
        """The record is written, and nothing in it changes."""
        before = shop.everything()
        document = shop.write(upsert(shop, "products", product(1), on=["sku"], merge=["sku"], returning=["sku"]))
        assert answer(document) == ([{"sku": "SKU-1"}], 1, (UUID(int=1),), False)
        assert shop.everything() == before

    def test_many_of_which_half_are_there(self, shop: Port) -> None:
        shop.insert("products", *(product(number, stock=0) for number in range(10, 1000, 2)))
        rows = [product(number, stock=1) for number in range(10, 1000)]
        write = upsert(shop, "products", *reversed(rows), on=["sku"], merge=["stock"], returning=["sku"])
        document = shop.write(write)
        assert [record["sku"] for record in decoded(document)] == [f"SKU-{each}" for each in range(999, 9, -1)]
        assert shop.column("products", "stock", order="id") == [1, 2, *[1] * 990]

    def test_of_nothing_at_all(self, shop: Port) -> None:
        document = shop.write(upsert(shop, "products", on=["id"], merge=["name"], returning=["id"]))
        assert answer(document) == ([], 0, None, False)

    def test_numbers_of_a_sequence(self, shop: Port) -> None:
        shop.repository.advance_sequences(shop.catalog["categories"])
        rows: list[Row] = [{"name": name} for name in "acbd"]
        document = shop.write(upsert(shop, "categories", *rows, on=["name"], merge=["name"], returning=["id", "name"]))
        ids = [record["id"] for record in decoded(document)]
        assert (ids[0], ids[2]) == (1, 2)
        assert 2 < ids[1] < ids[3]
        one = shop.write(upsert(shop, "categories", {"name": "c"}, on=["name"], merge=["name"]))
        assert (one.key, one.created) == ((ids[1],), False)


class TestIgnore:
    @pytest.mark.parametrize("on", [["id"], ["sku"]])
    def test_one(self, shop: Port, on: list[str]) -> None:
        before = shop.everything()
        document = shop.write(upsert(shop, "products", product(1, name="new"), on=on, returning=["sku"]))
        assert answer(document) == ([], 0, None, False)
        assert shop.everything() == before
        new = shop.write(upsert(shop, "products", product(3), on=on, returning=["sku"]))
        assert answer(new) == ([{"sku": "SKU-3"}], 1, (UUID(int=3),), True)

    def test_several(self, shop: Port) -> None:
        """The answer leaves out those passed over."""
        rows = [product(number, name="new") for number in (5, 1, 3, 2, 4)]
        document = shop.write(upsert(shop, "products", *rows, on=["sku"], returning=["sku"]))
        assert answer(document) == ([{"sku": "SKU-5"}, {"sku": "SKU-3"}, {"sku": "SKU-4"}], 3, None, True)
        assert shop.column("products", "name", order="id") == ["product 1", "product 2", "new", "new", "new"]

    def test_the_first_of_several_alike(self, shop: Port) -> None:
        rows = [product(number, sku="SAME", name=f"{number}") for number in (5, 4, 3)]
        document = shop.write(upsert(shop, "products", *rows, on=["sku"], returning=["name"]))
        assert answer(document)[:2] == ([{"name": "5"}], 1)
        assert shop.column("products", "name", eq("sku", "SAME")) == ["5"]

    def test_a_null(self, shop: Port) -> None:
        rows = [product(number, name="x", category_id=None) for number in (4, 5)]
        assert shop.write(upsert(shop, "products", *rows, on=["category_id", "name"])).count == 2

    def test_what_is_passed_over_needs_no_target(self, shop: Port) -> None:
        write = upsert(shop, "products", product(1, category_id=99), on=["id"])
        assert shop.write(write).count == 0


class TestRefusals:
    @pytest.mark.parametrize("there", [True, False])
    def test_two_rows_for_one_record(self, shop: Port, there: bool) -> None:
        rows = [
            product(3),
            product(4, sku="SKU-1" if there else "SKU-X"),
            product(5, sku="SKU-1" if there else "SKU-X"),
        ]
        error = shop.refused(upsert(shop, "products", *rows, on=["sku"], merge=["name"]))
        assert isinstance(error, CardinalityViolation)
        assert (error.code, error.message) == ("21000", "ON CONFLICT DO UPDATE command cannot affect row a second time")

    @pytest.mark.parametrize("merge", [[], ["name"]])
    @pytest.mark.parametrize("rows", [1, 3])
    def test_another_unique_set(self, shop: Port, merge: list[str], rows: int) -> None:
        """Only the set asked for is looked at; any other has to be free."""
        good = [product(number) for number in range(10, 9 + rows)]
        error = shop.refused(upsert(shop, "products", *good, product(9, sku="SKU-1"), on=["id"], merge=merge))
        assert isinstance(error, UniqueViolation)
        assert told(error) == ("23505", "products", ("sku",), rows - 1)
        error = shop.refused(upsert(shop, "products", *good, product(1, sku="NEW"), on=["sku"], merge=merge))
        assert told(error) == ("23505", "products", ("id",), rows - 1)

    def test_a_merge_into_what_another_has(self, shop: Port) -> None:
        error = shop.refused(upsert(shop, "products", product(1, sku="SKU-2"), on=["id"], merge=["sku"]))
        assert told(error) == ("23505", "products", ("sku",), 0)

    @pytest.mark.parametrize("number", [1, 9])
    @pytest.mark.parametrize("merge", [[], ["stock"], ["name"]])
    def test_required(self, shop: Port, number: int, merge: list[str]) -> None:
        """Every row must be fit to be inserted, also where it is merged or passed over."""
        row = product(number, name=None, stock=1)
        error = shop.refused(upsert(shop, "products", product(8, stock=1), row, on=["id"], merge=merge))
        assert isinstance(error, NotNullViolation)
        assert told(error) == ("23502", "products", ("name",), 1)
        del row["name"]
        error = shop.refused(upsert(shop, "products", row, on=["id"], merge=merge))
        assert told(error)[:3] == ("23502", "products", ("name",))


class TestReferences:
    def test_kept_or_changed(self, shop: Port) -> None:
        """Whether the record refers to the same as the row, to another, or to nothing."""
        fields = ["name", "category_id"]
        for category, name in ((1, "same"), (2, "other"), (2, "same again")):
            row = product(1, name=name, category_id=category)
            document = shop.write(upsert(shop, "products", row, on=["sku"], merge=fields, returning=fields))
            assert answer(document) == ([{"name": name, "category_id": category}], 1, (UUID(int=1),), False)
            assert shop.find("products", eq("id", UUID(int=1)), fields) == [{"name": name, "category_id": category}]
        dangling = upsert(shop, "products", product(1, category_id=9), on=["sku"], merge=fields)
        assert isinstance(shop.refused(dangling), ReferenceViolation)
        assert shop.column("products", "category_id", order="id") == [2, 1]

    def test_changed_by_a_merge(self, shop: Port) -> None:
        good = upsert(shop, "products", product(1, category_id=2), on=["id"], merge=["category_id"])
        assert shop.write(good).count == 1
        assert shop.column("products", "category_id", order="id") == [2, 1]
        rows = [product(3, category_id=1), product(2, category_id=99), product(1, category_id=1)]
        error = shop.refused(upsert(shop, "products", *rows, on=["id"], merge=["category_id"]))
        assert isinstance(error, ReferenceViolation)
        assert told(error) == ("23503", "products", ("category_id",), 1)

    def test_not_changed_by_a_merge(self, shop: Port) -> None:
        """A reference that is not merged is not looked at."""
        write = upsert(shop, "products", product(1, category_id=99, name="new"), on=["id"], merge=["name"])
        assert shop.write(write).count == 1

    def test_a_merged_key_that_is_referred_to(self, shop: Port) -> None:
        rows: list[Row] = [{"id": 7, "name": "b"}, {"id": 8, "name": "a"}]
        error = shop.refused(upsert(shop, "categories", *rows, on=["name"], merge=["id"]))
        assert isinstance(error, ReferenceViolation)
        assert error.message.startswith('update or delete on "categories" violates foreign key constraint')
        document = shop.write(upsert(shop, "categories", rows[0], on=["name"], merge=["id"], returning=["id"]))
        assert answer(document) == ([{"id": 7}], 1, (7,), False)
        assert shop.column("categories", "id") == [1, 7]

    class TestInTheLab:
        @pytest.fixture
        def catalog_name(self) -> str:
            return "lab"

        def test_a_merged_set_that_is_referred_to(self, port: Port) -> None:
            port.insert("countries", {"code": "a", "name": "A"}, {"code": "b", "name": "B"})
            port.insert("cities", {"country_name": "A"})
            error = port.refused(upsert(port, "countries", {"code": "a", "name": "X"}, on=["code"], merge=["name"]))
            assert isinstance(error, ReferenceViolation)
            for code, name in (("a", "A"), ("b", "X"), ("b", None)):
                port.write(upsert(port, "countries", {"code": code, "name": name}, on=["code"], merge=["name"]))

        def test_rows_that_refer_to_one_another(self, port: Port) -> None:
            port.insert("links", {"id": 1, "next_id": None}, {"id": 2, "next_id": 1})
            rows: list[Row] = [{"id": 1, "next_id": 3}, {"id": 4, "next_id": 3}, {"id": 3, "next_id": 4}]
            port.write(upsert(port, "links", *rows, on=["id"], merge=["next_id"]))
            assert port.column("links", "next_id") == [3, 1, 4, 3]

        def test_a_key_of_every_kind(self, port: Port) -> None:
            reading = {
                "station": "s", "day": NOW.date(), "moment": NOW, "level": Decimal("1.50"), "device": UUID(int=1),
                "good": True, "value": 1.0,
            }  # fmt: skip
            key = port.catalog["readings"].primary_key
            for value, created in ((1.0, True), (2.0, False)):
                document = port.write(upsert(port, "readings", {**reading, "value": value}, on=key, merge=["value"]))
                assert (document.key, document.created) == (tuple(reading[name] for name in key), created)
            assert port.column("readings", "value") == [2.0]

        def test_records_that_lack_fields(self, port: Port) -> None:
            port.insert("cities", {"district": "d", "number": None}, {"district": "d", "number": 1})
            port.store.forget_nulls("cities")
            rows: list[Row] = [{"district": "d", "number": number, "country_name": None} for number in (None, 1)]
            document = port.write(upsert(port, "cities", *rows, on=["district", "number"], merge=["country_name"]))
            assert (document.count, document.created) == (2, True)
            assert port.count("cities") == 3


def test_in_a_transaction(shop: Port) -> None:
    """A row meets what the transaction has written, and not what it has deleted."""

    def work(desk: Any) -> list[bool]:
        desk.insert("products", product(3))
        desk.delete("products", eq("id", UUID(int=1)))
        conflict = queries.conflict(shop.catalog, "products", "id", merge=["name"])
        return [desk.insert("products", product(number), conflict=conflict).created for number in (1, 2, 3)]

    assert shop.transact(work) == [True, False, False]
    assert shop.count("products") == 3

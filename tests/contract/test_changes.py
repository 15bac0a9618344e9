"""Replace, Update and Delete: what they change, what they leave, what they give back; and conditional writes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from repositories.base import representation_tag
from repositories.errors import NotNullViolation, PreconditionFailed, UniqueViolation
from repositories.schema import Value
from repositories.writes import Expectation, Write
from tests.contract import queries
from tests.contract.port import Port, decoded, told
from tests.contract.queries import eq, gt, lt, neq, null, within
from tests.contract.samples import product

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


class TestReplace:
    def test_creates(self, port: Port) -> None:
        written = port.replace("products", product(1, stock=5), returning=["sku", "stock", "tags"])
        assert (written.created, written.count, written.key) == (True, 1, (UUID(int=1),))
        assert written.body == b'[{"sku":"SKU-1","stock":5,"tags":null}]'

    def test_replaces(self, port: Port) -> None:
        port.insert("products", product(1, stock=5, tags=["a"]), product(2, stock=6, tags=["b"]))
        written = port.replace("products", product(1, name="new"), returning=["name", "stock", "tags"])
        assert (written.created, written.count, written.key) == (False, 1, (UUID(int=1),))
        assert written.body == b'[{"name":"new","stock":5,"tags":["a"]}]'
        assert port.column("products", "name") == ["new", "product 2"]

    def test_gives_nothing_back_unless_asked(self, port: Port) -> None:
        assert port.replace("products", product(1)).body == b""
        assert port.replace("products", product(1)).body == b""

    def test_initial_values_are_for_a_new_record_only(self, port: Port) -> None:
        for stock in (1, 2):
            port.replace("products", product(1), initial={"stock": stock, "tags": ["first"]})
        assert [(each["stock"], each["tags"]) for each in port.find("products")] == [(1, ["first"])]

    def test_nulls_are_values(self, port: Port) -> None:
        port.insert("products", product(1, stock=5))
        port.replace("products", product(1, stock=None))
        assert port.column("products", "stock") == [None]

    def test_only_what_is_there_where_create_is_forbidden(self, port: Port) -> None:
        nothing = port.replace("products", product(1), create=False, returning=["sku"])
        assert (nothing.body, nothing.count, nothing.created, nothing.key) == (b"[]", 0, False, None)
        assert port.find("products") == []
        port.insert("products", product(1))
        assert port.replace("products", product(1, name="new"), create=False).count == 1
        assert port.column("products", "name") == ["new"]

    def test_of_nothing_but_the_key(self, port: Port) -> None:
        for created in (True, False):
            written = port.replace("returns", {"id": 5}, returning=["id", "reason"])
            assert (written.created, written.body) == (created, b'[{"id":5,"reason":null}]')

    def test_composite_keys(self, port: Port) -> None:
        port.insert("products", product(1))
        port.insert("orders", {"id": 1, "status": "open", "placed_at": NOW})
        line: dict[str, Value] = {"order_id": 1, "position": 2, "product_id": UUID(int=1), "quantity": 1}
        assert port.replace("lines", line).created
        assert not port.replace("lines", line | {"quantity": 9}).created
        assert port.find("lines") == [line | {"quantity": 9}]

    def test_a_given_number_is_kept(self, port: Port) -> None:
        assert port.replace("categories", {"id": 10, "name": "a"}).key == (10,)
        assert port.insert("categories", {"name": "b"}).key == (1,)

    def test_unique(self, port: Port) -> None:
        port.insert("products", product(1), product(2))
        for row in (product(2, sku="SKU-1"), product(3, sku="SKU-1")):
            error = port.refused(queries.replace(port.catalog, "products", row))
            assert isinstance(error, UniqueViolation)
            assert told(error)[:3] == ("23505", "products", ("sku",))

    def test_required(self, port: Port) -> None:
        port.insert("products", product(1))
        row = product(2)
        del row["name"]
        for each in (product(1, name=None), product(2, name=None), row):
            error = port.refused(queries.replace(port.catalog, "products", each))
            assert isinstance(error, NotNullViolation)
            assert told(error)[:3] == ("23502", "products", ("name",))
        assert port.replace("products", {"id": UUID(int=1), "sku": "NEW"}).count == 1


class TestUpdate:
    @pytest.fixture
    def three(self, port: Port) -> Port:
        port.insert("products", *(product(number, stock=number) for number in (1, 2, 3)))
        return port

    def test_changes_those_that_meet_the_condition(self, three: Port) -> None:
        written = three.update("products", {"stock": 9, "tags": ["x"]}, gt("stock", 1))
        assert (written.body, written.count) == (b"", 2)
        assert three.column("products", "stock") == [1, 9, 9]
        assert three.column("products", "tags") == [None, ["x"], ["x"]]

    def test_what_it_gives_back(self, three: Port) -> None:
        written = three.update("products", {"active": True}, returning=["sku", "active"], order="stock.desc")
        assert written.body == (
            b'[{"sku":"SKU-3","active":true},{"sku":"SKU-2","active":true},{"sku":"SKU-1","active":true}]'
        )
        assert three.update("products", {"active": True}, eq("stock", 7), returning=["sku"]).body == b"[]"

    def test_its_answer_is_in_the_order_of_what_was_written(self, three: Port) -> None:
        three.update("products", {"stock": None}, eq("stock", 2))
        written = three.update("products", {"views": 1}, returning=["sku"], order="stock.nullsfirst")
        assert [each["sku"] for each in decoded(written)] == ["SKU-2", "SKU-1", "SKU-3"]

    def test_of_nothing(self, three: Port) -> None:
        before = three.find("products")
        written = three.update("products", {"stock": 9}, null("stock"))
        assert (written.body, written.count) == (b"", 0)
        assert three.find("products") == before

    def test_without_changes(self, three: Port) -> None:
        written = three.update("products", {}, gt("stock", 1), returning=["sku"])
        assert (written.body, written.count) == (b'[{"sku":"SKU-2"},{"sku":"SKU-3"}]', 2)

    def test_that_changes_nothing_counts_all_the_same(self, three: Port) -> None:
        assert three.update("products", {"stock": 1}, eq("stock", 1)).count == 1

    def test_of_what_its_condition_is_about(self, three: Port) -> None:
        written = three.update("products", {"stock": 0}, gt("stock", 1), returning=["stock"])
        assert written.body == b'[{"stock":0},{"stock":0}]'

    def test_null_and_back(self, three: Port) -> None:
        three.update("products", {"stock": None})
        assert three.column("products", "stock") == [None] * 3
        three.store.forget_nulls("products")
        assert three.update("products", {"stock": 4}, null("stock")).count == 3
        assert three.column("products", "stock") == [4] * 3

    def test_the_key(self, three: Port) -> None:
        written = three.update("products", {"id": UUID(int=9)}, eq("stock", 1), returning=["id", "sku"])
        assert written.body == b'[{"id":"00000000-0000-0000-0000-000000000009","sku":"SKU-1"}]'
        assert three.column("products", "sku") == ["SKU-2", "SKU-3", "SKU-1"]
        error = three.refused(queries.update(three.catalog, "products", {"id": UUID(int=9)}, eq("stock", 2)))
        assert told(error) == ("23505", "products", ("id",), None)

    def test_the_key_of_many(self, three: Port) -> None:
        error = three.refused(queries.update(three.catalog, "products", {"id": UUID(int=9)}))
        assert told(error) == ("23505", "products", ("id",), None)

    def test_unique(self, three: Port) -> None:
        one = three.refused(queries.update(three.catalog, "products", {"sku": "SKU-1"}, eq("stock", 2)))
        assert told(one) == ("23505", "products", ("sku",), None)
        many = three.refused(queries.update(three.catalog, "products", {"sku": "NEW"}))
        assert told(many) == ("23505", "products", ("sku",), None)
        assert three.update("products", {"sku": "SKU-1"}, eq("stock", 1)).count == 1

    def test_required(self, three: Port) -> None:
        error = three.refused(queries.update(three.catalog, "products", {"name": None}, gt("stock", 1)))
        assert isinstance(error, NotNullViolation)
        assert told(error) == ("23502", "products", ("name",), None)

    def test_part_of_a_composite_key(self, port: Port) -> None:
        port.insert("products", product(1))
        port.insert("orders", {"id": 1, "status": "open", "placed_at": NOW})
        line: dict[str, Value] = {"order_id": 1, "product_id": UUID(int=1), "quantity": 1}
        port.insert("lines", line | {"position": 1}, line | {"position": 2})
        port.update("lines", {"position": 3, "quantity": 5}, eq("position", 1))
        assert [(each["position"], each["quantity"]) for each in port.find("lines")] == [(2, 1), (3, 5)]

    def test_every_kind_of_value(self, three: Port) -> None:
        changes: dict[str, Value] = {
            "price": Decimal("12.30"),
            "attributes": {"$set": {"a.b": 1}, "": None},
            "notes": ["$stock", {"$inc": 1}],
            "tags": [],
            "name": "$sku",
        }
        three.update("products", changes, eq("stock", 1))
        [record] = three.find("products", eq("stock", 1))
        assert {name: record[name] for name in changes} == changes


class TestDelete:
    @pytest.fixture
    def three(self, port: Port) -> Port:
        port.insert("products", *(product(number, stock=number) for number in (1, 2, 3)))
        return port

    def test_those_that_meet_the_condition(self, three: Port) -> None:
        deleted = three.delete("products", neq("stock", 2))
        assert (deleted.body, deleted.count) == (b"", 2)
        assert three.column("products", "stock") == [2]

    def test_what_it_gives_back(self, three: Port) -> None:
        deleted = three.delete("products", lt("stock", 3), returning=["sku", "stock"], order="stock.desc")
        assert (deleted.body, deleted.count) == (b'[{"sku":"SKU-2","stock":2},{"sku":"SKU-1","stock":1}]', 2)

    def test_of_nothing(self, three: Port) -> None:
        assert three.delete("products", within("stock"), returning=["sku"]).body == b"[]"
        assert three.delete("products", null("stock")).count == 0
        assert three.count("products") == 3

    def test_of_everything(self, three: Port) -> None:
        assert three.delete("products").count == 3
        assert three.find("products") == []


class TestExpectations:
    """A write with a condition looks at the record as it is when it is written."""

    @pytest.fixture
    def one(self, port: Port) -> Port:
        port.insert("products", product(1, stock=1), product(2, stock=2))
        return port

    @staticmethod
    def tag(port: Port) -> str:
        read = queries.read(port.catalog, "products", where=eq("id", UUID(int=1)))
        return representation_tag(port.repository.json(read).body[1:-1])

    @staticmethod
    def writes(port: Port, number: int, *tags: str) -> list[Write]:
        expect = port.expectation("products", *tags)
        catalog, key = port.catalog, eq("id", UUID(int=number))
        return [
            queries.replace(catalog, "products", product(number, name="new"), expect=expect),
            queries.replace(catalog, "products", product(number, name="new"), create=False, expect=expect),
            queries.update(catalog, "products", {"name": "new"}, key, expect=expect),
            queries.update(catalog, "products", {"name": "new"}, key, expect=expect, returning=["name"]),
            queries.delete(catalog, "products", key, expect=expect),
        ]

    @pytest.mark.parametrize("which", range(5))
    def test_met(self, one: Port, which: int) -> None:
        assert one.write(self.writes(one, 1, "stale", self.tag(one))[which]).count == 1
        assert one.column("products", "name", eq("id", UUID(int=1))) == (["new"] if which < 4 else [])

    @pytest.mark.parametrize("which", range(5))
    def test_any_record_will_do(self, one: Port, which: int) -> None:
        assert one.write(self.writes(one, 1)[which]).count == 1

    @pytest.mark.parametrize("which", range(5))
    def test_not_met(self, one: Port, which: int) -> None:
        tag = self.tag(one)
        one.update("products", {"stock": 2}, eq("id", UUID(int=1)))
        error = one.refused(self.writes(one, 1, tag)[which])
        assert isinstance(error, PreconditionFailed)
        assert told(error)[0] == "PGRST412"

    @pytest.mark.parametrize("which", range(5))
    @pytest.mark.parametrize("tags", [(), ("any",)])
    def test_no_record(self, one: Port, which: int, tags: tuple[str, ...]) -> None:
        assert isinstance(one.refused(self.writes(one, 7, *tags)[which]), PreconditionFailed)

    def test_a_tag_of_some_columns(self, one: Port) -> None:
        outputs = queries.outputs(one.catalog["products"], ["sku"])
        expect = Expectation(outputs, frozenset({representation_tag(b'{"sku":"SKU-1"}')}))
        where = eq("id", UUID(int=1))
        assert one.update("products", {"stock": 7}, where, expect=expect).count == 1
        assert one.update("products", {"stock": 8}, where, expect=expect).count == 1
        assert one.update("products", {"sku": "NEW"}, where, expect=expect).count == 1
        assert isinstance(
            one.refused(queries.update(one.catalog, "products", {"stock": 9}, where, expect=expect)),
            PreconditionFailed,
        )

    def test_it_goes_before_the_rules_of_the_data(self, one: Port) -> None:
        """A stale writer learns that it is stale, not that its data would not have fitted."""
        expect = one.expectation("products", "stale")
        write = queries.update(one.catalog, "products", {"sku": "SKU-2"}, eq("id", UUID(int=1)), expect=expect)
        assert isinstance(one.refused(write), PreconditionFailed)

"""References: what may be stored, and what happens when a target goes away: restrict, cascade, setNull."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from repositories.errors import NotNullViolation, ReferenceViolation
from repositories.schema import Value
from tests.contract import queries
from tests.contract.port import Port, decoded, told
from tests.contract.queries import eq, gt, within
from tests.contract.samples import product

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
DANGLING = 'insert or update on "{}" violates foreign key constraint "{}"'
REFERENCED = 'update or delete on "{}" violates foreign key constraint "{}" on "{}"'


def pairs(port: Port, name: str) -> list[tuple[Value, ...]]:
    """The records of a resource of two fields."""
    return [tuple(record.values()) for record in port.find(name)]


@pytest.fixture
def shop(port: Port) -> Port:
    port.insert("categories", {"id": 1, "name": "a"}, {"id": 2, "name": "b"})
    port.insert("products", product(1, category_id=1), product(2, category_id=None))
    port.insert("staff", {"id": 1, "name": "boss", "manager_id": None}, {"id": 2, "name": "clerk", "manager_id": 1})
    port.insert("orders", *({"id": each, "status": "open", "placed_at": NOW, "seller_id": 2} for each in (1, 2)))
    line: dict[str, Value] = {"product_id": UUID(int=1), "quantity": 1}
    port.insert("lines", *({"order_id": order, "position": place, **line} for order in (1, 2) for place in (1, 2)))
    port.insert("returns", *({"order_id": order, "position": 1, "reason": "broken"} for order in (1, 1, 2)))
    return port


class TestDangling:
    """A reference must point at something, whatever verb writes it."""

    @pytest.mark.parametrize("verb", ["insert", "replace", "create", "update"])
    def test_by_every_verb(self, shop: Port, verb: str) -> None:
        row = product(1, category_id=99)
        write: Any = {
            "insert": lambda: queries.insert(shop.catalog, "products", product(3, category_id=99)),
            "replace": lambda: queries.replace(shop.catalog, "products", row),
            "create": lambda: queries.replace(shop.catalog, "products", product(3, category_id=99)),
            "update": lambda: queries.update(shop.catalog, "products", {"category_id": 99}, eq("sku", "SKU-2")),
        }[verb]
        error = shop.refused(write())
        assert isinstance(error, ReferenceViolation)
        assert told(error)[:3] == ("23503", "products", ("category_id",))
        assert error.message == DANGLING.format("products", "products_category_id_fkey")
        assert error.details == 'Key (category_id) is not present in "categories".'

    def test_composite(self, shop: Port) -> None:
        error = shop.refused(queries.insert(shop.catalog, "returns", {"order_id": 1, "position": 3}))
        assert error.fields == ("order_id", "position")
        assert error.details == 'Key (order_id, position) is not present in "lines".'

    def test_a_null_refers_to_nothing(self, shop: Port) -> None:
        shop.insert("returns", {"order_id": None, "position": 99}, {"order_id": 99, "position": None})
        shop.insert("products", product(3, category_id=None))
        assert shop.count("returns") == 5
        error = shop.refused(queries.update(shop.catalog, "returns", {"order_id": 9}, eq("position", 99)))
        assert error.code == "23503"

    def test_an_untouched_reference_is_let_be(self, shop: Port) -> None:
        assert shop.update("products", {"name": "new", "category_id": 1}, eq("sku", "SKU-1")).count == 1


class TestSelf:
    """References within one resource, and within one statement."""

    def test_one_bulk_in_any_order(self, port: Port) -> None:
        staff = [(1, 3), (2, 1), (3, None), (4, 4)]
        port.insert("staff", *({"id": each, "name": "x", "manager_id": manager} for each, manager in staff))
        assert [(each["id"], each["manager_id"]) for each in port.find("staff")] == staff

    def test_a_cycle_in_one_bulk(self, port: Port) -> None:
        port.insert("staff", {"id": 1, "name": "x", "manager_id": 2}, {"id": 2, "name": "y", "manager_id": 1})
        assert port.column("staff", "manager_id") == [2, 1]

    def test_one_dangling_in_a_bulk(self, port: Port) -> None:
        rows = [{"id": each, "name": "x", "manager_id": manager} for each, manager in [(1, 2), (2, 9), (3, 1)]]
        error = port.refused(queries.insert(port.catalog, "staff", *rows))
        assert told(error) == ("23503", "staff", ("manager_id",), 1)

    def test_a_record_that_creates_its_own_target(self, port: Port) -> None:
        port.replace("staff", {"id": 7, "name": "x", "manager_id": 7})
        assert port.column("staff", "manager_id") == [7]

    def test_all_at_once(self, port: Port) -> None:
        self.test_a_cycle_in_one_bulk(port)
        assert decoded(port.delete("staff", returning=["id", "manager_id"])) == [
            {"id": 1, "manager_id": 2},
            {"id": 2, "manager_id": 1},
        ]
        assert port.find("staff") == []


class TestRestrict:
    """A target stays as long as something refers to it: judged by what the whole statement leaves."""

    def test_delete(self, shop: Port) -> None:
        error = shop.refused(queries.delete(shop.catalog, "categories", eq("id", 1)))
        assert isinstance(error, ReferenceViolation)
        assert (error.code, error.resource, error.fields) == ("23503", "categories", ())
        assert error.message == REFERENCED.format("categories", "products_category_id_fkey", "products")
        assert error.details == 'Key (id) is still referenced from "products".'

    def test_of_many_one_is_enough(self, shop: Port) -> None:
        assert shop.refused(queries.delete(shop.catalog, "categories")).code == "23503"

    def test_the_unreferenced_may_go(self, shop: Port) -> None:
        assert shop.delete("categories", eq("id", 2)).count == 1
        shop.delete("products", eq("sku", "SKU-2"))
        assert shop.refused(queries.delete(shop.catalog, "products")).code == "23503"

    def test_a_key_that_is_referred_to_stays(self, shop: Port) -> None:
        error = shop.refused(queries.update(shop.catalog, "categories", {"id": 5}, eq("id", 1)))
        assert error.message == REFERENCED.format("categories", "products_category_id_fkey", "products")
        assert shop.update("categories", {"id": 5}, eq("id", 2)).count == 1
        assert shop.column("categories", "id") == [1, 5]

    def test_a_key_set_to_itself(self, shop: Port) -> None:
        assert shop.update("categories", {"id": 1, "name": "new"}, eq("id", 1)).count == 1

    @pytest.mark.parametrize(("target", "key"), [("orders", "id"), ("staff", "id")])
    def test_no_key_is_changed_under_cascade_or_set_null(self, shop: Port, target: str, key: str) -> None:
        """`onDelete` is about deletion: a changed key leaves its referrers behind, which is refused."""
        assert shop.refused(queries.update(shop.catalog, target, {key: 77}, eq(key, 1))).code == "23503"

    class TestInTheLab:
        @pytest.fixture
        def catalog_name(self) -> str:
            return "lab"

        def test_a_chain_may_go_at_once(self, port: Port) -> None:
            port.insert("links", *({"id": each, "next_id": each % 4 + 1} for each in range(1, 5)))
            assert port.refused(queries.delete(port.catalog, "links", gt("id", 1))).code == "23503"
            assert port.delete("links").count == 4

        def test_a_record_that_refers_to_itself(self, port: Port) -> None:
            port.insert("links", {"id": 1, "next_id": 1})
            assert port.refused(queries.update(port.catalog, "links", {"id": 2})).code == "23503"
            assert port.update("links", {"id": 2, "next_id": 2}).count == 1
            assert port.delete("links").count == 1

        def test_what_a_cascade_takes_along_does_not_hold_it_up(self, port: Port) -> None:
            """A leaf refers to its root (restrict) and to a branch of that root (cascade)."""
            port.insert("roots", {"id": 1}, {"id": 2})
            port.insert("branches", {"id": 1, "root_id": 1}, {"id": 2, "root_id": 2})
            port.insert("leaves", {"id": 1, "root_id": 1, "branch_id": 1}, {"id": 2, "root_id": 1, "branch_id": 2})
            port.insert("birds", {"id": 1, "leaf_id": 1}, {"id": 2, "leaf_id": 2})
            error = port.refused(queries.delete(port.catalog, "roots", eq("id", 1)))
            assert error.message == REFERENCED.format("roots", "leaves_root_id_fkey", "leaves")
            port.delete("leaves", eq("id", 2))
            assert port.delete("roots", eq("id", 1)).count == 1
            assert pairs(port, "branches") == [(2, 2)]
            assert port.find("leaves") == []
            assert pairs(port, "birds") == [(1, None), (2, None)]

        def test_a_unique_set_that_is_referred_to(self, port: Port) -> None:
            port.insert("countries", {"code": "jp", "name": "Japan"}, {"code": "fr", "name": "France"})
            port.insert("cities", {"id": 1, "country_name": "Japan"}, {"id": 2, "country_name": None})
            for write in (
                queries.delete(port.catalog, "countries", eq("code", "jp")),
                queries.update(port.catalog, "countries", {"name": "Nippon"}, eq("code", "jp")),
                queries.update(port.catalog, "countries", {"name": None}, eq("code", "jp")),
                queries.replace(port.catalog, "countries", {"code": "jp", "name": "Nippon"}),
            ):
                error = port.refused(write)
                assert error.message == REFERENCED.format("countries", "cities_country_name_fkey", "cities")
                assert error.details == 'Key (name) is still referenced from "cities".'
            error = port.refused(queries.insert(port.catalog, "cities", {"id": 3, "country_name": "Peru"}))
            assert error.details == 'Key (country_name) is not present in "countries".'
            assert port.update("countries", {"code": "JP"}, eq("code", "jp")).count == 1
            assert port.update("countries", {"name": "Gaul"}, eq("code", "fr")).count == 1


class TestCascade:
    def test_two_steps_deep(self, shop: Port) -> None:
        deleted = shop.delete("orders", eq("id", 1), returning=["id"])
        assert (deleted.body, deleted.count) == (b'[{"id":1}]', 1)
        assert [(each["order_id"], each["position"]) for each in shop.find("lines")] == [(2, 1), (2, 2)]
        assert shop.column("returns", "order_id") == [2]
        assert shop.count("products") == 2

    def test_composite(self, shop: Port) -> None:
        shop.insert("returns", {"order_id": 1, "position": None}, {"order_id": None, "position": 1})
        shop.delete("lines", queries.every(eq("order_id", 1), eq("position", 1)))
        assert [(each["order_id"], each["position"]) for each in shop.find("returns")] == [(2, 1), (1, None), (None, 1)]

    class TestInTheLab:
        @pytest.fixture
        def catalog_name(self) -> str:
            return "lab"

        def test_deep(self, port: Port) -> None:
            port.insert("folders", *({"id": each, "parent_id": each - 1 or None} for each in range(1, 101)))
            port.insert("folders", {"id": 200, "parent_id": None}, {"id": 201, "parent_id": 200})
            assert port.delete("folders", eq("id", 10)).count == 1
            assert port.column("folders", "id") == [*range(1, 10), 200, 201]

        def test_wide(self, port: Port) -> None:
            port.insert("folders", {"id": 1, "parent_id": None}, *({"id": n, "parent_id": 1} for n in range(2, 600)))
            port.delete("folders", eq("id", 1))
            assert port.find("folders") == []

        def test_of_itself(self, port: Port) -> None:
            port.insert("folders", {"id": 1, "parent_id": 1}, {"id": 2, "parent_id": 3}, {"id": 3, "parent_id": 2})
            port.delete("folders", eq("id", 1))
            assert pairs(port, "folders") == [(2, 3), (3, 2)]
            port.delete("folders", eq("id", 3))
            assert port.find("folders") == []

        def test_around_a_cycle_of_two(self, port: Port) -> None:
            port.insert("hens", *({"id": each, "egg_id": None} for each in range(1, 5)))
            port.insert("eggs", *({"id": each, "hen_id": each} for each in range(1, 5)))
            for hen in (2, 3, 4):
                port.update("hens", {"egg_id": hen - 1}, eq("id", hen))
            port.update("hens", {"egg_id": 3}, eq("id", 1))
            port.delete("hens", eq("id", 2))
            assert port.find("hens") == []
            assert pairs(port, "eggs") == []

        def test_it_stops_at_what_it_does_not_reach(self, port: Port) -> None:
            port.insert("hens", {"id": 1, "egg_id": None}, {"id": 2, "egg_id": None})
            port.insert("eggs", {"id": 1, "hen_id": 1}, {"id": 2, "hen_id": 2}, {"id": 3, "hen_id": None})
            port.delete("hens", eq("id", 1))
            assert pairs(port, "hens") == [(2, None)]
            assert pairs(port, "eggs") == [(2, 2), (3, None)]


class TestSetNull:
    def test_single(self, shop: Port) -> None:
        shop.delete("staff", eq("id", 2))
        assert shop.column("orders", "seller_id") == [None, None]
        assert shop.column("orders", "status") == ["open", "open"]

    def test_self(self, shop: Port) -> None:
        shop.delete("staff", eq("id", 1))
        assert shop.find("staff") == [{"id": 2, "name": "clerk", "manager_id": None}]

    class TestInTheLab:
        @pytest.fixture
        def catalog_name(self) -> str:
            return "lab"

        def test_composite(self, port: Port) -> None:
            port.insert("cities", *({"district": "a", "number": number} for number in (1, 2)))
            visits = [("a", 1), ("a", 2), ("a", 1), (None, 1), ("x", None)]
            port.insert("visits", *({"district": district, "number": number} for district, number in visits))
            port.delete("cities", eq("number", 1))
            found = [(each["district"], each["number"]) for each in port.find("visits")]
            assert found == [(None, None), ("a", 2), (None, None), (None, 1), ("x", None)]

        def test_of_what_a_cascade_deletes(self, port: Port) -> None:
            port.insert("roots", {"id": 1})
            port.insert("branches", {"id": 1, "root_id": 1})
            port.insert("leaves", {"id": 1, "root_id": None, "branch_id": 1})
            port.insert("birds", {"id": 1, "leaf_id": 1})
            port.delete("roots")
            assert pairs(port, "birds") == [(1, None)]

        def test_of_a_required_field(self, port: Port) -> None:
            port.insert("hens", {"id": 1, "egg_id": None}, {"id": 2, "egg_id": None})
            port.insert("badges", {"id": 1, "hen_id": 1})
            error = port.refused(queries.delete(port.catalog, "hens", within("id", 1, 2)))
            assert isinstance(error, NotNullViolation)
            assert told(error) == ("23502", "badges", ("hen_id",), None)
            assert port.delete("hens", eq("id", 2)).count == 1

        def test_a_missing_field_refers_to_nothing(self, port: Port) -> None:
            port.insert("birds", {"id": 1, "leaf_id": None})
            port.insert("leaves", {"id": 1, "root_id": None, "branch_id": None})
            port.store.forget_nulls("birds")
            port.store.forget_nulls("leaves")
            assert port.delete("leaves").count == 1
            assert pairs(port, "birds") == [(1, None)]

"""Records by their keys (`Among`), records of their own values (`Assign`), and expectations that nothing is there."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from repositories.base import representation_tag
from repositories.errors import NotNullViolation, PreconditionFailed
from repositories.query import Row
from repositories.schema import Value
from repositories.writes import Assign, Write
from tests.contract import queries
from tests.contract.port import Port, decoded
from tests.contract.queries import Filter, among, eq, every, gt, negated, some
from tests.contract.samples import product

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
KEYS = [(UUID(int=number),) for number in range(10)]


@pytest.fixture
def shop(port: Port) -> Port:
    port.insert("products", *(product(number, stock=number) for number in range(1, 5)))
    port.insert("orders", *({"id": number, "status": "open", "placed_at": NOW} for number in (1, 2)))
    lines = [
        {"order_id": order, "position": place, "product_id": UUID(int=1), "quantity": 1}
        for order in (1, 2)
        for place in (1, 2)
    ]
    port.insert("lines", *lines)
    return port


class TestAmong:
    @pytest.mark.parametrize(
        ("where", "found"),
        [
            (among(), []),
            (among(KEYS[2]), [2]),
            (among(KEYS[9]), []),
            (among(*KEYS), [1, 2, 3, 4]),
            (among(KEYS[3], KEYS[1], KEYS[3], KEYS[7]), [1, 3]),
            (negated(among(KEYS[3], KEYS[1])), [2, 4]),
            (negated(among()), [1, 2, 3, 4]),
            (every(gt("stock", 1), among(KEYS[1], KEYS[2], KEYS[3])), [2, 3]),
            (some(eq("stock", 4), among(KEYS[1])), [1, 4]),
            (every(among(KEYS[1], KEYS[2]), among(KEYS[2], KEYS[3])), [2]),
        ],
    )
    def test_reads(self, shop: Port, where: Filter, found: list[int]) -> None:
        assert shop.column("products", "stock", where) == found
        assert shop.count("products", where) == len(found)
        assert shop.transact(lambda desk: desk.read("products", where, ["stock"])) == [(each,) for each in found]

    @pytest.mark.parametrize(
        ("keys", "found"),
        [
            ([], []),
            ([(1, 1), (2, 2)], [(1, 1), (2, 2)]),
            ([(2, 1), (1, 1), (2, 3), (7, 1)], [(1, 1), (2, 1)]),
        ],
    )
    def test_composite_keys(self, shop: Port, keys: list[Row], found: list[Row]) -> None:
        rows = shop.find("lines", among(*keys), ["order_id", "position"])
        assert [tuple(row.values()) for row in rows] == found
        rest = shop.find("lines", negated(among(*keys)), ["order_id", "position"])
        assert len(rest) == 4 - len(found)

    def test_a_page_in_an_order(self, shop: Port) -> None:
        where = among(KEYS[4], KEYS[1], KEYS[3])
        assert [each["stock"] for each in shop.find("products", where, ["stock"], "stock.desc", 1, 1)] == [3]

    def test_as_many_as_there_may_be(self, port: Port) -> None:
        port.insert("categories", *({"id": number, "name": f"{number}"} for number in range(3000)))
        keys: list[Row] = [(number,) for number in range(1, 9000, 3)]
        assert port.column("categories", "id", among(*keys)) == list(range(1, 3000, 3))
        assert port.delete("categories", among(*keys)).count == 1000
        assert port.count("categories") == 2000

    def test_writes(self, shop: Port) -> None:
        written = shop.update("products", {"stock": 9}, among(KEYS[1], KEYS[3], KEYS[8]), returning=["sku"])
        assert decoded(written) == [{"sku": "SKU-1"}, {"sku": "SKU-3"}]
        assert shop.update("products", {"stock": 8}, among()).count == 0
        assert shop.delete("lines", among((1, 1), (2, 2))).count == 2
        assert shop.delete("products", every(eq("stock", 9), among(KEYS[2], KEYS[3]))).count == 1
        assert shop.column("products", "stock", order="id") == [9, 2, 4]
        assert shop.delete("products", among()).count == 0

    class TestKeysOfEveryKind:
        @pytest.fixture
        def catalog_name(self) -> str:
            return "lab"

        def test_them(self, port: Port) -> None:
            base: dict[str, Value] = {
                "station": "s",
                "day": NOW.date(),
                "moment": NOW,
                "level": Decimal("1.50"),
                "device": UUID(int=1),
                "good": True,
            }
            others: list[dict[str, Value]] = [
                {"station": "$s"},
                {"level": Decimal("-0.01")},
                {"good": False},
                {"device": UUID(int=2)},
            ]
            rows = [base, *({**base, **other} for other in others)]
            port.insert("readings", *rows)
            keys = [tuple(row.values()) for row in rows]
            for key in keys:
                assert [tuple(each.values())[:6] for each in port.find("readings", among(key))] == [key]
            assert port.count("readings", among(*keys[1:3])) == 2
            assert port.count("readings", negated(among(*keys[1:3]))) == 3

        def test_text(self, port: Port) -> None:
            codes = ["", "a", "a ", "$a", "é", "e\u0301", "{a,b}", '"', "null"]
            port.insert("countries", *({"code": code} for code in codes))
            for code in codes:
                assert port.column("countries", "code", among((code,))) == [code]


class TestExpectingNothing:
    """No such record may exist: none with the key, or with tags none that has one of them."""

    VERBS = ("replace", "replace only", "update", "delete")

    @staticmethod
    def write(port: Port, verb: str, number: int, *tags: str) -> Write:
        expect = port.expectation("products", *tags, present=False)
        row, key = product(number, name="new"), eq("id", UUID(int=number))
        writes: dict[str, Write] = {
            "replace": queries.replace(port.catalog, "products", row, expect=expect),
            "replace only": queries.replace(port.catalog, "products", row, create=False, expect=expect),
            "update": queries.update(port.catalog, "products", {"name": "new"}, key, expect=expect),
            "delete": queries.delete(port.catalog, "products", key, expect=expect),
        }
        return writes[verb]

    @staticmethod
    def tag(port: Port) -> str:
        read = queries.read(port.catalog, "products", where=eq("id", UUID(int=1)))
        return representation_tag(port.repository.json(read).body[1:-1])

    @pytest.mark.parametrize("verb", VERBS)
    def test_there_is_one(self, shop: Port, verb: str) -> None:
        assert isinstance(shop.refused(self.write(shop, verb, 1)), PreconditionFailed)
        assert isinstance(shop.refused(self.write(shop, verb, 1, "x", self.tag(shop))), PreconditionFailed)

    @pytest.mark.parametrize("verb", VERBS)
    def test_there_is_another(self, shop: Port, verb: str) -> None:
        assert shop.write(self.write(shop, verb, 2, "stale", "other")).count == 1

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("tags", [(), ("any",)])
    def test_there_is_none(self, shop: Port, verb: str, tags: tuple[str, ...]) -> None:
        document = shop.write(self.write(shop, verb, 7, *tags))
        assert (document.count, document.created) == ((1, True) if verb == "replace" else (0, False))
        assert shop.count("products") == (5 if verb == "replace" else 4)

    def test_create_only(self, shop: Port) -> None:
        created = shop.write(self.write(shop, "replace", 7))
        assert (created.key, created.created) == ((UUID(int=7),), True)
        assert isinstance(shop.refused(self.write(shop, "replace", 7)), PreconditionFailed)

    def test_before_the_rules_of_the_data(self, shop: Port) -> None:
        expect = shop.expectation("products", present=False)
        write = queries.replace(shop.catalog, "products", product(1, sku="SKU-2", category_id=99), expect=expect)
        assert isinstance(shop.refused(write), PreconditionFailed)

    def test_in_a_transaction(self, shop: Port) -> None:
        def work(desk: Any) -> bool:
            desk.delete("lines")
            desk.delete("products", eq("id", UUID(int=1)))
            return bool(desk.write(self.write(shop, "replace", 1)).created)

        assert shop.transact(work)
        with pytest.raises(PreconditionFailed):
            shop.transact(lambda desk: [desk.write(self.write(shop, "replace", 8)) for _ in range(2)])
        assert shop.count("products") == 4


class TestAssign:
    @staticmethod
    def assign(port: Port, name: str, *rows: dict[str, Value]) -> Assign:
        return queries.assign(port.catalog, name, *rows)

    def test_values_of_their_own(self, shop: Port) -> None:
        rows: list[dict[str, Value]] = [
            {"id": UUID(int=number), "stock": 10 * number, "tags": ["a", f"{number}"], "weight": None, "notes": [{}]}
            for number in (3, 1, 9)
        ]
        document = shop.write(self.assign(shop, "products", *rows))
        assert (document.body, document.count) == (b"", 2)
        assert shop.column("products", "stock", order="id") == [10, 2, 30, 4]
        assert shop.column("products", "tags", order="id") == [["a", "1"], None, ["a", "3"], None]
        assert shop.column("products", "name", order="id") == [f"product {number}" for number in range(1, 5)]

    def test_composite_keys(self, shop: Port) -> None:
        rows = [{"order_id": 1, "position": place, "quantity": place} for place in (2, 1, 3)]
        assert shop.write(self.assign(shop, "lines", *rows)).count == 2
        assert shop.column("lines", "quantity", eq("order_id", 1)) == [1, 2]

    def test_nothing(self, shop: Port) -> None:
        before = shop.everything()
        resource = shop.catalog["products"]
        fields = (*resource.key, resource.fields["stock"])
        assert shop.write(Assign(resource, fields, ())).count == 0
        assert shop.write(self.assign(shop, "products", {"id": UUID(int=9), "stock": 1})).count == 0
        assert shop.everything() == before

    def test_what_is_required(self, shop: Port) -> None:
        rows: list[dict[str, Value]] = [
            {"id": UUID(int=1), "price": Decimal("2.00")},
            {"id": UUID(int=2), "price": None},
        ]
        error = shop.refused(self.assign(shop, "products", *rows))
        assert isinstance(error, NotNullViolation)
        assert error.fields == ("price",)

    def test_many(self, port: Port) -> None:
        port.insert("products", *(product(number, stock=0) for number in range(1500)))
        rows = [{"id": UUID(int=number), "stock": number} for number in range(1500)]
        assert port.write(self.assign(port, "products", *reversed(rows))).count == 1500
        assert port.column("products", "stock", order="id") == list(range(1500))

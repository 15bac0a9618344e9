"""Order: every kind, nulls where each key says, ties broken by the key, text by code point; and pages of it."""

from __future__ import annotations

from decimal import Decimal
from itertools import product as combinations

import pytest

from repositories.query import Operator, Row
from repositories.schema import Value
from tests.contract import queries
from tests.contract.port import Port
from tests.contract.queries import compare, eq, gte, lt, null, some
from tests.contract.samples import LADDERS, product


@pytest.fixture
def catalog_name() -> str:
    return "lab"


def shuffled(values: list[Value]) -> list[tuple[int, Value]]:
    """The values with their rung, in an order that is neither up nor down."""
    rungs = list(enumerate(values))
    return rungs[1::2] + rungs[::2][::-1]


def fill(port: Port, name: str, values: list[Value], absent: str = "null") -> None:
    port.insert("samples", *({"id": rung, name: value} for rung, value in shuffled([*values, None, None])))
    if absent == "missing":
        port.store.forget_nulls("samples")


@pytest.mark.parametrize("absent", ["null", "missing"])
@pytest.mark.parametrize("name", LADDERS)
def test_every_kind_in_order(port: Port, name: str, absent: str) -> None:
    size = len(LADDERS[name])
    fill(port, name, LADDERS[name], absent)
    rungs, nulls = list(range(size)), [size, size + 1]
    assert port.column("samples", "id", order=name) == rungs + nulls
    assert port.column("samples", "id", order=f"{name}.nullsfirst") == nulls + rungs
    assert port.column("samples", "id", order=f"{name}.desc") == nulls + rungs[::-1]
    assert port.column("samples", "id", order=f"{name}.desc.nullslast") == rungs[::-1] + nulls


@pytest.mark.parametrize("name", LADDERS)
def test_filters_agree_with_order(port: Port, name: str) -> None:
    """ "Less than v", "at least v" and "null" together are exactly the sorted list."""
    fill(port, name, LADDERS[name])
    everything = port.column("samples", "id", order=name)
    for value in LADDERS[name]:
        parts = [
            port.column("samples", "id", where, order=name) for where in (lt(name, value), gte(name, value), null(name))
        ]
        assert [number for part in parts for number in part] == everything


def test_the_key_is_the_default_order_and_breaks_ties(port: Port) -> None:
    port.insert("samples", *({"id": number, "small": number % 2} for number in (5, 3, 9, 1, 4, 8, 2)))
    assert port.column("samples", "id") == [1, 2, 3, 4, 5, 8, 9]
    assert port.column("samples", "id", order="id.desc") == [9, 8, 5, 4, 3, 2, 1]
    assert port.column("samples", "id", order="small") == [2, 4, 8, 1, 3, 5, 9]
    assert port.column("samples", "id", order="small.desc") == [1, 3, 5, 9, 2, 4, 8]
    assert port.column("samples", "id", order="small.desc,id.desc") == [9, 5, 3, 1, 8, 4, 2]


def test_negative_zero_ties_with_zero(port: Port) -> None:
    port.insert("samples", *({"id": number, "real": value} for number, value in enumerate([0.0, -0.0, 0.0, -1.0])))
    assert port.column("samples", "id", order="real") == [3, 0, 1, 2]


def test_several_keys_with_their_own_nulls(port: Port) -> None:
    pairs = list(combinations([None, 1, 2], [None, "a", "b"]))
    port.insert(
        "samples", *({"id": number, "small": small, "text": text} for number, (small, text) in enumerate(pairs))
    )

    def order(text: str) -> list[tuple[Value, ...]]:
        return [tuple(each.values()) for each in port.find("samples", columns=["small", "text"], order=text)]

    none = None
    assert order("small.nullsfirst,text.desc.nullslast") == [
        (none, "b"), (none, "a"), (none, none), (1, "b"), (1, "a"), (1, none), (2, "b"), (2, "a"), (2, none),
    ]  # fmt: skip
    assert order("small.desc,text") == [
        (none, "a"), (none, "b"), (none, none), (2, "a"), (2, "b"), (2, none), (1, "a"), (1, "b"), (1, none),
    ]  # fmt: skip
    assert order("small.desc.nullslast,text.nullsfirst") == [
        (2, none), (2, "a"), (2, "b"), (1, none), (1, "a"), (1, "b"), (none, none), (none, "a"), (none, "b"),
    ]  # fmt: skip


def test_order_by_a_column_that_is_not_shown(port: Port) -> None:
    port.insert("samples", {"id": 1, "small": 2}, {"id": 2, "small": 1})
    assert port.find("samples", columns=["id"], order="small") == [{"id": 2}, {"id": 1}]


def test_composite_keys_break_ties_in_their_order(port: Port) -> None:
    day, moment, device = LADDERS["day"], LADDERS["moment"], LADDERS["uuid"]
    same = {"level": Decimal("1.00"), "device": device[0], "good": True, "value": 1.0}
    keys = [(station, day[d], moment[m]) for station in "ba" for d in (2, 0) for m in (3, 1)]
    port.insert("readings", *({"station": s, "day": d, "moment": m, **same} for s, d, m in keys))
    shown = [
        tuple(each.values()) for each in port.find("readings", columns=["station", "day", "moment"], order="value")
    ]
    assert shown == sorted(keys)
    backwards = port.find("readings", columns=["station", "day", "moment"], order="station.desc,day.desc,moment.desc")
    assert [tuple(each.values()) for each in backwards] == sorted(keys, reverse=True)


class TestPages:
    """A page is a slice of the whole list; the count knows no pages."""

    @pytest.fixture
    def hundred(self, port: Port) -> Port:
        small: list[Value] = [None, 0, 1, 2, 0, None, 1]
        port.insert("samples", *({"id": number, "small": small[number % 7]} for number in range(100)))
        return port

    @pytest.mark.parametrize("order", ["", "small", "small.desc", "small.nullsfirst,id.desc"])
    def test_pages_make_the_list(self, hundred: Port, order: str) -> None:
        everything = hundred.column("samples", "id", order=order)
        assert sorted(everything) == list(range(100))
        pages = [hundred.find("samples", columns=["id"], order=order, limit=9, offset=at) for at in range(0, 100, 9)]
        assert [record["id"] for page in pages for record in page] == everything

    @pytest.mark.parametrize(
        ("limit", "offset", "expected"),
        [
            (None, None, range(100)),
            (None, 95, range(95, 100)),
            (3, None, range(3)),
            (3, 0, range(3)),
            (3, 98, range(98, 100)),
            (3, 100, range(0)),
            (3, 2**40, range(0)),
            (0, None, range(0)),
            (0, 5, range(0)),
            (1000, 50, range(50, 100)),
        ],
    )
    def test_limit_and_offset(self, hundred: Port, limit: int | None, offset: int | None, expected: range) -> None:
        read = queries.read(hundred.catalog, "samples", columns=["id"], limit=limit, offset=offset, count=True)
        assert hundred.rows(read) == [(number,) for number in expected]
        assert hundred.repository.rows(read).total == 100

    def test_the_count_is_of_the_condition(self, hundred: Port) -> None:
        for where, expected in [
            (null("small"), 29),
            (eq("small", 0), 29),
            (compare("small", Operator.NEQ, 0), 42),
            (compare("small", Operator.IN, ()), 0),
            (some(null("small"), eq("small", 2)), 43),
        ]:
            read = queries.read(hundred.catalog, "samples", where=where, columns=["id"], limit=2, offset=1, count=True)
            page, document = hundred.repository.rows(read), hundred.repository.json(read)
            assert (page.total, document.total) == (expected, expected)
            assert (len(page.rows), document.count) == ((2, 2) if expected else (0, 0))

    def test_no_count_unless_asked(self, hundred: Port) -> None:
        read = queries.read(hundred.catalog, "samples", limit=2)
        assert hundred.repository.rows(read).total is None
        assert hundred.repository.json(read).total is None
        assert hundred.repository.json(read).count == 2


class TestStream:
    """The records in batches, of one moment."""

    @pytest.fixture
    def catalog_name(self) -> str:
        return "shop"

    @pytest.fixture
    def many(self, port: Port) -> Port:
        port.insert("products", *(product(number) for number in range(250)))
        return port

    def test_batches(self, many: Port) -> None:
        read = queries.read(many.catalog, "products", columns=["sku"], order="id.desc")
        with many.repository.stream(read, batch=100) as batches:
            sizes = []
            rows: list[Row] = []
            for batch in batches:
                sizes.append(len(batch))
                rows += batch
        assert max(sizes) <= 100
        assert rows == [(f"SKU-{number}",) for number in range(249, -1, -1)]

    def test_pages_are_streamed_too(self, many: Port) -> None:
        read = queries.read(many.catalog, "products", columns=["sku"], limit=5, offset=7)
        with many.repository.stream(read) as batches:
            assert [row for batch in batches for row in batch] == [(f"SKU-{number}",) for number in range(7, 12)]

    def test_nothing_to_stream(self, port: Port) -> None:
        with port.repository.stream(queries.read(port.catalog, "products")) as batches:
            assert [row for batch in batches for row in batch] == []

    def test_a_stream_is_of_one_moment(self, many: Port) -> None:
        read = queries.read(many.catalog, "products", columns=["name"])
        with many.repository.stream(read, batch=10) as batches:
            first = next(batches)
            many.update("products", {"name": "changed", "category_id": None})
            many.delete("products", queries.gt("sku", "SKU-2"))
            rest = [row for batch in batches for row in batch]
        assert [*first, *rest] == [(f"product {number}",) for number in range(250)]

    def test_a_stream_may_be_left_early(self, many: Port) -> None:
        """The store's check after the test finds its cursor closed."""
        with many.repository.stream(queries.read(many.catalog, "products"), batch=10) as batches:
            next(batches)
        many.store.check_idle()

    def test_an_error_of_the_consumer_closes_the_stream(self, many: Port) -> None:
        class Stop(Exception):
            pass

        def consume() -> None:
            with many.repository.stream(queries.read(many.catalog, "products"), batch=10) as batches:
                next(batches)
                raise Stop

        with pytest.raises(Stop):
            consume()
        many.store.check_idle()

    def test_many_streams_do_not_use_up_the_pool(self, many: Port) -> None:
        for _ in range(many.repository.limits.pool_size * 2):
            with many.repository.stream(queries.read(many.catalog, "products"), batch=10) as batches:
                next(batches)
        assert many.count("products") == 250

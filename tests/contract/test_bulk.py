"""Inserts of any iterable: walked in batches, in bounded memory, and all of it or none of it for all that."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count, islice

import pytest

from repositories.errors import (
    CardinalityViolation,
    DeadlineExceeded,
    NotNullViolation,
    ReferenceViolation,
    UniqueViolation,
)
from repositories.query import Row
from repositories.writes import Conflict, Insert
from tests.contract import queries
from tests.contract.port import Desk, Port, decoded, told
from tests.contract.queries import Walked, eq
from tests.stores import LIMITS

#: Around every size a batch could have, and far past it.
SIZES = [0, 1, 2, 499, 500, 501, 999, 1000, 1001, 1024, 2000, 2500, 5000]
MANY = 25_000


def categories(size: int, start: int = 1) -> Walked:
    return Walked(lambda: ((number, f"name {number}") for number in range(start, start + size)))


def into(port: Port, rows: Iterable[Row], *returning: str, conflict: Conflict | None = None) -> Insert:
    return queries.bulk(port.catalog, "categories", ["id", "name"], rows, returning=returning, conflict=conflict)


def linked(port: Port, rows: Iterable[Row]) -> Insert:
    return queries.bulk(port.catalog, "links", ["id", "next_id"], rows)


class TestSizes:
    @pytest.mark.parametrize("size", SIZES)
    def test_in_their_order(self, port: Port, size: int) -> None:
        rows = categories(size)
        document = port.write(into(port, rows, "id"))
        assert [record["id"] for record in decoded(document)] == list(range(1, size + 1))
        assert (document.count, document.created) == (size, size > 0)
        assert port.count("categories") == size
        assert rows.walks == 1

    def test_many(self, port: Port) -> None:
        document = port.write(into(port, categories(MANY)))
        assert (document.body, document.count) == (b"", MANY)
        assert port.count("categories") == MANY
        ends = [port.column("categories", "name", eq("id", number)) for number in (1, MANY)]
        assert ends == [["name 1"], [f"name {MANY}"]]

    def test_an_iterator(self, port: Port) -> None:
        """It would be empty when the write is tried again."""
        with pytest.raises(TypeError):
            into(port, iter([(1, "a"), (2, "b")]))

    def test_numbers_in_their_order(self, port: Port) -> None:
        rows = Walked(lambda: ((f"{number}",) for number in range(2500)))
        port.write(queries.bulk(port.catalog, "categories", ["name"], rows))
        assert port.column("categories", "name", order="id") == [f"{number}" for number in range(2500)]

    @pytest.mark.parametrize("backend", ["postgres", "mongodb"], indirect=True)
    def test_memory_is_bounded(self, port: Port) -> None:
        """Of all the rows, only those of a few batches are there at the same time. (The oracle keeps all in memory.)"""
        alive = most = 0

        class Counted(tuple[object, ...]):
            def __del__(self) -> None:
                nonlocal alive
                alive -= 1

        def rows() -> Iterator[Row]:
            nonlocal alive, most
            for number in range(MANY):
                alive += 1
                most = max(most, alive)
                yield Counted((number, f"name {number}"))

        port.write(into(port, Walked(rows)))
        assert most < MANY / 2
        assert port.count("categories") == MANY


class Stop(Exception):
    """What an iterable of a test raises."""


class TestExceptions:
    @pytest.mark.parametrize("place", [0, 1, 1000, 2500])
    @pytest.mark.parametrize("raised", [Stop, KeyboardInterrupt])
    def test_of_the_iterable(self, port: Port, place: int, raised: type[BaseException]) -> None:
        error = raised("as it is")
        port.insert("categories", {"id": 9999, "name": "there"})

        def rows() -> Iterator[Row]:
            yield from islice(categories(place), place)
            raise error

        with pytest.raises(raised) as caught:
            port.write(into(port, Walked(rows)))
        assert caught.value is error
        assert port.column("categories", "id") == [9999]

    @pytest.mark.parametrize("place", [1, 1000, 6000])
    @pytest.mark.parametrize("merging", [False, True])
    def test_before_what_the_store_finds_wrong(self, port: Port, place: int, *, merging: bool) -> None:
        """However the rows are sent: a fault of the last one goes before a duplicate among the first."""
        port.insert("categories", {"id": 9999, "name": "name 1"})
        conflict = queries.conflict(port.catalog, "categories", "id", merge=["name"]) if merging else None

        def rows() -> Iterator[Row]:
            yield from categories(place)
            raise Stop

        with pytest.raises(Stop):
            port.write(into(port, Walked(rows), conflict=conflict))
        assert port.column("categories", "id") == [9999]

    def test_within_a_transaction(self, port: Port) -> None:
        def rows() -> Iterator[Row]:
            yield from categories(1500)
            raise Stop

        for _ in range(LIMITS.pool_size + 1):
            with pytest.raises(Stop):
                port.transact(lambda desk: (desk.insert("staff", {"name": "x"}), desk.write(into(port, Walked(rows)))))
        assert port.find("categories") == port.find("staff") == []

    def test_an_iterable_that_is_slow(self, port: Port) -> None:
        """It may take longer than a statement, and not longer than a transaction."""

        def rows() -> Iterator[Row]:
            for row in categories(3):
                time.sleep(0.3)
                yield row

        with port.store.limited(replace(LIMITS, statement_timeout=0.4, transaction_timeout=9)) as repository:
            assert repository.write(into(port, Walked(rows))).count == 3
        port.delete("categories")
        limits = replace(LIMITS, transaction_timeout=0.5)
        with port.store.limited(limits) as repository, pytest.raises(DeadlineExceeded):
            repository.write(into(port, Walked(rows)))
        assert port.count("categories") == 0


class TestViolations:
    """They name the row, wherever its batch ends."""

    @pytest.mark.parametrize("place", [0, 1, 999, 1000, 2499])
    def test_unique(self, port: Port, place: int) -> None:
        port.insert("categories", {"id": 9999, "name": "taken"})
        rows = [(number, f"{number}") for number in range(2500)]
        rows[place] = (place, "taken")
        error = port.refused(into(port, Walked(lambda: iter(rows))))
        assert isinstance(error, UniqueViolation)
        assert told(error) == ("23505", "categories", ("name",), place)

    @pytest.mark.parametrize("places", [(0, 1), (0, 2499), (999, 1000), (1500, 2000)])
    def test_unique_within(self, port: Port, places: tuple[int, int]) -> None:
        rows = [(number, f"{number}") for number in range(2500)]
        for place in places:
            rows[place] = (place, "twice")
        error = port.refused(into(port, Walked(lambda: iter(rows))))
        assert told(error) == ("23505", "categories", ("name",), places[1])

    @pytest.mark.parametrize("place", [0, 1700])
    def test_required(self, port: Port, place: int) -> None:
        rows: list[Row] = [(number, None if number == place else f"{number}") for number in range(2000)]
        error = port.refused(into(port, Walked(lambda: iter(rows))))
        assert isinstance(error, NotNullViolation)
        assert told(error) == ("23502", "categories", ("name",), place)

    def test_the_first_of_several(self, port: Port) -> None:
        rows = [(number, f"{number}") for number in range(2500)]
        for place in (2400, 1200, 1800):
            rows[place] = (place, "0")
        error = port.refused(into(port, Walked(lambda: iter(rows))))
        assert told(error) == ("23505", "categories", ("name",), 1200)


class TestReferences:
    @pytest.fixture
    def catalog_name(self) -> str:
        return "lab"

    @pytest.mark.parametrize("last", [None, 0])
    def test_forward(self, port: Port, last: int | None) -> None:
        """Each row refers to the next one; they are looked at when all are there."""
        rows = [*((number, number + 1) for number in range(2999)), (2999, last)]
        assert port.write(linked(port, Walked(lambda: iter(rows)))).count == 3000
        assert port.count("links") == 3000

    def test_forward_into_another_batch(self, port: Port) -> None:
        rows: list[Row] = [(number, 2999 - number) for number in range(3000)]
        port.write(linked(port, Walked(lambda: iter(rows))))
        assert port.column("links", "next_id", eq("id", 1)) == [2998]

    @pytest.mark.parametrize("places", [[0], [2999], [1700, 2400]])
    def test_dangling(self, port: Port, places: list[int]) -> None:
        rows: list[Row] = [(number, 77_777 if number in places else 2999 - number) for number in range(3000)]
        error = port.refused(linked(port, Walked(lambda: iter(rows))))
        assert isinstance(error, ReferenceViolation)
        assert told(error) == ("23503", "links", ("next_id",), places[0])

    def test_a_unique_set_is_named_before_a_reference(self, port: Port) -> None:
        rows: list[Row] = [(number, 77_777 if number == 3 else None) for number in range(2000)]
        rows[1500] = (0, None)
        error = port.refused(linked(port, Walked(lambda: iter(rows))))
        assert told(error) == ("23505", "links", ("id",), 1500)


class TestUpserts:
    def test_merge(self, port: Port) -> None:
        port.insert("categories", *({"id": number, "name": f"old {number}"} for number in range(1, 3000, 2)))
        conflict = queries.conflict(port.catalog, "categories", "id", merge=["name"])
        document = port.write(into(port, categories(3000), "id", conflict=conflict))
        assert [record["id"] for record in decoded(document)] == list(range(1, 3001))
        assert (document.count, document.created) == (3000, True)
        assert port.column("categories", "name") == [f"name {number}" for number in range(1, 3001)]

    def test_ignore(self, port: Port) -> None:
        port.insert("categories", *({"id": number, "name": f"old {number}"} for number in range(1, 3000, 2)))
        conflict = queries.conflict(port.catalog, "categories", "id")
        document = port.write(into(port, categories(3000), "id", conflict=conflict))
        assert [record["id"] for record in decoded(document)] == list(range(2, 3001, 2))
        assert port.column("categories", "name", eq("id", 1)) == ["old 1"]

    @pytest.mark.parametrize("there", [True, False])
    def test_a_duplicate_in_another_batch(self, port: Port, there: bool) -> None:
        if there:
            port.insert("categories", {"id": 3, "name": "old"})
        rows: list[Row] = [*((number, f"{number}") for number in range(2500)), (3, "again")]
        merge = queries.conflict(port.catalog, "categories", "id", merge=["name"])
        error = port.refused(into(port, Walked(lambda: iter(rows)), conflict=merge))
        assert isinstance(error, CardinalityViolation)
        ignore = queries.conflict(port.catalog, "categories", "id")
        assert port.write(into(port, Walked(lambda: iter(rows)), conflict=ignore)).count == 2500 - there
        assert port.column("categories", "name", eq("id", 3)) == ["old" if there else "3"]


def test_each_attempt_walks_again(port: Port) -> None:
    port.insert("staff", {"id": 1, "name": "x"})
    rows, attempts = categories(1500), count()

    def work(desk: Desk) -> int:
        attempt = next(attempts)
        desk.read("staff")
        written = desk.write(into(port, rows)).count
        if attempt == 0:
            port.update("staff", {"name": "y"})
        desk.update("staff", {"name": "z"})
        return written

    assert port.transact(work) == 1500
    assert (next(attempts), rows.walks) == (2, 2)
    assert port.count("categories") == 1500

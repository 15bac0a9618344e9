"""Writers that race, as threads against one store: whatever the interleaving, the rules hold and one of two wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest

from repositories.base import Document, representation_tag
from repositories.errors import PreconditionFailed, ReferenceViolation, RepositoryError, UniqueViolation
from repositories.writes import Write
from tests.contract import queries
from tests.contract.port import Port
from tests.contract.queries import eq
from tests.contract.samples import product

ROUNDS = 12
NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
Outcome = Document | RepositoryError


def race(port: Port, *writes: Write) -> list[Outcome]:
    """Carry the writes out at once, each in a thread of its own; what became of each, in their order."""
    start = threading.Barrier(len(writes))

    def run(write: Write) -> Outcome:
        start.wait()
        try:
            return port.write(write)
        except RepositoryError as error:
            return error

    with ThreadPoolExecutor(len(writes)) as threads:
        return list(threads.map(run, writes))


def losers(outcomes: list[Outcome]) -> list[type[RepositoryError]]:
    return [type(outcome) for outcome in outcomes if isinstance(outcome, RepositoryError)]


def test_one_unique_value(port: Port) -> None:
    for number in range(ROUNDS):
        name = f"name {number}"
        outcomes = race(port, *(queries.insert(port.catalog, "categories", {"name": name}) for _ in range(3)))
        assert losers(outcomes) == [UniqueViolation] * 2
        assert port.count("categories", eq("name", name)) == 1


def test_one_primary_key(port: Port) -> None:
    for number in range(ROUNDS):
        rows = [product(number, sku=f"{number}-{writer}") for writer in "AB"]
        assert losers(race(port, *(queries.insert(port.catalog, "products", row) for row in rows))) == [UniqueViolation]
    assert port.count("products") == ROUNDS


def test_bulk_inserts_that_cross(port: Port) -> None:
    """Each wants what the other has taken: one of them gets all, the other nothing."""
    for number in range(ROUNDS):
        names = [f"{number}-{each}" for each in "abc"]
        forward = queries.insert(port.catalog, "categories", *({"name": name} for name in names))
        backward = queries.insert(port.catalog, "categories", *({"name": name} for name in names[::-1]))
        assert losers(race(port, forward, backward)) == [UniqueViolation]
        assert port.count("categories") == 3 * (number + 1)


def test_upserts_of_a_value_that_changes_hands(port: Port) -> None:
    """Only the second one breaks a rule, and only before the first: then it is told by which of its records."""
    merge = queries.conflict(port.catalog, "products", "id", merge=["sku", "name", "price"])
    for number in range(2 * ROUNDS):
        port.delete("products")
        port.insert("products", product(1, sku="x"), product(2, sku="y"))
        rows = [product(1, sku=f"z {number}"), product(2, sku="x")]
        outcomes = race(
            port,
            queries.insert(port.catalog, "products", *rows, conflict=merge),
            queries.insert(port.catalog, "products", *rows[::-1], conflict=merge),
        )
        assert [(outcome.row, outcome.fields) for outcome in outcomes if isinstance(outcome, UniqueViolation)] in (
            [],
            [(0, ("sku",))],
        )
        assert isinstance(outcomes[0], Document)
        assert port.column("products", "sku", order="id") == [f"z {number}", "x"]


def test_replacing_a_new_key(port: Port) -> None:
    for number in range(ROUNDS):
        outcomes = race(
            port,
            *(queries.replace(port.catalog, "products", product(number, name=f"by {each}")) for each in range(3)),
        )
        assert losers(outcomes) == []
        assert sum(outcome.created for outcome in outcomes if isinstance(outcome, Document)) == 1
    assert port.count("products") == ROUNDS


def _children(port: Port, number: int) -> list[Callable[[], Write]]:
    """The ways to come to refer to category `number`; product 0 is there already."""
    catalog = port.catalog
    return [
        lambda: queries.insert(catalog, "products", product(number, category_id=number)),
        lambda: queries.replace(catalog, "products", product(number, category_id=number)),
        lambda: queries.update(catalog, "products", {"category_id": number}, eq("sku", "SKU-0")),
    ]


def test_a_target_that_goes_while_it_is_referred_to(port: Port) -> None:
    """Restrict: either the child is refused, or the deletion."""
    port.insert("products", product(0))
    for number in range(1, ROUNDS + 1):
        port.insert("categories", {"id": number, "name": f"{number}"})
        child = _children(port, number)[number % 3]()
        parent = queries.delete(port.catalog, "categories", eq("id", number))
        assert losers(race(port, child, parent)) == [ReferenceViolation]
    assert _dangling(port, "products", "category_id", "categories") == set()


def test_a_key_that_changes_while_it_is_referred_to(port: Port) -> None:
    for number in range(1, ROUNDS + 1):
        port.insert("categories", {"id": number, "name": f"{number}"})
        child = queries.insert(port.catalog, "products", product(number, category_id=number))
        parent = queries.update(port.catalog, "categories", {"id": number + 1000}, eq("id", number))
        assert losers(race(port, child, parent)) == [ReferenceViolation]
    assert _dangling(port, "products", "category_id", "categories") == set()


def test_a_cascade_while_children_are_added(port: Port) -> None:
    """The new child is refused, or it goes with its parent; the deletion always wins."""
    port.insert("products", product(1))
    for number in range(1, ROUNDS + 1):
        port.insert("orders", {"id": number, "status": "open", "placed_at": NOW})
        line = {"order_id": number, "position": 1, "product_id": UUID(int=1), "quantity": 1}
        child = queries.insert(port.catalog, "lines", line)
        outcomes = race(port, queries.delete(port.catalog, "orders", eq("id", number)), child)
        assert isinstance(outcomes[0], Document)
        assert losers(outcomes) in ([], [ReferenceViolation])
    assert port.find("lines") == []


def test_a_set_null_while_children_are_added(port: Port) -> None:
    for number in range(1, ROUNDS + 1):
        port.insert("staff", {"id": number, "name": "x"})
        order = {"id": number, "status": "open", "placed_at": NOW, "seller_id": number}
        child = queries.insert(port.catalog, "orders", order)
        outcomes = race(port, queries.delete(port.catalog, "staff", eq("id", number)), child)
        assert isinstance(outcomes[0], Document)
        assert losers(outcomes) in ([], [ReferenceViolation])
    assert set(port.column("orders", "seller_id")) <= {None}


def test_two_writers_with_one_tag(port: Port) -> None:
    port.insert("products", product(1, stock=0))
    key = eq("id", UUID(int=1))
    for number in range(ROUNDS):
        body = port.repository.json(queries.read(port.catalog, "products", where=key)).body
        expect = port.expectation("products", representation_tag(body[1:-1]))
        outcomes = race(
            port,
            queries.update(port.catalog, "products", {"stock": 2 * number + 1}, key, expect=expect),
            queries.replace(port.catalog, "products", product(1, stock=2 * number + 2), expect=expect),
        )
        assert losers(outcomes) == [PreconditionFailed]


def test_deleting_what_another_has_changed(port: Port) -> None:
    key = eq("id", UUID(int=1))
    for number in range(ROUNDS):
        port.insert("products", product(1))
        body = port.repository.json(queries.read(port.catalog, "products", where=key)).body
        expect = port.expectation("products", representation_tag(body[1:-1]))
        outcomes = race(
            port,
            queries.delete(port.catalog, "products", key, expect=expect),
            queries.update(port.catalog, "products", {"stock": number}, key, expect=expect),
        )
        assert losers(outcomes) == [PreconditionFailed]
        port.delete("products")


def test_no_number_is_given_twice(port: Port) -> None:
    inserts = [queries.insert(port.catalog, "returns", {"reason": "x"}) for _ in range(8)]
    for _ in range(5):
        assert losers(race(port, *inserts)) == []
    assert port.column("returns", "id") == list(range(1, 41))


def test_changes_of_the_same_records(port: Port) -> None:
    """Neither gets lost between the other's records: after each round all have one writer's value."""
    port.insert("products", *(product(number) for number in range(20)))
    for number in range(ROUNDS):
        values = [2 * number, 2 * number + 1]
        outcomes = race(port, *(queries.update(port.catalog, "products", {"stock": value}) for value in values))
        assert losers(outcomes) == []
        assert len(set(port.column("products", "stock"))) == 1


@pytest.mark.parametrize("merging", [False, True])
def test_changes_of_which_half_are_there_already(port: Port, *, merging: bool) -> None:
    """Each writer finds its own value in every other record, and the other's in the rest."""
    everyone = range(6)
    conflict = queries.conflict(port.catalog, "products", "id", merge=["stock"])
    for number in range(4 * ROUNDS):
        values = [2 * number, 2 * number + 1]
        port.delete("products")
        port.insert("products", *(product(each, stock=values[each % 2]) for each in everyone))
        outcomes = race(
            port,
            *(
                queries.insert(
                    port.catalog, "products", *(product(each, stock=value) for each in everyone), conflict=conflict
                )
                if merging
                else queries.update(port.catalog, "products", {"stock": value})
                for value in values
            ),
        )
        assert losers(outcomes) == []
        assert len(set(port.column("products", "stock"))) == 1


def _dangling(port: Port, name: str, field: str, target: str) -> set[object]:
    return set(port.column(name, field)) - set(port.column(target, "id")) - {None}

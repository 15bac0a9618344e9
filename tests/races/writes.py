"""Races of single writes: for each, what its writers do, and what must hold afterwards."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from repositories.base import Document, representation_tag
from repositories.encoding import outputs_encoder
from repositories.errors import PreconditionFailed, ReferenceViolation, RepositoryError, UniqueViolation
from repositories.writes import Expectation
from tests.contract import queries
from tests.contract.queries import eq
from tests.contract.samples import product
from tests.races.race import Outcome, Race

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def one_wins(outcomes: list[Outcome], refusal: type[RepositoryError]) -> str | None:
    """Of all writers one succeeds, and every other is refused in this way."""
    losers = [type(outcome) for outcome in outcomes if isinstance(outcome, RepositoryError)]
    return None if losers == [refusal] * (len(outcomes) - 1) else f"one should win, by {refusal.__name__}"


def all_win(outcomes: list[Outcome]) -> str | None:
    return "all should win" if any(isinstance(outcome, RepositoryError) for outcome in outcomes) else None


class UniqueInserts(Race):
    """One unique value, several inserts."""

    writers = 3

    def run(self, number: int, writer: int) -> Outcome:
        return self.port.insert("categories", {"id": 1000 * writer + number, "name": f"{number}"})

    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        return one_wins(outcomes, UniqueViolation)

    def look(self, rounds: range) -> list[str]:
        names = Counter(self.port.column("categories", "name"))
        return [f"{name} is there {names[name]} times" for name in map(str, rounds) if names[name] != 1]


class CrossingBatches(UniqueInserts):
    """Each wants what the other has taken: one of them gets all, the other nothing."""

    writers = 2

    def run(self, number: int, writer: int) -> Outcome:
        names = [f"{number}", f"{number} b", f"{number} c"]
        rows = [{"id": 1000 * (3 * writer + each) + number, "name": name} for each, name in enumerate(names)]
        return self.port.insert("categories", *(rows[::-1] if writer else rows))


class Upserts(Race):
    """One new key of a unique set, several upserts: one inserts, the others find its record."""

    writers = 3
    on: ClassVar[str] = "sku"
    merge: ClassVar[tuple[str, ...]] = ("name",)

    def run(self, number: int, writer: int) -> Outcome:
        row = product(1000 * writer + number, sku=f"S-{number}", name=f"by {writer}")
        conflict = queries.conflict(self.port.catalog, "products", self.on, merge=self.merge)
        return self.port.insert("products", row, conflict=conflict)

    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        done = [outcome for outcome in outcomes if isinstance(outcome, Document)]
        counts = sum(outcome.count for outcome in done)
        expected = self.writers if self.merge else 1
        if all_win(outcomes) or sum(outcome.created for outcome in done) != 1 or counts != expected:
            return "one should insert, the others find its record"
        return None

    def look(self, rounds: range) -> list[str]:
        skus = Counter(self.port.column("products", "sku"))
        return [f"S-{number} is there {skus[f'S-{number}']} times" for number in rounds if skus[f"S-{number}"] != 1]


class UpsertsThatIgnore(Upserts):
    """The same, with the later ones passed over."""

    merge = ()


class UpsertsOfAKey(Upserts):
    """The same, of one primary key."""

    on = "id"

    def run(self, number: int, writer: int) -> Outcome:
        row = product(number, sku=f"S-{number}", name=f"by {writer}")
        conflict = queries.conflict(self.port.catalog, "products", self.on, merge=self.merge)
        return self.port.insert("products", row, conflict=conflict)


class CreateOnly(Race):
    """Several put a record that must not be there: one creates it."""

    writers = 3

    def run(self, number: int, writer: int) -> Outcome:
        expect = self.port.expectation("products", present=False)
        return self.port.replace("products", product(number, name=f"by {writer}"), expect=expect)

    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        return one_wins(outcomes, PreconditionFailed)


class ReferenceAndDelete(Race):
    """A record comes to refer to one that is deleted at the same time: one of the two is refused."""

    def prepare(self, rounds: range) -> None:
        self.port.insert("categories", *({"id": number, "name": f"{number}"} for number in rounds))
        self.port.insert("products", *(product(number) for number in rounds))

    def run(self, number: int, writer: int) -> Outcome:
        if writer:
            return self.port.delete("categories", eq("id", number))
        new, there = product(1000 + number, category_id=number), product(number, category_id=number)
        merge = queries.conflict(self.port.catalog, "products", "sku", merge=["category_id"])
        match number % 5:
            case 0:
                return self.port.insert("products", new)
            case 1:
                return self.port.update("products", {"category_id": number}, eq("sku", f"SKU-{number}"))
            case 2:
                return self.port.replace("products", there)
            case 3:
                return self.port.insert("products", there, conflict=merge)
            case _:
                return self.port.insert("products", new, conflict=merge)

    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        return one_wins(outcomes, ReferenceViolation)

    def look(self, rounds: range) -> list[str]:
        dangling = set(self.port.column("products", "category_id")) - set(self.port.column("categories", "id"))
        return [f"a reference to {number} dangles" for number in dangling if number is not None]


class CascadeAndInsert(Race):
    """A child is added to a record that is deleted with its children: it is refused, or goes with them."""

    def prepare(self, rounds: range) -> None:
        self.port.insert("orders", *({"id": each, "status": "open", "placed_at": NOW} for each in rounds))
        self.port.insert("products", product(1))

    def run(self, number: int, writer: int) -> Outcome:
        if writer:
            return self.port.delete("orders", eq("id", number))
        line = {"order_id": number, "position": 1, "product_id": UUID(int=1), "quantity": 1}
        return self.port.insert("lines", line)

    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        child, deletion = outcomes
        refused = isinstance(child, (ReferenceViolation, Document))
        return None if isinstance(deletion, Document) and refused else "the deletion should win"

    def look(self, rounds: range) -> list[str]:
        return [f"a line of {number} is left" for number in self.port.column("lines", "order_id")]


class SetNullAndInsert(Race):
    """The same where the children are kept, and refer to nothing afterwards."""

    def prepare(self, rounds: range) -> None:
        self.port.insert("staff", *({"id": number, "name": "x"} for number in rounds))

    def run(self, number: int, writer: int) -> Outcome:
        if writer:
            return self.port.delete("staff", eq("id", number))
        return self.port.insert("orders", {"id": number, "status": "open", "placed_at": NOW, "seller_id": number})

    judge = CascadeAndInsert.judge

    def look(self, rounds: range) -> list[str]:
        sellers = set(self.port.column("orders", "seller_id")) - {None}
        return [f"a reference to {number} dangles" for number in sellers]


class OneTag(Race):
    """Writers that expect the record as they have all read it: one wins."""

    def prepare(self, rounds: range) -> None:
        self.port.insert("products", *(product(number, stock=0) for number in rounds))
        outputs = queries.outputs(self.port.catalog["products"])
        rows = self.port.repository.rows(queries.read(self.port.catalog, "products")).rows
        encode = outputs_encoder(outputs, ())
        self._expected = {
            row[0].int: Expectation(outputs, frozenset({representation_tag(encode([row])[1:-1])})) for row in rows
        }

    def run(self, number: int, writer: int) -> Outcome:
        key, expect = eq("id", UUID(int=number)), self._expected[number]
        if writer == 0:
            return self.port.update("products", {"stock": 1}, key, expect=expect)
        if number % 2:
            return self.port.replace("products", product(number, stock=2), expect=expect)
        return self.port.delete("products", key, expect=expect)

    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        return one_wins(outcomes, PreconditionFailed)


class Numbers(Race):
    """Numbers of a sequence: nobody waits for long, and no number is given twice."""

    writers = 4

    def run(self, number: int, writer: int) -> Outcome:
        return self.port.insert("returns", {"reason": f"{number}"})

    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        keys = {outcome.key for outcome in outcomes if isinstance(outcome, Document)}
        return None if len(keys) == self.writers else "each should get a number of its own"

    def look(self, rounds: range) -> list[str]:
        missing = self.writers * len(rounds) - len(self.port.find("returns", columns=["id"]))
        return [f"{missing} records are missing"] if missing else []

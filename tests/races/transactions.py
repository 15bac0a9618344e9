"""Races of transactions of several calls: for each, what its writers do, and what must hold afterwards."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar
from uuid import UUID

from tests.contract.port import Desk
from tests.contract.queries import eq
from tests.contract.samples import product
from tests.races.race import Outcome, Race
from tests.races.writes import all_win


class Names(Race):
    """Work that is done once for each name: whoever comes later is refused, or sees what has been done."""

    writers = 3

    def prepare(self, rounds: range) -> None:
        self._working = Counter[int]()
        self._together: list[int] = []

    def run(self, number: int, writer: int) -> Outcome:
        reason = f"{number}"

        def work(desk: Desk) -> bool:
            self._working[number] += 1
            if self._working[number] > 1:
                self._together.append(number)
            try:
                if not desk.read("returns", eq("reason", reason)):
                    desk.insert("returns", {"reason": reason})
            finally:
                self._working[number] -= 1
            return True

        return self.port.transact(work, name=f"name {number}")

    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        return None if True in outcomes else "one at least should win"

    def look(self, rounds: range) -> list[str]:
        done = Counter(self.port.column("returns", "reason"))
        wrong = [f"{number} was done {done[f'{number}']} times" for number in rounds if done[f"{number}"] != 1]
        return wrong + [f"two worked at once on {number}" for number in self._together]


class Counters(Race):
    """Everyone reads a number and writes the next one: none is lost."""

    writers = 3
    records: ClassVar[int] = 1

    def prepare(self, rounds: range) -> None:
        self.port.insert("products", *(product(number, stock=0) for number in range(self.records * len(rounds))))

    def run(self, number: int, writer: int) -> Outcome:
        keys = [UUID(int=self.records * number + each) for each in range(self.records)]

        def work(desk: Desk) -> bool:
            for key in keys[::-1] if writer else keys:
                [(stock,)] = desk.read("products", eq("id", key), ["stock"])
                desk.update("products", {"stock": stock + 1}, eq("id", key))
            return True

        return self.port.transact(work)

    def judge(self, number: int, outcomes: list[Outcome]) -> str | None:
        return all_win(outcomes)

    def look(self, rounds: range) -> list[str]:
        stocks = Counter(self.port.column("products", "stock"))
        return [f"{times} records have {stock}" for stock, times in stocks.items() if stock != self.writers]


class CrossingRecords(Counters):
    """The same over two records, which the writers come to in opposite orders."""

    writers = 2
    records = 2

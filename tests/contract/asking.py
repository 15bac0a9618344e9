"""Queries as clients write them: parsed and planned by the service itself, and asked of each store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from repositories.query import Read
from repositories.schema import Value
from service.dialect.query_string import parse
from service.planner.reads import plan_page
from service.planner.relations import Relations
from service.planner.scope import PlanLimits, resource_named
from tests.contract.port import Port
from tests.stores import Store


def condition(column: str, text: str) -> str:
    """A filter as a parameter of a URL, its value escaped."""
    return f"{quote(column)}={quote(text)}"


class Asker(Port):
    """A store that is asked in the language of the API."""

    def __init__(self, store: Store, *, keeps_nulls: bool = True) -> None:
        super().__init__(store)
        self.limits = PlanLimits()
        self.relations = Relations(self.catalog)
        self._keeps_nulls = keeps_nulls

    def fill(self, records: Mapping[str, Sequence[Mapping[str, Value]]]) -> None:
        """Insert records of several resources; what they leave out is null, or missing where that is the test."""
        for name, rows in records.items():
            names = dict.fromkeys(key for row in rows for key in row)
            self.insert(name, *({key: row.get(key) for key in names} for row in rows))
            if not self._keeps_nulls:
                self.store.forget_nulls(name)

    def plan(self, text: str, *, count: bool = False) -> Read:
        """The query that `resource?parameters` means. Raises `RequestError`."""
        name, _, query = text.partition("?")
        resource = resource_named(self.catalog, name)
        return plan_page(self.relations, resource, parse(query), self.limits, count=count).read

    def body(self, text: str) -> str:
        """The answer's own text; the store's other forms of it have been compared."""
        self.rows(read := self.plan(text, count=True))
        return self.repository.json(read).body.decode()

    def ask(self, text: str) -> Any:
        """The answer as JSON; fractions are decimals, so that their digits count."""
        return json.loads(self.body(text), parse_float=Decimal)

    def quick(self, text: str) -> Any:
        """The answer in one form only, where a test asks much."""
        return json.loads(self.repository.json(self.plan(text)).body, parse_float=Decimal)

    def values(self, text: str, name: str = "id") -> list[Any]:
        """One member of each record of the answer."""
        return [record[name] for record in self.quick(text)]

    def total(self, text: str) -> int | None:
        """The exact count."""
        return self.repository.json(self.plan(text, count=True)).total

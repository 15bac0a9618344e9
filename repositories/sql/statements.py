"""Statements as they are kept: SQL with places for values, compiled once for each shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import BigInteger, BindParameter, bindparam
from sqlalchemy.types import TypeEngine

from repositories.query import Param, Row
from repositories.schema import Value
from repositories.sql.postgresql import query_sql
from repositories.sql.types import Converter

#: A placeholder, or a percent sign, which is doubled.
PLACEHOLDER = re.compile("%%|%s")
#: How many combinations of limits a statement is kept with.
_KEPT_LIMITS = 8

Place = tuple[int, Converter | None]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with positional placeholders, and for each of them the index of its value and what makes it ready.

    Where the records come as JSON although values are wanted, `load` reads one. `limits` are the positions of
    placeholders that limit a page.
    """

    sql: str
    params: tuple[Place, ...]
    load: Callable[[str], Row] | None = None
    limits: tuple[int, ...] = ()
    _limited: dict[tuple[int, ...], tuple[str, tuple[Place, ...]]] = field(default_factory=dict, compare=False)

    def bind(self, values: Sequence[Value]) -> list[Any]:
        """The driver's parameters for these values of a query."""
        return _bound(self.params, values)

    def limited(self, values: Sequence[Value]) -> tuple[str, list[Any]]:
        """SQL and its parameters for these values, with the limits written out.

        Of a limit that it does not know PostgreSQL thinks that it lets a tenth of the records through, for which it
        would choose another plan, or make a new one each time. The first few limits of a statement are written out.
        """
        limits = tuple(values[self.params[position][0]] for position in self.limits)
        found = self._limited.get(limits)
        if found is None:
            if len(self._limited) >= _KEPT_LIMITS:
                return self.sql, self.bind(values)
            found = self._limited[limits] = self._with(dict(zip(self.limits, limits, strict=True)))
        sql, params = found
        return sql, _bound(params, values)

    def _with(self, limits: dict[int, int]) -> tuple[str, tuple[Place, ...]]:
        positions = count()

        def written(found: re.Match[str]) -> str:
            if found[0] == "%%" or (position := next(positions)) not in limits:
                return found[0]
            return str(int(limits[position]))

        sql = PLACEHOLDER.sub(written, self.sql)
        return sql, tuple(place for position, place in enumerate(self.params) if position not in limits)


def _bound(params: tuple[Place, ...], values: Sequence[Value]) -> list[Any]:
    return [values[index] if ready is None else ready(values[index]) for index, ready in params]


@dataclass(slots=True)
class Parameters:
    """The parameters that one statement under construction refers to."""

    known: dict[str, Place] = field(default_factory=dict)
    limits: set[str] = field(default_factory=set)

    def bind(self, param: Param, kind: TypeEngine[Any], ready: Converter | None = None) -> BindParameter[Any]:
        """A placeholder for `param`; one value may stand in several, each with a type and a converter of its own."""
        name = f"p{len(self.known)}"
        self.known[name] = (param.index, ready)
        return bindparam(name, type_=kind)

    def limit(self, param: Param) -> BindParameter[Any]:
        """A placeholder for the number of records that a page has at the most."""
        limit = self.bind(param, BigInteger())
        self.limits.add(limit.key)
        return limit

    def statement(self, built: Any, load: Callable[[str], Row] | None = None) -> Statement:
        """The finished statement."""
        sql, names = query_sql(built)
        limits = tuple(position for position, name in enumerate(names) if name in self.limits)
        return Statement(sql, tuple(self.known[name] for name in names), load, limits)

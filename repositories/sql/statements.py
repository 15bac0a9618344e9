"""Statements as they are kept: SQL with places for values, compiled once for each shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, bindparam
from sqlalchemy.types import TypeEngine

from repositories.query import Param, Row
from repositories.schema import Value
from repositories.sql.postgresql import query_sql
from repositories.sql.types import Converter


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with positional placeholders, and for each of them the index of its value and what makes it ready.

    Where the records come as JSON although values are wanted, `load` reads one.
    """

    sql: str
    params: tuple[tuple[int, Converter | None], ...]
    load: Callable[[str], Row] | None = None

    def bind(self, values: Sequence[Value]) -> list[Any]:
        """The driver's parameters for these values of a query."""
        return [values[index] if ready is None else ready(values[index]) for index, ready in self.params]


@dataclass(slots=True)
class Parameters:
    """The parameters that one statement under construction refers to."""

    known: dict[str, tuple[int, Converter | None]] = field(default_factory=dict)

    def bind(self, param: Param, kind: TypeEngine[Any], ready: Converter | None = None) -> BindParameter[Any]:
        """A placeholder for `param`; one value may stand in several, each with a type and a converter of its own."""
        name = f"p{len(self.known)}"
        self.known[name] = (param.index, ready)
        return bindparam(name, type_=kind)

    def statement(self, built: Any, load: Callable[[str], Row] | None = None) -> Statement:
        """The finished statement."""
        sql, names = query_sql(built)
        return Statement(sql, tuple(self.known[name] for name in names), load)

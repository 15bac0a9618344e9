"""CHECK constraints: the catalog's limits, as far as PostgreSQL expresses them exactly.

The planner has checked what comes through the service; these guard the tables against other writers, and keep out
values that no field can hold (NaN, infinity, years beyond 9999). Patterns are left out: the engines' dialects differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from repositories.schema import Field, Kind, Type, Value
from repositories.sql.postgresql import quote, quote_text
from repositories.sql.types import default_text

_GUARDS: Mapping[Kind, str] = {
    Kind.DATE: "{0} BETWEEN '0001-01-01' AND '9999-12-31'",
    Kind.DATETIME: "{0} >= '0001-01-01 00:00:00+00' AND {0} < '10000-01-01 00:00:00+00'",
    Kind.DOUBLE: "{0} > '-Infinity' AND {0} < 'Infinity'",
    Kind.DECIMAL: "{0} <> 'NaN'",
    Kind.ARRAY: "array_position({0}, NULL) IS NULL",
}

_BOUNDS = {"minimum": ">=", "maximum": "<=", "exclusive_minimum": ">", "exclusive_maximum": "<"}


def check(field: Field) -> str | None:
    """The SQL condition that values of `field` must meet, null aside; None when its column type says it all."""
    return " AND ".join(_conditions(quote(field.name), field.type)) or None


def _conditions(name: str, kind: Type) -> Iterator[str]:
    if kind.kind in _GUARDS:
        yield _GUARDS[kind.kind].format(name)
    if kind.kind is Kind.JSON:
        yield f"jsonb_typeof({name}) {'=' if kind.shape else '<>'} '{'object' if kind.shape else 'null'}'"
    for limit, operator in _BOUNDS.items():
        if (bound := getattr(kind, limit)) is not None:
            yield f"{name} {operator} {_literal(kind, bound)}"
    for size, low, high in (
        ("char_length", kind.min_length, kind.max_length),
        ("cardinality", kind.min_items, kind.max_items),
    ):
        if low is not None:
            yield f"{size}({name}) >= {low}"
        if high is not None:
            yield f"{size}({name}) <= {high}"
    if kind.enum is not None:
        yield f"{name} IN ({', '.join(_literal(kind, value) for value in kind.enum)})"


def _literal(kind: Type, value: Value) -> str:
    return quote_text(default_text(kind, value))

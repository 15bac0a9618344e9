"""Aggregate functions as SQL: exact, or refused."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Numeric, Text, case, cast, func, literal_column
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from repositories.expressions import SUM_DIGITS
from repositories.query import AggregateFunction
from repositories.schema import Kind, Type
from repositories.sql.casts import overflow
from repositories.sql.postgresql import text_literal


def aggregate_sql(function: AggregateFunction, operand: ColumnElement[Any] | None, kind: Type) -> ColumnElement[Any]:
    """What the function makes of a group's values of this type, or of its records where there is no operand."""
    match function:
        case AggregateFunction.COUNT:
            return func.count() if operand is None else func.count(operand)
        case AggregateFunction.MIN:
            return func.min(operand)
        case AggregateFunction.MAX:
            return func.max(operand)
    assert operand is not None
    if kind.kind is Kind.DOUBLE:
        # The shortest texts are exact numbers, whose sum does not depend on their order.
        exact = cast(cast(operand, Text()), Numeric())
        made = func.sum(exact) if function is AggregateFunction.SUM else func.avg(exact)
        return cast(made, DOUBLE_PRECISION())
    total = _bounded(func.sum(operand), kind)
    return total if function is AggregateFunction.SUM else case((total.is_not(None), func.avg(operand)))


def _bounded(total: ColumnElement[Any], kind: Type) -> ColumnElement[Any]:
    """The sum, which fails with 22003 where it has too many digits."""
    if kind.kind is not Kind.DECIMAL or kind.scale is not None:
        return cast(total, Numeric(SUM_DIGITS, kind.scale or 0))
    text = cast(total, Text())
    digits = func.ltrim(func.translate(text, text_literal("-."), text_literal("")), text_literal("0"))
    return case(
        (func.char_length(digits) <= literal_column(str(SUM_DIGITS)), total),
        (total.is_not(None), overflow(text)),
    )

"""Aggregate functions as SQL: exact, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Text, and_, case, cast, func, literal_column, or_
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from repositories.expressions import SUM_DIGITS
from repositories.query import AggregateFunction
from repositories.schema import Kind, Type
from repositories.sql.postgresql import text_literal


def _number(text: str) -> ColumnElement[Any]:
    return literal_column(f"{text}::numeric", Numeric())


_ZERO = _number("0")
_DOUBLE_ZERO: ColumnElement[Any] = literal_column("0::float8", DOUBLE_PRECISION())
#: What is smaller is rounded to zero, and from here on to infinity.
_LEAST_DOUBLE, _NO_DOUBLE = _number("2.4703282292062328e-324"), _number(str(2**1024 - 2**970))


def accumulated(
    function: AggregateFunction, operand: ColumnElement[Any] | None, kind: Type
) -> tuple[ColumnElement[Any], ...]:
    """What is gathered of a group's values of this type, or of its records where there is no operand."""
    match function:
        case AggregateFunction.COUNT:
            return (func.count() if operand is None else func.count(operand),)
        case AggregateFunction.MIN:
            return (func.min(operand),)
        case AggregateFunction.MAX:
            return (func.max(operand),)
    assert operand is not None
    if kind.kind is Kind.DOUBLE:
        # The shortest texts are exact numbers, whose sum does not depend on their order.
        operand = cast(cast(operand, Text()), Numeric())
    total, mean = func.sum(operand, type_=Numeric()), func.avg(operand, type_=Numeric())
    if function is AggregateFunction.SUM:
        return (total,)
    return (mean,) if kind.kind is Kind.DOUBLE else (mean, total)


def finished(function: AggregateFunction, gathered: Sequence[ColumnElement[Any]], kind: Type) -> ColumnElement[Any]:
    """What the function makes of what `accumulated` has gathered."""
    made = gathered[0]
    if function not in (AggregateFunction.SUM, AggregateFunction.AVG):
        # 0 and -0 are equal: the sum is 0 for both, whichever comes first.
        is_extreme = function in (AggregateFunction.MIN, AggregateFunction.MAX)
        return made + _DOUBLE_ZERO if is_extreme and kind.kind is Kind.DOUBLE else made
    if kind.kind is Kind.DOUBLE:
        size = func.abs(made)
        is_double = or_(made == _ZERO, and_(size >= _LEAST_DOUBLE, size < _NO_DOUBLE))
        return cast(_if_fits(made, is_double), DOUBLE_PRECISION())
    total = _bounded(gathered[-1], kind)
    return total if function is AggregateFunction.SUM else case((total.is_not(None), made))


def _bounded(total: ColumnElement[Any], kind: Type) -> ColumnElement[Any]:
    """The sum, if it does not have too many digits."""
    if kind.kind is not Kind.DECIMAL or kind.scale is not None:
        return _if_fits(total, func.abs(total) < _number(f"1e{SUM_DIGITS - (kind.scale or 0)}"))
    text = cast(total, Text())
    digits = func.ltrim(func.translate(text, text_literal("-."), text_literal("")), text_literal("0"))
    return _if_fits(total, func.char_length(digits) <= literal_column(str(SUM_DIGITS)))


def _if_fits(total: ColumnElement[Any], fits: ColumnElement[bool]) -> ColumnElement[Any]:
    """The total, or a failure: one (22012) that no cast has, for what casts fail with is another error."""
    return case((fits, total), (total.is_not(None), total / (total - total)))

"""What is made of a group's values: counted, added up, divided and compared without any rounding on the way."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from repositories.encoding import double_text
from repositories.errors import ValueOutOfRange
from repositories.expressions import SUM_DIGITS
from repositories.query import AggregateFunction
from repositories.schema import Kind, Type, Value
from tests.oracle.casts import EXACT, average, to_double


def aggregated(function: AggregateFunction, values: Sequence[Value], kind: Type) -> Value:
    """What the function makes of values of this type; nulls do not count. Raises `ValueOutOfRange`."""
    there = [value for value in values if value is not None]
    if function is AggregateFunction.COUNT:
        return len(there)
    if not there:
        return None
    match function:
        case AggregateFunction.MIN:
            return _unsigned_zero(min(there))
        case AggregateFunction.MAX:
            return _unsigned_zero(max(there))
        case AggregateFunction.SUM:
            return to_double(_total(there)) if kind.kind is Kind.DOUBLE else _bounded(_total(there))
    if kind.kind is Kind.DOUBLE:
        return to_double(average(_total(there), len(there)))
    return average(_bounded(_total(there)), len(there))


def _unsigned_zero(value: Value) -> Value:
    """0 and -0 are equal: it must not matter which of them comes first."""
    return 0.0 if isinstance(value, float) and value == 0 else value


def _total(values: Sequence[int | float | Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        exact = Decimal(double_text(value)) if isinstance(value, float) else Decimal(value)
        total = EXACT.add(total, exact)
    return total


def _bounded(total: Decimal) -> Decimal:
    if len(total.as_tuple().digits) > SUM_DIGITS:
        raise ValueOutOfRange
    return total

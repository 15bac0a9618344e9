"""What a cast makes of a value: PostgreSQL's meaning, written out once more, in the plainest terms."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

from repositories.encoding import decimal_text, double_text, json_text
from repositories.errors import CastFailed, ValueOutOfRange
from repositories.expressions import SUM_DIGITS
from repositories.schema import Kind, Type, Value
from repositories.texts import InvalidValueError, from_text
from tests.oracle.values import to_json

RANGES = {Kind.INT32: 2**31, Kind.INT64: 2**63}
#: Enough digits for everything, so that nothing is ever rounded by the way.
EXACT = Context(prec=2000)
_QUOTED = re.compile(r'[{}",\\\s]', re.ASCII)


def cast(value: Value, source: Type, target: Type) -> Value:
    """The value as one of another type. Raises `CastFailed`."""
    if value is None or source.kind is target.kind:
        return value
    if target.kind is Kind.STRING:
        return text_of(value, source)
    if target.kind is Kind.JSON:
        return to_json(value, source)
    match source.kind:
        case Kind.STRING:
            return _read(value, target)
        case Kind.DATE:
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        case Kind.DATETIME:
            return value.date()
        case Kind.JSON:
            return _of_json(value, target)
    return _number(value, target)


def text_of(value: Value, kind: Type) -> str:
    """The text that PostgreSQL prints."""
    match kind.kind:
        case Kind.BOOLEAN:
            return "true" if value else "false"
        case Kind.DOUBLE:
            return double_text(value)
        case Kind.DECIMAL:
            return decimal_text(value)
        case Kind.DATETIME:
            fraction = f".{value.microsecond // 1000:03}".rstrip("0").rstrip(".")
            return f"{value.replace(tzinfo=None).isoformat(' ', 'seconds')}{fraction}+00"
        case Kind.JSON:
            return json_text(value)
        case Kind.ARRAY:
            assert kind.items is not None
            return "{" + ",".join(_item(item, kind.items) for item in value) + "}"
    return str(value)


def _item(value: Value, kind: Type) -> str:
    if kind.kind is Kind.BOOLEAN:
        return "t" if value else "f"
    text = text_of(value, kind)
    if text and text.upper() != "NULL" and not _QUOTED.search(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read(text: str, target: Type) -> Value:
    try:
        value = from_text(target, text)
    except InvalidValueError:
        raise CastFailed from None
    return _positional(Decimal(text)) if target.kind is Kind.DECIMAL else value


def _positional(number: Decimal) -> Decimal:
    """With the digits that were written, whatever the exponent; more than 34 are refused."""
    if len(number.as_tuple().digits) > SUM_DIGITS:
        raise CastFailed
    return EXACT.create_decimal(decimal_text(number if number else abs(number)))


def _of_json(value: Any, target: Type) -> Value:
    if isinstance(value, bool) != (target.kind is Kind.BOOLEAN) or isinstance(value, str | list | dict):
        raise CastFailed
    if isinstance(value, bool):
        return value
    return _number(Decimal(repr(value)) if isinstance(value, float) else value, target)


def _number(value: int | float | Decimal, target: Type) -> Value:
    """A number as one of another type; JSON's fractions are decimals."""
    match target.kind:
        case Kind.DOUBLE:
            try:
                return to_double(Decimal(value))
            except ValueOutOfRange:
                raise CastFailed from None
        case Kind.DECIMAL:
            number = EXACT.create_decimal(f"{value:.15g}" if isinstance(value, float) else value)
            return EXACT.create_decimal(decimal_text(number if number else abs(number)))
    rounding = ROUND_HALF_EVEN if isinstance(value, float) else ROUND_HALF_UP
    whole = int(Decimal(value).to_integral_value(rounding, EXACT))
    if not -RANGES[target.kind] <= whole < RANGES[target.kind]:
        raise CastFailed
    return whole


def to_double(number: Decimal) -> float:
    """The nearest double. Raises `ValueOutOfRange` where it is infinite, or zero though the number is not."""
    double = float(number)
    if math.isinf(double) or (number and not double):
        raise ValueOutOfRange
    return double


def average(total: Decimal, count: int) -> Decimal:
    """PostgreSQL's `total / count`: the digits that it gives, the last one rounded, halves away from zero."""
    exact = Fraction(total) / count
    scale = _quotient_scale(total, count)
    shifted = abs(exact) * 10**scale
    whole = int(shifted + Fraction(1, 2))
    sign = "-" if exact < 0 and whole else ""
    return EXACT.create_decimal(f"{sign}{whole}E-{scale}")


def _quotient_scale(total: Decimal, count: int) -> int:
    """At least 16 significant digits, counted in PostgreSQL's groups of four, and no fewer than the total has."""
    total_weight, total_first = _leading_group(Fraction(total))
    count_weight, count_first = _leading_group(Fraction(count))
    weight = total_weight - count_weight - (total_first <= count_first)
    exponent = total.as_tuple().exponent
    assert isinstance(exponent, int)
    return min(max(16 - 4 * weight, -exponent, 0), 1000)


def _leading_group(number: Fraction) -> tuple[int, int]:
    """The power of 10,000 that the number begins with, and its digit there."""
    size, weight = abs(number), 0
    if not size:
        return 0, 0
    while size >= 10_000:
        size, weight = size / 10_000, weight + 1
    while size < 1:
        size, weight = size * 10_000, weight - 1
    return weight, int(size)

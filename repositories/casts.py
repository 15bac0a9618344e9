"""What a cast makes of a value, and the division behind AVG: the rules for stores that cannot do them themselves.

The meaning is PostgreSQL's, except that texts are read as strictly as in a filter:

* to text: the text that PostgreSQL prints (`2026-01-31 09:30:00.12+00`, `{a,"b c"}`, `1e+15`, `true`; JSON as
  `encoding.json_text`);
* text to anything: the plain forms only (no surrounding spaces, `1_000`, `0x1F`, `now`, `infinity`, `NaN`); a
  decimal's scale is the one written, and it has 34 digits at the most, leading zeros aside;
* decimals to integers: to the nearest, halves away from zero; doubles to integers: to the nearest, halves to even;
  doubles to decimals: by 15 significant digits, as PostgreSQL does;
* a date is its midnight in UTC; an instant's date is its date in UTC;
* JSON numbers, booleans: as themselves (a number is exactly what its JSON text says, so it rounds as decimals do);
  JSON of another kind cannot be cast to a number or boolean;
* anything to JSON: as it stands in an answer, but that numbers are JSON's (no exponent, no negative zero).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from repositories.encoding import decimal_text, double_text, instant_text, json_text
from repositories.errors import CastFailed
from repositories.schema import Kind, Type, Value
from repositories.texts import INT_BOUNDS, MAX_DIGITS, MAX_EXPONENT, InvalidValueError, from_text, read_decimal

#: PostgreSQL's numeric division: significant digits at the least, digits of its base, scale at the most.
_MIN_DIGITS, _BASE_DIGITS, _MAX_SCALE = 16, 4, 1000
#: What makes PostgreSQL quote an item of an array's text, besides being empty or like NULL.
_SPECIAL = re.compile(r'[{}",\\ \t\n\r\v\f]')


def cast(value: Value, source: Type, target: Type) -> Value:
    """The value as one of the type `target`; null stays null.

    The cast must be one that `expressions.castable` allows. Raises `CastFailed`.
    """
    if value is None or source.kind is target.kind:
        return value
    if source.kind is Kind.STRING and target.kind is not Kind.JSON:
        return _read(value, target)
    return _TARGETS[target.kind](value, source)


def average(total: Decimal, count: int) -> Decimal:
    """The quotient with the digits that PostgreSQL's numeric division gives it (`select_div_scale` in numeric.c).

    The scale of `total` counts: it is the least scale of the quotient. `count` is positive.
    """
    sign, digits, exponent = total.as_tuple()
    assert isinstance(exponent, int)
    number = int("".join(map(str, digits)))
    weight, first = _leading(number, exponent)
    count_weight, count_first = _leading(count, 0)
    weight -= count_weight + (first <= count_first)
    scale = min(max(_MIN_DIGITS - weight * _BASE_DIGITS, -exponent, 0), _MAX_SCALE)
    quotient, rest = divmod(number * 10 ** (scale + exponent), count)
    quotient += 2 * rest >= count
    return _decimal(sign if quotient else 0, quotient, scale)


def _leading(number: int, exponent: int) -> tuple[int, int]:
    """The weight and the value of a number's first digit in base 10,000."""
    if not number:
        return 0, 0
    text = str(number)
    weight = (len(text) - 1 + exponent) // _BASE_DIGITS
    length = len(text) + exponent - weight * _BASE_DIGITS
    return weight, int(text[:length].ljust(length, "0"))


def _decimal(sign: int, number: int, scale: int) -> Decimal:
    # by digits, since arithmetic would round to the context's precision
    return Decimal((sign, tuple(map(int, str(number))), -scale))


def _positional(value: Decimal) -> Decimal:
    """The decimal with its exponent written out where it is positive, and without a sign where it is zero."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if not value:
        return Decimal((0, (0,), min(exponent, 0)))
    return value if exponent <= 0 else Decimal((sign, digits + (0,) * exponent, 0))


def _read(text: str, target: Type) -> Value:
    try:
        return _written_decimal(target, text) if target.kind is Kind.DECIMAL else from_text(target, text)
    except InvalidValueError:
        raise CastFailed from None


def _written_decimal(target: Type, text: str) -> Decimal:
    value = read_decimal(target, text)
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    size = value.adjusted() if value else min(exponent, 0)
    if len(digits) > MAX_DIGITS or abs(size) > MAX_EXPONENT:
        raise CastFailed
    return _positional(value)


def _to_text(value: Value, source: Type) -> str:
    if source.kind is not Kind.ARRAY:
        return _TEXTS[source.kind](value)
    assert source.items is not None
    return "{" + ",".join(_item_text(item, source.items) for item in value) + "}"


def _item_text(value: Value, source: Type) -> str:
    if source.kind is Kind.BOOLEAN:
        return "t" if value else "f"
    text = _to_text(value, source)
    if text and text.lower() != "null" and not _SPECIAL.search(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _to_integer(kind: Kind) -> Callable[[Value, Type], int]:
    low, high = INT_BOUNDS[kind]

    def convert(value: Value, source: Type) -> int:
        exact = round(value) if source.kind is Kind.DOUBLE else _number(value).to_integral_value(ROUND_HALF_UP)
        number = int(exact)
        if not low <= number <= high:
            raise CastFailed
        return number

    return convert


def _to_double(value: Value, _: Type) -> float:
    number = _number(value)
    double = float(number)
    if not math.isfinite(double) or (number and not double):
        raise CastFailed
    return double


def _to_decimal(value: Value, source: Type) -> Decimal:
    return _positional(Decimal(f"{value:.15g}") if source.kind is Kind.DOUBLE else _number(value))


def _number(value: Value) -> Decimal:
    """A number that is no double, exactly. Raises `CastFailed` for JSON that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise CastFailed
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _to_boolean(value: Value, _: Type) -> bool:
    if not isinstance(value, bool):
        raise CastFailed
    return value


def _to_instant(value: date, _: Type) -> datetime:
    return datetime.combine(value, time(tzinfo=UTC))


def _to_date(value: datetime, _: Type) -> date:
    return value.date()


def _to_json(value: Value, source: Type) -> Value:
    """JSON as a store keeps it, but that a decimal stays one, with all its digits."""
    match source.kind:
        case Kind.ARRAY:
            assert source.items is not None
            return [_to_json(item, source.items) for item in value]
        case Kind.DOUBLE:
            number = Decimal(double_text(value))
            return int(number) if number == number.to_integral_value() else value
        case Kind.DATETIME:
            return instant_text(value)
        case Kind.UUID | Kind.DATE:
            return str(value)
    return value


def _instant_text(value: datetime) -> str:
    """`2026-01-31 09:30:00.12+00`"""
    return instant_text(value).replace("T", " ").removesuffix(":00")


_TEXTS: dict[Kind, Callable[[Any], str]] = {
    Kind.STRING: str,
    Kind.UUID: str,
    Kind.DATE: str,
    Kind.DATETIME: _instant_text,
    Kind.INT32: str,
    Kind.INT64: str,
    Kind.DOUBLE: double_text,
    Kind.DECIMAL: decimal_text,
    Kind.BOOLEAN: lambda value: "true" if value else "false",
    Kind.JSON: json_text,
}
_TARGETS: dict[Kind, Callable[[Value, Type], Value]] = {
    Kind.STRING: _to_text,
    Kind.INT32: _to_integer(Kind.INT32),
    Kind.INT64: _to_integer(Kind.INT64),
    Kind.DOUBLE: _to_double,
    Kind.DECIMAL: _to_decimal,
    Kind.BOOLEAN: _to_boolean,
    Kind.DATE: _to_date,
    Kind.DATETIME: _to_instant,
    Kind.JSON: _to_json,
}

"""Values as texts (filters, keys in paths, CSV, JSON strings, casts) → typed values, one strict reading for all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from repositories.schema import Kind, Type, Value

INT_BOUNDS = {Kind.INT32: (-(2**31), 2**31 - 1), Kind.INT64: (-(2**63), 2**63 - 1)}
#: IEEE 754 decimal128, which MongoDB stores, has 34 digits; exponents are bounded far inside its range.
MAX_DIGITS, MAX_EXPONENT = 34, 1000

_SQL_NAMES = {
    Kind.STRING: "text",
    Kind.INT32: "integer",
    Kind.INT64: "bigint",
    Kind.DOUBLE: "double precision",
    Kind.DECIMAL: "numeric",
    Kind.DATETIME: "timestamp with time zone",
    Kind.BOOLEAN: "boolean",
    Kind.UUID: "uuid",
    Kind.DATE: "date",
    Kind.ARRAY: "array",
    Kind.JSON: "json",
}

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?", re.ASCII)
_NONZERO = re.compile(r"[^1-9eE]*[1-9]", re.ASCII)
_UUID = re.compile(r"\{?(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}\}?", re.ASCII)
_DATE = re.compile(r"([0-9]{4,6})-([0-9]{2})-([0-9]{2})", re.ASCII)
_INSTANT = re.compile(
    r"([0-9]{4,6}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,12}))?)?)?"
    r"\s?([Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?",
    re.ASCII,
)
_BOOLEANS = dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True) | dict.fromkeys(
    ("false", "f", "no", "n", "off", "0"), False
)


class InvalidValueError(ValueError):
    """A value that its type cannot take: the SQLSTATE and PostgreSQL's words for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def from_text(kind: Type, text: str) -> Value:
    """The value of type `kind` that `text` writes. Raises `InvalidValueError`. Arrays and JSON are not read here."""
    return _READERS[kind.kind](kind, text)


def invalid(kind: Type, shown: str) -> InvalidValueError:
    """22P02: the text is no value of this type at all."""
    shown = shown if len(shown) <= 60 else shown[:60] + "…"
    return InvalidValueError("22P02", f'invalid input syntax for type {_SQL_NAMES[kind.kind]}: "{shown}"')


def out_of_range(kind: Type) -> InvalidValueError:
    """22003: a number that its type cannot hold."""
    name = _SQL_NAMES[kind.kind]
    limits = f"({kind.precision},{kind.scale})" if kind.kind is Kind.DECIMAL and kind.precision else ""
    return InvalidValueError("22003", f"value out of range for type {name}{limits}")


def checked_text(text: str) -> str:
    """Text that every store can hold. Raises `InvalidValueError` for U+0000 and lone surrogates."""
    if "\0" in text:
        raise InvalidValueError("22P05", "text must not hold the character U+0000")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidValueError("22P05", "text must not hold lone surrogates") from None
    return text


def read_decimal(kind: Type, text: str) -> Decimal:
    """The decimal as it is written, of any size. Raises `InvalidValueError` for what is none."""
    if not _NUMBER.fullmatch(text):
        raise invalid(kind, text)
    return Decimal(text)


def checked_integer(kind: Type, number: int) -> int:
    """The number, if its type can hold it."""
    low, high = INT_BOUNDS[kind.kind]
    if not low <= number <= high:
        raise out_of_range(kind)
    return number


def checked_decimal(kind: Type, number: Decimal) -> Decimal:
    """A finite decimal that every store can compare with; its digits stay as they are."""
    if not number.is_finite():
        raise invalid(kind, str(number))
    if not number:
        return Decimal(0)
    # by text, since Decimal's own arithmetic rounds to its context's precision
    significant = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    if len(significant) > MAX_DIGITS or abs(number.adjusted()) > MAX_EXPONENT:
        raise out_of_range(kind)
    return number


def _string(_: Type, text: str) -> str:
    return checked_text(text)


def _integer(kind: Type, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise invalid(kind, text)
    if len(text) > 40:
        raise out_of_range(kind)
    return checked_integer(kind, int(text))


def _double(kind: Type, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise invalid(kind, text)
    number = float(text)
    if not math.isfinite(number) or (not number and _NONZERO.match(text)):
        raise out_of_range(kind)
    return number


def _decimal(kind: Type, text: str) -> Decimal:
    return checked_decimal(kind, read_decimal(kind, text))


def _boolean(kind: Type, text: str) -> bool:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise invalid(kind, text)
    return value


def _uuid(kind: Type, text: str) -> UUID:
    if not _UUID.fullmatch(text) or text.startswith("{") != text.endswith("}"):
        raise invalid(kind, text)
    return UUID(hex=text.strip("{}").replace("-", ""))


def _date(kind: Type, text: str) -> date:
    match = _DATE.fullmatch(text)
    if match is None:
        raise _invalid_instant(kind, text)
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        raise _instant_out_of_range(text) from None


def _instant(kind: Type, text: str) -> datetime:
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise _invalid_instant(kind, text)
    day, hour, minute, second, fraction, zone, sign, zone_hours, zone_minutes = match.groups()
    milliseconds = int((fraction or "0")[:3].ljust(3, "0"))
    offset = timedelta()
    if zone not in (None, "Z", "z"):
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes or 0))
        if offset >= timedelta(hours=16) or int(zone_minutes or 0) > 59:
            raise _instant_out_of_range(text)
    try:
        clock = time(int(hour or 0), int(minute or 0), int(second or 0), milliseconds * 1000)
        zoned = clock.replace(tzinfo=timezone(-offset if sign == "-" else offset))
        return datetime.combine(date(*map(int, day.split("-"))), zoned).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _instant_out_of_range(text) from None


def _invalid_instant(kind: Type, text: str) -> InvalidValueError:
    return InvalidValueError("22007", invalid(kind, text).message)


def _instant_out_of_range(text: str) -> InvalidValueError:
    return InvalidValueError("22008", f'date/time field value out of range: "{text}"')


def _not_here(kind: Type, text: str) -> Value:
    raise invalid(kind, text)


_READERS: dict[Kind, Callable[[Type, str], Value]] = {
    Kind.STRING: _string,
    Kind.UUID: _uuid,
    Kind.DATE: _date,
    Kind.DATETIME: _instant,
    Kind.INT32: _integer,
    Kind.INT64: _integer,
    Kind.DOUBLE: _double,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.ARRAY: _not_here,
    Kind.JSON: _not_here,
}

"""Casts as SQL. Texts are read as strictly as in a filter: what PostgreSQL would also take fails with 22P02."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    Numeric,
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB, TIMESTAMP
from sqlalchemy.types import TypeEngine

from repositories.schema import Kind, Type
from repositories.sql.columns import by_code_point
from repositories.sql.postgresql import text_literal
from repositories.texts import MAX_DIGITS, MAX_EXPONENT

_INSTANT = TIMESTAMP(timezone=True, precision=3)
_TYPES: Mapping[Kind, TypeEngine[Any]] = {
    Kind.STRING: Text(),
    Kind.INT32: Integer(),
    Kind.INT64: BigInteger(),
    Kind.DOUBLE: DOUBLE_PRECISION(),
    Kind.DECIMAL: Numeric(),
    Kind.BOOLEAN: Boolean(),
    Kind.DATE: Date(),
    Kind.DATETIME: _INSTANT,
    Kind.UUID: Uuid(),
}

_INTEGER = "^[+-]?[0-9]+$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?$"
_HEX = "([0-9a-f]{4}-?){7}[0-9a-f]{4}"
_DAY = "0{0,2}[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,12})?)?"
_ZONE = r"\s?(z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)?"
#: What the text of each kind looks like, whatever the case of its letters.
_FORMS: Mapping[Kind, str] = {
    Kind.INT32: _INTEGER,
    Kind.INT64: _INTEGER,
    Kind.DOUBLE: _NUMBER,
    Kind.DECIMAL: _NUMBER,
    Kind.BOOLEAN: "^(true|t|yes|y|on|1|false|f|no|n|off|0)$",
    Kind.UUID: rf"^({_HEX}|\{{{_HEX}\}})$",
    Kind.DATE: f"^{_DAY}$",
    Kind.DATETIME: f"^{_DAY}([t ]{_CLOCK})?{_ZONE}$",
}


def cast_sql(value: ColumnElement[Any], source: Type, target: Type) -> ColumnElement[Any]:
    """The value as one of the type `target`. The cast must be one that `expressions.castable` allows."""
    if source.kind is target.kind:
        return value
    if target.kind is Kind.STRING:
        return by_code_point(cast(value, Text()))
    if target.kind is Kind.JSON:
        return func.to_jsonb(value, type_=JSONB())
    if source.kind is Kind.STRING:
        return _read(value, target.kind)
    return cast(value, _TYPES[target.kind])


def _read(text: ColumnElement[Any], kind: Kind) -> ColumnElement[Any]:
    text = by_code_point(text)
    matches = text.bool_op("~*")(text_literal(_FORMS[kind]))
    read = _READERS.get(kind)
    value = cast(text, _TYPES[kind]) if read is None else read(text)
    return case((matches, value), (text.is_not(None), _failure(text, kind)))


def _decimal(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """With the scale that is written, if the digits after leading zeros, and the size, are not too many."""
    mantissa = func.split_part(func.translate(text, *map(text_literal, "Ee")), text_literal("e"), _number(1))
    digits = func.ltrim(func.translate(mantissa, text_literal("+-."), text_literal("")), text_literal("0"))
    number = cast(text, Numeric())
    size = func.abs(number)
    small = and_(number == _number(0), func.scale(number) <= _number(MAX_EXPONENT))
    sized = and_(size >= _number(f"1e-{MAX_EXPONENT}"), size < _number(f"1e{MAX_EXPONENT + 1}"))
    few = case((func.char_length(digits) <= _number(MAX_DIGITS), or_(small, sized)), else_=literal_column("false"))
    return case((few, number), else_=_failure(text, Kind.DECIMAL))


def _date(text: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(_four_digit_year(text), Date())


def _instant(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Digits past the millisecond are cut off; in UTC the instant lies within the years 1 to 9999."""
    cut = _replaced(_four_digit_year(text), r"(\.[0-9]{3})[0-9]+", r"\1")
    spaced = _replaced(cut, r"^([0-9]{4}-[0-9]{2}-[0-9]{2})\s*([z+-].*)?$", r"\1 00:00\2")
    instant = cast(spaced, _INSTANT)
    first, end = (
        literal_column(f"'{day} 00:00:00+00'::timestamptz", _INSTANT) for day in ("0001-01-01", "10000-01-01")
    )
    return case((and_(instant >= first, instant < end), instant), else_=_failure(text, Kind.DATETIME))


_READERS: Mapping[Kind, Callable[[ColumnElement[Any]], ColumnElement[Any]]] = {
    Kind.DECIMAL: _decimal,
    Kind.DATE: _date,
    Kind.DATETIME: _instant,
}


def _failure(text: ColumnElement[Any], kind: Kind) -> ColumnElement[Any]:
    """Fails with 22P02, or 22007 for dates, when it is evaluated: as a constant it would fail while it is planned."""
    return cast(text_literal("!").op("||", return_type=Text())(func.left(text, _number(0))), _TYPES[kind])


def _four_digit_year(text: ColumnElement[Any]) -> ColumnElement[Any]:
    return _replaced(text, "^0+([0-9]{4}-)", r"\1")


def _replaced(text: ColumnElement[Any], form: str, by: str) -> ColumnElement[Any]:
    return func.regexp_replace(text, text_literal(form), text_literal(by), text_literal("i"), type_=Text())


def _midnight(day: str) -> ColumnElement[Any]:
    return literal_column(f"'{day} 00:00:00+00'::timestamptz", _INSTANT)


def _number(number: int | str) -> ColumnElement[Any]:
    return literal_column(str(number), Numeric())

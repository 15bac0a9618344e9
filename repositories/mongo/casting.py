"""Casts as aggregation expressions, by the rules of `repositories/casts.py`.

What cannot be cast makes the whole command fail, by a conversion that cannot succeed. Texts of uuids, and the JSON of
anything, are not made here: `carried` tells what stands for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bson.decimal128 import Decimal128
from bson.int64 import Int64

from repositories.errors import QueryRefused
from repositories.mongo.numbers import Expr, double_json_text, let, stripped
from repositories.mongo.paths import is_null
from repositories.mongo.texts import decimal_text, double_text, instant_text
from repositories.query import Cast, Expression
from repositories.schema import Kind, Type
from repositories.texts import INT_BOUNDS, MAX_DIGITS

_V = "$$v"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?\z"
_INTEGER = r"^[+-]?[0-9]+\z"
_UUID = r"^(\{([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}\}|([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4})\z"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z"
_INSTANT = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,3})?)?[0-9]*)?"
    r"\s?(?:[Zz]|([+-][0-9]{2})(?::?([0-9]{2}))?)?\z"
)
_TRUE, _FALSE = ["true", "t", "yes", "y", "on", "1"], ["false", "f", "no", "n", "off", "0"]
_HALF = Decimal128("0.5")
_ZERO = Decimal128("0")
_LONGEST_INTEGER = 40
#: A conversion that always fails; that it depends on the value keeps the server from trying it beforehand.
_FAILURE = {"$toInt": {"$concat": ["cast failed: ", {"$type": _V}]}}


def cast(value: Expr, source: Type, target: Type) -> Expr:
    """The value as one of the type `target`, in BSON; null stays null. The text of a uuid is the uuid."""
    if source.kind is target.kind or target.kind is Kind.JSON or (source.kind, target.kind) == (Kind.UUID, Kind.STRING):
        return value
    # What is cast of a uuid further is its text, which is that of no other type.
    converted = _FAILURE if source.kind is Kind.UUID else _TARGETS[target.kind](source)
    return let("v", value, {"$cond": [is_null(_V), None, converted]})


def carried(expression: Expression, source: Type | None) -> Expression:
    """What tells the same values apart, in the same order, and can be cast when it has been read.

    Texts of numbers have another order than numbers: they are only the same to a group.
    """
    if not isinstance(expression, Cast) or source is None:
        return expression
    if expression.type.kind is Kind.JSON and source.kind is not Kind.JSON:
        return expression.operand
    if expression.type.kind is Kind.STRING and source.kind in _SAME_ORDER | UNORDERED:
        return expression.operand
    return expression


_SAME_ORDER = frozenset({Kind.UUID, Kind.DATE, Kind.DATETIME, Kind.BOOLEAN})
#: Kinds whose texts have an order of their own, and cannot be made by an expression.
UNORDERED = frozenset({Kind.ARRAY, Kind.JSON})


def _if_matches(regex: str, then: Expr) -> Expr:
    return {"$cond": [{"$regexMatch": {"input": _V, "regex": regex}}, then, _FAILURE]}


def _within(number: Expr, low: Any, high: Any, then: Callable[[Expr], Expr]) -> Expr:
    fits = {"$and": [{"$gte": ["$$n", low]}, {"$lte": ["$$n", high]}]}
    return let("n", number, {"$cond": [fits, then("$$n"), _FAILURE]})


def _exact(source: Type) -> Expr:
    """The number that the value is, or writes, as a decimal or an integer; a number in JSON by its text."""
    match source.kind:
        case Kind.STRING:
            return _if_matches(_NUMBER, {"$toDecimal": _V})
        case Kind.JSON:
            written = {"$toDecimal": double_json_text(_V)}
            number = {"$cond": [{"$eq": [{"$type": _V}, "double"]}, written, {"$toDecimal": _V}]}
            return {"$cond": [{"$isNumber": _V}, number, _FAILURE]}
    return _V


def _to_integer(kind: Kind) -> Callable[[Type], Expr]:
    low, high = INT_BOUNDS[kind]
    name = "$toInt" if kind is Kind.INT32 else "$toLong"

    def convert(source: Type) -> Expr:
        is_long = {"$gt": [{"$strLenCP": _V}, _LONGEST_INTEGER]}
        digits = {"$cond": [is_long, _FAILURE, {"$toDecimal": _V}]}
        number = _if_matches(_INTEGER, digits) if source.kind is Kind.STRING else _exact(source)
        if source.kind is Kind.DOUBLE:
            # 2**63 - 1 is no double: what is below 2**63 fits
            bounds = (float(low), float(high) if kind is Kind.INT32 else float(high) - 1024)
            return _within({"$round": _V}, *bounds, lambda n: {name: n})
        if source.kind in (Kind.DECIMAL, Kind.JSON):
            away = {"$cond": [{"$lt": ["$$d", 0]}, {"$subtract": ["$$d", _HALF]}, {"$add": ["$$d", _HALF]}]}
            number = let("d", number, {"$trunc": away})
        return _within(number, Int64(low), Int64(high), lambda n: {name: n})

    return convert


def _to_double(source: Type) -> Expr:
    if source.kind is not Kind.STRING:
        plain = {"$toDouble": _V}
        return {"$cond": [{"$isNumber": _V}, plain, _FAILURE]} if source.kind is Kind.JSON else plain
    number = {"$convert": {"input": _V, "to": "double", "onError": None}}
    is_zero = {"$and": [{"$eq": ["$$n", 0]}, {"$regexMatch": {"input": _V, "regex": "^[^1-9eE]*[1-9]"}}]}
    lost = {"$or": [is_null("$$n"), {"$gt": [{"$abs": "$$n"}, 1.7976931348623157e308]}, is_zero]}
    return _if_matches(_NUMBER, let("n", number, {"$cond": [lost, _FAILURE, "$$n"]}))


def _to_decimal(source: Type) -> Expr:
    if source.kind is Kind.DOUBLE:
        return _unsigned_zero({"$toDecimal": stripped({"$toDecimal": _V})})
    if source.kind is not Kind.STRING:
        return _unsigned_zero({"$toDecimal": _exact(source)})
    # the addition takes the sign of a zero away
    plain = {"$add": [{"$toDecimal": _V}, _ZERO]}
    many = {"$regexMatch": {"input": _V, "regex": rf"^[+-]?[0.]*([1-9]\.?([0-9]\.?){{{MAX_DIGITS},}})([eE]|\z)"}}
    return _if_matches(_NUMBER, {"$cond": [many, _FAILURE, plain]})


def _unsigned_zero(number: Expr) -> Expr:
    """A decimal that is zero has no sign."""
    return let("n", number, {"$cond": [{"$eq": ["$$n", 0]}, {"$abs": "$$n"}, "$$n"]})


def _to_boolean(source: Type) -> Expr:
    if source.kind is Kind.JSON:
        return {"$cond": [{"$eq": [{"$type": _V}, "bool"]}, _V, _FAILURE]}
    branches = [
        {"case": {"$in": [{"$toLower": _V}, _TRUE]}, "then": True},
        {"case": {"$in": [{"$toLower": _V}, _FALSE]}, "then": False},
    ]
    return {"$switch": {"branches": branches, "default": _FAILURE}}


def _to_text(source: Type) -> Expr:
    match source.kind:
        case Kind.DECIMAL:
            return decimal_text(_V)
        case Kind.DOUBLE:
            return double_text(_V)
        case Kind.INT32 | Kind.INT64 | Kind.BOOLEAN:
            return {"$toString": _V}
        case Kind.DATE:
            return {"$dateToString": {"date": _V, "format": "%Y-%m-%d"}}
        case Kind.DATETIME:
            return instant_text(_V, "%Y-%m-%d %H:%M:%S", "+00")
    raise QueryRefused(f"The store cannot group, order or aggregate by the text of {source.kind} values.")


def _to_date(source: Type) -> Expr:
    if source.kind is Kind.DATETIME:
        return {"$dateTrunc": {"date": _V, "unit": "day"}}
    return _if_matches(_DATE, {"$dateFromString": {"dateString": _V, "onError": _FAILURE}})


def _to_instant(source: Type) -> Expr:
    if source.kind is Kind.DATE:
        return _V
    parts = [{"$ifNull": [{"$arrayElemAt": ["$$c", i]}, ""]} for i in range(5)]
    clock = {"$cond": [{"$eq": [parts[1], ""]}, "00:00", parts[1]]}
    seconds = {"$cond": [{"$eq": [parts[2], ""]}, ":00", parts[2]]}
    minutes = {"$cond": [{"$eq": [parts[4], ""]}, "00", parts[4]]}
    zone = {"$cond": [{"$eq": [parts[3], ""]}, "Z", {"$concat": [parts[3], ":", minutes]}]}
    written = {"$concat": [parts[0], "T", clock, seconds, zone]}
    read = {"$dateFromString": {"dateString": written, "onError": _FAILURE}}
    found = {"$regexFind": {"input": _V, "regex": _INSTANT}}
    return let("f", found, {"$cond": [is_null("$$f"), _FAILURE, let("c", "$$f.captures", read)]})


def _to_uuid(_: Type) -> Expr:
    """Its 32 digits: the server cannot make the value itself before MongoDB 8."""
    text: Expr = {"$toLower": _V}
    for mark in "{}-":
        text = {"$replaceAll": {"input": text, "find": mark, "replacement": ""}}
    return _if_matches(_UUID, text)


_TARGETS: dict[Kind, Callable[[Type], Expr]] = {
    Kind.STRING: _to_text,
    Kind.INT32: _to_integer(Kind.INT32),
    Kind.INT64: _to_integer(Kind.INT64),
    Kind.DOUBLE: _to_double,
    Kind.DECIMAL: _to_decimal,
    Kind.BOOLEAN: _to_boolean,
    Kind.DATE: _to_date,
    Kind.DATETIME: _to_instant,
    Kind.UUID: _to_uuid,
}

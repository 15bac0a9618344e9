"""The texts that PostgreSQL prints, as aggregation expressions."""

from __future__ import annotations

from repositories.mongo.numbers import Expr, let, shortest, stripped


def instant_text(value: Expr, format_: str, zone: str) -> Expr:
    """An instant by `format_`, its fraction without trailing zeros, and the zone."""
    fraction = {"$rtrim": {"input": {"$dateToString": {"date": value, "format": ".%L"}}, "chars": "0"}}
    seconds = {"$dateToString": {"date": value, "format": format_}}
    return {"$concat": [seconds, {"$rtrim": {"input": fraction, "chars": "."}}, zone]}


def decimal_text(value: Expr) -> Expr:
    """A decimal in positional notation, with every digit of its scale."""
    parts = {"$split": [{"$toString": "$$y"}, "E"]}
    mantissa, exponent = {"$arrayElemAt": ["$$p", 0]}, {"$toInt": {"$arrayElemAt": ["$$p", 1]}}
    point = {"$indexOfBytes": ["$$m", "."]}
    digits_after = {"$cond": [{"$lt": [point, 0]}, 0, _less({"$strLenBytes": "$$m"}, point, 1)]}
    scale = {"$max": [{"$subtract": [digits_after, exponent]}, 0]}
    # of zero, `stripped` gives no digits after the point
    bare = {"$cond": [{"$eq": ["$$y", 0]}, "0", stripped("$$y")]}
    there = {"$indexOfBytes": ["$$b", "."]}
    has = {"$cond": [{"$lt": [there, 0]}, 0, _less({"$strLenBytes": "$$b"}, there, 1)]}
    dot = {"$cond": [{"$and": [{"$lt": [there, 0]}, {"$gt": ["$$s", 0]}]}, ".", ""]}
    zeros = {"$substrBytes": ["0" * 40, 0, {"$max": [{"$subtract": ["$$s", has]}, 0]}]}
    padded = let("b", bare, let("s", scale, {"$concat": ["$$b", dot, zeros]}))
    scientific = let("m", mantissa, padded)
    plain = {"$eq": [{"$size": "$$p"}, 1]}
    return let("y", value, let("p", parts, {"$cond": [plain, {"$toString": "$$y"}, scientific]}))


def _less(value: Expr, *others: Expr) -> Expr:
    for other in others:
        value = {"$subtract": [value, other]}
    return value


def double_text(value: Expr) -> Expr:
    """A double: with an exponent from 1e+15 on and below 1e-04."""
    size = {"$abs": "$$y"}
    plain = {"$or": [{"$eq": ["$$y", 0]}, {"$and": [{"$gte": [size, 1e-4]}, {"$lt": [size, 1e15]}]}]}
    sign = {"$cond": [{"$lt": ["$$y", 0]}, "-", ""]}
    positional = {"$ltrim": {"input": stripped(shortest("$$y")), "chars": "-"}}
    whole = {"$arrayElemAt": [{"$split": ["$$t", "."]}, 0]}
    fraction = {"$arrayElemAt": [{"$split": ["$$t", "."]}, 1]}
    leading = {
        "$subtract": [{"$strLenBytes": fraction}, {"$strLenBytes": {"$ltrim": {"input": fraction, "chars": "0"}}}]
    }
    exponent = {"$cond": [{"$gte": [size, 1]}, _less({"$strLenBytes": whole}, 1), _less(0, leading, 1)]}
    digits = {"$replaceAll": {"input": "$$t", "find": ".", "replacement": ""}}
    bare = {"$ltrim": {"input": {"$rtrim": {"input": digits, "chars": "0"}}, "chars": "0"}}
    rest = {"$substrBytes": ["$$d", 1, {"$subtract": [{"$strLenBytes": "$$d"}, 1]}]}
    dotted = {"$cond": [{"$gt": [{"$strLenBytes": "$$d"}, 1]}, {"$concat": [".", rest]}, ""]}
    number = {"$toString": {"$abs": "$$e"}}
    padded = {"$cond": [{"$lt": [{"$abs": "$$e"}, 10]}, {"$concat": ["0", number]}, number]}
    power = {"$concat": ["e", {"$cond": [{"$lt": ["$$e", 0]}, "-", "+"]}, padded]}
    written = let("e", exponent, {"$concat": [sign, {"$substrBytes": ["$$d", 0, 1]}, dotted, power]})
    scientific = let("t", positional, let("d", bare, written))
    return let("y", value, {"$cond": [plain, stripped(shortest("$$y")), scientific]})

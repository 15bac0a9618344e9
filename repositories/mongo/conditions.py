"""Comparisons that a find filter has no words for, as expressions: paths, free JSON, arrays, regular expressions.

An expression is given to the find filter as `$expr`. It is true where the comparison (or its negation) is true, so a
null value is told apart first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from uuid import UUID

from bson.decimal128 import Decimal128

from repositories import patterns
from repositories.errors import QueryRefused
from repositories.mongo import json_conditions
from repositories.mongo.documents import writer
from repositories.mongo.numbers import Expr, let
from repositories.mongo.paths import LEAST_DECIMAL, not_null
from repositories.patterns import Pattern, Wildcard
from repositories.query import Column, Operator, Quantifier
from repositories.schema import Kind, Type, Value

#: An expression about a value that is not null, given by the name of its variable.
Test = Callable[[str, Any], Expr]
_VALUE = "$$v"


def compile_test(
    value: Expr, kind: Type, operator: Operator, quantifier: Quantifier | None = None, *, negated: bool
) -> Callable[[Value], Expr]:
    """What makes, from the operand, the expression which is true where the comparison (its negation) is."""
    test = _test(kind, operator)
    write = _operand(kind, operator)
    joint = "$and" if quantifier is Quantifier.ALL else "$or"

    def build(operand: Value) -> Expr:
        if operator is Operator.IN and not operand:
            return negated
        if quantifier is None:
            found = test(_VALUE, write(operand))
        elif not operand:
            return (quantifier is Quantifier.ALL) != negated
        else:
            found = {joint: [test(_VALUE, write(each)) for each in operand]}
        result = {"$not": [found]} if negated else found
        return let("v", value, {"$cond": [not_null(_VALUE), result, _of_null(operator, negated=negated)]})

    return build


def compile_uuid_test(
    value: Expr, operator: Operator, quantifier: Quantifier | None, *, negated: bool
) -> Callable[[Value], Expr]:
    """The same, where uuids stand for their texts: they can be equal to a text, and no more can be told."""
    if operator not in _EQUALITY:
        raise QueryRefused("The store can compare the items of an array of uuids for equality only.")
    is_list = operator is Operator.IN or quantifier is not None
    test = compile_test(value, _UNTYPED, operator, quantifier, negated=negated)
    return lambda operand: test(list(map(_uuid, operand)) if is_list else _uuid(operand))


def compile_item_test(
    value: Expr, column: Column, operator: Operator, quantifier: Quantifier | None, *, negated: bool
) -> Callable[[Value], Expr]:
    """The same, of an item of an array: a number in JSON that is a decimal there is compared by what its text says."""
    test = compile_test(value, column.type, operator, quantifier, negated=negated)
    items = column.field.type.items
    least = LEAST_DECIMAL if items is not None and items.kind is Kind.DOUBLE else 0.0
    return lambda operand: test(_by_text(operand, least))


def _by_text(operand: Value, least: float) -> Value:
    """The operand, its doubles from `least` on as the decimals that their texts are."""
    match operand:
        case float() if abs(operand) >= least:
            return Decimal128(repr(operand))
        case list() | tuple():
            return [_by_text(each, least) for each in operand]
        case dict():
            return {key: _by_text(each, least) for key, each in operand.items()}
    return operand


_EQUALITY = frozenset((Operator.EQ, Operator.NEQ, Operator.IN, Operator.ISDISTINCT))
#: Values that are BSON already.
_UNTYPED = Type(Kind.STRING)


def _uuid(text: Value) -> Value:
    try:
        return found if isinstance(text, str) and str(found := UUID(text)) == text else text
    except ValueError:
        return text


def _of_null(operator: Operator, *, negated: bool) -> bool:
    return operator is Operator.ISDISTINCT and not negated


def _operand(kind: Type, operator: Operator) -> Callable[[Value], Any]:
    if operator in (Operator.LIKE, Operator.ILIKE, Operator.MATCH, Operator.IMATCH):
        return lambda value: value
    write = writer(kind)
    return (lambda values: [write(each) for each in values]) if operator is Operator.IN else write


def _test(kind: Type, operator: Operator) -> Test:
    if kind.kind is Kind.JSON:
        return _JSON[operator]
    if kind.kind is Kind.ARRAY and operator in _ARRAYS:
        return _ARRAYS[operator]
    return _SCALARS[operator]


def _plain(name: str) -> Test:
    return lambda value, operand: {name: [value, {"$literal": operand}]}


def _like(*, fold: bool) -> Test:
    return lambda value, pattern: _matches(value, like_regex(pattern, fold=fold))


def _matches(value: str, regex: str) -> Expr:
    """Unlike the find filter's `$regex`, this fails when a match becomes too costly, and leaves no record out."""
    return {"$regexMatch": {"input": value, "regex": {"$literal": regex}, "options": "s"}}


def _match(value: str, regex: Any) -> Expr:
    return _matches(value, regex.text(end="\\z", possessive=True))


_SCALARS: dict[Operator, Test] = {
    Operator.EQ: _plain("$eq"),
    Operator.NEQ: _plain("$ne"),
    Operator.GT: _plain("$gt"),
    Operator.GTE: _plain("$gte"),
    Operator.LT: _plain("$lt"),
    Operator.LTE: _plain("$lte"),
    Operator.IN: _plain("$in"),
    Operator.ISDISTINCT: _plain("$ne"),
    Operator.LIKE: _like(fold=False),
    Operator.ILIKE: _like(fold=True),
    Operator.MATCH: _match,
    Operator.IMATCH: _match,
}

_ARRAYS: dict[Operator, Test] = {
    Operator.CONTAINS: lambda value, items: {"$setIsSubset": [{"$literal": items}, value]},
    Operator.CONTAINED: lambda value, items: {"$setIsSubset": [value, {"$literal": items}]},
    Operator.OVERLAPS: lambda value, items: {"$ne": [{"$setIntersection": [value, {"$literal": items}]}, []]},
}


def _unequal(value: str, operand: Any) -> Expr:
    return {"$not": [json_conditions.equal(value, operand)]}


def _ordered(operator: Operator) -> Test:
    return lambda value, bound: json_conditions.ordered(value, operator, bound)


_JSON: dict[Operator, Test] = {
    Operator.EQ: json_conditions.equal,
    Operator.NEQ: _unequal,
    Operator.ISDISTINCT: _unequal,
    Operator.IN: lambda value, operands: {"$or": [json_conditions.equal(value, each) for each in operands]},
    Operator.CONTAINS: json_conditions.contains,
    Operator.CONTAINED: json_conditions.contained,
    **{operator: _ordered(operator) for operator in (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)},
}


def like_regex(pattern: Pattern, *, fold: bool) -> str:
    """The pattern for PCRE, without backtracking.

    PCRE gives up a long match silently: MongoDB then leaves the record out. So each run of any characters ends at the
    first place where what follows it fits, and is not tried again (an atomic group); no other choice can do better.
    """
    runs = [
        patterns.regex(Pattern(tuple(parts)), fold=fold, any_character=".", end="").removeprefix("^")
        for is_any, parts in itertools.groupby(pattern.parts, lambda part: part is Wildcard.ANY)
        if not is_any
    ]
    starts_open = bool(pattern.parts) and pattern.parts[0] is Wildcard.ANY
    ends_open = bool(pattern.parts) and pattern.parts[-1] is Wildcard.ANY
    first = "" if starts_open or not runs else runs.pop(0)
    last = "" if ends_open else f".*{runs.pop()}\\z" if runs else "\\z"
    middle = "".join(f"(?>.*?{run})" for run in runs)
    return f"^{first}{middle}{last}"

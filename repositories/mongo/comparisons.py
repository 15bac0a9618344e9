"""The comparisons of a find filter: for each operator what it is, and what its negation is.

`$gt` and its kind already leave out null and missing (type bracketing), so that the negation of `gt` is `lte`; those
that would let null through (`$nin`, `$not`) say that it must not be null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from repositories.mongo.conditions import compile_test, like_regex
from repositories.mongo.documents import BSON, writer
from repositories.patterns import Pattern, Wildcard
from repositories.query import TEXT, Operator, State
from repositories.schema import Type

#: Makes the filter from the path and the operand.
Compare = Callable[[str, Any], BSON]

#: The filter that every record meets.
TRUE: BSON = {}
#: No record has none of the keys: the planner answers without a look at the collection.
FALSE: BSON = {"_id": {"$in": []}}

#: The operators that ask for an order.
ORDERED = frozenset((Operator.GT, Operator.GTE, Operator.LT, Operator.LTE))


def _of_type(kind: Type) -> Callable[[Any], Any]:
    return writer(kind)


def _list_of_type(kind: Type) -> Callable[[Any], Any]:
    write = writer(kind)
    return lambda values: [write(item) for item in values]


def _as_it_is(_: Type) -> Callable[[Any], Any]:
    return lambda value: value


#: How the operand of each operator becomes BSON.
OPERANDS: dict[Operator, Callable[[Type], Callable[[Any], Any]]] = dict.fromkeys(Operator, _of_type) | {
    Operator.IN: _list_of_type,
    Operator.LIKE: _as_it_is,
    Operator.ILIKE: _as_it_is,
    Operator.MATCH: _as_it_is,
    Operator.IMATCH: _as_it_is,
}


def _regex(pattern: Pattern, *, fold: bool) -> BSON:
    return {"$regex": like_regex(pattern, fold=fold), "$options": "s"}


def _literal(pattern: Pattern) -> str | None:
    """The one text that the pattern matches, if it has no wildcards."""
    if any(isinstance(part, Wildcard) for part in pattern.parts):
        return None
    return pattern.prefix


def _like(where: str, pattern: Pattern) -> BSON:
    literal = _literal(pattern)
    if literal is not None:
        return {where: literal}
    # The bound lets a partial index on the field serve the filter.
    bound = {"$gte": pattern.prefix} if pattern.prefix else {}
    return {where: {**_regex(pattern, fold=False), **bound}}


def _not_like(where: str, pattern: Pattern) -> BSON:
    literal = _literal(pattern)
    if literal is not None:
        return _not_equal(where, literal)
    return {where: {"$not": _regex(pattern, fold=False), "$ne": None}}


def _ilike(where: str, pattern: Pattern) -> BSON:
    return {where: _regex(pattern, fold=True)}


def _not_ilike(where: str, pattern: Pattern) -> BSON:
    return {where: {"$not": _regex(pattern, fold=True), "$ne": None}}


def _with(name: str) -> Compare:
    return lambda where, value: {where: {name: value}}


def _equal(where: str, value: Any) -> BSON:
    return {where: value}


def _not_equal(where: str, value: Any) -> BSON:
    return {where: {"$nin": [value, None]}}


def _not_in(where: str, values: Any) -> BSON:
    return {where: {"$nin": [*values, None]}} if values else TRUE


def _not_in_any(where: str, items: list[Any]) -> BSON:
    return {where: {"$nin": [*items, None]}}


def _by_expression(operator: Operator, kind: Type) -> tuple[Compare, Compare]:
    def compare(*, negated: bool) -> Compare:
        return lambda where, value: {
            "$expr": compile_test(f"${where}", kind, operator, negated=negated)(value),
        }

    return compare(negated=False), compare(negated=True)


def _contains(where: str, items: list[Any]) -> BSON:
    return {where: {"$all": items} if items else {"$ne": None}}


def _not_contains(where: str, items: list[Any]) -> BSON:
    return {"$and": [{where: {"$ne": None}}, {where: {"$not": {"$all": items}}}]} if items else FALSE


def _contained(where: str, items: list[Any]) -> BSON:
    return {where: {"$ne": None, "$not": {"$elemMatch": {"$nin": items}}}}


def _not_contained(where: str, items: list[Any]) -> BSON:
    return {where: {"$elemMatch": {"$nin": items}}}


#: For each operator its filter and that of its negation.
COMPARISONS: dict[Operator, tuple[Compare, Compare]] = {
    Operator.EQ: (_equal, _not_equal),
    Operator.NEQ: (_not_equal, _equal),
    Operator.GT: (_with("$gt"), _with("$lte")),
    Operator.GTE: (_with("$gte"), _with("$lt")),
    Operator.LT: (_with("$lt"), _with("$gte")),
    Operator.LTE: (_with("$lte"), _with("$gt")),
    Operator.LIKE: (_like, _not_like),
    Operator.ILIKE: (_ilike, _not_ilike),
    Operator.MATCH: _by_expression(Operator.MATCH, TEXT),
    Operator.IMATCH: _by_expression(Operator.IMATCH, TEXT),
    Operator.IN: (_with("$in"), _not_in),
    Operator.ISDISTINCT: (_with("$ne"), _equal),
    Operator.CONTAINS: (_contains, _not_contains),
    Operator.CONTAINED: (_contained, _not_contained),
    Operator.OVERLAPS: (_with("$in"), _not_in_any),
}

#: What a field must be for each state, and for its negation.
STATES: dict[tuple[State, bool], Any] = {
    (State.NULL, False): None,
    (State.NULL, True): {"$ne": None},
    (State.NOT_NULL, False): {"$ne": None},
    (State.NOT_NULL, True): None,
    (State.TRUE, False): True,
    (State.TRUE, True): {"$ne": True},
    (State.FALSE, False): False,
    (State.FALSE, True): {"$ne": False},
    (State.UNKNOWN, False): None,
    (State.UNKNOWN, True): {"$ne": None},
}

"""Comparisons of free JSON with a constant, compiled from the constant: structure by structure, never into arrays.

Documents of others may have the members of an object in any order, so that equality is: each member equal, and as
many of them. Order is by kind first. Each function gives an expression about `value`, which is a variable's name and
not null.
"""

from __future__ import annotations

from typing import Any

from repositories.mongo.numbers import Expr, let
from repositories.query import Operator

_NUMBERS = ["int", "long", "double", "decimal"]
#: The BSON types of JSON, by rank.
_RANKS = (["string"], _NUMBERS, ["bool"], ["array"], ["object"])


def rank(value: Expr) -> Expr:
    """The place of a value's kind in the order of kinds, from 1."""
    branches = [{"case": {"$in": [{"$type": value}, types]}, "then": place} for place, types in enumerate(_RANKS, 1)]
    return {"$switch": {"branches": branches, "default": 1}}


def equal(value: str, wanted: Any) -> Expr:
    """Whether the value is `wanted`, by structure."""
    if not _has_orders(wanted):
        return {"$eq": [value, {"$literal": wanted}]}
    if isinstance(wanted, dict):
        members = [_at_key(value, key, "equal", item) for key, item in wanted.items()]
        return _if_type(value, "object", [{"$eq": [_members(value), len(wanted)]}, *members])
    items = [let("v", {"$arrayElemAt": [value, place]}, equal("$$v", item)) for place, item in enumerate(wanted)]
    return _if_type(value, "array", [{"$eq": [{"$size": value}, len(wanted)]}, *items])


def _has_orders(wanted: Any) -> bool:
    """Equal values can have their members in another order."""
    if isinstance(wanted, dict):
        return len(wanted) > 1 or any(map(_has_orders, wanted.values()))
    return isinstance(wanted, list) and any(map(_has_orders, wanted))


def _members(value: str) -> Expr:
    return {"$size": {"$objectToArray": value}}


def _if_type(value: str, name: str, conditions: list[Expr]) -> Expr:
    return {"$cond": [{"$eq": [{"$type": value}, name]}, {"$and": conditions}, False]}


def _at_key(value: str, key: str, what: str, item: Any) -> Expr:
    test = {"equal": equal, "contains": _contains}[what]
    return let("v", {"$getField": {"field": {"$literal": key}, "input": value}}, test("$$v", item))


def contains(value: str, part: Any) -> Expr:
    """PostgreSQL's `value @> part`."""
    if isinstance(part, dict | list):
        return _contains(value, part)
    within = {"$cond": [{"$isArray": [value]}, {"$in": [{"$literal": part}, value]}, False]}
    return {"$or": [equal(value, part), within]}


def _contains(value: str, part: Any) -> Expr:
    if isinstance(part, dict):
        return _if_type(value, "object", [_at_key(value, key, "contains", item) for key, item in part.items()])
    if isinstance(part, list):
        return _if_type(value, "array", [_has_item(value, item) for item in part])
    return equal(value, part)


def _has_item(value: str, item: Any) -> Expr:
    if not isinstance(item, dict | list):
        return {"$in": [{"$literal": item}, value]}
    return {"$anyElementTrue": [{"$map": {"input": value, "as": "v", "in": _contains("$$v", item)}}]}


def contained(value: str, whole: Any) -> Expr:
    """PostgreSQL's `value <@ whole`."""
    if isinstance(whole, list):
        scalars = [item for item in whole if not isinstance(item, dict | list)]
        return {"$or": [_contained(value, whole), {"$in": [value, {"$literal": scalars}]}]}
    return _contained(value, whole)


def _contained(value: str, whole: Any) -> Expr:
    fits: Expr
    if isinstance(whole, dict):
        branches = [
            {"case": {"$eq": ["$$m.k", {"$literal": key}]}, "then": let("v", "$$m.v", _contained("$$v", item))}
            for key, item in whole.items()
        ]
        fits = {"$switch": {"branches": branches, "default": False}} if branches else False
        members = {"$map": {"input": {"$objectToArray": value}, "as": "m", "in": fits}}
        return _if_type(value, "object", [{"$allElementsTrue": [members]}])
    if isinstance(whole, list):
        fits = {"$or": [_contained("$$v", item) for item in whole]}
        return _if_type(value, "array", [{"$allElementsTrue": [{"$map": {"input": value, "as": "v", "in": fits}}]}])
    return equal(value, whole)


def ordered(value: str, operator: Operator, bound: Any) -> Expr:
    """`value operator bound`, where the bound is a scalar."""
    place = next(place for place, types in enumerate(_RANKS) if _type_of(bound) in types)
    name = f"${operator.value}"
    beyond = _RANKS[place + 1 :] if operator in (Operator.GT, Operator.GTE) else _RANKS[:place]
    alike = {"$cond": [{"$in": [{"$type": value}, _RANKS[place]]}, {name: [value, {"$literal": bound}]}, False]}
    return {"$or": [{"$in": [{"$type": value}, [each for types in beyond for each in types]]}, alike]}


def _type_of(bound: Any) -> str:
    if isinstance(bound, bool):
        return "bool"
    return "string" if isinstance(bound, str) else "double"

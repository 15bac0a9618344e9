"""Conditions as find filters: three-valued logic by pushing each negation down to its comparisons.

A comparison of MongoDB is two-valued. `$gt` and its kind already leave out null and missing (type bracketing), so that
the negation of `gt` is `lte`; those that would let null through (`$nin`, `$not`) say that it must not be null. What
depends only on the shape is done once; a filter is then made from the values by closures.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from repositories import patterns
from repositories.errors import QueryRefused
from repositories.mongo.documents import BSON, path, writer
from repositories.patterns import Pattern, Wildcard
from repositories.query import And, Comparison, Condition, Is, Not, Operator, Or, Param, State, Values
from repositories.schema import Field, Kind, Resource

#: Makes the filter from the query's values.
Build = Callable[[Values], BSON]
_Compare = Callable[[str, Any], BSON]

TRUE: BSON = {}
#: No record has none of the keys: the planner answers without a look at the collection.
FALSE: BSON = {"_id": {"$in": []}}


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled condition, and what it says of every record that meets it."""

    build: Build
    #: Fields that have one value in all of them.
    constant: frozenset[Field]
    #: Fields that are null in none of them.
    present: frozenset[Field]
    #: The condition names the whole primary key: there is at most one.
    single: bool
    #: MongoDB may answer it from several index scans, merged by the sort.
    merges: bool


def compile_filter(resource: Resource, condition: Condition) -> Filter:
    """The filter of a condition on the resource."""
    conjuncts = list(_conjuncts(condition))
    equal: dict[Field, Comparison] = {}
    for each in conjuncts:
        if isinstance(each, Comparison) and each.operator is Operator.EQ:
            equal.setdefault(each.column.field, each)
    single = all(field in equal for field in resource.key)
    builds = []
    if single and len(resource.key) > 1:
        builds.append(_whole_key(resource, equal))
        conjuncts = [each for each in conjuncts if not any(each is equal[field] for field in resource.key)]
    builds.append(_build(resource, And(tuple(conjuncts)), negated=False))
    present = _present(condition, negated=False)
    return Filter(_joined("$and", builds), frozenset(equal), present, single, _merges(condition, negated=False))


def _conjuncts(condition: Condition) -> list[Condition]:
    """The conditions that all must be true, through nested conjunctions."""
    if isinstance(condition, And):
        return list(itertools.chain.from_iterable(map(_conjuncts, condition.conditions)))
    return [condition]


def _whole_key(resource: Resource, equal: Mapping[Field, Comparison]) -> Build:
    members = [(field.name, writer(field.type), equal[field].value.index) for field in resource.key]
    return lambda values: {"_id": {name: write(values[index]) for name, write, index in members}}


def _present(condition: Condition, *, negated: bool) -> frozenset[Field]:
    match condition:
        case Not(inner):
            return _present(inner, negated=not negated)
        case Comparison(column, operator, _):
            # `not in` of no values holds for null, too.
            return frozenset() if negated and operator is Operator.IN else frozenset((column.field,))
        case Is(column, state):
            excludes = (state in (State.NULL, State.UNKNOWN)) == negated
            return frozenset((column.field,)) if excludes else frozenset()
        case And(conditions) | Or(conditions):
            parts = [_present(each, negated=negated) for each in conditions]
            if isinstance(condition, Or) == negated:
                return frozenset().union(*parts)
            return frozenset.intersection(*parts) if parts else frozenset()


def _merges(condition: Condition, *, negated: bool) -> bool:
    """The condition has alternatives that an index holds apart: values of a list, null and missing, a disjunction."""
    match condition:
        case Not(inner):
            return _merges(inner, negated=not negated)
        case Comparison(_, operator, _):
            return operator is Operator.IN and not negated
        case Is(_, state):
            return state in (State.NULL, State.NOT_NULL, State.UNKNOWN) and (state is State.NOT_NULL) == negated
        case And(conditions) | Or(conditions):
            return isinstance(condition, Or) != negated or any(_merges(each, negated=negated) for each in conditions)


def _build(resource: Resource, condition: Condition, *, negated: bool) -> Build:
    match condition:
        case Not(inner):
            return _build(resource, inner, negated=not negated)
        case Comparison(column, operator, value):
            return _comparison(resource, column.field, operator, value, negated=negated)
        case Is(column, state):
            return _constant(_state(resource, column.field, state, negated=negated))
        case And(conditions) | Or(conditions):
            operator_name = "$and" if isinstance(condition, And) != negated else "$or"
            return _joined(operator_name, [_build(resource, each, negated=negated) for each in conditions])


def _constant(filter_: BSON) -> Build:
    return lambda _: filter_


_ALWAYS = _constant(TRUE)


def _joined(operator_name: str, builds: list[Build]) -> Build:
    if operator_name == "$and":
        builds = [build for build in builds if build is not _ALWAYS]
        if not builds:
            return _ALWAYS
    elif not builds:
        return _constant(FALSE)
    if len(builds) == 1:
        return builds[0]
    return lambda values: {operator_name: [build(values) for build in builds]}


def _comparison(resource: Resource, field: Field, operator: Operator, value: Param, *, negated: bool) -> Build:
    where = path(resource, field)
    index = value.index
    if field.type.kind is Kind.JSON:
        if operator not in _JSON:
            raise QueryRefused("Free JSON can be compared for equality only.")
        compare = _JSON[operator][negated]
    else:
        compare = COMPARISONS[operator][negated]
    if operator in (Operator.LIKE, Operator.ILIKE):
        return lambda values: compare(where, values[index])
    write = writer(field.type)
    if operator is Operator.IN:
        return lambda values: compare(where, [write(item) for item in values[index]])
    return lambda values: compare(where, write(values[index]))


def _regex(pattern: Pattern, *, fold: bool) -> BSON:
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
    return {"$regex": f"^{first}{middle}{last}", "$options": "s"}


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


def _with(name: str) -> _Compare:
    return lambda where, value: {where: {name: value}}


def _equal(where: str, value: Any) -> BSON:
    return {where: value}


def _not_equal(where: str, value: Any) -> BSON:
    return {where: {"$nin": [value, None]}}


def _not_in(where: str, values: Any) -> BSON:
    return {where: {"$nin": [*values, None]}} if values else TRUE


#: For each operator its filter and that of its negation.
COMPARISONS: dict[Operator, tuple[_Compare, _Compare]] = {
    Operator.EQ: (_equal, _not_equal),
    Operator.NEQ: (_not_equal, _equal),
    Operator.GT: (_with("$gt"), _with("$lte")),
    Operator.GTE: (_with("$gte"), _with("$lt")),
    Operator.LT: (_with("$lt"), _with("$gte")),
    Operator.LTE: (_with("$lte"), _with("$gt")),
    Operator.LIKE: (_like, _not_like),
    Operator.ILIKE: (_ilike, _not_ilike),
    Operator.IN: (_with("$in"), _not_in),
}


def _not_null(where: str) -> BSON:
    """Null and missing are the least of all values to an expression."""
    return {"$gt": [f"${where}", None]}


def _json_equal(where: str, value: Any) -> BSON:
    return {"$expr": {"$eq": [f"${where}", {"$literal": value}]}}


def _json_not_equal(where: str, value: Any) -> BSON:
    return {"$expr": {"$and": [_not_null(where), {"$ne": [f"${where}", {"$literal": value}]}]}}


def _json_in(where: str, values: Any) -> BSON:
    return {"$expr": {"$in": [f"${where}", {"$literal": values}]}}


def _json_not_in(where: str, values: Any) -> BSON:
    if not values:
        return TRUE
    return {"$expr": {"$and": [_not_null(where), {"$not": [{"$in": [f"${where}", {"$literal": values}]}]}]}}


#: Free JSON is compared whole: a find filter would look into arrays.
_JSON: dict[Operator, tuple[_Compare, _Compare]] = {
    Operator.EQ: (_json_equal, _json_not_equal),
    Operator.NEQ: (_json_not_equal, _json_equal),
    Operator.IN: (_json_in, _json_not_in),
}


def _state(resource: Resource, field: Field, state: State, *, negated: bool) -> BSON:
    where = path(resource, field)
    if field.type.kind is not Kind.JSON:
        return {where: _STATES[state, negated]}
    # `{"x": None}` would find a null inside of an array, too.
    present = (state is State.NULL) == negated
    return {"$expr": _not_null(where) if present else {"$not": [_not_null(where)]}}


_STATES: dict[tuple[State, bool], Any] = {
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

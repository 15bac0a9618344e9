"""Conditions as find filters: three-valued logic by pushing each negation down to its comparisons.

A comparison of MongoDB is two-valued; `comparisons.py` has each with its negation. What depends only on the shape is
done once; a filter is then made from the values by closures. What a find filter has no words for is an `$expr`, made
by `conditions.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from repositories.mongo.comparisons import COMPARISONS, FALSE, OPERANDS, ORDERED, STATES, TRUE
from repositories.mongo.conditions import compile_item_test, compile_test, compile_uuid_test
from repositories.mongo.documents import BSON, key_writer, path, writer
from repositories.mongo.paths import column as column_value
from repositories.mongo.paths import has_decimals, has_uuids, is_null, not_null
from repositories.query import (
    Among,
    And,
    Column,
    Comparison,
    Condition,
    Is,
    Not,
    Operator,
    Or,
    Param,
    Quantifier,
    Related,
    State,
    Values,
)
from repositories.schema import Field, Kind, Resource, Type

#: Makes the filter from the query's values.
Build = Callable[[Values], BSON]
#: The path of the list of an embed's records, which may depend on the values.
Place = Callable[[int, Values], str]


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


def compile_filter(resource: Resource, condition: Condition, place: Place | None = None) -> Filter:
    """The filter of a condition on the resource; `place` tells where the records of its embeds have been put."""
    conjuncts = list(conjuncts_of(condition))
    equal: dict[Field, Comparison] = {}
    for each in conjuncts:
        if _is_equality(each):
            equal.setdefault(each.column.field, each)
    single = all(field in equal for field in resource.key)
    builds = []
    if single and len(resource.key) > 1:
        builds.append(_whole_key(resource, equal))
        conjuncts = [each for each in conjuncts if not any(each is equal[field] for field in resource.key)]
    builds.append(_build(_Scope(resource, place), And(tuple(conjuncts)), negated=False))
    present = _present(condition, negated=False)
    return Filter(_joined("$and", builds), frozenset(equal), present, single, _merges(condition, negated=False))


@dataclass(frozen=True, slots=True)
class _Scope:
    resource: Resource
    place: Place | None


def conjuncts_of(condition: Condition) -> list[Condition]:
    """The conditions that all must be true, through nested conjunctions."""
    if isinstance(condition, And):
        return list(itertools.chain.from_iterable(map(conjuncts_of, condition.conditions)))
    return [condition]


def _is_equality(condition: Condition) -> TypeGuard[Comparison]:
    if not isinstance(condition, Comparison) or condition.quantifier is not None or condition.column.path:
        return False
    return condition.operator is Operator.EQ


def _whole_key(resource: Resource, equal: Mapping[Field, Comparison]) -> Build:
    members = [(field.name, writer(field.type), equal[field].value.index) for field in resource.key]
    return lambda values: {"_id": {name: write(values[index]) for name, write, index in members}}


def _present(condition: Condition, *, negated: bool) -> frozenset[Field]:
    match condition:
        case Not(inner):
            return _present(inner, negated=not negated)
        case Comparison(column, operator, _, quantifier):
            # `not in` of no values holds for null, too, as does `all` of none.
            holds_for_null = operator is Operator.IN and negated
            holds_for_null |= quantifier is (Quantifier.ANY if negated else Quantifier.ALL)
            holds_for_null |= operator is Operator.ISDISTINCT and not negated
            return frozenset() if holds_for_null else frozenset((column.field,))
        case Among() | Related():
            return frozenset()
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
        case Comparison(_, operator, _, quantifier):
            if quantifier is not None:
                return (quantifier is Quantifier.ALL) == negated
            return operator in (Operator.IN, Operator.OVERLAPS) and not negated
        case Among():
            return not negated
        case Related():
            return False
        case Is(_, state):
            return state in (State.NULL, State.NOT_NULL, State.UNKNOWN) and (state is State.NOT_NULL) == negated
        case And(conditions) | Or(conditions):
            return isinstance(condition, Or) != negated or any(_merges(each, negated=negated) for each in conditions)


def _build(scope: _Scope, condition: Condition, *, negated: bool) -> Build:
    match condition:
        case Not(inner):
            return _build(scope, inner, negated=not negated)
        case Comparison():
            return _comparison(scope.resource, condition, negated=negated)
        case Is(column, state):
            return _constant(_state(scope.resource, column, state, negated=negated))
        case Among(param):
            return _among(scope.resource, param, negated=negated)
        case Related(index):
            place = scope.place
            assert place is not None
            found: Any = [] if negated else {"$ne": []}
            return lambda values: {place(index, values): found}
        case And(conditions) | Or(conditions):
            operator_name = "$and" if isinstance(condition, And) != negated else "$or"
            return _joined(operator_name, [_build(scope, each, negated=negated) for each in conditions])


def _among(resource: Resource, param: Param, *, negated: bool) -> Build:
    operator = "$nin" if negated else "$in"
    make = key_writer(resource)
    return lambda values: {"_id": {operator: [make(key) for key in values[param.index]]}}


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


def _comparison(resource: Resource, condition: Comparison, *, negated: bool) -> Build:
    column, operator, quantifier = condition.column, condition.operator, condition.quantifier
    index = condition.value.index
    if column.path or _needs_expression(column.type, operator):
        value = column_value(resource, column)
        if has_uuids(column):
            test = compile_uuid_test(value, operator, quantifier, negated=negated)
        elif has_decimals(column):
            test = compile_item_test(value, column, operator, quantifier, negated=negated)
        else:
            test = compile_test(value, column.type, operator, quantifier, negated=negated)
        return lambda values: {"$expr": test(values[index])}
    where = path(resource, column.field)
    compare = COMPARISONS[operator][negated]
    write = OPERANDS[operator](column.type)
    if quantifier is None:
        return lambda values: compare(where, write(values[index]))
    is_joint = (quantifier is Quantifier.ALL) != negated

    def build(values: Values) -> BSON:
        filters = [compare(where, write(each)) for each in values[index]]
        if not filters:
            return TRUE if is_joint else FALSE
        return {"$and" if is_joint else "$or": filters}

    return build


def _needs_expression(kind: Type, operator: Operator) -> bool:
    """A find filter would look into an array, or compares objects by the order of their members."""
    return kind.kind is Kind.JSON or (kind.kind is Kind.ARRAY and operator in ORDERED)


def _state(resource: Resource, column: Column, state: State, *, negated: bool) -> BSON:
    if not column.path and column.type.kind is not Kind.JSON:
        return {path(resource, column.field): STATES[state, negated]}
    # `{"x": None}` would find a null inside of an array, too.
    present = (state in (State.NULL, State.UNKNOWN)) == negated
    value = column_value(resource, column)
    return {"$expr": not_null(value) if present else is_null(value)}

"""Conditions and order over one record at a time, literally: True, False, or None for unknown."""

from __future__ import annotations

from collections.abc import Sequence

from repositories.patterns import Pattern, Wildcard, simple_fold
from repositories.query import And, Comparison, Condition, Is, Not, Operator, Or, Sort, State, Values
from repositories.schema import Value

#: A stored record, by field name. A field that is not there reads as null.
Record = dict[str, Value]
Truth = bool | None


def truth(condition: Condition, record: Record, values: Values) -> Truth:
    """What SQL's three-valued logic says of the record."""
    match condition:
        case Comparison(column, operator, value):
            return _compared(operator, record.get(column.field.name), values[value.index])
        case Is(column, state):
            return _is(state, record.get(column.field.name))
        case Not(inner):
            return _negation(truth(inner, record, values))
        case And(conditions):
            return _conjunction([truth(one, record, values) for one in conditions])
        case Or(conditions):
            return _negation(_conjunction([_negation(truth(one, record, values)) for one in conditions]))


def _negation(one: Truth) -> Truth:
    return None if one is None else not one


def _conjunction(all_of: list[Truth]) -> Truth:
    if False in all_of:
        return False
    return None if None in all_of else True


def _compared(operator: Operator, stored: Value, given: Value) -> Truth:
    if operator is Operator.IN and len(given) == 0:
        return False
    if stored is None:
        return None
    match operator:
        case Operator.EQ:
            return _equal(stored, given)
        case Operator.NEQ:
            return not _equal(stored, given)
        case Operator.GT:
            return bool(stored > given)
        case Operator.GTE:
            return bool(stored >= given)
        case Operator.LT:
            return bool(stored < given)
        case Operator.LTE:
            return bool(stored <= given)
        case Operator.IN:
            return any(_equal(stored, one) for one in given)
        case Operator.LIKE:
            return matches(_tokens(given), stored)
        case Operator.ILIKE:
            return matches([_folded(token) for token in _tokens(given)], "".join(map(simple_fold, stored)))


def _equal(one: Value, other: Value) -> bool:
    """Equal as JSON has it: true is not 1, though 1.0 is; the order of keys does not count."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    return bool(one == other)


def _is(state: State, stored: Value) -> bool:
    match state:
        case State.NULL | State.UNKNOWN:
            return stored is None
        case State.NOT_NULL:
            return stored is not None
        case State.TRUE:
            return stored is True
        case State.FALSE:
            return stored is False


def _tokens(pattern: Pattern) -> list[str | Wildcard]:
    """The pattern, one character or wildcard at a time."""
    return [token for part in pattern.parts for token in ([part] if isinstance(part, Wildcard) else part)]


def _folded(token: str | Wildcard) -> str | Wildcard:
    return token if isinstance(token, Wildcard) else simple_fold(token)


def matches(tokens: Sequence[str | Wildcard], text: str) -> bool:
    """Whether the tokens, in order, use up the text. `ends` are the places that the tokens so far can reach."""
    ends = {0}
    for token in tokens:
        if token is Wildcard.ANY:
            ends = set(range(min(ends, default=len(text) + 1), len(text) + 1))
        elif token is Wildcard.ONE:
            ends = {end + 1 for end in ends if end < len(text)}
        else:
            ends = {end + 1 for end in ends if end < len(text) and text[end] == token}
    return len(text) in ends


def ordered(records: Sequence[Record], order: Sequence[Sort]) -> list[Record]:
    """The records by the first key, those equal there by the second, and so on: Python sorts are stable."""
    result = list(records)
    for key in reversed(order):
        name = key.column.field.name
        nulls = [record for record in result if record.get(name) is None]
        others = [record for record in result if record.get(name) is not None]
        # A descending stable sort keeps the order of equal records too.
        others.sort(key=lambda record: record[name], reverse=key.descending)
        result = nulls + others if key.nulls_first else others + nulls
    return result

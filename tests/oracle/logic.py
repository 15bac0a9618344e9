"""Conditions over one record at a time, literally: True, False, or None for unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any

from repositories.patterns import Pattern, Wildcard, simple_fold
from repositories.query import (
    Among,
    And,
    Comparison,
    Condition,
    Is,
    Not,
    Operator,
    Or,
    Quantifier,
    Related,
    State,
    Values,
)
from repositories.regexes import Regex
from repositories.schema import Kind, Type, Value
from tests.oracle import values as compared
from tests.oracle.columns import Record, column_value

Truth = bool | None


def truth(
    condition: Condition,
    record: Record,
    values: Values,
    related: Mapping[int, bool] | None = None,
    key: tuple[str, ...] = (),
) -> Truth:
    """What SQL's three-valued logic says of the record.

    `related` tells which embeds have records, `key` are the fields of the primary key.
    """
    match condition:
        case Comparison(column, operator, value, quantifier):
            stored, given = column_value(column, record), values[value.index]
            if quantifier is None:
                return _compared(operator, column.type, stored, given)
            truths = [_compared(operator, column.type, stored, one) for one in given]
            return _disjunction(truths) if quantifier is Quantifier.ANY else _conjunction(truths)
        case Is(column, state):
            return _is(state, column_value(column, record))
        case Among(param):
            return tuple(record[name] for name in key) in values[param.index]
        case Related(embed):
            assert related is not None
            return related[embed]
        case Not(inner):
            return _negation(truth(inner, record, values, related, key))
        case And(conditions):
            return _conjunction([truth(one, record, values, related, key) for one in conditions])
        case Or(conditions):
            return _disjunction([truth(one, record, values, related, key) for one in conditions])


def _negation(one: Truth) -> Truth:
    return None if one is None else not one


def _conjunction(all_of: list[Truth]) -> Truth:
    if False in all_of:
        return False
    return None if None in all_of else True


def _disjunction(any_of: list[Truth]) -> Truth:
    return _negation(_conjunction([_negation(one) for one in any_of]))


def _compared(operator: Operator, kind: Type, stored: Value, given: Value) -> Truth:
    if operator is Operator.ISDISTINCT:
        return stored is None or not compared.equal(stored, given)
    if operator is Operator.IN and len(given) == 0:
        return False
    if stored is None:
        return None
    return _COMPARED[operator](kind, stored, given)


def _contains(kind: Type, whole: Value, part: Value) -> bool:
    if kind.kind is Kind.JSON:
        return compared.contains(whole, part)
    return all(item in whole for item in part)


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


def _found(regex: Regex, text: str) -> bool:
    """In Python's `re`, as in the engines, the parsed expression has one meaning, but for the very end."""
    return re.search(regex.text(r"\Z"), text, re.DOTALL | re.ASCII) is not None


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


def _ranks(compare: Callable[[Any, Any], bool]) -> Callable[[Type, Value, Value], bool]:
    return lambda kind, stored, given: compare(compared.rank(stored, kind), compared.rank(given, kind))


def _like(pattern: Pattern, text: str) -> bool:
    return matches(_tokens(pattern), text)


def _ilike(pattern: Pattern, text: str) -> bool:
    return matches([_folded(token) for token in _tokens(pattern)], "".join(map(simple_fold, text)))


#: What each operator says of a stored value and a given one, neither of which is null.
_COMPARED: dict[Operator, Callable[[Type, Value, Value], bool]] = {
    Operator.EQ: lambda _, stored, given: compared.equal(stored, given),
    Operator.NEQ: lambda _, stored, given: not compared.equal(stored, given),
    Operator.GT: _ranks(gt),
    Operator.GTE: _ranks(ge),
    Operator.LT: _ranks(lt),
    Operator.LTE: _ranks(le),
    Operator.IN: lambda _, stored, given: any(compared.equal(stored, one) for one in given),
    Operator.LIKE: lambda _, stored, given: _like(given, stored),
    Operator.ILIKE: lambda _, stored, given: _ilike(given, stored),
    Operator.MATCH: lambda _, stored, given: _found(given, stored),
    Operator.IMATCH: lambda _, stored, given: _found(given, stored),
    Operator.CONTAINS: _contains,
    Operator.CONTAINED: lambda kind, stored, given: _contains(kind, given, stored),
    Operator.OVERLAPS: lambda _, stored, given: any(item in given for item in stored),
}

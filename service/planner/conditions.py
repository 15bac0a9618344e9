"""Filters with names and texts → conditions with fields and typed values."""

from __future__ import annotations

from collections.abc import Callable

from repositories import patterns
from repositories.query import And, Column, Comparison, Condition, Is, Not, Operator, Or, State
from repositories.schema import Field, Kind, Type, Value
from service.dialect.params import ConditionParam, FilterParam, IsParam, LogicParam
from service.errors import RequestError
from service.planner.scope import Bindings, Scope
from service.planner.text import InvalidValueError, checked_text, from_text

#: How long a like pattern may be, in characters.
MAX_PATTERN = 1000
_SCALARS = frozenset(Kind) - {Kind.ARRAY, Kind.JSON}
_ORDERED = (Operator.EQ, Operator.NEQ, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE, Operator.IN)
#: The kinds of column that each operator is defined for.
APPLICABLE: dict[Operator, frozenset[Kind]] = dict.fromkeys(_ORDERED, _SCALARS) | dict.fromkeys(
    (Operator.LIKE, Operator.ILIKE), frozenset({Kind.STRING})
)


def plan_conditions(
    scope: Scope, params: tuple[ConditionParam, ...], bindings: Bindings, max_filters: int
) -> tuple[Condition, ...]:
    """The conditions that all must hold. Raises `RequestError`."""
    if _count(params) > max_filters:
        raise RequestError(400, "54001", f"A request may have {max_filters} conditions at the most.")
    return tuple(_condition(scope, param, bindings) for param in params)


def _count(params: tuple[ConditionParam, ...]) -> int:
    return sum(_count(param.members) if isinstance(param, LogicParam) else 1 for param in params)


def _condition(scope: Scope, param: ConditionParam, bindings: Bindings) -> Condition:
    condition: Condition
    if isinstance(param, LogicParam):
        members = tuple(_condition(scope, member, bindings) for member in param.members)
        condition = Or(members) if param.disjunction else And(members)
    elif isinstance(param, IsParam):
        condition = _is(scope.field(param.column), param)
    else:
        condition = _comparison(scope.field(param.column), param, bindings)
    return Not(condition) if param.negated else condition


def _is(field: Field, param: IsParam) -> Is:
    if param.state not in (State.NULL, State.NOT_NULL) and field.type.kind is not Kind.BOOLEAN:
        raise RequestError(
            400, "42804", f"argument of IS {param.state.value.upper()} must be type boolean, not {field.type.kind}"
        )
    return Is(Column(field), param.state)


def _comparison(field: Field, param: FilterParam, bindings: Bindings) -> Comparison:
    if field.type.kind not in APPLICABLE[param.operator]:
        raise RequestError(
            400,
            "42883",
            f'the operator "{param.operator.value}" is not defined for the {field.type.kind} column "{field.name}"',
        )
    try:
        value = _OPERANDS[param.operator](field.type, param.value)
    except InvalidValueError as error:
        raise RequestError(400, error.code, error.message) from None
    return Comparison(Column(field), param.operator, bindings.bind(value))


def _scalar(kind: Type, value: str | tuple[str, ...]) -> Value:
    assert isinstance(value, str)
    return from_text(kind, value)


def _list(kind: Type, value: str | tuple[str, ...]) -> Value:
    return tuple(from_text(kind, item) for item in value)


def _pattern(_: Type, value: str | tuple[str, ...]) -> Value:
    assert isinstance(value, str)
    if len(value) > MAX_PATTERN:
        raise InvalidValueError("54001", f"a pattern has {MAX_PATTERN} characters at the most")
    try:
        return patterns.parse(checked_text(value))
    except patterns.PatternError:
        raise InvalidValueError("22025", "LIKE pattern must not end with escape character") from None


_OPERANDS: dict[Operator, Callable[[Type, str | tuple[str, ...]], Value]] = dict.fromkeys(Operator, _scalar) | {
    Operator.IN: _list,
    Operator.LIKE: _pattern,
    Operator.ILIKE: _pattern,
}

"""Filters with names and texts → conditions with columns and typed values."""

from __future__ import annotations

from collections.abc import Mapping

from repositories.query import And, Column, Comparison, Condition, Is, Not, Operator, Or, Quantifier, Related, State
from repositories.schema import Kind, Type, Value
from repositories.texts import InvalidValueError
from service.dialect.filters import too_many_conditions
from service.dialect.params import ConditionParam, FilterParam, IsParam, LogicParam
from service.errors import RequestError
from service.planner.expressions import plan_column
from service.planner.operands import APPLICABLE, IDENTITY, OPERANDS, array_items
from service.planner.scope import Bindings, Scope


def plan_conditions(
    scope: Scope, params: tuple[ConditionParam, ...], bindings: Bindings, embeds: Mapping[str, int]
) -> tuple[Condition, ...]:
    """The conditions that all must hold; `embeds` are those of this level, by name. Raises `RequestError`."""
    bindings.conditions += _count(params)
    if bindings.conditions > scope.limits.max_filters:
        raise too_many_conditions(scope.limits.max_filters)
    return tuple(_condition(scope, param, bindings, embeds) for param in params)


def _count(params: tuple[ConditionParam, ...]) -> int:
    return sum(_count(param.members) if isinstance(param, LogicParam) else 1 for param in params)


def _condition(scope: Scope, param: ConditionParam, bindings: Bindings, embeds: Mapping[str, int]) -> Condition:
    condition: Condition
    if isinstance(param, LogicParam):
        members = tuple(_condition(scope, member, bindings, embeds) for member in param.members)
        condition = Or(members) if param.disjunction else And(members)
    elif isinstance(param, IsParam):
        condition = _is(scope, param, embeds)
    else:
        condition = _comparison(scope, param, bindings)
    return Not(condition) if param.negated else condition


def _is(scope: Scope, param: IsParam, embeds: Mapping[str, int]) -> Condition:
    path = param.column
    if path.column in embeds and not path.steps and path.column not in scope.resource.fields:
        related = Related(embeds[path.column])
        if param.state is State.NULL:
            return Not(related)
        if param.state is State.NOT_NULL:
            return related
        raise RequestError(400, "PGRST120", "Only is null or not is null filters are allowed on embedded resources")
    column = plan_column(scope, path)
    if param.state not in (State.NULL, State.NOT_NULL) and column.type.kind is not Kind.BOOLEAN:
        raise RequestError(
            400, "42804", f"argument of IS {param.state.value.upper()} must be type boolean, not {column.type.kind}"
        )
    return Is(column, param.state)


def _comparison(scope: Scope, param: FilterParam, bindings: Bindings) -> Comparison:
    column = plan_column(scope, param.column)
    kind = column.type.kind
    if kind not in APPLICABLE[param.operator] or (_is_uuid(column) and param.operator not in IDENTITY):
        raise RequestError(
            400,
            "42883",
            f'the operator "{param.operator.value}" is not defined for "{column.field.name}" of type {kind}',
        )
    try:
        value = operand(column.type, param.operator, param.quantifier, param.value)
    except InvalidValueError as error:
        raise RequestError(400, error.code, error.message) from None
    place = bindings.bind(value)
    bindings.compared.append((param, column, place))
    return Comparison(column, param.operator, place, param.quantifier)


def _is_uuid(column: Column) -> bool:
    """Whether it is an item of an array of uuids: before MongoDB 8, there is no text of it to look into."""
    items = column.field.type.items
    return bool(column.path) and items is not None and items.kind is Kind.UUID


def operand(kind: Type, operator: Operator, quantifier: Quantifier | None, text: str | tuple[str, ...]) -> Value:
    """What a column of the type is compared with. Raises `InvalidValueError`."""
    read = OPERANDS[operator]
    if isinstance(text, tuple):
        return tuple(read(kind, item) for item in text)
    if quantifier is None:
        return read(kind, text)
    items = array_items(text)
    if None in items:
        raise InvalidValueError("22004", "the values of a quantifier are never null")
    return tuple(read(kind, item) for item in items if item is not None)

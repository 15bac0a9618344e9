"""Members of `select` that are values: columns, paths into JSON, casts, aggregates."""

from __future__ import annotations

from repositories.expressions import AGGREGABLE, CAST_NAMES, cast_type, castable, castable_in_groups, type_of
from repositories.query import Aggregate, AggregateFunction, Cast, Column
from repositories.schema import Kind
from service.dialect.params import ColumnParam, PathParam
from service.errors import RequestError
from service.planner.scope import Scope

#: The longest path into JSON.
MAX_STEPS = 20
#: Clients of Supabase write `rel(count)` for `rel(count())`.
_COUNT = PathParam("count")
_TRAVERSABLE = frozenset({Kind.JSON, Kind.ARRAY})


def plan_column(scope: Scope, path: PathParam) -> Column:
    """The column, or the path into its JSON. Raises `RequestError`."""
    field = scope.field(path.column)
    if path.steps and field.type.kind not in _TRAVERSABLE:
        raise RequestError(400, "42883", f'"->" leads nowhere in the {field.type.kind} column "{field.name}"')
    if len(path.steps) > MAX_STEPS:
        raise RequestError(400, "54001", f"A path has {MAX_STEPS} steps at the most.")
    return Column(field, path.steps, path.as_text)


def plan_expression(scope: Scope, param: ColumnParam) -> Column | Cast | Aggregate:
    """The expression that a member of `select` stands for. Raises `RequestError`."""
    if param.column == _COUNT and not param.cast and not param.aggregate and "count" not in scope.resource.fields:
        param = ColumnParam(None, param.alias, aggregate="count")
    operand: Column | Cast | None = None
    if param.column is not None:
        column = plan_column(scope, param.column)
        operand = column if param.cast is None else _cast(column, param.cast)
    if param.aggregate is None:
        assert operand is not None
        return operand
    if not scope.limits.aggregates:
        raise RequestError(400, "PGRST123", "Use of aggregate functions is not allowed")
    function = AggregateFunction(param.aggregate)
    if operand is not None and type_of(operand).kind not in AGGREGABLE[function]:
        raise RequestError(400, "42883", f"function {function.value}({type_of(operand).kind}) does not exist")
    if isinstance(operand, Cast) and not castable_in_groups(type_of(operand.operand).kind, operand.type.kind):
        raise RequestError(400, "0A000", f"The {operand.type.kind} form of {column.field.name} cannot be aggregated.")
    aggregate = Aggregate(function, operand)
    return aggregate if param.aggregate_cast is None else _cast(aggregate, param.aggregate_cast)


def _cast(operand: Column | Aggregate, name: str) -> Cast:
    target = CAST_NAMES.get(name)
    if target is None:
        known = ", ".join(CAST_NAMES)
        raise RequestError(400, "42704", f'type "{name[:60]}" does not exist', hint=f"The types are: {known}.")
    source = type_of(operand)
    if not castable(source.kind, target):
        raise RequestError(400, "42846", f"cannot cast type {source.kind} to {target}")
    return Cast(operand, cast_type(source, target))

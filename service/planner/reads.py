"""Plans of reads: a page of a collection, or one record by its key."""

from __future__ import annotations

from dataclasses import dataclass

from repositories.query import Column, Comparison, Condition, Operator, Output, Read, Selection, Sort
from repositories.schema import Field, Resource, Value
from service.dialect.params import OrderParam, Params, SelectParam
from service.errors import RequestError, bad_syntax
from service.planner.conditions import plan_conditions
from service.planner.scope import Bindings, PlanLimits, Scope
from service.planner.text import InvalidValueError, from_text

#: PostgreSQL cuts names at 63 bytes; a longer alias would come back cut.
MAX_ALIAS = 63


@dataclass(frozen=True, slots=True)
class PagePlan:
    """A planned page: the query, and where the page begins."""

    read: Read
    offset: int


def plan_page(resource: Resource, params: Params, limits: PlanLimits, *, count: bool) -> PagePlan:
    """The page of a collection that the parameters ask for. Raises `RequestError`."""
    _refuse_columns(params)
    scope, bindings = Scope(resource), Bindings()
    where = scope.restrict(plan_conditions(scope, params.where, bindings, limits.max_filters))
    offset, limit = _window(params, limits.max_rows)
    selection = Selection(
        resource,
        plan_outputs(scope, params.select),
        where,
        plan_order(scope, params.order),
        bindings.bind(limit),
        bindings.bind(offset) if offset else None,
    )
    return PagePlan(Read(selection, tuple(bindings.values), count), offset)


def plan_item(resource: Resource, key: tuple[str, ...], params: Params) -> Read:
    """One record by its key, written as text. Raises `RequestError`."""
    refuse_all_but_select(params)
    scope, bindings = Scope(resource), Bindings()
    where = key_condition(scope, plan_key(resource, key), bindings)
    selection = Selection(resource, plan_outputs(scope, params.select), where, scope.key_order())
    return Read(selection, tuple(bindings.values))


def plan_key(resource: Resource, key: tuple[str, ...]) -> tuple[Value, ...]:
    """The typed values of a primary key. Raises `RequestError`."""
    if len(key) != len(resource.key):
        names = ",".join("{" + name + "}" for name in resource.primary_key)
        raise RequestError(400, "PGRST100", f"The key of {resource.name} has the form {names}.")
    try:
        return tuple(from_text(field.type, text) for field, text in zip(resource.key, key, strict=True))
    except InvalidValueError as error:
        raise RequestError(400, error.code, error.message) from None


def key_condition(scope: Scope, key: tuple[Value, ...], bindings: Bindings) -> Condition:
    """The condition that a record has this key."""
    return scope.restrict(
        tuple(
            Comparison(Column(field), Operator.EQ, bindings.bind(value))
            for field, value in zip(scope.resource.key, key, strict=True)
        )
    )


def plan_outputs(scope: Scope, select: tuple[SelectParam, ...] | None) -> tuple[Output, ...]:
    """The members of an answer's records; without `select` all columns."""
    if select is None:
        return scope.outputs()
    outputs: list[Output] = []
    for item in select:
        if item.column == "*" and item.alias is None:
            outputs.extend(scope.outputs())
        else:
            outputs.append(Output(_alias(item), Column(scope.field(item.column))))
    names = [output.name for output in outputs]
    doubled = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if doubled is not None:
        raise RequestError(400, "42712", f'"{doubled}" is selected more than once; give one of them an alias.')
    return tuple(outputs)


def _alias(item: SelectParam) -> str:
    name = item.column if item.alias is None else item.alias
    if not 1 <= len(name.encode()) <= MAX_ALIAS:
        raise bad_syntax(f"An alias has one byte at least, and {MAX_ALIAS} at the most.")
    return name


def plan_order(scope: Scope, order: tuple[OrderParam, ...]) -> tuple[Sort, ...]:
    """The sort keys, made a total order by the primary key; a second key on the same field says nothing new."""
    sorts: dict[Field, Sort] = {}
    for param in order:
        field = scope.field(param.column)
        nulls_first = param.descending if param.nulls_first is None else param.nulls_first
        sorts.setdefault(field, Sort(Column(field), param.descending, nulls_first))
        if _identifies(scope.resource, sorts):
            return tuple(sorts.values())
    for field in scope.resource.key:
        sorts.setdefault(field, Sort(Column(field)))
    return tuple(sorts.values())


def _identifies(resource: Resource, fields: dict[Field, Sort]) -> bool:
    """Whether no two records have the same values in all these fields."""
    names = {field.name for field in fields}
    if names.issuperset(resource.primary_key):
        return True
    return any(
        names.issuperset(unique.fields) and all(resource.fields[name].required for name in unique.fields)
        for unique in resource.uniques
    )


def _window(params: Params, max_rows: int) -> tuple[int, int]:
    """Offset and limit: the wanted window, cut at the first record and at the page's maximum size."""
    start = params.offset or 0
    if params.limit is None:
        return max(start, 0), max_rows
    if params.limit < 0 or (start < 0 and start + params.limit <= 0 < params.limit):
        raise RequestError(
            416, "PGRST103", "Requested range not satisfiable", "Limit should be greater than or equal to zero."
        )
    end = start + params.limit
    start = max(start, 0)
    return start, min(max(end - start, 0), max_rows)


def refuse_all_but_select(params: Params) -> None:
    """A single record is named by its path: filters, order and pages have no meaning there."""
    _refuse_columns(params)
    if params.where or params.order or params.limit is not None or params.offset is not None:
        raise bad_syntax('The path of a single record takes no parameter but "select".')


def _refuse_columns(params: Params) -> None:
    if params.columns is not None:
        raise bad_syntax('"columns" has a meaning only where records are written.')

"""Plans of reads: a page of a collection, or one record by its key."""

from __future__ import annotations

from dataclasses import dataclass

from repositories.query import Column, Comparison, Condition, Operator, Read, Selection
from repositories.schema import Resource, Value
from repositories.texts import InvalidValueError, from_text
from service.dialect.params import Level, Params
from service.errors import RequestError, bad_syntax
from service.planner.relations import Relations
from service.planner.scope import Bindings, PlanLimits, Scope
from service.planner.selections import Planning, plan_selection
from service.planner.windows import Window, plan_window


@dataclass(frozen=True, slots=True)
class PagePlan:
    """A planned page: the query, where the page begins, and how many records it has at the most."""

    read: Read
    offset: int
    limit: int


def plan_page(
    relations: Relations,
    resource: Resource,
    params: Params,
    limits: PlanLimits,
    *,
    count: bool,
    ranges: tuple[int, int | None] | None = None,
    largest: int | None = None,
) -> PagePlan:
    """The page of a collection that the parameters and a `Range` ask for. Raises `RequestError`.

    It is cut off at `largest` records, or where the limits cut pages off.
    """
    planning = Planning.of(relations, limits, params)
    selection, window = draft_page(planning, resource, params, ranges, largest)
    return PagePlan(Read(selection, tuple(planning.bindings.values), count), window.offset, window.limit)


def draft_page(
    planning: Planning,
    resource: Resource,
    params: Params,
    ranges: tuple[int, int | None] | None,
    largest: int | None,
) -> tuple[Selection, Window]:
    """The selection of a page; its values are with the planning. Raises `RequestError`."""
    refuse_write_params(params)
    window = plan_window(params.top, largest or planning.limits.max_rows, ranges)
    selection, _ = plan_selection(planning, planning.scope(resource), params.select, params.top, window)
    planning.finish()
    return selection, window


def plan_item(
    relations: Relations, resource: Resource, key: tuple[str, ...], params: Params, limits: PlanLimits
) -> Read:
    """One record by its key, written as text. Raises `RequestError`."""
    planning = Planning.of(relations, limits, params)
    selection = draft_item(planning, resource, key, params)
    return Read(selection, tuple(planning.bindings.values))


def draft_item(planning: Planning, resource: Resource, key: tuple[str, ...], params: Params) -> Selection:
    """The selection of one record; the key's values are the first of those with the planning. Raises `RequestError`."""
    refuse_all_but_select(params)
    scope = planning.scope(resource)
    where = key_condition(scope, plan_key(resource, key), planning.bindings)
    selection, _ = plan_selection(planning, scope, params.select, Level(), None, fixed=where)
    planning.finish()
    return selection


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


def refuse_all_but_select(params: Params) -> None:
    """A single record is named by its path: filters, order and pages have no meaning there."""
    refuse_write_params(params)
    if params.top != Level():
        raise bad_syntax('The path of a single record takes no parameter but "select" and those of its embeds.')


def refuse_write_params(params: Params) -> None:
    """`columns` and `on_conflict` say how to write."""
    if params.columns is not None or params.on_conflict is not None:
        raise bad_syntax('"columns" and "on_conflict" have a meaning only where records are written.')

"""Plans of writes: insert, replace, update, delete."""

from __future__ import annotations

from typing import Any

from repositories.query import Column, Param
from repositories.schema import Field, Generated, Resource
from repositories.writes import Delete, Expectation, Insert, Replace, Update
from service.dialect.params import Level, Params
from service.errors import RequestError, Violation, bad_body, bad_syntax
from service.planner.conditions import plan_conditions
from service.planner.orders import plan_order
from service.planner.reads import key_condition, plan_key
from service.planner.records import RecordReader, as_record, as_records, initial_value, writable
from service.planner.scope import Bindings, PlanLimits, Scope
from service.planner.selections import plan_returning

Changes = tuple[tuple[Field, Param], ...]


def plan_insert(resource: Resource, params: Params, body: Any, limits: PlanLimits, *, returning: bool) -> Insert:
    """New records from a JSON body. Raises `RequestError`."""
    if params.top != Level():
        raise RequestError(400, "PGRST100", "An insert takes no filter, order, limit or offset.")
    scope = Scope(resource, limits)
    records, many = as_records(body)
    if len(records) > limits.max_insert_rows:
        raise RequestError(413, "54000", f"A request may insert {limits.max_insert_rows} records at the most.")
    names = params.columns if params.columns is not None else _common_names(records)
    reader = RecordReader(scope, writable(scope, names))
    rows = []
    for index, record in enumerate(records):
        rows.append(reader.row(record, f"/{index}" if many else ""))
        if reader.full:
            break
    reader.finish()
    outputs = plan_returning(scope, params)
    return Insert(resource, reader.columns, rows, outputs if returning else ())


def plan_replace(
    resource: Resource,
    key: tuple[str, ...],
    params: Params,
    body: Any,
    limits: PlanLimits,
    *,
    expect: Expectation | None,
    returning: bool,
) -> Replace:
    """One record in full, created where there is none if clients may choose the key. Raises `RequestError`."""
    _refuse_all_but_select(params)
    scope = Scope(resource, limits)
    record = as_record(body)
    identity = plan_key(resource, key)
    writable(scope, record, allowed=frozenset(resource.primary_key))
    replaced = [
        field
        for field in resource.fields.values()
        if field.name not in resource.primary_key
        and not field.read_only
        and (field.generated is not Generated.SEQUENCE or field.name in record)
    ]
    reader = RecordReader(scope, [*resource.key, *replaced], absent=False)
    row = reader.row(dict(zip(resource.primary_key, key, strict=True)) | record)
    reader.finish()
    if row[: len(identity)] != identity:
        raise _other_key(resource)
    initial = tuple(
        (field, initial_value(field))
        for field in resource.fields.values()
        if field not in reader.columns and field.generated is not Generated.SEQUENCE
    )
    create = not any(field.read_only for field in resource.key)
    outputs = plan_returning(scope, params)
    return Replace(resource, reader.columns, row, initial, create, outputs if returning else (), expect)


def plan_item_update(
    resource: Resource,
    key: tuple[str, ...],
    params: Params,
    body: Any,
    limits: PlanLimits,
    *,
    expect: Expectation | None,
    returning: bool,
) -> Update:
    """Changes to one record. Raises `RequestError`."""
    _refuse_all_but_select(params)
    scope, bindings = Scope(resource, limits), Bindings()
    where = key_condition(scope, plan_key(resource, key), bindings)
    changes = _changes(scope, body, bindings)
    outputs = plan_returning(scope, params) if returning else ()
    return Update(resource, changes, where, tuple(bindings.values), outputs, scope.key_order(), expect)


def plan_update(resource: Resource, params: Params, body: Any, limits: PlanLimits, *, returning: bool) -> Update:
    """Changes to every record that the filters let through. Raises `RequestError`."""
    scope, bindings = Scope(resource, limits), Bindings()
    _refuse_unfiltered(params, limits, "UPDATE")
    where = scope.restrict(plan_conditions(scope, params.top.where, bindings, {}))
    changes = _changes(scope, body, bindings, params.columns)
    outputs = plan_returning(scope, params)
    # The answer has the new values, and a changed field has the same one everywhere.
    changed = {Column(field) for field, _ in changes}
    order = tuple(sort for sort in plan_order(scope, params.top.order) if sort.expression not in changed)
    return Update(resource, changes, where, tuple(bindings.values), outputs if returning else (), order)


def plan_item_delete(
    resource: Resource,
    key: tuple[str, ...],
    params: Params,
    limits: PlanLimits,
    *,
    expect: Expectation | None,
    returning: bool,
) -> Delete:
    """The end of one record. Raises `RequestError`."""
    _refuse_all_but_select(params)
    scope, bindings = Scope(resource, limits), Bindings()
    where = key_condition(scope, plan_key(resource, key), bindings)
    outputs = plan_returning(scope, params)
    return Delete(resource, where, tuple(bindings.values), outputs if returning else (), scope.key_order(), expect)


def plan_delete(resource: Resource, params: Params, limits: PlanLimits, *, returning: bool) -> Delete:
    """The end of every record that the filters let through. Raises `RequestError`."""
    scope, bindings = Scope(resource, limits), Bindings()
    _refuse_unfiltered(params, limits, "DELETE")
    if params.columns is not None:
        raise RequestError(400, "PGRST100", '"columns" has no meaning where records are deleted.')
    where = scope.restrict(plan_conditions(scope, params.top.where, bindings, {}))
    outputs = plan_returning(scope, params)
    order = plan_order(scope, params.top.order)
    return Delete(resource, where, tuple(bindings.values), outputs if returning else (), order)


def plan_expectation(
    resource: Resource, params: Params, limits: PlanLimits, tags: frozenset[str] | None
) -> Expectation:
    """The condition that the record's representation under the request's `select` has one of the tags."""
    return Expectation(plan_returning(Scope(resource, limits), params), tags)


def _changes(scope: Scope, body: Any, bindings: Bindings, columns: tuple[str, ...] | None = None) -> Changes:
    record = as_record(body)
    given = writable(scope, record if columns is None else columns)
    reader = RecordReader(scope, [field for field in given if field.name in record], absent=False)
    row = reader.row(record)
    reader.finish()
    return tuple((field, bindings.bind(value)) for field, value in zip(reader.columns, row, strict=True))


def _common_names(records: list[dict[str, Any]]) -> tuple[str, ...]:
    if not records:
        return ()
    names = records[0].keys()
    for index, record in enumerate(records):
        if record.keys() != names:
            raise bad_body(
                "All object keys must match",
                f'The object at index {index} has other keys than the first; "columns" names those to write.',
            )
    return tuple(names)


def _refuse_all_but_select(params: Params) -> None:
    if params.top != Level() or params.columns is not None:
        raise bad_syntax('A write to a single record takes no parameter but "select".')


def _refuse_unfiltered(params: Params, limits: PlanLimits, verb: str) -> None:
    if params.top.limit is not None or params.top.offset is not None:
        raise RequestError(400, "PGRST100", f'{verb} takes no "limit" or "offset": filter the records instead.')
    if not params.top.where and not limits.unfiltered_writes:
        raise RequestError(
            400,
            "21000",
            f"{verb} requires a WHERE clause",
            hint="Filter the records, or allow writes without a filter in the configuration.",
        )


def _other_key(resource: Resource) -> RequestError:
    return RequestError(
        400,
        "PGRST115",
        "Payload values do not match URL in primary key column(s)",
        errors=tuple(
            Violation(f"/{name}", "PGRST115", "The value differs from the path's.") for name in resource.primary_key
        ),
    )

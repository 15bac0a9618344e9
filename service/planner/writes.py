"""Plans of writes: insert, replace, update, delete."""

from __future__ import annotations

from typing import Any

from repositories.query import Delete, Expectation, Insert, Output, Param, Replace, Update
from repositories.schema import Field, Generated, Resource
from service.dialect.params import Params
from service.errors import RequestError, Violation, bad_body
from service.planner.conditions import plan_conditions
from service.planner.reads import key_condition, plan_key, plan_order, plan_outputs, refuse_all_but_select
from service.planner.records import RecordReader, Writable, as_record, as_records, initial_value
from service.planner.scope import Bindings, PlanLimits, Scope

Changes = tuple[tuple[Field, Param], ...]


def plan_insert(resource: Resource, params: Params, body: Any, limits: PlanLimits, *, returning: bool) -> Insert:
    """New records from a JSON body. Raises `RequestError`."""
    if params.where or params.order or params.limit is not None or params.offset is not None:
        raise RequestError(400, "PGRST100", "An insert takes no filter, order, limit or offset.")
    scope = Scope(resource)
    records, many = as_records(body)
    if len(records) > limits.max_insert_rows:
        raise RequestError(413, "54000", f"A request may insert {limits.max_insert_rows} records at the most.")
    names = params.columns if params.columns is not None else _common_names(records)
    reader = RecordReader(scope, Writable.of(scope, names).given)
    rows = []
    for index, record in enumerate(records):
        rows.append(reader.row(record, f"/{index}" if many else ""))
        if reader.full:
            break
    reader.finish()
    outputs = plan_outputs(scope, params.select)
    return Insert(resource, reader.columns, rows, outputs if returning else ())


def plan_replace(
    resource: Resource, key: tuple[str, ...], params: Params, body: Any, *, expect: Expectation | None, returning: bool
) -> Replace:
    """One record in full, created where there is none if clients may choose the key. Raises `RequestError`."""
    refuse_all_but_select(params)
    scope = Scope(resource)
    record = as_record(body)
    identity = plan_key(resource, key)
    Writable.of(scope, record, allowed=frozenset(resource.primary_key))
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
    outputs = plan_outputs(scope, params.select)
    return Replace(resource, reader.columns, row, initial, create, outputs if returning else (), expect)


def plan_item_update(
    resource: Resource, key: tuple[str, ...], params: Params, body: Any, *, expect: Expectation | None, returning: bool
) -> Update:
    """Changes to one record. Raises `RequestError`."""
    refuse_all_but_select(params)
    scope, bindings = Scope(resource), Bindings()
    where = key_condition(scope, plan_key(resource, key), bindings)
    changes = _changes(scope, body, bindings)
    outputs = plan_outputs(scope, params.select) if returning else ()
    return Update(resource, changes, where, tuple(bindings.values), outputs, scope.key_order(), expect)


def plan_update(resource: Resource, params: Params, body: Any, limits: PlanLimits, *, returning: bool) -> Update:
    """Changes to every record that the filters let through. Raises `RequestError`."""
    scope, bindings = Scope(resource), Bindings()
    _refuse_unfiltered(params, limits, "UPDATE")
    where = scope.restrict(plan_conditions(scope, params.where, bindings, limits.max_filters))
    changes = _changes(scope, body, bindings, params.columns)
    outputs = plan_outputs(scope, params.select)
    # The answer has the new values, and a changed field has the same one everywhere.
    changed = {field for field, _ in changes}
    order = tuple(sort for sort in plan_order(scope, params.order) if sort.column.field not in changed)
    return Update(resource, changes, where, tuple(bindings.values), outputs if returning else (), order)


def plan_item_delete(
    resource: Resource, key: tuple[str, ...], params: Params, *, expect: Expectation | None, returning: bool
) -> Delete:
    """The end of one record. Raises `RequestError`."""
    refuse_all_but_select(params)
    scope, bindings = Scope(resource), Bindings()
    where = key_condition(scope, plan_key(resource, key), bindings)
    outputs = plan_outputs(scope, params.select)
    return Delete(resource, where, tuple(bindings.values), outputs if returning else (), scope.key_order(), expect)


def plan_delete(resource: Resource, params: Params, limits: PlanLimits, *, returning: bool) -> Delete:
    """The end of every record that the filters let through. Raises `RequestError`."""
    scope, bindings = Scope(resource), Bindings()
    _refuse_unfiltered(params, limits, "DELETE")
    if params.columns is not None:
        raise RequestError(400, "PGRST100", '"columns" has no meaning where records are deleted.')
    where = scope.restrict(plan_conditions(scope, params.where, bindings, limits.max_filters))
    outputs = plan_outputs(scope, params.select)
    order = plan_order(scope, params.order)
    return Delete(resource, where, tuple(bindings.values), outputs if returning else (), order)


def plan_expectation(resource: Resource, params: Params, tags: frozenset[str] | None) -> Expectation:
    """The condition that the record's representation under the request's `select` has one of the tags."""
    outputs: tuple[Output, ...] = plan_outputs(Scope(resource), params.select)
    return Expectation(outputs, tags)


def _changes(scope: Scope, body: Any, bindings: Bindings, columns: tuple[str, ...] | None = None) -> Changes:
    record = as_record(body)
    names = tuple(record) if columns is None else tuple(name for name in columns if name in record)
    if columns is not None:
        Writable.of(scope, columns)
    reader = RecordReader(scope, Writable.of(scope, names).given, absent=False)
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


def _refuse_unfiltered(params: Params, limits: PlanLimits, verb: str) -> None:
    if params.limit is not None or params.offset is not None:
        raise RequestError(400, "PGRST100", f'{verb} takes no "limit" or "offset": filter the records instead.')
    if not params.where and not limits.unfiltered_writes:
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

"""Plans of changes: replace, update, merge, delete. (Inserts: `inserts.py`.)"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from repositories.expressions import field_of
from repositories.query import Column, Condition, Output, Param, Read, Selection, Sort
from repositories.schema import Field, Generated, Kind, Resource, Value
from repositories.texts import InvalidValueError
from repositories.writes import Delete, Expectation, Replace, Update
from service.dialect.params import Level, Params
from service.errors import RequestError, Violation, bad_syntax
from service.planner.answers import (
    DRAFTS,
    Merge,
    Precondition,
    Subject,
    WritePlan,
    plan_after,
    plan_before,
    plan_condition,
    plan_outputs,
)
from service.planner.conditions import plan_conditions
from service.planner.json_values import free_json
from service.planner.orders import plan_order
from service.planner.reads import key_condition, plan_key
from service.planner.records import RecordReader, as_record, initial_value, writable
from service.planner.scope import Bindings, PlanLimits, Scope

Changes = tuple[tuple[Field, Param], ...]
Patches = tuple[tuple[Field, dict[str, Value]], ...]
#: The tags of `If-Match` (True) or `If-None-Match` (False); None for `*`.
Tags = tuple[bool, frozenset[str] | None]


def plan_replace(
    subject: Subject, key: tuple[str, ...], body: Any, *, tags: Tags | None = None, wanted: bool
) -> WritePlan:
    """One record in full, created where there is none if clients may choose the key. Raises `RequestError`."""
    _refuse_all_but_select(subject.params)
    resource, scope = subject.resource, subject.scope
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
    expect, precondition = _condition(subject, identity, tags)
    outputs, after = plan_outputs(subject, wanted=wanted), plan_after(subject, wanted=wanted)
    write = Replace(resource, reader.columns, row, initial, create, outputs, expect)
    return WritePlan(write, after=after, precondition=precondition)


def plan_item_update(
    subject: Subject, key: tuple[str, ...], body: Any, *, merge: bool = False, tags: Tags | None = None, wanted: bool
) -> WritePlan:
    """Changes to one record. Raises `RequestError`."""
    if tags is None and not merge and not subject.reads and isinstance(body, dict):
        return _plain_update(subject, key, body, wanted=wanted)
    _refuse_all_but_select(subject.params)
    scope, bindings = subject.scope, Bindings()
    identity = plan_key(subject.resource, key)
    where = key_condition(scope, identity, bindings)
    changes, patches = _changes(scope, body, bindings, merge=merge)
    expect, precondition = _condition(subject, identity, tags)
    outputs, after = plan_outputs(subject, wanted=wanted), plan_after(subject, wanted=wanted)
    write = Update(subject.resource, changes, where, tuple(bindings.values), outputs, scope.key_order(), expect)
    return WritePlan(write, after=after, precondition=precondition, merge=_merge(write, patches))


def _plain_update(subject: Subject, key: tuple[str, ...], record: dict[str, Any], *, wanted: bool) -> WritePlan:
    """The same where only the values differ from one request to the next of a shape."""
    _refuse_all_but_select(subject.params)
    identity = plan_key(subject.resource, key)
    draft = _item_draft(subject, tuple(record), wanted)
    reader = draft.reader.anew()
    row = reader.row(record)
    reader.finish()
    return WritePlan(
        Update(subject.resource, draft.changes, draft.where, (*identity, *row), draft.outputs, draft.order)
    )


@dataclass(frozen=True, slots=True)
class _ItemDraft:
    reader: RecordReader
    changes: Changes
    where: Condition
    outputs: tuple[Output, ...]
    order: tuple[Sort, ...]


@lru_cache(DRAFTS)
def _item_draft(subject: Subject, names: tuple[str, ...], wanted: bool) -> _ItemDraft:
    scope, bindings = subject.scope, Bindings()
    where = key_condition(scope, (None,) * len(subject.resource.key), bindings)
    reader = RecordReader(scope, writable(scope, names), absent=False)
    changes = tuple((field, bindings.bind(None)) for field in reader.columns)
    return _ItemDraft(reader, changes, where, plan_outputs(subject, wanted=wanted), scope.key_order())


def plan_update(subject: Subject, body: Any, *, merge: bool = False, wanted: bool) -> WritePlan:
    """Changes to every record that the filters let through. Raises `RequestError`."""
    params, scope, bindings = subject.params, subject.scope, Bindings()
    _refuse_unfiltered(params, subject.limits, "UPDATE")
    where = scope.restrict(plan_conditions(scope, params.top.where, bindings, {}))
    changes, patches = _changes(scope, body, bindings, params.columns, merge=merge)
    outputs, after = plan_outputs(subject, wanted=wanted), plan_after(subject, wanted=wanted)
    # The answer has the new values, and a changed field has the same one everywhere.
    changed = {field.name for field, _ in changes}
    order = () if subject.reads else plan_order(scope, params.top.order)
    order = tuple(sort for sort in order if field_of(sort.expression).name not in changed)
    write = Update(subject.resource, changes, where, tuple(bindings.values), outputs, order)
    return WritePlan(write, after=after, merge=_merge(write, patches))


def plan_item_delete(subject: Subject, key: tuple[str, ...], *, tags: Tags | None = None, wanted: bool) -> WritePlan:
    """The end of one record. Raises `RequestError`."""
    _refuse_all_but_select(subject.params)
    scope, bindings = subject.scope, Bindings()
    identity = plan_key(subject.resource, key)
    where = key_condition(scope, identity, bindings)
    expect, precondition = _condition(subject, identity, tags)
    before = plan_before(subject, Level(), identity)
    outputs = plan_outputs(subject, wanted=wanted and before is None)
    write = Delete(subject.resource, where, tuple(bindings.values), outputs, scope.key_order(), expect)
    return WritePlan(write, before=before if wanted else None, precondition=precondition)


def plan_delete(subject: Subject, *, wanted: bool) -> WritePlan:
    """The end of every record that the filters let through. Raises `RequestError`."""
    params, scope, bindings = subject.params, subject.scope, Bindings()
    _refuse_unfiltered(params, subject.limits, "DELETE")
    if params.columns is not None:
        raise bad_syntax('"columns" has no meaning where records are deleted.')
    where = scope.restrict(plan_conditions(scope, params.top.where, bindings, {}))
    before = plan_before(subject, params.top)
    outputs = plan_outputs(subject, wanted=wanted and before is None)
    order = () if subject.reads else plan_order(scope, params.top.order)
    return WritePlan(
        Delete(subject.resource, where, tuple(bindings.values), outputs, order), before=before if wanted else None
    )


def _condition(
    subject: Subject, key: tuple[Value, ...], tags: Tags | None
) -> tuple[Expectation | None, Precondition | None]:
    return (None, None) if tags is None else plan_condition(subject, key, tags[1], present=tags[0])


def _changes(
    scope: Scope, body: Any, bindings: Bindings, columns: tuple[str, ...] | None = None, *, merge: bool
) -> tuple[Changes, Patches]:
    """The fields that get a value, and with `merge` those whose JSON is merged with an object instead."""
    record = as_record(body)
    given = [field for field in writable(scope, record if columns is None else columns) if field.name in record]
    merged = [field for field in given if merge and _is_patch(field, record[field.name])]
    reader = RecordReader(scope, [field for field in given if field not in merged], absent=False)
    row = reader.row(record)
    patches = [(field, _patch(reader, field, record[field.name])) for field in merged]
    reader.finish()
    changes = tuple((field, bindings.bind(value)) for field, value in zip(reader.columns, row, strict=True))
    return changes, tuple(patches)


def _patch(reader: RecordReader, field: Field, value: Any) -> dict[str, Value]:
    try:
        patch: dict[str, Value] = free_json(value)
    except InvalidValueError as error:
        reader.violated(field, error)
        return {}
    return patch


def _is_patch(field: Field, value: Any) -> bool:
    return field.type.kind is Kind.JSON and isinstance(value, dict)


def _merge(write: Update, patches: Patches) -> Merge | None:
    if not patches:
        return None
    fields = (*write.resource.key, *(field for field, _ in patches))
    outputs = tuple(Output(field.name, Column(field)) for field in fields)
    selection = Selection(write.resource, outputs, write.where, Scope(write.resource).key_order())
    return Merge(Read(selection, write.values), patches)


def _refuse_all_but_select(params: Params) -> None:
    if params.top != Level() or params.columns is not None or params.on_conflict is not None:
        raise bad_syntax('A write to a single record takes no parameter but "select" and those of its embeds.')


def _refuse_unfiltered(params: Params, limits: PlanLimits, verb: str) -> None:
    if params.on_conflict is not None:
        raise bad_syntax('"on_conflict" has a meaning only where records are inserted.')
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

"""The rules that hold after every write, checked over all records; and what `onDelete` does to bring them about."""

from __future__ import annotations

from dataclasses import dataclass

from repositories.errors import NotNullViolation, ReferenceViolation, UniqueViolation
from repositories.schema import Catalog, OnDelete, Reference, Resource, Unique, Value
from tests.oracle.columns import Record

#: Every record that is stored, by the resource's name.
State = dict[str, list[Record]]


@dataclass
class Written:
    """A record that a write has put in place, what it was before, and its index in a bulk insert."""

    record: Record
    before: Record | None = None
    row: int | None = None


def key_of(record: Record, names: tuple[str, ...]) -> tuple[Value, ...]:
    return tuple(record.get(name) for name in names)


def remove(catalog: Catalog, state: State, resource: Resource, records: list[Record]) -> None:
    """Take the records out, and follow their referrers: cascade and setNull now, restrict is for `check`."""
    doomed = [(resource, record) for record in records]
    while doomed:
        resource, record = doomed.pop()
        if not any(record is other for other in state[resource.name]):
            continue
        state[resource.name] = [other for other in state[resource.name] if other is not record]
        for referrer, reference in catalog.referrers[resource.name]:
            for other in state[referrer.name]:
                if key_of(other, reference.fields) != key_of(record, reference.target_fields):
                    continue
                if None in key_of(other, reference.fields):
                    continue
                if reference.on_delete is OnDelete.CASCADE:
                    doomed.append((referrer, other))
                elif reference.on_delete is OnDelete.SET_NULL:
                    other.update(dict.fromkeys(reference.fields))


def check(catalog: Catalog, state: State, resource: Resource, written: list[Written]) -> None:
    """Raise the first rule that is broken. `written` are the records of `resource` that the statement has set."""
    for each in catalog:
        mine = written if each is resource else []
        for record in state[each.name]:
            _check_required(each, record, mine)
        for unique in (Unique(each.key_name, each.primary_key), *each.uniques):
            _check_unique(each, unique, state[each.name], mine)
        for reference in each.references:
            _check_reference(each, reference, state, mine)


def _check_required(resource: Resource, record: Record, written: list[Written]) -> None:
    for field in resource.fields.values():
        if field.required and record.get(field.name) is None:
            raise NotNullViolation.of(resource.name, field.name, _row(record, written))


def _check_unique(resource: Resource, unique: Unique, records: list[Record], written: list[Written]) -> None:
    seen = set()
    for record in records:
        key = key_of(record, unique.fields)
        if None in key:
            continue
        if key in seen:
            raise UniqueViolation.of(resource.name, unique, _row(record, written))
        seen.add(key)


def _check_reference(resource: Resource, reference: Reference, state: State, written: list[Written]) -> None:
    there = {key_of(target, reference.target_fields) for target in state[reference.target]}
    for record in state[resource.name]:
        key = key_of(record, reference.fields)
        if None in key or key in there:
            continue
        for one in written:
            if one.record is record and (one.before is None or key_of(one.before, reference.fields) != key):
                raise ReferenceViolation.dangling(resource.name, reference, one.row)
        raise ReferenceViolation.still_referenced(resource.name, reference)


def _row(record: Record, written: list[Written]) -> int | None:
    return next((one.row for one in written if one.record is record), None)

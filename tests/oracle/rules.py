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


class Keys:
    """Which record of a resource holds which key: the primary key first, then the unique sets as they are declared."""

    def __init__(self, resource: Resource, records: list[Record]) -> None:
        self._resource = resource
        self._uniques = (Unique(resource.key_name, resource.primary_key), *resource.uniques)
        self._holders: dict[tuple[tuple[str, ...], tuple[Value, ...]], Record] = {}
        for record in records:
            self.add(record, None)

    def holder(self, names: tuple[str, ...], record: Record) -> Record | None:
        """The record that has the key which `record` has in these fields. Null is in conflict with nothing."""
        key = key_of(record, names)
        return None if None in key else self._holders.get((names, key))

    def add(self, record: Record, row: int | None) -> None:
        for unique in self._uniques:
            if self.holder(unique.fields, record) is not None:
                raise UniqueViolation.of(self._resource.name, unique, row)
        for unique in self._uniques:
            if None not in key_of(record, unique.fields):
                self._holders[unique.fields, key_of(record, unique.fields)] = record

    def remove(self, record: Record) -> None:
        for unique in self._uniques:
            self._holders.pop((unique.fields, key_of(record, unique.fields)), None)


def check(catalog: Catalog, state: State, resource: Resource, written: list[Written]) -> None:
    """Raise the first rule that is broken. `written` are the records of `resource` that the statement has set.

    What is required comes first, then keys and unique sets, then references; in each, the records in their order.
    """
    rows = {id(one.record): one.row for one in written}
    for each in catalog:
        for record in state[each.name]:
            check_required(each, record, rows.get(id(record)))
    _check_keys(resource, state[resource.name], written)
    _check_targets(resource, state, written)
    for each in catalog:
        for reference in each.references:
            _check_referrers(each, reference, state)


def check_required(resource: Resource, record: Record, row: int | None) -> None:
    for field in resource.fields.values():
        if field.required and record.get(field.name) is None:
            raise NotNullViolation.of(resource.name, field.name, row)


def _check_keys(resource: Resource, records: list[Record], written: list[Written]) -> None:
    ours = {id(one.record) for one in written}
    keys = Keys(resource, [record for record in records if id(record) not in ours])
    for one in written:
        keys.add(one.record, one.row)


def _check_targets(resource: Resource, state: State, written: list[Written]) -> None:
    """Every reference that the statement has set leads to a record."""
    there = {reference: _targets(reference, state) for reference in resource.references}
    for one in written:
        for reference in resource.references:
            key = key_of(one.record, reference.fields)
            is_new = one.before is None or key_of(one.before, reference.fields) != key
            if is_new and None not in key and key not in there[reference]:
                raise ReferenceViolation.dangling(resource.name, reference, one.row)


def _check_referrers(resource: Resource, reference: Reference, state: State) -> None:
    """A reference that was there before still leads to a record."""
    there = _targets(reference, state)
    for record in state[resource.name]:
        key = key_of(record, reference.fields)
        if None not in key and key not in there:
            raise ReferenceViolation.still_referenced(resource.name, reference)


def _targets(reference: Reference, state: State) -> set[tuple[Value, ...]]:
    return {key_of(target, reference.target_fields) for target in state[reference.target]}

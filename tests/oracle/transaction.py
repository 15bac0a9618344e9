"""One transaction of the oracle: it writes to a copy of the state, which is the new state once it is committed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from repositories.base import Document, Executor, Rows, representation_tag
from repositories.encoding import outputs_encoder
from repositories.errors import CardinalityViolation, PreconditionFailed
from repositories.query import Cast, Column, Condition, Expression, Output, Read, Row, Sort, Values
from repositories.schema import Catalog, Field, Generated, Resource, Value
from repositories.writes import Assign, Conflict, Delete, Expectation, Insert, Replace, Update, Write
from tests.oracle.casts import cast
from tests.oracle.columns import Record, column_value
from tests.oracle.logic import truth
from tests.oracle.rules import Keys, State, Written, check, check_required, key_of, remove
from tests.oracle.selections import Reader, ordered

#: Gives the next number of a field's sequence.
Numbers = Callable[[Resource, Field], int]


class OracleTransaction(Executor):
    """An executor on the state as it was. The first call that raises ends it: every later one raises the same."""

    def __init__(self, catalog: Catalog, state: State, numbers: Numbers) -> None:
        self.state = state
        self.wrote = False
        self.failure: BaseException | None = None
        self._catalog, self._next_number = catalog, numbers

    @contextmanager
    def _call(self) -> Iterator[None]:
        if self.failure is not None:
            raise self.failure
        try:
            yield
        except BaseException as error:
            self.failure = error
            raise

    def rows(self, read: Read) -> Rows:
        with self._call():
            reader = Reader(self.state, read.values)
            if not read.count and reader.is_nothing(read.selection):
                return Rows([], None)
            listed = reader.listed(read.selection)
            page = copy.deepcopy(reader.page(read.selection, listed))
            return Rows(page, len(listed) if read.count else None)

    def json(self, read: Read) -> Document:
        page = self.rows(read)
        encode = outputs_encoder(read.selection.outputs, read.selection.embeds)
        return Document(encode(page.rows), len(page.rows), page.total)

    def write(self, write: Write) -> Document:
        with self._call():
            if not self.wrote:
                self.state, self.wrote = copy.deepcopy(self.state), True
            match write:
                case Insert():
                    return self._insert(write)
                case Replace():
                    return self._replace(write)
                case Assign():
                    return self._assign(write)
                case Update():
                    return self._update(write)
                case Delete():
                    return self._delete(write)

    def _insert(self, write: Insert) -> Document:
        """Row by row: each finds what the rows before it have left. References are checked when all are there.

        All rows are read first: what is wrong with one of them comes before what is stored already.
        """
        resource = write.resource
        keys = Keys(resource, self.state[resource.name])
        written: dict[int, Written] = {}
        number = 0
        for number, row in enumerate(list(write.rows), start=1):
            index = number - 1
            record = self._new(resource, dict(zip(write.fields, row, strict=True)))
            check_required(resource, record, index)
            there = keys.holder(_names(write.conflict), record) if write.conflict else None
            if there is None:
                self.state[resource.name].append(record)
                keys.add(record, index)
                written[id(record)] = Written(record, row=index)
            elif write.conflict and write.conflict.merge:
                if id(there) in written:
                    raise CardinalityViolation(resource=resource.name, fields=_names(write.conflict), row=index)
                written[id(there)] = Written(there, before=dict(there), row=index)
                keys.remove(there)
                there.update({field.name: record[field.name] for field in write.conflict.merge})
                keys.add(there, index)
        check(self._catalog, self.state, resource, list(written.values()))
        records = [one.record for one in written.values()]
        created = any(one.before is None for one in written.values())
        key = key_of(records[0], resource.primary_key) if number == 1 and records else None
        return Document(_body(records, write.returning), len(records), key=key, created=created)

    def _replace(self, write: Replace) -> Document:
        resource = write.resource
        given = dict(zip(write.fields, write.row, strict=True))
        key = tuple(given[field] for field in resource.key)
        found = [record for record in self.state[resource.name] if key_of(record, resource.primary_key) == key]
        _check_expectation(write.expect, found)
        if found:
            written = Written(found[0], before=dict(found[0]))
            found[0].update({field.name: value for field, value in given.items()})
        elif write.create:
            written = Written(self._new(resource, {**dict(write.initial), **given}))
            self.state[resource.name].append(written.record)
        else:
            return Document(_body([], write.returning), 0)
        check(self._catalog, self.state, resource, [written])
        return Document(_body([written.record], write.returning), 1, key=key, created=not found)

    def _assign(self, write: Assign) -> Document:
        records = {key_of(record, write.resource.primary_key): record for record in self.state[write.resource.name]}
        width = len(write.resource.primary_key)
        written = {}
        for row in write.rows:
            record = records.get(row[:width])
            if record is not None:
                written[id(record)] = Written(record, before=dict(record))
                record.update({field.name: value for field, value in zip(write.fields, row, strict=True)})
        check(self._catalog, self.state, write.resource, list(written.values()))
        return Document(b"", len(written))

    def _update(self, write: Update) -> Document:
        by_key = [Sort(Column(field)) for field in write.resource.key]
        met = ordered(self._met(write.resource, write.where, write.values), by_key)
        _check_expectation(write.expect, met)
        written = [Written(record, before=dict(record)) for record in met]
        for record in met:
            record.update({field.name: write.values[value.index] for field, value in write.changes})
        check(self._catalog, self.state, write.resource, written)
        return Document(_body(ordered(met, write.order), write.returning), len(met))

    def _delete(self, write: Delete) -> Document:
        met = self._met(write.resource, write.where, write.values)
        _check_expectation(write.expect, met)
        body = _body(ordered(met, write.order), write.returning)
        remove(self._catalog, self.state, write.resource, met)
        check(self._catalog, self.state, write.resource, [])
        return Document(body, len(met))

    def _met(self, resource: Resource, where: Condition, values: Values) -> list[Record]:
        key = resource.primary_key
        return [record for record in self.state[resource.name] if truth(where, record, values, key=key)]

    def _new(self, resource: Resource, given: dict[Field, object]) -> Record:
        """A record with every field: as given, else the sequence's next number, else null."""
        record: Record = {}
        for field in resource.fields.values():
            if field in given:
                record[field.name] = copy.deepcopy(given[field])
            elif field.generated is Generated.SEQUENCE:
                record[field.name] = self._next_number(resource, field)
            else:
                record[field.name] = None
        return record


def _names(conflict: Conflict) -> tuple[str, ...]:
    return tuple(field.name for field in conflict.fields)


def _rows(records: list[Record], outputs: tuple[Output, ...]) -> list[Row]:
    """The columns and casts that a write answers with, copied, so that nobody outside can change the state."""
    return [tuple(copy.deepcopy(_value(output.expression, record)) for output in outputs) for record in records]


def _value(expression: Expression, record: Record) -> Value:
    match expression:
        case Column():
            return column_value(expression, record, shown=True)
        case Cast(Column() as operand, kind):
            return cast(column_value(operand, record, shown=True), operand.type, kind)
    raise AssertionError(expression)


def _body(records: list[Record], returning: tuple[Output, ...]) -> bytes:
    return outputs_encoder(returning, ())(_rows(records, returning)) if returning else b""


def _check_expectation(expect: Expectation | None, records: list[Record]) -> None:
    """Present: there is a record, and its JSON has one of the tags. Not present: there is no such record."""
    if expect is None:
        return
    tags = [representation_tag(_body([record], expect.outputs)[1:-1]) for record in records]
    met = [expect.tags is None or tag in expect.tags for tag in tags]
    if not (met and all(met) if expect.present else not any(met)):
        raise PreconditionFailed

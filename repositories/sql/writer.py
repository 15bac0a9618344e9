"""Carries out writes on a connection, conditional ones in a transaction that holds the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from sqlalchemy import MetaData

from repositories.base import Document, representation_tag
from repositories.encoding import records_encoder
from repositories.errors import PreconditionFailed
from repositories.query import And, Column, Comparison, Condition, Operator, Param, Row, Selection, Values
from repositories.schema import Field
from repositories.sql.compiler import Compiler
from repositories.sql.connections import Connection, result_of
from repositories.sql.statements import Statement
from repositories.sql.writing import WriteCompiler
from repositories.writes import Delete, Expectation, Insert, Replace, Update, Write

_Answer = tuple[bytes, int, bytes | None]


class Writer:
    """Compiles and runs writes; keeps what it has compiled."""

    def __init__(self, metadata: MetaData, shapes: int) -> None:
        compiler = WriteCompiler(metadata)
        self._insert = lru_cache(shapes)(compiler.insert)
        self._upsert = lru_cache(shapes)(compiler.upsert)
        self._replace = lru_cache(shapes)(compiler.replace)
        self._update = lru_cache(shapes)(compiler.update)
        self._delete = lru_cache(shapes)(compiler.delete)
        self._lock = lru_cache(shapes)(Compiler(metadata).locked)
        self._encoder = lru_cache(shapes)(_encoder)

    def run(self, connection: Connection, write: Write) -> Document:
        """Carry out the write, in a transaction of its own. Raises the driver's errors and `PreconditionFailed`."""
        if isinstance(write, Insert):
            return self._run_insert(connection, write)
        if write.expect is None:
            return self._run(connection, write)
        with connection.transaction():
            self._require(connection, write, write.expect)
            return self._run(connection, write)

    def _run(self, connection: Connection, write: Replace | Update | Delete) -> Document:
        match write:
            case Replace():
                return self._run_replace(connection, write)
            case Update():
                statement = self._update(write.resource, write.changes, write.where, write.returning, write.order)
            case Delete():
                statement = self._delete(write.resource, write.where, write.returning, write.order)
        body, count, _ = _execute(connection, statement, write.values)
        return Document(body, count)

    def _run_insert(self, connection: Connection, write: Insert) -> Document:
        statement = self._insert(write.resource, write.fields, write.returning)
        rows = self._encoder(write.fields)(write.rows).decode()
        body, count, number = _execute(connection, statement, (rows,))
        if len(write.rows) != 1:
            return Document(body, count)
        given = dict(zip(write.fields, write.rows[0], strict=True))
        key = tuple(given[field] if field in given else int(number or 0) for field in write.resource.key)
        return Document(body, count, key=key, created=True)

    def _run_replace(self, connection: Connection, write: Replace) -> Document:
        key = write.row[: len(write.resource.key)]
        if not write.create or write.expect is not None:
            statement = self._replace(write.resource, write.fields, write.returning)
            fields, row = write.fields, write.row
        else:
            initial = tuple(field for field, _ in write.initial)
            statement = self._upsert(write.resource, write.fields, initial, write.returning)
            fields, row = write.fields + initial, write.row + tuple(value for _, value in write.initial)
        body, count, created = _execute(connection, statement, (self._encoder(fields)([row]).decode(),))
        return Document(body, count, key=key if count else None, created=created == b"t")

    def _require(self, connection: Connection, write: Replace | Update | Delete, expect: Expectation) -> None:
        """Lock the record for the rest of the transaction and see that it is as expected."""
        where, values = _target(write)
        statement = self._lock(Selection(write.resource, expect.outputs, where))
        records = result_of(connection, statement.sql, statement.bind(values))
        tags = [representation_tag(records.get_value(i, 0) or b"") for i in range(records.ntuples)]
        if not tags or (expect.tags is not None and not expect.tags.issuperset(tags)):
            raise PreconditionFailed(resource=write.resource.name)


def _target(write: Replace | Update | Delete) -> tuple[Condition, Values]:
    if not isinstance(write, Replace):
        return write.where, write.values
    key = write.resource.key
    matches = (Comparison(Column(field), Operator.EQ, Param(index)) for index, field in enumerate(key))
    return And(tuple(matches)), write.row[: len(key)]


def _execute(connection: Connection, statement: Statement, values: Values) -> _Answer:
    answer = result_of(connection, statement.sql, statement.bind(values))
    return answer.get_value(0, 0) or b"", int(answer.get_value(0, 1) or 0), answer.get_value(0, 2)


def _encoder(fields: tuple[Field, ...]) -> Callable[[Iterable[Row]], bytes]:
    return records_encoder([field.name for field in fields], [field.type for field in fields])

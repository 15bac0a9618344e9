"""Carries out writes on a connection: each on its own, or as part of the transaction that is open there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import psycopg
from psycopg.errors import ForeignKeyViolation, SerializationFailure
from psycopg.pq.abc import PGresult
from sqlalchemy import MetaData

from repositories.base import Document, representation_tag
from repositories.encoding import records_encoder
from repositories.errors import PreconditionFailed, RepositoryError
from repositories.kept import Kept, KeptParts
from repositories.query import And, Column, Comparison, Condition, Operator, Param, Row, Selection, Values
from repositories.schema import Field
from repositories.sql import bulk
from repositories.sql.blame import VIOLATIONS, Blame
from repositories.sql.compiler import Compiler
from repositories.sql.connections import Connection, result_of
from repositories.sql.statements import Statement
from repositories.sql.writing import WriteCompiler
from repositories.writes import Assign, Conflict, Delete, Expectation, Insert, Replace, Update, Write

_Answer = tuple[bytes, int, bytes | None]
_SAVEPOINT = "diglot"


class Writer:
    """Compiles and runs writes; keeps what it has compiled."""

    def __init__(self, metadata: MetaData, blame: Blame, shapes: int) -> None:
        compiler = WriteCompiler(metadata)
        #: By whether the rows lie ready, and whether the key is wanted.
        self._inserts = {
            (staged, keyed): KeptParts(partial(compiler.insert, staged=staged, keyed=keyed), shapes)
            for staged in (False, True)
            for keyed in (False, True)
        }
        self._upsert = KeptParts(compiler.upsert, shapes)
        self._replace = KeptParts(compiler.replace, shapes)
        self._update = KeptParts(compiler.update, shapes)
        self._delete = KeptParts(compiler.delete, shapes)
        self._lock = Kept(Compiler(metadata).locked, shapes)
        self._encoder = KeptParts(_encoder, shapes)
        self._blame = blame

    def run(self, connection: Connection, write: Write) -> Document:
        """Carry out the write, in a transaction of its own. Raises the driver's errors and `PreconditionFailed`."""
        if isinstance(write, Insert):
            return self._run_insert(connection, write)
        if isinstance(write, Assign) or write.expect is None:
            return self._run(connection, write)
        with connection.transaction():
            return self._run_expecting(connection, write, write.expect)

    def enlist(self, connection: Connection, write: Write, pace: Callable[[], None]) -> Document:
        """Carry out the write in the open transaction, the references checked at its end as if it stood alone.

        `pace` is called before each batch of a streamed insert. Raises `ConstraintError` where more than the driver's
        error is known.
        """
        staged: int | None = None
        if isinstance(write, Insert) and not isinstance(write.rows, Sequence):
            staged = bulk.stage(connection, self._encoder(write.fields), write.rows, pace)
        inquires = self._blame.may_inquire(write)
        if inquires:
            connection.execute(f"SAVEPOINT {_SAVEPOINT}")
        try:
            document = self._run_enlisted(connection, write, staged)
            self._settle(connection, write, inquires=inquires)
        except VIOLATIONS as error:
            raise self._violation(connection, write, error, staged, inquires=inquires) from error
        if staged is not None:
            bulk.clear(connection)
        return document

    def _run_enlisted(self, connection: Connection, write: Write, staged: int | None) -> Document:
        """The write in the open transaction; `staged` is the number of the rows that lie ready for it, if any do."""
        if isinstance(write, Insert):
            return (
                self._run_insert(connection, write) if staged is None else self._run_staged(connection, write, staged)
            )
        if isinstance(write, Assign) or write.expect is None:
            return self._run(connection, write)
        return self._run_expecting(connection, write, write.expect)

    def named(self, connection: Connection, write: Write, error: psycopg.Error) -> RepositoryError | None:
        """The error for what a write met on its own; where several rules are broken, the one that is to be named.

        None where it meets that no more.
        """
        with connection.transaction(force_rollback=True):
            found = self._named(connection, write, error, None)
        return found or self._unfound(write, error)

    def _named(
        self, connection: Connection, write: Write, error: psycopg.Error, staged: int | None
    ) -> RepositoryError | None:
        """What the store is found to say of the violation. The transaction has to be rolled back then."""
        found = self._blame.found(connection, write, error)
        if found is None and isinstance(error, ForeignKeyViolation):
            found = self._blame.referrer(connection, write, lambda: self._run_enlisted(connection, write, staged))
        return found

    def _violation(
        self, connection: Connection, write: Write, error: psycopg.Error, staged: int | None, *, inquires: bool
    ) -> Exception:
        if not inquires:
            return self._blame.known(write, error)
        connection.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        found = None
        with suppress(psycopg.Error):
            found = self._named(connection, write, error, staged)
            if self._blame.has_gone(connection, write, found):
                found = None
        return found or self._unfound(write, error) or SerializationFailure()

    def _unfound(self, write: Write, error: psycopg.Error) -> RepositoryError | None:
        """The error for a violation of which the store says nothing; None where it may have gone meanwhile."""
        return None if self._blame.may_have_changed(write, error) else self._blame.known(write, error)

    def _settle(self, connection: Connection, write: Write, *, inquires: bool) -> None:
        """Check now what would be checked at the end of the transaction."""
        steps = []
        if self._blame.rules.references(write) or self._blame.rules.referring(write):
            steps += ["SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"]
        if inquires:
            steps.append(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        if steps:
            connection.execute("; ".join(steps))

    def _run(self, connection: Connection, write: Replace | Assign | Update | Delete) -> Document:
        match write:
            case Replace():
                return self._run_replace(connection, write, create=write.create)
            case Assign():
                return self._run_assign(connection, write)
            case Update():
                statement = self._update(write.resource, write.changes, write.where, write.returning, write.order)
            case Delete():
                statement = self._delete(write.resource, write.where, write.returning, write.order)
        body, count, _ = _execute(connection, statement, write.values)
        return Document(body, count)

    def _run_insert(self, connection: Connection, write: Insert) -> Document:
        rows = write.rows
        assert isinstance(rows, Sequence)
        if not rows:
            return _nothing(write)
        text = self._encoder(write.fields)(rows).decode()
        if write.conflict is not None:
            return self._run_merge(connection, write, write.conflict, text, single=len(rows) == 1)
        statement = self._inserts[False, False](write.resource, write.fields, write.returning, None)
        body, count, number = _execute(connection, statement, (text,))
        if len(rows) != 1:
            return Document(body, count, created=True)
        given = dict(zip(write.fields, rows[0], strict=True))
        key = tuple(given[field] if field in given else int(number or 0) for field in write.resource.key)
        return Document(body, count, key=key, created=True)

    def _run_merge(
        self, connection: Connection, write: Insert, conflict: Conflict, text: str, *, single: bool
    ) -> Document:
        statement = self._inserts[False, single](write.resource, write.fields, write.returning, conflict)
        return _written(connection, statement, (text,), keyed=single)

    def _run_staged(self, connection: Connection, write: Insert, staged: int) -> Document:
        statement = self._inserts[True, staged == 1](write.resource, write.fields, write.returning, write.conflict)
        document = _written(connection, statement, (), keyed=staged == 1)
        return document if write.conflict else replace(document, created=document.count > 0)

    def _run_assign(self, connection: Connection, write: Assign) -> Document:
        if not write.rows:
            return Document(b"", 0)
        statement = self._replace(write.resource, write.fields, ())
        _, count, _ = _execute(connection, statement, (self._encoder(write.fields)(write.rows).decode(),))
        return Document(b"", count)

    def _run_replace(self, connection: Connection, write: Replace, *, create: bool) -> Document:
        key = write.row[: len(write.resource.key)]
        if create:
            initial = tuple(field for field, _ in write.initial)
            statement = self._upsert(write.resource, write.fields, initial, write.returning)
            fields, row = write.fields + initial, write.row + tuple(value for _, value in write.initial)
        else:
            statement = self._replace(write.resource, write.fields, write.returning)
            fields, row = write.fields, write.row
        body, count, created = _execute(connection, statement, (self._encoder(fields)([row]).decode(),))
        return Document(body, count, key=key if count else None, created=created == b"t")

    def _run_expecting(self, connection: Connection, write: Replace | Update | Delete, expect: Expectation) -> Document:
        """The write, once its expectation is found to hold of the records, which are locked from then on."""
        tags = self._lock_tags(connection, write, expect)
        met = [expect.tags is None or tag in expect.tags for tag in tags]
        if not (met and all(met) if expect.present else not any(met)):
            raise PreconditionFailed(resource=write.resource.name)
        if tags:
            return self._run(connection, replace(write, create=False) if isinstance(write, Replace) else write)
        return self._create(connection, write) if isinstance(write, Replace) and write.create else _nothing(write)

    def _create(self, connection: Connection, write: Replace) -> Document:
        fields = write.fields + tuple(field for field, _ in write.initial)
        row = write.row + tuple(value for _, value in write.initial)
        insert = Insert(write.resource, fields, (row,), write.returning, Conflict(write.resource.key))
        document = self._run_insert(connection, insert)
        if not document.count:
            # The record has come since it was looked for; another attempt finds it.
            raise SerializationFailure
        return document

    def _lock_tags(self, connection: Connection, write: Replace | Update | Delete, expect: Expectation) -> list[str]:
        """Lock the records for the rest of the transaction, and give their tags."""
        where, values = _target(write)
        statement = self._lock(Selection(write.resource, expect.outputs, where))
        records = result_of(connection, statement.sql, statement.bind(values))
        return [representation_tag(records.get_value(i, 0) or b"") for i in range(records.ntuples)]


def _target(write: Replace | Update | Delete) -> tuple[Condition, Values]:
    if not isinstance(write, Replace):
        return write.where, write.values
    key = write.resource.key
    matches = (Comparison(Column(field), Operator.EQ, Param(index)) for index, field in enumerate(key))
    return And(tuple(matches)), write.row[: len(key)]


def _nothing(write: Insert | Replace | Update | Delete) -> Document:
    return Document(b"[]" if write.returning else b"", 0)


def _execute(connection: Connection, statement: Statement, values: Values) -> _Answer:
    return _answer_of(result_of(connection, statement.sql, statement.bind(values)))


def _written(connection: Connection, statement: Statement, values: Values, *, keyed: bool) -> Document:
    """The answer of an insert: the records, whether any is new, and, of a single one, its key."""
    result = result_of(connection, statement.sql, statement.bind(values))
    body, count, created = _answer_of(result)
    key = connection.statements.row(result)[3:] if keyed and count else None
    return Document(body, count, key=key, created=created == b"t")


def _answer_of(result: PGresult) -> _Answer:
    return result.get_value(0, 0) or b"", int(result.get_value(0, 1) or 0), result.get_value(0, 2)


def _encoder(fields: tuple[Field, ...]) -> Callable[[Iterable[Row]], bytes]:
    return records_encoder([field.name for field in fields], [field.type for field in fields])

"""Which rule a failed write is told to have broken: the store names one, which comes first is looked up afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, TypeVar

import psycopg
from psycopg import errors, sql
from sqlalchemy import MetaData

from repositories.encoding import records_encoder
from repositories.errors import (
    CardinalityViolation,
    NotNullViolation,
    ReferenceViolation,
    RepositoryError,
    UniqueViolation,
)
from repositories.sql.connections import Connection
from repositories.sql.errors import Translator
from repositories.sql.inquiries import Lacking, Repeated, Rule, holder, inquiry
from repositories.sql.rules import Rules, as_insert, merges
from repositories.sql.statements import Statement
from repositories.writes import Assign, Insert, Replace, Update, Write

_Rule = TypeVar("_Rule", bound=Rule)

#: Inquiries that are kept.
_SHAPES = 256
#: The errors that say of a write's own data that it breaks a rule.
VIOLATIONS = (psycopg.IntegrityError, errors.CardinalityViolation)


class Blame:
    """Makes the port's errors of what writes meet; keeps the inquiries that it has compiled."""

    def __init__(self, metadata: MetaData, translator: Translator, rules: Rules) -> None:
        self.translator = translator
        self.rules = rules
        self._inquiry = lru_cache(_SHAPES)(partial(inquiry, metadata))
        self._holder = lru_cache(_SHAPES)(partial(holder, metadata))

    def may_inquire(self, write: Write) -> bool:
        """Whether the driver's error alone may not tell which rule, or which row, is to be named."""
        if isinstance(write, Insert) and not _is_single(write):
            return True
        if isinstance(write, Assign):
            return False
        rules = self.rules
        if len(rules.uniques(write)) > (0 if merges(write) else 1):
            return True
        return len(rules.references(write)) + len(rules.referring(write)) > 1

    def known(self, write: Write, error: psycopg.Error) -> RepositoryError:
        """The error as the driver alone tells it."""
        single = isinstance(write, Insert) and _is_single(write) and isinstance(error, VIOLATIONS)
        return self.translator.translate(error, write, 0 if single else None)

    def found(self, connection: Connection, write: Write, error: psycopg.Error) -> RepositoryError | None:
        """The error as what the store holds tells it; None where it tells of none."""
        name = write.resource.name
        match error:
            case errors.UniqueViolation():
                unique, row = self._first(connection, write, self.rules.uniques(write))
                return UniqueViolation.of(name, unique, row) if unique else None
            case errors.ForeignKeyViolation():
                reference, row = self._first(connection, write, self.rules.references(write))
                return ReferenceViolation.dangling(name, reference, row) if reference else None
            case errors.NotNullViolation() if error.diag.table_name == name and isinstance(write, Insert):
                field = error.diag.column_name or ""
                lacking, row = self._first(
                    connection, write, [Lacking(field)] if field in write.resource.fields else []
                )
                return NotNullViolation.of(name, field, row) if lacking else None
            case errors.CardinalityViolation() if isinstance(write, Insert) and write.conflict is not None:
                names = tuple(field.name for field in write.conflict.fields)
                repeated, row = self._first(connection, write, [Repeated(names)])
                return CardinalityViolation(resource=name, fields=names, row=row) if repeated else None
        return None

    def has_gone(self, connection: Connection, write: Write, found: RepositoryError | None) -> bool:
        """Whether the record that is found in the way is no longer there, within a REPEATABLE READ transaction.

        The snapshot still shows it; unique indexes, which look beyond the snapshot, no longer do. It is locked.
        """
        if isinstance(found, UniqueViolation):
            unique = next(each for each in self.rules.uniques(write) if each.fields == found.fields)
            try:
                self._execute(connection, self._holder, write, unique)
            except (errors.SerializationFailure, errors.DeadlockDetected):
                return True
        return False

    def referrer(self, connection: Connection, write: Write, again: Callable[[], object]) -> ReferenceViolation | None:
        """The first reference that the write leaves without its record: of several, the store names any.

        The write is carried out `again`, now with every reference to be asked in its turn; the caller undoes it.
        """
        names = [sql.Identifier(reference.constraint).as_string() for _, reference in self.rules.referring(write)]
        if not names:
            return None
        connection.execute("SET CONSTRAINTS ALL DEFERRED")
        again()
        try:
            connection.execute("; ".join(f"SET CONSTRAINTS {name} IMMEDIATE" for name in names))
        except errors.ForeignKeyViolation as error:
            reference = self.translator.reference(error)
            return ReferenceViolation.still_referenced(error.diag.table_name or "", reference) if reference else None
        return None

    def may_have_changed(self, write: Write, error: psycopg.Error) -> bool:
        """Whether what is not found must have gone meanwhile, or have come after the snapshot.

        What else breaks a rule that can be asked about is found.
        """
        match error:
            case errors.UniqueViolation():
                return self.translator.unique(error) in self.rules.uniques(write)
            case errors.ForeignKeyViolation():
                referring = [reference for _, reference in self.rules.referring(write)]
                return self.translator.reference(error) in [*self.rules.references(write), *referring]
        return False

    def _first(
        self, connection: Connection, write: Write, rules: Sequence[_Rule]
    ) -> tuple[_Rule, int | None] | tuple[None, None]:
        """The rule that is to be named, and the row of an insert that breaks it."""
        if not rules:
            return None, None
        (rows,) = self._execute(connection, self._inquiry, write, tuple(rules))
        broken = [(row, place) for place, row in enumerate(rows) if row is not None]
        if not broken:
            return None, None
        row, place = min(broken)
        return rules[place], row if isinstance(write, Insert) else None

    def _execute(
        self, connection: Connection, compiled: Callable[..., Statement], write: Write, asked_of: object
    ) -> list[Any]:
        """The rows of a statement about the records that the write would have left."""
        asked = as_insert(write) if isinstance(write, Replace) else write
        assert isinstance(asked, Insert | Update)
        staged = isinstance(asked, Insert) and not isinstance(asked.rows, Sequence)
        statement = compiled(_shape(asked), asked_of, staged=staged)
        values = () if staged else (_text(asked),) if isinstance(asked, Insert) else asked.values
        return connection.execute(statement.sql, statement.bind(values)).fetchall()


def _shape(write: Insert | Update) -> Insert | Update:
    """The write without its values: what an inquiry depends on."""
    if isinstance(write, Insert):
        return replace(write, rows=(), returning=())
    return replace(write, values=(), returning=(), order=(), expect=None)


def _is_single(write: Insert) -> bool:
    return isinstance(write.rows, Sequence) and len(write.rows) == 1


def _text(write: Insert) -> str:
    encode = records_encoder([field.name for field in write.fields], [field.type for field in write.fields])
    return encode(write.rows).decode()

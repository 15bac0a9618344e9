"""Which rule a failed write is told to have broken: the store names one, which comes first is looked up afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import TypeVar

import psycopg
from psycopg import errors
from sqlalchemy import MetaData

from repositories.encoding import records_encoder
from repositories.errors import (
    CardinalityViolation,
    NotNullViolation,
    ReferenceViolation,
    RepositoryError,
    UniqueViolation,
)
from repositories.schema import Reference, Unique
from repositories.sql.connections import Connection
from repositories.sql.errors import Translator
from repositories.sql.inquiries import Lacking, Repeated, Rule, inquiry
from repositories.writes import Conflict, Insert, Replace, Update, Write

_Rule = TypeVar("_Rule", bound=Rule)

#: Inquiries that are kept.
_SHAPES = 256
#: The errors that say of a write's own data that it breaks a rule.
VIOLATIONS = (psycopg.IntegrityError, errors.CardinalityViolation)


def merges(write: Write) -> bool:
    """Whether the write turns to a record that it finds. Racing for a new one, it may trip over another of its keys."""
    return isinstance(write, Replace) or (isinstance(write, Insert) and write.conflict is not None)


class Blame:
    """Makes the port's errors of what writes meet; keeps the inquiries that it has compiled."""

    def __init__(self, metadata: MetaData, translator: Translator) -> None:
        self.translator = translator
        self._inquiry = lru_cache(_SHAPES)(partial(inquiry, metadata))

    def may_inquire(self, write: Write) -> bool:
        """Whether the driver's error alone may not tell which rule, or which row, is to be named."""
        if isinstance(write, Insert) and not _is_single(write):
            return True
        return len(_uniques(write)) > (0 if merges(write) else 1) or len(_references(write)) > 1

    def known(self, write: Write, error: psycopg.Error) -> RepositoryError:
        """The error as the driver alone tells it."""
        single = isinstance(write, Insert) and _is_single(write) and isinstance(error, VIOLATIONS)
        return self.translator.translate(error, write, 0 if single else None)

    def found(self, connection: Connection, write: Write, error: psycopg.Error) -> RepositoryError | None:
        """The error as what the store holds tells it; None where it tells of none."""
        name = write.resource.name
        match error:
            case errors.UniqueViolation():
                unique, row = self._first(connection, write, _uniques(write))
                return UniqueViolation.of(name, unique, row) if unique else None
            case errors.ForeignKeyViolation():
                reference, row = self._first(connection, write, _references(write))
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

    def may_be_unseen(self, write: Write, error: psycopg.Error) -> bool:
        """Whether the record in the way may have come after the snapshot, where a new one would let them be merged."""
        return (
            merges(write)
            and isinstance(error, errors.UniqueViolation)
            and (self.translator.unique(error) in _uniques(write))
        )

    def _first(
        self, connection: Connection, write: Write, rules: Sequence[_Rule]
    ) -> tuple[_Rule, int | None] | tuple[None, None]:
        """The rule that is to be named, and the row of an insert that breaks it."""
        if not rules:
            return None, None
        asked = _as_insert(write) if isinstance(write, Replace) else write
        assert isinstance(asked, Insert | Update)
        staged = isinstance(asked, Insert) and not isinstance(asked.rows, Sequence)
        statement = self._inquiry(_shape(asked), tuple(rules), staged=staged)
        values = () if staged else (_text(asked),) if isinstance(asked, Insert) else asked.values
        (rows,) = connection.execute(statement.sql, statement.bind(values)).fetchall()
        broken = [(row, place) for place, row in enumerate(rows) if row is not None]
        if not broken:
            return None, None
        row, place = min(broken)
        return rules[place], row if isinstance(write, Insert) else None


def _shape(write: Insert | Update) -> Insert | Update:
    """The write without its values: what an inquiry depends on."""
    if isinstance(write, Insert):
        return replace(write, rows=(), returning=())
    return replace(write, values=(), returning=(), order=(), expect=None)


def _is_single(write: Insert) -> bool:
    return isinstance(write.rows, Sequence) and len(write.rows) == 1


def _as_insert(write: Replace) -> Insert:
    """The insert that does what the replacement does."""
    fields, row = write.fields, write.row
    if write.create:
        fields += tuple(field for field, _ in write.initial)
        row += tuple(value for _, value in write.initial)
    key = write.resource.key
    return Insert(write.resource, fields, (row,), conflict=Conflict(key, write.fields[len(key) :] or key))


def _text(write: Insert) -> str:
    encode = records_encoder([field.name for field in write.fields], [field.type for field in write.fields])
    return encode(write.rows).decode()


def _set(write: Write) -> set[str]:
    """The names of the fields whose values the write brings."""
    match write:
        case Insert():
            return {field.name for field in write.fields}
        case Replace():
            return {field.name for field in _as_insert(write).fields}
        case Update():
            return {field.name for field, _ in write.changes}
    return set()


def _uniques(write: Write) -> list[Unique]:
    """The key and the unique sets that the write may break, in the order of their declaration."""
    resource = write.resource
    given, declared = _set(write), [Unique(resource.key_name, resource.primary_key), *resource.uniques]
    if isinstance(write, Insert) and write.conflict is None:
        return [unique for unique in declared if given.issuperset(unique.fields)]
    passed: set[str] = set()
    if isinstance(write, Replace):
        passed = set(resource.primary_key)
    elif isinstance(write, Insert) and write.conflict is not None:
        passed = {field.name for field in write.conflict.fields}
    return [unique for unique in declared if not given.isdisjoint(unique.fields) and set(unique.fields) != passed]


def _references(write: Write) -> list[Reference]:
    """The references that the write may leave without a target, in the order of their declaration."""
    given = _set(write)
    return [reference for reference in write.resource.references if not given.isdisjoint(reference.fields)]

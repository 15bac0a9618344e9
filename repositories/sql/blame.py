"""Which record of a bulk insert broke a rule: looked up after the insert has failed as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import errors
from sqlalchemy import MetaData, and_, select
from sqlalchemy.dialects.postgresql import JSON

from repositories.encoding import records_encoder
from repositories.query import Param, Row
from repositories.schema import Field, Kind, Reference, Type, Unique
from repositories.sql.connections import Connection
from repositories.sql.errors import Translator
from repositories.sql.postgresql import given_rows
from repositories.sql.statements import Parameters
from repositories.sql.types import columns_of
from repositories.writes import Insert

_NUMBER = Field("diglot_row", Type(Kind.INT64))
_Keys = dict[int, Row]


def offending_row(
    connection: Connection, metadata: MetaData, translator: Translator, insert: Insert, error: psycopg.Error
) -> int | None:
    """The index of a record that the error is about; None where that is not to be told."""
    if len(insert.rows) == 1:
        return 0
    inquiry = _Inquiry(connection, metadata, insert)
    match error:
        case errors.NotNullViolation():
            return inquiry.first_null(error.diag.column_name or "")
        case errors.UniqueViolation():
            unique = translator.unique(error)
            return inquiry.duplicate(unique) if unique else None
        case errors.ForeignKeyViolation():
            reference = translator.reference(error)
            return inquiry.orphan(reference) if reference else None
    return None


@dataclass(frozen=True, slots=True)
class _Inquiry:
    connection: Connection
    metadata: MetaData
    insert: Insert

    def first_null(self, name: str) -> int | None:
        names = [field.name for field in self.insert.fields]
        if name not in names:
            return 0
        position = names.index(name)
        return next((index for index, row in enumerate(self.insert.rows) if row[position] is None), None)

    def duplicate(self, unique: Unique) -> int | None:
        keys = self._keys(unique.fields)
        seen: set[str] = set()
        for index, key in keys.items():
            if repr(key) in seen:
                return index
            seen.add(repr(key))
        return min(self._present(keys, unique.fields, self.insert.resource.name, unique.fields), default=None)

    def orphan(self, reference: Reference) -> int | None:
        keys = self._keys(reference.fields)
        found = self._present(keys, reference.fields, reference.target, reference.target_fields)
        brought: set[str] = set()
        if reference.target == self.insert.resource.name:
            brought = {repr(key) for key in self._keys(reference.target_fields).values()}
        return next((index for index, key in keys.items() if index not in found and repr(key) not in brought), None)

    def _keys(self, names: Sequence[str]) -> _Keys:
        """By record, its values under `names`, where none is null; nothing when the store generates one of them."""
        given = [field.name for field in self.insert.fields]
        if not set(names) <= set(given):
            return {}
        positions = [given.index(name) for name in names]
        keys = {index: tuple(row[position] for position in positions) for index, row in enumerate(self.insert.rows)}
        return {index: key for index, key in keys.items() if None not in key}

    def _present(self, keys: _Keys, names: Sequence[str], target: str, target_names: Sequence[str]) -> set[int]:
        """The records whose key `target` has."""
        fields = [self.insert.resource.fields[name] for name in names]
        columns = [*fields, _NUMBER]
        parameters = Parameters()
        given = given_rows(columns_of(columns), parameters.bind(Param(0), JSON()))
        table = self.metadata.tables[target].alias("diglot_target")
        same = (table.c[a] == given.c[b] for a, b in zip(target_names, names, strict=True))
        statement = parameters.statement(select(given.c[_NUMBER.name]).join_from(given, table, and_(*same)))
        encode = records_encoder([column.name for column in columns], [column.type for column in columns])
        rows = encode((*key, index) for index, key in keys.items()).decode()
        return {number for (number,) in self.connection.execute(statement.sql, statement.bind([rows]))}

"""Writes as SQL: pure, one statement for each shape, whatever the number of records.

Every statement answers with one row: the records written as a JSON array (null when nothing is to be returned), their
number, and one more column: for an insert the number that the sequence has given, for an upsert or replacement whether
any record is new, else null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Delete,
    Label,
    MetaData,
    Table,
    Update,
    and_,
    exists,
    false,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSON, Insert, insert

from repositories.expressions import field_of
from repositories.query import ALL, Condition, Output, Param, Sort
from repositories.schema import MISSING, Field, Generated, Resource
from repositories.sql.conditions import condition_sql
from repositories.sql.postgresql import array_json, given_rows, next_number, page_of, staged_rows, was_created
from repositories.sql.scopes import Scope
from repositories.sql.selections import order_sql, outputs_sql
from repositories.sql.statements import Parameters, Statement
from repositories.sql.types import columns_of, converter, parameter_type
from repositories.writes import Conflict

_WRITTEN = "diglot_written"
_REPLACED = "diglot_replaced"
_INSERTED = "diglot_inserted"
_CREATED = "diglot_created"
_ROWS = Param(0)


@dataclass(frozen=True, slots=True)
class WriteCompiler:
    """Compiles writes against the tables of a catalog.

    Inserts and replacements take their rows as one parameter, the text of a JSON array of objects.
    """

    metadata: MetaData

    def insert(
        self,
        resource: Resource,
        fields: tuple[Field, ...],
        returning: tuple[Output, ...],
        conflict: Conflict | None = None,
        *,
        staged: bool = False,
        keyed: bool = False,
    ) -> Statement:
        """Insert the rows, in their order; merge, or pass over, those in conflict.

        With `staged` the rows are those that `bulk.py` has put ready. With `keyed` the answer has the key of the one
        record written as further columns.
        """
        parameters = Parameters()
        table = self.metadata.tables[resource.name]
        statement = insert(table).from_select(*self._source(resource, fields, parameters, staged=staged))
        key = resource.primary_key if keyed else ()
        if conflict is not None:
            written = _written(_merging(statement, conflict), table, resource, returning, (), _created())
            return parameters.statement(_answer(written, returning, (), func.bool_or(written.c[_CREATED]), key))
        numbered = [field for field in resource.key if field not in fields]
        written = _written(statement, table, resource, returning, ())
        number = func.min(written.c[numbered[0].name]) if numbered else null()
        return parameters.statement(_answer(written, returning, (), number, key))

    def upsert(
        self,
        resource: Resource,
        fields: tuple[Field, ...],
        initial: tuple[Field, ...],
        returning: tuple[Output, ...],
    ) -> Statement:
        """Set `fields` of the row that has the given row's key; insert the row where there is none.

        The update comes first, since an insert would have to be complete even where it finds a row to update. It may
        still find one that has come in the meantime.
        """
        parameters = Parameters()
        table = self.metadata.tables[resource.name]
        replaced = _written(
            self._replacing(resource, fields, parameters), table, resource, returning, (), name=_REPLACED
        )
        columns, source = self._source(resource, fields + initial, parameters)
        inserting = insert(table).from_select(columns, source.where(~exists().select_from(replaced)))
        inserting = inserting.on_conflict_do_update(
            index_elements=list(resource.primary_key),
            set_={field.name: inserting.excluded[field.name] for field in _changed(resource, fields)},
        )
        inserted = _written(inserting, table, resource, returning, (), _created(), name=_INSERTED)
        both = union_all(select(replaced, false().label(_CREATED)), select(inserted)).cte(_WRITTEN)
        return parameters.statement(_answer(both, returning, (), func.bool_and(both.c[_CREATED])))

    def replace(self, resource: Resource, fields: tuple[Field, ...], returning: tuple[Output, ...]) -> Statement:
        """Set `fields` of the rows that have the given rows' keys."""
        parameters = Parameters()
        table = self.metadata.tables[resource.name]
        written = _written(self._replacing(resource, fields, parameters), table, resource, returning, ())
        return parameters.statement(_answer(written, returning, ()))

    def update(
        self,
        resource: Resource,
        changes: tuple[tuple[Field, Param], ...],
        where: Condition,
        returning: tuple[Output, ...],
        order: tuple[Sort, ...],
    ) -> Statement:
        """Set the changes in every row that meets `where`."""
        parameters = Parameters()
        table = self.metadata.tables[resource.name]
        values: dict[str, ColumnElement[Any]] = {
            field.name: parameters.bind(param, parameter_type(field.type), converter(field.type))
            for field, param in changes
        }
        # Without changes the rows are found and answered all the same.
        statement = table.update().values(values or {name: table.c[name] for name in resource.primary_key})
        if where != ALL:
            statement = statement.where(condition_sql(where, Scope.flat(table, parameters, resource)))
        return parameters.statement(_answer(_written(statement, table, resource, returning, order), returning, order))

    def delete(
        self, resource: Resource, where: Condition, returning: tuple[Output, ...], order: tuple[Sort, ...]
    ) -> Statement:
        """Delete every row that meets `where`."""
        parameters = Parameters()
        table = self.metadata.tables[resource.name]
        statement = table.delete()
        if where != ALL:
            statement = statement.where(condition_sql(where, Scope.flat(table, parameters, resource)))
        return parameters.statement(_answer(_written(statement, table, resource, returning, order), returning, order))

    def _replacing(self, resource: Resource, fields: tuple[Field, ...], parameters: Parameters) -> Update:
        table = self.metadata.tables[resource.name]
        given = given_rows(columns_of(fields), parameters.bind(_ROWS, JSON()))
        return (
            table.update()
            .values({field.name: given.c[field.name] for field in _changed(resource, fields)})
            .where(and_(*(table.c[name] == given.c[name] for name in resource.primary_key)))
        )

    def _source(
        self, resource: Resource, fields: Sequence[Field], parameters: Parameters, *, staged: bool = False
    ) -> tuple[list[str], Any]:
        """The columns to insert into, and the query that fills them.

        A column that has a default in the table and is not given is null all the same: the planner has decided.
        """
        columns = columns_of(fields or resource.key)
        given = staged_rows(columns) if staged else given_rows(columns, parameters.bind(_ROWS, JSON()))
        values: dict[str, ColumnElement[Any]] = {field.name: given.c[field.name] for field in fields}
        for field in resource.fields.values():
            if field not in fields and field.default is not MISSING:
                values[field.name] = null()
        if not values:
            values = {
                field.name: next_number(resource.name, field.name)
                for field in resource.key
                if field.generated is Generated.SEQUENCE
            }
        return list(values), select(*values.values()).select_from(given)


def _merging(statement: Insert, conflict: Conflict) -> Insert:
    names = [field.name for field in conflict.fields]
    if not conflict.merge:
        return statement.on_conflict_do_nothing(index_elements=names)
    merged = {field.name: statement.excluded[field.name] for field in conflict.merge}
    return statement.on_conflict_do_update(index_elements=names, set_=merged)


def _created() -> Label[bool]:
    return was_created().label(_CREATED)


def _changed(resource: Resource, fields: Sequence[Field]) -> Sequence[Field]:
    """The fields that a replacement sets; of nothing but a key, the key: the row answers all the same."""
    return [field for field in fields if field.name not in resource.primary_key] or resource.key


def _written(
    statement: Insert | Update | Delete,
    table: Table,
    resource: Resource,
    returning: Iterable[Output],
    order: Iterable[Sort],
    *more: ColumnElement[Any],
    name: str = _WRITTEN,
) -> CTE:
    """The write with the columns that its answer is made of."""
    names = dict.fromkeys(resource.primary_key)
    names |= dict.fromkeys(field_of(output.expression).name for output in returning)
    names |= dict.fromkeys(field_of(sort.expression).name for sort in order)
    return statement.returning(*(table.c[name] for name in names), *more).cte(name)


def _answer(
    written: CTE,
    returning: tuple[Output, ...],
    order: tuple[Sort, ...],
    extra: ColumnElement[Any] | None = None,
    key: Iterable[str] = (),
) -> Any:
    body: Any = null()
    if returning:
        scope = Scope.flat(written)
        page = page_of(select(*outputs_sql(returning, scope)).order_by(*order_sql(order, scope)), returning)
        body = select(array_json(page)).scalar_subquery()
    keys = (select(written.c[name]).limit(literal_column("1")).scalar_subquery() for name in key)
    return select(body, func.count(), null() if extra is None else extra, *keys).select_from(written)

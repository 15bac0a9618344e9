"""Reads as SQL: pure, and done once for each shape."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import MetaData, func, select

from repositories.query import Selection
from repositories.sql.decoding import is_plain, loader
from repositories.sql.postgresql import array_json, page_of, record_json
from repositories.sql.scopes import Scope
from repositories.sql.selections import page_sql, total_sql
from repositories.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles reads against the tables of a catalog."""

    metadata: MetaData

    def rows(self, selection: Selection) -> Statement:
        """The page, a column for each output; or where a column cannot say what it is, as `records`."""
        scope = Scope.of(selection, self.metadata)
        page = page_sql(selection, scope)
        if is_plain(selection.outputs):
            return scope.building.parameters.statement(page)
        records = select(record_json(page_of(page, selection.outputs)))
        return scope.building.parameters.statement(records, loader(selection.outputs, selection.embeds))

    def records(self, selection: Selection) -> Statement:
        """The page, a row with one column for each record: its JSON text."""
        scope = Scope.of(selection, self.metadata)
        page = page_of(page_sql(selection, scope), selection.outputs)
        return scope.building.parameters.statement(select(record_json(page)))

    def locked(self, selection: Selection) -> Statement:
        """The same, and no other transaction changes these records until this one ends."""
        scope = Scope.of(selection, self.metadata)
        page = page_of(page_sql(selection, scope).with_for_update(), selection.outputs)
        return scope.building.parameters.statement(select(record_json(page)))

    def counted(self, selection: Selection) -> Statement:
        """One row: the page as a JSON array, its number of records, and the exact total of the selection."""
        scope = Scope.of(selection, self.metadata)
        page = page_of(page_sql(selection, scope), selection.outputs)
        total = total_sql(
            selection, Scope(scope.building, scope.source, selection.embeds, selection.resource)
        ).scalar_subquery()
        return scope.building.parameters.statement(select(array_json(page), func.count(), total).select_from(page))

    def total(self, selection: Selection) -> Statement:
        """One row: the exact number of records that the selection has, pages aside."""
        scope = Scope.of(selection, self.metadata)
        return scope.building.parameters.statement(total_sql(selection, scope))

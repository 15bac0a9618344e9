"""Where names are looked up while a selection becomes SQL: its table, and those of the records embedded in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import ColumnElement, FromClause, MetaData, and_, exists, literal_column

from repositories.query import Embed, Relation, Selection
from repositories.schema import Field, Resource
from repositories.sql.postgresql import quote
from repositories.sql.statements import Parameters


@dataclass(slots=True)
class Building:
    """One statement under construction."""

    metadata: MetaData
    parameters: Parameters = field(default_factory=Parameters)
    _numbers: Any = field(default_factory=count)

    def name(self) -> str:
        """A name that no table, no column and no other part of the statement has."""
        tables = self.metadata.tables
        while True:
            name = f"diglot_{next(self._numbers)}"
            if name not in tables and not any(name in table.c for table in tables.values()):
                return name

    def table(self, resource: Resource) -> FromClause:
        """The resource's table, under a name of its own."""
        return self.metadata.tables[resource.name].alias(self.name())


@dataclass(slots=True)
class Scope:
    """One level of a statement: where its columns come from, its embeds, and those that it has joined so far.

    Without `joins_embeds` single values are looked up one by one, so that the order of the records stays.
    """

    building: Building
    source: FromClause
    embeds: tuple[Embed, ...] = ()
    resource: Resource | None = None
    joins_embeds: bool = True
    _joined: dict[int, Scope] = field(default_factory=dict)

    @classmethod
    def of(cls, selection: Selection, metadata: MetaData) -> Scope:
        """The outermost level of a new statement."""
        return cls(Building(metadata), metadata.tables[selection.resource.name], selection.embeds, selection.resource)

    @classmethod
    def flat(cls, source: FromClause, parameters: Parameters | None = None, resource: Resource | None = None) -> Scope:
        """A level of what a write reads, where there are no embeds."""
        return cls(Building(MetaData(), parameters or Parameters()), source, resource=resource)

    @property
    def key(self) -> tuple[Field, ...]:
        """The fields of the primary key of the records."""
        assert self.resource is not None
        return self.resource.key

    def below(self, index: int) -> Scope:
        """A new level for the records of an embed."""
        selection = self.embeds[index].selection
        source = self.building.table(selection.resource)
        return Scope(self.building, source, selection.embeds, selection.resource)

    def joined(self, index: int) -> Scope:
        """The level of a to-one embed that is joined to this one: its columns are null where there is no record."""
        if index not in self._joined:
            self._joined[index] = self.below(index)
        return self._joined[index]

    @property
    def exists(self) -> ColumnElement[bool]:
        """Whether a level that is joined has a record."""
        return self.source.c[self.key[0].name].is_not(None)

    @property
    def joins(self) -> list[tuple[Embed, Scope]]:
        """The embeds that are joined, with their levels."""
        return [(self.embeds[index], scope) for index, scope in self._joined.items()]


def outside(source: FromClause, name: str) -> ColumnElement[Any]:
    """A column of an enclosing level, as text: the compiler must not look for its table on this one."""
    column = source.c[name]
    return literal_column(f"{quote(str(source.name))}.{quote(name)}", column.type)  # type: ignore[attr-defined]


def link_sql(relation: Relation, parent: Scope, child: Scope) -> ColumnElement[bool]:
    """Whether the record of `child` belongs to that of `parent`, by their fields or by a record between them."""
    if relation.junction is None:
        return _agree(relation.pairs, parent.source, child.source)
    between = child.building.table(relation.junction.resource)
    near = _agree(relation.pairs, parent.source, between)
    far = (between.c[own.name] == outside(child.source, other.name) for own, other in relation.junction.pairs)
    return exists(literal_column("1")).select_from(between).where(near, *far)


def _agree(pairs: tuple[tuple[Field, Field], ...], parent: FromClause, child: FromClause) -> ColumnElement[bool]:
    return and_(*(child.c[other.name] == outside(parent, own.name) for own, other in pairs))

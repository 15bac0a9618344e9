"""Selections, from the inside out: the records that are met, with those embedded in them; grouped, ordered and cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from repositories.expressions import aggregates, is_grouped, type_of
from repositories.query import Aggregate, Cast, Column, Embed, Expression, Member, Row, Selection, Sort, Values
from repositories.query import Record as Whole
from repositories.schema import Field, Type, Value
from tests.oracle.aggregates import aggregated
from tests.oracle.casts import cast
from tests.oracle.columns import Record, column_value
from tests.oracle.logic import truth
from tests.oracle.values import equal, identity, rank


@dataclass(frozen=True, slots=True)
class Met:
    """A record that meets a selection, and for each embed the records that belong to it, in no order."""

    record: Record
    embedded: tuple[list[Met], ...]


T = TypeVar("T")
#: Records that make one record of the answer: one, or where the selection is grouped, those of the group.
Group = list[Met]


@dataclass(frozen=True, slots=True)
class Reader:
    """Answers selections over what is stored, with a query's values."""

    stored: Mapping[str, list[Record]]
    values: Values

    def listed(self, selection: Selection) -> list[Group]:
        """All that the selection lists, in its order, pages aside."""
        return self._listed(selection, self._met(selection, self.stored[selection.resource.name]))

    def is_nothing(self, selection: Selection) -> bool:
        """Whether the page has room for no record: then none is looked at, and no value is made that may fail."""
        if selection.limit is not None and self.values[selection.limit.index] == 0:
            return True
        only_one = is_grouped(selection) and not self._keys(selection)
        return only_one and selection.offset is not None and self.values[selection.offset.index] > 0

    def page(self, selection: Selection, listed: list[Group]) -> list[Row]:
        """The rows of the page."""
        page = [] if self.is_nothing(selection) else self._cut(selection, listed)
        return [self._row(selection, group) for group in page]

    def _compute(self, selection: Selection, groups: list[Group]) -> None:
        """What goes into aggregates is made of all groups, also of those outside of the page: any of it may fail."""
        for output in selection.outputs:
            inner = output.expression.operand if isinstance(output.expression, Cast) else output.expression
            if isinstance(inner, Aggregate) and inner.operand is not None:
                for group in groups:
                    for met in group:
                        self._value(selection, inner.operand, met)

    def _met(self, selection: Selection, records: list[Record]) -> list[Met]:
        found = []
        for record in records:
            embedded = tuple(self._met(each.selection, self._related(each, record)) for each in selection.embeds)
            if any(each.inner and not embedded[index] for index, each in enumerate(selection.embeds)):
                continue
            related = {index: bool(there) for index, there in enumerate(embedded)}
            if truth(selection.where, record, self.values, related, selection.resource.primary_key) is True:
                found.append(Met(record, embedded))
        return found

    def _related(self, embed: Embed, record: Record) -> list[Record]:
        """The records that belong to the record, whatever the embed's own condition says."""
        relation = embed.relation
        targets = self.stored[relation.target.name]
        if relation.junction is None:
            return [target for target in targets if _agree(relation.pairs, record, target)]
        between = self.stored[relation.junction.resource.name]
        links = [link for link in between if _agree(relation.pairs, record, link)]
        return [target for target in targets if any(_agree(relation.junction.pairs, link, target) for link in links)]

    def _listed(self, selection: Selection, met: list[Met]) -> list[Group]:
        groups = self._groups(selection, met) if is_grouped(selection) else [[each] for each in met]
        for key in reversed(selection.order):
            groups = self._sorted(selection, groups, key)
        return groups

    def _groups(self, selection: Selection, met: list[Met]) -> list[Group]:
        """The records by their values of all outputs that are no aggregates; all in one where there are none."""
        keys = self._keys(selection)
        if not keys:
            return [met]
        groups: dict[object, Group] = {}
        for each in met:
            key = tuple(identity(self._value(selection, expression, each)) for expression in keys)
            groups.setdefault(key, []).append(each)
        return sorted(groups.values(), key=lambda group: self._lacks(selection, keys, group[0]))

    def _keys(self, selection: Selection) -> list[Expression]:
        return [output.expression for output in selection.outputs if not aggregates(output.expression)]

    def _lacks(self, selection: Selection, keys: list[Expression], met: Met) -> list[bool]:
        """Of each record that is grouped by, whether there is none; such groups come last where all else is equal."""
        return [self._value(selection, key, met) is None for key in keys if isinstance(key, Whole)]

    def _sorted(self, selection: Selection, groups: list[Group], key: Sort) -> list[Group]:
        kind = type_of(key.expression, selection.embeds)
        return sorted_by(groups, key, kind, lambda group: self._value(selection, key.expression, group[0]))

    def _cut(self, selection: Selection, listed: list[Group]) -> list[Group]:
        if is_grouped(selection):
            self._compute(selection, listed)
        start = 0 if selection.offset is None else self.values[selection.offset.index]
        end = None if selection.limit is None else start + self.values[selection.limit.index]
        return listed[start:end]

    def _embedded(self, selection: Selection, met: list[Met]) -> list[Group]:
        """The page of an embed's records."""
        return [] if self.is_nothing(selection) else self._cut(selection, self._listed(selection, met))

    def _row(self, selection: Selection, group: Group, *, shown: bool = True) -> Row:
        shown = shown and not is_grouped(selection)
        return tuple(self._result(selection, output.expression, group, shown=shown) for output in selection.outputs)

    def _result(self, selection: Selection, expression: Expression, group: Group, *, shown: bool) -> Value:
        """An output's value, of the whole group where it is an aggregate."""
        match expression:
            case Aggregate(function, operand):
                if operand is None:
                    return len(group)
                kind = type_of(operand, selection.embeds)
                return aggregated(function, [self._value(selection, operand, each) for each in group], kind)
            case Cast(Aggregate() as operand, kind):
                value = self._result(selection, operand, group, shown=shown)
                return cast(value, type_of(operand, selection.embeds), kind)
        return self._value(selection, expression, group[0], shown=shown)

    def _value(self, selection: Selection, expression: Expression, met: Met, *, shown: bool = False) -> Value:
        """An expression's value in one record. An array or object that `->>` leads to has text only where shown."""
        match expression:
            case Column():
                return column_value(expression, met.record, shown=shown)
            case Cast(operand, kind):
                value = self._value(selection, operand, met, shown=shown)
                return cast(value, type_of(operand, selection.embeds), kind)
            case Whole(index):
                embed = selection.embeds[index]
                page = self._embedded(embed.selection, met.embedded[index])
                rows = [self._row(embed.selection, group, shown=shown) for group in page]
                return rows if embed.relation.many else next(iter(rows), None)
            case Member(index, inner):
                embed = selection.embeds[index]
                if not embed.relation.many:
                    there = met.embedded[index]
                    return self._value(embed.selection, inner, there[0], shown=shown) if there else None
                page = self._embedded(embed.selection, met.embedded[index])
                return [self._value(embed.selection, inner, each, shown=shown) for (each,) in page]
        raise AssertionError(expression)


def sorted_by(items: list[T], key: Sort, kind: Type, value: Callable[[T], Value]) -> list[T]:
    """The items by one sort key; those equal there keep their order."""
    nulls = [item for item in items if value(item) is None]
    others = [item for item in items if value(item) is not None]
    # A descending stable sort keeps the order of equal records too.
    others.sort(key=lambda item: rank(value(item), kind), reverse=key.descending)
    return nulls + others if key.nulls_first else others + nulls


def ordered(records: list[Record], order: Sequence[Sort]) -> list[Record]:
    """Records by sort keys that are columns: by the first, those equal there by the second, and so on."""
    for key in reversed(order):
        column = key.expression
        assert isinstance(column, Column)
        records = sorted_by(records, key, column.type, partial(column_value, column))
    return records


def _agree(pairs: Sequence[tuple[Field, Field]], one: Record, other: Record) -> bool:
    """Whether the fields are equal, pair by pair, and none of them is null."""
    found = [(one.get(own.name), other.get(target.name)) for own, target in pairs]
    return all(own is not None and target is not None and equal(own, target) for own, target in found)

"""Grouped selections: `$group` by what is selected beside the aggregates, then order and page.

The key of a group is one object, with a member for each output that is no aggregate. Null and missing are one there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from repositories import casts
from repositories.errors import QueryRefused
from repositories.expressions import aggregates, type_of
from repositories.mongo.aggregates import (
    Accumulators,
    Finish,
    accumulate,
    least_or_greatest,
    prepared,
    stand_in_reader,
)
from repositories.mongo.casting import UNORDERED, carried
from repositories.mongo.documents import BSON, place
from repositories.mongo.numbers import Expr
from repositories.mongo.plans import Page, sort_stages
from repositories.mongo.sorting import Sorting
from repositories.mongo.values import or_null, value_of
from repositories.query import (
    Aggregate,
    AggregateFunction,
    Cast,
    Column,
    Embed,
    Expression,
    Member,
    Record,
    Row,
    Selection,
    Sort,
)
from repositories.schema import Kind, Resource, Value

#: What reads an output of a group's document.
_Read = Callable[[BSON], Value]


class Groups:
    """The stages that make groups of records, and the way back to rows."""

    def __init__(self, selection: Selection) -> None:
        self.resource = selection.resource
        self.page = Page.of(selection)
        self._embeds = selection.embeds
        self._key: BSON = {}
        self._accumulators: BSON = {}
        self._computed: BSON = {}
        self._records: list[str] = []
        self._places: dict[Expression, Expr] = {}
        self._reads = [self._read(number, output.expression) for number, output in enumerate(selection.outputs)]
        self._sort = self._sorting(selection.order)

    def _read(self, number: int, expression: Expression) -> _Read:
        if aggregates(expression):
            return self._aggregate(number, expression)
        name = f"k{number}"
        if isinstance(expression, Record):
            return self._record(name, expression.embed)
        value, read = key_value(self.resource, expression, self._embeds)
        self._key[name] = value if never_null(expression) else or_null(value)
        self._places[expression] = f"$_id.{name}"
        return lambda found: read(found["_id"].get(name))

    def _record(self, name: str, index: int) -> _Read:
        """The outputs of the embedded record, or null: a group of its own."""
        selection = self._embeds[index].selection
        records = f"${place(index)}"
        self._records.append(name)
        members, reads = {}, []
        for number, output in enumerate(selection.outputs):
            value, read = key_value(selection.resource, output.expression, selection.embeds, "$$e.")
            members[f"p{number}"] = or_null(value)
            reads.append((f"p{number}", read))
            self._places[Member(index, output.expression)] = f"$_id.{name}.p{number}"
        record = {"$let": {"vars": {"e": {"$first": records}}, "in": members}}
        self._key[name] = {"$cond": [{"$eq": [records, []]}, None, record]}

        def read_record(found: BSON) -> Value:
            record = found["_id"][name]
            return None if record is None else tuple(read(record[member]) for member, read in reads)

        return read_record

    def _aggregate(self, number: int, expression: Expression) -> _Read:
        if isinstance(expression, Cast):
            inner = self._aggregate(number, expression.operand)
            source, target = type_of(expression.operand, self._embeds), expression.type
            return lambda found: casts.cast(inner(found), source, target)
        assert isinstance(expression, Aggregate)
        accumulators, finish = self._accumulate(expression)
        prefix = f"a{number}"
        self._accumulators.update({f"{prefix}{suffix}": each for suffix, each in accumulators.items()})
        return _of_accumulators(prefix, tuple(accumulators), finish)

    def _accumulate(self, expression: Aggregate) -> tuple[Accumulators, Finish]:
        function, operand = expression.function, expression.operand
        if operand is None:
            return accumulate(function, None, None)
        stand_in, back = carried_with(operand, self._embeds)
        value = value_of(self.resource, stand_in, self._embeds)
        kind = type_of(stand_in, self._embeds)
        made = prepared(function, value, kind)
        if made is not None:
            name = f"~made {len(self._computed)}"
            self._computed[name] = made
            value = f"${name}"
        if back is None or function is AggregateFunction.COUNT:
            return accumulate(function, value, kind, never_null=never_null(stand_in))
        if kind.kind in UNORDERED:
            return least_or_greatest(function, value, kind, back)
        accumulators, finish = accumulate(function, value, kind)
        return accumulators, lambda found: back(finish(found))

    def _sorting(self, order: Sequence[Sort]) -> Sorting:
        result = Sorting()
        for key in order:
            kind = type_of(key.expression, self._embeds)
            is_native = never_null(key.expression) or key.nulls_first != key.descending
            result.add(self._places[key.expression], kind, key, is_native=is_native)
        for name in self._records:
            result.add_presence(f"$_id.{name}")
        return result

    def grouped(self) -> list[BSON]:
        """The stages that make the groups."""
        computed = [{"$set": self._computed}] if self._computed else []
        return [*computed, {"$group": {"_id": self._key or None, **self._accumulators}}]

    def counted(self) -> list[BSON]:
        """The stages that count the groups: nothing is made of them that may fail."""
        return [{"$group": {"_id": self._key or None}}, {"$count": "n"}]

    def stages(self, values: tuple[Value, ...]) -> list[BSON]:
        """The stages that make the groups, and cut their page out."""
        return [*self.grouped(), *sort_stages(self._sort), *self.page.stages(values)]

    def rows(self, documents: Sequence[BSON]) -> list[Row]:
        """The groups as rows."""
        return [tuple(read(each) for read in self._reads) for each in documents]


def never_null(expression: Expression) -> bool:
    """A field that no record is without; an embed's may be, where there is no record."""
    return isinstance(expression, Column) and not expression.path and expression.field.required


def key_value(
    resource: Resource, expression: Expression, embeds: tuple[Embed, ...], root: str = "$"
) -> tuple[Expr, Callable[[Any], Value]]:
    """What to group by for this expression, and what reads it."""
    stand_in, back = carried_with(expression, embeds)
    if (
        back is not None
        and type_of(stand_in, embeds).kind in UNORDERED
        and type_of(expression, embeds).kind is Kind.STRING
    ):
        raise QueryRefused("The store cannot group by the text of arrays and of free JSON.")
    read = stand_in_reader(type_of(stand_in, embeds))
    value = value_of(resource, stand_in, embeds, root)
    return value, read if back is None else lambda found: back(read(found))


def carried_with(
    expression: Expression, embeds: tuple[Embed, ...]
) -> tuple[Expression, Callable[[Value], Value] | None]:
    """What stands for the expression in the store, and the cast that is made of it here."""
    if isinstance(expression, Member) and not embeds[expression.embed].relation.many:
        inner, back = carried_with(expression.expression, embeds[expression.embed].selection.embeds)
        return Member(expression.embed, inner), back
    if not isinstance(expression, Cast):
        return expression, None
    source = type_of(expression.operand, embeds)
    stand_in = carried(expression, source)
    if stand_in is expression:
        return expression, None
    target = expression.type
    return stand_in, lambda value: casts.cast(value, source, target)


def _of_accumulators(prefix: str, names: tuple[str, ...], finish: Finish) -> _Read:
    return lambda found: finish({name: found[f"{prefix}{name}"] for name in names if f"{prefix}{name}" in found})

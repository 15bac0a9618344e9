"""What a read asks of the indexes of each resource that it touches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from repositories.base import Indexing
from repositories.expressions import is_grouped
from repositories.query import ALL, And, Column, Comparison, Condition, Embed, Is, Operator, Selection, Sort, State
from repositories.schema import Kind, Resource

#: Fields of an index, each with whether it is descending.
Keys = tuple[tuple[str, bool], ...]

_RANGES = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE, Operator.IN})
#: Their indexes hold items or nothing useful, not values that compare.
_WITHOUT_ORDER = frozenset({Kind.ARRAY, Kind.JSON})


@dataclass(frozen=True, slots=True)
class Need:
    """One level of a read: fields that equal a value, the order among those records, a field within bounds.

    `asked` is whether the order is more than the primary key, which every order ends with.
    """

    resource: Resource
    equal: tuple[str, ...]
    order: Keys
    bounded: str | None
    asked: bool

    @property
    def keys(self) -> Keys:
        """The index that serves it best: what is equal, then the order, then what is bounded."""
        equal = tuple((name, False) for name in self.equal)
        if self.bounded is None or any(name == self.bounded for name, _ in self.order):
            return equal + self.order
        # A page in the key's order would be looked for in all records; the few within the bounds are soon sorted.
        order = self.order if self.asked else ()
        return (*equal, *order, (self.bounded, False))

    @property
    def filters(self) -> frozenset[str]:
        """The fields by which it tells records apart."""
        return frozenset((*self.equal, *((self.bounded,) if self.bounded else ())))


def needs(selection: Selection, indexing: Indexing, joined: tuple[str, ...] | None = None) -> Iterator[Need]:
    """The needs, if any, of the selection, whose fields `joined` equal a value, and of its embeds.

    The order is what the store's indexes can have of it: all or nothing.
    """
    resource = selection.resource
    equal, bounded = _filters(selection.where)
    equal = tuple(dict.fromkeys((*(joined or ()), *equal)))
    if not any(set(key) <= set(equal) for key in _identities(resource)):
        order = () if is_grouped(selection) else _order(selection.order, frozenset(equal), indexing, joined is None)
        asked = any(name not in resource.primary_key for name, _ in order) or _turned(order)
        if equal or bounded or order:
            yield Need(resource, equal, order, bounded[0] if bounded else None, asked)
    for embed in selection.embeds:
        yield from needs(embed.selection, indexing, _joined(embed))


def unindexable(selection: Selection) -> Iterator[str]:
    """The names of the resources, at any level, whose conditions no index can serve: patterns, alternatives, paths."""
    if selection.where != ALL and not any(_filters(selection.where)):
        yield selection.resource.name
    for embed in selection.embeds:
        yield from unindexable(embed.selection)


def _joined(embed: Embed) -> tuple[str, ...]:
    if embed.relation.junction is None:
        return tuple(theirs.name for _, theirs in embed.relation.pairs)
    return embed.relation.target.primary_key  # each is found by its key, and then sorted


def _identities(resource: Resource) -> Iterator[tuple[str, ...]]:
    yield resource.primary_key
    for unique in resource.uniques:
        yield unique.fields


def _turned(order: Keys) -> bool:
    return any(descending for _, descending in order)


def _filters(condition: Condition) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that equal a value wherever the condition holds, and those that are within bounds."""
    equal: list[str] = []
    bounded: list[str] = []
    for part in _conjuncts(condition):
        match part:
            case Comparison(column, Operator.EQ, _, None) | Is(column, State.NULL):
                equal += _plain(column)
            case Comparison(column, operator, _, None) if operator in _RANGES:
                bounded += _plain(column)
    return tuple(equal), tuple(name for name in bounded if name not in equal)


def _conjuncts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, And):
        for part in condition.conditions:
            yield from _conjuncts(part)
    else:
        yield condition


def _plain(column: Column) -> list[str]:
    return [] if column.path or column.field.type.kind in _WITHOUT_ORDER else [column.field.name]


def _order(order: tuple[Sort, ...], equal: frozenset[str], indexing: Indexing, is_top: bool) -> Keys:
    """The order of records that agree in the fields that are equal, if an index of the store can have it."""
    keys: list[tuple[str, bool]] = []
    for sort in order:
        column = sort.expression
        names = _plain(column) if isinstance(column, Column) else []
        if not names:
            return ()
        if names[0] in equal:
            continue
        assert isinstance(column, Column)
        placed = column.field.required or (sort.nulls_first is sort.descending) is indexing.nulls_high
        # A store with nulls low reads them apart where they come with the first key of all.
        if not placed and (keys or indexing.nulls_high or not is_top):
            return ()
        keys.append((names[0], sort.descending))
    return tuple(keys)

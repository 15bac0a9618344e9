"""Sort keys: of a level's records, of its groups, and by the records embedded in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from repositories.expressions import castable_in_groups, is_grouped, type_of
from repositories.query import Aggregate, Cast, Column, Embed, Expression, Member, Record, Sort
from repositories.schema import Kind, Resource
from service.dialect.params import OrderParam
from service.errors import RequestError
from service.planner.expressions import plan_column
from service.planner.scope import Scope


def not_embedded(name: str) -> RequestError:
    """A filter or an order names an embed that is not selected."""
    return RequestError(
        400,
        "PGRST108",
        f"'{name[:80]}' is not an embedded resource in this request",
        hint=f"Verify that '{name[:80]}' is included in the 'select' query parameter.",
    )


@dataclass(slots=True)
class Embeds:
    """The embeds of one level, and where each is found by its name."""

    #: The relations that an embed with an alias may still be called by.
    relations: frozenset[str] = frozenset()
    planned: list[Embed] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def place(self, name: str) -> int:
        """The index of the embed that is called so. Raises `RequestError` (PGRST108)."""
        if name not in self.places:
            raise not_embedded(name)
        return self.places[name]


def plan_order(scope: Scope, order: tuple[OrderParam, ...]) -> tuple[Sort, ...]:
    """The sort keys of what a write answers with."""
    return record_order(scope, order, Embeds())


def record_order(scope: Scope, order: tuple[OrderParam, ...], embeds: Embeds) -> tuple[Sort, ...]:
    """The sort keys, made a total order by the primary key; a second key on the same column says nothing new."""
    sorts: dict[Expression, Sort] = {}
    for param in order:
        key = _sort_key(scope, param, embeds)
        sorts.setdefault(key, _sort(key, param))
        if _identifies(scope.resource, sorts):
            return tuple(sorts.values())
    for part in scope.resource.key:
        sorts.setdefault(Column(part), Sort(Column(part)))
    return tuple(sorts.values())


def group_order(
    scope: Scope, order: tuple[OrderParam, ...], keys: Sequence[Expression], embeds: Embeds
) -> tuple[Sort, ...]:
    """The sort keys of groups, made a total order by all that they are grouped by."""
    parts = [part for key in keys for part in _parts(key, embeds)]
    for part in parts:
        _refuse_ungroupable(part, tuple(embeds.planned))
    sorts: dict[Expression, Sort] = {}
    for param in order:
        key = _sort_key(scope, param, embeds)
        if key not in parts:
            raise RequestError(
                400,
                "42803",
                f'column "{param.column.column}" must appear in the GROUP BY clause',
                hint="Select the columns that a grouped result is ordered by.",
            )
        sorts.setdefault(key, _sort(key, param))
    for part in parts:
        sorts.setdefault(part, Sort(part))
    return tuple(sorts.values())


def _parts(key: Expression, embeds: Embeds) -> list[Column | Cast | Member]:
    """What a group's key consists of: a record's own outputs, or the key itself. Raises `RequestError`."""
    match key:
        case Record(index):
            embed = embeds.planned[index]
            if embed.relation.many:
                raise RequestError(400, "0A000", "Records cannot be grouped by a list of embedded records.")
            if is_grouped(embed.selection):
                raise RequestError(400, "0A000", "Records cannot be grouped by aggregates of an embedded record.")
            return [Member(index, output.expression) for output in embed.selection.outputs]
        case Column() | Cast() | Member():
            return [key]
        case Aggregate():
            raise AssertionError(key)


def _refuse_ungroupable(part: Expression, embeds: tuple[Embed, ...]) -> None:
    """Refuse a group's key for which no order, or no text, would be the same in every store."""
    what: str | None = None
    match part:
        case Member(index, inner):
            if embeds[index].relation.many:
                what = "a list of embedded values"
            else:
                _refuse_ungroupable(inner, embeds[index].selection.embeds)
        case Cast(operand, kind):
            source = type_of(operand, embeds).kind
            if not castable_in_groups(source, kind.kind):
                what = f"the {kind.kind} form of a {source}"
    if what is None and type_of(part, embeds).kind is Kind.JSON:
        what = "a JSON value"
    if what is not None:
        hint = 'The text within JSON will do: "column->>key".' if what == "a JSON value" else None
        raise RequestError(400, "0A000", f"Records cannot be grouped by {what}.", hint=hint)


def _sort(key: Column | Cast | Member, param: OrderParam) -> Sort:
    return Sort(key, param.descending, param.descending if param.nulls_first is None else param.nulls_first)


def _sort_key(scope: Scope, param: OrderParam, embeds: Embeds) -> Column | Member:
    if param.relation is None:
        return plan_column(scope, param.column)
    index = embeds.place(param.relation)
    embed = embeds.planned[index]
    if embed.relation.many:
        raise RequestError(
            400,
            "PGRST118",
            f"A related order on '{param.relation}' is not possible",
            f"'{scope.resource.name}' and '{param.relation}' do not form a many-to-one or one-to-one relationship",
        )
    if is_grouped(embed.selection):
        raise RequestError(400, "0A000", f"'{param.relation}' has aggregates: its columns are no more to order by.")
    return Member(index, plan_column(Scope(embed.relation.target, scope.limits), param.column))


def _identifies(resource: Resource, keys: dict[Expression, Sort]) -> bool:
    """Whether no two records agree in all these keys."""
    names = {key.field.name for key in keys if isinstance(key, Column) and not key.path}
    if names.issuperset(resource.primary_key):
        return True
    return any(
        names.issuperset(unique.fields) and all(resource.fields[name].required for name in unique.fields)
        for unique in resource.uniques
    )

"""What a URL says, as frozen data: names and values are still text, and nothing is known of any schema."""

from __future__ import annotations

from dataclasses import dataclass

from repositories.query import Operator, State


@dataclass(frozen=True, slots=True)
class FilterParam:
    """`column=not.operator.value`; `value` is a tuple of texts for `in`."""

    column: str
    operator: Operator
    value: str | tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsParam:
    """`column=not.is.state`."""

    column: str
    state: State
    negated: bool = False


@dataclass(frozen=True, slots=True)
class LogicParam:
    """`not.and=(…)` or `not.or=(…)`: the members joined by "and" (`disjunction` false) or "or"."""

    disjunction: bool
    members: tuple[ConditionParam, ...]
    negated: bool = False


ConditionParam = FilterParam | IsParam | LogicParam


@dataclass(frozen=True, slots=True)
class SelectParam:
    """`alias:column`. The column `*` stands for all."""

    column: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class OrderParam:
    """`column.desc.nullslast`; None where the URL leaves the nulls' place open."""

    column: str
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of a request; None and empty where it has none."""

    select: tuple[SelectParam, ...] | None = None
    where: tuple[ConditionParam, ...] = ()
    order: tuple[OrderParam, ...] = ()
    limit: int | None = None
    offset: int | None = None
    columns: tuple[str, ...] | None = None

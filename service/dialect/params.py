"""What a URL says, as frozen data: names and values are still text, and nothing is known of any schema."""

from __future__ import annotations

from dataclasses import dataclass

from repositories.query import Operator, Quantifier, State


@dataclass(frozen=True, slots=True)
class PathParam:
    """`column->key->0->>key`: a column, or a path into its JSON. Steps of digits are indexes of arrays."""

    column: str
    steps: tuple[str | int, ...] = ()
    as_text: bool = False

    @property
    def name(self) -> str:
        """How a member selected by this path is called where it has no alias: by its last key."""
        keys = [step for step in self.steps if isinstance(step, str)]
        return keys[-1] if keys else self.column


@dataclass(frozen=True, slots=True)
class FilterParam:
    """`column=not.operator(any).value`; the value is still text, but for `in`, whose list is parsed."""

    column: PathParam
    operator: Operator
    value: str | tuple[str, ...]
    quantifier: Quantifier | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsParam:
    """`column=not.is.state`; the column may be the name of an embedded resource."""

    column: PathParam
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
class ColumnParam:
    """`alias:column::cast`, `alias:column.sum()::cast`, `count()` or `*`.

    `cast` is of the column, `aggregate_cast` of the aggregate. `column` is None for `count()`.
    """

    column: PathParam | None
    alias: str | None = None
    cast: str | None = None
    aggregate: str | None = None
    aggregate_cast: str | None = None


@dataclass(frozen=True, slots=True)
class EmbedParam:
    """`alias:relation!hint!inner(…)`; `...relation(…)` spreads its members. `inner` is None where nothing is said."""

    relation: str
    members: tuple[SelectParam, ...]
    alias: str | None = None
    hint: str | None = None
    inner: bool | None = None
    spread: bool = False

    @property
    def name(self) -> str:
        """What filters, orders and answers call it."""
        return self.relation if self.alias is None else self.alias


SelectParam = ColumnParam | EmbedParam


@dataclass(frozen=True, slots=True)
class OrderParam:
    """`relation(column).desc.nullslast`; None where the URL leaves the nulls' place open."""

    column: PathParam
    relation: str | None = None
    descending: bool = False
    nulls_first: bool | None = None


#: The names of embedded resources from the outermost in; empty for the resource that the request is about.
EmbedPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """The filters, order and page of the requested resource, or of one that is embedded in it."""

    where: tuple[ConditionParam, ...] = ()
    order: tuple[OrderParam, ...] = ()
    limit: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of a request; None and empty where it has none. `embedded` has the levels of embeds by path."""

    select: tuple[SelectParam, ...] | None = None
    top: Level = Level()
    embedded: tuple[tuple[EmbedPath, Level], ...] = ()
    columns: tuple[str, ...] | None = None
    on_conflict: tuple[str, ...] | None = None

"""A level of a request, with the levels embedded in it → a selection with its embeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from repositories.expressions import aggregates
from repositories.query import (
    Aggregate,
    Cast,
    Column,
    Condition,
    Embed,
    Expression,
    Member,
    Output,
    Record,
    Selection,
)
from repositories.schema import Resource
from service.dialect.params import (
    ColumnParam,
    EmbedParam,
    EmbedPath,
    Level,
    Params,
    PathParam,
    SelectParam,
)
from service.errors import RequestError, bad_syntax
from service.planner.conditions import plan_conditions
from service.planner.expressions import plan_expression
from service.planner.orders import Embeds, group_order, not_embedded, record_order
from service.planner.relations import Relations
from service.planner.scope import Bindings, PlanLimits, Scope
from service.planner.windows import Window, plan_window

#: PostgreSQL cuts names at 63 bytes; a longer alias would come back cut.
MAX_ALIAS = 63
_ALL = (ColumnParam(PathParam("*")),)


@dataclass(slots=True)
class Planning:
    """What the levels of one request share while it is planned."""

    relations: Relations
    limits: PlanLimits
    levels: dict[EmbedPath, Level]
    bindings: Bindings = field(default_factory=Bindings)
    embeds: int = 0

    @classmethod
    def of(cls, relations: Relations, limits: PlanLimits, params: Params) -> Planning:
        """The planning of a request with these parameters."""
        return cls(relations, limits, dict(params.embedded))

    def scope(self, resource: Resource) -> Scope:
        """The resource as this request sees it."""
        return Scope(resource, self.limits)

    def levels_below(self, path: EmbedPath) -> bool:
        """Whether parameters are given for the embed at this path, or within it."""
        return any(other[: len(path)] == path for other in self.levels)

    def finish(self) -> None:
        """Refuse parameters for embeds that the request does not select (PGRST108)."""
        for path in self.levels:
            raise not_embedded(".".join(path))


def plan_selection(
    planning: Planning,
    scope: Scope,
    select: tuple[SelectParam, ...] | None,
    level: Level,
    window: Window | None,
    *,
    path: EmbedPath = (),
    spread: bool = False,
    fixed: Condition | None = None,
) -> tuple[Selection, list[Output]]:
    """The selection of one level, and its outputs; a level that is spread has them in its parent's selection.

    `fixed` is a condition beside those of the level. Raises `RequestError`.
    """
    members = _ALL if select is None else select
    embeds = Embeds(_other_names(members))
    outputs: list[Output] = []
    for param in members:
        if isinstance(param, EmbedParam):
            outputs.extend(_plan_embed(planning, scope, param, embeds, path))
        else:
            outputs.extend(_columns(scope, param))
    _refuse_doubled(outputs)
    bindings = planning.bindings
    conditions = plan_conditions(scope, level.where, bindings, embeds.places)
    where = scope.restrict(conditions if fixed is None else (fixed, *conditions))
    limit = bindings.bind(window.limit) if window is not None else None
    offset = bindings.bind(window.offset) if window is not None and window.offset else None
    keys = [output.expression for output in outputs if not aggregates(output.expression)]
    grouped = not spread and len(keys) < len(outputs)
    order = group_order(scope, level.order, keys, embeds) if grouped else record_order(scope, level.order, embeds)
    own = () if spread else tuple(outputs)
    return Selection(scope.resource, own, where, order, limit, offset, tuple(embeds.planned)), outputs


def _other_names(members: tuple[SelectParam, ...]) -> frozenset[str]:
    """The relations by whose name one embed only can be meant, alias or not."""
    embeds = [param for param in members if isinstance(param, EmbedParam)]
    called = [name for param in embeds for name in {param.name, param.relation}]
    return frozenset(param.relation for param in embeds if called.count(param.relation) == 1)


def _columns(scope: Scope, param: ColumnParam) -> list[Output]:
    if param.column == _ALL[0].column and param.alias is None:
        return list(scope.outputs())
    expression = plan_expression(scope, param)
    default = param.column.name if param.column is not None else "count"
    name = (param.aggregate or default) if param.alias is None else param.alias
    return [Output(_named(name), expression)]


def _plan_embed(planning: Planning, scope: Scope, param: EmbedParam, embeds: Embeds, path: EmbedPath) -> list[Output]:
    """Plan the embed; the outputs are what it adds to the record that it is embedded in."""
    planning.embeds += 1
    if planning.embeds > planning.limits.max_embeds:
        raise RequestError(400, "54001", f"A request may embed {planning.limits.max_embeds} resources at the most.")
    if param.name in embeds.places:
        raise RequestError(400, "42712", f'"{param.name}" is embedded more than once; give one of them an alias.')
    relation = planning.relations.find(scope.resource, param.relation, param.hint)
    below = (*path, param.name)
    if param.relation in embeds.relations and not planning.levels_below(below):
        below = (*path, param.relation)
    level = planning.levels.pop(below, Level())
    page = plan_window(level, planning.limits.max_rows)
    window = page if relation.many else None
    if not relation.many and (level.limit == 0 or level.offset):
        raise bad_syntax(f'"{param.name}" is one record: it has no pages.')
    inner = planning.scope(relation.target)
    selection, outputs = plan_selection(planning, inner, param.members, level, window, path=below, spread=param.spread)
    index = len(embeds.planned)
    embeds.places[param.name] = index
    if param.relation in embeds.relations:
        embeds.places[param.relation] = index
    embeds.planned.append(Embed(relation, selection, bool(param.inner)))
    if param.spread:
        return [Output(output.name, _lifted(param, relation.many, index, output)) for output in outputs]
    return [Output(_named(param.name), Record(index))] if param.members else []


def _lifted(param: EmbedParam, many: bool, index: int, output: Output) -> Expression:
    """An embed's output as its parent's; aggregates are then over the parent's records."""
    expression = output.expression
    if not aggregates(expression):
        return Member(index, expression)
    if many:
        raise RequestError(400, "PGRST127", f'Aggregates are not possible in "...{param.relation}", which is a list.')
    match expression:
        case Cast(Aggregate(function, operand), kind):
            return Cast(Aggregate(function, _member(index, operand)), kind)
        case Aggregate(function, operand):
            return Aggregate(function, _member(index, operand))
    raise AssertionError(expression)


def _member(index: int, operand: Column | Cast | Member | None) -> Member | None:
    return None if operand is None else Member(index, operand)


def plan_columns(scope: Scope, params: Params) -> tuple[Output, ...]:
    """The columns that a request selects, which has no embeds. Raises `RequestError`."""
    if params.embedded:
        raise not_embedded(".".join(params.embedded[0][0]))
    outputs: list[Output] = []
    for param in _ALL if params.select is None else params.select:
        assert isinstance(param, ColumnParam)
        outputs.extend(_columns(scope, param))
    if any(aggregates(output.expression) for output in outputs):
        raise bad_syntax("A write answers with its records, without aggregates over them.")
    _refuse_doubled(outputs)
    return tuple(outputs)


def _named(name: str) -> str:
    if not 1 <= len(name.encode()) <= MAX_ALIAS:
        raise bad_syntax(f"An alias has one byte at least, and {MAX_ALIAS} at the most.")
    return name


def _refuse_doubled(outputs: Sequence[Output]) -> None:
    names = [output.name for output in outputs]
    if len(set(names)) < len(names):
        doubled = next(name for name in names if names.count(name) > 1)
        raise RequestError(400, "42712", f'"{doubled}" is selected more than once; give one of them an alias.')

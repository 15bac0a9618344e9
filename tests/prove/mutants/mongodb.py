"""Mistakes in the build over MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from typing import Any
from unittest.mock import patch

from repositories import casts, patterns
from repositories.mongo import (
    aggregates,
    compiler,
    documents,
    filters,
    groups,
    indexes,
    lookups,
    paths,
    sorting,
    writing,
)
from repositories.mongo import relations as joins
from repositories.mongo.building import Builder
from repositories.mongo.comparisons import COMPARISONS, STATES
from repositories.mongo.documents import BSON, path
from repositories.mongo.filters import Filter
from repositories.mongo.groups import Groups
from repositories.mongo.lookups import Tree
from repositories.mongo.plans import FlatPlan, Ordered
from repositories.mongo.references import References
from repositories.mongo.upserts import upsert
from repositories.query import Operator, Selection, Sort, State, Values
from repositories.schema import Field, Kind, Resource
from repositories.writes import Conflict
from tests.prove.mutants.catalogs import SUMMED
from tests.prove.mutants.planting import Mutant
from tests.prove.mutants.shared import fold_ascii, without_tie_break
from tests.prove.worlds import MONGODB, SPARSE

_equal = COMPARISONS[Operator.EQ][0]
_not_equal = COMPARISONS[Operator.EQ][1]
_like = COMPARISONS[Operator.LIKE][0]


def _unequal(where: str, value: Any) -> BSON:
    return {where: {"$ne": value}}


def _not_like(where: str, pattern: Any) -> BSON:
    found = _like(where, pattern)[where]
    return {where: {"$not": found} if isinstance(found, dict) else {"$ne": found}}


def _equal_to_item(where: str, value: Any) -> BSON:
    """What `find` makes of a value where the field holds an array of such values."""
    return {where: {"$in": [value, *value]} if isinstance(value, list) else value}


_needs_expression = filters._needs_expression


def _finds_json(kind: Any, operator: Operator) -> bool:
    return operator is not Operator.EQ and _needs_expression(kind, operator)


_state = filters._state


def _find_state(resource: Resource, column: Any, state: State, *, negated: bool) -> BSON:
    if column.path:
        return _state(resource, column, state, negated=negated)
    return {path(resource, column.field): STATES[state, negated]}


_needed = sorting.needed


def _needed_without_tie_break(order: Sequence[Sort], where: Filter) -> list[Sort]:
    return without_tie_break(_needed(order, where))


def _unique_even_for_null(resource: Resource, unique: Any) -> Any:
    return replace(_unique(resource, unique), partial=None)


_unique = indexes._unique


class _Hasty(Ordered):
    """Cuts the page out first."""

    def stages(self, values: Values) -> list[BSON]:
        stages, page = Ordered.stages(self, values), self.page.stages(values)
        return [*page, *(stage for stage in stages if stage not in page)]


_plan_tree = Tree.__init__


def _plan_without_inner(self: Tree, selection: Selection, expressions: Any) -> None:
    embeds = tuple(replace(embed, inner=False) for embed in selection.embeds)
    _plan_tree(self, replace(selection, embeds=embeds), expressions)


_grouped = Groups.grouped


def _grouped_but_null(self: Groups) -> list[BSON]:
    return [*_grouped(self), {"$match": {f"_id.{name}": {"$ne": None} for name in self._key}}]


_sums = aggregates._sums


def _sums_in_the_server(operand: Any, kind: Any) -> Any:
    return ({"a": {"$sum": operand}}, aggregates._total) if kind.kind is Kind.INT64 else _sums(operand, kind)


_average = casts.average


def _cut_average(total: Decimal, count: int) -> Decimal:
    right = _average(total, count)
    return (total / count).quantize(right, ROUND_DOWN, Context(prec=2000))


def _replace_wholly(store: Any, write: Any, conflict: Conflict, joint: Any) -> Any:
    others = [field for name, field in write.resource.fields.items() if name not in write.resource.primary_key]
    return upsert(store, write, replace(conflict, merge=tuple(others)) if conflict.merge else conflict, joint)


_column = Builder._column


def _column_without_empty_text(self: Builder, field: Field, place: int | None) -> Any:
    make = _column(self, field, place)
    return lambda rows, numbers: (None if value == "" else value for value in make(rows, numbers))


_joined = joins._direct


def _join_null(owner: Resource, target: Resource, pairs: Any, name: str, pipeline: list[BSON]) -> list[BSON]:
    (here, there), *others = pairs
    return _joined(owner, target, ((replace(here, required=True), there), *others), name, pipeline)


def _lasting(name: str) -> Any:
    """A step of what is done to references, which is left out."""
    return patch.object(References, name, lambda *_, **__: None)


MUTANTS = (
    Mutant("nulls first by default", MONGODB, (patch.object(sorting, "_is_placed", lambda *_: True),), "links"),
    Mutant(
        "`neq` holds for null",
        MONGODB,
        (patch.dict(COMPARISONS, {Operator.EQ: (_equal, _unequal), Operator.NEQ: (_unequal, _equal)}),),
        "numbers",
    ),
    Mutant(
        "`not.like` holds for null", SPARSE, (patch.dict(COMPARISONS, {Operator.LIKE: (_like, _not_like)}),), "texts"
    ),
    Mutant(
        "a missing member is not null",
        SPARSE,
        (patch.dict(STATES, {(State.NULL, False): {"$type": "null"}}),),
        "numbers",
    ),
    Mutant("`lte` is `lt`", MONGODB, (patch.dict(COMPARISONS, {Operator.LTE: COMPARISONS[Operator.LT]}),), "numbers"),
    Mutant(
        "an array equals its item",
        MONGODB,
        (patch.dict(COMPARISONS, {Operator.EQ: (_equal_to_item, _not_equal)}),),
        "arrays",
        salt="e",
    ),
    Mutant(
        "JSON equals an array with it",
        MONGODB,
        (patch.object(filters, "_needs_expression", _finds_json),),
        "json 63",
        salt="c",
    ),
    Mutant("null is found in arrays", MONGODB, (patch.object(filters, "_state", _find_state),), "json 63"),
    Mutant("text of a JSON number is a number", MONGODB, (patch.object(paths, "json_text", lambda it: it),), "json 63"),
    Mutant("`ilike` folds ASCII only", MONGODB, (patch.object(patterns, "case_variants", fold_ascii),), "letters"),
    Mutant(
        "signs of expressions mean something in `like`",
        MONGODB,
        (patch.object(patterns, "_literal", lambda character, _: character),),
        "patterns",
    ),
    Mutant(
        "no tie-break",
        MONGODB,
        (
            patch.object(compiler, "needed", _needed_without_tie_break),
            patch.object(lookups, "needed", _needed_without_tie_break),
        ),
        "links",
        salt="b",
    ),
    Mutant(
        "the count forgets the filter",
        MONGODB,
        (patch.object(FlatPlan, "count", lambda *_: [{"$count": "n"}]),),
        "links",
    ),
    Mutant(
        "pages are cut before filters in embeds",
        MONGODB,
        (patch.object(lookups, "Ordered", _Hasty),),
        "links",
        salt="h",
    ),
    Mutant(
        "inner joins are left joins", MONGODB, (patch.object(Tree, "__init__", _plan_without_inner),), "links", salt="b"
    ),
    Mutant("null joins null", MONGODB, (patch.object(joins, "_direct", _join_null),), "links"),
    Mutant("the group of null is dropped", MONGODB, (patch.object(Groups, "grouped", _grouped_but_null),), "links"),
    Mutant(
        "doubles are added up as doubles",
        MONGODB,
        (
            patch.object(groups, "prepared", lambda *_: None),
            patch.object(aggregates, "_double_sums", lambda operand: {"a": {"$sum": operand}}),
        ),
        "sums",
        directed=SUMMED,
    ),
    Mutant(
        "sums of integers overflow",
        MONGODB,
        (patch.object(aggregates, "_sums", _sums_in_the_server),),
        "sums",
        salt="18",
    ),
    Mutant("averages are cut off", MONGODB, (patch.object(casts, "average", _cut_average),), "numbers", salt="25"),
    Mutant(
        "decimals are rounded to even",
        MONGODB,
        (patch.object(casts, "ROUND_HALF_UP", ROUND_HALF_EVEN),),
        "numbers",
        salt="d",
    ),
    Mutant(
        "decimals are stored as doubles",
        MONGODB,
        (patch.dict(documents._WRITERS, {Kind.DECIMAL: float}),),
        "numbers",
        writes=True,
    ),
    Mutant(
        "an empty text is stored as null",
        MONGODB,
        (patch.object(Builder, "_column", _column_without_empty_text),),
        "texts",
        writes=True,
    ),
    Mutant(
        "unique sets hit nulls",
        MONGODB,
        (patch.object(indexes, "_unique", _unique_even_for_null),),
        "links",
        writes=True,
        schema=True,
        empty=True,
    ),
    Mutant("no cascade", MONGODB, (_lasting("_delete"),), "links", writes=True),
    Mutant("nothing is set null", MONGODB, (_lasting("_set_null"),), "links", writes=True),
    Mutant("references are not checked", MONGODB, (_lasting("written"),), "links", writes=True),
    Mutant("a merge replaces the record", MONGODB, (patch.object(writing, "upsert", _replace_wholly),), "links", True),
    Mutant(
        "conditions are not checked",
        MONGODB,
        (patch.object(writing.Writer, "_expect", lambda *_: None),),
        "links",
        True,
    ),
)

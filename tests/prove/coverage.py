"""The cells of the language that a run should hit: operator × type × form, cast × type, aggregate × type."""

from __future__ import annotations

from functools import cache

from repositories.expressions import AGGREGABLE, castable, castable_in_groups
from repositories.query import AggregateFunction, Operator, Quantifier
from repositories.schema import Kind
from service.dialect.filters import QUANTIFIABLE
from service.planner.operands import APPLICABLE

Cell = tuple[str, str, str]
FORMS = ("plain", "not", "tree", "embedded")
#: What a path leads to, and the kind that it is read as.
PATHS = {"json text": Kind.STRING, "json value": Kind.JSON}
RELATIONS = ("to one", "to many", "many to many", "to one, itself", "to many, itself", "to one, composite")
EMBED_FORMS = (
    "alias", "inner", "left", "nested", "spread", "filtered", "filtered by a tree", "ordered", "hint", "proposal",
    "without members", "grouped by",
)  # fmt: skip


@cache
def possible() -> frozenset[Cell]:
    """Every cell that a long run is expected to hit."""
    return frozenset({*_operators(), *_casts(), *_aggregates(), *_embeds()})


def _operators() -> set[Cell]:
    cells: set[Cell] = set()
    for operator in Operator:
        forms = [*FORMS, *(each.value for each in Quantifier if operator in QUANTIFIABLE)]
        for form in forms:
            cells.update((f"operators: {form}", operator.value, kind.value) for kind in APPLICABLE[operator])
        for form in ("path", *forms[1:]):
            cells.update(
                (f"operators: {form}", operator.value, path)
                for path, kind in PATHS.items()
                if kind in APPLICABLE[operator]
            )
    return cells


def _casts() -> set[Cell]:
    cells = {("casts", to.value, of.value) for of in Kind for to in Kind if to is not Kind.ARRAY and castable(of, to)}
    cells |= {("casts", to.value, path) for path, of in PATHS.items() for to in Kind if castable(of, to)}
    grouped = {(of, to) for of in Kind for to in Kind if to is not Kind.ARRAY and castable_in_groups(of, to)}
    return {cell for cell in cells if cell[1] != Kind.ARRAY.value} | {
        ("casts: grouped", to.value, of.value) for of, to in grouped
    }


def _aggregates() -> set[Cell]:
    return {
        (f"aggregates: {form}", function.value, kind.value)
        for form in ("plain", "embedded")
        for function in AggregateFunction
        for kind in AGGREGABLE[function]
    }


def _embeds() -> set[Cell]:
    return {("embeds", form, relation) for form in EMBED_FORMS for relation in RELATIONS}

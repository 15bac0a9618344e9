"""Selections as commands. Pure: nothing here knows a connection.

A selection's shape is compiled once into a `Plan`; the plan makes the statement from the request's values.
"""

from __future__ import annotations

from repositories.expressions import is_grouped
from repositories.mongo.decoding import compile_decoder
from repositories.mongo.filters import compile_filter
from repositories.mongo.lookups import compile_tree
from repositories.mongo.plans import FlatPlan, Page, Plan
from repositories.mongo.sorting import needed, sorting, split
from repositories.mongo.values import projection
from repositories.query import Condition, Selection, Sort
from repositories.schema import Resource


def compile_selection(selection: Selection) -> Plan:
    """The plan of a selection, for any values."""
    if selection.embeds or is_grouped(selection):
        return compile_tree(selection)
    resource = selection.resource
    where = compile_filter(resource, selection.where)
    expressions = [output.expression for output in selection.outputs]
    keys = needed(selection.order, where)
    return FlatPlan(
        resource,
        where,
        projection(resource, expressions),
        sorting(resource, keys, where),
        split(resource, keys, where),
        compile_decoder(resource, expressions),
        Page.of(selection),
    )


def compile_targets(resource: Resource, condition: Condition, order: tuple[Sort, ...]) -> FlatPlan:
    """The plan that reads the whole documents a write is about, in the order of its answer."""
    where = compile_filter(resource, condition)
    keys = needed(order, where)
    sort = sorting(resource, keys, where)
    return FlatPlan(resource, where, None, sort, split(resource, keys, where), compile_decoder(resource, ()))

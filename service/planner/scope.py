"""The names that a request may use: the one place where a name of the request meets the catalog.

Hidden columns and row policies will narrow a scope; nothing else in the service looks names up.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from repositories.query import ALL, And, Column, Condition, Output, Param, Sort
from repositories.schema import Catalog, Field, Resource, Value
from service.dialect.params import FilterParam
from service.errors import RequestError


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """What a request may ask for at the most: records in a page and in a write, conditions, embeds, nesting."""

    max_rows: int = 1000
    max_insert_rows: int = 100_000
    max_filters: int = 100
    max_depth: int = 10
    max_embeds: int = 20
    max_embed_depth: int = 5
    aggregates: bool = True
    unfiltered_writes: bool = False


DEFAULT_LIMITS = PlanLimits()


class Bindings:
    """Collects a query's values, each of which gets its place, and counts its conditions.

    `compared` tells for the values of filters what they were read from, and the column that gives them their type.
    """

    __slots__ = ("compared", "conditions", "values")

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.compared: list[tuple[FilterParam, Column, Param]] = []
        self.conditions = 0

    def bind(self, value: Value) -> Param:
        """The place of a new value."""
        self.values.append(value)
        return Param(len(self.values) - 1)


def resource_named(catalog: Catalog, name: str) -> Resource:
    """The resource, or 404 PGRST205."""
    if name in catalog:
        return catalog[name]
    raise RequestError(
        404,
        "PGRST205",
        f"Could not find the table '{name[:80]}' in the schema cache",
        hint=_suggestion(name, catalog.resources, "Perhaps you meant the table '{}'"),
    )


class Scope:
    """One resource as a request sees it."""

    __slots__ = ("limits", "resource")

    def __init__(self, resource: Resource, limits: PlanLimits = DEFAULT_LIMITS) -> None:
        self.resource = resource
        self.limits = limits

    def field(self, name: str) -> Field:
        """The field, or 400 42703."""
        if (field := self.resource.fields.get(name)) is not None:
            return field
        message = f"column {self.resource.name}.{name[:80]} does not exist"
        raise self._unknown(name, "42703", message, 'Perhaps you meant to reference the column "{}".')

    def member(self, name: str) -> Field:
        """The field that a body's member stands for, or 400 PGRST204."""
        if (field := self.resource.fields.get(name)) is not None:
            return field
        message = f"Could not find the '{name[:80]}' column of '{self.resource.name}' in the schema cache"
        raise self._unknown(name, "PGRST204", message, "Perhaps you meant the column '{}'")

    def _unknown(self, name: str, code: str, message: str, hint: str) -> RequestError:
        return RequestError(400, code, message, hint=_suggestion(name, self.resource.fields, hint))

    def outputs(self) -> tuple[Output, ...]:
        """All columns, as `*` selects them."""
        return _all_outputs(self.resource)

    def key_order(self) -> tuple[Sort, ...]:
        """The primary key as sort keys."""
        return tuple(Sort(Column(field)) for field in self.resource.key)

    def restrict(self, conditions: tuple[Condition, ...]) -> Condition:
        """The conditions joined. (A policy's own conditions will be added here.)"""
        if len(conditions) == 1:
            return conditions[0]
        return And(conditions) if conditions else ALL


@lru_cache(maxsize=512)
def _all_outputs(resource: Resource) -> tuple[Output, ...]:
    return tuple(Output(field.name, Column(field)) for field in resource.fields.values())


def _suggestion(name: str, known: Mapping[str, object], phrase: str) -> str | None:
    close = difflib.get_close_matches(name[:80], known, n=1)
    return phrase.format(close[0]) if close else None

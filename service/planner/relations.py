"""How resources are related: every relation of the catalog, and the one that an embed's name and hint mean.

A relation is named as PostgREST names it: by the other resource, or, to the one side, by the reference's name, its
constraint or its only column. A hint tells relations to the same resource apart: a reference's name, constraint or
only column (of whichever side has the foreign key), or the resource between in a many-to-many relation.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from repositories.query import Junction, Relation
from repositories.schema import Catalog, Reference, Resource
from service.errors import RequestError


@dataclass(frozen=True, slots=True)
class Known:
    """A relation of one resource: what it may be called, what a hint may say, and how it is described."""

    relation: Relation
    #: Names that mean this relation alone: those of its reference, on the side that has the foreign key.
    own_names: frozenset[str]
    hints: frozenset[str]
    cardinality: str
    description: str
    #: How a request may name it without ambiguity.
    proposal: str


class Relations:
    """The relations of every resource of a catalog, found once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: dict[str, list[Known]] = {resource.name: [] for resource in catalog}
        for resource in catalog:
            for reference in resource.references:
                target = catalog[reference.target]
                self._known[resource.name].append(_to_one(resource, reference, target))
                self._known[target.name].append(_reverse(resource, reference, target))
            self._add_junction(resource)

    def of(self, resource: Resource) -> list[Known]:
        """Every relation of a resource."""
        return self._known[resource.name]

    def find(self, origin: Resource, name: str, hint: str | None) -> Relation:
        """The relation that is meant. Raises `RequestError`: 400 PGRST200 none, 300 PGRST201 several."""
        known = self._known[origin.name]
        found = [each for each in known if name in each.own_names]
        if not found:
            found = [each for each in known if each.relation.target.name == name]
        if hint is not None:
            found = [each for each in found if hint in each.hints]
            if len(found) > 1:
                # A resource's own foreign key names both its directions; the one side has a name of its own.
                found = [each for each in found if each.relation.many] or found
        if not found:
            raise self._not_found(origin, name, hint)
        if len(found) > 1:
            raise _ambiguous(origin, name, found)
        return found[0].relation

    def _add_junction(self, junction: Resource) -> None:
        """The many-to-many relations through a resource whose primary key holds two references."""
        key = set(junction.primary_key)
        ends = [reference for reference in junction.references if key.issuperset(reference.fields)]
        for near in ends:
            for far in ends:
                if near is not far:
                    origin, target = self._catalog[near.target], self._catalog[far.target]
                    self._known[origin.name].append(_through(junction, near, far, origin, target))

    def _not_found(self, origin: Resource, name: str, hint: str | None) -> RequestError:
        hinted = "" if hint is None else f" using the hint '{hint[:80]}'"
        names = {each.relation.target.name for each in self._known[origin.name]}
        names.update(*(each.own_names for each in self._known[origin.name]))
        close = difflib.get_close_matches(name[:80], sorted(names), n=1)
        return RequestError(
            400,
            "PGRST200",
            f"Could not find a relationship between '{origin.name}' and '{name[:80]}' in the schema cache",
            f"Searched for a foreign key relationship between '{origin.name}' and '{name[:80]}'{hinted}, "
            "but no matches were found.",
            hint=f"Perhaps you meant '{close[0]}' instead of '{name[:80]}'." if close and close[0] != name else None,
        )


def _to_one(resource: Resource, reference: Reference, target: Resource) -> Known:
    pairs = tuple(
        (resource.fields[own], target.fields[other])
        for own, other in zip(reference.fields, reference.target_fields, strict=True)
    )
    names = _names(reference)
    return Known(
        Relation(target, False, pairs),
        names,
        names,
        "one-to-one" if _identifies(resource, reference.fields) else "many-to-one",
        f"{reference.constraint} using {_columns(resource.name, reference.fields)} and "
        f"{_columns(target.name, reference.target_fields)}",
        reference.name,
    )


def _reverse(resource: Resource, reference: Reference, target: Resource) -> Known:
    pairs = tuple(
        (target.fields[other], resource.fields[own])
        for own, other in zip(reference.fields, reference.target_fields, strict=True)
    )
    single = _identifies(resource, reference.fields)
    return Known(
        Relation(resource, not single, pairs),
        frozenset(),
        _names(reference),
        "one-to-one" if single else "one-to-many",
        f"{reference.constraint} using {_columns(target.name, reference.target_fields)} and "
        f"{_columns(resource.name, reference.fields)}",
        f"{resource.name}!{reference.constraint}",
    )


def _through(junction: Resource, near: Reference, far: Reference, origin: Resource, target: Resource) -> Known:
    near_pairs = tuple(
        (origin.fields[other], junction.fields[own]) for own, other in zip(near.fields, near.target_fields, strict=True)
    )
    far_pairs = tuple(
        (junction.fields[own], target.fields[other]) for own, other in zip(far.fields, far.target_fields, strict=True)
    )
    return Known(
        Relation(target, True, near_pairs, Junction(junction, far_pairs)),
        frozenset(),
        frozenset({junction.name}) | _names(far),
        "many-to-many",
        f"{junction.name} using {near.constraint}({', '.join(near.fields)}) and "
        f"{far.constraint}({', '.join(far.fields)})",
        f"{target.name}!{junction.name if near.target != far.target else far.constraint}",
    )


def _names(reference: Reference) -> frozenset[str]:
    names = {reference.name, reference.constraint}
    if len(reference.fields) == 1:
        names.add(reference.fields[0])
    return frozenset(names)


def _identifies(resource: Resource, fields: tuple[str, ...]) -> bool:
    """Whether no two records agree in these fields (nulls aside)."""
    keys = [resource.primary_key, *(unique.fields for unique in resource.uniques)]
    return any(set(fields) >= set(key) for key in keys)


def _columns(resource: str, fields: tuple[str, ...]) -> str:
    return f"{resource}({', '.join(fields)})"


def _ambiguous(origin: Resource, name: str, found: list[Known]) -> RequestError:
    proposals = ", ".join(f"'{each.proposal}'" for each in found)
    return RequestError(
        300,
        "PGRST201",
        f"Could not embed because more than one relationship was found for '{origin.name}' and '{name}'",
        [
            {
                "cardinality": each.cardinality,
                "embedding": f"{origin.name} with {each.relation.target.name}",
                "relationship": each.description,
            }
            for each in found
        ],
        hint=f"Try changing '{name}' to one of the following: {proposals}. "
        "Find the desired relationship in the 'details' key.",
    )

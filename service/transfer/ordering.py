"""What must be written before what: resources before those that refer to them, and parents before their children."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter

from repositories.query import Row
from repositories.schema import Catalog, Field, Reference, Resource
from service.transfer.formats import TransferError


def referenced_first(catalog: Catalog, names: Collection[str]) -> list[Resource]:
    """The named resources in an order in which they can be filled. Raises `TransferError` if there is none."""
    graph = {
        resource.name: [
            reference.target
            for reference in resource.references
            if reference.target in names and reference.target != resource.name
        ]
        for resource in catalog
        if resource.name in names
    }
    try:
        return [catalog[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise TransferError(f"These resources refer to each other, so none can be filled first: {circle}.") from None


def refers_to_itself(resource: Resource) -> bool:
    """Whether records of the resource refer to others of it."""
    return any(reference.target == resource.name for reference in resource.references)


def parents_first(resource: Resource, columns: Sequence[Field], rows: Sequence[Row]) -> tuple[list[int], list[int]]:
    """The rows' indexes, each after those that it refers to; and apart those in circles, to be written at once.

    What hangs on a circle counts as part of it.
    """
    awaited = [0] * len(rows)
    children: dict[int, list[int]] = {}
    for reference in resource.references:
        if reference.target == resource.name:
            for child, parent in _pairs(reference, [field.name for field in columns], rows):
                children.setdefault(parent, []).append(child)
                awaited[child] += 1
    order = [index for index, count in enumerate(awaited) if not count]
    for index in order:  # grows while it is walked: it is the queue
        for child in children.get(index, ()):
            awaited[child] -= 1
            if not awaited[child]:
                order.append(child)
    return order, [index for index, count in enumerate(awaited) if count]


def _pairs(reference: Reference, names: list[str], rows: Sequence[Row]) -> list[tuple[int, int]]:
    """(child, parent) for each row that refers to another of these rows."""
    if not {*reference.fields, *reference.target_fields} <= set(names):
        return []
    own = [names.index(name) for name in reference.target_fields]
    pointing = [names.index(name) for name in reference.fields]
    owners = {tuple(row[place] for place in own): index for index, row in enumerate(rows)}
    pairs = []
    for index, row in enumerate(rows):
        wanted = tuple(row[place] for place in pointing)
        parent = None if None in wanted else owners.get(wanted)
        if parent is not None and parent != index:
            pairs.append((index, parent))
    return pairs

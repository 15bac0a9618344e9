"""A resource into a file: streamed in bounded memory, in the order of the primary key, of one moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from repositories.base import Repository
from repositories.query import Param, Read, Selection
from repositories.schema import Resource
from service.planner.scope import Scope
from service.transfer.formats import Format
from service.transfer.writers import writer

#: Records asked of the store at a time.
BATCH = 1000


def count(repository: Repository, resource: Resource) -> int:
    """How many records the resource has now."""
    scope = Scope(resource)
    selection = Selection(resource, scope.outputs(), order=scope.key_order(), limit=Param(0))
    total = repository.rows(Read(selection, (0,), count=True)).total
    assert total is not None
    return total


def export(
    repository: Repository, resource: Resource, file_format: Format, target: BinaryIO, advance: Callable[[int], None]
) -> None:
    """Write every record of the resource to `target`. Raises `RepositoryError`, `OSError`."""
    scope = Scope(resource)
    selection = Selection(resource, scope.outputs(), order=scope.key_order())
    form = writer(file_format, tuple(resource.fields.values()))
    target.write(form.head)
    lead = form.first
    with repository.stream(Read(selection), BATCH) as batches:
        for batch in batches:
            target.write(lead + form.between.join(map(form.record, batch)))
            lead = form.between
            advance(len(batch))
    target.write(form.tail)

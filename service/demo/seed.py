"""The demonstration's records into a store, in batches; what an interrupted run has written is not written again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from repositories.base import Repository
from repositories.query import Param, Read, Row, Selection
from repositories.schema import Field, Generated, Resource, Value
from repositories.writes import Insert
from service.demo.shop import CODE, Part, Shop
from service.planner.reads import key_condition
from service.planner.scope import Bindings, Scope

#: Records in one write, which is one transaction.
BATCH = 1000
#: Begins the task of so many records; the answer is told how many more are done.
Task = Callable[[str, int], Callable[[int], None]]


def is_complete(repository: Repository) -> bool:
    """Whether the store holds a whole shop, of whatever size: its last record is there."""
    return _has(repository, repository.catalog["shops"], (CODE,))


def seed(repository: Repository, shop: Shop, task: Task) -> None:
    """Write what is missing of a shop that is not complete. Raises `RepositoryError`."""
    for part in shop.parts:
        _fill(repository, part, task(part.resource, part.count))


def _fill(repository: Repository, part: Part, advance: Callable[[int], None]) -> None:
    resource = repository.catalog[part.resource]
    fields = tuple(resource.fields.values())
    rows = part.rows()
    begun = _any(repository, resource)
    while batch := list(islice(rows, BATCH)):
        # A batch is written whole or not at all, so its last record stands for it.
        if not begun or not _has(repository, resource, _key(resource, fields, batch[-1])):
            repository.write(Insert(resource, fields, batch))
        advance(len(batch))
    if any(field.generated is Generated.SEQUENCE for field in fields):
        repository.advance_sequences(resource)


def _key(resource: Resource, fields: tuple[Field, ...], row: Row) -> tuple[Value, ...]:
    record = dict(zip(fields, row, strict=True))
    return tuple(record[field] for field in resource.key)


def _any(repository: Repository, resource: Resource) -> bool:
    scope = Scope(resource)
    selection = Selection(resource, scope.outputs(), order=scope.key_order(), limit=Param(0))
    return bool(repository.rows(Read(selection, (1,))).rows)


def _has(repository: Repository, resource: Resource, key: tuple[Value, ...]) -> bool:
    scope, bindings = Scope(resource), Bindings()
    where = key_condition(scope, key, bindings)
    selection = Selection(resource, scope.outputs(), where, scope.key_order())
    return bool(repository.rows(Read(selection, tuple(bindings.values))).rows)

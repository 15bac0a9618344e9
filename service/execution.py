"""Carries a planned write out: on its own where that will do, else with all that belongs to it in one transaction.

A request may itself be part of a transaction (of a batch, or of a request with a key): then it takes part in that.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import jiter

from repositories.base import Document, Executor, Repository, representation_tag
from repositories.encoding import outputs_encoder
from repositories.errors import PreconditionFailed
from repositories.query import Among, Column, Output, Param, Read, Row, Selection
from repositories.schema import Resource
from repositories.writes import Assign, Update, Write
from service.errors import RequestError, not_single
from service.merging import merged_rows
from service.planner.answers import Merge, Precondition, ReadBack, WritePlan
from service.planner.json_values import from_json
from service.planner.singular import at_most_one

T = TypeVar("T")
#: Writes rows of a selection as an answer's body.
Encode = Callable[[Selection, Sequence[Row]], bytes]

_current: ContextVar[Executor | None] = ContextVar("diglot_executor", default=None)


@dataclass(frozen=True, slots=True)
class Affected:
    """How many records a write may concern; see `Prefer: max-affected` and singular answers."""

    most: int | None = None
    single: bool = False

    def undoes_none_of(self, write: Write) -> bool:
        """Whether no outcome of the write would have to be undone."""
        if self.most is None and not self.single:
            return True
        return at_most_one(write) and self.most != 0

    def check(self, count: int) -> None:
        """Raises `RequestError`: PGRST124 too many, PGRST116 not exactly one."""
        if self.most is not None and count > self.most:
            raise RequestError(
                400,
                "PGRST124",
                "Query result exceeds max-affected preference constraint",
                f"The query affects {count} rows",
                by_data=True,
            )
        if self.single and count != 1:
            raise not_single(count)


def executor(repository: Repository) -> Executor:
    """What carries out the queries of the current request."""
    return _current.get() or repository


def executing() -> bool:
    """Whether the current request is part of a transaction."""
    return _current.get() is not None


def transact(repository: Repository, work: Callable[[Executor], T], *, name: str | None = None) -> T:
    """What `work` gives in the transaction of the current request, or else in one of its own."""
    current = _current.get()
    return repository.transact(work, name=name) if current is None else work(current)


@contextmanager
def taking_part(transaction: Executor) -> Iterator[None]:
    """Requests that are carried out meanwhile are part of the transaction."""
    token = _current.set(transaction)
    try:
        yield
    finally:
        _current.reset(token)


def carry_out(repository: Repository, plan: WritePlan, affected: Affected, encode: Encode | None = None) -> Document:
    """Do what is planned, all or none of it. Raises `RequestError` and the port's errors.

    With `encode`, the answer's records are written by it, in place of JSON.
    """
    if plan.is_plain and affected.undoes_none_of(plan.write):
        done = executor(repository).write(plan.write)
        affected.check(done.count)
        return done
    return transact(repository, lambda transaction: _in_transaction(transaction, plan, affected, encode))


def _in_transaction(transaction: Executor, plan: WritePlan, affected: Affected, encode: Encode | None) -> Document:
    if plan.precondition is not None:
        _require(transaction, plan.precondition)
    before = None if plan.before is None else _body(transaction, plan.before, encode)
    write = plan.write if plan.merge is None else _merge(transaction, plan, plan.merge)
    done = transaction.write(write)
    affected.check(done.count)
    if before is not None:
        return replace(done, body=before)
    if plan.after is None:
        return done
    keys = _keys(plan.write.resource, done.body)
    if plan.in_order:
        return replace(done, body=_in_order(transaction, plan.after, keys, encode or encode_json))
    return replace(done, body=_body(transaction, plan.after.of(keys), encode))


def _body(transaction: Executor, read: Read, encode: Encode | None) -> bytes:
    if encode is None:
        return transaction.json(read).body
    return encode(read.selection, transaction.rows(read).rows)


def _require(transaction: Executor, condition: Precondition) -> None:
    found = transaction.json(condition.read)
    tag = representation_tag(found.body[1:-1]) if found.count else None
    if (tag in condition.tags) is not condition.present:
        raise PreconditionFailed(resource=condition.read.selection.resource.name)


def _merge(transaction: Executor, plan: WritePlan, merge: Merge) -> Update:
    """Patch the records, after their condition has been checked; the update of them that is left to do."""
    update = plan.write
    assert isinstance(update, Update)
    if update.expect is not None:
        transaction.write(replace(update, changes=(), returning=()))
    resource = update.resource
    rows = transaction.rows(merge.read).rows
    fields = (*resource.key, *(field for field, _ in merge.patches))
    transaction.write(Assign(resource, fields, merged_rows(merge, rows, len(resource.key))))
    keys = tuple(row[: len(resource.key)] for row in rows)
    place = Param(len(update.values))
    return replace(update, where=Among(place), values=(*update.values, keys), expect=None)


def encode_json(selection: Selection, rows: Sequence[Row]) -> bytes:
    """The rows as a JSON array."""
    return outputs_encoder(selection.outputs, selection.embeds)(rows)


def _keys(resource: Resource, body: bytes) -> tuple[Row, ...]:
    """The keys that a write has given back, as JSON."""
    records: list[dict[str, Any]] = jiter.from_json(body, float_mode="decimal")
    return tuple(tuple(from_json(field.type, record[field.name]) for field in resource.key) for record in records)


def _in_order(transaction: Executor, after: ReadBack, keys: tuple[Row, ...], encode: Encode) -> bytes:
    """The records with these keys, in their order."""
    read = after.of(keys)
    selection = read.selection
    taken = {output.name for output in selection.outputs}
    names = (name for number in itertools.count() if (name := f"key_{number}") not in taken)
    outputs = tuple(Output(next(names), Column(field)) for field in selection.resource.key)
    found = transaction.rows(Read(replace(selection, outputs=outputs + selection.outputs), read.values)).rows
    count = len(outputs)
    records = {row[:count]: row[count:] for row in found}
    return encode(selection, [records[key] for key in keys if key in records])

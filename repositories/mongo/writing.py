"""Writing: each statement all or nothing, conditional where it is asked, its references intact at the end."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import bson
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from repositories.base import Document, representation_tag
from repositories.errors import ConstraintError, PreconditionFailed
from repositories.kept import KeptParts
from repositories.mongo.blame import is_ambiguous, named
from repositories.mongo.building import changed
from repositories.mongo.compiler import compile_targets
from repositories.mongo.documents import BSON, CODEC, identifier, key_writer, writer
from repositories.mongo.inserting import BATCH, RowsFailed, insert, is_many
from repositories.mongo.joining import Joint
from repositories.mongo.keys import in_batches
from repositories.mongo.plans import FlatPlan, Pipeline
from repositories.mongo.sequences import Sequences, Taken
from repositories.mongo.store import KEPT_SHAPES, Store, key_of, record_encoder
from repositories.mongo.transactions import Attempt, Scope, Transaction
from repositories.mongo.upserts import upsert
from repositories.query import Row, Values
from repositories.schema import Catalog, Resource
from repositories.writes import Assign, Delete, Expectation, Insert, Replace, Update, Write


class Writer:
    """Carries out the port's writes."""

    def __init__(self, scope: Scope, catalog: Catalog, sequences: Sequences) -> None:
        self._store = Store(scope, catalog, sequences)
        self._joints = {name: Joint() for name in catalog.resources}
        self._targets = KeptParts(compile_targets, KEPT_SHAPES)

    def within(self, transaction: Transaction, taken: Taken) -> Writer:
        """The same, writing in the transaction; its earlier attempts have taken these numbers."""
        writer = copy(self)
        writer._store = replace(self._store, scope=transaction, sequences=taken)
        return writer

    def write(self, write: Write) -> Document:
        """Carry out the write, within one deadline."""
        try:
            return self._store.scope.run(lambda: self._carry_out(write), write.resource, patient=_is_patient(write))
        except ConstraintError as error:
            if not isinstance(write, Insert):
                error.row = None  # that of a record which has been moved to another key
            elif error.row is None and isinstance(write.rows, Sequence) and len(write.rows) == 1:
                error.row = 0
            raise
        except RowsFailed as failed:
            raised = failed.error
        raise raised

    def _carry_out(self, write: Write) -> Document:
        match write:
            case Insert():
                return self._insert(write)
            case Replace():
                return self._replace(write)
            case Assign():
                return self._assign(write)
            case Update():
                return self._update(write)
            case Delete():
                return self._delete(write)

    def _insert(self, write: Insert) -> Document:
        joint = self._joints[write.resource.name]
        if write.conflict is None:
            return insert(self._store, write, joint)
        return upsert(self._store, write, write.conflict, joint)

    def _assign(self, write: Assign) -> Document:
        resource = write.resource
        make, width = key_writer(resource), len(resource.primary_key)
        writers = [(field.name, writer(field.type)) for field in write.fields[width:]]
        records = self._store.records(resource)

        def update(row: Row) -> UpdateOne:
            values = {name: write(value) for (name, write), value in zip(writers, row[width:], strict=True)}
            return UpdateOne({"_id": make(row[:width])}, {"$set": values})

        def assign(attempt: Attempt) -> int:
            count = 0
            for rows in in_batches(write.rows, BATCH):
                with self._store.scope.bounded():
                    done = records.bulk_write([update(row) for row in rows], session=attempt.session)
                    where = {"_id": {"$in": [make(row[:width]) for row in rows]}}
                    self._store.claim(resource, where, done, attempt.session, several=len(write.rows) > 1)
                count += done.matched_count
            return count

        return Document(b"", self._store.scope.transact(assign) if writers and write.rows else 0)

    def _replace(self, write: Replace) -> Document:
        resource = write.resource
        given = {field.name: writer(field.type)(value) for field, value in zip(write.fields, write.row, strict=True)}
        where = {"_id": identifier(resource, given)}
        changes = {name: value for name, value in given.items() if name not in resource.primary_key}
        records = self._store.records(resource)
        made: list[BSON] = []

        def work(attempt: Attempt) -> tuple[list[BSON], bool]:
            session = attempt.session
            found = records.find(where, session=session).to_list()
            self._expect(write.expect, resource, found)
            if found:
                written = self._change(attempt, resource, where, found, changes)
            elif write.create:
                # Made once, however often the transaction is tried: it may have taken a number of a sequence.
                made.extend([] if made else self._initial(write))
                written = made
                self._store.with_care(attempt, resource, made)
                with named(attempt, self._store.catalog, resource):
                    records.insert_one(made[0], session=session)
                references = self._store.references(session)
                references.written(resource, made)
                references.check()
            else:
                return [], False
            return written, not found

        written, created = self._store.scope.transact(work)
        key = key_of(resource, written[0]) if written else None
        return self._store.answer(resource, write.returning, written, key, created=created)

    def _update(self, write: Update) -> Document:
        resource = write.resource
        changes = {field.name: writer(field.type)(write.values[value.index]) for field, value in write.changes}
        plan = self._targets(resource, write.where, write.order)
        where = plan.filter.build(write.values)

        def update(attempt: Attempt) -> list[BSON]:
            found = self._read(plan, write.values, attempt.session)
            self._expect(write.expect, resource, found)
            return self._change(attempt, resource, where, found, changes)

        ambiguous = is_ambiguous(resource, changes)
        if write.expect is not None or not changes or self._is_linked(resource, changes):
            written = self._store.scope.transact(update)
        elif plan.filter.single and not (ambiguous and self._store.scope.session):
            try:
                written = self._set_one(resource, where, changes)
            except DuplicateKeyError:
                if not ambiguous:
                    raise
                written = self._store.scope.transact(update)
        elif write.returning or ambiguous:
            written = self._store.scope.transact(update)
        else:
            count = self._store.scope.transact(lambda attempt: self._set(attempt, resource, where, changes))
            return Document(b"", count)
        return self._store.answer(resource, write.returning, written)

    def _delete(self, write: Delete) -> Document:
        resource = write.resource
        records = self._store.records(resource)
        plan = self._targets(resource, write.where, write.order)
        where = plan.filter.build(write.values)

        def delete(attempt: Attempt) -> list[BSON]:
            session = attempt.session
            found = self._read(plan, write.values, session)
            self._expect(write.expect, resource, found)
            references = self._store.references(session)
            records.delete_many(where, session=session)
            references.deleted(resource, found)
            references.check()
            return found

        if write.expect is not None or self._store.catalog.referrers[resource.name]:
            deleted = self._store.scope.transact(delete)
        elif plan.filter.single:
            before = records.find_one_and_delete(where, session=self._store.scope.session)
            deleted = [] if before is None else [before]
        elif write.returning:
            deleted = self._store.scope.transact(delete)
        else:
            done = self._store.scope.transact(lambda attempt: records.delete_many(where, session=attempt.session))
            return Document(b"", done.deleted_count)
        return self._store.answer(resource, write.returning, deleted)

    def _initial(self, write: Replace) -> list[BSON]:
        fields = (*write.fields, *(field for field, _ in write.initial))
        return self._store.documents(write.resource, fields, [(*write.row, *(value for _, value in write.initial))])

    def _change(
        self,
        attempt: Attempt,
        resource: Resource,
        where: BSON,
        found: list[BSON],
        changes: BSON,
    ) -> list[BSON]:
        """Make the changes in the records found, which are those that meet `where`; return them as they are now."""
        session = attempt.session
        records = self._store.records(resource)
        written = [changed(resource, each, changes) for each in found]
        moved = [(old, new) for old, new in zip(found, written, strict=True) if old["_id"] != new["_id"]]
        members = {name: value for name, value in changes.items() if name not in resource.primary_key}
        self._store.with_care(attempt, resource, written, before=found, always=bool(moved))
        with named(attempt, self._store.catalog, resource):
            if members and found:
                self._set(attempt, resource, where, members)
            if moved:  # an `_id` cannot be changed
                records.delete_many({"_id": {"$in": [old["_id"] for old, _ in moved]}}, session=session)
                records.insert_many([new for _, new in moved], session=session)
        references = self._store.references(session)
        references.written(resource, written, changes, before=found)
        references.rekeyed(resource, found, written)
        references.check()
        return written

    def _set(self, attempt: Attempt, resource: Resource, where: BSON, changes: BSON) -> int:
        """Set these members in the records that meet `where`; their number."""
        done = self._store.records(resource).update_many(where, {"$set": changes}, session=attempt.session)
        self._store.claim(resource, where, done, attempt.session, several=done.matched_count > 1)
        return done.matched_count

    def _set_one(self, resource: Resource, where: BSON, changes: BSON) -> list[BSON]:
        """The same in the one record that can meet `where`, by a single command; the record, if there is one."""
        session = self._store.scope.session
        before = self._store.records(resource).find_one_and_update(where, {"$set": changes}, session=session)
        if before is None:
            return []
        after = changed(resource, before, changes)
        if session is not None and bson.encode(before, codec_options=CODEC) == bson.encode(after, codec_options=CODEC):
            self._store.touch(resource, where, session)
        return [after]

    def _is_linked(self, resource: Resource, changes: BSON) -> bool:
        """The changes touch the key, a reference, or what references point at."""
        linked = set(resource.primary_key)
        linked.update(*(reference.fields for reference in resource.references))
        linked.update(*(reference.target_fields for _, reference in self._store.catalog.referrers[resource.name]))
        return not linked.isdisjoint(changes)

    def _read(self, plan: FlatPlan, values: Values, session: ClientSession) -> list[BSON]:
        records = self._store.records(plan.resource)
        statement = plan.statement(values)
        if isinstance(statement, Pipeline):
            return records.aggregate(statement.stages, session=session, allowDiskUse=True).to_list()
        return records.find(statement.filter, sort=statement.sort or None, session=session).to_list()

    def _expect(self, expect: Expectation | None, resource: Resource, found: Sequence[BSON]) -> None:
        if expect is None:
            return
        encode = record_encoder(resource, expect.outputs)
        tagged = [expect.tags is None or representation_tag(encode([each])[1:-1]) in expect.tags for each in found]
        holds = all(tagged) and bool(found) if expect.present else not any(tagged)
        if not holds:
            raise PreconditionFailed(resource=resource.name)


def _is_patient(write: Write) -> bool:
    """It is made of batches, each of which is bounded."""
    return (isinstance(write, Insert) and is_many(write)) or (isinstance(write, Assign) and len(write.rows) > BATCH)

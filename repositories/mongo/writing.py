"""Writing: each statement all or nothing, conditional where it is asked, its references intact at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from repositories.base import Document, representation_tag
from repositories.errors import ConstraintError, PreconditionFailed
from repositories.mongo.compiler import compile_targets
from repositories.mongo.connection import Connection
from repositories.mongo.decoding import compile_decoder
from repositories.mongo.documents import BSON, decoder, document, identifier, writer
from repositories.mongo.plans import FlatPlan, Pipeline
from repositories.mongo.reading import encoder
from repositories.mongo.references import References
from repositories.mongo.sequences import Sequences
from repositories.query import Output, Row, Values
from repositories.schema import Catalog, Field, Generated, Resource
from repositories.writes import Delete, Expectation, Insert, Replace, Update, Write

#: Shapes of writes whose compiled form is kept.
KEPT_PLANS = 1024


class Writer:
    """Carries out the port's writes."""

    def __init__(self, connection: Connection, catalog: Catalog, sequences: Sequences) -> None:
        self._connection = connection
        self._catalog = catalog
        self._sequences = sequences
        self._encoder = lru_cache(KEPT_PLANS)(_encoder)
        self._targets = lru_cache(KEPT_PLANS)(compile_targets)

    def write(self, write: Write) -> Document:
        """Carry out the write, within one deadline."""
        try:
            return self._connection.run(lambda: self._carry_out(write), write.resource)
        except ConstraintError as error:
            if not isinstance(write, Insert):
                error.row = None  # that of a record which has been moved to another key
            raise

    def _carry_out(self, write: Write) -> Document:
        match write:
            case Insert():
                return self._insert(write)
            case Replace():
                return self._replace(write)
            case Update():
                return self._update(write)
            case Delete():
                return self._delete(write)

    def _insert(self, write: Insert) -> Document:
        resource = write.resource
        documents = self._new_documents(resource, write.fields, write.rows)
        records = self._connection.collection(resource.name)

        def insert(session: ClientSession) -> None:
            records.insert_many(documents, session=session)
            references = self._references(session)
            references.written(resource, documents, bulk=True)
            references.check()

        if len(documents) == 1 and not resource.references:
            records.insert_one(documents[0])
        elif documents:
            self._connection.transact(insert)
        key = _key(resource, documents[0]) if len(documents) == 1 else None
        return self._answer(resource, write.returning, documents, key, created=True)

    def _replace(self, write: Replace) -> Document:
        resource = write.resource
        given = {field.name: writer(field.type)(value) for field, value in zip(write.fields, write.row, strict=True)}
        where = {"_id": identifier(resource, given)}
        changes = {name: value for name, value in given.items() if name not in resource.primary_key}
        records = self._connection.collection(resource.name)
        made: list[BSON] = []

        def replace(session: ClientSession) -> tuple[list[BSON], bool]:
            references = self._references(session)
            found = records.find(where, session=session).to_list()
            self._expect(write.expect, resource, found)
            if found:
                written = self._change(references, resource, where, found, changes)
            elif write.create:
                # Made once, however often the transaction is tried: it may have taken a number of a sequence.
                made.extend([] if made else self._initial(write))
                written = made
                records.insert_one(made[0], session=session)
                references.written(resource, made)
            else:
                return [], False
            references.check()
            return written, not found

        written, created = self._connection.transact(replace)
        key = _key(resource, written[0]) if written else None
        return self._answer(resource, write.returning, written, key, created=created)

    def _update(self, write: Update) -> Document:
        resource = write.resource
        changes = {field.name: writer(field.type)(write.values[value.index]) for field, value in write.changes}
        records = self._connection.collection(resource.name)
        plan = self._targets(resource, write.where, write.order)
        where = plan.filter.build(write.values)

        def update(session: ClientSession) -> list[BSON]:
            references = self._references(session)
            found = self._read(plan, write.values, session)
            self._expect(write.expect, resource, found)
            written = self._change(references, resource, where, found, changes)
            references.check()
            return written

        if write.expect is not None or not changes or self._is_linked(resource, changes):
            written = self._connection.transact(update)
        elif plan.filter.single:
            after = records.find_one_and_update(where, {"$set": changes}, return_document=ReturnDocument.AFTER)
            written = [] if after is None else [after]
        elif write.returning:
            written = self._connection.transact(update)
        else:
            done = self._connection.transact(
                lambda session: records.update_many(where, {"$set": changes}, session=session)
            )
            return Document(b"", done.matched_count)
        return self._answer(resource, write.returning, written)

    def _delete(self, write: Delete) -> Document:
        resource = write.resource
        records = self._connection.collection(resource.name)
        plan = self._targets(resource, write.where, write.order)
        where = plan.filter.build(write.values)

        def delete(session: ClientSession) -> list[BSON]:
            found = self._read(plan, write.values, session)
            self._expect(write.expect, resource, found)
            references = self._references(session)
            records.delete_many(where, session=session)
            references.deleted(resource, found)
            references.check()
            return found

        if write.expect is not None or self._catalog.referrers[resource.name]:
            deleted = self._connection.transact(delete)
        elif plan.filter.single:
            before = records.find_one_and_delete(where)
            deleted = [] if before is None else [before]
        elif write.returning:
            deleted = self._connection.transact(delete)
        else:
            done = self._connection.transact(lambda session: records.delete_many(where, session=session))
            return Document(b"", done.deleted_count)
        return self._answer(resource, write.returning, deleted)

    def _new_documents(self, resource: Resource, fields: Sequence[Field], rows: Sequence[Row]) -> list[BSON]:
        writers = [(field.name, writer(field.type)) for field in fields]
        records = [{name: write(value) for (name, write), value in zip(writers, row, strict=True)} for row in rows]
        for field in resource.fields.values():
            if field.generated is Generated.SEQUENCE and field not in fields and records:
                numbers = self._sequences.take(resource, field, len(records))
                for record, number in zip(records, numbers, strict=True):
                    record[field.name] = number
        return [document(resource, record) for record in records]

    def _initial(self, write: Replace) -> list[BSON]:
        fields = (*write.fields, *(field for field, _ in write.initial))
        return self._new_documents(write.resource, fields, [(*write.row, *(value for _, value in write.initial))])

    def _change(
        self,
        references: References,
        resource: Resource,
        where: BSON,
        found: list[BSON],
        changes: BSON,
    ) -> list[BSON]:
        """Make the changes in the records found, which are those that meet `where`; return them as they are now."""
        session = references.session
        records = self._connection.collection(resource.name)
        written = [_changed(resource, each, changes) for each in found]
        moved = [(old, new) for old, new in zip(found, written, strict=True) if old["_id"] != new["_id"]]
        members = {name: value for name, value in changes.items() if name not in resource.primary_key}
        if members and found:
            records.update_many(where, {"$set": members}, session=session)
        if moved:  # an `_id` cannot be changed
            records.delete_many({"_id": {"$in": [old["_id"] for old, _ in moved]}}, session=session)
            records.insert_many([new for _, new in moved], session=session)
        references.written(resource, written, changes)
        references.rekeyed(resource, found, written)
        return written

    def _is_linked(self, resource: Resource, changes: BSON) -> bool:
        """The changes touch the key, a reference, or what references point at."""
        linked = set(resource.primary_key)
        linked.update(*(reference.fields for reference in resource.references))
        linked.update(*(reference.target_fields for _, reference in self._catalog.referrers[resource.name]))
        return not linked.isdisjoint(changes)

    def _read(self, plan: FlatPlan, values: Values, session: ClientSession) -> list[BSON]:
        records = self._connection.collection(plan.resource.name)
        statement = plan.statement(values)
        if isinstance(statement, Pipeline):
            return records.aggregate(statement.stages, session=session, allowDiskUse=True).to_list()
        return records.find(statement.filter, sort=statement.sort or None, session=session).to_list()

    def _references(self, session: ClientSession) -> References:
        return References(self._connection, self._catalog, session)

    def _expect(self, expect: Expectation | None, resource: Resource, found: Sequence[BSON]) -> None:
        if expect is None:
            return
        if not found:
            raise PreconditionFailed(resource=resource.name)
        if expect.tags is not None:
            encode = self._encoder(resource, expect.outputs)
            if not all(representation_tag(encode([each])[1:-1]) in expect.tags for each in found):
                raise PreconditionFailed(resource=resource.name)

    def _answer(
        self,
        resource: Resource,
        returning: tuple[Output, ...],
        documents: Sequence[BSON],
        key: Row | None = None,
        *,
        created: bool = False,
    ) -> Document:
        body = self._encoder(resource, returning)(documents) if returning else b""
        return Document(body, len(documents), key=key, created=created)


def _key(resource: Resource, found: BSON) -> Row:
    return decoder(resource, resource.key)([found])[0]


def _changed(resource: Resource, found: BSON, changes: BSON) -> BSON:
    key = found["_id"] if len(resource.primary_key) > 1 else {resource.primary_key[0]: found["_id"]}
    members = {name: value for name, value in changes.items() if name not in resource.primary_key}
    return {**found, **members, "_id": identifier(resource, {**key, **changes})}


def _encoder(resource: Resource, outputs: tuple[Output, ...]) -> Callable[[Sequence[BSON]], bytes]:
    decode = compile_decoder(resource, [output.expression for output in outputs])
    encode = encoder(outputs)
    return lambda documents: encode(decode(documents))

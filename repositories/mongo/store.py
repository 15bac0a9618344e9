"""The database as a write sees it: where its commands are made, and what it needs for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.results import BulkWriteResult, UpdateResult

from repositories.base import Document
from repositories.errors import UniqueViolation
from repositories.kept import KeptParts
from repositories.mongo.blame import first_duplicate
from repositories.mongo.building import Builder
from repositories.mongo.decoding import compile_decoder
from repositories.mongo.documents import BSON
from repositories.mongo.json_columns import JsonColumns, plain_fields
from repositories.mongo.keys import keys_of
from repositories.mongo.reading import encoder
from repositories.mongo.references import References
from repositories.mongo.sequences import Sequences, Taken
from repositories.mongo.transactions import Attempt, Scope
from repositories.query import Output, Row
from repositories.schema import Catalog, Field, Resource

#: A member that no record has once its transaction is over; columns cannot have such a name.
_CLAIM = "_diglot_claim"
#: Shapes of writes whose compiled form is kept.
KEPT_SHAPES = 1024

Encode = Callable[[Sequence[BSON]], bytes]


@dataclass(frozen=True, slots=True)
class Store:
    """The database within a scope."""

    scope: Scope
    catalog: Catalog
    sequences: Sequences | Taken

    def records(self, resource: Resource) -> Collection[BSON]:
        """The resource's collection."""
        return self.scope.collection(resource.name)

    def references(self, session: ClientSession) -> References:
        """The references that a statement makes and breaks."""
        return References(self.scope, self.catalog, session)

    def documents(self, resource: Resource, fields: tuple[Field, ...], rows: Sequence[Row]) -> list[BSON]:
        """New documents of rows with these fields; their numbers are taken, whatever becomes of them."""
        build = _builders(resource, fields)
        numbers = {
            field.name: self.sequences.take(resource, field, len(rows)) if rows else range(0)
            for field in build.numbered
        }
        return build(rows, numbers)

    def with_care(
        self,
        attempt: Attempt,
        resource: Resource,
        documents: Sequence[BSON],
        *,
        before: Sequence[BSON] = (),
        replaced: Sequence[BSON | None] = (),
        rows: Sequence[int] | None = None,
        always: bool = False,
    ) -> None:
        """In a careful attempt, or `always`, raise the unique set that writing the documents would break first.

        `rows` are their numbers; `before` are records that become some of them, all at once; `replaced` are those that
        become them one after the other, in their order.
        """
        if attempt.careful or always:
            own = frozenset(keys_of(resource, resource.primary_key, before))
            found = first_duplicate(
                self.records(resource), resource, documents, attempt.session, own=own, replaced=replaced
            )
            if found is not None:
                place, unique = found
                raise UniqueViolation.of(resource.name, unique, place if rows is None else rows[place])

    def claim(
        self,
        resource: Resource,
        where: BSON,
        done: UpdateResult | BulkWriteResult,
        session: ClientSession | None,
        *,
        several: bool,
    ) -> None:
        """Let the records that were to be written be in the way of other writers, also those that stay as they are.

        The server leaves out a write that changes nothing, so that others would not notice it. Where it is all that
        the transaction does, they need not; but where it does more, and `several` records are enough for that, both
        could go on and end as in no order of the two. `where` finds those records after the write, too.
        """
        if done.modified_count < done.matched_count and (several or self.scope.session is not None):
            self.touch(resource, where, session)

    def touch(self, resource: Resource, where: BSON, session: ClientSession | None) -> None:
        """Write these records within the transaction, and leave them as they are."""
        for update in ({"$set": {_CLAIM: True}}, {"$unset": {_CLAIM: True}}):
            self.records(resource).update_many(where, update, session=session)

    def answer(
        self,
        resource: Resource,
        returning: tuple[Output, ...],
        documents: Sequence[BSON],
        key: Row | None = None,
        *,
        created: bool = False,
    ) -> Document:
        """The answer of a write that has written these documents."""
        return Document(self.body(resource, returning, documents), len(documents), key=key, created=created)

    @staticmethod
    def body(resource: Resource, returning: tuple[Output, ...], documents: Sequence[BSON]) -> bytes:
        """The documents as JSON, or nothing."""
        return record_encoder(resource, returning)(documents) if returning else b""


def key_of(resource: Resource, found: BSON) -> Row:
    """The primary key of a document."""
    return keys_of(resource, resource.primary_key, [found])[0]


def record_encoder(resource: Resource, outputs: tuple[Output, ...]) -> Encode:
    """What writes documents as a JSON array."""
    return _encoders(resource, outputs)


def _encoder(resource: Resource, outputs: tuple[Output, ...]) -> Encode:
    fields = plain_fields(outputs)
    if fields is not None:
        return JsonColumns(resource, [output.name for output in outputs], fields).array
    decode = compile_decoder(resource, [output.expression for output in outputs])
    encode = encoder(outputs)
    return lambda documents: encode(decode(documents))


_encoders = KeptParts(_encoder, KEPT_SHAPES)
_builders = KeptParts(Builder, KEPT_SHAPES)

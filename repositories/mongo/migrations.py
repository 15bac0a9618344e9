"""Schema changes: what the database lacks compared with the catalog, and how to bring it there.

What a collection allows is read from its own validator. What Diglot has made, and may therefore remove, is remembered
in a collection of its own. Every step can be run twice, and by two services at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bson import json_util
from bson.binary import UuidRepresentation
from bson.json_util import JSONOptions
from pymongo.errors import OperationFailure

from repositories.base import Change
from repositories.errors import SchemaMismatch
from repositories.mongo import locks, sequences, transactions
from repositories.mongo.backfill import backfill, has_backfill
from repositories.mongo.connection import Connection
from repositories.mongo.documents import BSON, CODEC
from repositories.mongo.indexes import IndexSpec, index_specs
from repositories.mongo.sequences import Sequences
from repositories.mongo.validators import is_wider, validator
from repositories.schema import Catalog, Resource

MEMORY = "_diglot_schema"
OWN = (MEMORY, locks.COLLECTION, sequences.COLLECTION, transactions.NAMES)

_NAMESPACE_EXISTS = 48
_INDEX_NOT_FOUND = 27
_JSON: JSONOptions = json_util.RELAXED_JSON_OPTIONS.with_options(uuid_representation=UuidRepresentation.STANDARD)


@dataclass(frozen=True, slots=True)
class _Step:
    change: Change
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Stored:
    """A resource's collection as it is in the database, and what is remembered of it."""

    rules: BSON | None
    indexes: dict[str, BSON]
    memory: BSON

    @property
    def properties(self) -> BSON:
        """The fields that the collection's validator knows, with their rules."""
        return dict((self.rules or {}).get("properties", {}))


class Migrations:
    """Compares and changes the schema of a database."""

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        self._connection = connection
        self._database = connection.database
        self._catalog = catalog
        self._sequences = Sequences(connection)

    def changes(self) -> list[Change]:
        """What `apply` would do."""
        return [step.change for step in self._connection.run(self._steps)]

    def apply(self, *, destructive: bool) -> list[Change]:
        """Do it, and remember what has been made."""

        def work() -> list[Change]:
            steps = [step for step in self._steps() if destructive or not step.change.destructive]
            for step in steps:
                step.run()
            for resource in self._catalog:
                self._remember(resource, forget=destructive)
            return [step.change for step in steps]

        return self._connection.run(work)

    def _steps(self) -> list[_Step]:
        collections = {each["name"]: dict(each) for each in self._database.list_collections()}
        memories = {each["_id"]: each for each in self._database[MEMORY].find()}
        steps = self._own(set(collections))
        for resource in self._catalog:
            memory = memories.pop(resource.name, {})
            if resource.name in collections:
                steps += self._changed(resource, _stored(self._connection, collections[resource.name], memory))
            else:
                steps += self._created(resource)
        for name, memory in memories.items():
            if memory.get("made") and name in collections:
                steps.append(self._command(f"drop collection {name}", {"drop": name}, destructive=True))
        return steps

    def _own(self, existing: set[str]) -> list[_Step]:
        if existing.issuperset(OWN) and not locks.missing(self._database[locks.COLLECTION]):
            return []

        def run() -> None:
            for name in OWN:
                self._create({"create": name})
            locks.prepare(self._database[locks.COLLECTION])

        statement = "\n".join(_shown({"create": name}) for name in OWN)
        return [_Step(Change("create the collections of locks, sequences, names and schema memory", statement), run)]

    def _created(self, resource: Resource) -> list[_Step]:
        command: BSON = {"create": resource.name, "validator": validator(resource)}

        def run() -> None:
            if self._create(command):
                self._database[MEMORY].update_one({"_id": resource.name}, {"$set": {"made": True}}, upsert=True)

        create = _Step(Change(f"create collection {resource.name}", _shown(command)), run)
        return [create, *(self._index(resource, spec) for spec in index_specs(resource))]

    def _create(self, command: BSON) -> bool:
        try:
            self._database.command(command, codec_options=CODEC)
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:
                raise
            return False
        return True

    def _changed(self, resource: Resource, stored: _Stored) -> list[_Step]:
        _refuse_other_key(resource, stored)
        return [
            *self._filled(resource, stored),
            *self._ruled(resource, stored),
            *self._indexed(resource, stored),
            *self._dropped(resource, stored),
        ]

    def _filled(self, resource: Resource, stored: _Stored) -> list[_Step]:
        """New fields with a default reach the records there are, before they may be required."""
        return [
            _Step(
                Change(
                    f"fill {resource.name}.{field.name} of the records there are",
                    f'db.{resource.name}.updateMany({{"{field.name}": {{"$exists": false}}}}, …)',
                ),
                lambda field=field: backfill(self._connection, self._sequences, resource, field),  # type: ignore[misc]
            )
            for field in resource.fields.values()
            if field.name not in {*stored.properties, *resource.primary_key} and has_backfill(field)
        ]

    def _ruled(self, resource: Resource, stored: _Stored) -> list[_Step]:
        """The validator: first what it allows in addition, then, on demand, what it allows no more."""
        wanted = validator(resource)["$jsonSchema"]
        if stored.rules == wanted:
            return []
        old = stored.properties
        narrowed = [name for name, new in wanted["properties"].items() if name in old and not is_wider(new, old[name])]
        demanded = [
            name for name in wanted["required"] if name in old and name not in (stored.rules or {}).get("required", ())
        ]
        held = {
            **wanted,
            "required": [name for name in wanted["required"] if name not in demanded],
            "properties": {**wanted["properties"], **{name: old[name] for name in narrowed}},
        }
        steps = []
        if held != stored.rules:
            steps.append(self._rule(resource, f"let collection {resource.name} take the declared fields", held))
        if held != wanted:
            names = ", ".join(dict.fromkeys(narrowed + demanded))
            summary = f"narrow what collection {resource.name} takes: {names}"
            steps.append(self._rule(resource, summary, wanted, destructive=True))
        return steps

    def _rule(self, resource: Resource, summary: str, rules: BSON, *, destructive: bool = False) -> _Step:
        step = self._command(
            summary,
            {"collMod": resource.name, "validator": {"$jsonSchema": rules}, "validationLevel": "strict"},
            destructive=destructive,
        )

        def run() -> None:
            self._refuse_misfits(resource, rules)
            step.run()

        return _Step(step.change, run)

    def _refuse_misfits(self, resource: Resource, rules: BSON) -> None:
        """A record that the new rules forbid could be changed by nobody any more."""
        records = self._database[resource.name]
        if records.find_one({"$nor": [{"$jsonSchema": rules}]}, {"_id": 1}) is None:
            return
        for name, rule in rules["properties"].items():
            single: BSON = {"properties": {name: rule}}
            if name in rules["required"]:
                single["required"] = [name]
            if records.find_one({"$nor": [{"$jsonSchema": single}]}, {"_id": 1}) is not None:
                raise SchemaMismatch(
                    f'Records of "{resource.name}" do not fit the declared field "{name}".',
                    hint="Give a new required field a default; for another type, export and import the records.",
                    resource=resource.name,
                    fields=(name,),
                )

    def _indexed(self, resource: Resource, stored: _Stored) -> list[_Step]:
        steps = []
        specs = index_specs(resource)
        for spec in specs:
            if any(spec.equals(existing) for existing in stored.indexes.values()):
                continue
            if spec.name in stored.indexes:
                steps.append(self._drop_index(resource, spec.name, f"drop index {spec.name}, to make it anew"))
            steps.append(self._index(resource, spec))
        made = set(stored.memory.get("indexes", ()))
        for name in sorted(made & set(stored.indexes) - {spec.name for spec in specs}):
            steps.append(self._drop_index(resource, name, f"drop index {name}", destructive=True))
        return steps

    def _index(self, resource: Resource, spec: IndexSpec) -> _Step:
        return self._command(
            f"create {'unique ' if spec.unique else ''}index {spec.name} on {resource.name}",
            {"createIndexes": resource.name, "indexes": [spec.document()]},
        )

    def _drop_index(self, resource: Resource, name: str, summary: str, *, destructive: bool = False) -> _Step:
        return self._command(summary, {"dropIndexes": resource.name, "index": name}, destructive=destructive)

    def _dropped(self, resource: Resource, stored: _Stored) -> list[_Step]:
        """Members that Diglot has written and that the catalog does not have any more."""
        names = [name for name in stored.memory.get("fields", ()) if name not in resource.fields]
        if not stored.memory.get("made"):
            return []
        steps = []
        for name in names:
            update = {"q": {name: {"$exists": True}}, "u": {"$unset": {name: ""}}, "multi": True}
            command = {"update": resource.name, "updates": [update]}
            steps.append(self._command(f"drop field {resource.name}.{name}", command, destructive=True))
        return steps

    def _command(self, summary: str, command: BSON, *, destructive: bool = False) -> _Step:
        def run() -> None:
            try:
                self._database.command(command, codec_options=CODEC)
            except OperationFailure as error:
                if error.code != _INDEX_NOT_FOUND:  # somebody else has dropped it
                    raise

        return _Step(Change(summary, _shown(command), destructive), run)

    def _remember(self, resource: Resource, *, forget: bool) -> None:
        memory = self._database[MEMORY].find_one({"_id": resource.name}) or {}
        fields = list(resource.fields)
        indexes = [spec.name for spec in index_specs(resource)]
        if not forget:
            fields = list(dict.fromkeys([*fields, *memory.get("fields", ())]))
            indexes = list(dict.fromkeys([*indexes, *memory.get("indexes", ())]))
        remembered = {"fields": fields, "indexes": indexes, "primaryKey": list(resource.primary_key)}
        self._database[MEMORY].update_one({"_id": resource.name}, {"$set": remembered}, upsert=True)


def _stored(connection: Connection, collection: BSON, memory: BSON) -> _Stored:
    if collection["type"] != "collection":
        raise SchemaMismatch(f'"{collection["name"]}" is not a collection.', resource=collection["name"])
    rules = collection["options"].get("validator", {}).get("$jsonSchema")
    indexes = {each["name"]: dict(each) for each in connection.collection(collection["name"]).list_indexes()}
    return _Stored(rules, indexes, memory)


def _refuse_other_key(resource: Resource, stored: _Stored) -> None:
    remembered = stored.memory.get("primaryKey", list(resource.primary_key))
    if tuple(remembered) != resource.primary_key:
        raise SchemaMismatch(
            f'The primary key of "{resource.name}" cannot be changed from ({", ".join(remembered)}).',
            hint="Export the records, drop the collection, and import them.",
            resource=resource.name,
        )


def _shown(command: BSON) -> str:
    """The command as one can type it into mongosh."""
    return f"db.runCommand({json_util.dumps(command, json_options=_JSON)})"

"""Relations as `$lookup` stages, by equality that an index can serve. Null matches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from repositories.mongo.documents import BSON, path
from repositories.mongo.paths import not_null
from repositories.query import Relation
from repositories.schema import Field, Resource

_CONNECTED = "~via"
_KEY = "~key"
_Pairs = Sequence[tuple[Field, Field]]


def lookup(owner: Resource, relation: Relation, name: str, pipeline: list[BSON]) -> list[BSON]:
    """The stages that put what the pipeline makes of each record's related records into `name`, as a list.

    Without stages the records come whole, which costs half of what a pipeline does.
    """
    if relation.junction is None:
        return _direct(owner, relation.target, relation.pairs, name, pipeline)
    junction = relation.junction
    key = _whole_key(relation.target, junction.pairs)
    names = key or tuple(target.name for _, target in junction.pairs)
    by_name = {target.name: path(junction.resource, own) for own, target in junction.pairs}
    connecting = [{"$match": {by_name[each]: {"$ne": None}}} for each in names]
    single = len(names) == 1
    value: Any = f"${by_name[names[0]]}" if single else {each: f"${by_name[each]}" for each in names}
    found = [*connecting, {"$project": {"_id": 0, "k": value}}]
    stages = _direct(owner, junction.resource, relation.pairs, _CONNECTED, found)
    if single or key:
        where = path(relation.target, junction.pairs[0][1]) if single else "_id"
        return [*stages, _lookup(relation.target, f"{_CONNECTED}.k", where, name, pipeline)]
    # each record of the target once, whose fields agree with those of one record of the junction
    first = junction.pairs[0][1]
    own = {target.name: f"${path(relation.target, target)}" for _, target in junction.pairs}
    agreeing = {"$match": {"$expr": {"$in": [own, "$$keys"]}}}
    stage = _lookup(
        relation.target, f"{_CONNECTED}.k.{first.name}", path(relation.target, first), name, [agreeing, *pipeline]
    )
    stage["$lookup"]["let"] = {"keys": f"${_CONNECTED}.k"}
    return [*stages, stage]


def _direct(owner: Resource, target: Resource, pairs: _Pairs, name: str, pipeline: list[BSON]) -> list[BSON]:
    key = _whole_key(target, pairs)
    if key and len(key) > 1:
        own = {there.name: f"${path(owner, here)}" for here, there in pairs}
        return [
            {"$set": {_KEY: {each: own[each] for each in key}}},
            _lookup(target, _KEY, "_id", name, pipeline),
        ]
    (here, there), *others = pairs
    conditions: list[BSON] = []
    if not (here.required or there.required):
        conditions.append({path(target, there): {"$ne": None}})
    if others:
        agree = [{"$eq": [f"${path(target, theirs)}", f"$$k{i}"]} for i, (_, theirs) in enumerate(others)]
        present = [not_null(f"$$k{i}") for i in range(len(others))]
        conditions.append({"$expr": {"$and": [*present, *agree]}})
    matched = [{"$match": {"$and": conditions}}] if conditions else []
    stage = _lookup(target, path(owner, here), path(target, there), name, [*matched, *pipeline])
    if others:
        stage["$lookup"]["let"] = {f"k{i}": f"${path(owner, mine)}" for i, (mine, _) in enumerate(others)}
    return [stage]


def _lookup(target: Resource, local: str, foreign: str, name: str, pipeline: list[BSON]) -> BSON:
    stage: BSON = {"from": target.name, "localField": local, "foreignField": foreign, "as": name}
    return {"$lookup": {**stage, "pipeline": pipeline} if pipeline else stage}


def _whole_key(target: Resource, pairs: _Pairs) -> tuple[str, ...]:
    """The target's primary key, if these pairs are with all of its fields: then the index on `_id` can serve."""
    return target.primary_key if {there.name for _, there in pairs} == set(target.primary_key) else ()

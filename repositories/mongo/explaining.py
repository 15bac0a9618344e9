"""What the server says of a command, in the port's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bson.binary import UuidRepresentation
from bson.json_util import DEFAULT_JSON_OPTIONS, JSONMode, dumps

from repositories.base import Explanation
from repositories.mongo.documents import BSON
from repositories.mongo.plans import Find, Pipeline, Plan
from repositories.query import Values

_OPTIONS = DEFAULT_JSON_OPTIONS.with_options(
    json_mode=JSONMode.RELAXED, uuid_representation=UuidRepresentation.STANDARD, tz_aware=False
)
#: What the answer says of the server, of the command, and of plans that it does not use.
_ASIDE = frozenset(
    {"serverInfo", "serverParameters", "command", "$clusterTime", "operationTime", "ok", "rejectedPlans"}
)
#: Stages by the index on `_id` that do not name it.
_BY_KEY = frozenset({"IDHACK", "EXPRESS_CLUSTERED_IXSCAN"})


def command_of(plan: Plan, values: Values) -> BSON:
    """The command that reads the page. One that has no room for a record is not asked for; this tells the same."""
    name = plan.resource.name
    if plan.page.is_empty(values):
        return {"find": name, "filter": {"$alwaysFalse": 1}}
    statement = plan.statement(values)
    if isinstance(statement, Pipeline):
        return {"aggregate": name, "pipeline": statement.stages, "cursor": {}, "allowDiskUse": True}
    return {"find": name, "filter": statement.filter, **_options(statement)}


def _options(find: Find) -> BSON:
    options = {
        "projection": find.projection,
        "sort": find.sort,
        "skip": find.skip,
        "limit": find.limit,
        "singleBatch": find.single,
        "allowDiskUse": bool(find.sort),
    }
    return {name: value for name, value in options.items() if value}


def explanation(command: BSON, answer: BSON, *, verbose: bool) -> Explanation:
    """The explanation of a command, from the server's answer; with `verbose` the plan is the whole answer."""
    aside = frozenset[str]() if verbose else _ASIDE
    plan = {name: value for name, value in answer.items() if name not in aside}
    parts = list(_parts(answer))
    stages = [part["stage"] for part in parts if "stage" in part]
    indexes = {part["indexName"] for part in parts if "indexName" in part and "stage" in part}
    indexes |= {"_id_"} if _BY_KEY.intersection(stages) else set()
    indexes |= {name for part in parts for name in part.get("indexesUsed", ())}
    return Explanation(
        "mongodb",
        dumps(command, json_options=_OPTIONS),
        [],
        json.loads(dumps(plan, json_options=_OPTIONS)),
        tuple(sorted(indexes)),
        tuple(sorted(set(_scans(answer, "")))),
        "SORT" in stages or any("$sort" in part for part in parts),
        *_costs(answer),
    )


def _parts(plan: Any) -> Iterator[BSON]:
    """Every object in the plan, but for what is set aside."""
    if isinstance(plan, dict):
        yield plan
        for name, value in plan.items():
            if name not in _ASIDE and name != "executionStats":
                yield from _parts(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from _parts(value)


def _scans(plan: Any, resource: str) -> Iterator[str]:
    """The collections that are read whole."""
    if isinstance(plan, list):
        for value in plan:
            yield from _scans(value, resource)
    if not isinstance(plan, dict):
        return
    resource = str(plan["namespace"]).partition(".")[2] if "namespace" in plan else resource
    if plan.get("stage") == "COLLSCAN":
        yield resource
    if int(plan.get("collectionScans", 0)) and "$lookup" in plan:
        yield plan["$lookup"]["from"]
    for name, value in plan.items():
        if name not in _ASIDE and name != "executionStats":
            yield from _scans(value, resource)


def _costs(answer: BSON) -> tuple[int | None, int | None, float | None]:
    """The records of the answer, the index entries and records looked at, and the milliseconds, if it was run."""
    if "executionStats" in answer:
        stats = answer["executionStats"]
        return int(stats["nReturned"]), _examined(answer), float(stats["executionTimeMillis"])
    stages = answer.get("stages", [])
    if not stages or "executionStats" not in stages[0].get("$cursor", {}):
        return None, None, None
    last = stages[-1]
    first = stages[0]["$cursor"]["executionStats"]
    rows = int(last.get("nReturned", first["nReturned"]))
    milliseconds = max(float(first["executionTimeMillis"]), float(last.get("executionTimeMillisEstimate", 0)))
    return rows, _examined(answer), milliseconds


def _examined(plan: Any) -> int:
    """Index entries and records, also those of the lookups."""
    if isinstance(plan, list):
        return sum(map(_examined, plan))
    if not isinstance(plan, dict):
        return 0
    own = int(plan.get("totalKeysExamined", 0)) + int(plan.get("totalDocsExamined", 0))
    return own + sum(_examined(value) for name, value in plan.items() if name not in _ASIDE)

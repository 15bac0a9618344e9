"""The paths of the API and their operations: those of `service/resources.py`, one to one (a test compares them)."""

from __future__ import annotations

from typing import Any

from repositories.schema import Resource
from service.negotiation import CSV, JSON, NDJSON, OBJECT, PLAN
from service.openapi import batch, bodies, parameters
from service.openapi.responses import answer, refusals, written
from service.openapi.schemas import Schema

Operation = dict[str, Any]

#: The statuses that any write may be refused with, and those where it has a body, too.
_REFUSED = (409, 413, 422, 428)
_REFUSED_BODY = (*_REFUSED, 411, 415)


def of_service(prefix: str) -> dict[str, Any]:
    """The paths that are about no resource: the entry, and the health of the service."""
    entry: Schema = {
        "type": "object",
        "properties": {
            "message": {"type": "string"},
            "links": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {"href": {"type": "string", "format": "uri-reference"}},
                    "required": ["href"],
                },
            },
        },
        "required": ["message", "links"],
    }
    state: Schema = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
    return {
        prefix or "/": {
            "get": _operation(
                "service",
                "welcome",
                "Links to all resources",
                {"200": answer("The links.", {JSON: entry})} | refusals(),
            )
        },
        f"{prefix}/_batch": batch.operations(_shared("idempotency-key")),
        "/health/live": {
            "get": _operation("service", "live", "Whether the process runs", {"200": answer("It does.", {JSON: state})})
        },
        "/health/ready": {
            "get": _operation(
                "service",
                "ready",
                "Whether the database answers",
                {
                    "200": answer("It does.", {JSON: state}),
                    "503": answer("It does not.", {JSON: state}, "Retry-After"),
                },
            )
        },
    }


def of_resource(prefix: str, resource: Resource, *, plans: bool) -> dict[str, Any]:
    """The paths of a resource: its collection, and one record. With `plans`, reads can be explained."""
    key = ",".join("{" + name + "}" for name in resource.primary_key)
    return {
        f"{prefix}/{resource.name}": _collection(resource, plans),
        f"{prefix}/{resource.name}/{key}": {"parameters": parameters.key_parameters(resource)} | _item(resource, plans),
    }


def _collection(resource: Resource, plans: bool) -> dict[str, Operation]:
    name = resource.name
    filters = [*_own(resource, *(f"filter.{field}" for field in resource.fields)), *_shared(*parameters.LOGIC)]
    selected, ordered, columns, conflict = _own(resource, "select", "order", "columns", "on_conflict")
    writing = _shared("prefer.write", "idempotency-key")
    record = _schema(name)
    many: dict[str, Schema] = {JSON: {"type": "array", "items": record}, OBJECT: record}
    done = {
        "200": written("The records that were written.", many | _streams(), "Content-Range"),
        "204": written("The records were written.", None, "Content-Range"),
    }
    inserted = ("Location", "ETag", "Content-Range")
    new = many | _streams()
    read = [selected, *filters, ordered, *_shared("limit", "offset", "range", "range-unit", "prefer.read")]
    pages = ("Content-Range", "Link", "Preference-Applied")
    return {
        "get": _operation(
            name,
            f"list_{name}",
            f"List {name}",
            {
                "200": answer("A page of records.", many | _streams() | _plans(plans), *pages),
                "206": answer("A page that is known not to be all.", many | _streams(), *pages),
            }
            | refusals(300, 416),
            given=read,
        ),
        "head": _operation(
            name,
            f"head_{name}",
            f"The headers of a list of {name}",
            {"200": answer("A page.", None, *pages), "206": answer("A page that is not all.", None, *pages)}
            | _bodiless(300, 416),
            given=read,
        ),
        "post": _operation(
            name,
            f"create_{name}",
            f"Create {name}: one, or many at once",
            {
                "200": written("The records, all of which were there already and have been merged.", new, *inserted),
                "201": written("The new records, and those that were merged.", new, *inserted),
            }
            | refusals(300, *_REFUSED_BODY),
            given=[selected, columns, conflict, *_shared("prefer.insert", "idempotency-key")],
            body=bodies.of_insert(_schema(f"{name}.new")),
        ),
        "patch": _operation(
            name,
            f"update_{name}",
            f"Change the {name} that meet the filters",
            done | refusals(300, *_REFUSED_BODY),
            given=[selected, *filters, ordered, columns, *writing],
            body=bodies.of_change(_schema(f"{name}.changes"), _schema(f"{name}.merge")),
        ),
        "delete": _operation(
            name,
            f"delete_{name}",
            f"Delete the {name} that meet the filters",
            done | refusals(300, *_REFUSED),
            given=[selected, *filters, ordered, *writing],
        ),
        "options": _options(name, f"options_{name}"),
    }


def _item(resource: Resource, plans: bool) -> dict[str, Operation]:
    name = resource.name
    (selected,) = _own(resource, "select")
    record = _schema(name)
    one: dict[str, Schema] = {JSON: record, OBJECT: record}
    writing = [selected, *_shared("if-match", "if-none-match.write", "prefer.item", "idempotency-key")]
    done = {
        "200": written("The record.", one | _streams(), "ETag"),
        "204": written("The record was written.", None, "ETag"),
    }
    created = {"201": written("The new record.", one | _streams(), "Location", "ETag")}
    reading = [selected, *_shared("if-none-match")]
    return {
        "get": _operation(
            name,
            f"get_{name}",
            f"One record of {name}",
            {
                "200": answer("The record.", one | _streams() | _plans(plans), "ETag"),
                "304": answer("The client has it already.", None, "ETag"),
            }
            | refusals(300),
            given=reading,
        ),
        "head": _operation(
            name,
            f"check_{name}",
            f"The headers of one record of {name}",
            {"200": answer("It is there.", None, "ETag"), "304": answer("The client has it already.", None, "ETag")}
            | _bodiless(300),
            given=reading,
        ),
        "put": _operation(
            name,
            f"replace_{name}",
            f"Write one record of {name} in full",
            done | created | refusals(300, 412, *_REFUSED_BODY),
            given=writing,
            body=bodies.of_json(_schema(f"{name}.replacement")),
        ),
        "patch": _operation(
            name,
            f"change_{name}",
            f"Change one record of {name}",
            done | refusals(300, 412, *_REFUSED_BODY),
            given=writing,
            body=bodies.of_change(_schema(f"{name}.changes"), _schema(f"{name}.merge")),
        ),
        "delete": _operation(
            name,
            f"remove_{name}",
            f"Delete one record of {name}",
            done | refusals(300, 412, *_REFUSED),
            given=writing,
        ),
        "options": _options(name, f"methods_{name}"),
    }


def _operation(
    tag: str,
    identifier: str,
    summary: str,
    answers: dict[str, Any],
    *,
    given: list[Any] | None = None,
    body: bodies.Body | None = None,
) -> Operation:
    operation: Operation = {"tags": [tag], "operationId": identifier, "summary": summary}
    if given:
        operation["parameters"] = given
    if body is not None:
        operation["requestBody"] = body
    return operation | {"responses": dict(sorted(answers.items()))}


def _options(tag: str, identifier: str) -> Operation:
    return _operation(tag, identifier, "The methods of this path", {"200": answer("They are.", None, "Allow")})


def _streams() -> dict[str, Schema]:
    return {
        CSV: {"type": "string", "description": "A line of names, then a line for each record (RFC 4180)."},
        NDJSON: {"type": "string", "description": "A JSON object on each line, one for each record."},
    }


def _plans(enabled: bool) -> dict[str, Schema]:
    return {PLAN: _schema("plan")} if enabled else {}


def _bodiless(*statuses: int) -> dict[str, Any]:
    """The errors of a HEAD: those of the GET, without their bodies."""
    return {status: answer("As for GET.") for status in refusals(*statuses)}


def _schema(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _own(resource: Resource, *names: str) -> list[Schema]:
    return [{"$ref": f"#/components/parameters/{resource.name}.{name}"} for name in names]


def _shared(*names: str) -> list[Schema]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]

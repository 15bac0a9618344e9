"""The REST API's controllers of writes: a request is parsed, planned, carried out, and answered; nothing else."""

from __future__ import annotations

from flask import Blueprint, Response, request

from repositories.base import Document
from repositories.errors import ConstraintError
from service import conditions
from service.body import CHANGES, RECORDS, Body, BodyType, read_body
from service.bulk import records_of
from service.execution import Affected, carry_out
from service.idempotency import once
from service.keys import parse_key
from service.negotiation import WRITES, Form
from service.planner import inserts, writes
from service.planner.answers import WritePlan
from service.planner.inserts import Records
from service.representation import changes
from service.representation.streams import encoder
from service.requests import Api, Asked, asked


def add_routes(routes: Blueprint, api: Api) -> None:
    """Let the blueprint answer writes."""

    @routes.post("/<name>", strict_slashes=False)
    @once(api)
    def insert_records(name: str) -> Response:
        query = asked(api, name, WRITES)
        conditions.refuse_tags()
        preferences = query.preferences
        if api.conditions and preferences.resolution == "merge-duplicates":
            raise conditions.unconditional()
        records = records_of(read_body(request, RECORDS))
        plan = inserts.plan_insert(
            query.subject,
            records,
            resolution=preferences.resolution,
            defaults=preferences.missing != "null",
            wanted=_representation(query) or preferences.returning == "headers-only",
        )
        document = _inserted(query, plan, records)
        return changes.inserted(query.resource, document, query.media, preferences, full=_representation(query))

    @routes.patch("/<name>", strict_slashes=False)
    @once(api)
    def update_records(name: str) -> Response:
        query = _collection(api, name)
        body = read_body(request, CHANGES)
        wanted = _representation(query)
        plan = writes.plan_update(query.subject, body.json(), merge=_merges(body), wanted=wanted)
        return _written(query, plan, full=wanted)

    @routes.delete("/<name>", strict_slashes=False)
    @once(api)
    def delete_records(name: str) -> Response:
        query = _collection(api, name)
        wanted = query.preferences.returning == "representation"
        plan = writes.plan_delete(query.subject, wanted=wanted)
        return _written(query, plan, full=wanted)

    @routes.put("/<name>/<key:key>")
    @once(api)
    def replace_item(name: str, key: str) -> Response:
        query, parts, tags = _one(api, name, key)
        plan = writes.plan_replace(query.subject, parts, read_body(request).json(), tags=tags, wanted=True)
        return _written_item(query, plan)

    @routes.patch("/<name>/<key:key>")
    @once(api)
    def update_item(name: str, key: str) -> Response:
        query, parts, tags = _one(api, name, key)
        body = read_body(request, CHANGES)
        plan = writes.plan_item_update(query.subject, parts, body.json(), merge=_merges(body), tags=tags, wanted=True)
        return _written_item(query, plan)

    @routes.delete("/<name>/<key:key>")
    @once(api)
    def delete_item(name: str, key: str) -> Response:
        query, parts, tags = _one(api, name, key)
        wanted = query.preferences.returning == "representation"
        plan = writes.plan_item_delete(query.subject, parts, tags=tags, wanted=wanted)
        return _written_item(query, plan)


def _collection(api: Api, name: str) -> Asked:
    query = asked(api, name, WRITES)
    conditions.refuse_tags()
    if api.conditions:
        raise conditions.unconditional()
    return query


def _one(api: Api, name: str, key: str) -> tuple[Asked, tuple[str, ...], writes.Tags | None]:
    query = asked(api, name, WRITES)
    return query, parse_key(key, len(query.resource.key)), conditions.item_tags(required=api.conditions)


def _merges(body: Body) -> bool:
    return body.type is BodyType.MERGE_PATCH


def _carried_out(query: Asked, plan: WritePlan, *, item: bool = False) -> Document:
    """Do what is planned; of an item, it is the answer that finds out whether it is there."""
    media = query.media
    affected = Affected(query.preferences.max_affected, not item and media.form is Form.OBJECT)
    return carry_out(query.api.repository, plan, affected, encoder(media, guard=query.api.csv_guard))


def _written(query: Asked, plan: WritePlan, *, full: bool) -> Response:
    return changes.written(_carried_out(query, plan), query.media, query.preferences, full=full)


def _written_item(query: Asked, plan: WritePlan) -> Response:
    document = _carried_out(query, plan, item=True)
    return changes.written_item(query.resource, document, query.media, query.preferences, full=_representation(query))


def _inserted(query: Asked, plan: WritePlan, records: Records) -> Document:
    """Insert; an error names the row only where there can be several."""
    try:
        return _carried_out(query, plan)
    except ConstraintError as error:
        if not records.many:
            error.row = None
        raise


def _representation(query: Asked) -> bool:
    """Whether the answer is to have the records."""
    wanted = query.preferences.returning
    return query.api.returning if wanted is None else wanted == "representation"

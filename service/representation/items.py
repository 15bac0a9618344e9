"""One record, named by its path → an answer in the form that was asked for."""

from __future__ import annotations

from flask import Response, request

from repositories.base import Document, Rows, representation_tag
from repositories.query import Selection
from repositories.schema import Resource
from service.dialect.prefer import parse_tags
from service.errors import RequestError
from service.negotiation import Form, Media
from service.representation.csv import CsvEncoder
from service.representation.responses import entity_tag, respond, without_nulls


def item(resource: Resource, document: Document, media: Media) -> Response:
    """One record as JSON: 200, 304 where the client has it already, 404 where there is none."""
    if document.count == 0:
        raise not_found(resource)
    body = document.body if media.form is Form.ARRAY else document.body[1:-1]
    if media.stripped:
        body = without_nulls(body)
    return _item(body + b"\n" if media.form is Form.LINES else body, media)


def csv_item(resource: Resource, selection: Selection, rows: Rows, media: Media, *, guard: bool) -> Response:
    """One record as CSV, in the same way."""
    if not rows.rows:
        raise not_found(resource)
    encode = CsvEncoder(selection, guard=guard)
    return _item(encode.header + encode(rows.rows), media)


def _item(body: bytes, media: Media) -> Response:
    """The representation, with a tag of its own: each media type has other bytes."""
    tag = representation_tag(body)
    known = request.environ.get("HTTP_IF_NONE_MATCH")
    if known is not None and ((tags := parse_tags(known, weak=True)) is None or tag in tags):
        return respond(b"", 304, media, [entity_tag(tag)])
    return respond(body, 200, media, [entity_tag(tag)])


def not_found(resource: Resource) -> RequestError:
    """404: no record has this key."""
    return RequestError(
        404, "PGRST116", f'"{resource.name}" has no record with this key.', "The result contains 0 rows", by_data=True
    )

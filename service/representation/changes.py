"""What a write has done → an answer, with the written records or without."""

from __future__ import annotations

from flask import Response, request

from repositories.base import Document, representation_tag
from repositories.schema import Resource, Value
from service.dialect.prefer import Preferences
from service.keys import format_key
from service.negotiation import STREAMS, Form, Media
from service.representation.items import not_found
from service.representation.pages import single
from service.representation.responses import entity_tag, preferred, respond, without_nulls


def inserted(resource: Resource, document: Document, media: Media, preferences: Preferences, *, full: bool) -> Response:
    """New records: 201, with `Location` (and a tag) if there is one, and the records unless that is not wanted.

    200 where all of them were merged into records that were there already.
    """
    merged = preferences.resolution == "merge-duplicates" and not document.created
    headers = [("Content-Range", f"*/{document.count if preferences.count else '*'}")]
    if document.key is not None:
        headers.append(("Location", _location(resource, document.key)))
        if document.body and media.form not in STREAMS:
            headers.append(entity_tag(representation_tag(document.body[1:-1])))
    headers += preferred(preferences, "return", "count", "resolution", "missing", "max-affected")
    body = _records(document, media) if full else b""
    return respond(body, 200 if merged and document.count else 201, media, headers)


def written_item(
    resource: Resource, document: Document, media: Media, preferences: Preferences, *, full: bool
) -> Response:
    """One record after a write, under its path: 201 where it is new, 200 with the record, 204 without, 404.

    The record's tag comes with it also where the record itself is not wanted (`full`).
    """
    if document.count == 0:
        raise not_found(resource)
    record = b"" if media.form in STREAMS else document.body[1:-1]
    body = _item(document.body, record, media) if full else b""
    headers = [*preferred(preferences, "return", "max-affected")]
    if document.created and document.key is not None:
        headers.append(("Location", _location(resource, document.key)))
    if record:
        headers.append(entity_tag(representation_tag(record)))
    return respond(body, 201 if document.created else 200 if body else 204, media, headers)


def _item(body: bytes, record: bytes, media: Media) -> bytes:
    if media.form in STREAMS:
        return body
    form = body if media.form is Form.ARRAY else record
    return without_nulls(form) if media.stripped else form


def _location(resource: Resource, key: tuple[Value, ...]) -> str:
    """The path of the record with this key, under the collection's, however the request has spelt it."""
    collection = request.path.removesuffix((request.view_args or {}).get("key", "")).rstrip("/")
    return f"{collection}/{format_key(resource, key)}"


def written(document: Document, media: Media, preferences: Preferences, *, full: bool) -> Response:
    """What a write to a collection has changed: 200 with the records, or 204."""
    span = f"0-{document.count - 1}" if document.count else "*"
    place = "Content-Range", f"{span}/{document.count if preferences.count else '*'}"
    headers = [place, *preferred(preferences, "return", "count", "max-affected")]
    return respond(_records(document, media), 200 if full else 204, media, headers)


def _records(document: Document, media: Media) -> bytes:
    """The records as they were asked for. Raises 406 PGRST116; that there are several was refused before the write."""
    if media.form in STREAMS:
        return document.body
    body = single(document) if media.form is Form.OBJECT else document.body
    return without_nulls(body) if media.stripped else body

"""Pages and records → responses: status, headers, bytes. The views of the REST API."""

from __future__ import annotations

from flask import Response, request

from repositories.base import Document, representation_tag
from repositories.schema import Resource, Value
from service.dialect.prefer import Preferences, parse_tags
from service.errors import RequestError
from service.keys import format_key

JSON = "application/json; charset=utf-8"


def page(document: Document, offset: int, preferences: Preferences) -> Response:
    """A page of a collection: 200, or 206 where it is known not to be all of it; 416 where it begins past the end."""
    total, count = document.total, document.count
    if total is not None and offset > total:
        raise RequestError(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            f"An offset of {offset} was requested, but there are only {total} rows.",
            headers={"Content-Range": f"*/{total}"},
        )
    status = 206 if total is not None and count < total else 200
    response = _response(document.body, status)
    span = f"{offset}-{offset + count - 1}" if count else "*"
    response.headers["Content-Range"] = f"{span}/{'*' if total is None else total}"
    return _preferred(response, preferences, "count")


def item(resource: Resource, document: Document) -> Response:
    """One record with its entity tag: 200, 304 where the client has it already, 404 where there is none."""
    body = record(resource, document)
    tag = representation_tag(body)
    known = request.headers.get("If-None-Match")
    if known is not None and ((tags := parse_tags(known, weak=True)) is None or tag in tags):
        return _tagged(_response(b"", 304), tag)
    return _tagged(_response(body, 200), tag)


def record(resource: Resource, document: Document) -> bytes:
    """The JSON object of a document of one record. Raises 404 where there is none."""
    if document.count == 0:
        raise not_found(resource)
    return document.body[1:-1]


def not_found(resource: Resource) -> RequestError:
    """404: no record has this key."""
    return RequestError(
        404, "PGRST116", f'"{resource.name}" has no record with this key.', "The result contains 0 rows"
    )


def inserted(resource: Resource, document: Document, preferences: Preferences) -> Response:
    """New records: 201, with `Location` (and a tag) if there is one, and the records unless that is not wanted."""
    response = _response(document.body, 201)
    if document.key is not None:
        response.headers["Location"] = _location(resource, document.key)
        if document.body:
            _tagged(response, representation_tag(document.body[1:-1]))
    return _preferred(response, preferences, "return")


def written_item(resource: Resource, document: Document, preferences: Preferences) -> Response:
    """One record after a write, under its path: 201 where it is new, 200 with the record, 204 without, 404."""
    if document.count == 0:
        raise not_found(resource)
    status = 201 if document.created else 200 if document.body else 204
    body = document.body[1:-1]
    response = _response(body, status)
    if document.created and document.key is not None:
        response.headers["Location"] = _location(resource, document.key)
    if body:
        _tagged(response, representation_tag(body))
    return _preferred(response, preferences, "return")


def written(document: Document, preferences: Preferences) -> Response:
    """What a write to a collection has changed: 200 with the records, or 204."""
    response = _response(document.body, 200 if document.body else 204)
    span = f"0-{document.count - 1}" if document.count else "*"
    response.headers["Content-Range"] = f"{span}/{document.count if preferences.count else '*'}"
    return _preferred(response, preferences, "return", "count")


def _location(resource: Resource, key: tuple[Value, ...]) -> str:
    """The path of the record with this key, under the collection's, however the request has spelt it."""
    collection = request.path.removesuffix((request.view_args or {}).get("key", "")).rstrip("/")
    return f"{collection}/{format_key(resource, key)}"


def _response(body: bytes, status: int) -> Response:
    response = Response(body, status, content_type=JSON)
    if not body:
        del response.headers["Content-Type"]
    return response


def _tagged(response: Response, tag: str) -> Response:
    response.headers["ETag"] = f'"{tag}"'
    return response


def _preferred(response: Response, preferences: Preferences, *names: str) -> Response:
    applied = preferences.applied(*names)
    if applied:
        response.headers["Preference-Applied"] = applied
    return response

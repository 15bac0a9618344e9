"""What the answers of all views have in common: media type, entity tag, preferences, links to other pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from flask import Response, request

from service.dialect.prefer import Preferences
from service.dialect.query_string import decode
from service.negotiation import Media

_PAGE = frozenset({"limit", "offset"})
#: Characters that a path may have as they are, and a query, where the percent sign belongs to what is encoded already.
_PATH = "!$&'()*+,-./:;=@_~"
_QUERY = _PATH + "%?[]"
_UNSAFE = {safe: re.compile(f"[^{re.escape(safe)}0-9A-Za-z]") for safe in (_PATH, _QUERY)}

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_NULL = _STRING + rb":\s?null"
#: The members to leave out, together with one comma each, and whatever they must not be looked for in.
_NULLS = re.compile(
    rb"(\{)(?:" + _NULL + rb"(?:,\s?|(?=\})))+|,\s?" + _NULL + rb"(?=[,}])|(" + _STRING + rb")", re.DOTALL
)


def respond(body: bytes, status: int, media: Media) -> Response:
    """A response with a body of the media type, or with none."""
    response = Response(body, status, content_type=media.content_type)
    response.headers["Vary"] = "Accept"
    if not body:
        del response.headers["Content-Type"]
    return response


def respond_streaming(body: Iterator[bytes], status: int, media: Media) -> Response:
    """A response with a body of unknown length; the iterator is closed with it."""
    return Response(body, status, content_type=media.content_type, headers={"Vary": "Accept"})


def tagged(response: Response, tag: str) -> Response:
    """The response with an entity tag."""
    response.headers["ETag"] = f'"{tag}"'
    return response


def preferred(response: Response, preferences: Preferences, *names: str) -> Response:
    """The response, which tells which of the named preferences it has followed."""
    applied = preferences.applied(*names)
    if applied:
        response.headers["Preference-Applied"] = applied
    return response


def links(offset: int, limit: int, count: int, total: int | None) -> str:
    """The `Link` header (RFC 8288) of a page: the first, the previous and the next one, as far as there are any.

    Where the total is not known, a full page may have a next one.
    """
    more = count > 0 and (offset + count < total if total is not None else count >= limit)
    if not more and not offset:
        return ""
    targets = [("first", 0)]
    if offset:
        targets.append(("prev", max(offset - limit, 0)))
    if more:
        targets.append(("next", offset + count))
    base = f"{_quoted(request.environ['PATH_INFO'], _PATH)}?{_without_page(request.environ['QUERY_STRING'])}"
    return ", ".join(f'<{base}limit={limit}&offset={start}>; rel="{name}"' for name, start in targets)


def _without_page(query: str) -> str:
    """The query string's other parameters, as they were sent, each with an ampersand after it."""
    kept = [part for part in query.split("&") if part and _name(part) not in _PAGE]
    return _quoted("&".join(kept), _QUERY) + "&" if kept else ""


def _name(part: str) -> str:
    name = part.partition("=")[0]
    return decode(name, plus=True) if "%" in name else name


def _quoted(text: str, safe: str) -> str:
    """The text of a WSGI variable, which holds each byte as one character, fit for a URL."""
    return quote(text.encode("latin-1"), safe=safe) if _UNSAFE[safe].search(text) else text


def without_nulls(body: bytes) -> bytes:
    """JSON without the members of objects that are null, at every level; all else as it is, to the byte."""
    return _NULLS.sub(rb"\1\2", body) if b"null" in body else body

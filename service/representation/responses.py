"""What the answers of all views have in common: media type, entity tag, preferences, links to other pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from flask import Response, request
from werkzeug.datastructures import Headers

from service.dialect.prefer import Preferences
from service.dialect.query_string import decode
from service.negotiation import Media

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: The statuses of answers without a body, not even an empty one.
_WITHOUT_LENGTH = frozenset({204, 304})
_PAGE = frozenset({"limit", "offset"})
#: Characters that a path may have as they are, and a query, where the percent sign belongs to what is encoded already.
_PATH = "!$&'()*+,-./:;=@_~"
_QUERY = _PATH + "%?[]"
_UNSAFE = {safe: re.compile(f"[^{re.escape(safe)}0-9A-Za-z]") for safe in (_PATH, _QUERY)}
_SENDABLE = re.compile(r"[0-9A-Za-z/_~.-]*")

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_NULL = _STRING + rb":\s?null"
#: The members to leave out, together with one comma each, and whatever they must not be looked for in.
_NULLS = re.compile(
    rb"(\{)(?:" + _NULL + rb"(?:,\s?|(?=\})))+|,\s?" + _NULL + rb"(?=[,}])|(" + _STRING + rb")", re.DOTALL
)


class Answer(Response):
    """A response whose headers are all known when it is made: they are sent as they are, and so is its body."""

    automatically_set_content_length = False
    default_mimetype = None

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers as they are, but for a `Location` that must be made fit to be sent."""
        if self.status_code == 201 and not _SENDABLE.fullmatch(self.headers.get("Location", "")):
            return super().get_wsgi_headers(environ)
        return self.headers

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """The body, but for a request that wants none."""
        return () if environ["REQUEST_METHOD"] == "HEAD" else cast("list[bytes]", self.response)


def respond(body: bytes, status: int, media: Media, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """A response with a body of the media type, or with none."""
    own = [("Vary", "Accept")]
    if body:
        own.append(("Content-Type", media.content_type))
    if status not in _WITHOUT_LENGTH:
        own.append(("Content-Length", str(len(body))))
    answer = Answer(None, status, [*own, *headers])
    answer.response = [body]
    return answer


def respond_streaming(body: Iterator[bytes], status: int, media: Media, headers: Iterable[tuple[str, str]]) -> Response:
    """A response with a body of unknown length; the iterator is closed with it."""
    return Response(body, status, [("Vary", "Accept"), *headers], content_type=media.content_type)


def entity_tag(tag: str) -> tuple[str, str]:
    """The header with an entity tag."""
    return "ETag", f'"{tag}"'


def preferred(preferences: Preferences, *names: str) -> Iterator[tuple[str, str]]:
    """The header that tells which of the named preferences were followed, if any was."""
    if applied := preferences.applied(*names):
        yield "Preference-Applied", applied


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
    environ = request.environ
    base = f"{_quoted(environ['PATH_INFO'], _PATH)}?{_without_page(environ['QUERY_STRING'])}"
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

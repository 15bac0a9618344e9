"""A page of a collection → an answer in the form that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

from flask import Response, request

from repositories.base import Document
from service.connections import Connection
from service.dialect.prefer import Preferences
from service.errors import RequestError, not_single
from service.negotiation import Form, Media
from service.planner.reads import PagePlan
from service.representation.responses import links, preferred, respond, respond_streaming, without_nulls
from service.representation.streams import Piece, Stream


def page(document: Document, plan: PagePlan, media: Media, preferences: Preferences) -> Response:
    """A page of JSON: 200, or 206 where it is known not to be all; 416 where it begins past the end; 406."""
    _refuse_past_the_end(plan, document.total)
    body = single(document) if media.form is Form.OBJECT else document.body
    headers = _place(plan, document.count, document.total, preferences)
    status = _status(document.count, document.total)
    return respond(without_nulls(body) if media.stripped else body, status, media, headers)


def streamed(
    pieces: AbstractContextManager[Iterator[Piece]],
    plan: PagePlan,
    total: int | None,
    media: Media,
    preferences: Preferences,
) -> Response:
    """A page of CSV or NDJSON: as a whole if it is short, else sent while it is read.

    Then its length is unknown, and so is its last record unless there is a total, which is that of a moment ago.
    """
    _refuse_past_the_end(plan, total)
    stream = Stream(pieces)
    count = stream.count
    if count is not None:
        stream.close()
        return respond(stream.body(), _status(count, total), media, _place(plan, count, total, preferences))
    if total is not None:
        count = min(plan.limit, total - plan.offset)
    response = respond_streaming(stream, _status(count, total), media, _place(plan, count, total, preferences))
    stream.connection = Connection(request.environ, len(str(response.headers)))
    return response


def single(document: Document) -> bytes:
    """The only record of a document. Raises 406 PGRST116 where there are none, or several."""
    if document.count != 1:
        raise not_single(document.count)
    return document.body[1:-1]


def _refuse_past_the_end(plan: PagePlan, total: int | None) -> None:
    if total is not None and plan.offset > total:
        raise RequestError(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            f"An offset of {plan.offset} was requested, but there are only {total} rows.",
            headers={"Content-Range": f"*/{total}"},
        )


def _status(count: int | None, total: int | None) -> int:
    return 206 if total is not None and count is not None and count < total else 200


def _place(plan: PagePlan, count: int | None, total: int | None, preferences: Preferences) -> Iterator[tuple[str, str]]:
    """The headers that tell where in the collection the page lies, as far as that is known."""
    yield "Range-Unit", "items"
    if count is not None:
        span = f"{plan.offset}-{plan.offset + count - 1}" if count else "*"
        yield "Content-Range", f"{span}/{'*' if total is None else total}"
        if link := links(plan.offset, plan.limit, count, total):
            yield "Link", link
    yield from preferred(preferences, "count")

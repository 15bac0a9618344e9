"""The REST API's controllers of reads: a request is parsed, planned, asked of the store, and answered; nothing else."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, current_app, jsonify, request

from repositories.query import Read
from service import batches, changes
from service.advice.shapes import CountingPlans
from service.dialect.ranges import parse_range
from service.execution import executor
from service.keys import parse_key
from service.negotiation import LINKS, STREAMS, Form, negotiate
from service.planner.kept import Plans, Wanted
from service.planner.reads import PagePlan
from service.planner.scope import resource_named
from service.representation import items, pages
from service.representation import plans as shown
from service.representation.streams import csv_pieces, line_pieces
from service.requests import Api, Heard, check_url, heard, query_string


def blueprint(api: Api) -> Blueprint:
    """The routes of the API."""
    routes = Blueprint("resources", __name__, url_prefix=api.prefix)
    if api.shapes is None:
        plans = Plans(api.relations, api.limits)
    else:
        plans = CountingPlans(api.relations, api.limits, api.shapes)

    @routes.before_request
    def check_request() -> None:
        check_url(api.max_url)

    @routes.get("/", strict_slashes=False)
    def welcome() -> Response:
        negotiate(request.headers.get("Accept"), LINKS)
        links = {resource.name: {"href": f"{api.prefix}/{resource.name}"} for resource in api.catalog}
        return jsonify(message="Welcome to the API!", links=links)

    @routes.route("/<name>", methods=["OPTIONS"], strict_slashes=False)
    @routes.route("/<name>/<key:_key>", methods=["OPTIONS"])
    def tell_methods(name: str, _key: str = "") -> Response:
        resource_named(api.catalog, name)
        return current_app.make_default_options_response()

    @routes.get("/<name>", strict_slashes=False)
    def list_records(name: str) -> Response:
        query = heard(api, name, api.reads)
        streams = query.media.form in STREAMS
        environ = request.environ
        wanted = Wanted(
            count=query.preferences.count is not None,
            ranges=parse_range(environ.get("HTTP_RANGE"), environ.get("HTTP_RANGE_UNIT")),
            largest=api.max_stream_rows if streams else api.limits.max_rows,
        )
        plan = plans.page(query.resource, query_string(), wanted)
        return _streamed(api, plan, query) if streams else _page(api, plan, query)

    @routes.get("/<name>/<key:key>")
    def get_item(name: str, key: str) -> Response:
        query = heard(api, name, api.reads)
        parts = parse_key(key, len(query.resource.key))
        return _item(api, plans.item(query.resource, parts, query_string()), query)

    changes.add_routes(routes, api)
    batches.add_route(routes, api)
    return routes


def _page(api: Api, plan: PagePlan, query: Heard) -> Response:
    media = query.media
    if media.form is Form.PLAN:
        return shown.plan(api.repository.explain(plan.read, analyze=media.analyze, verbose=media.verbose), media)
    return pages.page(executor(api.repository).json(plan.read), plan, media, query.preferences)


def _streamed(api: Api, plan: PagePlan, query: Heard) -> Response:
    """The store counts in a statement of its own, for a stream does not know its end."""
    total = _total(api, plan.read) if plan.read.count else None
    if query.media.form is Form.CSV:
        pieces = csv_pieces(api.repository, plan.read, guard=api.csv_guard)
    else:
        pieces = line_pieces(api.repository, plan.read, stripped=query.media.stripped)
    return pages.streamed(pieces, plan, total, query.media, query.preferences)


def _total(api: Api, read: Read) -> int | None:
    limit = read.selection.limit
    assert limit is not None
    values = (*read.values[: limit.index], 0, *read.values[limit.index + 1 :])
    return api.repository.rows(replace(read, values=values)).total


def _item(api: Api, read: Read, query: Heard) -> Response:
    media = query.media
    if media.form is Form.PLAN:
        return shown.plan(api.repository.explain(read, analyze=media.analyze, verbose=media.verbose), media)
    if media.form is Form.CSV:
        rows = executor(api.repository).rows(read)
        return items.csv_item(query.resource, read.selection, rows, media, guard=api.csv_guard)
    return items.item(query.resource, executor(api.repository).json(read), media)

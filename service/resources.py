"""The REST API's controllers: a request is parsed, planned, asked of the store, and answered; nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Blueprint, Response, current_app, jsonify, request

from repositories.base import Document, Repository
from repositories.errors import ConstraintError
from repositories.query import Delete, Expectation, Insert, Read, Update
from repositories.schema import Catalog, Resource
from service.body import read_json
from service.dialect.params import Params
from service.dialect.prefer import Preferences, parse_prefer, parse_tags
from service.dialect.query_string import parse
from service.dialect.ranges import parse_range
from service.errors import RequestError, bad_syntax
from service.keys import parse_key
from service.negotiation import LINKS, READS, READS_AND_PLANS, WRITES, Form, Media, negotiate
from service.planner import writes
from service.planner.kept import Plans, Wanted
from service.planner.reads import PagePlan
from service.planner.relations import Relations
from service.planner.scope import PlanLimits, resource_named
from service.planner.singular import names_one
from service.representation import changes, items, pages
from service.representation import plans as shown
from service.representation.streams import STREAMS, csv_pieces, line_pieces

#: What the headers of a request may hold together, in characters.
MAX_HEADERS = 32_768


@dataclass(frozen=True, slots=True)
class Api:
    """What the controllers work with; `returning` is the answer to writes that state no preference."""

    repository: Repository
    catalog: Catalog
    limits: PlanLimits
    prefix: str
    max_url: int
    returning: bool = True
    max_stream_rows: int = 100_000_000
    csv_guard: bool = True
    plans: bool = False

    @property
    def reads(self) -> frozenset[Form]:
        """The forms that reads can be answered in."""
        return READS_AND_PLANS if self.plans else READS


@dataclass(frozen=True, slots=True)
class _Heard:
    """What every request says, whatever its method, beside its query string."""

    resource: Resource
    preferences: Preferences
    media: Media


@dataclass(frozen=True, slots=True)
class _Asked(_Heard):
    """What every write says."""

    params: Params


def blueprint(api: Api) -> Blueprint:
    """The routes of the API."""
    routes = Blueprint("resources", __name__, url_prefix=api.prefix)
    repository, limits = api.repository, api.limits
    plans = Plans(Relations(api.catalog), limits)

    @routes.before_request
    def check_request() -> None:
        _check_url(api.max_url)

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
        asked = _heard(api, name, api.reads)
        streams = asked.media.form in STREAMS
        environ = request.environ
        wanted = Wanted(
            count=asked.preferences.count is not None,
            ranges=parse_range(environ.get("HTTP_RANGE"), environ.get("HTTP_RANGE_UNIT")),
            largest=api.max_stream_rows if streams else limits.max_rows,
        )
        plan = plans.page(asked.resource, _unicode(environ["QUERY_STRING"]), wanted)
        return _streamed(api, plan, asked) if streams else _page(api, plan, asked)

    @routes.post("/<name>", strict_slashes=False)
    def insert_records(name: str) -> Response:
        asked = _asked(api, name, WRITES)
        _refuse_conditions()
        body = read_json(request)
        write = writes.plan_insert(asked.resource, asked.params, body, limits, returning=_returning(api, asked))
        _refuse_unless_single(asked, write)
        return changes.inserted(asked.resource, _inserted(api, write, body), asked.media, asked.preferences)

    @routes.patch("/<name>", strict_slashes=False)
    def update_records(name: str) -> Response:
        asked = _asked(api, name, WRITES)
        _refuse_conditions()
        body, returning = read_json(request), _returning(api, asked)
        write = writes.plan_update(asked.resource, asked.params, body, limits, returning=returning)
        _refuse_unless_single(asked, write)
        return changes.written(repository.write(write), asked.media, asked.preferences)

    @routes.delete("/<name>", strict_slashes=False)
    def delete_records(name: str) -> Response:
        asked = _asked(api, name, WRITES)
        _refuse_conditions()
        returning = asked.preferences.returning == "representation"
        write = writes.plan_delete(asked.resource, asked.params, limits, returning=returning)
        _refuse_unless_single(asked, write)
        return changes.written(repository.write(write), asked.media, asked.preferences)

    _add_items(routes, api, plans)
    return routes


def _add_items(routes: Blueprint, api: Api, plans: Plans) -> None:
    """The routes of single records."""
    repository, limits = api.repository, api.limits

    @routes.get("/<name>/<key:key>")
    def get_item(name: str, key: str) -> Response:
        asked = _heard(api, name, api.reads)
        parts = parse_key(key, len(asked.resource.key))
        return _item(api, plans.item(asked.resource, parts, _unicode(request.environ["QUERY_STRING"])), asked)

    @routes.put("/<name>/<key:key>")
    def replace_item(name: str, key: str) -> Response:
        asked = _asked(api, name, WRITES)
        expect, returning = _expected(api, asked), _returning(api, asked)
        parts = parse_key(key, len(asked.resource.key))
        write = writes.plan_replace(
            asked.resource, parts, asked.params, read_json(request), limits, expect=expect, returning=returning
        )
        return changes.written_item(asked.resource, repository.write(write), asked.media, asked.preferences)

    @routes.patch("/<name>/<key:key>")
    def update_item(name: str, key: str) -> Response:
        asked = _asked(api, name, WRITES)
        expect, returning = _expected(api, asked), _returning(api, asked)
        parts = parse_key(key, len(asked.resource.key))
        write = writes.plan_item_update(
            asked.resource, parts, asked.params, read_json(request), limits, expect=expect, returning=returning
        )
        return changes.written_item(asked.resource, repository.write(write), asked.media, asked.preferences)

    @routes.delete("/<name>/<key:key>")
    def delete_item(name: str, key: str) -> Response:
        asked = _asked(api, name, WRITES)
        expect, returning = _expected(api, asked), asked.preferences.returning == "representation"
        parts = parse_key(key, len(asked.resource.key))
        write = writes.plan_item_delete(asked.resource, parts, asked.params, limits, expect=expect, returning=returning)
        return changes.written_item(asked.resource, repository.write(write), asked.media, asked.preferences)


def _heard(api: Api, name: str, forms: frozenset[Form]) -> _Heard:
    environ = request.environ
    _check_profile(environ)
    media = negotiate(environ.get("HTTP_ACCEPT"), forms)
    return _Heard(resource_named(api.catalog, name), parse_prefer(environ.get("HTTP_PREFER")), media)


def _asked(api: Api, name: str, forms: frozenset[Form]) -> _Asked:
    heard = _heard(api, name, forms)
    params = parse(
        _unicode(request.environ["QUERY_STRING"]),
        max_depth=api.limits.max_depth,
        max_embed_depth=api.limits.max_embed_depth,
        max_filters=api.limits.max_filters,
    )
    return _Asked(heard.resource, heard.preferences, heard.media, params)


def _page(api: Api, plan: PagePlan, asked: _Heard) -> Response:
    media = asked.media
    if media.form is Form.PLAN:
        return shown.plan(api.repository.explain(plan.read, analyze=media.analyze, verbose=media.verbose), media)
    return pages.page(api.repository.json(plan.read), plan, media, asked.preferences)


def _streamed(api: Api, plan: PagePlan, asked: _Heard) -> Response:
    """The store counts in a statement of its own, for a stream does not know its end."""
    total = _total(api, plan.read) if plan.read.count else None
    if asked.media.form is Form.CSV:
        pieces = csv_pieces(api.repository, plan.read, guard=api.csv_guard)
    else:
        pieces = line_pieces(api.repository, plan.read, stripped=asked.media.stripped)
    return pages.streamed(pieces, plan, total, asked.media, asked.preferences)


def _total(api: Api, read: Read) -> int | None:
    limit = read.selection.limit
    assert limit is not None
    values = (*read.values[: limit.index], 0, *read.values[limit.index + 1 :])
    return api.repository.rows(replace(read, values=values)).total


def _item(api: Api, read: Read, asked: _Heard) -> Response:
    media = asked.media
    if media.form is Form.PLAN:
        return shown.plan(api.repository.explain(read, analyze=media.analyze, verbose=media.verbose), media)
    if media.form is Form.CSV:
        rows = api.repository.rows(read)
        return items.csv_item(asked.resource, read.selection, rows, media, guard=api.csv_guard)
    return items.item(asked.resource, api.repository.json(read), media)


def _refuse_unless_single(asked: _Asked, write: Insert | Update | Delete) -> None:
    """Where one record is to be answered with, refuse a write that may concern another number, before it is done."""
    if asked.media.form is not Form.OBJECT:
        return
    if isinstance(write, Insert):
        if len(write.rows) != 1:
            raise pages.not_single(len(write.rows))
    elif not names_one(write.resource, write.where):
        raise pages.not_single(None)


def _returning(api: Api, asked: _Asked) -> bool:
    wanted = asked.preferences.returning
    return api.returning if wanted is None else wanted == "representation"


def _inserted(api: Api, write: Insert, body: object) -> Document:
    """Insert; an error names the row only where the body is an array."""
    try:
        return api.repository.write(write)
    except ConstraintError as error:
        if not isinstance(body, list):
            error.row = None
        raise


def _expected(api: Api, asked: _Asked) -> Expectation | None:
    """The condition that `If-Match` puts on a write to one record."""
    header = request.headers.get("If-Match")
    if request.headers.get("If-None-Match") is not None:
        raise RequestError(400, "PGRST100", "If-None-Match is not understood in a write to a single record.")
    if header is None:
        return None
    return writes.plan_expectation(asked.resource, asked.params, api.limits, parse_tags(header, weak=False))


def _refuse_conditions() -> None:
    for name in ("If-Match", "If-None-Match"):
        if name in request.headers:
            raise RequestError(400, "PGRST100", f"{name} is understood for single records only, not for a collection.")


def _check_profile(environ: Mapping[str, str]) -> None:
    """Clients of PostgREST may name a schema; there is one, called as theirs is by default."""
    for name in ("HTTP_ACCEPT_PROFILE", "HTTP_CONTENT_PROFILE"):
        if (profile := environ.get(name, "public")) != "public":
            raise RequestError(
                406,
                "PGRST106",
                f"Invalid schema: {profile[:80]}",
                hint="Only the following schemas are exposed: public",
            )


def _check_url(max_url: int) -> None:
    """Refuse what lenient decoding has let through, before any view sees it."""
    environ = request.environ
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if len(path) + len(query) > max_url:
        raise RequestError(414, "PGRST414", f"A URL has {max_url} characters at the most.")
    if sum([len(environ[name]) for name in environ if name[:5] == "HTTP_"]) > MAX_HEADERS:
        raise RequestError(431, "PGRST431", f"A request's headers have {MAX_HEADERS} characters at the most.")
    if "\0" in _unicode(path):
        raise bad_syntax("The path holds the character U+0000.")


def _unicode(text: str) -> str:
    """The text of a WSGI variable, which holds each byte as one character (PEP 3333)."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        raise bad_syntax("The URL is not valid UTF-8.") from None

"""The REST API's controllers: a request is parsed, planned, asked of the store, and answered; nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, request

from repositories.base import Document, Repository
from repositories.errors import ConstraintError
from repositories.query import Expectation, Insert
from repositories.schema import Catalog, Resource
from service import representation
from service.body import read_json
from service.dialect.params import Params
from service.dialect.prefer import Preferences, parse_prefer, parse_tags
from service.dialect.query_string import parse
from service.errors import RequestError, bad_syntax
from service.keys import parse_key
from service.planner import reads, writes
from service.planner.scope import PlanLimits, resource_named

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


def blueprint(api: Api) -> Blueprint:
    """The routes of the API."""
    routes = Blueprint("resources", __name__, url_prefix=api.prefix)
    repository, limits = api.repository, api.limits

    @routes.before_request
    def check_request() -> None:
        _check_url(api.max_url)
        _check_accept()

    @routes.get("/", strict_slashes=False)
    def welcome() -> Response:
        links = {resource.name: {"href": f"{api.prefix}/{resource.name}"} for resource in api.catalog}
        return jsonify(message="Welcome to the API!", links=links)

    @routes.get("/<name>", strict_slashes=False)
    def list_records(name: str) -> Response:
        resource, params, preferences = _asked(api, name)
        plan = reads.plan_page(resource, params, limits, count=preferences.count is not None)
        return representation.page(repository.json(plan.read), plan.offset, preferences)

    @routes.post("/<name>", strict_slashes=False)
    def insert_records(name: str) -> Response:
        resource, params, preferences = _asked(api, name)
        _refuse_conditions()
        body, returning = read_json(request), _returning(api, preferences)
        write = writes.plan_insert(resource, params, body, limits, returning=returning)
        return representation.inserted(resource, _inserted(api, write, body), preferences)

    @routes.patch("/<name>", strict_slashes=False)
    def update_records(name: str) -> Response:
        resource, params, preferences = _asked(api, name)
        _refuse_conditions()
        body, returning = read_json(request), _returning(api, preferences)
        write = writes.plan_update(resource, params, body, limits, returning=returning)
        return representation.written(repository.write(write), preferences)

    @routes.delete("/<name>", strict_slashes=False)
    def delete_records(name: str) -> Response:
        resource, params, preferences = _asked(api, name)
        _refuse_conditions()
        write = writes.plan_delete(resource, params, limits, returning=preferences.returning == "representation")
        return representation.written(repository.write(write), preferences)

    @routes.get("/<name>/<key:key>")
    def get_item(name: str, key: str) -> Response:
        resource, params, _ = _asked(api, name)
        read = reads.plan_item(resource, parse_key(key, len(resource.key)), params)
        return representation.item(resource, repository.json(read))

    @routes.put("/<name>/<key:key>")
    def replace_item(name: str, key: str) -> Response:
        resource, params, preferences = _asked(api, name)
        expect, returning = _expected(resource, params), _returning(api, preferences)
        parts = parse_key(key, len(resource.key))
        write = writes.plan_replace(resource, parts, params, read_json(request), expect=expect, returning=returning)
        return representation.written_item(resource, repository.write(write), preferences)

    @routes.patch("/<name>/<key:key>")
    def update_item(name: str, key: str) -> Response:
        resource, params, preferences = _asked(api, name)
        expect, returning = _expected(resource, params), _returning(api, preferences)
        parts = parse_key(key, len(resource.key))
        write = writes.plan_item_update(resource, parts, params, read_json(request), expect=expect, returning=returning)
        return representation.written_item(resource, repository.write(write), preferences)

    @routes.delete("/<name>/<key:key>")
    def delete_item(name: str, key: str) -> Response:
        resource, params, preferences = _asked(api, name)
        expect, returning = _expected(resource, params), preferences.returning == "representation"
        parts = parse_key(key, len(resource.key))
        write = writes.plan_item_delete(resource, parts, params, expect=expect, returning=returning)
        return representation.written_item(resource, repository.write(write), preferences)

    return routes


def _asked(api: Api, name: str) -> tuple[Resource, Params, Preferences]:
    resource = resource_named(api.catalog, name)
    params = parse(_unicode(request.environ["QUERY_STRING"]), max_depth=api.limits.max_depth)
    return resource, params, parse_prefer(request.headers.get("Prefer"))


def _returning(api: Api, preferences: Preferences) -> bool:
    if preferences.returning is None:
        return api.returning
    return preferences.returning == "representation"


def _inserted(api: Api, write: Insert, body: object) -> Document:
    """Insert; an error names the row only where the body is an array."""
    try:
        return api.repository.write(write)
    except ConstraintError as error:
        if not isinstance(body, list):
            error.row = None
        raise


def _expected(resource: Resource, params: Params) -> Expectation | None:
    """The condition that `If-Match` puts on a write to one record."""
    header = request.headers.get("If-Match")
    if request.headers.get("If-None-Match") is not None:
        raise RequestError(400, "PGRST100", "If-None-Match is not understood in a write to a single record.")
    if header is None:
        return None
    return writes.plan_expectation(resource, params, parse_tags(header, weak=False))


def _refuse_conditions() -> None:
    for name in ("If-Match", "If-None-Match"):
        if name in request.headers:
            raise RequestError(400, "PGRST100", f"{name} is understood for single records only, not for a collection.")


def _check_url(max_url: int) -> None:
    """Refuse what lenient decoding has let through, before any view sees it."""
    path, query = request.environ["PATH_INFO"], request.environ["QUERY_STRING"]
    if len(path) + len(query) > max_url:
        raise RequestError(414, "PGRST414", f"A URL has {max_url} characters at the most.")
    if sum(len(value) for name, value in request.environ.items() if name.startswith("HTTP_")) > MAX_HEADERS:
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


def _check_accept() -> None:
    accept = request.headers.get("Accept")
    if accept and accept != "*/*" and not request.accept_mimetypes.best_match(("application/json",)):
        raise RequestError(406, "PGRST107", "None of these media types are available: " + accept[:200])

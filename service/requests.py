"""What every request to the API says, whatever its method: the resource, the parameters, the wishes for the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from flask import request

from repositories.base import Repository
from repositories.schema import Catalog, Resource
from service.advice.shapes import Shapes
from service.dialect.params import Params
from service.dialect.prefer import Preferences, parse_prefer
from service.dialect.query_string import parse
from service.errors import RequestError, bad_syntax
from service.negotiation import OPERATIONS, READS, READS_AND_PLANS, STREAMS, Form, Media, negotiate
from service.planner.answers import Subject
from service.planner.relations import Relations
from service.planner.scope import PlanLimits, resource_named

#: What the headers of a request may hold together, in characters.
MAX_HEADERS = 32_768
#: The variable of the environment that tells that the request is an operation of a batch.
OPERATION = "diglot.operation"


@dataclass(frozen=True)
class Api:
    """What the controllers work with.

    `returning` is the answer to writes that state no preference; `conditions` demands a condition of every change;
    `key_expiry` is the number of seconds for which an `Idempotency-Key` is remembered, `keys` demands one. `shapes`
    counts the shapes of reads.
    """

    repository: Repository
    catalog: Catalog
    limits: PlanLimits
    prefix: str
    max_url: int
    returning: bool = True
    max_stream_rows: int = 100_000_000
    csv_guard: bool = True
    plans: bool = False
    conditions: bool = False
    keys: bool = False
    key_expiry: int = 86_400
    max_operations: int = 100
    shapes: Shapes | None = None

    @cached_property
    def relations(self) -> Relations:
        """How the resources belong together."""
        return Relations(self.catalog)

    @cached_property
    def reads(self) -> frozenset[Form]:
        """The forms that reads can be answered in."""
        return READS_AND_PLANS if self.plans else READS


@dataclass(frozen=True, slots=True)
class Heard:
    """What one request says beside its query string."""

    api: Api
    resource: Resource
    preferences: Preferences
    media: Media


@dataclass(frozen=True, slots=True)
class Asked(Heard):
    """One request, parsed."""

    params: Params

    @property
    def subject(self) -> Subject:
        """What the planner of writes needs to know."""
        apart = self.media.form in STREAMS
        return Subject(self.api.relations, self.resource, self.params, self.api.limits, apart)


def heard(api: Api, name: str, forms: frozenset[Form]) -> Heard:
    """The current request about the resource of this name. Raises `RequestError`."""
    environ = request.environ
    _check_profile(environ)
    media = negotiate(environ.get("HTTP_ACCEPT"), OPERATIONS if OPERATION in environ else forms)
    return Heard(api, resource_named(api.catalog, name), parse_prefer(environ.get("HTTP_PREFER")), media)


def asked(api: Api, name: str, forms: frozenset[Form]) -> Asked:
    """The same with the parameters of its query string."""
    said = heard(api, name, forms)
    params = parse(
        query_string(),
        max_depth=api.limits.max_depth,
        max_embed_depth=api.limits.max_embed_depth,
        max_filters=api.limits.max_filters,
    )
    return Asked(api, said.resource, said.preferences, said.media, params)


def query_string() -> str:
    """The current request's query string. Raises `RequestError`."""
    return _unicode(request.environ["QUERY_STRING"])


def check_url(max_url: int) -> None:
    """Refuse what lenient decoding has let through, before any view sees it."""
    environ = request.environ
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if len(path) + len(query) > max_url:
        raise RequestError(414, "PGRST414", f"A URL has {max_url} characters at the most.")
    if sum([len(environ[name]) for name in environ if name[:5] == "HTTP_"]) > MAX_HEADERS:
        raise RequestError(431, "PGRST431", f"A request's headers have {MAX_HEADERS} characters at the most.")
    if "\0" in _unicode(path):
        raise bad_syntax("The path holds the character U+0000.")


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


def _unicode(text: str) -> str:
    """The text of a WSGI variable, which holds each byte as one character (PEP 3333)."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        raise bad_syntax("The URL is not valid UTF-8.") from None

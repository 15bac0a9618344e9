"""Content negotiation: the `Accept` header → the form of the answer (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_options_header

from service.errors import RequestError

JSON = "application/json"
ARRAY = "application/vnd.pgrst.array+json"
OBJECT = "application/vnd.pgrst.object+json"
CSV = "text/csv"
NDJSON = "application/x-ndjson"
PLAN = "application/vnd.pgrst.plan+json"


class Form(Enum):
    """How records are written. JSON is an array for a collection, an object for a single record."""

    JSON = auto()
    ARRAY = auto()
    OBJECT = auto()
    CSV = auto()
    LINES = auto()
    PLAN = auto()


@dataclass(frozen=True, slots=True)
class Media:
    """The chosen media type: its form, the answer's `Content-Type`, and its parameters.

    `stripped` leaves members out that are null; `analyze` and `verbose` are for plans.
    """

    form: Form
    content_type: str
    stripped: bool = False
    analyze: bool = False
    verbose: bool = False


DEFAULT = Media(Form.JSON, "application/json; charset=utf-8")
#: What most clients send.
_PLAIN = frozenset({None, "", "*/*", JSON})
#: The media types that can be had, the preferred one first, and other names that PostgREST knows them by.
_FORMS = {
    JSON: Form.JSON,
    ARRAY: Form.ARRAY,
    OBJECT: Form.OBJECT,
    CSV: Form.CSV,
    NDJSON: Form.LINES,
    PLAN: Form.PLAN,
}
_OTHER_NAMES = {"application/vnd.pgrst.array": ARRAY, "application/vnd.pgrst.object": OBJECT}
#: The forms that a wildcard may mean: those without conditions of their own.
_GENERAL = frozenset({Form.JSON, Form.CSV, Form.LINES})
_JSON_FORMS = frozenset({Form.JSON, Form.ARRAY, Form.OBJECT})
#: The forms that are written record by record.
STREAMS = frozenset({Form.CSV, Form.LINES})
_PLAN_OPTIONS = frozenset({"analyze", "verbose"})

#: What each kind of request can be answered with.
READS = frozenset(_FORMS.values()) - {Form.PLAN}
READS_AND_PLANS = READS | {Form.PLAN}
WRITES = READS
OPERATIONS = _JSON_FORMS
LINKS = frozenset({Form.JSON})


class _Range(NamedTuple):
    """One member of the header: a media type, possibly with wildcards, and its parameters."""

    type: str
    subtype: str
    params: Mapping[str, str]

    @property
    def precision(self) -> int:
        return 0 if self.type == "*" else 1 if self.subtype == "*" else 3 if self.params else 2

    def covers(self, name: str) -> bool:
        kind, _, subtype = name.partition("/")
        return self.type in ("*", kind) and self.subtype in ("*", subtype)


def negotiate(accept: str | None, forms: frozenset[Form]) -> Media:
    """The media type that the client likes best among those of the forms. Raises 406 PGRST107."""
    return DEFAULT if accept in _PLAIN else _negotiate(accept or "", forms)


@lru_cache(maxsize=128)
def _negotiate(accept: str, forms: frozenset[Form]) -> Media:
    # Werkzeug has sorted by how specific a member is; sorting is stable, so that this decides among equal qualities.
    ranked = sorted(parse_accept_header(accept, MIMEAccept), key=lambda member: -member[1])
    refused = [_range(text) for text, quality in ranked if quality == 0]
    for text, quality in ranked:
        if quality > 0 and (media := _first(_range(text), refused, forms)) is not None:
            return media
    raise RequestError(
        406, "PGRST107", f"None of these media types are available: {accept[:200]}", headers={"Vary": "Accept"}
    )


def _range(text: str) -> _Range:
    name, params = parse_options_header(text)
    name = _OTHER_NAMES.get(name.lower(), name.lower())
    kind, _, subtype = name.partition("/")
    return _Range(kind, subtype, params)


def _first(wanted: _Range, refused: list[_Range], forms: frozenset[Form]) -> Media | None:
    """The first media type that the member covers, unless another member, as specific or more, refuses it."""
    for name, form in _FORMS.items():
        if form not in forms or not wanted.covers(name):
            continue
        if any(other.covers(name) and other.precision >= wanted.precision for other in refused):
            continue
        if wanted.subtype != "*":
            return _media(name, form, wanted.params)
        if form in _GENERAL:
            return Media(form, f"{name}; charset=utf-8")
    return None


def _media(name: str, form: Form, params: Mapping[str, str]) -> Media | None:
    """The media type with its parameters; None where one of them asks for what cannot be had.

    Parameters that have no meaning here, such as `charset`, are passed over.
    """
    if form is Form.PLAN:
        return _plan(params)
    nulls = params.get("nulls")
    if nulls is not None:
        if nulls != "stripped" or form not in _JSON_FORMS | {Form.LINES}:
            return None
        return Media(form, f"{name};nulls=stripped; charset=utf-8", stripped=True)
    # An array without a parameter is plain JSON, as in PostgREST.
    return Media(form, f"{JSON if form is Form.ARRAY else name}; charset=utf-8")


def _plan(params: Mapping[str, str]) -> Media | None:
    options = frozenset(filter(None, params.get("options", "").split("|")))
    subject = _first(_range(params.get("for", JSON)), [], READS)
    if subject is None or not options <= _PLAN_OPTIONS:
        return None
    name, _, charset = subject.content_type.rpartition("; ")
    chosen = f"; options={'|'.join(sorted(options))}" if options else ""
    return Media(
        Form.PLAN,
        f'{PLAN}; for="{name}"{chosen}; {charset}',
        analyze="analyze" in options,
        verbose="verbose" in options,
    )

"""The documentation page at `/docs`: every resource, field and relation, with requests to try."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup, escape

from repositories.query import AggregateFunction
from repositories.schema import MISSING, Catalog, Field, Kind, Resource, Type
from service.errors import RequestError
from service.openapi.codes import CODES
from service.openapi.schemas import plain
from service.planner.relations import Known, Relations

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_ORDERED = (Kind.DECIMAL, Kind.DATETIME, Kind.DATE, Kind.INT32, Kind.DOUBLE, Kind.INT64)
_CODE = re.compile(r"`([^`]+)`")
_TITLES = ("title", "name", "label", "subject")


@dataclass(frozen=True, slots=True)
class Row:
    """One field, in words: its type and limits, what else is to know, and where it points."""

    name: str
    type: str
    notes: tuple[str, ...]
    description: Markup
    target: str | None
    key: bool


@dataclass(frozen=True, slots=True)
class Link:
    """One relation: how `select` names it, which resource it leads to, and how many records."""

    name: str
    target: str
    many: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A request to try, and what it asks for."""

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Section:
    """One resource on the page."""

    name: str
    description: Markup
    key: str
    rows: tuple[Row, ...]
    links: tuple[Link, ...]
    examples: tuple[Example, ...]


def blueprint(catalog: Catalog, prefix: str) -> Blueprint:
    """The routes `/docs` and `/docs/static/…`."""
    routes = Blueprint(
        "docs", __name__, static_folder="static", static_url_path="/docs/static", template_folder="templates"
    )
    root = prefix.rstrip("/")
    relations = Relations(catalog)
    sections = [_section(relations, resource, root) for resource in catalog]
    featured = max(sections, key=lambda section: len(section.rows), default=None)

    @routes.after_request
    def guarded(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @routes.get("/docs")
    def docs() -> str:
        return render_template(
            "docs.html",
            sections=sections,
            featured=featured,
            codes=CODES,
            prose=_prose,
            prefix=root,
            origin=request.host_url.rstrip("/"),
            version=version("diglot"),
        )

    return routes


def _prose(text: str) -> Markup:
    """A description, in which backticks stand around code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  (escaped, but for our own tags)


def _section(relations: Relations, resource: Resource, root: str) -> Section:
    links = tuple(_links(relations, resource))
    targets = {name: reference.target for reference in resource.references for name in reference.fields}
    examples = tuple(Example(title, f"{root}/{resource.name}{query}") for title, query in _examples(resource, links))
    return Section(
        resource.name,
        _prose(resource.description),
        ",".join("{" + name + "}" for name in resource.primary_key),
        tuple(_row(resource, field, targets.get(field.name)) for field in resource.fields.values()),
        links,
        examples,
    )


def _row(resource: Resource, field: Field, target: str | None) -> Row:
    notes = []
    if field.generated:
        notes.append("generated")
    elif field.default is not MISSING and field.default is not None:
        notes.append(f"default {_shown(field.type, field.default)}")
    elif field.required:
        notes.append("required")
    if not field.required:
        notes.append("may be null")
    if any(unique.fields == (field.name,) for unique in resource.uniques):
        notes.append("unique")
    if field.read_only:
        notes.append("read-only")
    key = field.name in resource.primary_key
    return Row(field.name, _type(field.type), (*notes, *_limits(field.type)), _prose(field.description), target, key)


def _type(kind: Type) -> str:
    if kind.kind is Kind.DECIMAL:
        return f"decimal({kind.precision},{kind.scale})"
    if kind.items is not None:
        return f"{_type(kind.items)}[]"
    return "object" if kind.shape is not None else kind.kind.value


def _limits(kind: Type) -> Iterator[str]:
    for sign, bound in (
        ("≥", kind.minimum),
        (">", kind.exclusive_minimum),
        ("≤", kind.maximum),
        ("<", kind.exclusive_maximum),
    ):
        if bound is not None:
            yield f"{sign} {plain(kind, bound)}"
    if kind.max_length is not None:
        yield f"at most {kind.max_length} characters"
    if kind.max_items is not None:
        yield f"at most {kind.max_items} items"
    if kind.pattern is not None:
        yield f"matches {kind.pattern}"
    if kind.enum is not None:
        yield "one of " + ", ".join(_shown(kind, value) for value in kind.enum)
    if kind.shape is not None and kind.shape.properties:
        yield "with " + ", ".join(name for name, _ in kind.shape.properties)


def _shown(kind: Type, value: object) -> str:
    shown = plain(kind, value)
    return {True: "true", False: "false"}[shown] if isinstance(shown, bool) else str(shown)


def _links(relations: Relations, resource: Resource) -> Iterator[Link]:
    for known in relations.of(resource):
        target = known.relation.target.name
        hinted = [f"{target}!{hint}" for hint in sorted(known.hints, key=lambda hint: (len(hint), hint))]
        names = (target, *hinted) if known.relation.many else (known.proposal, target, *hinted)
        # A unique reference of a resource to itself leaves its other direction without a name of its own.
        name = next((name for name in names if _means(relations, resource, name, known)), None)
        if name is not None:
            yield Link(name, target, known.relation.many)


def _means(relations: Relations, resource: Resource, name: str, known: Known) -> bool:
    """Whether the name stands for this relation and no other."""
    relation, _, hint = name.partition("!")
    try:
        return relations.find(resource, relation, hint or None) == known.relation
    except RequestError:
        return False


def _examples(resource: Resource, links: tuple[Link, ...]) -> Iterator[tuple[str, str]]:
    """Requests that show the language on this resource's own columns."""
    fields = list(resource.fields.values())
    title = next((field for name in _TITLES if (field := resource.fields.get(name))), resource.key[0])
    measure = next(
        (field for kind in _ORDERED for field in fields if field.type.kind is kind and not _is_key(resource, field)),
        None,
    )
    yield "The first records", "?limit=3"
    if measure is not None and measure is not title:
        query = f"?select={title.name},{measure.name}&order={measure.name}.desc&limit=3"
        yield f"Two columns, by {measure.name}", query
    group = next((field for field in fields if field.type.enum or field.type.kind is Kind.BOOLEAN), None)
    if group is not None:
        value = f"eq.{group.type.enum[0]}" if group.type.enum else "is.true"
        yield f"A filter on {group.name}", f"?{group.name}={value}&limit=3"
        yield f"How many for each {group.name}", f"?select={group.name},{AggregateFunction.COUNT}()"
    one = next((link for link in links if not link.many), None)
    if one is not None:
        yield f"Each with its {one.name}", f"?select={title.name},{one.name}(*)&limit=3"
    many = min((link for link in links if link.many), key=lambda link: len(link.name), default=None)
    if many is not None:
        yield f"Each with a list of {many.target}", f"?select={title.name},{many.name}(*)&{many.target}.limit=2&limit=2"


def _is_key(resource: Resource, field: Field) -> bool:
    pointers = {name for reference in resource.references for name in reference.fields}
    return field.name in resource.primary_key or field.name in pointers

"""`diglot explain`: what each store makes of a request, side by side."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from repositories.base import Explanation
from repositories.connect import BACKENDS, EmbeddedServerError
from repositories.errors import RepositoryError
from repositories.query import Read
from repositories.schema import Catalog
from service import catalog, failures, log
from service.app import plan_limits
from service.commands.demo import RESOURCES
from service.commands.options import Backend, DataDir, Resources
from service.commands.terminal import console
from service.config import Settings, load
from service.dialect.query_string import decode, parse
from service.errors import RequestError
from service.keys import parse_key
from service.planner.reads import plan_item, plan_page
from service.planner.relations import Relations
from service.planner.scope import resource_named
from service.representation.plans import members
from service.store import SchemaPendingError, located, open_repository, prepare_schema

_ORIGIN = re.compile(r"https?://[^/]*")
_DATABASE = 3
#: What may keep one store from answering, while another may still answer.
_Fault = RepositoryError | EmbeddedServerError | SchemaPendingError


def explain(  # noqa: PLR0917  (Typer calls it by name)
    request: Annotated[
        str, typer.Argument(help="The request: 'products?price=gte.10&order=price'.", show_default=False)
    ],
    analyze: Annotated[bool, typer.Option("--analyze", "-a", help="Run it, and tell what it costs.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the store's own plan, too.")] = False,
    backend: Backend = None,
    demo: Annotated[bool, typer.Option("--demo", help="Ask the demo's shop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    resources: Resources = None,
    data_dir: DataDir = None,
) -> None:
    """Show what PostgreSQL and MongoDB make of a request: the native statement, its indexes and its cost.

    Both are asked, unless --backend names one. Where no URL is set the embedded server is started.
    """
    settings = asking(load(backend=backend, resources=resources, data_dir=data_dir), demo=demo)
    declared = catalog.load(settings.resources)
    read = read_of(request, declared, settings)
    found: dict[str, Explanation | _Fault] = {}
    for name in BACKENDS if backend is None else (settings.backend,):
        try:
            found[name] = _explanation(settings.model_copy(update={"backend": name}), declared, read, analyze, verbose)
        except (RepositoryError, EmbeddedServerError, SchemaPendingError) as error:
            found[name] = error
    if as_json:
        typer.echo(json.dumps([_document(name, each) for name, each in found.items()], indent=2, ensure_ascii=False))
    else:
        console().print(_side_by_side(found, verbose))
    if any(not isinstance(each, Explanation) for each in found.values()):
        raise typer.Exit(_DATABASE)


def asking(settings: Settings, *, demo: bool) -> Settings:
    """The settings of a command that asks databases, perhaps the demo's, and logs no more than warnings."""
    log.configure("warning", settings.log_format)
    if not demo:
        return settings
    return settings.model_copy(update={"resources": RESOURCES, "data_dir": settings.data_dir / "demo"})


def _explanation(settings: Settings, declared: Catalog, read: Read, analyze: bool, verbose: bool) -> Explanation:
    with located(settings) as complete, open_repository(complete, declared) as repository:
        repository.ping()
        prepare_schema(repository, complete.schema_mode)
        return repository.explain(read, analyze=analyze, verbose=verbose)


def read_of(request: str, declared: Catalog, settings: Settings) -> Read:
    """The read that a GET of this path, with or without the API's prefix, or of this URL stands for."""
    path, _, query = _ORIGIN.sub("", request, count=1).partition("?")
    path = path.removeprefix(f"{settings.api_prefix}/").lstrip("/")
    name, _, key = path.partition("/")
    limits, relations = plan_limits(settings), Relations(declared)
    try:
        resource = resource_named(declared, decode(name))
        params = parse(
            query, max_depth=limits.max_depth, max_embed_depth=limits.max_embed_depth, max_filters=limits.max_filters
        )
        if not key:
            return plan_page(relations, resource, params, limits, count=False).read
        return plan_item(relations, resource, parse_key(decode(key), len(resource.key)), params, limits)
    except RequestError as error:
        said = " ".join(text for text in (f"{error.message} ({error.code}).", error.hint) if text)
        raise typer.BadParameter(said) from None


def _document(name: str, found: Explanation | _Fault) -> dict[str, Any]:
    if isinstance(found, Explanation):
        return members(found)
    return {"backend": name, "error": failures.explain(found).message}


def _side_by_side(found: dict[str, Explanation | _Fault], verbose: bool) -> Table:
    table = Table(show_lines=True)
    table.add_column("", style="bold", no_wrap=True)
    for name in found:
        table.add_column(name, overflow="fold", ratio=1)
    shown = {name: _rows(each, verbose) for name, each in found.items()}
    for title in dict.fromkeys(title for rows in shown.values() for title in rows):
        table.add_row(title, *(rows.get(title, "") for rows in shown.values()))
    return table


def _rows(found: Explanation | _Fault, verbose: bool) -> dict[str, RenderableType]:
    if not isinstance(found, Explanation):
        return {"Statement": Text(failures.explain(found).message, style="red")}
    rows: dict[str, RenderableType] = {"Statement": _highlighted(found.statement)}
    if found.parameters:
        rows["Parameters"] = _highlighted(json.dumps(found.parameters, ensure_ascii=False, default=str))
    rows["Indexes"] = Text(", ".join(found.indexes) or "none")
    rows["Read whole"] = Text(", ".join(found.scans) or "nothing")
    rows["Sorts in memory"] = "yes" if found.sorts else "no"
    for title, figure in (("Rows", found.rows), ("Examined", found.examined)):
        if figure is not None:
            rows[title] = f"{figure:,}"
    if found.milliseconds is not None:
        rows["Time"] = f"{found.milliseconds:,.2f} ms"
    if verbose:
        rows["Plan"] = _highlighted(json.dumps(found.plan, indent=1, ensure_ascii=False, default=str))
    return rows


def _highlighted(statement: str) -> Syntax:
    language = "json" if statement.startswith(("{", "[")) else "sql"
    return Syntax(statement, language, theme="ansi_dark", background_color="default", word_wrap=True)

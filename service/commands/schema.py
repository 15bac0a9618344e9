"""`diglot schema`: compare the database with the resource file, bring it up to date, help editors."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from repositories.base import Change
from service import catalog
from service.commands.advise import advise
from service.commands.options import Backend, DataDir, Resources
from service.commands.terminal import console
from service.config import load
from service.store import opened

group = typer.Typer(help="Compare the database's schema with the resource file; bring it up to date.")

_DIFFERENT = 1


@group.callback(invoke_without_command=True)
def schema(
    context: typer.Context,
    json_schema: Annotated[
        bool, typer.Option("--json-schema", help="Print the JSON Schema of resource files, for editors.")
    ] = False,
) -> None:
    """Compare the database's schema with the resource file; bring it up to date."""
    if json_schema:
        typer.echo(json.dumps(catalog.json_schema(), indent=2, ensure_ascii=False))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


group.command("advise")(advise)


@group.command()
def diff(backend: Backend = None, resources: Resources = None, data_dir: DataDir = None) -> None:
    """Show what the database lacks or has otherwise. Exit code 0: nothing; 1: changes are pending."""
    with opened(load(backend=backend, resources=resources, data_dir=data_dir)) as repository:
        changes = repository.schema_changes()
    if not changes:
        typer.echo("The database is as the resource file declares it.")
        return
    _print(changes, "Pending changes")
    raise typer.Exit(_DIFFERENT)


@group.command()
def apply(
    backend: Backend = None,
    resources: Resources = None,
    data_dir: DataDir = None,
    destructive: Annotated[
        bool, typer.Option("--destructive", help="Apply also what loses data or refuses what was allowed.")
    ] = False,
) -> None:
    """Bring the database to what the resource file declares. Safe to run again."""
    with opened(load(backend=backend, resources=resources, data_dir=data_dir)) as repository:
        done = repository.apply_schema(destructive)
        left = repository.schema_changes()
    if done:
        _print(done, "Applied")
    elif not left:
        typer.echo("Nothing to do: the database is as the resource file declares it.")
    if left:
        _print(left, "Left out; run with --destructive to apply")


def _print(changes: list[Change], title: str) -> None:
    table = Table(title=title, title_justify="left", show_lines=True)
    table.add_column("Change", overflow="fold", ratio=2)
    table.add_column("Statement", overflow="fold", ratio=3)
    for change in changes:
        summary = Text(change.summary)
        if change.destructive:
            summary.append("\ndestructive", style="red")
        language = "javascript" if change.statement.lstrip().startswith(("{", "db.", "[")) else "sql"
        statement = Syntax(change.statement, language, theme="ansi_dark", background_color="default", word_wrap=True)
        table.add_row(summary, statement)
    console().print(table)

"""`diglot config`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from service.commands.terminal import console
from service.config import load, masked, variables


def config(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the documentation's table of all variables instead.")
    ] = False,
) -> None:
    """Show the effective settings, from the environment and `.env`; secrets are masked."""
    if markdown:
        typer.echo(table())
        return
    values = masked(load())
    shown = Table("Variable", "Value", "Meaning")
    for variable in variables():
        meaning = f"{variable.description} Give {variable.allowed}."
        shown.add_row(variable.name, escape(values[variable.name]) or "[dim]not set[/dim]", meaning)
    console().print(shown)


def table() -> str:
    """All variables as a Markdown table, as the README has it."""
    rows = [
        f"| `{v.name}` | {f'`{v.default}`' if v.default else '—'} | {v.description} Give {v.allowed}. |"
        for v in variables()
    ]
    return "\n".join(["| Variable | Default | Meaning |", "|---|---|---|", *rows])

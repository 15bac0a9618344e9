"""The command line: registers the commands and turns every error into one message and an exit code."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from service.commands import config, demo, schema, serve, transfer
from service.commands.explain import explain as explain_request
from service.failures import EXIT_CODES, explain

app = typer.Typer(
    help="One REST API over PostgreSQL and MongoDB: declare resources once, choose the store by configuration.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# The commands, in the order of `--help`; each module of `service.commands` owns one command or group.
app.command()(serve.serve)
app.command()(demo.demo)
app.add_typer(schema.group, name="schema")
app.command("import")(transfer.import_)
app.command()(transfer.export)
app.command("explain")(explain_request)
app.command()(config.config)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"diglot {version('diglot')}")
        raise typer.Exit


@app.callback()
def diglot(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """One REST API over PostgreSQL and MongoDB: declare resources once, choose the store by configuration."""


def main() -> None:
    """The entry point of `diglot`."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001  (the last resort of a process: no traceback reaches the terminal)
        failure = explain(error)
        typer.echo(f"diglot: {failure.message}", err=True)
        sys.exit(failure.code)

"""`python -m tests.races`: runs the races on each backend, and tells rounds, violations and seconds."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from tests.conftest import MEMORY_DISK, Servers, Stores
from tests.contract.port import Port
from tests.races.careless import Careless
from tests.races.race import Result, run
from tests.races.races import RACES

BACKENDS = ("postgres", "mongodb")
#: The violations of one race that are shown; its line tells how many there are.
SHOWN = 3


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each race.")] = 10_000,
    backend: Annotated[list[str], typer.Option(help="Where to run: postgres, mongodb.")] = list(BACKENDS),  # noqa: B006
    race: Annotated[list[str], typer.Option(help="Which races to run (all, unless told).")] = list(RACES),  # noqa: B006
    broken: Annotated[bool, typer.Option("--broken", help="Race the careless variants, which must be caught.")] = False,
) -> None:
    """Race writers against each other. Fails where a rule was broken, or with --broken where none was."""
    failed = False
    typer.echo(f"{'race':<24}{'backend':<10}{'rounds':>8}{'violations':>12}{'seconds':>10}")
    memory = MEMORY_DISK if MEMORY_DISK.is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as directory, ExitStack() as servers, ExitStack() as stores:
        opened = Stores(Servers(Path(directory), servers), stores)
        for name in race:
            for each in backend:
                port = Careless(opened.get(each, "lax")) if broken else Port(opened.get(each, "shop"))
                result = run(RACES[name](port), rounds, until_caught=broken)
                failed |= bool(result.violations) is not broken
                _tell(name, each, result, quiet=broken)
    raise typer.Exit(int(failed))


def _tell(name: str, backend: str, result: Result, *, quiet: bool) -> None:
    figures = f"{result.rounds:>8}{len(result.violations):>12}{result.seconds:>10.1f}"
    typer.echo(f"{name:<24}{backend:<10}{figures}")
    for violation in [] if quiet else result.violations[:SHOWN]:
        typer.echo(f"    {violation}")


typer.run(main)

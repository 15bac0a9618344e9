"""`diglot serve`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from service.commands.options import Backend, DataDir, Resources
from service.config import Settings, load
from service.serve import serve as run


def serve(  # noqa: PLR0917  (Typer calls it by name)
    backend: Backend = None,
    resources: Resources = None,
    host: Annotated[
        str | None, typer.Option(help="The address to listen on.  [DIGLOT_HOST]", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", help="The port; 0 picks a free one.  [DIGLOT_PORT]", show_default=False),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.  [DIGLOT_WORKERS]", show_default=False)] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve the resource file's resources until interrupted.

    Without a database URL a real embedded server is started; it keeps its data and stops with the service.
    """
    settings = load(backend=backend, resources=resources, host=host, port=port, workers=workers, data_dir=data_dir)
    embedded = settings.database_url is None

    def announce(complete: Settings, url: str) -> None:
        where = f"embedded, data in {complete.data_dir}" if embedded else "at the configured URL"
        typer.echo(f"diglot {version('diglot')} serves {complete.resources} from {complete.backend} ({where})")
        typer.echo(f"  API      {url}{complete.api_prefix}")
        typer.echo(f"  Health   {url}/health/ready")
        typer.echo("Ctrl-C stops it.")

    run(settings, announce)

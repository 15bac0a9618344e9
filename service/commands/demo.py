"""`diglot demo`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

import service.demo
from service import catalog, log, serve
from service.commands.options import Backend, DataDir
from service.commands.progress import progress
from service.config import Settings, load
from service.demo.seed import is_complete, seed
from service.demo.shop import PRODUCTS, Shop
from service.store import located, open_repository, prepare_schema

RESOURCES = Path(service.demo.__file__).with_name("shop.yaml")


def demo(
    backend: Backend = None,
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", help="The port; 0 picks a free one.  [DIGLOT_PORT]", show_default=False),
    ] = None,
    products: Annotated[int, typer.Option(help="How many products the shop has.", min=1, max=10_000_000)] = PRODUCTS,
    seed_only: Annotated[bool, typer.Option("--seed-only", help="Fill the database, and do not serve.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Serve a shop: products, customers, orders and reviews, the same records on every backend.

    Without a database URL a real embedded server is started, whose data is kept. A shop that is there already is
    served as it is; one that was interrupted while it was being filled is completed.
    """
    settings = _settings(load(backend=backend, port=port, data_dir=data_dir), products)
    embedded = settings.database_url is None
    shop = Shop(products)
    if not seed_only:
        serve.free_address(settings.host, settings.port)  # told before the shop is filled, not after
    with serve.interruptible(), located(settings) as complete:
        _fill(complete, shop)
        if seed_only:
            return

        def announce(running: Settings, url: str) -> None:
            where = f"embedded, data in {running.data_dir}" if embedded else "at the configured URL"
            typer.echo(f"diglot {version('diglot')} serves the demo's shop from {running.backend} ({where})")
            typer.echo(f"  API      {url}{running.api_prefix}")
            typer.echo(f"  Health   {url}/health/ready")
            typer.echo("Try, here and on the other backend (--backend), whose answers are the same to the byte:")
            for path in requests(shop):
                typer.echo(f"  curl '{url}{running.api_prefix}/{path}'")
            typer.echo("Ctrl-C stops it.")

        serve.serve(complete, announce)


def requests(shop: Shop) -> tuple[str, str, str]:
    """Requests to try: filtered, ordered, one record."""
    return (
        "products?category_id=eq.20&price=gte.100&select=sku,name,price,tags&order=price.desc&limit=3",
        "orders?status=eq.open&select=id,placed_at,note,customer_id&order=placed_at.desc&limit=3",
        f"products/{shop.product_id(0)}",
    )


def _settings(settings: Settings, products: int) -> Settings:
    """The demo's own resource file, and for embedded servers a directory of its own for each size."""
    directory = settings.data_dir / ("demo" if products == PRODUCTS else f"demo-{products}")
    update = {"resources": RESOURCES, "data_dir": directory, "schema_mode": "apply", "plan_enabled": True}
    return settings.model_copy(update=update)


def _fill(settings: Settings, shop: Shop) -> None:
    log.configure("warning", settings.log_format)
    with open_repository(settings, catalog.load(settings.resources)) as repository:
        repository.ping()
        prepare_schema(repository, settings.schema_mode)
        if not is_complete(repository):
            typer.echo(f"Filling the shop with {sum(part.count for part in shop.parts):,} records…", err=True)
            with progress() as bar:
                seed(repository, shop, bar.task)

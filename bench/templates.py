"""The shop in each contender's form, loaded once on each store; what is timed is a copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench import processes
from bench.contenders import RESOURCES, Command, Contender, Place, install
from bench.eve import records as eve
from bench.parse import records as parse
from bench.parse.server import MissingError
from bench.processes import StartError
from bench.stores.mongodb import MongoDB
from bench.stores.postgres import Postgres
from bench.works import Keys, Request
from repositories.base import Limits
from repositories.connect import connect
from service import catalog
from service.demo.seed import seed
from service.demo.shop import Shop
from service.idempotency import with_requests

Store = Postgres | MongoDB
_ASKED = 2000
#: Where the shop is, in the form of the contenders with such records.
SHOP, PARSE, EVE = "t_shop", "t_parse", "t_eve"


def keys(shop: Shop) -> Keys:
    """Keys to ask for, spread over the shop."""
    [products] = [part for part in shop.parts if part.resource == "products"]
    categories = sorted({row[-1] for row in products.rows()})
    step = max(1, shop.products // _ASKED)
    ids = [str(shop.product_id(number)) for number in range(0, shop.products, step)]
    orders = list(range(1, shop.orders + 1, max(1, shop.orders // _ASKED)))
    return Keys(ids, categories, orders)


def load(store: Store, database: str, shop: Shop) -> None:
    """The shop as Diglot stores it, which is how the services written by hand find it, too."""
    if isinstance(store, Postgres):
        store.create(database)
    else:
        store.drop(database)
    resources = with_requests(catalog.load(RESOURCES))
    with connect(store.backend, store.url(database), resources, Limits(statement_timeout=120)) as repository:
        repository.apply_schema()
        seed(repository, shop, lambda _name, _count: lambda _done: None)
    store.settle(database)


def prepare(
    store: Store, shop: Shop, chosen: list[Contender], *, port: int, folder: Path, say: Callable[[str], None]
) -> dict[str, str]:
    """Load what the chosen contenders read; returns the template of each kind of records that could be made."""
    load(store, SHOP, shop)
    made = {"shop": SHOP}
    for contender in chosen:
        if contender.records in made:
            continue
        try:
            install(contender.records)
            if contender.records == "eve":
                assert isinstance(store, MongoDB)
                store.drop(EVE)
                eve.fill(store, EVE, SHOP)
                made["eve"] = EVE
            else:
                _parse(store, contender, port, folder)
                made["parse"] = PARSE
        except (MissingError, StartError, OSError) as error:
            say(f"{contender.name} on {store.backend} is left out: {error}")
    return made


def _parse(store: Store, contender: Contender, port: int, folder: Path) -> None:
    if isinstance(store, Postgres):
        store.create(PARSE, SHOP)
    else:
        store.drop(PARSE)
    command: Command = contender.start(Place(store.url(PARSE), port, folder))
    probe = Request("/parse/health")
    with processes.running(command.arguments, command.environment, port, probe, folder / "parse-schema.log"):
        parse.declare(port)
    parse.fill(store, PARSE, SHOP)

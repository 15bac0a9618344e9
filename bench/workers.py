"""`python -m bench.workers`: Diglot with other numbers of workers and threads, in interleaved rounds."""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import load, processes, templates
from bench.contenders import CONTENDERS, Place
from bench.dialects.diglot import DIGLOT
from bench.load import Load
from bench.stores import servers
from bench.templates import SHOP, Store
from bench.works import LIST, ONE, Keys, Work
from repositories.connect import BACKENDS
from service.demo.shop import Shop

_WARM_SECONDS = 0.5
_PRODUCTS = 10_000
_WORKS = (ONE, LIST)

Size = tuple[int, int]
#: What was measured: the load, and the service's CPU seconds.
Found = dict[tuple[Work, int, Size], list[tuple[Load, float]]]


def main() -> None:
    """Measure and print; nothing is kept."""
    arguments = _arguments()
    console = Console(highlight=False)
    sizes = list(itertools.product(arguments.workers, arguments.threads))
    found: Found = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="diglot-bench-") as name:
        folder = Path(name)
        with servers.running(arguments.store, folder) as store:
            shop = Shop(_PRODUCTS)
            templates.load(store, SHOP, shop)
            keys = templates.keys(shop)
            for round_, size in itertools.product(range(arguments.rounds), sizes):
                console.print(f"round {round_ + 1}: {size[0]} workers of {size[1]} threads")
                _measure(
                    found,
                    store,
                    size,
                    keys,
                    connections=arguments.connections,
                    seconds=arguments.seconds,
                    folder=folder,
                )
    for work, connections in itertools.product(_WORKS, arguments.connections):
        console.print(_table(found, work, connections, sizes))


def _measure(
    found: Found, store: Store, size: Size, keys: Keys, *, connections: list[int], seconds: float, folder: Path
) -> None:
    [diglot] = [each for each in CONTENDERS if (each.name, each.backend) == ("diglot", store.backend)]
    port = servers.free_port()
    command = diglot.start(Place(store.url(SHOP), port, folder))
    environment = {**command.environment, "DIGLOT_WORKERS": str(size[0]), "DIGLOT_THREADS": str(size[1])}
    probe = DIGLOT.requests(ONE, keys)[0]
    with processes.running(command.arguments, environment, port, probe, folder / "workers.log") as service:
        for work, number in itertools.product(_WORKS, connections):
            requests = DIGLOT.requests(work, keys)
            load.warm(port, requests, seconds=_WARM_SECONDS, connections=number, counter=0, folder=folder)
            before = processes.cpu(service)
            done = load.run(port, requests, seconds=seconds, connections=number, counter=0, folder=folder)
            found[work, number, size].append((done, processes.cpu(service) - before))


def _table(found: Found, work: Work, connections: int, sizes: list[Size]) -> Table:
    table = Table("workers", "threads", "answers/s", "best round", "service, CPU s per 1,000", "p99, ms", "errors")
    table.title = f"{work.name}, {connections} connections"
    for size in sizes:
        runs = found[work, connections, size]
        rates = [done.rate for done, _ in runs]
        table.add_row(
            *map(str, size),
            f"{statistics.median(rates):,.0f}",
            f"{max(rates):,.0f}",
            f"{statistics.median(spent / max(done.requests, 1) * 1000 for done, spent in runs):.3f}",
            f"{statistics.median(done.p99 for done, _ in runs):.1f}",
            str(sum(done.errors for done, _ in runs)),
        )
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.workers", description=__doc__)
    parser.add_argument("--store", choices=BACKENDS, default="postgres")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 4, 8, 16])
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="of each timed run; wrk takes whole ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()

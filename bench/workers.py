"""`python -m bench.workers`: Diglot with other numbers of workers and threads, in interleaved rounds."""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench import load, open_loop, processes, templates
from bench.contenders import CONTENDERS, Place
from bench.dialects.diglot import DIGLOT
from bench.load import Load
from bench.open_loop import Latency
from bench.stores import servers
from bench.templates import SHOP, Store
from bench.works import CHANGE, INSERT, LIST, ONE, Keys, Work
from repositories.connect import BACKENDS
from service.demo.shop import Shop

_WARM_SECONDS = 0.5
_PRODUCTS = 10_000
_WORKS = (ONE, LIST, CHANGE, INSERT)
#: The fixed rate of each work, as a share of that of the first.
_SHARES = {ONE: 1.0, LIST: 0.6, INSERT: 0.25}

Size = tuple[int, int]
#: What was measured: the load, and the service's CPU seconds.
Found = dict[tuple[Work, int, Size], list[tuple[Load, float]]]
#: Latencies at a fixed rate.
Late = dict[tuple[Work, Size], list[Latency]]


def main() -> None:
    """Measure and print; nothing is kept."""
    arguments = _arguments()
    console = Console(highlight=False)
    sizes = list(itertools.product(arguments.workers, arguments.threads))
    with tempfile.TemporaryDirectory(prefix="diglot-bench-") as name:
        folder = Path(name)
        with servers.running(arguments.store, folder) as store:
            shop = Shop(_PRODUCTS)
            templates.load(store, SHOP, shop)
            sweep = _Sweep(store, templates.keys(shop), folder, arguments)
            for round_, size in itertools.product(range(arguments.rounds), sizes):
                console.print(f"round {round_ + 1}: {size[0]} workers of {size[1]} threads")
                sweep.measure(size)
    for work, connections in itertools.product(_WORKS, arguments.connections):
        console.print(_table(sweep.found, work, connections, sizes))
    for work in _SHARES if arguments.rate else ():
        console.print(_latencies(sweep.late, work, sizes, arguments.rate))


@dataclass
class _Sweep:
    """All that is measured with one store."""

    store: Store
    keys: Keys
    folder: Path
    arguments: argparse.Namespace
    found: Found = field(default_factory=lambda: defaultdict(list))
    late: Late = field(default_factory=lambda: defaultdict(list))
    #: Where the numbers of new records begin.
    counters: Iterator[int] = field(default_factory=lambda: itertools.count(1_000_000, 1_000_000))

    def measure(self, size: Size) -> None:
        """Start Diglot with so many workers and threads, and give it each load once."""
        [diglot] = [each for each in CONTENDERS if (each.name, each.backend) == ("diglot", self.store.backend)]
        port = servers.free_port()
        command = diglot.start(Place(self.store.url(SHOP), port, self.folder))
        environment = {**command.environment, "DIGLOT_WORKERS": str(size[0]), "DIGLOT_THREADS": str(size[1])}
        probe = DIGLOT.requests(ONE, self.keys)[0]
        log = self.folder / "workers.log"
        with processes.running(command.arguments, environment, port, probe, log) as service:
            for work in _WORKS:
                for connections in self.arguments.connections:
                    done = self._load(service, port, work, connections)
                    self.found[work, connections, size].append(done)
                if work in _SHARES and self.arguments.rate:
                    self.late[work, size].append(self._latency(port, work))

    def _load(self, service: psutil.Process, port: int, work: Work, connections: int) -> tuple[Load, float]:
        requests = DIGLOT.requests(work, self.keys)
        warm, timed = next(self.counters), next(self.counters)
        load.warm(port, requests, seconds=_WARM_SECONDS, connections=connections, counter=warm, folder=self.folder)
        before, seconds = processes.cpu(service), self.arguments.seconds
        done = load.run(port, requests, seconds=seconds, connections=connections, counter=timed, folder=self.folder)
        return done, processes.cpu(service) - before

    def _latency(self, port: int, work: Work) -> Latency:
        requests, rate = DIGLOT.requests(work, self.keys), self.arguments.rate * _SHARES[work]
        seconds = 2 * self.arguments.seconds
        return open_loop.run(port, requests, rate=rate, seconds=seconds, counter=next(self.counters))


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


def _latencies(late: Late, work: Work, sizes: list[Size], rate: float) -> Table:
    table = Table("workers", "threads", "p50, ms", "p99, ms", "best round", "errors")
    table.title = f"{work.name}, {rate * _SHARES[work]:,.0f} requests per second"
    for size in sizes:
        runs = late[work, size]
        table.add_row(
            *map(str, size),
            f"{statistics.median(run.p50 for run in runs):.1f}",
            f"{statistics.median(run.p99 for run in runs):.1f}",
            f"{min(run.p99 for run in runs):.1f}",
            str(sum(run.errors + run.late for run in runs)),
        )
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.workers", description=__doc__)
    parser.add_argument("--store", choices=BACKENDS, default="postgres")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 4, 8, 16])
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--rate", type=float, default=2000, help="requests per second to take latencies at; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="of each timed run; wrk takes whole ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()

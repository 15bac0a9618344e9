"""`python -m bench`: every contender in turn, in interleaved rounds, on the same servers and data."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import load
from bench.contenders import THREADS, WORKERS, Contender, cpu, granian, memory, running
from bench.data import RESOURCES, Shop, loaded
from repositories.connect import BACKENDS

PORT = 8700
CONNECTIONS = 16
Answers = dict[str, list[object]]
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Run:
    """One measured run of one contender on one kind of request."""

    contender: str
    backend: str
    work: str
    round: int
    requests: float
    p50: float
    p99: float
    errors: int
    cpu_per_1000: float
    memory_mib: float


def contenders(backend: str, url: str) -> list[Contender]:
    """What is compared on one store."""
    service = {
        "DIGLOT_BACKEND": backend,
        f"DIGLOT_{backend.upper()}_URL": url,
        "DIGLOT_RESOURCES": str(RESOURCES.resolve()),
        "DIGLOT_PORT": str(PORT),
        "DIGLOT_WORKERS": str(WORKERS),
        "DIGLOT_THREADS": str(THREADS),
        "DIGLOT_LOG_LEVEL": "error",
    }
    return [
        Contender("diglot", backend, (str(Path(sys.executable).with_name("diglot")), "serve"), service),
        Contender("floor", backend, granian(f"bench.floor_{backend}:app", PORT), {"FLOOR_URL": url}),
    ]


def works(shop: Shop) -> dict[str, list[tuple[str, str]]]:
    """The kinds of request, each as the paths that are asked for in turn: the service's, and the floor's."""
    customers = range(1, shop.customers + 1)
    return {
        "one by id": [(f"/api/products/{key}", f"/api/products/{key}") for key in shop.products],
        "list of 20": [
            (
                f"/api/products?category_id=eq.{category}&price=gte.{price}&order=price.desc&limit=20",
                f"/api/products?category_id={category}&price={price}&limit=20",
            )
            for category in shop.categories
            for price in (5, 10, 20)
        ],
        "20 with a to-one embed": [
            (
                f"/api/products?category_id=eq.{category}&select=id,sku,name,price,category(id,name)"
                "&order=price.desc&limit=20",
                f"/by-hand/products-with-category?category={category}",
            )
            for category in shop.categories
        ],
        "20 with a to-many embed": [
            (
                f"/api/orders?customer_id=eq.{customer}&order=placed_at.desc&limit=20"
                "&select=id,status,placed_at,order_lines(position,quantity,unit_price)",
                f"/by-hand/orders-with-lines?customer={customer}",
            )
            for customer in customers
        ],
        "grouped aggregate": [
            (
                "/api/products?select=category_id,count(),total:price.sum(),pieces:stock.sum()&order=category_id",
                "/by-hand/sales",
            )
        ],
    }


def check(answers: dict[str, list[object]], work: str) -> None:
    """Refuse to time contenders that do not answer alike."""
    reference = answers["diglot"]
    for name, other in answers.items():
        if other != reference:
            raise SystemExit(f"{name} answers {work} otherwise than diglot:\n{other[0]}\n{reference[0]}")


def fetched(paths: list[str]) -> list[object]:
    """The parsed answers to the first few paths."""
    bodies = []
    for path in paths[:20]:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=10) as response:
            # Python writes the digits of an instant's fraction by threes, the contract without trailing zeros.
            bodies.append(json.loads(re.sub(r"(:[0-9]{2}\.[0-9]*?)0+\+", r"\1+", response.read().decode())))
    return bodies


def measure(contender: Contender, shop: Shop, round_: int, seconds: float, folder: Path) -> tuple[list[Run], Answers]:
    """All kinds of request against one contender; also its answers, to be checked."""
    runs: list[Run] = []
    answers: Answers = {}
    with running(contender, PORT) as process:
        for work, paths in works(shop).items():
            mine = [own if contender.name == "diglot" else by_hand for own, by_hand in paths]
            answers[work] = fetched(mine)
            url = f"http://127.0.0.1:{PORT}"
            load.run(url, mine, seconds=max(1, seconds / 3), connections=CONNECTIONS, folder=folder)
            before = cpu(process)
            result = load.run(url, mine, seconds=seconds, connections=CONNECTIONS, folder=folder)
            spent = (cpu(process) - before) / (result.requests * seconds) * 1000
            runs.append(
                Run(contender.name, contender.backend, work, round_, **asdict(result), cpu_per_1000=spent,
                    memory_mib=memory(process))
            )  # fmt: skip
    return runs, answers


def main() -> None:
    """Measure, print, and keep the results."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs: a few minutes in all")
    parser.add_argument("--products", type=int, default=50_000)
    arguments = parser.parse_args()
    if not load.available():
        raise SystemExit("wrk is needed: `apt-get install wrk` or `brew install wrk`")
    rounds, seconds = (2, 4) if arguments.quick else (4, 12)
    console = Console()
    runs: list[Run] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diglot-bench-")))
        for backend in BACKENDS:
            started = time.monotonic()
            shop = stack.enter_context(loaded(backend, folder, arguments.products))
            console.print(f"{backend}: {arguments.products} products in {time.monotonic() - started:.1f} s")
            for round_ in range(rounds):
                answers: dict[str, Answers] = {}
                for contender in contenders(backend, shop.url):
                    measured, answers[contender.name] = measure(contender, shop, round_, seconds, folder)
                    runs.extend(measured)
                    console.print(
                        f"  round {round_ + 1} {contender.name}: "
                        + ", ".join(f"{run.work} {run.requests:,.0f}/s" for run in measured)
                    )
                for work in works(shop):
                    check({name: answer[work] for name, answer in answers.items()}, work)
    console.print(summary(runs))
    RESULTS.mkdir(exist_ok=True)
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    (RESULTS / "latest.json").write_text(
        json.dumps({"machine": machine, "runs": [asdict(run) for run in runs]}, indent=1) + "\n"
    )


def summary(runs: list[Run]) -> Table:
    """Medians over the rounds, and the ratio to the floor, round by round."""
    table = Table(
        "store", "work", "contender", "requests/s", "of the floor", "p50 ms", "p99 ms", "CPU s/1,000", "MiB/process",
        title=f"{CONNECTIONS} connections, {WORKERS} workers, medians",
    )  # fmt: skip
    kinds = sorted({(run.backend, run.work, run.contender) for run in runs})
    for backend, work, contender in kinds:
        mine = [run for run in runs if (run.backend, run.work, run.contender) == (backend, work, contender)]
        floor = {run.round: run for run in runs if (run.backend, run.work, run.contender) == (backend, work, "floor")}
        ratios = [run.requests / floor[run.round].requests for run in mine]
        errors = sum(run.errors for run in mine)
        table.add_row(
            backend, work, contender,
            f"{statistics.median(run.requests for run in mine):,.0f}" + (f" ({errors} errors)" if errors else ""),
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
            f"{statistics.median(run.p50 for run in mine):.1f}", f"{statistics.median(run.p99 for run in mine):.1f}",
            f"{statistics.median(run.cpu_per_1000 for run in mine):.2f}",
            f"{statistics.median(run.memory_mib for run in mine):.0f}",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()

"""`python -m bench`: the contenders take turns at every work, in several rounds, on the same servers and data."""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from bench import load, measure, report, results, scaling, templates
from bench.contenders import CONTENDERS, THREADS, Contender
from bench.measure import Bench, Started
from bench.results import Results
from bench.stores import servers
from bench.templates import Store
from bench.works import WORKS, Keys, Kind, Work
from repositories.connect import BACKENDS
from service.demo.shop import PRODUCTS, Shop

_LEAST_ROUNDS = 2


@dataclass(frozen=True)
class Plan:
    """What is run, and for how long. A third round begins only where it ends before `minutes` are over."""

    contenders: Sequence[Contender]
    works: Sequence[Work]
    products: int
    rounds: int
    seconds: float
    open_seconds: float
    open_rounds: int
    sweep_seconds: float
    sizes: Sequence[int]
    minutes: float


def main() -> None:
    """Measure, print, and keep the results; or publish what was kept."""
    arguments = _arguments()
    console = Console(highlight=False)
    if arguments.publish:
        report.publish()
        return
    if not load.available():
        raise SystemExit("wrk is needed: `apt-get install wrk` or `brew install wrk`")
    plan = _plan(arguments)
    found = Results(plan.products, arguments.quick, THREADS, machine=results.machine())
    began = time.monotonic()
    # Whatever ends this process, its servers are to end, too.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with ExitStack() as stack:
        stack.callback(_finish, found, began)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diglot-bench-")))
        bench = Bench(folder, found, console.print)
        backends = [name for name in BACKENDS if any(contender.backend == name for contender in plan.contenders)]
        for number, backend in enumerate(backends):
            until = began + plan.minutes * 60 * (number + 1) / len(backends)
            with servers.running(backend, folder) as store:
                _compare(bench, store, plan, until)
    console.print(f"{found.minutes} minutes; the tables and plots are in {results.FOLDER}")


def _finish(found: Results, began: float) -> None:
    """Keep what there is, also of a run that was broken off."""
    found.minutes = round((time.monotonic() - began) / 60, 1)
    found.save()
    report.write(found)


def _compare(bench: Bench, store: Store, plan: Plan, until: float) -> None:
    """Everything on one store, which ends before `until` if two rounds do."""
    chosen = [contender for contender in plan.contenders if contender.backend == store.backend]
    shop = Shop(plan.products)
    began = time.monotonic()
    made = templates.prepare(store, shop, chosen, port=servers.free_port(), folder=bench.folder, say=bench.say)
    bench.say(f"{store.backend}: {plan.products:,} products, loaded in {time.monotonic() - began:.0f} s")
    if plan.sizes:
        scaling.growth(bench, store, chosen, plan.sizes, plan.sweep_seconds)
    bench.forget()
    keys = templates.keys(shop)
    ready = [contender for contender in chosen if contender.records in made]
    for contender in chosen:
        if contender not in ready:
            bench.results.refuse(contender.name, contender.backend, "*", "could not be installed or loaded here")
    lasted = 0.0
    for round_ in range(plan.rounds):
        began = time.monotonic()
        if round_ >= _LEAST_ROUNDS and began + lasted > until:
            bench.say(f"  no time for round {round_ + 1}")
            break
        _round(bench, store, plan, ready, made=made, round_=round_, keys=keys)
        lasted = time.monotonic() - began


def _round(
    bench: Bench, store: Store, plan: Plan, ready: Sequence[Contender], *, made: dict[str, str], round_: int, keys: Keys
) -> None:
    """Every work, at which the contenders take turns, the others waiting: a machine is not as fast at one minute as at
    the next. Diglot comes first in the first round, for its answers are what others are compared with; later, chance
    decides. Who fails takes no further part in the round.
    """
    with ExitStack() as stack:
        there = []
        for contender in ready:
            placed = partial(stack.enter_context, _placed(bench, store, contender, made[contender.records], keys))
            service = measure.attempt(bench, contender, placed)
            if service is None:
                continue
            there.append(service)
        # When all are up: pages of common libraries are then divided among all of them, whoever came first.
        for service in there:
            measure.attempt(bench, service.contender, partial(service.start, round_))
        if round_ == 0 and plan.sweep_seconds:
            for service in there:
                if service.contender.quick:
                    measure.attempt(bench, service.contender, partial(scaling.sweep, service, plan.sweep_seconds))
        open_seconds = plan.open_seconds if round_ < plan.open_rounds else 0
        order = random.Random(round_)
        for number, work in enumerate(plan.works):
            bench.say(f"  round {round_ + 1} on {store.backend}: {work.name}")
            for service in list(there) if round_ == 0 else order.sample(there, len(there)):
                turn = partial(
                    measure.turn, service, work, round_, seconds=plan.seconds, open_seconds=open_seconds,
                    cold=number == 0,
                )  # fmt: skip
                if measure.attempt(bench, service.contender, turn) is None:
                    there.remove(service)


@contextmanager
def _placed(bench: Bench, store: Store, contender: Contender, template: str, keys: Keys) -> Iterator[Started]:
    """The contender on a fresh copy of its records. Raises `StartError`."""
    database = f"x_{re.sub(r'[^a-z]+', '_', contender.name.lower())}"
    store.create(database, template)
    try:
        store.settle(database)
        with measure.started(bench, contender, store, database, keys) as service:
            yield service
    finally:
        store.drop(database)


def _plan(arguments: argparse.Namespace) -> Plan:
    quick: bool = arguments.quick
    works = [work for work in WORKS if work.kind is not Kind.STREAM and (work.quick or not quick)]
    contenders = [contender for contender in CONTENDERS if contender.quick or not quick]
    if arguments.only:
        works = [work for work in works if work.name in arguments.only] or works
        contenders = [contender for contender in contenders if contender.name in arguments.only] or contenders
    if arguments.store:
        contenders = [contender for contender in contenders if contender.backend == arguments.store]
    sizes = [] if quick else [10_000, 100_000, 1_000_000]
    if arguments.sizes is not None:
        sizes = arguments.sizes
    return Plan(
        contenders,
        works,
        arguments.products or (10_000 if quick else PRODUCTS),
        arguments.rounds or (2 if quick else 3),
        arguments.seconds or (1 if quick else 1.5),
        1 if quick else 2,
        1 if quick else 2,
        0 if quick else 1,
        sizes,
        arguments.minutes or (3 if quick else 20),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer contenders and works: three minutes in all")
    parser.add_argument("--publish", action="store_true", help="write the last run's table into README.md, and stop")
    parser.add_argument("--only", action="append", help="a contender or a work; may be given more than once")
    parser.add_argument("--store", choices=BACKENDS, help="one store only")
    parser.add_argument("--sizes", type=int, nargs="*", help="products, growing, such as 10000 1000000 10000000")
    parser.add_argument("--products", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each timed run; wrk takes whole ones")
    parser.add_argument("--minutes", type=float, help="after which no third round begins")
    return parser.parse_args()


if __name__ == "__main__":
    main()

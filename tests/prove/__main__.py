"""`python -m tests.prove`: prove that the stores are equal, for as long as there is time, and write a report.

Ends with 1 where there is any difference.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from tests import servers
from tests.prove import differential, stateful
from tests.prove.parts import MODULES, Outcome, Part, parts, work
from tests.prove.report import Report

SHOWN = 5


def main() -> int:
    """Run, print, and tell whether anything differs."""
    arguments, console = _arguments(), Console(emoji=False)
    if arguments.replay:
        replayed = stateful.replayed if '"steps"' in arguments.replay else differential.replayed
        return int(replayed(arguments.replay, lambda text: console.print(text, markup=False, highlight=False)))
    report = _run(console, arguments)
    page = report.write(arguments.report)
    _show(console, report)
    console.print(f"Report: {page} and {page.with_suffix('.json')}", highlight=False)
    return int(bool(report.differences))


def _run(console: Console, arguments: argparse.Namespace) -> Report:
    chosen, begun = parts(arguments.only), time.monotonic()
    found = {part.name: (part.title, Outcome()) for part in chosen}
    with (
        ExitStack() as stack,
        ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool,
        Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=console, transient=True) as progress,
    ):
        stack.callback(os.environ.update, {name: os.environ.get(name, "") for name in _start_servers(stack)})
        left = {pool.submit(work, *job): job[0] for job in _jobs(chosen, arguments)}
        task = progress.add_task("proving", total=arguments.minutes * 60)
        while left:
            done, _ = wait(left, timeout=1)
            progress.update(task, completed=time.monotonic() - begun)
            for each in done:
                _collect(each, found[left.pop(each)][1])
    return Report(time.monotonic() - begun, arguments.seed, arguments.workers, found)


def _collect(future: Future[Outcome], outcome: Outcome) -> None:
    """A part that has failed is a difference, too."""
    failure = future.exception()
    if failure is None:
        outcome.add(future.result())
    else:
        outcome.differences.append(f"The part failed: {failure!r}\n{failure.__cause__ or ''}")


def _jobs(chosen: list[Part], arguments: argparse.Namespace) -> list[tuple[str, float, int]]:
    """A part's name, its seconds and its seed: a split part is there once for each worker."""
    weights = sum(part.weight for part in chosen)
    jobs = []
    for part in sorted(chosen, key=lambda part: part.split):
        seconds = arguments.minutes * 60 * part.weight / weights
        if part.split:
            jobs += [(part.name, seconds, arguments.seed + number) for number in range(arguments.workers)]
        else:
            jobs.append((part.name, seconds * arguments.workers, arguments.seed))
    return jobs


def _start_servers(stack: ExitStack) -> list[str]:
    """One server of each kind for all workers, told to them in the environment."""
    memory = Path("/dev/shm")
    folder = stack.enter_context(
        tempfile.TemporaryDirectory(prefix="diglot-prove-", dir=memory if memory.is_dir() else None)
    )
    started = {
        "TEST_POSTGRES_URL": servers.postgres(Path(folder) / "postgres"),
        "TEST_MONGODB_URL": servers.mongodb(Path(folder) / "mongodb"),
    }
    for variable, server in started.items():
        os.environ[variable] = stack.enter_context(server)
    return list(started)


def _show(console: Console, report: Report) -> None:
    for title, outcome in report.parts.values():
        table = Table("", "", title=title, show_header=False)
        for name, value in outcome.figures.items():
            table.add_row(name, f"{value:,.0f}")
        table.add_row("differences", str(len(outcome.differences)), style="red" if outcome.differences else "green")
        console.print(table)
        for each in outcome.differences[:SHOWN]:
            console.print(each, style="red", markup=False, highlight=False)
    cells = report.as_data()["cells"]
    console.print(
        f"cells hit: {cells['hit']:,}; of those expected {cells['expected and hit']:,} of {cells['expected']:,}"
    )
    console.print(f"cases: {report.cases:,} in {report.seconds:,.0f} s; differences: {len(report.differences)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.prove", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [name.rpartition(".")[2] for name in MODULES]
    parser.add_argument("--minutes", type=float, default=60, help="for all parts together")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--only", action="append", metavar="PART", help=f"a part ({', '.join(names)}); may be repeated")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of all that is random")
    parser.add_argument("--report", type=Path, default=Path(".prove"), help="where the report is written")
    parser.add_argument("--replay", metavar="JSON", help="ask the requests of a difference again, and no more")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

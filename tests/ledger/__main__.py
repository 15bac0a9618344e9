"""`python -m tests.ledger`: a ledger is kept while connections are cut; was any write lost, doubled or halved?

Ends with 1 where any was, or an answer was wrong. With `--broken` the service is one that must be found out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests import servers
from tests.ledger.broken import KINDS
from tests.ledger.knives import AFTER, ANSWER, AT_WORK, BEFORE, OUTSIDE, REQUEST
from tests.ledger.operations import MIX
from tests.ledger.run import Plan, Report, run

SERVERS = {"postgres": servers.postgres, "mongodb": servers.mongodb}
SHOWN = 10
#: How the findings are called.
_FINDINGS = {
    "lost": "lost",
    "duplicated": "duplicated",
    "partial": "partly applied",
    "unfounded": "there, but refused or unknown",
    "unbalanced": "unbalanced",
    "wrong": "wrong answers",
}


def main() -> int:
    """Run, print, and tell whether anything was found."""
    arguments = _arguments()
    console = Console()
    backends = list(SERVERS) if arguments.backend == "both" else [arguments.backend]
    reports = [_run(console, backend, arguments) for backend in backends]
    return int(any(report.findings for report in reports))


def _run(console: Console, backend: str, arguments: argparse.Namespace) -> Report:
    plan = Plan(backend, arguments.writes, arguments.clients, arguments.minutes * 60, arguments.seed, arguments.broken)
    with (
        tempfile.TemporaryDirectory(prefix="diglot-ledger-") as folder,
        SERVERS[backend](Path(folder) / backend) as url,
        Progress(console=console, transient=True) as progress,
    ):
        task = progress.add_task(backend, total=plan.writes)
        report = run(plan, url, Path(folder), lambda done: progress.update(task, completed=done))
    _show(console, report)
    return report


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.ledger", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backend", choices=[*SERVERS, "both"], default="both")
    parser.add_argument("--writes", type=int, default=50_000, help="how many are to be acknowledged")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=15, help="for each backend at the most")
    parser.add_argument("--seed", default="0", help="of all that is random")
    parser.add_argument("--broken", choices=KINDS, help="break the service's idempotency keys")
    return parser.parse_args()


def _show(console: Console, report: Report) -> None:
    broken = report.plan.broken
    table = Table("", "", title=report.plan.backend + (f" (broken: {broken})" if broken else ""), show_header=False)
    for name, value in _rows(report):
        table.add_row(name, value)
    console.print(table)
    for kind, lines in vars(report.findings).items():
        for line in lines[:SHOWN]:
            console.print(f"{_FINDINGS[kind]}: {line}", style="red", markup=False)


def _rows(report: Report) -> list[tuple[str, str]]:
    seen, findings = report.seen, report.findings
    later = ("in flight (409)", "503", "504")
    told = ("refused", "given up", "attempts", "answers lost", "replays", *later, "asked again")
    return [
        ("writes acknowledged", f"{report.acknowledged:,} of {report.plan.writes:,}"),
        ("  by kind", ", ".join(f"{kind} {seen[kind]:,}" for kind in MIX)),
        *((name, f"{seen[name]:,}") for name in told),
        ("cuts, client side", _cuts(report.client_cuts, REQUEST, AT_WORK, ANSWER)),
        ("cuts, database side", _cuts(report.database_cuts, OUTSIDE, BEFORE, AFTER)),
        ("seconds", f"{report.seconds:.0f} ({report.acknowledged / report.seconds:,.0f} writes/s)"),
        ("slowest write", f"{report.slowest:.1f} s"),
        *((_FINDINGS[name], f"{len(lines):,}") for name, lines in vars(findings).items()),
    ]


def _cuts(made: Counter[str], *phases: str) -> str:
    return f"{made.total():,}: " + ", ".join(f"{phase} {made[phase]:,}" for phase in phases)


if __name__ == "__main__":
    sys.exit(main())

"""The tables of a run, in Markdown: medians over the rounds, with their spread, and ratios taken round by round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from bench.contenders import CONTENDERS
from bench.results import Grown, Results, Timed
from bench.works import STREAMS, WORKS, Work

STORES = {"postgres": "PostgreSQL", "mongodb": "MongoDB"}
FLOOR, PARSE, OWN = "floor", "Parse Server", "diglot"
Rows = list[list[str]]


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the first column is text, the others are figures."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def names(results: Results, backend: str) -> list[str]:
    """The contenders of a store that took part, in the order of their list."""
    runs = [*results.timed, *results.streams, *results.growth]
    there = {run.contender for run in runs if run.backend == backend}
    there |= {key.split("/")[1] for key in results.cannot if key.startswith(backend)}
    return [contender.name for contender in CONTENDERS if contender.backend == backend and contender.name in there]


def works(results: Results) -> list[Work]:
    """The works of closed-loop runs that were timed."""
    there = {run.work for run in results.timed}
    return [work for work in WORKS if work.name in there]


def of(results: Results, backend: str, contender: str, work: str) -> dict[int, Timed]:
    """The closed-loop runs by their round."""
    asked = (backend, contender, work)
    return {run.round: run for run in results.timed if (run.backend, run.contender, run.work) == asked}


def ratios(results: Results, backend: str, contender: str, work: str, other: str) -> list[float]:
    """How much faster than another, in each round that both have."""
    mine, theirs = (of(results, backend, name, work) for name in (contender, other))
    return [mine[number].rate / theirs[number].rate for number in sorted(mine.keys() & theirs) if theirs[number].rate]


def figure(value: float) -> str:
    """As many digits as tell something."""
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def spread(values: Sequence[float], write: Callable[[float], str] = figure) -> str:
    """The median, and the least and the largest where there are more than one."""
    if not values:
        return "–"
    median = write(statistics.median(values))
    return f"{median} ({write(min(values))}–{write(max(values))})" if len(values) > 1 else median


def rates(results: Results, backend: str) -> str:
    """Answers per second of every contender; of bulk inserts, records per second."""
    contenders = names(results, backend)
    rows = [
        [f"{work.name} (records)" if work.records else work.name]
        + [_cell(results, backend, name, work) for name in contenders]
        for work in works(results)
    ]
    return markdown([STORES[backend], *contenders], rows)


def _cell(results: Results, backend: str, contender: str, work: Work) -> str:
    runs = of(results, backend, contender, work.name).values()
    if not runs:
        return "–"
    errors = sum(run.errors for run in runs)
    return spread([run.rate * (work.records or 1) for run in runs]) + (f" {errors} errors" if errors else "")


def compared(results: Results, backend: str) -> str:
    """How many times as fast as each other contender Diglot is."""
    others = [name for name in names(results, backend) if name != OWN]
    rows = [
        [work.name, *(spread(ratios(results, backend, OWN, work.name, other), "{:.2f}".format) for other in others)]
        for work in works(results)
    ]
    return markdown([f"{STORES[backend]}: diglot against", *others], rows)


def costs(results: Results, backend: str) -> str:
    """Milliseconds, CPU seconds and memory under closed-loop load."""
    rows = []
    for work in works(results):
        for name in names(results, backend):
            runs = list(of(results, backend, name, work.name).values())
            if not runs:
                continue
            median = {
                key: statistics.median(getattr(run, key) for run in runs)
                for key in ("p50", "p99", "client", "service", "database", "memory")
            }
            parts = [f"{median[key]:.2f}" for key in ("client", "service", "database")]
            memory = f"{median['memory']:.0f}"
            rows.append([f"{work.name}: {name}", f"{median['p50']:.1f}", f"{median['p99']:.1f}", *parts, memory])
    header = [STORES[backend], "p50 ms", "p99 ms", "client", "service", "database", "MiB"]
    return markdown(header, rows)


def latencies(results: Results, backend: str) -> str:
    """Milliseconds at a fixed rate, 60 % of the contender's own throughput."""
    rows = []
    for work in works(results):
        for name in names(results, backend):
            runs = [
                run for run in results.paced if (run.backend, run.contender, run.work) == (backend, name, work.name)
            ]
            if runs:
                shown = [spread([getattr(run, key) for run in runs]) for key in ("rate", "p50", "p99", "p999")]
                failed = sum(run.errors + run.late for run in runs)
                rows.append([f"{work.name}: {name}", *shown, str(failed)])
    return markdown([STORES[backend], "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "failed"], rows)


def streams(results: Results, backend: str) -> str:
    """Long answers: time, rows per second, memory."""
    rows = []
    for work in STREAMS:
        for name in names(results, backend):
            runs = [
                run for run in results.streams if (run.backend, run.contender, run.work) == (backend, name, work.name)
            ]
            if runs:
                rows.append(
                    [
                        f"{work.name}: {name}",
                        spread([run.seconds for run in runs]),
                        spread([run.rows / run.seconds for run in runs]),
                        spread([run.first * 1000 for run in runs]),
                        f"{statistics.median(run.memory for run in runs):.0f}",
                        f"{max(run.peak for run in runs):.0f}",
                    ]
                )
    return markdown([STORES[backend], "seconds", "rows/s", "first byte ms", "MiB before", "MiB at most"], rows)


def starts(results: Results, backend: str) -> str:
    """Seconds to the first answer, and memory then."""
    rows = []
    for name in names(results, backend):
        found = [start for start in results.starts if (start.backend, start.contender) == (backend, name)]
        if found:
            shown = [
                spread([getattr(start, key) for start in found]) for key in ("seconds", "resident", "proportional")
            ]
            rows.append([name, str(found[0].processes), *shown])
    return markdown([STORES[backend], "processes", "seconds", "MiB resident", "MiB proportional"], rows)


def growth(results: Results, backend: str) -> str:
    """Answers per second by the number of products."""
    return _by(
        [run for run in results.growth if run.backend == backend],
        lambda run: run.products,
        f"{STORES[backend]}: products",
    )


def connections(results: Results, backend: str) -> str:
    """Answers per second by the number of connections; those on 16 come from the rounds."""
    swept = [run for run in results.sweep if run.backend == backend]
    who = {(run.contender, run.work) for run in swept}
    usual = [run for run in results.timed if run.backend == backend and (run.contender, run.work) in who]
    return _by([*swept, *usual], lambda run: run.connections, f"{STORES[backend]}: connections")


def _by(runs: Sequence[Timed], key: Callable[[Grown], int], title: str) -> str:
    steps = sorted({key(run) for run in runs})  # type: ignore[arg-type]
    subjects = list(dict.fromkeys((run.work, run.contender) for run in runs))
    rows = []
    for work, contender in sorted(subjects, key=lambda pair: pair[0]):
        mine = [run for run in runs if (run.work, run.contender) == (work, contender)]
        medians = [[run.rate for run in mine if key(run) == step] for step in steps]  # type: ignore[arg-type]
        rows.append([f"{work}: {contender}", *(spread(found) for found in medians)])
    return markdown([title, *(f"{step:,}" for step in steps)], rows)


def reasons(results: Results) -> str:
    """Why some have no figure, or none of a work."""
    rows = []
    for key, reason in results.cannot.items():
        backend, contender, work = key.split("/", 2)
        what = "everything" if work == "*" else work
        rows.append([f"{contender} on {STORES[backend]}", what, " ".join(reason.replace("|", "/").split())[:200]])
    return markdown(["contender", "work", "reason"], rows).replace("--:", "---")

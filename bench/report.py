"""The report of a run: tables and plots into `bench/results/`, and its main table into the README on demand."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import plots, results, tables
from bench.contenders import CONTENDERS, WORKERS
from bench.measure import CONNECTIONS, SHARE
from bench.results import FOLDER, Results
from bench.tables import STORES

_ROOT = Path(__file__).parents[1]
README = _ROOT / "README.md"
#: Where published plots are kept, for the README to show.
PUBLISHED = _ROOT / "docs" / "benchmarks"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def write(found: Results) -> None:
    """The whole report, beside the JSON."""
    plots.draw(found, FOLDER)
    (FOLDER / "latest.md").write_text(_whole(found), "utf-8")


def publish() -> None:
    """The main tables of the last run, between the README's markers, and its plots. Raises `SystemExit`."""
    try:
        found = results.load()
    except FileNotFoundError:
        raise SystemExit("there are no results yet: run `make bench`") from None
    text = README.read_text("utf-8")
    if BEGIN not in text or END not in text:
        raise SystemExit(f"README.md lacks the lines {BEGIN} and {END}, between which the table goes")
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    pictures = []
    for plot in plots.draw(found, FOLDER):
        shutil.copyfile(plot, PUBLISHED / plot.name)
        pictures.append(f"![{plot.stem}](docs/benchmarks/{plot.name})")
    (PUBLISHED / "report.md").write_text(_whole(found), "utf-8")
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    whole = "[The whole report](docs/benchmarks/report.md) has latencies, processor time, memory and streams."
    parts = [_conditions(found), *_main(found), *pictures, whole]
    README.write_text(head + BEGIN + "\n\n" + "\n\n".join(parts) + "\n\n" + END + tail, "utf-8")


def _main(found: Results) -> list[str]:
    there = [backend for backend in STORES if tables.names(found, backend)]
    return [table(found, backend) for backend in there for table in (tables.rates, tables.compared)]


def _conditions(found: Results) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in found.machine["packages"].items())
    rounds = 1 + max((run.round for run in found.timed), default=0)
    return (
        f"Answers per second, {found.products:,} products, {CONNECTIONS} connections, {WORKERS} workers of each service"
        f" (where it has threads, each has {found.threads['postgres']} with PostgreSQL, {found.threads['mongodb']} with"
        " MongoDB);"
        f" client, service and database share"
        f" {found.machine['processors']} processors ({found.machine['model']}). Medians of {rounds} rounds, in brackets"
        f" the least and the largest. {found.began}, commit {found.machine['commit']}, Python"
        f" {found.machine['python']}, {packages}." + (" A quick run." if found.quick else "")
    )


def _whole(found: Results) -> str:
    parts = ["# Benchmark", _conditions(found), "## Contenders", _contenders(found), "## Throughput", *_main(found)]
    sections = {
        "Latency, CPU and memory at full load": (
            "CPU seconds per 1,000 answers, of the client, the service and the database; the resident memory of all of"
            " a service's processes.",
            tables.costs,
        ),
        "Latency at a fixed rate": (
            f"Each contender is asked at {SHARE:.0%} of its own throughput, whether or not it has answered; latency"
            " counts from when a request was due.",
            tables.latencies,
        ),
        "Long answers": ("Memory is that of all of a service's processes.", tables.streams),
        "Start": (
            "Seconds from the command to the first answer, and memory then: of all processes, shared pages counted in"
            " each (resident), or divided among those that share them (proportional).",
            tables.starts,
        ),
        "Growing data": ("Answers per second.", tables.growth),
        "Connections": ("Answers per second.", tables.connections),
    }
    for title, (text, table) in sections.items():
        shown = [table(found, backend) for backend in STORES if tables.names(found, backend)]
        parts += [f"## {title}", text, *(one for one in shown if one.count("\n") > 1)]
    parts += ["## What has no figure", tables.reasons(found)]
    return "\n\n".join(parts) + "\n"


def _contenders(found: Results) -> str:
    rows = [
        [f"{contender.name} on {STORES[contender.backend]}", contender.what]
        for contender in CONTENDERS
        if contender.name in tables.names(found, contender.backend)
    ]
    return tables.markdown(["contender", "what it is"], rows).replace("--:", "---")

"""The plots of a run, as SVG."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench import tables
from bench.results import Grown, Results, Timed
from bench.tables import FLOOR, OWN, STORES
from bench.works import LIST, ONE

mpl.rcParams.update({"svg.hashsalt": "diglot", "svg.fonttype": "none", "font.size": 9, "axes.axisbelow": True})
_COLOURS = {
    OWN: "#0b6e4f", FLOOR: "#6b7280", "raw WSGI": "#9ca3af", "Parse Server": "#c2410c", "FastAPI": "#1d4ed8",
    "Flask ORM": "#7c3aed", "Eve": "#b45309", "floor, checked": "#4b5563",
}  # fmt: skip


def draw(results: Results, folder: Path) -> list[Path]:
    """Write the plots; returns their paths."""
    made = [_rates(results, backend, folder) for backend in _backends(results)]
    if results.growth:
        made.append(_lines(results.growth, lambda run: run.products, "products", folder / "growth.svg"))
    if results.sweep:
        usual = [run for run in results.timed if run.work in {ONE.name, LIST.name}]
        swept = {run.contender for run in results.sweep}
        runs = [*results.sweep, *(run for run in usual if run.contender in swept)]
        made.append(_lines(runs, lambda run: run.connections, "connections", folder / "connections.svg"))
    return made


def _backends(results: Results) -> list[str]:
    return [backend for backend in STORES if any(run.backend == backend for run in results.timed)]


def _rates(results: Results, backend: str, folder: Path) -> Path:
    """Bars: how many times as fast as the floor each contender is at each work, with least and largest."""
    timed = {run.contender for run in results.timed if run.backend == backend}
    contenders = [name for name in tables.names(results, backend) if name in timed - {FLOOR}]
    works = tables.works(results)
    figure = Figure(figsize=(8, 0.5 + 0.17 * len(contenders) * len(works) + 0.2 * len(works)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / max(len(contenders), 1)
    for number, name in enumerate(contenders):
        label: str | None = name
        for place, work in enumerate(works):
            found = tables.ratios(results, backend, name, work.name, FLOOR)
            if not found:
                continue
            middle = statistics.median(found)
            axes.barh(
                place + number * height, middle, height * 0.9, color=_COLOURS[name], label=label,
                xerr=[[middle - min(found)], [max(found) - middle]], error_kw={"lw": 0.7, "ecolor": "#111827"},
            )  # fmt: skip
            label = None
    axes.axvline(1, color="#6b7280", lw=1)
    axes.set_yticks([place + 0.4 - height / 2 for place in range(len(works))], [work.name for work in works])
    axes.invert_yaxis()
    axes.set_xlabel("times the throughput of the floor (1)")
    axes.set_title(f"{STORES[backend]}: throughput against hand-written Flask")
    axes.grid(axis="x", lw=0.3)
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return _saved(figure, folder / f"rates-{backend}.svg")


def _lines(runs: Sequence[Timed], key: Callable[[Grown], int], what: str, path: Path) -> Path:
    """Throughput over what grows: a panel for each store and work."""
    panels = list(dict.fromkeys((run.backend, run.work) for run in runs))
    columns = 2
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(8, 2.7 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for number, (backend, work) in enumerate(panels):
        axes = grid[number // columns][number % columns]
        here = [run for run in runs if (run.backend, run.work) == (backend, work)]
        for name in dict.fromkeys(run.contender for run in here):
            mine = [run for run in here if run.contender == name]
            steps = sorted({key(run) for run in mine})  # type: ignore[arg-type]
            heights = [statistics.median(run.rate for run in mine if key(run) == step) for step in steps]  # type: ignore[arg-type]
            axes.plot(steps, heights, marker="o", ms=3, lw=1.2, color=_COLOURS[name], label=name)
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_title(f"{STORES[backend]}: {work}", fontsize=9)
        axes.set_xlabel(what)
        axes.set_ylabel("answers per second")
        axes.grid(lw=0.3)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=max(len(labels), 1), frameon=False)
    return _saved(figure, path)


def _saved(figure: Figure, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None})
    return path

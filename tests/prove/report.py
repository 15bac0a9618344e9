"""The report of a run: as JSON, and as one page with a heat map of the language."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from tests.prove.coverage import possible
from tests.prove.parts import Outcome

Cell = tuple[str, str, str]
_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem;color:#1c2330}
h1{margin-bottom:.2rem}h2{margin:2.2rem 0 .5rem}h3{margin:1.4rem 0 .3rem;font-size:1rem}
.tiles{display:flex;flex-wrap:wrap;gap:.7rem;margin:1rem 0}
.tile{border:1px solid #d5dae3;border-radius:8px;padding:.6rem 1rem;min-width:8rem}
.tile b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}.tile.bad{border-color:#c62828;color:#c62828}
table{border-collapse:collapse;font-size:12px;font-variant-numeric:tabular-nums}
th{font-weight:500;text-align:right;padding:2px 8px;white-space:nowrap}
thead th{text-align:center;max-width:7rem;white-space:normal;vertical-align:bottom}
td{border:1px solid #fff;padding:2px 6px;text-align:right;min-width:3.2rem}
td.none{background:#f2f3f5}td.missed{background:#fff;border:1px solid #e5a2a2;color:#c62828}
.maps{display:flex;flex-wrap:wrap;gap:0 2.5rem}pre{background:#f6f7f9;padding:.8rem;overflow-x:auto;max-height:28rem}
.figures td,.figures th{border:0;text-align:left}
"""


@dataclass
class Report:
    """What the parts have found, by the name of each, with its title."""

    seconds: float
    seed: int
    workers: int
    parts: dict[str, tuple[str, Outcome]]

    @property
    def cases(self) -> int:
        return int(sum(outcome.figures.get("cases", 0) for _, outcome in self.parts.values()))

    @property
    def differences(self) -> list[str]:
        return [each for _, outcome in self.parts.values() for each in outcome.differences]

    def cells(self) -> tuple[Counter[Cell], Counter[Cell]]:
        hit, refused = Counter[Cell](), Counter[Cell]()
        for _, outcome in self.parts.values():
            hit.update(outcome.cells)
            refused.update(outcome.refused)
        return hit, refused

    def as_data(self) -> dict[str, Any]:
        hit, refused = self.cells()
        wanted = possible()
        return {
            "seconds": round(self.seconds, 1),
            "seed": self.seed,
            "workers": self.workers,
            "cases": self.cases,
            "differences": len(self.differences),
            "cells": {
                "hit": len(hit.keys() | refused.keys()),
                "expected": len(wanted),
                "expected and hit": len(wanted & (hit.keys() | refused.keys())),
                "missed": [list(cell) for cell in sorted(wanted - hit.keys() - refused.keys())],
            },
            "parts": {
                name: {"title": title, "figures": outcome.figures, "differences": outcome.differences}
                for name, (title, outcome) in self.parts.items()
            },
            "coverage": [[*cell, hit[cell], refused[cell]] for cell in sorted(hit.keys() | refused.keys())],
        }

    def write(self, directory: Path) -> Path:
        """Both forms; the page's path."""
        directory.mkdir(parents=True, exist_ok=True)
        data = self.as_data()
        (directory / "report.json").write_text(json.dumps(data, ensure_ascii=False, indent=1), "utf-8")
        page = directory / "report.html"
        page.write_text(_page(self, data), "utf-8")
        return page


def _page(report: Report, data: dict[str, Any]) -> str:
    tiles = {
        "cases": f"{report.cases:,}",
        "differences": str(len(report.differences)),
        "cells hit": f"{data['cells']['hit']:,}",
        "of those expected": f"{data['cells']['expected and hit']:,} of {data['cells']['expected']:,}",
        "minutes": f"{report.seconds / 60:.1f}",
        "cases a second": f"{report.cases / max(report.seconds, 1):,.0f}",
    }
    classes = {"differences": "tile bad"} if report.differences else {}
    shown = "".join(
        f'<div class="{classes.get(name, "tile")}"><b>{value}</b>{name}</div>' for name, value in tiles.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Equality, proven</title><style>{_STYLE}</style>'
        f"<h1>Equality, proven</h1><p>Oracle = PostgreSQL = MongoDB = MongoDB without nulls, by "
        f"{report.workers} worker{'s' if report.workers > 1 else ''}, seed {report.seed}, "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC.</p>"
        f'<div class="tiles">{shown}</div>{"".join(_part(*each) for each in report.parts.values())}'
        "<h2>The language: how many cases hit each cell</h2><p>Darker is more. A red frame: possible, and not hit. "
        f"Light grey: there is no such cell.</p>{_maps(*report.cells())}</html>"
    )


def _part(title: str, outcome: Outcome) -> str:
    told = "".join(
        f"<details><summary>{escape(each.partition(chr(10))[0])}</summary><pre>{escape(each)}</pre></details>"
        for each in outcome.differences
    )
    told = told or "<p>No differences.</p>"
    return f"<h2>{escape(title)}</h2>{_figures(outcome.figures)}{told}"


def _figures(figures: dict[str, float]) -> str:
    """One below the other; those that say the same of several things, as `name: what`, are a table."""
    pairs = {
        (name, what): value
        for name, _, what in (each.partition(": ") for each in figures)
        if what
        for value in (figures[f"{name}: {what}"],)
    }
    names, columns = dict.fromkeys(name for name, _ in pairs), dict.fromkeys(what for _, what in pairs)
    if len(columns) > len(names) or len(pairs) * 2 < len(names) * len(columns):
        pairs = {}
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{value:,.0f}</td></tr>"
        for name, value in figures.items()
        if not pairs or ": " not in name
    )
    table = f'<table class="figures">{rows}</table>'
    if pairs:
        head = "".join(f"<th>{escape(column)}</th>" for column in columns)
        body = "".join(
            f"<tr><th>{escape(name)}</th>"
            + "".join(f"<td>{pairs.get((name, column), 0):,.0f}</td>" for column in columns)
            + "</tr>"
            for name in names
        )
        table += f"<table><thead><tr><th></th>{head}</tr></thead>{body}</table>"
    return table


def _maps(hit: Counter[Cell], refused: Counter[Cell]) -> str:
    """One table for each kind of cell; answered and refused cases together."""
    cases, wanted = hit + refused, possible()
    tables: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for table, row, column in {*cases, *wanted}:
        tables[table].add((row, column))
    return '<div class="maps">' + "".join(_map(name, tables[name], cases, wanted) for name in sorted(tables)) + "</div>"


def _map(table: str, places: set[tuple[str, str]], cases: Counter[Cell], wanted: frozenset[Cell]) -> str:
    rows, columns = sorted({row for row, _ in places}), sorted({column for _, column in places})
    most = max((cases[table, row, column] for row, column in places), default=1)
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr><th>{escape(row)}</th>"
        + "".join(_cell((table, row, column), cases[table, row, column], most, wanted) for column in columns)
        + "</tr>"
        for row in rows
    )
    return f"<div><h3>{escape(table)}</h3><table><thead><tr><th></th>{head}</tr></thead>{body}</table></div>"


def _cell(cell: Cell, count: int, most: int, wanted: frozenset[Cell]) -> str:
    if not count:
        return '<td class="missed">0</td>' if cell in wanted else '<td class="none"></td>'
    heat = math.log1p(count) / math.log1p(most)
    colour = f"hsl(212 65% {96 - 58 * heat:.0f}%)"
    return f'<td style="background:{colour};color:{"#fff" if heat > 0.62 else "#1c2330"}">{count:,}</td>'

"""What `diglot schema advise` has found, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from repositories.base import Explanation
from repositories.connect import EmbeddedServerError
from repositories.errors import RepositoryError
from service import failures
from service.advice.advising import Advice, Request
from service.commands.terminal import console
from service.store import SchemaPendingError

#: Requests that are shown for each index.
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """A request that lacks an index: how a store answers without it, and with it."""

    advice: Advice
    backend: str
    request: Request
    before: Explanation
    after: Explanation

    @property
    def is_used(self) -> bool:
        """Whether the store uses the index."""
        return self.advice.index.name in self.after.indexes


@dataclass(slots=True)
class Findings:
    """What the stores say. `beyond` are reads of whole resources that no index can mend; `faults` are by store."""

    advice: list[Advice] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    faults: dict[str, Exception] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)

    @contextmanager
    def noting(self, backend: str) -> Iterator[None]:
        """What keeps one store from answering is noted, for others may still answer."""
        try:
            yield
        except (RepositoryError, EmbeddedServerError, SchemaPendingError) as error:
            self.faults[backend] = error

    def of(self, advice: Advice) -> list[Trial]:
        """The trials of an index."""
        return [trial for trial in self.trials if trial.advice is advice]

    def is_wanted(self, advice: Advice) -> bool:
        """Whether the index is lacking as far as is known: where it was tried, some store has used it."""
        trials = self.of(advice)
        return not trials or any(trial.is_used for trial in trials)


def document(findings: Findings) -> dict[str, Any]:
    """The findings as JSON."""
    return {
        "advice": [_advice(findings, each) for each in findings.advice],
        "beyond": findings.beyond,
        "errors": {name: failures.explain(error).message for name, error in findings.faults.items()},
    }


def _advice(findings: Findings, advice: Advice) -> dict[str, Any]:
    return {
        "resource": advice.resource.name,
        "index": ["-" * descending + name for name, descending in advice.keys],
        "backends": list(advice.backends),
        "count": advice.count,
        "wanted": findings.is_wanted(advice),
        "requests": [
            {
                "backend": lack.backend,
                "request": lack.request.text,
                "count": lack.request.count,
                "faults": list(lack.faults),
                "plan": lack.before.plan,
            }
            for lack in advice.lacks
        ],
        "trials": [
            {
                "backend": trial.backend,
                "request": trial.request.text,
                "used": trial.is_used,
                "before": _figures(trial.before),
                "after": _figures(trial.after),
            }
            for trial in findings.of(advice)
        ],
    }


def _figures(found: Explanation) -> dict[str, Any]:
    return {
        "indexes": list(found.indexes),
        "scans": list(found.scans),
        "sorts": found.sorts,
        "rows": found.rows,
        "examined": found.examined,
        "milliseconds": found.milliseconds,
        "plan": found.plan,
    }


def show(findings: Findings, reads: int) -> None:
    """Print the findings."""
    out = console()
    if findings.advice:
        out.print(_table(findings))
    elif not findings.faults:
        out.print(f"No index is lacking for {'this read' if reads == 1 else f'these {reads} reads'}.")
    for line in findings.beyond:
        out.print(Text(f"No index helps: {line}"))
    for name, error in findings.faults.items():
        out.print(Text(f"{name}: {failures.explain(error).message}", style="red"))


def _table(findings: Findings) -> Table:
    table = Table(title="Indexes that are lacking", title_justify="left", show_lines=True)
    for column in ("For the resource file", "Lacking in", "Reads", "Why"):
        table.add_column(column, overflow="fold")
    if findings.trials:
        table.add_column("Tried: examined, time", overflow="fold")
    for advice in findings.advice:
        texts = list(dict.fromkeys(lack.request.text for lack in advice.lacks))
        more = [f"and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
        cells = [
            f"{advice.resource.name}:\n  indexes: [{advice.line}]",
            "\n".join(advice.backends),
            "\n".join((f"{advice.count:,} ×", *texts[:_SHOWN], *more)),
            "\n".join(_reasons(advice)),
        ]
        tried = ["\n".join(map(_tried, findings.of(advice)))] if findings.trials else []
        table.add_row(*map(Text, cells + tried))
    return table


def _reasons(advice: Advice) -> Iterator[str]:
    for name in advice.backends:
        lacks = [lack for lack in advice.lacks if lack.backend == name]
        said = dict.fromkeys(fault for lack in lacks for fault in lack.faults)
        yield f"{name} {', '.join(said)}"
        if any(len(lack.need.order) > 1 and not lack.indexing.incremental for lack in lacks):
            yield f"({name} takes an order from an index only as a whole: every direction, and the tie-break)"


def _tried(trial: Trial) -> str:
    before, after = trial.before, trial.after
    outcome = "" if trial.is_used else " (not used)"
    return (
        f"{trial.backend}: {before.examined or 0:,} → {after.examined or 0:,}, "
        f"{before.milliseconds or 0:,.1f} → {after.milliseconds or 0:,.1f} ms{outcome}"
    )

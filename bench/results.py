"""What a run has found: plain records, written as JSON and read again."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"
LATEST = FOLDER / "latest.json"


@dataclass(frozen=True)
class Subject:
    """Who did what, and where."""

    contender: str
    backend: str
    work: str


@dataclass(frozen=True)
class Start(Subject):
    """From the command to the first answer, in seconds; then how many processes there are, and their MiB: resident
    sets added up (shared pages count in each), and proportional ones (shared pages are divided), 0 where unknown.
    """

    round: int
    seconds: float
    processes: int
    resident: float
    proportional: float


@dataclass(frozen=True)
class Timed(Subject):
    """A closed-loop run: answers per second, milliseconds, CPU seconds per 1,000 answers, MiB of the whole service."""

    round: int
    connections: int
    rate: float
    p50: float
    p99: float
    errors: int
    client: float
    service: float
    database: float
    memory: float


@dataclass(frozen=True)
class Paced(Subject):
    """An open-loop run: milliseconds at a fixed rate."""

    round: int
    rate: float
    p50: float
    p90: float
    p99: float
    p999: float
    errors: int
    late: int


@dataclass(frozen=True)
class Stream(Subject):
    """A long answer: seconds, MiB of the whole service before and at most, CPU seconds in all."""

    round: int
    rows: int
    size: int
    first: float
    seconds: float
    memory: float
    peak: float
    service: float
    database: float


@dataclass(frozen=True)
class Grown(Timed):
    """A closed-loop run on so many products."""

    products: int


@dataclass
class Results:
    """A whole run. `cannot` has a reason for each work that a contender was not timed at; `threads` those of a worker,
    by backend.
    """

    products: int
    quick: bool
    threads: dict[str, int] = field(default_factory=dict)
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    minutes: float = 0.0
    starts: list[Start] = field(default_factory=list)
    timed: list[Timed] = field(default_factory=list)
    paced: list[Paced] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    sweep: list[Timed] = field(default_factory=list)
    growth: list[Grown] = field(default_factory=list)
    cannot: dict[str, str] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)

    def refuse(self, contender: str, backend: str, work: str, reason: str) -> None:
        """Note why there is no figure."""
        self.cannot[f"{backend}/{contender}/{work}"] = reason

    def refused(self, contender: str, backend: str, work: str) -> bool:
        """Whether a reason is noted for this very work."""
        return f"{backend}/{contender}/{work}" in self.cannot

    def save(self) -> None:
        """Write the file that `load` reads."""
        FOLDER.mkdir(exist_ok=True)
        LATEST.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")


_KINDS: dict[str, type[Subject]] = {
    "starts": Start,
    "timed": Timed,
    "paced": Paced,
    "streams": Stream,
    "sweep": Timed,
    "growth": Grown,
}


def load() -> Results:
    """The last run. Raises `FileNotFoundError`."""
    found = json.loads(LATEST.read_text("utf-8"))
    for name, kind in _KINDS.items():
        found[name] = [kind(**item) for item in found.get(name, [])]
    return Results(**found)


def machine() -> dict[str, Any]:
    """What it ran on."""
    packages = ("granian", "psycopg", "pymongo", "flask", "sqlalchemy", "fastapi", "uvicorn", "marshmallow", "asyncpg")
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ] if Path("/proc/cpuinfo").exists() else []  # fmt: skip
    return {
        "processors": os.cpu_count(),
        "model": names[0] if names else platform.processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "commit": _commit(),
    }


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=FOLDER.parent).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""

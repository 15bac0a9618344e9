"""One measured run of `wrk` against one path list, and what it cost each process."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = 0
request = function() at = at %% #paths + 1; return wrk.format("GET", paths[at]) end
"""
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Load:
    """What a run gave: requests per second, latencies in milliseconds, answers that were no success."""

    requests: float
    p50: float
    p99: float
    errors: int


def available() -> bool:
    """Whether `wrk` is installed (Debian: `apt-get install wrk`, macOS: `brew install wrk`)."""
    return shutil.which("wrk") is not None


def run(url: str, paths: Sequence[str], *, seconds: float, connections: int, folder: Path) -> Load:
    """Ask for the paths in turn over `connections` connections for some seconds."""
    (folder / "paths.txt").write_text("\n".join(paths))
    script = folder / "paths.lua"
    script.write_text(_SCRIPT % (folder / "paths.txt"))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{round(seconds)}s", "--latency", "-s", str(script), url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    failed = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    return Load(
        requests=float(_found(r"Requests/sec:\s+([\d.]+)", printed)),
        p50=_milliseconds(_found(r"(?m)^\s+50%\s+(\S+)", printed)),
        p99=_milliseconds(_found(r"(?m)^\s+99%\s+(\S+)", printed)),
        errors=(int(bad[1]) if bad else 0) + (sum(map(int, failed.groups())) if failed else 0),
    )


def _found(pattern: str, printed: str) -> str:
    match = re.search(pattern, printed)
    if match is None:
        raise RuntimeError(f"wrk printed no {pattern}:\n{printed}")
    return match[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]

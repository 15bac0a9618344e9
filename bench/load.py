"""Closed-loop load: the next request on a connection is sent as soon as the answer to the last has come."""

from __future__ import annotations

import re
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import client
from bench.works import COUNTER, Request

_SCRIPT = """
local requests, at, number = {}, 0, %d
local file = io.open("%s", "rb")
while true do
  local length = file:read("*l")
  if not length then break end
  requests[#requests + 1] = file:read(tonumber(length))
end
local counts = %s
request = function()
  at = at %% #requests + 1
  if not counts then return requests[at] end
  number = number + 1
  return (requests[at]:gsub("%s", string.format("%%010d", number)))
end
"""
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Load:
    """Answers per second, latencies in milliseconds, answers that were no success, and the client's CPU seconds."""

    rate: float
    requests: int
    p50: float
    p99: float
    errors: int
    client: float


def available() -> bool:
    """Whether `wrk` is installed."""
    return shutil.which("wrk") is not None


def warm(
    port: int, requests: Sequence[Request], *, seconds: float, connections: int, counter: int, folder: Path
) -> None:
    """The same load for a time that may be a fraction of a second, not measured."""
    command = _command(port, requests, seconds=60, connections=connections, counter=counter, folder=folder)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()


def run(
    port: int, requests: Sequence[Request], *, seconds: float, connections: int, counter: int, folder: Path
) -> Load:
    """Send the requests in turn, over so many connections, for some seconds (whole ones, for wrk)."""
    command = _command(
        port, requests, seconds=max(1, round(seconds)), connections=connections, counter=counter, folder=folder
    )
    before = _spent()
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    failed = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    return Load(
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", printed)),
        requests=int(_found(r"(\d+) requests in", printed)),
        p50=_milliseconds(_found(r"(?m)^\s+50%\s+(\S+)", printed)),
        p99=_milliseconds(_found(r"(?m)^\s+99%\s+(\S+)", printed)),
        errors=(int(bad[1]) if bad else 0) + (sum(map(int, failed.groups())) if failed else 0),
        client=_spent() - before,
    )


def repeat(port: int, request: Request, *, seconds: float, counter: int) -> Load:
    """Send the request again and again on one connection, for some seconds, but once at least."""
    began, spent = time.perf_counter(), time.process_time()
    took: list[float] = []
    errors = 0
    while not took or time.perf_counter() - began < seconds:
        sent = time.perf_counter()
        answer = client.ask(port, request, counter=counter + len(took), timeout=60)
        took.append((time.perf_counter() - sent) * 1000)
        errors += answer.status >= 300
    lasted = time.perf_counter() - began
    took.sort()
    p99 = took[min(len(took) - 1, round(len(took) * 0.99))]
    return Load(len(took) / lasted, len(took), statistics.median(took), p99, errors, time.process_time() - spent)


def _command(
    port: int, requests: Sequence[Request], *, seconds: int, connections: int, counter: int, folder: Path
) -> list[str]:
    frames, script = folder / "requests.bin", folder / "requests.lua"
    raws = [request.raw(port) for request in requests]
    frames.write_bytes(b"".join(b"%d\n%b" % (len(raw), raw) for raw in raws))
    counts = any(COUNTER.encode() in raw for raw in raws)
    script.write_text(_SCRIPT % (counter, frames, "true" if counts else "false", COUNTER))
    return [
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", str(script),
        f"http://127.0.0.1:{port}",
    ]  # fmt: skip


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _found(pattern: str, printed: str) -> str:
    match = re.search(pattern, printed)
    if match is None:
        raise RuntimeError(f"wrk printed no {pattern}:\n{printed}")
    return match[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]

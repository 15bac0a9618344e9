"""The processes of a service, from its first answer to its end, and what they and the database use."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench import client
from bench.works import Request

_START_SECONDS = 180
_STOP_SECONDS = 15


class StartError(Exception):
    """The service does not answer; the message has its last words."""


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], port: int, probe: Request, log: Path
) -> Iterator[psutil.Process]:
    """The service, from its first answer to the probe until the end of the context. Raises `StartError`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | dict(environment), stdout=output, stderr=output)
    try:
        _await(process, port, probe, log)
        yield psutil.Process(process.pid)
    finally:
        _stop(process)


def _await(process: subprocess.Popen[bytes], port: int, probe: Request, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    last = "no answer"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartError(f"it ended with {process.returncode}: {_tail(log)}")
        try:
            answer = client.ask(port, probe, timeout=5)
        except OSError as error:
            last = str(error)
        else:
            if answer.status < 300:
                return
            last = f"{answer.status} {answer.body[:200]!r}"
        time.sleep(0.02)
    raise StartError(f"{last}: {_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text("utf-8", errors="replace").strip()[-800:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the service and whatever it has started."""
    own = family(process.pid)
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    for left in own:
        with suppress(psutil.NoSuchProcess):
            left.kill()
    process.wait()


def family(pid: int) -> list[psutil.Process]:
    """A process and all that came of it."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu(process: psutil.Process) -> float:
    """The seconds of processor time that a process and all that came of it have used, the ended ones included."""
    total = 0.0
    for member in family(process.pid):
        with suppress(psutil.NoSuchProcess):
            times = member.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def memory(process: psutil.Process) -> float:
    """The resident set of a process and all that came of it, in MiB."""
    total = 0
    for member in family(process.pid):
        with suppress(psutil.NoSuchProcess):
            total += member.memory_info().rss
    return total / 2**20


def proportional(process: psutil.Process) -> float:
    """The same, each shared page divided among those that share it; 0 where the system does not tell."""
    total = 0
    for member in family(process.pid):
        with suppress(psutil.NoSuchProcess):
            total += getattr(member.memory_full_info(), "pss", 0)
    return total / 2**20


class Peak:
    """The largest resident set of a service while the context lasts, in MiB."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mib = memory(process)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            self.mib = max(self.mib, memory(self._process))

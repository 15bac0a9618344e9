"""The services that are compared: how each is started, and for which store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

WORKERS, THREADS = 2, 8


@dataclass(frozen=True)
class Contender:
    """A service: its name, its store, the command that starts it, and what its environment adds."""

    name: str
    backend: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


def granian(target: str, port: int) -> tuple[str, ...]:
    """Granian with the workers and threads that every Python contender gets."""
    return (
        sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", str(WORKERS),
        "--blocking-threads", str(THREADS), "--no-ws", "--log-level", "error", target,
    )  # fmt: skip


@contextmanager
def running(contender: Contender, port: int) -> Iterator[psutil.Process]:
    """The service, from its first answer until the end of the context."""
    process = subprocess.Popen(contender.command, env=os.environ | dict(contender.environment))
    try:
        _wait_until_it_answers(process, port)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1).read()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the service does not answer")


def memory(process: psutil.Process) -> float:
    """The largest resident set among the service's worker processes, in MiB."""
    return max(child.memory_info().rss for child in [process, *process.children(recursive=True)]) / 2**20


def cpu(process: psutil.Process) -> float:
    """The seconds of processor time that the service's processes have used."""
    return sum(sum(child.cpu_times()[:2]) for child in [process, *process.children(recursive=True)])

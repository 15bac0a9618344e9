"""One contender from its start to its end: each work checked, warmed up and timed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

from bench import checking, client, load, open_loop, processes
from bench.checking import Answers, DifferentError
from bench.client import HttpError
from bench.contenders import Contender, Place
from bench.dialects.base import Cannot
from bench.processes import Peak, StartError
from bench.results import Paced, Results, Start, Stream, Timed
from bench.stores import servers
from bench.templates import Store
from bench.works import ONE, Keys, Kind, Request, Work

T = TypeVar("T")

CONNECTIONS = 16
#: Of its own throughput: how often a contender is asked per second when its latency is measured.
SHARE = 0.6
#: The first work of a service also has to warm up its interpreter.
_COLD, _WARM = 1.0, 0.4
_CHECKED = 1


@dataclass
class Bench:
    """What all measurements of a run share."""

    folder: Path
    results: Results
    say: Callable[[str], None]
    known: Answers = field(default_factory=dict)
    right: set[tuple[str, str, str]] = field(default_factory=set)
    _counter: int = 1_000_000

    def forget(self) -> None:
        """Other data follow: answers are to be compared anew."""
        self.known.clear()
        self.right.clear()

    def counter(self) -> int:
        """The first of a range of numbers that no other load of this run uses."""
        self._counter += 1_000_000
        return self._counter


@dataclass(frozen=True)
class Started:
    """A contender that answers, on a database of its own."""

    bench: Bench
    contender: Contender
    store: Store
    database: str
    keys: Keys
    port: int
    process: psutil.Process
    #: From the command to the first answer.
    seconds: float

    def start(self, round_: int) -> None:
        """Note what starting it took, and what it holds before anything else is asked."""
        found = Start(
            self.contender.name, self.contender.backend, "start", round_, self.seconds,
            len(processes.family(self.process.pid)), processes.memory(self.process),
            processes.proportional(self.process),
        )  # fmt: skip
        self.bench.results.starts.append(found)

    def timed(self, work: Work, requests: list[Request], seconds: float, connections: int, round_: int) -> Timed:
        """A closed-loop run."""
        bench = self.bench
        service, database = processes.cpu(self.process), processes.cpu(self.store.process)
        if work.long:
            connections = 1
            found = load.repeat(self.port, requests[0], seconds=seconds, counter=bench.counter())
        else:
            found = load.run(
                self.port, requests, seconds=seconds, connections=connections, counter=bench.counter(),
                folder=bench.folder,
            )  # fmt: skip
        thousands = max(found.requests, 1) / 1000
        return Timed(
            self.contender.name,
            self.contender.backend,
            work.name,
            round_,
            connections,
            found.rate,
            found.p50,
            found.p99,
            found.errors,
            found.client / thousands,
            (processes.cpu(self.process) - service) / thousands,
            (processes.cpu(self.store.process) - database) / thousands,
            processes.memory(self.process),
        )

    def paced(self, work: Work, requests: list[Request], *, rate: float, seconds: float, round_: int) -> Paced:
        """An open-loop run."""
        counter = self.bench.counter()
        found = open_loop.run(self.port, requests, rate=rate, seconds=seconds, counter=counter)
        return Paced(
            self.contender.name, self.contender.backend, work.name, round_, found.rate, found.p50, found.p90,
            found.p99, found.p999, found.errors, found.late,
        )  # fmt: skip

    def streamed(self, work: Work, request: Request, round_: int) -> Stream:
        """A long answer, read once."""
        before = processes.memory(self.process)
        service, database = processes.cpu(self.process), processes.cpu(self.store.process)
        with Peak(self.process) as peak:
            found = client.stream(self.port, request)
        return Stream(
            self.contender.name, self.contender.backend, work.name, round_, found.lines, found.size, found.first,
            found.seconds, before, peak.mib, processes.cpu(self.process) - service,
            processes.cpu(self.store.process) - database,
        )  # fmt: skip

    def warm(self, requests: list[Request], seconds: float = _WARM) -> None:
        """Load that is not measured."""
        load.warm(
            self.port, requests, seconds=seconds, connections=CONNECTIONS, counter=self.bench.counter(),
            folder=self.bench.folder,
        )  # fmt: skip

    def reset(self) -> None:
        """Remove what a work has written."""
        self.store.reset(self.database, self.contender.dialect.table)

    def checked(self, work: Work) -> list[Request] | None:
        """The requests of a work, if its answers are right (found out once); else None, and the reason is noted."""
        bench, contender = self.bench, self.contender
        subject = (contender.backend, contender.name, work.name)
        if bench.results.refused(contender.name, contender.backend, work.name):
            return None
        try:
            requests = contender.dialect.requests(work, self.keys)
            if subject in bench.right:
                return requests
            checking.check(
                contender, work, requests, port=self.port, counter=_CHECKED, store=self.store,
                database=self.database, known=bench.known,
            )  # fmt: skip
        except (Cannot, DifferentError, HttpError, OSError, ValueError, KeyError) as error:
            reason = str(error) if isinstance(error, Cannot) else f"failed: {type(error).__name__}: {error}"
            bench.results.refuse(contender.name, contender.backend, work.name, reason[:600])
            return None
        bench.right.add(subject)
        return requests


@contextmanager
def started(bench: Bench, contender: Contender, store: Store, database: str, keys: Keys) -> Iterator[Started]:
    """The contender on an existing database. Raises `StartError`."""
    port = servers.free_port()
    command = contender.start(Place(store.url(database), port, bench.folder))
    probe = contender.dialect.requests(ONE, keys)[0]
    log = bench.folder / f"{contender.name.replace(' ', '-')}-{contender.backend}.log"
    began = time.monotonic()
    with processes.running(command.arguments, command.environment, port, probe, log) as process:
        yield Started(bench, contender, store, database, keys, port, process, time.monotonic() - began)


def turn(service: Started, work: Work, round_: int, *, seconds: float, open_seconds: float, cold: bool) -> bool:
    """A work once, unless it cannot be asked for; results and reasons go where the bench keeps them."""
    results, name = service.bench.results, service.contender.name
    requests = service.checked(work)
    if requests is None:
        return False
    if not work.long:
        service.warm(requests, _COLD if cold else _WARM)
    found = service.timed(work, requests, seconds, CONNECTIONS, round_)
    results.timed.append(found)
    service.bench.say(f"    {name}: {found.rate:,.0f}/s" + (f", {found.errors} errors" * bool(found.errors)))
    if work.open_rate and open_seconds and found.rate:
        if work.kind is Kind.WRITE:
            service.reset()
        _pace(service, work, requests, rate=found.rate * SHARE, seconds=open_seconds, round_=round_)
    if work.kind is Kind.WRITE:
        service.reset()
    return True


def _pace(service: Started, work: Work, requests: list[Request], *, rate: float, seconds: float, round_: int) -> None:
    try:
        service.bench.results.paced.append(service.paced(work, requests, rate=rate, seconds=seconds, round_=round_))
    except OSError as error:
        service.bench.say(f"    {work.name} at a fixed rate: {error}")


def attempt(bench: Bench, contender: Contender, run: Callable[[], T]) -> T | None:
    """What it gives; a contender that does not start, or goes away, is noted and costs no other its turn."""
    try:
        return run()
    except (StartError, OSError, RuntimeError, subprocess.SubprocessError, psutil.Error) as error:
        bench.say(f"  {contender.name} on {contender.backend}: {error}")
        bench.results.refuse(contender.name, contender.backend, "*", f"failed: {str(error)[:600]}")
        return None

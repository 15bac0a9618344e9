"""One run: the service between two proxies that cut connections, clients that write, and the audit afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from pymongo import MongoClient

from tests.ledger.audit import TABLES, Findings, audit
from tests.ledger.client import Client, Quota
from tests.ledger.http import Line
from tests.ledger.knives import client_cuts, database_cuts
from tests.ledger.operations import ACCOUNTS, API, MIX, Author
from tests.ledger.service import serving
from tests.proxy import Proxy, through_proxy
from tests.servers import with_database

DATABASE = "diglot_test_ledger"


@dataclass(frozen=True)
class Plan:
    """How a run goes; `broken` names what is wrong with the service, on purpose, `cuts` how many times the usual."""

    backend: str
    writes: int = 50_000
    clients: int = 8
    seconds: float = 900
    seed: str = "0"
    broken: str | None = None
    cuts: float = 1.0


@dataclass(frozen=True)
class Report:
    """What has come of a run. `slowest` is the longest time, in seconds, that a client has waited for an answer."""

    plan: Plan
    seconds: float
    slowest: float
    seen: Counter[str]
    client_cuts: Counter[str]
    database_cuts: Counter[str]
    findings: Findings

    @property
    def acknowledged(self) -> int:
        return sum(self.seen[kind] for kind in MIX)


def run(plan: Plan, server: str, directory: Path, tell: Callable[[int], None] = lambda _: None) -> Report:
    """Run on a new database of the server at this URL; `directory` is for the service's log.

    `tell` is told now and then how many writes have been acknowledged.
    """
    authors = [Author(number, plan.seed) for number in range(plan.clients)]
    inside, outside = database_cuts(plan.backend, plan.seed, plan.cuts), client_cuts(plan.seed, plan.cuts)
    with new_database(plan.backend, server) as url:
        with (
            through_proxy(plan.backend, url, inside.knife) as (_, way),
            serving(plan.backend, way, directory, plan.broken) as address,
            closing(Proxy(address, outside.knife)) as proxy,
        ):
            _prepare(address, authors)
            begun = time.monotonic()
            quota = Quota(plan.writes, plan.seconds)
            clients = [Client(author, ("127.0.0.1", proxy.port), quota) for author in authors]
            inside.active = outside.active = True
            _write(clients, quota, lambda: tell(plan.writes - quota.left))
            inside.active = outside.active = False
            seconds = time.monotonic() - begun
        # The service has ended, and so has all that it was at work on.
        operations = [operation for client in clients for operation in client.operations]
        findings = audit(TABLES[plan.backend](url), operations, authors)
    findings.wrong += [wrong for client in clients for wrong in client.wrong]
    seen = sum((client.seen for client in clients), Counter[str]())
    slowest = max(client.slowest for client in clients)
    return Report(plan, seconds, slowest, seen, outside.made, inside.made, findings)


def _write(clients: list[Client], quota: Quota, tell: Callable[[], None]) -> None:
    with ThreadPoolExecutor(len(clients)) as threads:
        runs = [threads.submit(client.run) for client in clients]
        try:
            while wait(runs, timeout=1, return_when=FIRST_EXCEPTION).not_done:
                tell()
                for each in runs:
                    if each.done():
                        each.result()
        except BaseException:
            quota.stop()
            raise
    for each in runs:
        each.result()


def _prepare(address: tuple[str, int], authors: list[Author]) -> None:
    """Open the accounts, and put the notes of the shelves there."""
    line = Line(address)
    accounts = [{"id": number, "balance": 0, "version": 0} for number in range(1, ACCOUNTS + 1)]
    notes = [
        {"id": key, "owner": author.number, "shelf": True, "operation": ""}
        for author in authors
        for key in author.shelf
    ]
    for resource, records in {"accounts": accounts, "notes": notes}.items():
        answer = line.exchange("POST", f"{API}/{resource}", {}, records)
        assert answer.status == 201, answer
    line.close()


@contextmanager
def new_database(backend: str, server: str) -> Iterator[str]:
    """The URL of a database that is dropped in the end."""
    drop = _drop_postgres if backend == "postgres" else _drop_mongodb
    drop(server, anew=True)
    yield with_database(server, DATABASE)
    drop(server, anew=False)


def _drop_postgres(server: str, *, anew: bool) -> None:
    name = sql.Identifier(DATABASE)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        if anew:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))


def _drop_mongodb(server: str, *, anew: bool) -> None:
    client: MongoClient[dict[str, object]]
    with MongoClient(server) as client:
        client.drop_database(DATABASE)

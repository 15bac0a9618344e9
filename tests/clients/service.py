"""`diglot serve` as a process in front of one store, with the shop's records in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from service import catalog
from service.idempotency import with_requests
from tests.clients.shop import RECORDS
from tests.stores import MongoStore, PostgresStore

ROOT = Path(__file__).parents[2]
#: Each service has a database of its own, since several may be up at once.
_numbers = count(1)
STORES: dict[str, type[PostgresStore | MongoStore]] = {"postgres": PostgresStore, "mongodb": MongoStore}


@contextmanager
def serving(backend: str, server: str, directory: Path, **settings: str) -> Iterator[str]:
    """The URL of the API on a new database of the server, filled."""
    resources = directory / "resources.yaml"
    parts = (ROOT / "tests/shop.yaml", Path(__file__).with_name("resources.yaml"))
    resources.write_text("\n".join(part.read_text("utf-8") for part in parts), "utf-8")
    database = f"diglot_test_clients_{next(_numbers)}"
    with closing(STORES[backend](server, with_requests(catalog.load(resources)), database)) as store:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGLOT_")} | {
            "PYTHONPATH": str(ROOT),
            "DIGLOT_BACKEND": backend,
            f"DIGLOT_{backend.upper()}_URL": store.url,
            "DIGLOT_RESOURCES": str(resources),
            "DIGLOT_PORT": "0",
            "DIGLOT_WORKERS": "1",
            "DIGLOT_RETURN": "minimal",
            "DIGLOT_PLAN_ENABLED": "true",
            **{f"DIGLOT_{name.upper()}": value for name, value in settings.items()},
        }
        with _process(environment, directory) as url:
            for resource, records in RECORDS.items():
                _insert(f"{url}/{resource}", records)
            yield url


@contextmanager
def _process(environment: dict[str, str], directory: Path) -> Iterator[str]:
    command = [sys.executable, "-c", "from service.cli import main; main()", "serve"]
    # Its log is kept in a file: a pipe that nobody reads would stop it when full.
    log = directory / "service.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            words = (word for line in process.stdout for word in line.split())
            url = next((word for word in words if word.startswith("http://")), None)
            assert url is not None, f"the service did not start: {log.read_text()}"
            yield url
        finally:
            process.terminate()
            process.communicate(timeout=60)


def _insert(url: str, records: list[dict[str, object]]) -> None:
    request = urllib.request.Request(
        url, json.dumps(records).encode(), {"Content-Type": "application/json", "Prefer": "return=minimal"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        assert response.status == 201

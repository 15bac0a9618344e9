"""Requests that chance has made of good ones, given to the whole service: it answers each, at once, with no 5xx."""

from __future__ import annotations

import gc
import json
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import psutil
import structlog
from flask import Flask

from repositories.base import Repository
from repositories.schema import Catalog
from service import catalog
from service.app import create_app
from service.config import Settings
from service.idempotency import with_requests
from tests.hostile.mutations import Case, Mutator
from tests.prove.parts import Outcome, Part
from tests.stores import OracleStore, Store

DOCS = Path(__file__).parents[1] / "docs"
RECORDS: dict[str, list[dict[str, Any]]] = json.loads((DOCS / "shop.json").read_text("utf-8"))
#: Processor seconds for one answer, and the bytes by which the process may grow with each case once it is warm.
HANG, GROWTH = 1.0, 300
#: How often a case is asked again that took longer: a pause of the interpreter does not come again, a hang does.
AGAIN = 2
#: After so many cases the records are put back.
ROUND = 500
#: Cases after which every cache is full.
WARM = 20_000


def shop() -> Catalog:
    return with_requests(catalog.load(DOCS / "shop.yaml"))


class Fuzzer:
    """One store behind the service, and what was found wrong with its answers."""

    def __init__(self, store: Store, seed: int | str) -> None:
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        self._store = store
        self._mutator = Mutator(seed)
        self.app = _app(store.repository)

    @property
    def cases(self) -> int:
        return self.statuses.total()

    def run(self, over: Callable[[int], bool]) -> None:
        """Ask until it is over after so many cases, or enough is wrong."""
        while not over(self.cases) and len(self.wrong) < 20:
            self._store.empty()
            self.fill()
            with structlog.testing.capture_logs() as logs:
                for _ in range(ROUND):
                    logs.clear()
                    self.ask(self._mutator.case(), logs)
        self._store.empty()

    def ask(self, case: Case, logs: list[Any]) -> None:
        """Give a case to the service, and look at its answer."""
        try:
            seconds, (status, body, media) = self._timed(case)
            if seconds > HANG and (least := min(self._again(case) for _ in range(AGAIN))) > HANG:
                self.wrong.append(f"{case}\ntook {least:.1f} s")
        except Exception:  # noqa: BLE001 - an error that reaches the server is what is looked for
            self.wrong.append(f"{case}\n{traceback.format_exc()}")
            return
        self.statuses[status] += 1
        if status >= 500:
            told = "".join(traceback.format_exception(logs[-1]["exc_info"])) if "exc_info" in logs[-1] else logs[-1:]
            self.wrong.append(f"{case}\n{status} {body[:500]!r}\n{told}")
        elif status >= 400 and case.method != "HEAD" and not _tells(status, body, media):
            self.wrong.append(f"{case}\n{status} {media} {body[:500]!r}")

    def _timed(self, case: Case) -> tuple[float, tuple[int, bytes, str]]:
        """The processor seconds of an answer, and the answer."""
        started = time.thread_time()
        answer = _answer(self.app, case)
        return time.thread_time() - started, answer

    def _again(self, case: Case) -> float:
        """The processor seconds of an answer from a service that has kept nothing, with the records as at first."""
        self._store.empty()
        self.app = _app(self._store.repository)
        self.fill()
        return self._timed(case)[0]

    def fill(self) -> None:
        """Put the records in that the documentation has."""
        for name, records in RECORDS.items():
            case = Case("POST", f"/api/{name}".encode(), _JSON, json.dumps(records).encode())
            assert _answer(self.app, case)[0] == 201


_JSON = (("Content-Type", b"application/json"), ("Prefer", b"return=minimal"))


def _app(repository: Repository) -> Flask:
    return create_app(repository, Settings(plan_enabled=True, max_body=65_536))


def _tells(status: int, body: bytes, media: str) -> bool:
    """Whether an answer is a problem document."""
    if media != "application/problem+json":
        return False
    problem = json.loads(body)
    return bool(problem["status"] == status and problem["code"] and problem["message"])


def _answer(app: Flask, case: Case) -> tuple[int, bytes, str]:
    told: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], None]:
        told.update(status=int(status[:3]), media=dict(headers).get("Content-Type", ""))
        return lambda _: None

    pieces = app.wsgi_app(_environ(case), start)
    try:
        body = b"".join(pieces)
    finally:
        if close := getattr(pieces, "close", None):
            close()
    return told["status"], body, told["media"]


def _environ(case: Case) -> dict[str, Any]:
    """The request as a server hands it over (PEP 3333)."""
    path, _, query = case.target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": case.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(case.body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(case.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": BytesIO(),
    }
    for name, value in case.headers:
        variable = name.upper().replace("-", "_")
        # No server lets a line break or a NUL through.
        text = value.translate(None, b"\r\n\0").decode("latin-1").strip()
        environ[variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"] = text
    return environ


def memory() -> int:
    """Bytes that the process holds."""
    gc.collect()
    return int(psutil.Process(os.getpid()).memory_info().rss)


def run(seconds: float, seed: int) -> Outcome:
    """Cases for so long, on the plain store, which costs the least time."""
    deadline = time.monotonic() + seconds
    fuzzer = Fuzzer(OracleStore(shop()), seed)
    warm = min(1.0, seconds / 60) * WARM
    fuzzer.run(lambda cases: cases >= warm or time.monotonic() > deadline)
    before, first = memory(), fuzzer.cases
    fuzzer.run(lambda _: time.monotonic() > deadline)
    grown = (memory() - before) / max(1, fuzzer.cases - first)
    if fuzzer.cases >= 2 * WARM and grown > GROWTH:
        fuzzer.wrong.append(f"The process grew by {grown:.0f} bytes with each case.")
    figures = {"cases": fuzzer.cases, "grown, bytes per case": grown}
    figures |= {f"answers {status}": count for status, count in sorted(fuzzer.statuses.items())}
    return Outcome(figures, fuzzer.wrong)


PART = Part("fuzz", "Requests made by chance, byte by byte, are answered at once and with no 5xx", run)

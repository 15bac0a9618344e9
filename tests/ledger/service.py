"""`diglot serve` as a process of two workers in front of one database, sound or broken on purpose."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RESOURCES = Path(__file__).with_name("resources.yaml")
ROOT = Path(__file__).parents[2]
STOP_SECONDS = 60


@contextmanager
def serving(backend: str, url: str, directory: Path, broken: str | None = None) -> Iterator[tuple[str, int]]:
    """The address of the service; when the context ends, so has all that it was at work on."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGLOT_")} | {
        "PYTHONPATH": str(ROOT),
        "DIGLOT_BACKEND": backend,
        f"DIGLOT_{backend.upper()}_URL": url,
        "DIGLOT_RESOURCES": str(RESOURCES),
        "DIGLOT_SCHEMA": "apply",
        "DIGLOT_PORT": "0",
        "DIGLOT_WORKERS": "2",
        "LEDGER_BROKEN": broken or "",
    }
    # Its log is kept in a file: a pipe that nobody reads would stop it when full.
    log = directory / "service.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.broken", "serve"] if broken else
            [sys.executable, "-c", "from service.cli import main; main()", "serve"],
            cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True,
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        try:
            words = (word for line in process.stdout for word in line.split())
            found = next((word for word in words if word.startswith("http://")), None)
            assert found is not None, f"the service did not start: {log.read_text()}"
            host, port = found.removeprefix("http://").split("/")[0].split(":")
            yield host, int(port)
        finally:
            process.terminate()
            process.communicate(timeout=STOP_SECONDS)

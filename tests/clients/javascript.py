"""The JavaScript clients: installed from their lock file, and run by Node.js in a process of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.answers import Answer

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", ".npmrc", "clients.mjs")
OLDEST_NODE = 20
INSTALL_SECONDS = 180


def install(directory: Path) -> Path:
    """The script in `directory`, beside the packages that the lock file names. Fails where there is no Node.js."""
    _check_node()
    stamp, lock = directory / "installed", (HERE / "package-lock.json").read_text("utf-8")
    for name in FILES:
        shutil.copyfile(HERE / name, directory / name)
    if not stamp.exists() or stamp.read_text("utf-8") != lock:
        _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", directory=directory)
        stamp.write_text(lock, "utf-8")
    return directory / "clients.mjs"


def _check_node() -> None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} was not found: these tests need Node.js {OLDEST_NODE} or later, with npm.")
    version = _run("node", "--version").strip()
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        pytest.fail(f"Node.js {version} is too old: these tests need {OLDEST_NODE} or later.")


def _run(*command: str, directory: Path | None = None) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


class JavaScriptClient:
    """A running process; `ask` evaluates an expression on the clients that clients.mjs makes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, expression: str) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(expression) + "\n")
        self._process.stdin.flush()
        result: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "thrown" not in result, f"{expression}: {result['thrown']}"
        if result["error"] is not None:
            error = result["error"]
            return Answer(error={name: error.get(name) for name in ("code", "message", "details", "hint")})
        return Answer(result["data"], result["count"])


@contextmanager
def running(script: Path, url: str) -> Iterator[JavaScriptClient]:
    """The clients of the API at `url`."""
    with subprocess.Popen(
        ["node", script.name, url], cwd=script.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield JavaScriptClient(process)

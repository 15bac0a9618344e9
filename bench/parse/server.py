"""Parse Server, installed from its lock file, and run by its own program with two cluster workers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.dialects.parse import APP, MASTER, ROOT

_HERE = Path(__file__).parent
_FOLDER = Path(sys.prefix) / "bench" / "parse"
_FILES = ("package.json", "package-lock.json", ".npmrc")
_OLDEST_NODE = 20
_INSTALL_SECONDS = 300


class MissingError(Exception):
    """Parse Server cannot be run here; the message says why."""


def install() -> None:
    """Its packages, beside those of Python. Raises `MissingError`."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise MissingError(f"{program} was not found; Node.js {_OLDEST_NODE} or later is needed, with npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < _OLDEST_NODE:
        raise MissingError(f"Node.js {version} is too old; {_OLDEST_NODE} or later is needed")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    stamp, lock = _FOLDER / "installed", (_HERE / "package-lock.json").read_text("utf-8")
    if stamp.exists() and stamp.read_text("utf-8") == lock:
        return
    for name in _FILES:
        shutil.copyfile(_HERE / name, _FOLDER / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=_FOLDER, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
    if done.returncode:
        raise MissingError(f"npm ci failed: {done.stderr.strip()[-500:]}")
    stamp.write_text(lock, "utf-8")


def command(url: str, port: int, folder: Path, workers: int) -> tuple[str, ...]:
    """The program and its configuration file, which is written into the folder."""
    parts = urlsplit(url)
    configuration = {
        "appId": APP,
        "masterKey": MASTER,
        "databaseURI": url,
        "host": "127.0.0.1",
        "port": port,
        "mountPath": ROOT,
        "serverURL": f"http://127.0.0.1:{port}{ROOT}",
        "cluster": workers,
        "allowClientClassCreation": False,
        "logLevel": "error",
        "silent": True,
        "startLiveQueryServer": False,
    }
    if parts.scheme == "postgresql":
        # Its own reading of the URL knows no socket; its driver does.
        configuration["databaseURI"] = f"postgres://{parts.username}@localhost{parts.path}"
        configuration["databaseOptions"] = {"host": parse_qs(parts.query)["host"][0]}
    name = re.sub(r"\W", "_", f"{parts.scheme}{parts.path}") + ".json"
    path = folder / f"parse_{name}"
    path.write_text(json.dumps(configuration, indent=1), "utf-8")
    return "node", str(_FOLDER / "node_modules" / "parse-server" / "bin" / "parse-server"), str(path)

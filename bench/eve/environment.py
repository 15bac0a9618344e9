"""Eve's own virtual environment, from its lock file, with hashes checked."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_FOLDER = Path(sys.prefix) / "bench" / "eve"
PYTHON = _FOLDER / "bin" / "python"


def install() -> None:
    """Make the environment, unless it is there. Raises `OSError`."""
    stamp, lock = _FOLDER / "installed", _REQUIREMENTS.read_text("utf-8")
    if stamp.exists() and stamp.read_text("utf-8") == lock:
        return
    venv.create(_FOLDER, clear=True, with_pip=True)
    start = lock.index("setuptools==")
    builder = _FOLDER / "setuptools.txt"
    builder.write_text(lock[start : lock.index("\nsimplejson==")], "utf-8")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--require-hashes"]
    for arguments in (
        ["--only-binary", ":all:", "-r", str(builder)],
        ["--no-build-isolation", "-r", str(_REQUIREMENTS)],
    ):
        done = subprocess.run([*pip, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(done.stderr.strip()[-500:])
    stamp.write_text(lock, "utf-8")

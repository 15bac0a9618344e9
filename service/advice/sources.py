"""URLs and how often they occur, from where reads are listed: files of URLs, access logs, and counted shapes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

#: The request as access logs of the common format have it.
_LOGGED = re.compile(r'"(?:GET|HEAD) (\S+)(?: HTTP/[0-9.]+)?"')
_OTHER_METHOD = re.compile(r'"[A-Z]{3,10} \S+(?: HTTP/[0-9.]+)?"')


def listed(source: Path) -> Counter[str]:
    """The URLs in the file, or in the files of the folder, and how often each occurs. Raises `OSError`."""
    found: Counter[str] = Counter()
    files = sorted(source.glob("*.jsonl")) if source.is_dir() else [source]
    for file in files:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                for url, count in _read(line.strip()):
                    found[url] += count
    return found


def _read(line: str) -> Iterator[tuple[str, int]]:
    if not line or line.startswith("#"):
        return
    if line.startswith("{"):
        yield from _counted(line)
    elif logged := _LOGGED.search(line):
        yield logged[1], 1
    elif not _OTHER_METHOD.search(line):
        yield line, 1


def _counted(line: str) -> Iterator[tuple[str, int]]:
    """The shape in a line of JSON; a line that is none is left out."""
    try:
        entry = json.loads(line)
    except ValueError:
        return
    url, count = entry.get("url"), entry.get("count", 1)
    if isinstance(url, str) and isinstance(count, int):
        yield url, count

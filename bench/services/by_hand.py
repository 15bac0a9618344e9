"""The store of a service written by hand: the module that its environment names; and rows as a client sees them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import islice
from typing import Any

store: Any = import_module(f"bench.services.by_hand_{os.environ['STORE']}")
_LINES = 500


def ndjson(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A line for each row, some hundred lines at a time."""
    rows = iter(rows)
    while part := list(islice(rows, _LINES)):
        yield b"".join([store.dumps(row) + b"\n" for row in part])


def as_csv(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A header and a line for each row, some hundred lines at a time; lists and objects as JSON."""
    rows = iter(rows)
    first = True
    while part := list(islice(rows, _LINES)):
        written = io.StringIO(newline="")
        writer = csv.writer(written)
        if first:
            writer.writerow(part[0])
            first = False
        writer.writerows([_cell(value) for value in row.values()] for row in part)
        yield written.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, dict | list | bool):
        return store.dumps(value).decode()
    return value

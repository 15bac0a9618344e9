"""Columns and the paths into their JSON: `data`, `data->a->0`, `data->>"a.b"`."""

from __future__ import annotations

import re

from service.dialect.params import PathParam
from service.dialect.scanner import Scanner

_INDEX = re.compile(r"-?[0-9]{1,9}", re.ASCII)


def read_path(scanner: Scanner) -> PathParam:
    """Read a column and the steps after it. Only the last arrow may be `->>`."""
    return read_steps(scanner, scanner.name())


def read_steps(scanner: Scanner, column: str) -> PathParam:
    """Read the steps that follow a column's name, if there are any."""
    steps: list[str | int] = []
    as_text = False
    while not as_text and scanner.take("->"):
        as_text = scanner.take(">")
        if scanner.at('"'):
            steps.append(scanner.quoted())
        else:
            step = scanner.name()
            steps.append(int(step) if _INDEX.fullmatch(step) else step)
    return PathParam(column, tuple(steps), as_text)

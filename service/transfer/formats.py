"""The formats of files, and what can be wrong with a file."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

#: The most bytes that one record may take: what MongoDB can store, which is the lesser of the two.
MAX_RECORD = 16 * 2**20


class Format(StrEnum):
    """A file format, by the suffix of its files."""

    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"


#: The formats by the suffix of their files.
SUFFIXES = {f".{each}": each for each in Format}


class TransferError(Exception):
    """A file that cannot be imported, or a place that cannot be exported to; one line for the operator."""


class Malformed(TransferError):
    """What a file holds is not of its format, from some place on; the file's name is put before it."""


class Table(NamedTuple):
    """A file's records as they are read.

    `names` are the columns that a header names; None where each record names its own. A record comes with its place,
    a number of `unit`s, and is a mapping, or the text that says why it cannot be read.
    """

    names: tuple[str, ...] | None
    unit: str
    records: Iterator[tuple[int, dict[str, Any] | str]]


def format_of(name: str, given: Format | None = None) -> Format:
    """The format given, or that of the file's suffix. Raises `TransferError`."""
    if given is not None:
        return given
    if found := SUFFIXES.get(Path(name).suffix.lower()):
        return found
    known = ", ".join(Format)
    what = "Standard input and output have" if name == "-" else f"{name} has"
    raise TransferError(f"{what} no suffix that tells the format: give --format with one of {known}.")

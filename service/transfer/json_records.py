"""JSON (one array of objects) and NDJSON (an object on each line) → records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from service.body import parse_json
from service.errors import RequestError
from service.transfer.formats import MAX_RECORD, Malformed, Table


def read_json(stream: BinaryIO) -> Table:
    """The objects of an array, by their number from 1; the file is held in memory. Raises `Malformed`."""
    try:
        items = parse_json(stream.read())
    except RequestError as error:
        raise Malformed(f"is not JSON: {error.details}") from None
    if not isinstance(items, list):
        raise Malformed("is not an array of objects; records on lines of their own are NDJSON.")
    return Table(None, "item", ((number, _object(item)) for number, item in enumerate(items, 1)))


def read_ndjson(stream: BinaryIO) -> Table:
    """The objects by their lines; blank lines hold none."""
    return Table(None, "line", _lines(stream))


def _lines(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    line = 0
    while raw := stream.readline(MAX_RECORD):
        line += 1
        if len(raw) >= MAX_RECORD:
            raise Malformed(f"line {line}: is longer than {MAX_RECORD} bytes.")
        if raw.isspace():
            continue
        try:
            yield line, _object(parse_json(raw))
        except RequestError as error:
            yield line, f"is not JSON: {error.details}"


def _object(item: Any) -> dict[str, Any] | str:
    return item if isinstance(item, dict) else "is not an object"

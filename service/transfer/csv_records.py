"""CSV (RFC 4180) → records that tell null from the empty text, as PostgreSQL's COPY does: null has no quotes.

Python's own reader cannot tell them apart before 3.12.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from service.transfer.formats import MAX_RECORD, Malformed, Table

_FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\Z)')
_Values = list[str | None]


def read_csv(stream: BinaryIO) -> Table:
    """The records below a header row, by the line that each begins on. Raises `Malformed`."""
    lines = _records(stream)
    _, header = next(lines, (1, b""))
    try:
        names = _fields(header.removeprefix(codecs.BOM_UTF8))
    except ValueError as error:
        raise Malformed(f"line 1, the header: {error}") from None
    if names == [None]:
        raise Malformed("line 1: there is no header with the names of the columns.")
    columns = tuple(name or "" for name in names)
    if len(set(columns)) < len(columns):
        ((name, _),) = Counter(columns).most_common(1)
        raise Malformed(f'line 1: the column "{name[:80]}" is named more than once.')
    return Table(columns, "line", _rows(lines, columns))


def _rows(lines: Iterator[tuple[int, bytes]], columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """A blank line holds no record, unless there is one column only: then it is a null."""
    count = len(columns)
    for line, raw in lines:
        if not raw and count > 1:
            continue
        try:
            values = _fields(raw)
        except ValueError as error:
            yield line, str(error)
            continue
        if len(values) == count:
            yield line, dict(zip(columns, values, strict=True))
        else:
            yield line, f"has {len(values)} fields where the header has {count}"


def _records(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Records without their line ends, and the line that each begins on: a line break within quotes ends none."""
    line, start = 0, 1
    parts: list[bytes] = []
    size = quotes = 0
    while part := stream.readline(MAX_RECORD):
        line += 1
        parts.append(part)
        size += len(part)
        quotes += part.count(b'"')
        if size >= MAX_RECORD:
            raise Malformed(f"line {start}: the record is longer than {MAX_RECORD} bytes; is a quote not closed?")
        if quotes % 2 == 0:
            yield start, b"".join(parts).removesuffix(b"\n").removesuffix(b"\r")
            parts, size, quotes, start = [], 0, 0, line + 1
    if parts:
        raise Malformed(f"line {start}: a quote is opened and never closed.")


def _fields(raw: bytes) -> _Values:
    """The fields of one record. Raises `ValueError`."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ValueError("is not valid UTF-8") from None
    if '"' not in text and "\r" not in text:
        return [field or None for field in text.split(",")]
    fields: _Values = []
    position = 0
    while True:
        match = _FIELD.match(text, position)
        if match is None:
            raise ValueError(f"field {len(fields) + 1} has a quote or a carriage return outside quotes")
        quoted, plain, end = match.groups()
        fields.append(plain or None if quoted is None else quoted.replace('""', '"'))
        if not end:
            return fields
        position = match.end()

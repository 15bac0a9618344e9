"""Records as CSV (RFC 4180), fit to be opened in a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from repositories.encoding import decimal_text, double_text, expression_converter, instant_text
from repositories.expressions import type_of
from repositories.query import Output, Row, Selection
from repositories.schema import Kind

_Text = Callable[[Any], str]

#: Beginnings that a spreadsheet takes for a formula, unless the cell is a plain number.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class CsvEncoder:
    """Writes the rows of a selection; with `guard`, text that a spreadsheet would take for a formula is disarmed."""

    def __init__(self, selection: Selection, *, guard: bool) -> None:
        text = _guarded if guard else _quoted
        self.header = _lines([[text(output.name) for output in selection.outputs]])
        self._cells = [_cell(output, selection, text) for output in selection.outputs]

    def __call__(self, rows: Sequence[Row]) -> bytes:
        """The lines of these rows. Null is nothing at all, the empty text is `""`."""
        if not self._cells:
            return _lines([()] * len(rows))
        # Column by column, for each has one way to be written.
        columns = [
            ["" if value is None else cell(value) for value in column]
            for cell, column in zip(self._cells, zip(*rows, strict=True), strict=False)
        ]
        return _lines(zip(*columns, strict=True))


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    return "".join([",".join(cells) + "\r\n" for cells in rows]).encode()


def _cell(output: Output, selection: Selection, text: _Text) -> _Text:
    """How a value of the output is written; records and lists are JSON, as in a JSON answer."""
    kind = type_of(output.expression, selection.embeds)
    if kind.kind is Kind.STRING:
        return text
    if kind.kind in _PLAIN:
        return _PLAIN[kind.kind]
    convert = expression_converter(output.expression, selection.embeds)
    if convert is None:
        return lambda value: _quoted(orjson.dumps(value).decode())
    return lambda value: _quoted(orjson.dumps(convert(value)).decode())


def _quoted(text: str) -> str:
    if text and "," not in text and '"' not in text and "\n" not in text and "\r" not in text:
        return text
    return '"' + text.replace('"', '""') + '"'


def _guarded(text: str) -> str:
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return _quoted("'" + text)
    return _quoted(text)


#: Values whose text has nothing to be quoted or disarmed.
_PLAIN: dict[Kind, _Text] = {
    Kind.INT32: str,
    Kind.INT64: str,
    Kind.DOUBLE: double_text,
    Kind.DECIMAL: decimal_text,
    Kind.BOOLEAN: lambda value: "true" if value else "false",
    Kind.DATE: str,
    Kind.DATETIME: instant_text,
    Kind.UUID: str,
}

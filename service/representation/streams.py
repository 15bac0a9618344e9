"""Answers of any length: sent piece by piece while the store is still reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Self

import structlog

from repositories.base import Repository
from repositories.encoding import outputs_encoder
from repositories.query import Read, Row, Selection
from service.connections import Connection
from service.negotiation import Form, Media
from service.representation.csv import CsvEncoder
from service.representation.responses import without_nulls

#: An answer of so many records is sent as a whole: with its length, and with how many records it has.
WHOLE = 1000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some records as finished bytes, and how many they are."""

    body: bytes
    count: int


@contextmanager
def csv_pieces(repository: Repository, read: Read, *, guard: bool) -> Iterator[Iterator[Piece]]:
    """The records as CSV, after the header."""
    encode = CsvEncoder(read.selection, guard=guard)
    with repository.stream(read) as batches:
        yield _headed(encode.header, (Piece(encode(rows), len(rows)) for rows in batches))


def _headed(header: bytes, pieces: Iterator[Piece]) -> Iterator[Piece]:
    yield Piece(header, 0)
    yield from pieces


@contextmanager
def line_pieces(repository: Repository, read: Read, *, stripped: bool) -> Iterator[Iterator[Piece]]:
    """The records as NDJSON."""
    with repository.lines(read) as chunks:
        yield (Piece(without_nulls(chunk) if stripped else chunk, chunk.count(b"\n")) for chunk in chunks)


def encoder(media: Media, *, guard: bool) -> Callable[[Selection, Sequence[Row]], bytes] | None:
    """What writes the rows of a selection in the media type's form; None where that is JSON as a whole."""
    match media.form:
        case Form.CSV:
            return lambda selection, rows: _csv(selection, rows, guard=guard)
        case Form.LINES:
            return lambda selection, rows: _lines(selection, rows, stripped=media.stripped)
    return None


def _csv(selection: Selection, rows: Sequence[Row], *, guard: bool) -> bytes:
    encode = CsvEncoder(selection, guard=guard)
    return encode.header + encode(rows)


def _lines(selection: Selection, rows: Sequence[Row], *, stripped: bool) -> bytes:
    encode = outputs_encoder(selection.outputs, selection.embeds)
    lines = b"".join(encode((row,))[1:-1] + b"\n" for row in rows)
    return without_nulls(lines) if stripped else lines


class Stream:
    """The bytes of an answer, the first records of which are read already, so that an error can still be told as one.

    `count` is the number of records where those were all, else None. Must be closed, which closes the store's cursor.
    An error that comes later breaks the connection off, so that nobody takes the part for the whole.
    """

    def __init__(self, source: AbstractContextManager[Iterator[Piece]]) -> None:
        self.count: int | None = None
        self.connection: Connection | None = None
        self._breaking_off: Iterator[bytes] | None = None
        with ExitStack() as opening:
            self._pieces = opening.enter_context(source)
            self._first = self._read_first()
            self._stack = opening.pop_all()

    def _read_first(self) -> list[bytes]:
        bodies, count = [], 0
        for piece in self._pieces:
            bodies.append(piece.body)
            count += piece.count
            if count > WHOLE:
                return bodies
        self.count = count
        return bodies

    def body(self) -> bytes:
        """All that was read at first."""
        return b"".join(self._first)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._breaking_off is not None:
            return next(self._breaking_off)
        try:
            body = self._next()
        except StopIteration:
            raise
        except Exception as error:  # noqa: BLE001  (the store names it, and it is raised again)
            self._breaking_off = self._broken_off(self._closed_after(error))
            return next(self._breaking_off)
        return body if self.connection is None else self.connection.sent(body)

    def _next(self) -> bytes:
        if self._first:
            body, self._first = self.body(), []
            return body
        return next(self._pieces).body

    def _closed_after(self, error: Exception) -> Exception:
        """Close the store's cursor, which has failed; the answer is the error as the store names it."""
        try:
            self._stack.__exit__(type(error), error, error.__traceback__)
        except Exception as named:  # noqa: BLE001
            return named
        return error

    def _broken_off(self, error: Exception) -> Iterator[bytes]:
        """What is still sent while the connection is looked for. Raises the error then."""
        found = self.connection is None or (yield from self.connection.breaking_off())
        _log.error("stream broken off", error=str(error), cause=repr(error.__cause__), told=found)
        raise error

    def close(self) -> None:
        """Close the store's cursor."""
        self._stack.close()

"""Carries out reads on a connection: as rows, or as the JSON that PostgreSQL makes."""

from __future__ import annotations

from sqlalchemy import MetaData

from repositories.base import Document, Rows
from repositories.kept import Kept
from repositories.query import Read, Row
from repositories.sql.compiler import Compiler
from repositories.sql.connections import Connection, result_of
from repositories.sql.statements import Statement


class Reader:
    """Compiles and runs reads; keeps what it has compiled."""

    def __init__(self, metadata: MetaData, shapes: int) -> None:
        compiler = Compiler(metadata)
        self.page = Kept(compiler.rows, shapes)
        self.records = Kept(compiler.records, shapes)
        self.counted = Kept(compiler.counted, shapes)
        self._total = Kept(compiler.total, shapes)

    def json(self, connection: Connection, read: Read) -> Document:
        """The page as finished JSON, in one statement."""
        if read.count:
            return self._counted_json(connection, read)
        statement = self.records(read.selection)
        records = result_of(connection, *statement.limited(read.values))
        count, value = records.ntuples, records.get_value
        return Document(b"[%b]" % b",".join([value(i, 0) or b"" for i in range(count)]), count)

    def rows(self, connection: Connection, read: Read) -> Rows:
        """The page as rows. With a total it takes two statements: of one moment only where the transaction is."""
        page = self.page(read.selection)
        rows = loaded(page, connection.execute(page.sql, page.bind(read.values)).fetchall())
        if not read.count:
            return Rows(rows)
        total = self._total(read.selection)
        return Rows(rows, connection.execute(total.sql, total.bind(read.values)).fetchall()[0][0])

    def _counted_json(self, connection: Connection, read: Read) -> Document:
        statement = self.counted(read.selection)
        answer = result_of(connection, *statement.limited(read.values))
        body, count, total = (answer.get_value(0, column) or b"" for column in range(3))
        return Document(body, int(count), int(total))


def loaded(statement: Statement, rows: list[Row]) -> list[Row]:
    """The rows that the statement means, of those that it has fetched."""
    return rows if statement.load is None else [statement.load(text) for (text,) in rows]

"""Reading: pages, their exact count, and streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.command_cursor import CommandCursor
from pymongo.cursor import Cursor
from pymongo.errors import ConnectionFailure

from repositories.base import Document, Rows
from repositories.encoding import records_encoder
from repositories.mongo.compiler import Pipeline, Plan, compile_selection
from repositories.mongo.connection import Connection
from repositories.mongo.documents import BSON
from repositories.query import Read, Row, Selection, Values

#: Shapes of selections whose compiled form is kept.
KEPT_PLANS = 1024

#: The server's first batch, unless it is told otherwise.
_FIRST_BATCH = 101

_Documents = Cursor[BSON] | CommandCursor[BSON]
_Encoder = Callable[[Iterable[Row]], bytes]


class Reader:
    """Runs compiled selections."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._compiled = lru_cache(KEPT_PLANS)(_compiled)

    def rows(self, read: Read) -> Rows:
        """The page as values."""
        plan, _ = self._compiled(read.selection)
        documents, total = self._page(plan, read)
        return Rows(plan.decode(documents), total)

    def json(self, read: Read) -> Document:
        """The page as finished JSON."""
        plan, encode = self._compiled(read.selection)
        documents, total = self._page(plan, read)
        return Document(encode(plan.decode(documents)), len(documents), total)

    @contextmanager
    def stream(self, read: Read, batch: int) -> Iterator[Iterator[Sequence[Row]]]:
        """The records in batches, all of the moment of the first."""
        plan, _ = self._compiled(read.selection)
        if plan.is_empty(read.values):
            yield iter(())
            return
        with self._connection.streaming(), self._cursor(plan, read.values, None, batch) as cursor:
            try:
                yield _batches(plan, cursor, batch)
            except ConnectionFailure:
                # The driver leaves the cursor to the server, which would keep it, and its snapshot, for ten minutes.
                self._connection.kill(plan.resource.name, cursor.cursor_id)
                raise

    def _page(self, plan: Plan, read: Read) -> tuple[list[BSON], int | None]:
        if not read.count:
            return self._connection.run(lambda: self._documents(plan, read.values, None)), None

        def both() -> tuple[list[BSON], int]:
            with self._connection.snapshot() as session:
                documents = self._documents(plan, read.values, session)
                total = plan.known_total(read.values, len(documents))
                return documents, self._count(plan, read.values, session) if total is None else total

        return self._connection.run(both)

    def _documents(self, plan: Plan, values: Values, session: ClientSession | None) -> list[BSON]:
        if plan.is_empty(values):
            return []
        limit = 0 if plan.limit is None else values[plan.limit.index]
        # One more than can come, so that the server is done with the cursor after the first batch.
        batch = limit + 1 if limit >= _FIRST_BATCH else 0
        with self._cursor(plan, values, session, batch) as cursor:
            return cursor.to_list()

    def _cursor(self, plan: Plan, values: Values, session: ClientSession | None, batch: int) -> _Documents:
        collection = self._connection.collection(plan.resource.name)
        statement = plan.statement(values)
        if isinstance(statement, Pipeline):
            sized: dict[str, Any] = {"batchSize": batch} if batch else {}
            return collection.aggregate(statement.stages, session=session, allowDiskUse=True, **sized)
        return collection.find(
            statement.filter,
            statement.projection,
            skip=statement.skip,
            # A negative limit asks for one batch and no cursor. Several records might not fit into one.
            limit=-1 if statement.single else statement.limit or 0,
            sort=statement.sort or None,
            batch_size=batch,
            allow_disk_use=True if statement.sort else None,
            session=session,
        )

    def _count(self, plan: Plan, values: Values, session: ClientSession) -> int:
        collection = self._connection.collection(plan.resource.name)
        counted = collection.aggregate(plan.count(values), session=session).to_list()
        return int(counted[0]["n"]) if counted else 0


def _batches(plan: Plan, cursor: _Documents, batch: int) -> Iterator[Sequence[Row]]:
    while documents := cursor.to_list(batch):
        yield plan.decode(documents)


def _compiled(selection: Selection) -> tuple[Plan, _Encoder]:
    names = [output.name for output in selection.outputs]
    types = [output.column.field.type for output in selection.outputs]
    return compile_selection(selection), records_encoder(names, types)

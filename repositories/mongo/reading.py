"""Reading: pages, their exact count, and streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.command_cursor import CommandCursor
from pymongo.cursor import Cursor
from pymongo.errors import ConnectionFailure

from repositories.base import Document, Explanation, Rows
from repositories.encoding import outputs_encoder, records_encoder
from repositories.expressions import is_grouped
from repositories.kept import Kept
from repositories.mongo.compiler import compile_selection
from repositories.mongo.connection import Connection
from repositories.mongo.documents import BSON, CODEC
from repositories.mongo.explaining import command_of, explanation
from repositories.mongo.json_columns import JsonColumns, plain_fields
from repositories.mongo.plans import Pipeline, Plan
from repositories.mongo.transactions import Transaction
from repositories.query import Embed, Output, Read, Row, Selection, Values

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
        self._scope: Connection | Transaction = connection
        self._compiled = Kept(_compiled, KEPT_PLANS)

    def within(self, transaction: Transaction) -> Reader:
        """The same, reading pages in the transaction."""
        reader = copy(self)
        reader._scope = transaction
        return reader

    def rows(self, read: Read) -> Rows:
        """The page as values."""
        plan = self._compiled(read.selection).plan
        documents, total = self._page(plan, read)
        return Rows(plan.rows(documents), total)

    def json(self, read: Read) -> Document:
        """The page as finished JSON."""
        compiled = self._compiled(read.selection)
        documents, total = self._page(compiled.plan, read)
        return Document(compiled.array(documents), len(documents), total)

    @contextmanager
    def stream(self, read: Read, batch: int) -> Iterator[Iterator[Sequence[Row]]]:
        """The records in batches, all of the moment of the first."""
        plan = self._compiled(read.selection).plan
        with self._batches(plan, read, batch) as batches:
            yield map(plan.rows, batches)

    @contextmanager
    def lines(self, read: Read, batch: int) -> Iterator[Iterator[bytes]]:
        """The same as lines of JSON, a batch at a time."""
        compiled = self._compiled(read.selection)
        with self._batches(compiled.plan, read, batch) as batches:
            yield map(compiled.lines, batches)

    @contextmanager
    def _batches(self, plan: Plan, read: Read, batch: int) -> Iterator[Iterator[list[BSON]]]:
        if plan.page.is_empty(read.values):
            yield iter(())
            return
        with self._connection.streaming(), self._cursor(plan, read.values, None, batch) as cursor:
            try:
                yield _batches(cursor, batch, _of_none(plan))
            except ConnectionFailure:
                # The driver leaves the cursor to the server, which would keep it, and its snapshot, for ten minutes.
                self._connection.kill(plan.resource.name, cursor.cursor_id)
                raise

    def explain(self, read: Read, *, analyze: bool, verbose: bool) -> Explanation:
        """The server's plan for the page, carried out with `analyze`."""
        plan = self._compiled(read.selection).plan
        command = command_of(plan, read.values)
        verbosity = "executionStats" if analyze else "queryPlanner"
        database = self._connection.database
        answer = self._connection.run(
            lambda: database.command("explain", command, verbosity=verbosity, codec_options=CODEC)
        )
        return explanation(command, answer, verbose=verbose)

    def _page(self, plan: Plan, read: Read) -> tuple[list[BSON], int | None]:
        if not read.count:
            session = self._scope.session
            return self._scope.run(lambda: self._documents(plan, read.values, session)), None

        def both() -> tuple[list[BSON], int]:
            with self._scope.snapshot() as session:
                documents = self._documents(plan, read.values, session)
                total = plan.page.known_total(read.values, len(documents))
                return documents, self._count(plan, read.values, session) if total is None else total

        return self._scope.run(both)

    def _documents(self, plan: Plan, values: Values, session: ClientSession | None) -> list[BSON]:
        if plan.page.is_empty(values):
            return []
        limit = plan.page.bounds(values)[1] or 0
        # One more than can come, so that the server is done with the cursor after the first batch.
        batch = limit + 1 if limit >= _FIRST_BATCH else 0
        with self._cursor(plan, values, session, batch) as cursor:
            return cursor.to_list() or _of_none(plan)

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
        return int(counted[0]["n"]) if counted else int(plan.page.single)


def _of_none(plan: Plan) -> list[BSON]:
    """What stands for none found: where all records are one group, it has none."""
    return [{}] if plan.page.single else []


def _batches(cursor: _Documents, batch: int, of_none: list[BSON]) -> Iterator[list[BSON]]:
    documents = cursor.to_list(batch) or of_none
    while documents:
        yield documents
        documents = cursor.to_list(batch)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A selection's plan, and what writes its documents as a JSON array, and as lines of JSON."""

    plan: Plan
    array: Callable[[Sequence[BSON]], bytes]
    lines: Callable[[Sequence[BSON]], bytes]


def _compiled(selection: Selection) -> _Compiled:
    plan = compile_selection(selection)
    fields = plain_fields(selection.outputs)
    if fields is not None and not is_grouped(selection) and not selection.embeds:
        columns = JsonColumns(selection.resource, [output.name for output in selection.outputs], fields)
        return _Compiled(plan, columns.array, columns.lines)
    encode = encoder(selection.outputs, selection.embeds)
    return _Compiled(
        plan,
        lambda documents: encode(plan.rows(documents)),
        lambda documents: b"".join(encode((row,))[1:-1] + b"\n" for row in plan.rows(documents)),
    )


def encoder(outputs: Sequence[Output], embeds: tuple[Embed, ...] = ()) -> _Encoder:
    """What writes rows of these outputs as a JSON array."""
    fields = plain_fields(outputs)
    if fields is not None:
        return records_encoder([output.name for output in outputs], [field.type for field in fields])
    return outputs_encoder(outputs, embeds)

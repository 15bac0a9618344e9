"""Rows too many for one parameter: copied in batches into a temporary table, from where one statement takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count, islice

from repositories.query import Row
from repositories.sql.connections import Connection
from repositories.sql.postgresql import STAGED

_BATCH = 1000
# Compressing what is read once would cost more than it saves.
_CREATE = (
    f"CREATE TEMPORARY TABLE {STAGED} (batch integer, records json) ON COMMIT DROP; "
    f"ALTER TABLE {STAGED} ALTER COLUMN records SET STORAGE EXTERNAL"
)


def stage(
    connection: Connection, encode: Callable[[Iterable[Row]], bytes], rows: Iterable[Row], pace: Callable[[], None]
) -> int:
    """Put the rows ready in the open transaction, and tell their number; `pace` is called before each batch."""
    connection.execute(_CREATE)
    walk, total = iter(rows), 0
    for number in count():
        batch = list(islice(walk, _BATCH))
        if not batch:
            break
        total += len(batch)
        pace()
        with connection.cursor() as cursor, cursor.copy(f"COPY {STAGED} FROM STDIN") as copy:
            copy.write_row((number, encode(batch).decode()))
    return total


def clear(connection: Connection) -> None:
    """Remove the rows; the transaction may have others to insert."""
    connection.execute(f"DROP TABLE {STAGED}")

"""An index that is there for the length of a trial. Other clients may use it meanwhile: a hidden one nobody could."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import OperationFailure

from repositories.mongo.connection import Connection
from repositories.mongo.indexes import plain_spec
from repositories.schema import Index, Resource

#: There is no such collection, or no such index.
_NOT_THERE = frozenset({26, 27})


@contextmanager
def trial(connection: Connection, resource: Resource, index: Index) -> Iterator[None]:
    """Meanwhile the collection has the index. One of its name that an earlier trial left behind is removed, too."""
    spec = plain_spec(resource, index.name, index.keys)
    command = {"createIndexes": resource.name, "indexes": [spec.document()]}
    _remove(connection, resource, index)
    try:
        connection.run(lambda: connection.database.command(command))
        yield
    finally:
        _remove(connection, resource, index)


def _remove(connection: Connection, resource: Resource, index: Index) -> None:
    def work() -> None:
        try:
            connection.database.command({"dropIndexes": resource.name, "index": index.name})
        except OperationFailure as error:
            if error.code not in _NOT_THERE:
                raise

    connection.run(work)

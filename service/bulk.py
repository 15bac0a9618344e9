"""The records of a body: of a JSON value as a whole, of CSV and lines of JSON one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from service.body import Body, BodyType
from service.errors import bad_body
from service.planner import inserts
from service.planner.inserts import Records
from service.planner.records import read_json
from service.transfer.csv_records import read_csv
from service.transfer.formats import Malformed, Table
from service.transfer.json_records import read_ndjson
from service.transfer.values import read_text


def records_of(body: Body) -> Records:
    """The records. Raises `RequestError` (PGRST102), here or while they are walked."""
    if body.type is BodyType.JSON:
        return inserts.records_of(body.json())
    if body.open().read(1) == b"":
        raise bad_body("Empty or invalid body", "The body is empty.")
    read = read_text if body.type is BodyType.CSV else read_json
    return Records(partial(_walk, body), _table(body).names, read, listed=False)


def _walk(body: Body) -> Iterator[Any]:
    try:
        for place, record in _table(body).records:
            if isinstance(record, str):
                raise bad_body("Empty or invalid body", f"line {place} {record}.")
            yield record
    except Malformed as error:
        raise bad_body("Empty or invalid body", str(error)) from None


def _table(body: Body) -> Table:
    read = read_csv if body.type is BodyType.CSV else read_ndjson
    try:
        return read(body.open())
    except Malformed as error:
        raise bad_body("Empty or invalid body", str(error)) from None

"""Plans of inserts and upserts: records of a body, whole or as they are read, become rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from repositories.query import Output, Row
from repositories.schema import Field
from repositories.writes import Conflict, Insert
from service.dialect.params import Level
from service.errors import RequestError, bad_body
from service.planner.answers import DRAFTS, ReadBack, Subject, WritePlan, plan_after, plan_outputs
from service.planner.records import Reader, RecordReader, read_json, writable


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a body: `walk` reads them anew each time. A record may be anything that the body can hold.

    `names` are those of a header; None where each record names its own members. `listed` are records that are at hand
    as a whole; others are read as they are written, so that there may be many.
    """

    walk: Callable[[], Iterator[Any]]
    names: tuple[str, ...] | None = None
    read: Reader = read_json
    listed: bool = True
    #: Errors tell which record they are about.
    many: bool = True


def records_of(body: Any) -> Records:
    """The records of a JSON body: an object, or an array of objects."""
    return Records(lambda: iter(body)) if isinstance(body, list) else Records(lambda: iter((body,)), many=False)


def plan_insert(
    subject: Subject,
    records: Records,
    *,
    resolution: str | None = None,
    defaults: bool = True,
    wanted: bool,
) -> WritePlan:
    """New records, or with a `resolution` also changes of those there are. Raises `RequestError`."""
    params, limits = subject.params, subject.limits
    if params.top != Level(order=params.top.order) or (params.top.order and not subject.reads):
        raise RequestError(400, "PGRST100", "An insert takes no filter, order, limit or offset.")
    names = params.columns if params.columns is not None else _names(records)
    draft = (_draft if subject.reads else _kept_draft)(subject, names, records.read, _Way(resolution, defaults, wanted))
    source = _Rows(records, draft.reader, names if params.columns is None else None, limits.max_insert_rows)
    rows = list(source) if records.listed else source
    return WritePlan(
        Insert(subject.resource, draft.reader.columns, rows, draft.outputs, draft.conflict),
        after=draft.after,
        in_order=not params.top.order,
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is the same for all inserts of one shape."""

    reader: RecordReader
    conflict: Conflict | None
    outputs: tuple[Output, ...]
    after: ReadBack | None


class _Way(NamedTuple):
    resolution: str | None
    defaults: bool
    wanted: bool


def _draft(subject: Subject, names: tuple[str, ...], read: Reader, way: _Way) -> _Draft:
    given = writable(subject.scope, names)
    reader = RecordReader(subject.scope, given, read, defaults=way.defaults)
    conflict = _conflict(subject, given, way.resolution)
    return _Draft(reader, conflict, plan_outputs(subject, wanted=way.wanted), plan_after(subject, wanted=way.wanted))


#: What goes wrong is not kept, and goes wrong again.
_kept_draft = lru_cache(DRAFTS)(_draft)


class _Rows:
    """The records as rows, read and checked anew each time they are walked."""

    def __init__(self, records: Records, reader: RecordReader, names: tuple[str, ...] | None, most: int) -> None:
        self._records, self._reader, self._most = records, reader, most
        self._names = None if names is None else frozenset(names)

    def __iter__(self) -> Iterator[Row]:
        """The rows up to the first violation; then the records are read on, to find others. Raises `RequestError`."""
        reader = self._reader.anew()
        for index, record in enumerate(self._records.walk()):
            if index >= self._most:
                raise RequestError(413, "54000", f"A request may insert {self._most} records at the most.")
            _check_members(index, record, self._names)
            row = reader.row(record, f"/{index}" if self._records.many else "")
            if reader.full:
                break
            if not reader.violations:
                yield row
        reader.finish()


def _names(records: Records) -> tuple[str, ...]:
    """The members that the records give: those of the header, or of the first record."""
    if records.names is not None:
        return records.names
    for record in records.walk():
        _check_members(0, record, None)
        return tuple(record)
    return ()


def _check_members(index: int, record: Any, names: Collection[str] | None) -> None:
    if not isinstance(record, dict):
        raise bad_body("The body must be a JSON object, or an array of objects.", f"Item {index} is not an object.")
    if names is not None and record.keys() != names:
        raise bad_body(
            "All object keys must match",
            f'The object at index {index} has other keys than the first; "columns" names those to write.',
        )


def _conflict(subject: Subject, given: tuple[Field, ...], resolution: str | None) -> Conflict | None:
    """What `Prefer: resolution` makes of records whose key, or `on_conflict`, is there already."""
    scope, names = subject.scope, subject.params.on_conflict
    if resolution is None:
        if names is not None:
            raise RequestError(
                400,
                "PGRST100",
                '"on_conflict" needs a resolution.',
                hint="Send Prefer: resolution=merge-duplicates, or resolution=ignore-duplicates.",
            )
        return None
    resource = subject.resource
    wanted = set(resource.primary_key if names is None else (scope.field(name).name for name in names))
    keys = (resource.primary_key, *(unique.fields for unique in resource.uniques))
    key = next((key for key in keys if set(key) == wanted), None)
    if key is None:
        raise RequestError(
            400,
            "42P10",
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
            hint="on_conflict names the primary key, or a unique set of fields.",
        )
    fields = tuple(resource.fields[name] for name in key)
    if resolution == "ignore-duplicates":
        return Conflict(fields)
    return Conflict(fields, tuple(field for field in given if field not in fields) or fields)

"""Laws of answers: the same records in every form, and what is told about them."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from repositories.schema import Field, Kind, Resource
from service.keys import format_key
from tests.prove.asking import EXACT, Asker, alike, claim, loaded, parsed, select_key, total, typed
from tests.prove.filter_laws import Check
from tests.prove.reads import Draft, Reads

#: What a spreadsheet takes for a formula, and is disarmed by an apostrophe; numbers stay.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def head(reads: Reads, resource: Resource) -> Check:
    """HEAD has the headers of GET, and no body."""
    draft = Draft()
    reads.collection(resource, draft)
    headers = EXACT if reads.chance.one_in(2) else {}

    def check(asker: Asker) -> int:
        full = asker.send(resource, draft.parameters, headers)
        empty = asker.send(resource, draft.parameters, headers, method="HEAD")
        claim(not empty.body, f"HEAD has a body: {empty.body[:80]!r}")
        alike((empty.status, *empty.headers), (full.status, *full.headers), "the headers of HEAD and of GET")
        return len(parsed(full))

    return check


def count(reads: Reads, resource: Resource) -> Check:
    """The exact count of any page is the number of records of the whole list."""
    draft = Draft()
    reads.collection(resource, draft)
    whole = [(name, value) for name, value in draft.parameters if name not in ("limit", "offset")]
    limit = reads.chance.pick([0, 1, 2, 100])

    def check(asker: Asker) -> int:
        listed = asker.rows(resource, whole)
        page = asker.send(resource, [*whole, ("limit", str(limit))], EXACT)
        claim(total(page) == len(listed), f"{total(page)} are counted, {len(listed)} are listed")
        alike(parsed(page), listed[:limit], "the page, and the list's beginning")
        return len(listed)

    return check


def projection(reads: Reads, resource: Resource) -> Check:
    """Some columns are those of the full records, under their own names or others."""
    chosen = reads.chance.some(list(resource.fields), 1, 3)
    names = {f"m{number}" if reads.chance.one_in(3) else name: name for number, name in enumerate(chosen)}
    filters = [reads.filters.condition(resource)]
    select = ",".join(name if name == alias else f"{alias}:{name}" for alias, name in names.items())

    def check(asker: Asker) -> int:
        full = asker.rows(resource, filters)
        some = asker.rows(resource, [("select", select), *filters])
        alike(some, [{alias: row[name] for alias, name in names.items()} for row in full], "the columns of the records")
        return len(full)

    return check


def ndjson(reads: Reads, resource: Resource) -> Check:
    """NDJSON has the records of JSON, a line for each."""
    draft = Draft()
    reads.collection(resource, draft)

    def check(asker: Asker) -> int:
        answer = asker.send(resource, draft.parameters)
        lines = asker.send(resource, draft.parameters, {"Accept": "application/x-ndjson"}).body
        claim(b"[" + lines.rstrip(b"\n").replace(b"\n", b",") + b"]" == answer.body, f"{lines!r}\n{answer.body!r}")
        return len(parsed(answer))

    return check


def in_csv(reads: Reads, resource: Resource) -> Check:
    """CSV has the records of JSON: texts as they are, other values as JSON writes them, nothing for null."""
    fields = reads.chance.some(list(resource.fields.values()), 1, 6)
    parameters = [("select", ",".join(field.name for field in fields)), reads.filters.condition(resource)]

    def check(asker: Asker) -> int:
        rows = asker.rows(resource, parameters)
        text = asker.send(resource, parameters, {"Accept": "text/csv"}).body.decode()
        lines = list(csv.reader(io.StringIO(text, newline="")))
        alike(lines[0], [field.name for field in fields], "the header")
        # One null alone makes an empty line.
        cells = [zip(fields, line or [""], strict=True) for line in lines[1:]]
        found = [[_read(field, cell) for field, cell in line] for line in cells]
        alike(found, [[_shown(field, row[field.name]) for field in fields] for row in rows], "CSV and JSON")
        return len(rows)

    return check


def _read(known: Field, cell: str) -> Any:
    return loaded(cell) if cell and known.type.kind in (Kind.JSON, Kind.ARRAY, *_BARE) else cell


#: What JSON writes without quotes.
_BARE = (Kind.INT32, Kind.INT64, Kind.DOUBLE, Kind.DECIMAL, Kind.BOOLEAN)


def _shown(known: Field, value: Any) -> Any:
    if value is None:
        return ""
    if known.type.kind is Kind.STRING and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def stripped(reads: Reads, resource: Resource) -> Check:
    """`nulls=stripped` leaves out what is null, and nothing else."""
    filters = [reads.filters.condition(resource)]
    headers = {"Accept": "application/vnd.pgrst.array+json;nulls=stripped"}

    def check(asker: Asker) -> int:
        full = asker.rows(resource, filters)
        expected = [{name: value for name, value in row.items() if value is not None} for row in full]
        alike([_own(row, expected[index]) for index, row in enumerate(asker.rows(resource, filters, headers))],
              expected, "records without their nulls")  # fmt: skip
        return len(full)

    return check


def _own(row: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """The row; what lies within a value of free JSON may lose its nulls, too."""
    return {name: expected.get(name) if isinstance(value, dict | list) else value for name, value in row.items()}


def item(reads: Reads, resource: Resource) -> Check:
    """A record by its key in the path is the one that the list has; as the only one of a list it is the same."""
    filters = [reads.filters.condition(resource)]
    single = {"Accept": "application/vnd.pgrst.object+json"}

    def check(asker: Asker) -> int:
        rows = asker.rows(resource, filters)
        for row in rows[:3]:
            values = [row[name] for name in resource.primary_key]
            key = tuple(typed(field.type, value) for field, value in zip(resource.key, values, strict=True))
            found = asker.send(resource, (), key=format_key(resource, key))
            alike([parsed(found)], [row], "the record by its key")
            again = asker.send(resource, [select_key(resource)], single, key=format_key(resource, key))
            alike(list(parsed(again).values()), values, "the key of the record by its key")
        return len(rows)

    return check

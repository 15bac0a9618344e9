"""What PostgreSQL says about how it answers a statement: EXPLAIN, and its plan's main points."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from repositories.base import Explanation
from repositories.encoding import decimal_text, instant_text
from repositories.query import Values
from repositories.sql.connections import Connection
from repositories.sql.statements import Statement

_PLACEHOLDER = re.compile(r"%([s%])")
_SORTS = frozenset({"Sort", "Incremental Sort"})
#: How many index entries and records a node looks at for each row that it reads.
_READS = {"Seq Scan": 1, "Index Scan": 2, "Index Only Scan": 1, "Bitmap Index Scan": 1, "Bitmap Heap Scan": 1}


def explain(
    connection: Connection,
    backend: str,
    statement: Statement,
    values: Values,
    *,
    counted: bool,
    analyze: bool,
    verbose: bool,
) -> Explanation:
    """PostgreSQL's plan of the statement with these values; with `analyze` it is carried out."""
    options = ["FORMAT JSON", *(["ANALYZE", "BUFFERS"] if analyze else []), *(["VERBOSE"] if verbose else [])]
    parameters = statement.bind(values)
    rows = connection.execute(f"EXPLAIN ({', '.join(options)}) {statement.sql}", parameters).fetchall()
    plan = rows[0][0][0]
    nodes = list(_nodes(plan["Plan"]))
    return Explanation(
        backend=backend,
        statement=_numbered(statement.sql),
        parameters=[_shown(value) for value in parameters],
        plan=plan,
        indexes=tuple(sorted({node["Index Name"] for node in nodes if "Index Name" in node})),
        scans=tuple(sorted({node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"})),
        sorts=any(node["Node Type"] in _SORTS for node in nodes),
        rows=_rows(plan["Plan"], counted=counted) if analyze else None,
        examined=round(sum(_examined(node) for node in nodes)) if analyze else None,
        milliseconds=plan["Execution Time"] if analyze else None,
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _rows(top: dict[str, Any], *, counted: bool) -> int:
    """The records of the page: where they are counted, those that the one row of the answer is made of."""
    if counted:
        top = next(child for child in top["Plans"] if child["Parent Relationship"] == "Outer")
    return int(top["Actual Rows"])


def _examined(node: dict[str, Any]) -> float:
    removed: float = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    read = (node.get("Actual Rows", 0) + removed) * node.get("Actual Loops", 0)
    entries: float = _READS.get(node["Node Type"], 0) * read
    return entries + float(node.get("Heap Fetches", 0))


def _numbered(sql: str) -> str:
    """The statement with `$1`, `$2`, … for its placeholders."""
    pieces = iter(range(1, sql.count("%s") + 1))
    return _PLACEHOLDER.sub(lambda match: "%" if match[1] == "%" else f"${next(pieces)}", sql)


def _shown(value: Any) -> Any:
    """A parameter as JSON."""
    match value:
        case list() | tuple():
            return [_shown(item) for item in value]
        case Decimal():
            return decimal_text(value)
        case datetime():
            return instant_text(value)
        case date() | UUID():
            return str(value)
    return value

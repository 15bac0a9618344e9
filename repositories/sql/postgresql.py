"""What is PostgreSQL's own: its SQLAlchemy dialects, its way of making JSON and of taking rows as one parameter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    TableValuedAlias,
    Text,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import JSON, psycopg
from sqlalchemy.schema import DDLElement

from repositories.query import Output

#: Queries have positional parameters, the driver's cheapest; DDL has none, so that its percent signs stay single.
_QUERIES = psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
_DDL = psycopg.dialect(paramstyle="named")  # type: ignore[no-untyped-call]

_GIVEN, _BATCHES = "diglot_given", "diglot_batches"
#: The temporary table of rows under way: a JSON array of objects for each numbered batch.
STAGED = "diglot_rows"


def query_sql(statement: Any) -> tuple[str, tuple[str, ...]]:
    """A statement as SQL with positional placeholders, and the parameters' names in their order."""
    compiled = statement.compile(dialect=_QUERIES)
    return str(compiled), tuple(compiled.positiontup or ())


def ddl_sql(statement: DDLElement) -> str:
    """A DDL statement as SQL, to be run without parameters."""
    return str(statement.compile(dialect=_DDL)).strip()


def quote(name: str) -> str:
    """An identifier, quoted where it must be."""
    return str(_DDL.identifier_preparer.quote(name))


def quote_text(text: str) -> str:
    """A text literal (`standard_conforming_strings` is on in every connection)."""
    return "'" + text.replace("'", "''") + "'"


def text_literal(text: str) -> ColumnElement[str]:
    """A text as a constant of the statement."""
    return literal_column(quote_text(text), Text())


def record_json(page: FromClause) -> ColumnElement[str]:
    """A row of `page` as the text of a JSON object, with the page's columns as its members."""
    return cast(func.row_to_json(page.table_valued()), Text)  # type: ignore[attr-defined]


def joined_json(items: ColumnElement[Any]) -> ColumnElement[str]:
    """The texts of JSON values, in the order in which they come, as the text of one JSON array."""
    records = func.coalesce(func.string_agg(items, literal_column("','")), literal_column("''"))
    return literal_column("'['").op("||")(records).op("||")(literal_column("']'"))


def array_json(page: FromClause) -> ColumnElement[str]:
    """All rows of `page`, in their order, as the text of one JSON array."""
    return joined_json(record_json(page))


def row_json(page: Subquery) -> ColumnElement[Any]:
    """A row of `page` as a JSON object. With a star, its name is never taken for that of an enclosing column."""
    return func.row_to_json(literal_column(f"{quote(str(page.name))}.*"), type_=JSON())


def given_rows(columns: Iterable[ColumnClause[Any]], rows: BindParameter[Any]) -> TableValuedAlias:
    """The rows that one parameter brings, a JSON array of objects, as a table with these columns."""
    return func.json_to_recordset(rows).table_valued(*columns).render_derived(_GIVEN, with_types=True)


def staged_rows(columns: Iterable[ColumnClause[Any]]) -> FromClause:
    """The rows that lie in the table `STAGED`, in their order, as a table with these columns."""
    batches = select(column("records", JSON())).select_from(table(STAGED)).order_by(column("batch")).subquery(_BATCHES)
    rows = func.json_to_recordset(batches.c.records).table_valued(*columns).render_derived(_GIVEN, with_types=True)
    return select(rows).select_from(batches.join(rows, true())).subquery("diglot_staged")


def next_number(table: str, field: str) -> ColumnElement[int]:
    """The next value of the sequence behind an identity column."""
    sequence = func.pg_get_serial_sequence(literal_column(quote_text(quote(table))), literal_column(quote_text(field)))
    return func.nextval(sequence)


def was_created() -> ColumnElement[bool]:
    """In RETURNING of an upsert: whether the row is new. An updated row bears its locker's transaction in `xmax`."""
    return literal_column("xmax = 0")


def page_of(query: Select[Any], outputs: Iterable[Output]) -> Subquery:
    """The query as a subquery whose alias none of its columns has: `row_to_json(page)` would take it for the row."""
    alias, taken = "page", {output.name for output in outputs}
    while alias in taken:
        alias += "_"
    return query.subquery(alias)

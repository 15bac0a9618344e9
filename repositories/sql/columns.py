"""Columns, the paths into their JSON, and the order of JSON values: strings, numbers, booleans, arrays, objects."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Numeric,
    Text,
    case,
    cast,
    collate,
    func,
    literal_column,
    null,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from repositories.query import Column
from repositories.schema import Kind, Value
from repositories.sql.postgresql import text_literal

_NULL = literal_column("'null'::jsonb", JSONB())
_KINDS = "string number boolean array object"
_CONTAINERS = (text_literal("array"), text_literal("object"))


def column_sql(column: Column, source: FromClause, *, shown: bool = False) -> ColumnElement[Any]:
    """The column of `source`, or what the path leads to. An array or object has a text only where it is `shown`."""
    value: ColumnElement[Any] = source.c[column.field.name]
    if not column.path:
        return value
    if column.field.type.kind is Kind.ARRAY:
        value = func.to_jsonb(value, type_=JSONB())
    found = _found(value, column.path)
    if not column.as_text:
        return func.nullif(found, _NULL, type_=JSONB())
    text = found.op("#>>", return_type=Text())(text_literal("{}"))
    if shown:
        return text
    return by_code_point(case((func.jsonb_typeof(found).in_(_CONTAINERS), null()), else_=text))


def _found(value: ColumnElement[Any], path: tuple[str | int, ...]) -> ColumnElement[Any]:
    """What the path leads to. PostgreSQL's `->` would take a scalar for an array of one; a strict path does not."""
    if all(isinstance(step, str) for step in path):
        for step in path:
            value = value.op("->", return_type=JSONB())(text_literal(str(step)))
        return value
    steps = "".join(f".{encode_basestring(step)}" if isinstance(step, str) else f"[{_index(step)}]" for step in path)
    strict = text_literal(f"strict ${steps}")
    return func.jsonb_path_query_first(value, cast(strict, JSONPATH()), text_literal("{}"), true(), type_=JSONB())


def _index(step: int) -> str:
    return str(step) if step >= 0 else f"last - {-step - 1}"


def by_code_point(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Text that compares and sorts by code point, whatever the database's own collation."""
    return collate(text, "C")


def json_keys(value: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any], ColumnElement[Any]]:
    """What JSON is ordered by: the place of its kind (null for null), its text, its number."""
    kind = func.jsonb_typeof(value)
    number = literal_column("0", Numeric())
    return (
        func.strpos(text_literal(_KINDS), kind, type_=Integer()),
        by_code_point(
            case(
                (kind == text_literal("string"), value.op("#>>", return_type=Text())(text_literal("{}"))),
                else_=text_literal(""),
            )
        ),
        case(
            (kind == text_literal("number"), cast(value, Numeric())),
            (kind == text_literal("boolean"), cast(cast(value, Boolean()), Integer())),
            else_=number,
        ),
    )


def kind_key(value: Value) -> int:
    """The first of these keys, of a scalar."""
    kind = "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
    return _KINDS.index(kind) + 1


def text_key(value: Value) -> str:
    """The second of these keys, of a scalar."""
    return value if isinstance(value, str) else ""


def number_key(value: Value) -> Decimal:
    """The third of these keys, of a scalar."""
    if isinstance(value, str):
        return Decimal(0)
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


JSON_KEYS: tuple[tuple[Any, Callable[[Value], Any]], ...] = (
    (Integer(), kind_key),
    (Text(), text_key),
    (Numeric(), number_key),
)

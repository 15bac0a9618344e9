"""What a column stands for, as an aggregation expression: paths into JSON, step by step, and text at their end."""

from __future__ import annotations

from repositories.mongo.documents import path
from repositories.mongo.numbers import Expr, double_json_text, let, shortest, stripped
from repositories.mongo.texts import decimal_text, instant_text
from repositories.query import Column
from repositories.schema import Kind, Resource, Type

_INT32 = 2**31
#: Whole doubles from here on are decimals in JSON, where they are worth their shortest digits: 2.0**60 is there
#: 1152921504606847000, and not 1152921504606846976.
LEAST_DECIMAL = 2.0**53


def is_null(value: Expr) -> Expr:
    """Null and missing are the least of all values."""
    return {"$lte": [value, None]}


def not_null(value: Expr) -> Expr:
    """The value is there."""
    return {"$gt": [value, None]}


def column(resource: Resource, column: Column, root: str = "$") -> Expr:
    """The column's value (null or missing where it is null), of the document whose members `root` leads to.

    Text of an array or object is null here.
    """
    where = f"{root}{path(resource, column.field)}"
    if not column.path:
        return where
    items = column.field.type.items
    value = where if items is None else _json_items(where, items)
    for step in column.path:
        value = _key(value, step) if isinstance(step, str) else _index(value, step)
    # there is no text of a uuid before MongoDB 8: it stands for itself, and `filters.py` knows
    return json_text(value) if column.as_text and not has_uuids(column) else value


def has_uuids(column: Column) -> bool:
    """A path to an item of an array of uuids."""
    items = column.field.type.items
    return bool(column.path) and items is not None and items.kind is Kind.UUID


def has_decimals(column: Column) -> bool:
    """A path to an item of an array of decimals, or of doubles, of which the large ones are decimals in JSON."""
    items = column.field.type.items
    return bool(column.path) and items is not None and items.kind in (Kind.DECIMAL, Kind.DOUBLE)


def _key(value: Expr, name: str) -> Expr:
    found = {"$getField": {"field": {"$literal": name}, "input": "$$v"}}
    return let("v", value, {"$cond": [{"$eq": [{"$type": "$$v"}, "object"]}, found, None]})


def _index(value: Expr, place: int) -> Expr:
    if not -_INT32 <= place < _INT32:
        return None
    return let("v", value, {"$cond": [{"$isArray": ["$$v"]}, {"$arrayElemAt": ["$$v", place]}, None]})


def _json_items(where: str, items: Type) -> Expr:
    """An array's items as JSON has them: days and instants are text there, whole numbers have no fraction."""
    match items.kind:
        case Kind.DATE:
            item: Expr = {"$dateToString": {"date": "$$this", "format": "%Y-%m-%d"}}
        case Kind.DATETIME:
            item = instant_text("$$this", "%Y-%m-%dT%H:%M:%S", "+00:00")
        case Kind.DOUBLE:
            is_small = {"$lt": [{"$abs": "$$this"}, LEAST_DECIMAL]}
            whole = {"$cond": [is_small, {"$toLong": "$$this"}, {"$toDecimal": stripped(shortest("$$this"))}]}
            item = {"$cond": [{"$eq": ["$$this", {"$trunc": "$$this"}]}, whole, "$$this"]}
        case _:
            return where
    return {"$map": {"input": where, "as": "this", "in": item}}


def json_text(value: Expr) -> Expr:
    """The text of a JSON scalar; null for anything else."""
    branches = [
        {"case": {"$eq": [{"$type": "$$v"}, "string"]}, "then": "$$v"},
        {"case": {"$in": [{"$type": "$$v"}, ["int", "long", "bool"]]}, "then": {"$toString": "$$v"}},
        {"case": {"$eq": [{"$type": "$$v"}, "double"]}, "then": double_json_text("$$v")},
        {"case": {"$eq": [{"$type": "$$v"}, "decimal"]}, "then": decimal_text("$$v")},
    ]
    return let("v", value, {"$switch": {"branches": branches, "default": None}})

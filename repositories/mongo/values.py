"""What a query's expressions are worth, as aggregation expressions: columns, casts, members of embedded records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from repositories.expressions import type_of
from repositories.mongo.casting import cast
from repositories.mongo.documents import BSON, path, place
from repositories.mongo.numbers import Expr, let
from repositories.mongo.paths import column, has_uuids
from repositories.query import Aggregate, Cast, Column, Embed, Expression, Member, Record
from repositories.schema import Kind, Resource, Type

#: What stands for its text, where that is an item of an array.
UUID = Type(Kind.UUID)


def value_of(resource: Resource, expression: Expression, embeds: tuple[Embed, ...] = (), root: str = "$") -> Expr:
    """The value (null or missing where it is null), of the document whose members `root` leads to.

    The lists of embedded records must have been looked up. A record is an object of its outputs.
    """
    match expression:
        case Column():
            return column(resource, expression, root)
        case Cast(operand, target):
            source = UUID if isinstance(operand, Column) and has_uuids(operand) else type_of(operand, embeds)
            return cast(value_of(resource, operand, embeds, root), source, target)
        case Member(index, inner):
            selection = embeds[index].selection
            value = value_of(selection.resource, inner, selection.embeds, "$$e.")
            return _of_record(index, value, root, many=embeds[index].relation.many)
        case Record(index):
            selection = embeds[index].selection
            outputs = {
                f"p{number}": or_null(value_of(selection.resource, output.expression, selection.embeds, "$$e."))
                for number, output in enumerate(selection.outputs)
            }
            return _of_record(index, outputs, root, many=embeds[index].relation.many)
        case Aggregate():
            raise AssertionError(expression)


def or_null(value: Expr) -> Expr:
    """The value, null where it is missing."""
    return {"$ifNull": [value, None]}


def _of_record(index: int, value: Expr, root: str, *, many: bool) -> Expr:
    records = f"{root}{place(index)}"
    if many:
        return {"$map": {"input": records, "as": "e", "in": or_null(value)}}
    return {"$cond": [{"$eq": [records, []]}, None, let("e", {"$first": records}, value)]}


def projection(resource: Resource, expressions: Iterable[Expression]) -> BSON:
    """What to read of each document for these expressions; the `_id` is read whole or not at all."""
    names = {name: 1 for expression in expressions for name in _members(resource, expression)}
    return {"_id": 0, **names} if "_id" not in names and names else names or {"_id": 1}


def _members(resource: Resource, expression: Expression) -> Iterator[str]:
    match expression:
        case Column(field):
            yield path(resource, field).partition(".")[0]
        case Cast(operand) | Aggregate(_, operand) if operand is not None:
            yield from _members(resource, operand)
        case Record(index) | Member(index):
            yield place(index)


def embeds_of(expressions: Iterable[Expression]) -> dict[int, list[Expression | None]]:
    """The embeds that the expressions mention, each with what they need of its records (None: its outputs)."""
    found: dict[int, list[Expression | None]] = {}
    for expression in expressions:
        match expression:
            case Record(index):
                found.setdefault(index, []).append(None)
            case Member(index, inner):
                found.setdefault(index, []).append(inner)
            case Cast(operand) | Aggregate(_, operand) if operand is not None:
                for index, needed in embeds_of((operand,)).items():
                    found.setdefault(index, []).extend(needed)
    return found

"""What expressions are worth: their types, which casts there are, which selections are grouped."""

from __future__ import annotations

from repositories.query import (
    Aggregate,
    AggregateFunction,
    Cast,
    Column,
    Embed,
    Expression,
    Member,
    Record,
    Selection,
)
from repositories.schema import Field, Kind, Type

#: Digits of a sum: those of IEEE 754 decimal128. A larger sum is refused (22003).
SUM_DIGITS = 34

#: The names of types in a cast, and the kinds they mean.
CAST_NAMES: dict[str, Kind] = {
    "text": Kind.STRING,
    "varchar": Kind.STRING,
    "character varying": Kind.STRING,
    "int": Kind.INT32,
    "integer": Kind.INT32,
    "int4": Kind.INT32,
    "bigint": Kind.INT64,
    "int8": Kind.INT64,
    "double precision": Kind.DOUBLE,
    "float8": Kind.DOUBLE,
    "float": Kind.DOUBLE,
    "numeric": Kind.DECIMAL,
    "decimal": Kind.DECIMAL,
    "boolean": Kind.BOOLEAN,
    "bool": Kind.BOOLEAN,
    "date": Kind.DATE,
    "timestamptz": Kind.DATETIME,
    "timestamp with time zone": Kind.DATETIME,
    "uuid": Kind.UUID,
    "json": Kind.JSON,
    "jsonb": Kind.JSON,
}

_NUMBERS = frozenset({Kind.INT32, Kind.INT64, Kind.DOUBLE, Kind.DECIMAL})
_SCALARS = frozenset(Kind) - {Kind.ARRAY, Kind.JSON}
#: The kinds that each kind can be cast to, besides itself, text and JSON, to which all can.
_CASTS: dict[Kind, frozenset[Kind]] = {
    Kind.STRING: _SCALARS,
    Kind.INT32: _NUMBERS,
    Kind.INT64: _NUMBERS,
    Kind.DOUBLE: _NUMBERS,
    Kind.DECIMAL: _NUMBERS,
    Kind.DATE: frozenset({Kind.DATETIME}),
    Kind.DATETIME: frozenset({Kind.DATE}),
    Kind.JSON: _NUMBERS | {Kind.BOOLEAN},
}

#: The kinds that an aggregate function takes.
AGGREGABLE: dict[AggregateFunction, frozenset[Kind]] = {
    AggregateFunction.COUNT: frozenset(Kind),
    AggregateFunction.SUM: _NUMBERS,
    AggregateFunction.AVG: _NUMBERS,
    AggregateFunction.MIN: _NUMBERS | {Kind.STRING, Kind.DATE, Kind.DATETIME},
    AggregateFunction.MAX: _NUMBERS | {Kind.STRING, Kind.DATE, Kind.DATETIME},
}


def castable(source: Kind, target: Kind) -> bool:
    """Whether values of the one kind can be cast to the other."""
    return target in (source, Kind.STRING, Kind.JSON) or target in _CASTS.get(source, frozenset())


def castable_in_groups(source: Kind, target: Kind) -> bool:
    """Whether a cast can stand in a group's key or in an aggregate: MongoDB has no text of these values there."""
    return castable(source, target) and not (
        (target is Kind.STRING and source in (Kind.ARRAY, Kind.JSON, Kind.UUID))
        or (target is Kind.JSON and source is not Kind.JSON)
    )


def cast_type(source: Type, target: Kind) -> Type:
    """The type that a cast to `target` gives: a decimal keeps its scale, one made of anything else has its own."""
    return source if source.kind is target else Type(target)


def aggregate_type(function: AggregateFunction, operand: Type | None) -> Type:
    """The type of an aggregate. Decimals without a declared scale have as many digits as their value needs."""
    if function is AggregateFunction.COUNT:
        return Type(Kind.INT64)
    assert operand is not None
    if function in (AggregateFunction.MIN, AggregateFunction.MAX):
        return operand
    if operand.kind is Kind.DOUBLE:
        return operand
    if function is AggregateFunction.AVG:
        return Type(Kind.DECIMAL)
    scale = operand.scale if operand.kind is Kind.DECIMAL else 0
    return Type(Kind.DECIMAL, precision=SUM_DIGITS, scale=scale)


def type_of(expression: Expression, embeds: tuple[Embed, ...] = ()) -> Type:
    """The type of an expression over a selection with these embeds.

    Of a record it is JSON; of a to-many embed's member an array of the member's type.
    """
    match expression:
        case Column():
            return expression.type
        case Cast(_, kind):
            return kind
        case Aggregate(function, operand):
            return aggregate_type(function, None if operand is None else type_of(operand, embeds))
        case Record():
            return Type(Kind.JSON)
        case Member(index, inner):
            embed = embeds[index]
            kind = type_of(inner, embed.selection.embeds)
            return Type(Kind.ARRAY, items=kind) if embed.relation.many else kind


def aggregates(expression: Expression) -> bool:
    """Whether the expression is made of a group of records, rather than of one."""
    match expression:
        case Aggregate():
            return True
        case Cast(operand, _):
            return aggregates(operand)
    return False


def is_grouped(selection: Selection) -> bool:
    """Whether the selection's records are groups."""
    return any(aggregates(output.expression) for output in selection.outputs)


def field_of(expression: Expression) -> Field:
    """The field of its own resource that an expression without embeds and aggregates is made of."""
    match expression:
        case Column(field):
            return field
        case Cast(operand):
            return field_of(operand)
    raise AssertionError(expression)

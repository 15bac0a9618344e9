"""Aggregates: what `$group` accumulates for each, and the value that is made of it, exactly.

A Decimal128 has 34 digits, and rounds silently what has more. So a sum that could outgrow it is accumulated in limbs,
each of few enough digits that a thousand million of them add up exactly, and put together here. Doubles that no
limb can take exactly, very large or very small ones, are collected as they are; so are decimals without a declared
scale, which casts make.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_DOWN, Context, Decimal
from typing import Any
from uuid import UUID

from bson.decimal128 import Decimal128

from repositories import casts
from repositories.errors import SchemaMismatch, ValueOutOfRange
from repositories.expressions import SUM_DIGITS, aggregate_type
from repositories.mongo.documents import BSON, value_reader
from repositories.mongo.numbers import Expr, shortest
from repositories.mongo.paths import is_null, not_null
from repositories.query import AggregateFunction
from repositories.schema import Kind, Type, Value

#: An accumulator's expressions by the suffix of their names, and what is made of their values.
Accumulators = dict[str, BSON]
Finish = Callable[[dict[str, Any]], Value]

_WIDE = Context(prec=2000)
_LIMB = Decimal128("1E17")
_LIMB_DIGITS = 17
#: A sum of so many digits at the most, and a thousand million of them, is exact in one Decimal128.
_ONE_LIMB = 24
#: What a number that fits into the limbs is less than, and what makes an integer of it.
_BOUND, _SHIFT = Decimal128("1E34"), Decimal128("1E24")
#: Doubles of a size between these have digits from the 23rd before the point to the 24th after it.
_TINY, _HUGE = 1e-8, 1e23


def accumulate(
    function: AggregateFunction, operand: Expr, kind: Type | None, *, never_null: bool = False
) -> tuple[Accumulators, Finish]:
    """What to accumulate of the operand's values, which are of type `kind`; see also `prepared`."""
    if kind is None or (never_null and function is AggregateFunction.COUNT):
        return {"n": {"$sum": 1}}, lambda found: int(found.get("n", 0))
    match function:
        case AggregateFunction.COUNT:
            return {"n": _count(operand)}, lambda found: int(found.get("n", 0))
        case AggregateFunction.MIN | AggregateFunction.MAX:
            read = stand_in_reader(kind)
            return {"v": {f"${function.value}": operand}}, lambda found: _unsigned_zero(read(found.get("v")))
    sums = _sums(operand, kind)
    if function is AggregateFunction.AVG:
        count = {"$sum": 1} if never_null else _count(operand)
        return {"n": count, **sums}, lambda found: _finish_average(found, kind)
    if never_null:
        return sums, lambda found: _finish_sum(found, kind) if found else None
    # Whether there is any value is all that a sum must know, and to count them takes twice as long.
    any_value = {"m": {"$max": operand}}
    return any_value | sums, lambda found: None if found.get("m") is None else _finish_sum(found, kind)


def prepared(function: AggregateFunction, operand: Expr, kind: Type) -> Expr | None:
    """What is to be made of the operand beforehand, once, since `accumulate` mentions it often; None: nothing."""
    if function not in (AggregateFunction.SUM, AggregateFunction.AVG):
        return None
    if kind.kind is Kind.DOUBLE:
        return shortest(operand)
    return operand if kind.kind is Kind.DECIMAL and kind.scale is None else None


def least_or_greatest(
    function: AggregateFunction, operand: Expr, kind: Type, convert: Callable[[Value], Value]
) -> tuple[Accumulators, Finish]:
    """The least or greatest of what is made here of each of the operand's different values."""
    read = nullable(kind)
    choose: Callable[[list[Value]], Value] = min if function is AggregateFunction.MIN else max

    def finish(found: dict[str, Any]) -> Value:
        values = [convert(read(each)) for each in found.get("v", ()) if each is not None]
        return choose(values) if values else None

    return {"v": {"$addToSet": operand}}, finish


def nullable(kind: Type) -> Callable[[Any], Value]:
    """What reads a value of the type, or null. Raises `SchemaMismatch`."""
    native, convert = value_reader(kind)

    def read(found: Any) -> Value:
        try:
            return found if type(found) in native or found is None else convert(found)
        except (LookupError, ValueError, TypeError, ArithmeticError) as error:
            raise SchemaMismatch("A stored value is not of its field's type.") from error

    return read


def stand_in_reader(kind: Type) -> Callable[[Any], Value]:
    """What reads a value that has been compared by what stands for it: digits for a uuid, a uuid for its text."""
    read = nullable(kind)
    match kind.kind:
        case Kind.UUID:
            return lambda found: UUID(found) if isinstance(found, str) else read(found)
        case Kind.STRING:
            return lambda found: str(found) if isinstance(found, UUID) else read(found)
    return read


def _unsigned_zero(value: Value) -> Value:
    """The least and the greatest of 0 and -0, which are equal, is 0, whichever comes first."""
    return 0.0 if isinstance(value, float) and value == 0 else value


def _count(operand: Expr) -> BSON:
    return {"$sum": {"$cond": [not_null(operand), 1, 0]}}


def _sums(operand: Expr, kind: Type) -> Accumulators:
    match kind.kind:
        case Kind.INT32:
            return {"a": {"$sum": operand}}
        case Kind.INT64:
            return {"a": {"$sum": {"$toDecimal": operand}}}
        case Kind.DOUBLE:
            return _double_sums(operand)
    if kind.precision is not None and kind.precision <= _ONE_LIMB:
        return {"a": {"$sum": operand}}
    return _free_sums(operand) if kind.scale is None else _limbs(operand, kind.scale)


def _limbs(operand: Expr, scale: int) -> Accumulators:
    """Sums of 17 digits of the operand each, but for those after the point, if they are few."""
    whole = {"$trunc": operand}
    upper = {"$trunc": {"$divide": [whole, _LIMB]}}
    rest = {"$subtract": [operand, whole]}
    sums: Accumulators = {
        "b": {"$sum": {"$subtract": [whole, {"$multiply": [upper, _LIMB]}]}},
        "c": {"$sum": upper},
    }
    if scale <= _ONE_LIMB:
        return sums | {"a": {"$sum": rest}}
    shifted = {"$multiply": [rest, _LIMB]}
    first = {"$trunc": shifted}
    return sums | {"d": {"$sum": first}, "e": {"$sum": {"$subtract": [shifted, first]}}}


def _free_sums(operand: Expr) -> Accumulators:
    """The same, where the operand may have any digits: it is collected where they are not among those of the limbs."""
    shifted = {"$multiply": [operand, _SHIFT]}
    is_plain: Expr = {"$and": [{"$lt": [{"$abs": operand}, _BOUND]}, {"$eq": [shifted, {"$trunc": shifted}]}]}
    is_plain = {"$or": [is_null(operand), is_plain]}
    sums = _limbs({"$cond": [is_plain, operand, None]}, _ONE_LIMB)
    return sums | {"o": {"$push": {"$cond": [is_plain, "$$REMOVE", operand]}}}


def _double_sums(operand: Expr) -> Accumulators:
    """The operand is already the shortest decimal."""
    size = {"$abs": operand}
    is_plain = {"$or": [{"$eq": [operand, 0]}, {"$and": [{"$gte": [size, _TINY]}, {"$lt": [size, _HUGE]}]}]}
    is_plain = {"$or": [is_null(operand), is_plain]}
    return {
        "a": {"$sum": {"$cond": [is_plain, {"$subtract": [operand, {"$trunc": operand}]}, None]}},
        "b": {"$sum": {"$cond": [is_plain, {"$trunc": operand}, None]}},
        "o": {"$push": {"$cond": [is_plain, "$$REMOVE", operand]}},
    }


def _total(found: dict[str, Any]) -> Decimal:
    """The sum of the limbs, and of what was collected."""
    total = _decimal(found.get("a", 0))
    total = _WIDE.add(total, _decimal(found.get("b", 0)))
    total = _WIDE.add(total, _WIDE.multiply(_decimal(found.get("c", 0)), Decimal(10) ** _LIMB_DIGITS))
    if "d" in found:
        after = _WIDE.add(_decimal(found["d"]), _decimal(found["e"]))
        total = _WIDE.add(total, after.scaleb(-_LIMB_DIGITS, _WIDE))
    for outlier in found.get("o", ()):
        total = _WIDE.add(total, _decimal(outlier))
    return total


def _decimal(found: Any) -> Decimal:
    return found.to_decimal() if isinstance(found, Decimal128) else Decimal(found)


def _finish_sum(found: dict[str, Any], kind: Type) -> Value:
    if kind.kind is Kind.DOUBLE:
        return _double(_total(found))
    return _bounded(_total(found), kind)


def _finish_average(found: dict[str, Any], kind: Type) -> Value:
    count = found.get("n")
    if not count:
        return None
    if kind.kind is Kind.DOUBLE:
        return _double(casts.average(_positional(_total(found).normalize(_WIDE)), count))
    return casts.average(_bounded(_total(found), kind), count)


def _bounded(total: Decimal, kind: Type) -> Decimal:
    """The sum, with its digits. Raises `ValueOutOfRange` where it has too many."""
    result = _scaled(total, aggregate_type(AggregateFunction.SUM, kind).scale)
    if len(result.as_tuple().digits) > SUM_DIGITS:
        raise ValueOutOfRange
    return result


def _scaled(number: Decimal, scale: int | None) -> Decimal:
    if scale is None:
        return _positional(number)
    return number.quantize(Decimal(1).scaleb(-scale), ROUND_DOWN, _WIDE)


def _positional(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    return number.quantize(Decimal(1), context=_WIDE) if isinstance(exponent, int) and exponent > 0 else number


def _double(number: Decimal) -> float:
    result = float(number)
    if math.isinf(result) or (number and not result):
        raise ValueOutOfRange
    return result

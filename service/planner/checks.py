"""The limits that the resource file sets to a field's values: bounds, lengths, patterns, enumerations."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any

from repositories.schema import Kind, Shape, Type, Value
from service.planner.json_values import from_json
from service.planner.text import InvalidValueError, invalid, out_of_range

_UNQUOTED = frozenset({Kind.INT32, Kind.INT64, Kind.DOUBLE, Kind.DECIMAL, Kind.BOOLEAN})


#: A dollar sign that stands for the end; what else may hold one (an escape, a class) is group 1.
_DOLLAR = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$", re.DOTALL)


def check(kind: Type, value: Value) -> Value:
    """The value as it is stored (a decimal gets its declared scale), if it keeps the limits of its type.

    Raises `InvalidValueError`: 22001 too long, 22003 not representable, 23514 all other limits.
    """
    match kind.kind:
        case Kind.STRING:
            _check_text(kind, value)
        case Kind.DECIMAL:
            value = _scaled(kind, value)
            _check_bounds(kind, value)
        case Kind.INT32 | Kind.INT64 | Kind.DOUBLE:
            _check_bounds(kind, value)
        case Kind.ARRAY:
            assert kind.items is not None
            _check_count(kind, len(value))
            value = [check(kind.items, item) for item in value]
        case Kind.JSON:
            if kind.shape is not None:
                _check_shape(kind.shape, value)
    if kind.enum is not None and value not in kind.enum:
        raise _broken("is not one of the values allowed")
    return value


def _check_text(kind: Type, value: str) -> None:
    if kind.max_length is not None and len(value) > kind.max_length:
        raise InvalidValueError("22001", f"value too long for type character varying({kind.max_length})")
    if kind.min_length is not None and len(value) < kind.min_length:
        raise _broken(f"is shorter than {kind.min_length} characters")
    if kind.pattern is not None and not compiled(kind.pattern).search(value):
        raise _broken(f"does not match the pattern {kind.pattern}")


def _check_bounds(kind: Type, value: Any) -> None:
    if kind.minimum is not None and value < kind.minimum:
        raise _broken(f"is less than {kind.minimum}")
    if kind.maximum is not None and value > kind.maximum:
        raise _broken(f"is greater than {kind.maximum}")
    if kind.exclusive_minimum is not None and value <= kind.exclusive_minimum:
        raise _broken(f"is not greater than {kind.exclusive_minimum}")
    if kind.exclusive_maximum is not None and value >= kind.exclusive_maximum:
        raise _broken(f"is not less than {kind.exclusive_maximum}")


def _check_count(kind: Type, count: int) -> None:
    if kind.min_items is not None and count < kind.min_items:
        raise _broken(f"has fewer than {kind.min_items} items")
    if kind.max_items is not None and count > kind.max_items:
        raise _broken(f"has more than {kind.max_items} items")


def _check_shape(shape: Shape, value: dict[str, Any]) -> None:
    """An object's own properties stay plain JSON; their types are those of JSON Schema."""
    own = dict(shape.properties)
    for name in sorted(shape.required - value.keys()):
        raise _broken(f'lacks the property "{name}"')
    for name, item in value.items():
        if name not in own:
            if not shape.additional:
                raise _broken(f'has a property "{name[:60]}" that is not declared')
        elif item is not None:
            _refuse_text(own[name], item)
            check(own[name], from_json(own[name], Decimal(repr(item)) if isinstance(item, float) else item))
        elif name in shape.required:
            raise _broken(f'has null for the property "{name}"')


def _refuse_text(kind: Type, value: Any) -> None:
    """Inside free JSON a number in quotes would stay a text."""
    if kind.kind is Kind.ARRAY and kind.items is not None and isinstance(value, list):
        for item in value:
            _refuse_text(kind.items, item)
    elif isinstance(value, str) and kind.kind in _UNQUOTED:
        raise invalid(kind, value)


def _scaled(kind: Type, value: Decimal) -> Decimal:
    """The decimal with its declared scale. Digits are never rounded away: 22003 if some would have to be."""
    assert kind.precision is not None
    assert kind.scale is not None
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits))
    significant = written.rstrip("0")  # a few digits, where thousands of zeros may follow
    shift = exponent + len(written) - len(significant) + kind.scale
    if len(significant) > kind.precision:
        raise out_of_range(kind)
    number = int(significant or "0")
    if number:
        if not 0 <= shift <= kind.precision:
            raise out_of_range(kind)
        number *= 10**shift
    if number >= 10**kind.precision:
        raise out_of_range(kind)
    return Decimal((sign if number else 0, tuple(map(int, str(number))), -kind.scale))


def _broken(message: str) -> InvalidValueError:
    return InvalidValueError("23514", f"the value {message}")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A `pattern` of the resource file. As in JSON Schema, `$` is the very end, and digits and letters are ASCII.

    Raises what `re.compile` raises.
    """
    return re.compile(_DOLLAR.sub(lambda match: match[1] or r"\Z", pattern), re.ASCII)

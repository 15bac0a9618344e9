"""The types of the file → `repositories.schema.Type`, with their limits judged."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pydantic.alias_generators import to_camel

from repositories.schema import Kind, Shape, Type, Value
from service.catalog import type_models as models
from service.catalog.problems import Path, suggestion
from service.catalog.source import Source
from service.planner.checks import check, compiled
from service.planner.json_values import from_json
from service.planner.text import InvalidValueError, checked_decimal, checked_integer

MAX_PATTERN = 200

#: A model of the file that has a type of its own.
TypeModel = (
    models.StringType
    | models.IntegerType
    | models.NumberType
    | models.BooleanType
    | models.ArrayType
    | models.ObjectType
    | models.AnyType
)
_FORMATS = {None: Kind.STRING, "uuid": Kind.UUID, "date": Kind.DATE, "date-time": Kind.DATETIME}
_INTEGERS = {"int32": Kind.INT32, "int64": Kind.INT64}
_QUOTED = {Kind.STRING, Kind.UUID, Kind.DATE, Kind.DATETIME}
_Number = int | float | Decimal


def type_of(model: TypeModel, path: Path, source: Source) -> Type:
    """The type that the model at `path` declares. What is wrong with it is noted, and left out of the type."""
    match model:
        case models.StringType():
            return _string(model, path, source)
        case models.IntegerType():
            return _integer(model, path, source)
        case models.NumberType():
            return _number(model, path, source)
        case models.BooleanType():
            return Type(Kind.BOOLEAN)
        case models.ArrayType():
            least, most = _span(source, path, "Items", model.min_items, model.max_items)
            items = type_of(model.items, (*path, "items"), source)
            return Type(Kind.ARRAY, items=items, min_items=least, max_items=most)
        case models.ObjectType():
            return _object(model, path, source)
        case models.AnyType():
            return Type(Kind.JSON)


def value_of(kind: Type, raw: Any) -> Value:
    """The value of type `kind` that the file writes as `raw`. Raises `InvalidValueError`.

    It is read as a request's body would be, but numbers, true and false must not stand in quotes.
    """
    for item in raw if isinstance(raw, list) and kind.items else [raw]:
        scalar = kind.items or kind
        if isinstance(item, str) and scalar.kind not in _QUOTED | {Kind.JSON}:
            raise InvalidValueError("22P02", f'the text "{item[:40]}" is not a value of type {scalar.kind}')
    return check(kind, from_json(kind, raw))


def note_value(kind: Type, raw: Any, path: Path, source: Source) -> Value:
    """As `value_of`; but a value that does not fit is noted, and None."""
    try:
        return value_of(kind, raw)
    except InvalidValueError as error:
        source.add(path, error.message, f"write a value of the type {described(kind)}, within its limits")
        return None


def described(kind: Type) -> str:
    """The type in a few words, for messages."""
    if kind.kind is Kind.DECIMAL:
        return f"decimal({kind.precision},{kind.scale})"
    if kind.items is not None:
        return f"array of {described(kind.items)}"
    return kind.kind.value if kind.shape is None else "object"


def _string(model: models.StringType, path: Path, source: Source) -> Type:
    kind = Type(_FORMATS[model.format])
    if model.format:
        for keyword, value in (
            ("minLength", model.min_length),
            ("maxLength", model.max_length),
            ("pattern", model.pattern),
        ):
            if value is not None:
                hint = "remove it, or the format"
                source.add((*path, keyword), f"does not go with `format: {model.format}`", hint, key=True)
        return _with_enum(kind, model.enum, path, source)
    least, most = _span(source, path, "Length", model.min_length, model.max_length)
    pattern = model.pattern if _compiles(model.pattern, (*path, "pattern"), source) else None
    limited = replace(kind, min_length=least, max_length=most, pattern=pattern)
    return _with_enum(limited, model.enum, path, source)


def _compiles(pattern: str | None, path: Path, source: Source) -> bool:
    """Whether Python's `re`, which runs the patterns, takes this one without complaint."""
    if pattern is None:
        return True
    if len(pattern) > MAX_PATTERN:
        source.add(path, f"the pattern is longer than {MAX_PATTERN} characters", "shorten it")
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled(pattern)
    except (re.error, ValueError, OverflowError, RecursionError, Warning) as error:
        source.add(path, f"is not a regular expression: {error}", "escape special characters with a backslash")
        return False
    return True


def _integer(model: models.IntegerType, path: Path, source: Source) -> Type:
    kind = Type(_INTEGERS[model.format])
    bounded = _with_bounds(kind, model, path, source, lambda number: checked_integer(kind, number))
    return _with_enum(bounded, model.enum, path, source)


def _number(model: models.NumberType, path: Path, source: Source) -> Type:
    if model.format == "double":
        for keyword in ("precision", "scale"):
            if getattr(model, keyword) is not None:
                hint = "add `format: decimal`, or remove it"
                source.add((*path, keyword), "goes with `format: decimal` only", hint, key=True)
        return _with_bounds(Type(Kind.DOUBLE), model, path, source, _double)
    precision, scale = model.precision, model.scale or 0
    if precision is None:
        hint = "add `precision: 12` (digits in all) and `scale: 2` (digits after the point)"
        source.add((*path, "format"), "a decimal needs a precision", hint)
        precision = models.MAX_PRECISION
    if scale > precision:
        source.add((*path, "scale"), f"is greater than the precision ({precision})", "lower it, or raise the precision")
        scale = precision
    kind = Type(Kind.DECIMAL, precision=precision, scale=scale)
    return _with_bounds(kind, model, path, source, lambda number: checked_decimal(kind, number))


def _double(number: Decimal) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise InvalidValueError("22003", "the number is too large for a double")
    return value


def _object(model: models.ObjectType, path: Path, source: Source) -> Type:
    properties = []
    for name, part in model.properties.items():
        place = (*path, "properties", name)
        kind = type_of(part, place, source)
        if Kind.DECIMAL in {kind.kind, kind.items and kind.items.kind}:
            source.add(place, "JSON has no exact decimals: its numbers are doubles", "remove `format: decimal`")
        note_examples(part, kind, place, source)
        properties.append((name, kind))
    for index, name in enumerate(model.required):
        if name not in model.properties:
            source.add((*path, "required", index), f"`{name}` is not a property", suggestion(name, model.properties))
    return Type(Kind.JSON, shape=Shape(tuple(properties), frozenset(model.required), model.additional_properties))


def note_examples(model: models.Annotations, kind: Type, path: Path, source: Source) -> None:
    """Examples are documentation; those that do not fit their type would mislead."""
    for index, example in enumerate(model.examples or ()):
        note_value(kind, example, (*path, "examples", index), source)


def _span(source: Source, path: Path, what: str, least: int | None, most: int | None) -> tuple[int | None, int | None]:
    if least is not None and most is not None and least > most:
        source.add((*path, f"min{what}"), f"is greater than `max{what}` ({most})", "lower it, or raise the other")
        return None, None
    return least, most


def _with_bounds(
    kind: Type,
    model: models.IntegerType | models.NumberType,
    path: Path,
    source: Source,
    convert: Callable[[Any], _Number],
) -> Type:
    bounds: dict[str, _Number] = {}
    for keyword in ("minimum", "maximum", "exclusive_minimum", "exclusive_maximum"):
        number = getattr(model, keyword)
        if number is not None:
            try:
                bounds[keyword] = convert(number)
            except InvalidValueError as error:
                place = (*path, to_camel(keyword))
                source.add(place, error.message, "write a bound within the type's range, or leave it out")
    limited = replace(
        kind,
        minimum=bounds.get("minimum"),
        maximum=bounds.get("maximum"),
        exclusive_minimum=bounds.get("exclusive_minimum"),
        exclusive_maximum=bounds.get("exclusive_maximum"),
    )
    if _empty(limited):
        place = (*path, to_camel(next(name for name in bounds if "min" in name)))
        source.add(place, "no value lies between the lower and the upper bound", "lower it, or raise the other")
        return kind
    return limited


def _empty(kind: Type) -> bool:
    """Whether the bounds of `kind` leave no value."""
    whole = kind.kind in {Kind.INT32, Kind.INT64}
    lows = [
        (bound, open_) for bound, open_ in ((kind.minimum, False), (kind.exclusive_minimum, True)) if bound is not None
    ]
    highs = [
        (bound, open_) for bound, open_ in ((kind.maximum, False), (kind.exclusive_maximum, True)) if bound is not None
    ]
    return any(
        low > high
        or (low == high and (low_open or high_open))
        or (whole and low_open and high_open and low + 1 == high)
        for low, low_open in lows
        for high, high_open in highs
    )


def _with_enum(kind: Type, values: Sequence[Any] | None, path: Path, source: Source) -> Type:
    if values is None:
        return kind
    before = len(source.problems)
    allowed: list[Value] = []
    for index, raw in enumerate(values):
        place = (*path, "enum", index)
        value = note_value(kind, raw, place, source)
        if value is not None and value in allowed:
            source.add(place, "the value is in the list already", "remove one of them")
        allowed.append(value)
    return replace(kind, enum=tuple(allowed)) if len(source.problems) == before else kind

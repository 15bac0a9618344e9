"""A field's values in JSON bodies → typed, checked values: plain ones at once, all others by the strict way.

A plain value is of the field's own type and keeps all its limits. Whatever is not plain is read by `json_values.py` and
checked by `checks.py`, which alone refuse values and say why; so a reader here need not know every case.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from repositories.schema import Field, Kind, Shape, Type, Value
from repositories.texts import INT_BOUNDS
from service.planner.checks import check, compiled
from service.planner.json_values import free_json, from_json

_Read = Callable[[Any], Value]

#: Stands for a value that is not plain.
OTHER: Final = object()
_EXACT = Context(prec=40, traps=[Inexact, InvalidOperation])


@lru_cache(4096)
def field_reader(field: Field) -> _Read:
    """What reads a member of a JSON body as the field's value. It raises `InvalidValueError`."""
    kind, plain = field.type, plain_reader(field)

    def read(given: Any) -> Value:
        if given is None:
            return None
        value = plain(given)
        return check(kind, from_json(kind, given)) if value is OTHER else value

    return read


@lru_cache(4096)
def plain_reader(field: Field) -> _Read:
    """What reads a plain value of the field, and gives `OTHER` for anything else."""
    return _plain(field.type)


def _plain(kind: Type) -> _Read:
    make = _PLAIN.get(kind.kind)
    return _never if make is None or kind.enum is not None else make(kind)


def _never(_given: Any) -> Any:
    return OTHER


def _text(kind: Type) -> _Read:
    least, most = kind.min_length or 0, math.inf if kind.max_length is None else kind.max_length
    search = None if kind.pattern is None else compiled(kind.pattern).search

    def read(given: Any) -> Any:
        if type(given) is not str or not given.isascii() or "\0" in given or not least <= len(given) <= most:
            return OTHER
        return given if search is None or search(given) else OTHER

    return read


def _integer(kind: Type) -> _Read:
    within = _bounds(kind)
    low, high = INT_BOUNDS[kind.kind]
    return lambda given: given if type(given) is int and low <= given <= high and within(given) else OTHER


def _boolean(_kind: Type) -> _Read:
    return lambda given: given if type(given) is bool else OTHER


def _double(kind: Type) -> _Read:
    within = _bounds(kind)

    def read(given: Any) -> Any:
        if type(given) is not Decimal:
            return OTHER
        number = float(given)
        return number if number and math.isfinite(number) and within(number) else OTHER

    return read


def _decimal(kind: Type) -> _Read:
    if kind.precision is None or kind.scale is None:
        return _never
    within, scale = _bounds(kind), Decimal(1).scaleb(-kind.scale, _EXACT)
    end = Decimal(1).scaleb(kind.precision - kind.scale, _EXACT)

    def read(given: Any) -> Any:
        if type(given) is not Decimal or not given or not -end < given < end:
            return OTHER
        try:
            value = given.quantize(scale, context=_EXACT)
        except DecimalException:
            return OTHER
        return value if within(value) else OTHER

    return read


def _date(_kind: Type) -> _Read:
    def read(given: Any) -> Any:
        if type(given) is not str or len(given) != 10 or not given.isascii() or not given[4] == given[7] == "-":
            return OTHER
        try:
            return date.fromisoformat(given)
        except ValueError:
            return OTHER

    return read


def _json(kind: Type) -> _Read:
    if kind.shape is None:
        return lambda given: free_json(given) if type(given) is dict or type(given) is list else OTHER
    if kind.shape == Shape():
        return lambda given: free_json(given) if type(given) is dict else OTHER
    return _never


def _array(kind: Type) -> _Read:
    assert kind.items is not None
    item = _plain(kind.items)
    least, most = kind.min_items or 0, math.inf if kind.max_items is None else kind.max_items

    def read(given: Any) -> Any:
        if type(given) is not list or not least <= len(given) <= most:
            return OTHER
        values = [item(each) for each in given]
        return OTHER if OTHER in values else values

    return read


def _bounds(kind: Type) -> Callable[[Any], bool]:
    """Whether a number keeps the bounds of its type."""
    least, most, above, below = kind.minimum, kind.maximum, kind.exclusive_minimum, kind.exclusive_maximum
    return lambda number: (
        (least is None or number >= least)
        and (most is None or number <= most)
        and (above is None or number > above)
        and (below is None or number < below)
    )


_PLAIN: dict[Kind, Callable[[Type], _Read]] = {
    Kind.STRING: _text,
    Kind.INT32: _integer,
    Kind.INT64: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.DOUBLE: _double,
    Kind.DECIMAL: _decimal,
    Kind.DATE: _date,
    Kind.JSON: _json,
    Kind.ARRAY: _array,
}

"""Numbers as aggregation expressions: the shortest decimal form of a double, and its text as free JSON has it.

MongoDB's own conversions do not give it: `$toString` keeps six digits of a double and `$toDecimal` fifteen. `$add` of
a decimal makes one of all 34, from which the shortest that reads back equal is found by rounding.
"""

from __future__ import annotations

from typing import Any

from bson.decimal128 import Decimal128

#: An aggregation expression.
Expr = Any

_ZERO = Decimal128("0")
_SMALLEST_NORMAL = 2.2250738585072014e-308
#: Half the distance between doubles below the normal ones, 2**-1075.
_HALF_STEP = Decimal128("2.470328229206232720882843964341107E-324")
#: Between these `$round` has as many places as are needed.
_LEAST, _LARGEST = 1e-80, 1e35
#: From here on every double is whole, and has no `.0` in its text.
_LARGEST_WITH_POINT = 1e16
_ZEROS = "0" * 360
_PLACES = [14, 15, 16, 17]


def let(name: str, value: Expr, result: Expr) -> Expr:
    """`result`, where `$$name` is `value`."""
    return {"$let": {"vars": {name: value}, "in": result}}


def power_of_ten(exponent: Expr) -> Expr:
    """10 to an integer, as a decimal."""
    return {"$toDecimal": {"$concat": ["1E", {"$toString": exponent}]}}


def shortest(value: Expr, *, halfway: bool = False) -> Expr:
    """The shortest decimal that reads back as this double (of the same length, the nearest); null for null.

    What lies `halfway` between two doubles reads back as one of them; PostgreSQL gives more digits then, JSON does not.
    """
    fifteen: Expr = {"$toDecimal": "$$x"}
    is_short = {"$and": [_is_normal(), _reads_back("$$d", halfway=halfway)]}
    is_near = {"$and": [{"$gt": [{"$abs": "$$x"}, _LEAST]}, {"$lt": [{"$abs": "$$x"}, _LARGEST]}]}
    branches = [
        {"case": {"$or": [is_short, {"$in": ["$$x", [0.0, None]]}]}, "then": "$$d"},
        {"case": is_near, "then": _near(halfway=halfway)},
    ]
    found = {"$switch": {"branches": branches, "default": _searched(halfway=halfway)}}
    return let("x", {"$ifNull": [value, None]}, let("d", fifteen, found))


def _near(*, halfway: bool) -> Expr:
    """By sixteen or seventeen digits, where `$round` can have that many without scaling."""
    exponent = {"$toInt": {"$floor": {"$log10": {"$abs": "$$x"}}}}

    def rounded(digits: int) -> Expr:
        return {"$round": ["$$w", {"$subtract": [digits - 1, "$$e"]}]}

    def first(digits: int, otherwise: Expr) -> Expr:
        return let("c", rounded(digits), {"$cond": [_reads_back("$$c", halfway=halfway), "$$c", otherwise]})

    # the logarithm of a number just below a power of ten may be the power's: one digit more is tried
    longer = {"$cond": [_is_power_of_two(), _searched(halfway=halfway), first(17, rounded(18))]}
    return let("e", exponent, let("w", {"$add": ["$$x", _ZERO]}, first(16, longer)))


def _reads_back(candidate: str, *, halfway: bool) -> Expr:
    same = {"$eq": [_as_double(candidate), "$$x"]}
    if halfway:
        return same
    # From what lies halfway, the other double is as far as this one.
    exact = {"$add": ["$$x", _ZERO]}
    other = {"$subtract": [{"$multiply": [candidate, 2]}, exact]}
    is_double = {"$eq": [{"$add": [_as_double("$$o"), _ZERO]}, "$$o"]}
    is_between = let("o", other, {"$and": [{"$ne": ["$$o", exact]}, is_double]})
    is_large = {"$gte": [{"$abs": "$$x"}, _LARGEST_WITH_POINT]}
    return {"$and": [same, {"$not": [{"$and": [is_large, is_between]}]}]}


def _is_power_of_two() -> Expr:
    size = {"$abs": "$$x"}
    return {"$eq": [{"$pow": [2.0, {"$round": {"$log": [size, 2]}}]}, size]}


def _searched(*, halfway: bool) -> Expr:
    """By more and more digits; a double below the normal ones may have less than fifteen."""
    exponent = {"$toInt": {"$floor": {"$log10": {"$abs": "$$x"}}}}
    scaled = {"$multiply": [{"$add": ["$$x", _ZERO]}, power_of_ten({"$multiply": ["$$e", -1]})]}
    nearest = {"$multiply": [{"$round": ["$$m", "$$this"]}, power_of_ten("$$e")]}
    # Above a power of two the neighbour is twice as far: a longer way up may read back where the nearest does not.
    step = {"$cond": [{"$lt": ["$$m", _ZERO]}, {"$subtract": [_ZERO, "$$u"]}, "$$u"]}
    unit = power_of_ten({"$multiply": ["$$this", -1]})
    further = {"$multiply": [{"$add": [{"$trunc": ["$$m", "$$this"]}, let("u", unit, step)]}, power_of_ten("$$e")]}
    places = {"$cond": [_is_normal(), _PLACES, list(range(18))]}

    def reads_back(name: str) -> Expr:
        near = {"$lt": [{"$abs": {"$subtract": [name, {"$add": ["$$x", _ZERO]}]}}, _HALF_STEP]}
        return {"$cond": [_is_normal(), _reads_back(name, halfway=halfway), near]}

    tried = let("f", further, {"$cond": [reads_back("$$f"), "$$f", None]})
    attempt = let("n", nearest, {"$cond": [reads_back("$$n"), "$$n", tried]})
    search = {
        "$reduce": {
            "input": places,
            "initialValue": None,
            "in": {"$ifNull": ["$$value", attempt]},
        }
    }
    return let("e", exponent, let("m", scaled, search))


def _is_normal() -> Expr:
    return {"$gte": [{"$abs": "$$x"}, _SMALLEST_NORMAL]}


def _as_double(decimal: Expr) -> Expr:
    """Null where it is too large, or too small to be a normal number: there MongoDB fails."""
    return {"$convert": {"input": decimal, "to": "double", "onError": None}}


def stripped(decimal: Expr) -> Expr:
    """The text of a decimal in positional notation, without zeros at the end of its fraction."""
    return let("s", {"$split": [{"$toString": decimal}, "E"]}, _positional())


def _positional() -> Expr:
    mantissa, exponent = {"$arrayElemAt": ["$$s", 0]}, {"$toInt": {"$arrayElemAt": ["$$s", 1]}}
    point = {"$gte": [{"$indexOfBytes": ["$$m", "."]}, 0]}
    plain = {"$cond": [point, {"$rtrim": {"input": {"$rtrim": {"input": "$$m", "chars": "0"}}, "chars": "."}}, "$$m"]}
    sign = {"$cond": [{"$eq": [{"$substrBytes": ["$$m", 0, 1]}, "-"]}, "-", ""]}
    digits = {"$replaceAll": {"input": {"$ltrim": {"input": "$$m", "chars": "-"}}, "find": ".", "replacement": ""}}
    # of a mantissa d.ddd the whole part has one digit
    large = {"$concat": ["$$g", "$$d", _zeros({"$subtract": [{"$add": ["$$e", 1]}, {"$strLenBytes": "$$d"}]})]}
    fraction = {"$concat": [_zeros({"$subtract": [{"$multiply": ["$$e", -1]}, 1]}), "$$d"]}
    small = {"$concat": ["$$g", "0.", {"$rtrim": {"input": fraction, "chars": "0"}}]}
    scientific = {
        "$let": {
            "vars": {"e": exponent, "g": sign, "d": digits},
            "in": {"$cond": [{"$gt": ["$$e", 0]}, large, small]},
        }
    }
    return let("m", mantissa, {"$cond": [{"$eq": [{"$size": "$$s"}, 1]}, plain, scientific]})


def _zeros(count: Expr) -> Expr:
    return {"$substrBytes": [_ZEROS, 0, {"$max": [count, 0]}]}


def double_json_text(value: Expr) -> Expr:
    """A double as free JSON prints it: `1.0`, `0.1`, `100000000000000000000`, `0.0000001`."""
    whole = {"$concat": [{"$toString": {"$toLong": "$$y"}}, ".0"]}
    is_whole = {"$and": [{"$lt": [{"$abs": "$$y"}, _LARGEST_WITH_POINT]}, {"$eq": ["$$y", {"$trunc": "$$y"}]}]}
    return let("y", value, {"$cond": [is_whole, whole, stripped(shortest("$$y", halfway=True))]})

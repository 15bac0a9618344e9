"""Decimal128 bit by bit: the plain form of IEEE 754-2008's binary encoding, for which the driver takes much longer."""

from __future__ import annotations

from decimal import Context, Decimal
from struct import Struct

from bson.decimal128 import Decimal128

#: For any decimal that can be stored.
EXACT = Context(prec=40)
_bid = Struct("<QQ")
_bid_halves, _bid_bytes = _bid.unpack, _bid.pack
_BIAS = 6176


def decimal128(value: Decimal) -> Decimal128:
    """In IEEE 754-2008's binary encoding, made without the driver's way by single bits where the number allows it."""
    sign, _, exponent = value.as_tuple()
    if isinstance(exponent, int) and -_BIAS <= exponent <= 0:
        coefficient = abs(int(value.scaleb(-exponent, EXACT)))
        if coefficient < 10**34:
            high = sign << 63 | (exponent + _BIAS) << 49 | coefficient >> 64
            return Decimal128.from_bid(_bid_bytes(coefficient & 0xFFFF_FFFF_FFFF_FFFF, high))
    return Decimal128(value)


def decimal_halves(bid: bytes) -> tuple[int, int | None]:
    """The coefficient and the exponent of a Decimal128; no exponent where it is not of the plain form.

    That is the one of IEEE 754-2008's binary encoding; pymongo's own way takes several times as long.
    """
    low, high = _bid_halves(bid)
    if high & 0x6000_0000_0000_0000 == 0x6000_0000_0000_0000:
        return 0, None
    coefficient = (high & 0x1_FFFF_FFFF_FFFF) << 64 | low
    return -coefficient if high >> 63 else coefficient, (high >> 49 & 0x3FFF) - _BIAS

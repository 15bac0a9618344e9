"""The records of the demonstration: made of a seed, the same on every platform and version of Python.

Only `Random.random()` is used, whose sequence Python guarantees, with exact arithmetic on its numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from repositories.query import Row
from service.demo import words

PRODUCTS = 50_000
STAFF = 40
#: The key of the record that is written last.
CODE = "demo"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPENED = 1_672_646_400_000  # 2 January 2023, 8:00, in milliseconds since the epoch
_PERIOD = 3 * 365 * 86_400_000  # three years
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Part:
    """The records of one resource, in the order of its fields and of its key."""

    resource: str
    count: int
    rows: Callable[[], Iterator[Row]]


class _Dice:
    """Chance, the same in every run."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random  # noqa: S311  (nothing here is secret)

    def below(self, end: int) -> int:
        return int(self._random() * end)

    def low(self, end: int) -> int:
        """Below `end`, small numbers more often than large ones."""
        first = self._random()
        return int(first * first * end)

    def often(self, percent: int) -> bool:
        return self._random() * 100 < percent

    def one(self, items: Sequence[_Item]) -> _Item:
        return items[int(self._random() * len(items))]

    def uuid7(self, milliseconds: int) -> UUID:
        head = milliseconds << 16 | 0x7000 | self.below(1 << 12)
        return UUID(int=head << 64 | 0b10 << 62 | self.below(1 << 31) << 31 | self.below(1 << 31))


class Shop:
    """A shop with so many products, and customers, orders and reviews in proportion."""

    def __init__(self, products: int = PRODUCTS) -> None:
        self.products = products
        self.customers = max(products // 25, 20)
        self.orders = max(products * 2 // 5, 1)
        self.reviews = max(products * 3 // 5, 1)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All records, resource by resource, each after those that it refers to."""
        lines = sum(map(_lines_of, range(1, self.orders + 1)))
        return (
            Part("categories", len(_CATEGORIES), lambda: iter(_CATEGORIES)),
            Part("staff", STAFF, _staff),
            Part("customers", self.customers, self._customers),
            Part("products", self.products, lambda: iter(self._products)),
            Part("orders", self.orders, self._orders),
            Part("order_lines", lines, self._order_lines),
            Part("reviews", self.reviews, self._reviews),
            Part("shops", 1, lambda: iter([(CODE, "Diglot & Daughters", "EUR", date(2023, 1, 2), self.products)])),
        )

    @cached_property
    def _products(self) -> list[Row]:
        dice = _Dice(1)
        step = _PERIOD // self.products
        return [_product(dice, number, _OPENED + number * step + dice.below(step)) for number in range(self.products)]

    def product_id(self, number: int) -> UUID:
        """The key of a product, counted from 0."""
        key: UUID = self._products[number][0]
        return key

    def _customers(self) -> Iterator[Row]:
        dice = _Dice(2)
        for number in range(1, self.customers + 1):
            name = f"{dice.one(words.FIRST_NAMES)} {dice.one(words.LAST_NAMES)}"
            country, city, code = dice.one(words.CITIES)
            address: dict[str, Any] = {"city": city}
            if dice.often(90):
                address["street"] = f"{dice.one(words.STREETS)} {1 + dice.below(120)}"
                address["postal_code"] = f"{code}{10 + dice.below(90)}"
            yield (
                number,
                name,
                _email(name, number, "example.org"),
                country,
                f"+{1 + dice.below(98)} {100 + dice.below(900)} {1000 + dice.below(9000)}" if dice.often(60) else None,
                dice.one((True, False, False, None)),
                date(1940, 1, 1) + timedelta(days=dice.below(24_000)) if dice.often(50) else None,
                address if dice.often(85) else None,
                _instant(_OPENED + number * (_PERIOD // self.customers)),
                1 + dice.below(STAFF) if dice.often(40) else None,
            )

    def _orders(self) -> Iterator[Row]:
        dice = _Dice(3)
        step = _PERIOD // self.orders
        placed = _OPENED
        for number in range(1, self.orders + 1):
            if dice.often(98):  # else as late as the order before
                placed = _OPENED + number * step + dice.below(step)
            recent = number > self.orders - self.orders // 20
            status = dice.one(("open", "paid", "sent") if recent else ("paid", "sent", "sent", "sent", "returned"))
            sent = placed + 3_600_000 + dice.below(6 * 86_400_000) if status in ("sent", "returned") else None
            yield (
                number,
                status,
                _instant(placed),
                None if sent is None else _instant(sent),
                dice.one(words.NOTES) if dice.often(10) else None,
                1 + dice.low(self.customers),
                5 + dice.below(STAFF - 4) if dice.often(70) else None,
            )

    def _order_lines(self) -> Iterator[Row]:
        dice = _Dice(4)
        for order in range(1, self.orders + 1):
            for position in range(1, _lines_of(order) + 1):
                product = self._products[dice.low(self.products)]
                yield (
                    order,
                    position,
                    product[0],
                    1 + dice.low(6),
                    product[4],
                    dice.one((0.05, 0.1, 0.125, 0.2)) if dice.often(15) else None,
                )

    def _reviews(self) -> Iterator[Row]:
        dice = _Dice(5)
        step = _PERIOD // self.reviews
        taken: set[tuple[int, int]] = set()
        for number in range(self.reviews):
            created = _OPENED + number * step + dice.below(step)
            product, customer = dice.low(self.products), 1 + dice.below(self.customers)
            anonymous = dice.often(5) or (product, customer) in taken
            taken.add((product, customer))
            yield (
                dice.uuid7(created),
                dice.one((5, 5, 5, 4, 4, 4, 3, 3, 2, 1)),
                dice.one((*words.REVIEW_TITLES, "", None, None)),
                " ".join(dice.one(words.REVIEW_BODIES) for _ in range(1 + dice.below(3))) if dice.often(80) else None,
                not anonymous and dice.often(70),
                sorted({1 + dice.below(self.customers) for _ in range(dice.low(5))}),
                _instant(created),
                self.product_id(product),
                None if anonymous else customer,
            )


def _categories() -> Iterator[Row]:
    """Parents first: first the top of the tree, then what is below."""
    tops = list(words.CATEGORIES)
    for number, name in enumerate(tops, 1):
        yield number, name, _slug(name), number, None
    number = len(tops)
    for parent, (top, children) in enumerate(words.CATEGORIES.items(), 1):
        for position, name in enumerate(children, 1):
            number += 1
            yield number, name, f"{_slug(top)}-{_slug(name)}", position, parent


def _product(dice: _Dice, number: int, created: int) -> Row:
    category, nouns = dice.one(_SHELVES)
    noun, maker = dice.one(nouns), dice.one(words.MAKERS)
    released = _instant(created).date() - timedelta(days=dice.below(900))
    return (
        dice.uuid7(created),
        f"DG-{category:02}-{number + 1:06}",
        f"{maker} {noun} {dice.one(words.SERIES)} {10 + dice.below(90)}",
        " ".join(dice.one(words.PHRASES) for _ in range(1 + dice.below(3))) if dice.often(70) else None,
        Decimal(f"{1 + dice.low(900)}.{dice.one(('00', '50', '90', '95', '99'))}"),
        (50 + dice.low(20_000)) / 1000 if dice.often(80) else None,
        dice.low(500),
        dice.low(100_000) if dice.often(95) else None,
        dice.often(92),
        [tag for tag in words.TAGS if dice.often(15)],
        _attributes(dice),
        released if dice.often(85) else None,
        _instant(created),
        category,
    )


def _attributes(dice: _Dice) -> dict[str, Any] | None:
    if dice.often(10):
        return None
    attributes: dict[str, Any] = {}
    if dice.often(80):
        attributes["colour"] = dice.one(words.COLOURS)
    if dice.often(60):
        attributes["material"] = dice.one(words.MATERIALS)
    if dice.often(40):
        attributes["size"] = {"width": 5 + dice.below(200), "height": 5 + dice.below(200), "unit": "cm"}
    if dice.often(20):
        attributes["warranty"] = {"years": 1 + dice.below(10), "transferable": dice.often(50)}
    return attributes


def _staff() -> Iterator[Row]:
    dice = _Dice(6)
    for number in range(1, STAFF + 1):
        name = f"{words.FIRST_NAMES[(number * 7) % len(words.FIRST_NAMES)]} {dice.one(words.LAST_NAMES)}"
        level = 0 if number == 1 else 1 + dice.below(3) if number <= 4 else 4 + dice.below(len(words.TITLES) - 4)
        yield (
            number,
            name,
            _email(name, number, "shop.example"),
            words.TITLES[number - 1 if number <= 4 else level],
            Decimal(f"{(9000 if number == 1 else 2500) + dice.below(60) * 50}.00"),
            date(2015, 1, 1) + timedelta(days=dice.below(2900)),
            None if number == 1 else 1 if number <= 4 else 1 + (number - 2) // 3,
        )


def _lines_of(order: int) -> int:
    """How many lines an order has: one to five."""
    return 1 + order * order % 11 % 5


def _instant(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _slug(name: str) -> str:
    return name.lower().replace(" & ", "-").replace(" ", "-")


def _email(name: str, number: int, domain: str) -> str:
    letters = "".join(letter for letter in name.lower() if "a" <= letter <= "z")
    return f"{letters}{number}@{domain}"


_CATEGORIES: list[Row] = list(_categories())
#: The key of each category that has products, and what these are.
_SHELVES: list[tuple[int, tuple[str, ...]]] = list(
    enumerate(
        (nouns for children in words.CATEGORIES.values() for nouns in children.values()), len(words.CATEGORIES) + 1
    )
)

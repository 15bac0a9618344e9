"""What both FastAPI services answer with and take: Pydantic models."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

#: A JSON number, as the other services write it.
Price = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class Model(BaseModel):
    """Read from the attributes of an object, or from a dictionary."""

    model_config = ConfigDict(from_attributes=True)


class NewProduct(Model):
    """A product to be written."""

    sku: str = Field(max_length=20)
    name: str = Field(min_length=1, max_length=200)
    description: str | None = None
    price: Price
    weight: float | None = None
    stock: int = 0
    views: int | None = None
    active: bool = True
    tags: list[str] = []
    attributes: dict[str, Any] | None = None
    released: date | None = None
    category_id: int


class ProductChange(Model):
    """The fields of a product that are to be changed."""

    name: str | None = None
    price: Price | None = None
    stock: int | None = None


class Product(NewProduct):
    """A product."""

    id: UUID
    created_at: datetime


class Category(Model):
    """A category inside of a product."""

    id: int
    name: str


class ProductWithCategory(Model):
    """A product with its category."""

    id: UUID
    sku: str
    name: str
    price: Price
    category: Category


class OrderLine(Model):
    """A line of an order."""

    position: int
    quantity: int
    unit_price: Price


class Order(Model):
    """An order with its lines."""

    id: int
    status: str
    placed_at: datetime
    order_lines: list[OrderLine]


class Sales(Model):
    """A group of the aggregate."""

    category_id: int
    count: int
    total: Price
    pieces: int


class Count(Model):
    """How many there are."""

    count: int


class Inserted(Model):
    """How many were inserted."""

    inserted: int


def csv_lines(products: Iterable[Product], *, header: bool) -> str:
    """The products as CSV; lists and objects as JSON."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, list(Product.model_fields))
    if header:
        writer.writeheader()
    for product in products:
        row = product.model_dump(mode="json")
        writer.writerow(row | {name: json.dumps(row[name]) for name in ("tags", "attributes")})
    return written.getvalue()

"""Flask with SQLAlchemy's ORM and marshmallow, as the documentation of Flask-SQLAlchemy and marshmallow writes it."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import uuid_utils.compat as uuids
from flask import Flask, Response, request, stream_with_context
from flask.json.provider import JSONProvider
from flask_sqlalchemy import SQLAlchemy
from marshmallow import fields
from marshmallow_sqlalchemy import SQLAlchemyAutoSchema
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload
from sqlalchemy.types import Text


class Base(DeclarativeBase):
    """The base of the models."""


class Json(JSONProvider):
    """Flask's JSON by the library that all services here write with; decimals are numbers."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """The text of a value."""
        return orjson.dumps(obj, default=lambda value: orjson.Fragment(str(value))).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """The value of a text."""
        return orjson.loads(s)


app = Flask(__name__)
app.json = Json(app)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["STORE_URL"].replace("postgresql:", "postgresql+psycopg:")
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 8, "connect_args": {"options": "-c timezone=UTC"}}
db = SQLAlchemy(app, model_class=Base)


class Category(db.Model):  # type: ignore[name-defined,misc]
    """What the shop sells."""

    __tablename__ = "categories"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Product(db.Model):  # type: ignore[name-defined,misc]
    """What can be ordered."""

    __tablename__ = "products"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuids.uuid7)
    sku: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    price: Mapped[Decimal]
    weight: Mapped[float | None]
    stock: Mapped[int]
    views: Mapped[int | None]
    active: Mapped[bool]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    released: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    category: Mapped[Category] = relationship()


class OrderLine(db.Model):  # type: ignore[name-defined,misc]
    """A product of an order."""

    __tablename__ = "order_lines"
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]


class Order(db.Model):  # type: ignore[name-defined,misc]
    """What a customer has ordered."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    placed_at: Mapped[datetime]
    order_lines: Mapped[list[OrderLine]] = relationship(order_by=OrderLine.position)


class CategorySchema(SQLAlchemyAutoSchema):  # type: ignore[type-arg]
    """A category inside of a product."""

    class Meta:
        model = Category


class ProductSchema(SQLAlchemyAutoSchema):  # type: ignore[type-arg]
    """A product."""

    class Meta:
        model = Product
        include_fk = True
        load_instance = True
        sqla_session = db.session

    price = fields.Decimal()
    attributes = fields.Dict(allow_none=True)


class ProductWithCategorySchema(SQLAlchemyAutoSchema):  # type: ignore[type-arg]
    """A product with its category."""

    class Meta:
        model = Product
        fields = ("id", "sku", "name", "price", "category")

    price = fields.Decimal()
    category = fields.Nested(CategorySchema)


class OrderLineSchema(SQLAlchemyAutoSchema):  # type: ignore[type-arg]
    """A line inside of an order."""

    class Meta:
        model = OrderLine
        fields = ("position", "quantity", "unit_price")

    unit_price = fields.Decimal()


class OrderSchema(SQLAlchemyAutoSchema):  # type: ignore[type-arg]
    """An order with its lines."""

    class Meta:
        model = Order

    order_lines = fields.Nested(OrderLineSchema, many=True)


product_schema, products_schema = ProductSchema(), ProductSchema(many=True)  # type: ignore[no-untyped-call]
with_category_schema, order_schema = ProductWithCategorySchema(many=True), OrderSchema()  # type: ignore[no-untyped-call]


@app.get("/products/<uuid:key>")
def one(key: UUID) -> Any:
    return product_schema.dump(db.get_or_404(Product, key))


@app.get("/products")
def page() -> Any:
    found = db.session.scalars(
        select(Product)
        .where(Product.category_id == int(request.args["category"]), Product.price >= Decimal(request.args["price"]))
        .order_by(Product.price.desc(), Product.id)
        .limit(20)
    )
    return products_schema.dump(found)


@app.get("/products-with-category")
def with_category() -> Any:
    found = db.session.scalars(
        select(Product)
        .options(joinedload(Product.category))
        .where(Product.category_id == int(request.args["category"]))
        .order_by(Product.price.desc(), Product.id)
        .limit(20)
    )
    return with_category_schema.dump(found)


@app.get("/orders/<int:key>")
def order(key: int) -> Any:
    return order_schema.dump(db.get_or_404(Order, key, options=[selectinload(Order.order_lines)]))


@app.get("/sales")
def sales() -> Any:
    found = db.session.execute(
        select(
            Product.category_id,
            func.count().label("count"),
            func.sum(Product.price).label("total"),
            func.sum(Product.stock).label("pieces"),
        )
        .group_by(Product.category_id)
        .order_by(Product.category_id)
    )
    return [dict(row._mapping) for row in found]


@app.get("/count")
def count() -> Any:
    query = select(func.count()).select_from(Product)
    query = query.where(
        Product.category_id == int(request.args["category"]), Product.price >= Decimal(request.args["price"])
    )
    return {"count": db.session.scalar(query)}


@app.post("/products")
def insert() -> Any:
    product = product_schema.load(request.get_json())
    db.session.add(product)
    db.session.commit()
    return product_schema.dump(product), 201


@app.post("/products/bulk")
def insert_many() -> Any:
    products = products_schema.load(request.get_json())
    db.session.add_all(products)
    db.session.commit()
    return {"inserted": len(products)}, 201


@app.put("/products")
def upsert() -> Any:
    given = request.get_json()
    product = db.session.scalar(select(Product).where(Product.sku == given["sku"]))
    product = product_schema.load(given, instance=product)
    db.session.add(product)
    db.session.commit()
    return product_schema.dump(product)


@app.patch("/products/<uuid:key>")
def change(key: UUID) -> Any:
    product = product_schema.load(request.get_json(), instance=db.get_or_404(Product, key), partial=True)
    db.session.commit()
    return product_schema.dump(product)


@app.get("/products.ndjson")
def lines() -> Response:
    def parts() -> Iterator[str]:
        for row in _rows():
            yield app.json.dumps(row) + "\n"

    return Response(stream_with_context(parts()), content_type="application/x-ndjson")


@app.get("/products.csv")
def table() -> Response:
    def parts() -> Iterator[str]:
        written = io.StringIO(newline="")
        writer = csv.DictWriter(written, list(product_schema.fields))
        writer.writeheader()
        for row in _rows():
            writer.writerow(row)
            yield written.getvalue()
            written.seek(0)
            written.truncate()

    return Response(stream_with_context(parts()), content_type="text/csv")


def _rows() -> Iterator[dict[str, Any]]:
    found = select(Product).order_by(Product.id).limit(int(request.args["limit"])).execution_options(yield_per=1000)
    products = db.session.scalars(found)
    return (product_schema.dump(product) for product in products)

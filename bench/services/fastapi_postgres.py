"""FastAPI with SQLAlchemy's ORM on asyncpg: a session per request, eager loading, Pydantic models."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import uuid_utils.compat as uuids
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from sqlalchemy import DateTime, ForeignKey, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload
from sqlalchemy.types import Text

from bench.services import fastapi_models as models

_url = urlsplit(os.environ["STORE_URL"])
engine = create_async_engine(
    URL.create(
        "postgresql+asyncpg", _url.username, database=_url.path[1:], query={"host": parse_qs(_url.query)["host"][0]}
    ),
    pool_size=8,
    connect_args={"server_settings": {"timezone": "UTC"}},
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


T = TypeVar("T")
Session = Annotated[AsyncSession, Depends(session)]


class Base(DeclarativeBase):
    """The base of the models."""

    type_annotation_map = {  # noqa: RUF012
        str: Text,
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB(none_as_null=True),
        datetime: DateTime(timezone=True),
    }


class Category(Base):
    """What the shop sells."""

    __tablename__ = "categories"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Product(Base):
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
    tags: Mapped[list[str]]
    attributes: Mapped[dict[str, Any] | None]
    released: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    category: Mapped[Category] = relationship()


class OrderLine(Base):
    """A product of an order."""

    __tablename__ = "order_lines"
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]


class Order(Base):
    """What a customer has ordered."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    placed_at: Mapped[datetime]
    order_lines: Mapped[list[OrderLine]] = relationship(order_by=OrderLine.position)


@app.get("/products.ndjson")
async def lines(limit: int) -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        async for part in _parts(limit):
            yield "".join(product.model_dump_json() + "\n" for product in part)

    return StreamingResponse(parts(), media_type="application/x-ndjson")


@app.get("/products.csv")
async def table(limit: int) -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        header = True
        async for part in _parts(limit):
            yield models.csv_lines(part, header=header)
            header = False

    return StreamingResponse(parts(), media_type="text/csv")


async def _parts(limit: int) -> AsyncIterator[list[models.Product]]:
    async with sessions() as opened:
        query = select(Product).order_by(Product.id).limit(limit).execution_options(yield_per=1000)
        async for part in (await opened.stream_scalars(query)).partitions(500):
            yield [models.Product.model_validate(row) for row in part]


@app.get("/products/{key}")
async def one(key: UUID, opened: Session) -> models.Product:
    return _found(await opened.get(Product, key))  # type: ignore[return-value]


@app.get("/products")
async def page(category: int, price: Decimal, opened: Session) -> list[models.Product]:
    found = await opened.scalars(
        select(Product)
        .where(Product.category_id == category, Product.price >= price)
        .order_by(Product.price.desc(), Product.id)
        .limit(20)
    )
    return found.all()  # type: ignore[return-value]


@app.get("/products-with-category")
async def with_category(category: int, opened: Session) -> list[models.ProductWithCategory]:
    found = await opened.scalars(
        select(Product)
        .options(joinedload(Product.category))
        .where(Product.category_id == category)
        .order_by(Product.price.desc(), Product.id)
        .limit(20)
    )
    return found.all()  # type: ignore[return-value]


@app.get("/orders/{key}")
async def order(key: int, opened: Session) -> models.Order:
    return _found(await opened.get(Order, key, options=[selectinload(Order.order_lines)]))  # type: ignore[return-value]


@app.get("/sales")
async def sales(opened: Session) -> list[models.Sales]:
    found = await opened.execute(
        select(
            Product.category_id,
            func.count().label("count"),
            func.sum(Product.price).label("total"),
            func.sum(Product.stock).label("pieces"),
        )
        .group_by(Product.category_id)
        .order_by(Product.category_id)
    )
    return found.all()  # type: ignore[return-value]


@app.get("/count")
async def count(category: int, price: Decimal, opened: Session) -> models.Count:
    query = select(func.count()).select_from(Product).where(Product.category_id == category, Product.price >= price)
    return models.Count(count=await opened.scalar(query) or 0)


@app.post("/products", status_code=201)
async def add(given: models.NewProduct, opened: Session) -> models.Product:
    product = Product(**given.model_dump())
    opened.add(product)
    await opened.commit()
    return product  # type: ignore[return-value]


@app.post("/products/bulk", status_code=201)
async def add_many(given: list[models.NewProduct], opened: Session) -> models.Inserted:
    await opened.execute(insert(Product), [product.model_dump() for product in given])
    await opened.commit()
    return models.Inserted(inserted=len(given))


@app.put("/products")
async def upsert(given: models.NewProduct, opened: Session) -> models.Product:
    values = given.model_dump()
    statement = insert_or_update(Product).values(values)
    statement = statement.on_conflict_do_update(index_elements=[Product.sku], set_=values)
    product = await opened.scalar(statement.returning(Product))
    await opened.commit()
    return product  # type: ignore[return-value]


@app.patch("/products/{key}")
async def change(key: UUID, given: models.ProductChange, opened: Session) -> models.Product:
    product = _found(await opened.get(Product, key))
    for name, value in given.model_dump(exclude_unset=True).items():
        setattr(product, name, value)
    await opened.commit()
    return product  # type: ignore[return-value]


def _found(record: T | None) -> T:
    if record is None:
        raise HTTPException(404)
    return record

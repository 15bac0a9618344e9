"""The catalogs that the tests run on: a small shop with every type, kind of key and kind of reference."""

from __future__ import annotations

from decimal import Decimal

from repositories.schema import (
    Catalog,
    Field,
    Generated,
    Index,
    Kind,
    OnDelete,
    Reference,
    Resource,
    Shape,
    Type,
    Unique,
)

INT32 = Type(Kind.INT32)
INT64 = Type(Kind.INT64)
TEXT = Type(Kind.STRING)
UUID = Type(Kind.UUID)
DATE = Type(Kind.DATE)
INSTANT = Type(Kind.DATETIME)
DOUBLE = Type(Kind.DOUBLE)
BOOLEAN = Type(Kind.BOOLEAN)
JSON = Type(Kind.JSON)
TEXTS = Type(Kind.ARRAY, items=TEXT)
INTS = Type(Kind.ARRAY, items=INT64)


def _resource(name: str, *fields: Field, key: tuple[str, ...] = ("id",), **rest: object) -> Resource:
    return Resource(name, {field.name: field for field in fields}, key, **rest)  # type: ignore[arg-type]


def _serial() -> Field:
    return Field("id", INT64, required=True, generated=Generated.SEQUENCE, read_only=False)


def shop() -> Catalog:
    """A new catalog: fields and resources compare by identity."""
    resources = (
        _resource(
            "categories",
            _serial(),
            Field("name", Type(Kind.STRING, max_length=80), required=True),
            uniques=(Unique("categories_name_key", ("name",)),),
        ),
        _resource(
            "products",
            Field("id", UUID, required=True, generated=Generated.UUID7, read_only=False),
            Field("sku", Type(Kind.STRING, pattern="^[A-Z0-9-]+$"), required=True),
            Field("name", Type(Kind.STRING, max_length=200), required=True),
            Field("price", Type(Kind.DECIMAL, precision=12, scale=2, minimum=Decimal(0)), required=True),
            Field("weight", DOUBLE),
            Field("stock", Type(Kind.INT32, minimum=0), default=0),
            Field("views", INT64),
            Field("active", BOOLEAN, default=True),
            Field("tags", TEXTS, default=[]),
            Field("sizes", INTS),
            Field("attributes", Type(Kind.JSON, shape=Shape())),
            Field("notes", JSON),
            Field("released", DATE),
            Field("created_at", INSTANT, generated=Generated.NOW, read_only=True),
            Field("category_id", INT64),
            uniques=(
                Unique("products_sku_key", ("sku",)),
                Unique("products_category_id_name_key", ("category_id", "name")),
            ),
            indexes=(Index("products_category_id_price_idx", (("category_id", False), ("price", True))),),
            references=(Reference("category", "products_category_id_fkey", ("category_id",), "categories", ("id",)),),
        ),
        _resource(
            "staff",
            _serial(),
            Field("name", TEXT, required=True),
            Field("manager_id", INT64),
            references=(
                Reference("manager", "staff_manager_id_fkey", ("manager_id",), "staff", ("id",), OnDelete.SET_NULL),
            ),
        ),
        _resource(
            "orders",
            _serial(),
            Field("status", Type(Kind.STRING, enum=("open", "paid", "sent")), required=True, default="open"),
            Field("placed_at", INSTANT, required=True, generated=Generated.NOW, read_only=False),
            Field("seller_id", INT64),
            references=(
                Reference("seller", "orders_seller_id_fkey", ("seller_id",), "staff", ("id",), OnDelete.SET_NULL),
            ),
        ),
        _resource(
            "lines",
            Field("order_id", INT64, required=True),
            Field("position", INT32, required=True),
            Field("product_id", UUID, required=True),
            Field("quantity", Type(Kind.INT32, minimum=1, maximum=1000), required=True),
            key=("order_id", "position"),
            references=(
                Reference("order", "lines_order_id_fkey", ("order_id",), "orders", ("id",), OnDelete.CASCADE),
                Reference("product", "lines_product_id_fkey", ("product_id",), "products", ("id",)),
            ),
        ),
        _resource(
            "returns",
            _serial(),
            Field("order_id", INT64),
            Field("position", INT32),
            Field("reason", TEXT),
            references=(
                Reference(
                    "line",
                    "returns_order_id_position_fkey",
                    ("order_id", "position"),
                    "lines",
                    ("order_id", "position"),
                    OnDelete.CASCADE,
                ),
            ),
        ),
    )
    return Catalog({resource.name: resource for resource in resources})

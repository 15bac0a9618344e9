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


def lab() -> Catalog:
    """A new catalog of what the shop lacks: every kind of value, other kinds of key, every turn of `onDelete`."""
    resources = (*_samples(), *_keys(), *_cascades())
    return Catalog({resource.name: resource for resource in resources})


def _samples() -> tuple[Resource, ...]:
    """One nullable field of every kind, and arrays of every scalar kind."""
    scalars = {
        "text": TEXT,
        "uuid": UUID,
        "day": DATE,
        "moment": INSTANT,
        "small": INT32,
        "big": INT64,
        "real": DOUBLE,
        "money": Type(Kind.DECIMAL, precision=12, scale=2),
        "exact": Type(Kind.DECIMAL, precision=34, scale=10),
        "whole": Type(Kind.DECIMAL, precision=34, scale=0),
        "flag": BOOLEAN,
    }
    arrays = {f"{name}s": Type(Kind.ARRAY, items=scalar) for name, scalar in scalars.items()}
    kinds = {**scalars, **arrays, "free": JSON, "shaped": Type(Kind.JSON, shape=Shape())}
    samples = _resource("samples", _serial(), *(Field(name, kind) for name, kind in kinds.items()))
    return (samples,)


def _keys() -> tuple[Resource, ...]:
    """Keys that are text, composite, of several kinds; unique sets with nulls; references to a unique set."""
    return (
        _resource(
            "countries",
            Field("code", TEXT, required=True),
            Field("name", TEXT),
            key=("code",),
            uniques=(Unique("countries_name_key", ("name",)),),
        ),
        _resource(
            "cities",
            Field("country_name", TEXT),
            Field("id", INT32, required=True, generated=Generated.SEQUENCE),
            Field("district", TEXT),
            Field("number", INT32),
            uniques=(Unique("cities_district_number_key", ("district", "number")),),
            references=(Reference("country", "cities_country_name_fkey", ("country_name",), "countries", ("name",)),),
        ),
        _resource(
            "readings",
            Field("station", TEXT, required=True),
            Field("day", DATE, required=True),
            Field("moment", INSTANT, required=True),
            Field("level", Type(Kind.DECIMAL, precision=6, scale=2), required=True),
            Field("device", UUID, required=True),
            Field("good", BOOLEAN, required=True),
            Field("value", DOUBLE),
            key=("station", "day", "moment", "level", "device", "good"),
        ),
        _resource(
            "visits",
            _serial(),
            Field("district", TEXT),
            Field("number", INT32),
            references=(
                Reference(
                    "city",
                    "visits_district_number_fkey",
                    ("district", "number"),
                    "cities",
                    ("district", "number"),
                    OnDelete.SET_NULL,
                ),
            ),
        ),
    )


def _cascades() -> tuple[Resource, ...]:
    """A tree of itself, a cycle of two, a restrict that a cascade resolves, a setNull that may not be."""

    def key(name: str, field: str, target: str, on_delete: OnDelete) -> Reference:
        return Reference(field.removesuffix("_id"), f"{name}_{field}_fkey", (field,), target, ("id",), on_delete)

    identity = Field("id", INT64, required=True)
    cascade, restrict, set_null = OnDelete.CASCADE, OnDelete.RESTRICT, OnDelete.SET_NULL
    return (
        _resource(
            "folders",
            identity,
            Field("parent_id", INT64),
            references=(key("folders", "parent_id", "folders", cascade),),
        ),
        _resource("hens", identity, Field("egg_id", INT64), references=(key("hens", "egg_id", "eggs", cascade),)),
        _resource("eggs", identity, Field("hen_id", INT64), references=(key("eggs", "hen_id", "hens", cascade),)),
        _resource("roots", identity),
        _resource(
            "branches", identity, Field("root_id", INT64), references=(key("branches", "root_id", "roots", cascade),)
        ),
        _resource(
            "leaves",
            identity,
            Field("root_id", INT64),
            Field("branch_id", INT64),
            references=(
                key("leaves", "root_id", "roots", restrict),
                key("leaves", "branch_id", "branches", cascade),
            ),
        ),
        _resource(
            "birds",
            identity,
            Field("leaf_id", INT64),
            references=(key("birds", "leaf_id", "leaves", set_null),),
        ),
        _resource(
            "badges",
            identity,
            Field("hen_id", INT64, required=True),
            references=(key("badges", "hen_id", "hens", set_null),),
        ),
        _resource("links", identity, Field("next_id", INT64), references=(key("links", "next_id", "links", restrict),)),
    )


def studio() -> Catalog:
    """A new catalog of relations: to one and to many, several between the same two, through junctions, to itself."""
    resources = (*_people(), *_films(), *_junctions())
    return Catalog({resource.name: resource for resource in resources})


def _reference(source: str, target: str, *columns: str, to: tuple[str, ...] = ("id",)) -> Reference:
    """Named by its column, without `_id`, or by its target where it has several."""
    name = columns[0].removesuffix("_id") if len(columns) == 1 else target.removesuffix("s")
    return Reference(name, f"{source}_{'_'.join(columns)}_fkey", columns, target, to)


def _people() -> tuple[Resource, ...]:
    """A reference to the same resource, and records that belong to one another one to one."""
    return (
        _resource(
            "people",
            _serial(),
            Field("name", TEXT, required=True),
            Field("born", DATE),
            Field("boss_id", INT64),
            references=(_reference("people", "people", "boss_id"),),
        ),
        _resource(
            "profiles",
            Field("person_id", INT64, required=True),
            Field("bio", TEXT),
            Field("facts", JSON),
            key=("person_id",),
            references=(_reference("profiles", "people", "person_id"),),
        ),
    )


def _films() -> tuple[Resource, ...]:
    """Two references to the same resource, a composite key, and a reference to it."""
    return (
        _resource(
            "films",
            _serial(),
            Field("title", TEXT, required=True),
            Field("year", INT32),
            Field("budget", INT64),
            Field("score", DOUBLE),
            Field("rating", Type(Kind.DECIMAL, precision=6, scale=2)),
            Field("seen", BOOLEAN),
            Field("opened", DATE),
            Field("added", INSTANT),
            Field("tags", TEXTS),
            Field("extra", JSON),
            Field("director_id", INT64),
            Field("writer_id", INT64),
            references=(_reference("films", "people", "director_id"), _reference("films", "people", "writer_id")),
        ),
        _resource(
            "scenes",
            Field("film_id", INT64, required=True),
            Field("number", INT32, required=True),
            Field("place", TEXT),
            Field("minutes", INT32),
            key=("film_id", "number"),
            references=(_reference("scenes", "films", "film_id"),),
        ),
        _resource(
            "takes",
            _serial(),
            Field("film_id", INT64),
            Field("scene", INT32),
            Field("seconds", Type(Kind.DECIMAL, precision=8, scale=3)),
            references=(_reference("takes", "scenes", "film_id", "scene", to=("film_id", "number")),),
        ),
    )


def _junctions() -> tuple[Resource, ...]:
    """Many to many: with nothing else in the key, and with a day, so that two records can be connected twice."""
    return (
        _resource("genres", Field("name", TEXT, required=True), Field("serious", BOOLEAN), key=("name",)),
        _resource(
            "film_genres",
            Field("film_id", INT64, required=True),
            Field("genre", TEXT, required=True),
            key=("film_id", "genre"),
            references=(
                _reference("film_genres", "films", "film_id"),
                _reference("film_genres", "genres", "genre", to=("name",)),
            ),
        ),
        _resource("halls", _serial(), Field("name", TEXT), Field("seats", INT32)),
        _resource(
            "screenings",
            Field("hall_id", INT64, required=True),
            Field("film_id", INT64, required=True),
            Field("day", DATE, required=True),
            Field("sold", INT32),
            key=("film_id", "hall_id", "day"),
            references=(
                _reference("screenings", "halls", "hall_id"),
                _reference("screenings", "films", "film_id"),
            ),
        ),
        _resource(
            "roles",
            Field("film_id", INT64, required=True),
            Field("person_id", INT64, required=True),
            Field("part", TEXT),
            key=("film_id", "person_id"),
            references=(
                _reference("roles", "films", "film_id"),
                _reference("roles", "people", "person_id"),
            ),
        ),
    )

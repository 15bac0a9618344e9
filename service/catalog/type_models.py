"""The types of the resource file as Pydantic models: of fields, of an array's items, of an object's properties.

Together with `document.py` these are the JSON Schema that editors work with, so every keyword has a docstring.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

MAX_PRECISION = 34
TYPES = ("string", "integer", "number", "boolean", "array", "object")


def _number(value: Any) -> Any:
    return Decimal(value) if type(value) is int else value


def _given(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("no_value", "has no value")
    return value


T = TypeVar("T")
#: A keyword that may be left out, but not be left empty.
Given = Annotated[T | None, BeforeValidator(_given)]
Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number"})]


class Model(BaseModel):
    """What all mappings of the file have in common: strict types, names in camelCase, no unknown keys."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        field_title_generator=lambda name, _: to_camel(name),
        model_title_generator=lambda model: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__.removesuffix("Model")),
    )


class Annotations(Model):
    """What may be said about a resource, a field or a type for people to read."""

    title: Given[str] = None
    """A short name for people. Used as the description where there is none."""
    description: Given[str] = None
    """What the value means; part of the API's documentation."""
    examples: Given[list[Any]] = None
    """Example values."""


class StringType(Annotations):
    """Text; or, by its format, a uuid, a date or an instant."""

    type: Literal["string"]
    """Text."""
    format: Given[Literal["uuid", "date", "date-time"]] = None
    """uuid, date (YYYY-MM-DD), or date-time (an instant in milliseconds). Without a format: any text."""
    min_length: Given[Annotated[int, Field(ge=0)]] = None
    """The fewest characters (code points) that the text may have."""
    max_length: Given[Annotated[int, Field(ge=0)]] = None
    """The most characters (code points) that the text may have."""
    pattern: Given[str] = None
    """A regular expression that must match somewhere in the text; `^…$` for the whole. 200 characters at most."""
    enum: Given[Annotated[list[str], Field(min_length=1)]] = None
    """The only values allowed."""


class IntegerType(Annotations):
    """A whole number."""

    type: Literal["integer"]
    """A whole number."""
    format: Literal["int32", "int64"] = "int64"
    """The number's size: 32 or 64 bits, signed."""
    minimum: Given[int] = None
    """The least value allowed."""
    maximum: Given[int] = None
    """The greatest value allowed."""
    exclusive_minimum: Given[int] = None
    """Values must be greater than this."""
    exclusive_maximum: Given[int] = None
    """Values must be less than this."""
    enum: Given[Annotated[list[int], Field(min_length=1)]] = None
    """The only values allowed."""


class NumberType(Annotations):
    """A double-precision number; or an exact decimal, with `format: decimal`."""

    type: Literal["number"]
    """A number: a double, or a decimal."""
    format: Literal["double", "decimal"] = "double"
    """double (64-bit binary floating point), or decimal (exact, with `precision` and `scale`)."""
    precision: Given[Annotated[int, Field(ge=1, le=MAX_PRECISION)]] = None
    """How many digits a decimal has in all, 34 at most. Required with `format: decimal`."""
    scale: Given[Annotated[int, Field(ge=0, le=MAX_PRECISION)]] = None
    """How many of a decimal's digits stand after the point. 0 by default."""
    minimum: Given[Number] = None
    """The least value allowed."""
    maximum: Given[Number] = None
    """The greatest value allowed."""
    exclusive_minimum: Given[Number] = None
    """Values must be greater than this."""
    exclusive_maximum: Given[Number] = None
    """Values must be less than this."""


class BooleanType(Annotations):
    """true or false."""

    type: Literal["boolean"]
    """true or false."""


def by_type(suffix: str) -> Callable[[Any], str | None]:
    """The discriminator of a union of models: the class that `type` (or its absence) asks for."""

    def tag(value: Any) -> str | None:
        if not isinstance(value, dict):
            return None
        if "type" not in value:
            return "ReferenceField" if suffix == "Field" and "references" in value else f"Any{suffix}"
        kind = value["type"]
        return f"{kind.capitalize()}{suffix}" if isinstance(kind, str) and kind in TYPES else None

    return tag


ItemType = Annotated[
    Annotated[StringType, Tag("StringType")]
    | Annotated[IntegerType, Tag("IntegerType")]
    | Annotated[NumberType, Tag("NumberType")]
    | Annotated[BooleanType, Tag("BooleanType")],
    Discriminator(by_type("Type")),
]


class ArrayType(Annotations):
    """A list of scalars without nulls."""

    type: Literal["array"]
    """A list of scalars without nulls."""
    items: ItemType
    """The type of the items: a scalar."""
    min_items: Given[Annotated[int, Field(ge=0)]] = None
    """The fewest items that the list may have."""
    max_items: Given[Annotated[int, Field(ge=0)]] = None
    """The most items that the list may have."""


class ObjectType(Annotations):
    """A JSON object: free, or with properties of its own."""

    type: Literal["object"]
    """A JSON object: free, or with properties of its own."""
    properties: dict[str, PropertyType] = Field(default_factory=dict)
    """The object's own properties, each with its type."""
    required: list[str] = Field(default_factory=list)
    """The properties that every such object must have, not null."""
    additional_properties: bool = True
    """Whether keys that are not among `properties` are allowed, with any JSON value."""


class AnyType(Annotations):
    """JSON of any shape."""


PropertyType = Annotated[
    Annotated[StringType, Tag("StringType")]
    | Annotated[IntegerType, Tag("IntegerType")]
    | Annotated[NumberType, Tag("NumberType")]
    | Annotated[BooleanType, Tag("BooleanType")]
    | Annotated[ArrayType, Tag("ArrayType")]
    | Annotated[ObjectType, Tag("ObjectType")]
    | Annotated[AnyType, Tag("AnyType")],
    Discriminator(by_type("Type")),
]
# Its properties may be objects again, by a name that is known only now.
ObjectType.model_rebuild()

"""The resource file as Pydantic models: what may stand where. What it means is judged by `builder.py`.

The models are also the JSON Schema that editors complete and check the file with, so every keyword has a docstring.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from service.catalog.names import NAME, RESERVED_FIELDS, SYSTEM_COLUMNS
from service.catalog.type_models import (
    Annotations,
    AnyType,
    ArrayType,
    BooleanType,
    Given,
    IntegerType,
    Model,
    NumberType,
    ObjectType,
    StringType,
    by_type,
)

MAX_RESOURCES = 1000
MAX_FIELDS = 1000
#: The most fields that a key, a unique set or an index may have: 32 in PostgreSQL and in MongoDB.
MAX_KEY_FIELDS = 32


def _list_of_one(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _short_reference(value: Any) -> Any:
    return {"resource": value} if isinstance(value, str) else value


Name = Annotated[str, WithJsonSchema({"type": "string", "pattern": NAME})]
FieldName = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "pattern": NAME, "not": {"enum": sorted(RESERVED_FIELDS | SYSTEM_COLUMNS)}},
    ),
]
IndexKey = Annotated[str, WithJsonSchema({"type": "string", "pattern": NAME.replace("^", "^-?", 1)})]
Names = Annotated[
    list[Name],
    BeforeValidator(_list_of_one, json_schema_input_type=Name | list[Name]),
    Field(min_length=1, max_length=MAX_KEY_FIELDS),
]
OnDeleteRule = Literal["restrict", "cascade", "setNull"]


class FieldReference(Model):
    """The record of another (or the same) resource that this field points at."""

    resource: Name
    """The resource pointed at."""
    field: Given[Name] = None
    """The field pointed at: the primary key (the default), or a unique field."""
    name: Given[Name] = None
    """The relation's name in the API. By default the field's name without `_id`, else the resource's name."""
    on_delete: OnDeleteRule = "restrict"
    """When the record pointed at is deleted: refuse (restrict), delete this one too (cascade), or set null."""


Pointer = Annotated[FieldReference, BeforeValidator(_short_reference, json_schema_input_type=Name | FieldReference)]


class ResourceReference(Model):
    """A reference of several fields at once."""

    fields: Names
    """The fields of this resource that point, in the order of the fields pointed at."""
    resource: Name
    """The resource pointed at."""
    target_fields: Given[Names] = None
    """The fields pointed at: the primary key (the default), or a unique set."""
    name: Given[Name] = None
    """The relation's name in the API. By default the name of the resource pointed at."""
    on_delete: OnDeleteRule = "restrict"
    """When the record pointed at is deleted: refuse (restrict), delete this one too (cascade), or set null."""


class FieldKeywords(Model):
    """What any field may have beside its type."""

    default: Any = None
    """The value of a field that is not given. It must be of the field's type; null if there is no default."""
    read_only: Given[bool] = None
    """Whether clients may not give a value. true by default for generated fields, false for others."""


class ScalarKeywords(FieldKeywords):
    """What a field of a scalar type may have beside it."""

    unique: bool = False
    """Whether no two records may have the same value here. Nulls are never the same."""
    references: Given[Pointer] = None
    """The record that this field points at: a resource's name, or a mapping."""


class StringField(StringType, ScalarKeywords):
    """A field of text; or, by its format, of a uuid, a date or an instant."""

    generated: Given[Literal["uuid7", "now"]] = None
    """Filled by the service when it is not given: uuid7 (with format uuid), or now (with format date-time)."""


class IntegerField(IntegerType, ScalarKeywords):
    """A field of whole numbers."""

    generated: Given[Literal["sequence"]] = None
    """Filled when it is not given, from a counter."""


class NumberField(NumberType, ScalarKeywords):
    """A field of double-precision numbers; or of exact decimals, with `format: decimal`."""


class BooleanField(BooleanType, ScalarKeywords):
    """A field of true or false."""


class ArrayField(ArrayType, FieldKeywords):
    """A field that holds a list of scalars."""


class ObjectField(ObjectType, FieldKeywords):
    """A field that holds a JSON object."""


class AnyField(AnyType, FieldKeywords):
    """JSON of any shape: a field without a `type`."""


class ReferenceField(Annotations, FieldKeywords):
    """A field that points at a record of a resource, and takes its type from there."""

    unique: bool = False
    """Whether no two records may have the same value here. Nulls are never the same."""
    references: Pointer
    """The record that this field points at: a resource's name, or a mapping."""


FieldModel = Annotated[
    Annotated[StringField, Tag("StringField")]
    | Annotated[IntegerField, Tag("IntegerField")]
    | Annotated[NumberField, Tag("NumberField")]
    | Annotated[BooleanField, Tag("BooleanField")]
    | Annotated[ArrayField, Tag("ArrayField")]
    | Annotated[ObjectField, Tag("ObjectField")]
    | Annotated[AnyField, Tag("AnyField")]
    | Annotated[ReferenceField, Tag("ReferenceField")],
    Discriminator(by_type("Field")),
]


class ResourceModel(Model):
    """One resource: a table in PostgreSQL, a collection in MongoDB."""

    title: Given[str] = None
    """A short name for people. Used as the description where there is none."""
    description: Given[str] = None
    """What the resource holds; part of the API's documentation."""
    primary_key: Names
    """The field, or the list of fields, that tells records apart. Key fields are required by themselves."""
    required: list[Name] = Field(default_factory=list)
    """The fields that are never null."""
    unique: list[Annotated[list[Name], Field(min_length=1, max_length=MAX_KEY_FIELDS)]] = Field(default_factory=list)
    """Sets of fields whose values, when none is null, occur once: `[[a, b], [c]]`."""
    indexes: list[Annotated[list[IndexKey], Field(min_length=1, max_length=MAX_KEY_FIELDS)]] = Field(
        default_factory=list
    )
    """Indexes: lists of fields, with `-` before a field for descending order: `[[category_id, -price]]`."""
    references: list[ResourceReference] = Field(default_factory=list)
    """References of several fields at once. For one field, `references` stands at the field."""
    properties: Annotated[
        dict[FieldName, FieldModel],
        Field(min_length=1, max_length=MAX_FIELDS, json_schema_extra={"additionalProperties": False}),
    ]
    """The fields, each with its type."""


class Document(Model):
    """The resources that Diglot serves: one REST API over them, stored in PostgreSQL or in MongoDB."""

    title: Given[str] = None
    """A name for the whole."""
    description: Given[str] = None
    """What the file is about."""
    resources: Annotated[
        dict[Name, ResourceModel],
        Field(min_length=1, max_length=MAX_RESOURCES, json_schema_extra={"additionalProperties": False}),
    ]
    """The resources by name."""


#: The models that a problem's place can name (see `validation.py`), by the tags of the unions above.
TAGGED: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        *(StringType, IntegerType, NumberType, BooleanType, ArrayType, ObjectType, AnyType),
        *(StringField, IntegerField, NumberField, BooleanField, ArrayField, ObjectField, AnyField, ReferenceField),
    )
}


class _EditorSchema(GenerateJsonSchema):
    """JSON Schema as editors read it best: a keyword is there with a value, or it is not there."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        result = super().default_schema(schema)
        return result if result.get("default") is not None else {k: v for k, v in result.items() if k != "default"}


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the resource file, for editors."""
    schema = Document.model_json_schema(schema_generator=_EditorSchema)
    return {"$schema": _EditorSchema.schema_dialect} | schema | {"title": "Diglot resource file"}

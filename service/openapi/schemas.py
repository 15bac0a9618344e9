"""Types of the catalog → JSON Schema (2020-12, as OpenAPI 3.1 has it), one to one.

Each resource has five schemas: `x` is a record as it is answered, `x.new` the body of a POST, `x.replacement` that of a
PUT, `x.changes` that of a PATCH, `x.merge` that of a merge patch. A selection may leave members out, so no member of an
answer is required.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson

from repositories.encoding import records_encoder
from repositories.schema import MISSING, Field, Generated, Kind, Resource, Shape, Type, Value

Schema = dict[str, Any]

_BASES: dict[Kind, Schema] = {
    Kind.STRING: {"type": "string"},
    Kind.UUID: {"type": "string", "format": "uuid"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
    Kind.INT32: {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    Kind.INT64: {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1},
    Kind.DOUBLE: {"type": "number", "format": "double"},
    Kind.DECIMAL: {"type": "number", "format": "decimal"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.ARRAY: {"type": "array"},
    Kind.JSON: {},
}
_EXAMPLES: dict[Kind, Any] = {
    Kind.STRING: "text",
    Kind.UUID: "01857182-791e-7731-a9b3-b30364f4e303",
    Kind.DATE: "2026-01-31",
    Kind.DATETIME: "2026-01-31T09:30:00.12+00:00",
    Kind.BOOLEAN: True,
    Kind.JSON: {"colour": "grey"},
}
_GENERATED = {
    Generated.SEQUENCE: "Filled from a counter.",
    Generated.UUID7: "Filled with a UUID of version 7.",
    Generated.NOW: "Filled with the time of the insert.",
}
#: Syntax of Python's patterns that JSON Schema's, which are those of ECMAScript, does not have.
_NOT_PORTABLE = re.compile(r"\(\?(?![:=!])|\\[AZz]|[*+?}]\+")


def resource_schemas(resource: Resource) -> dict[str, Schema]:
    """The five schemas of a resource, by name."""
    fields = list(resource.fields.values())
    writable = [field for field in fields if not field.read_only]
    replaceable = [field for field in fields if not field.read_only or field.name in resource.primary_key]
    new = [field.name for field in writable if _must_be_given(field)]
    replaced = [name for name in new if name not in resource.primary_key]
    answered = _object(fields, f"A record of {resource.name}. {resource.description}".strip())
    for reference in resource.references:
        for name in reference.fields:
            pointer = answered["properties"][name]
            pointer["description"] = f"{pointer.get('description', '')} Refers to {reference.target}.".strip()
    written = {
        "new": _object(writable, f"A new record of {resource.name}.", new),
        "replacement": _object(
            replaceable, f"A record of {resource.name} in full; what is left out gets its default.", replaced
        ),
        "changes": _object(writable, f"Changes to records of {resource.name}."),
        "merge": _object(
            map(_mergeable, writable),
            f"Changes to records of {resource.name}, whose JSON fields objects are merged into.",
        ),
    }
    return {resource.name: answered} | {f"{resource.name}.{name}": schema for name, schema in written.items()}


def field_schema(field: Field) -> Schema:
    """The schema of a field, null included where the field may be null."""
    schema = type_schema(field.type)
    if not field.required:
        schema = _nullable(schema)
    notes = [field.description, _GENERATED[field.generated] if field.generated else "", schema.get("description", "")]
    if note := " ".join(filter(None, notes)):
        schema["description"] = note
    if field.default is not MISSING and field.default is not None:
        schema["default"] = plain(field.type, field.default)
    if field.read_only:
        schema["readOnly"] = True
    if (example := example_of(field.type)) is not None:
        schema["examples"] = [example]
    return schema


def type_schema(kind: Type) -> Schema:
    """The schema of a type with all its limits, null aside."""
    schema = dict(_BASES[kind.kind])
    if kind.kind is Kind.DECIMAL:
        schema |= _digits(kind)
    for keyword, bound in (
        ("minimum", kind.minimum),
        ("maximum", kind.maximum),
        ("exclusiveMinimum", kind.exclusive_minimum),
        ("exclusiveMaximum", kind.exclusive_maximum),
    ):
        if bound is not None:
            schema[keyword] = _number(bound)
    for keyword, limit in (
        ("minLength", kind.min_length),
        ("maxLength", kind.max_length),
        ("minItems", kind.min_items),
        ("maxItems", kind.max_items),
    ):
        if limit is not None:
            schema[keyword] = limit
    if kind.pattern is not None:
        if _NOT_PORTABLE.search(kind.pattern):
            schema["description"] = f"It matches the pattern {kind.pattern}."
        else:
            schema["pattern"] = kind.pattern
    if kind.enum is not None:
        schema["enum"] = [plain(kind, value) for value in kind.enum]
    if kind.items is not None:
        schema["items"] = type_schema(kind.items)
    if kind.shape is not None:
        schema |= _shape(kind.shape)
    return schema


def plain(kind: Type, value: Value) -> Any:
    """A value of the type as plain JSON data, in the form in which answers have it."""
    if isinstance(value, Decimal):
        return _number(value)
    return orjson.loads(records_encoder(["value"], [kind])([(value,)]))[0]["value"]


def example_of(kind: Type) -> Any:
    """A value that the type takes; None where none is certain to fit."""
    if kind.enum is not None:
        return plain(kind, kind.enum[0])
    match kind.kind:
        case Kind.STRING:
            fits = kind.pattern is None and (kind.min_length or 0) <= 4 and (kind.max_length or 4) >= 4
            return _EXAMPLES[Kind.STRING] if fits else None
        case Kind.INT32 | Kind.INT64 | Kind.DOUBLE | Kind.DECIMAL:
            return _number_within(kind)
        case Kind.ARRAY:
            assert kind.items is not None
            item = example_of(kind.items)
            fits = (kind.min_items or 0) <= 1 and (kind.max_items is None or kind.max_items >= 1)
            return [item] if fits and item is not None else None
        case Kind.JSON if kind.shape is not None and kind.shape.properties:
            return _example_object(kind.shape)
    return _EXAMPLES[kind.kind]


def _object(fields: Iterable[Field], description: str, required: list[str] | None = None) -> Schema:
    schema: Schema = {
        "type": "object",
        "description": description,
        "properties": {field.name: field_schema(field) for field in fields},
        "additionalProperties": False,
    }
    return schema | {"required": required} if required else schema


def _mergeable(field: Field) -> Field:
    """The field as a merge patch gives it: any part of an object, where null takes a member away."""
    return field if field.type.shape is None else replace(field, type=replace(field.type, shape=Shape(())))


def _must_be_given(field: Field) -> bool:
    return field.required and field.default is MISSING and field.generated is None


def _nullable(schema: Schema) -> Schema:
    nullable = dict(schema)
    if "type" in schema:
        nullable["type"] = [schema["type"], "null"]
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def _digits(kind: Type) -> Schema:
    """The bounds that a decimal's digits set. `multipleOf` is left out: validators compute it in binary, and err."""
    if kind.precision is None or kind.scale is None:
        return {}
    schema: Schema = {"description": f"Exact: {kind.precision} digits, {kind.scale} of them after the point."}
    end = 10 ** (kind.precision - kind.scale)
    if kind.minimum is None and kind.exclusive_minimum is None:
        schema["exclusiveMinimum"] = -end
    if kind.maximum is None and kind.exclusive_maximum is None:
        schema["exclusiveMaximum"] = end
    return schema


def _shape(shape: Shape) -> Schema:
    schema: Schema = {"type": "object"}
    if shape.properties:
        properties = ((name, type_schema(kind)) for name, kind in shape.properties)
        schema["properties"] = {name: part if name in shape.required else _nullable(part) for name, part in properties}
    if shape.required:
        schema["required"] = sorted(shape.required)
    if not shape.additional:
        schema["additionalProperties"] = False
    return schema


def _example_object(shape: Shape) -> dict[str, Any] | None:
    members = {name: example_of(kind) for name, kind in shape.properties}
    if any(members[name] is None for name in shape.required):
        return None
    return {name: value for name, value in members.items() if value is not None}


def _number_within(kind: Type) -> Any:
    """A small number within the bounds; None if 1 and the bounds themselves are not."""
    candidates = (1, kind.minimum, kind.maximum)
    found = next((each for each in candidates if each is not None and _within(kind, each)), None)
    return None if found is None else _number(found)


def _within(kind: Type, number: float | Decimal) -> bool:
    return (
        (kind.minimum is None or number >= kind.minimum)
        and (kind.maximum is None or number <= kind.maximum)
        and (kind.exclusive_minimum is None or number > kind.exclusive_minimum)
        and (kind.exclusive_maximum is None or number < kind.exclusive_maximum)
    )


def _number(number: float | Decimal) -> int | float:
    return int(number) if number == int(number) else float(number)

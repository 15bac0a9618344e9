"""A resource as a `$jsonSchema` validator: what keeps other writers of its collection to the catalog's types.

The planner has checked what clients give, patterns included; the validator says types, nulls, enumerations, bounds and
lengths. Members that the catalog does not know are allowed, and a field that may be null may be missing.
"""

from __future__ import annotations

import sys
from typing import Any

from repositories.mongo.documents import BSON, writer
from repositories.schema import Field, Kind, Resource, Type

_TYPES: dict[Kind, tuple[str, ...]] = {
    Kind.STRING: ("string",),
    Kind.UUID: ("binData",),
    Kind.DATE: ("date",),
    Kind.DATETIME: ("date",),
    Kind.INT32: ("int", "long"),
    Kind.INT64: ("int", "long"),
    Kind.DOUBLE: ("double", "int", "long", "decimal"),
    Kind.DECIMAL: ("decimal", "double", "int", "long"),
    Kind.BOOLEAN: ("bool",),
    Kind.ARRAY: ("array",),
}

#: The bounds that a kind has by nature. NaN is below every number to MongoDB, so these also keep numbers finite.
_BOUNDS: dict[Kind, tuple[Any, Any]] = {
    Kind.INT32: (-(2**31), 2**31 - 1),
    Kind.DOUBLE: (-sys.float_info.max, sys.float_info.max),
}


def validator(resource: Resource) -> BSON:
    """The validator of the resource's collection."""
    properties: BSON = {"_id": _identifier(resource)}
    required = ["_id"]
    for field in resource.fields.values():
        if field.name not in resource.primary_key:
            properties[field.name] = _field(field, required=field.required)
            required += [field.name] if field.required else []
    return {"$jsonSchema": {"bsonType": "object", "required": required, "properties": properties}}


def _identifier(resource: Resource) -> BSON:
    members = {field.name: _field(field, required=True) for field in resource.key}
    if len(members) == 1:
        return next(iter(members.values()))
    return {"bsonType": ["object"], "required": list(members), "properties": members}


def _field(field: Field, *, required: bool) -> BSON:
    schema = _type(field.type)
    if not required:
        if "bsonType" in schema:
            schema["bsonType"] = [*schema["bsonType"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    elif "bsonType" not in schema:
        schema["not"] = {"bsonType": "null"}
    return schema


def _type(kind: Type) -> BSON:
    schema: BSON = {}
    if kind.kind in _TYPES:
        schema["bsonType"] = list(_TYPES[kind.kind])
    elif kind.shape is not None:
        schema["bsonType"] = ["object"]
    if kind.enum is not None:
        schema["enum"] = [writer(kind)(value) for value in kind.enum]
    if kind.items is not None:
        schema["items"] = _type(kind.items)
    limits = {
        "minLength": kind.min_length,
        "maxLength": kind.max_length,
        "minItems": kind.min_items,
        "maxItems": kind.max_items,
    }
    schema.update({name: limit for name, limit in limits.items() if limit is not None})
    schema.update(_bounds(kind))
    return schema


def _bounds(kind: Type) -> BSON:
    """The tightest bounds, in the words of JSON Schema's draft 4, which are MongoDB's."""
    write = writer(kind)
    least, largest = _BOUNDS.get(kind.kind, (None, None))
    lower = [(bound, exclusive) for bound, exclusive in ((least, False), (kind.minimum, False)) if bound is not None]
    lower += [(kind.exclusive_minimum, True)] if kind.exclusive_minimum is not None else []
    upper = [(bound, exclusive) for bound, exclusive in ((largest, False), (kind.maximum, False)) if bound is not None]
    upper += [(kind.exclusive_maximum, True)] if kind.exclusive_maximum is not None else []
    bounds: BSON = {}
    if lower:
        bound, exclusive = max(lower)
        bounds.update({"minimum": write(bound), **({"exclusiveMinimum": True} if exclusive else {})})
    if upper:
        bound, exclusive = min(upper, key=lambda each: (each[0], not each[1]))
        bounds.update({"maximum": write(bound), **({"exclusiveMaximum": True} if exclusive else {})})
    return bounds


def is_wider(new: BSON, old: BSON) -> bool:
    """Whether every value that the property `old` takes is taken by `new`, too."""
    if "bsonType" in new and not ("bsonType" in old and set(old["bsonType"]) <= set(new["bsonType"])):
        return False
    if "enum" in new and not ("enum" in old and all(value in new["enum"] for value in old["enum"])):
        return False
    if "not" in new and "not" not in old and not ("bsonType" in old and "null" not in old["bsonType"]):
        return False
    if "items" in new and not ("items" in old and is_wider(new["items"], old["items"])):
        return False
    return all(_limit_is_wider(name, new, old) for name in _LIMITS if name in new)


#: The limits, each with the sign that makes a larger one wider.
_LIMITS = {"minLength": -1, "maxLength": 1, "minItems": -1, "maxItems": 1, "minimum": -1, "maximum": 1}


def _limit_is_wider(name: str, new: BSON, old: BSON) -> bool:
    if name not in old:
        return False
    one, other = (_comparable(schema[name]) * _LIMITS[name] for schema in (new, old))
    exclusive = f"exclusive{name[0].upper()}{name[1:]}"
    return bool(one > other or (one == other and (exclusive not in new or exclusive in old)))


def _comparable(limit: Any) -> Any:
    return limit.to_decimal() if hasattr(limit, "to_decimal") else limit

"""Generated catalogs, as resource files: every type with its limits, every kind of key, every kind of reference."""

from __future__ import annotations

from typing import Any

from tests.prove.chance import Chance

#: Names that one store or the other could stumble over.
RESOURCES = ["items", "Users", "order", "group", "a_b", "table1", "User_Roles", "x", "values", "system", "admin"]
FIELDS = [
    "name", "type", "value", "Key", "from", "user", "desc", "a_b", "count", "end", "date", "default", "id2", "length",
    "body", "path", "status", "x", "Total", "rows", "row", "all", "any", "is", "in", "eq", "asc", "data", "json",
    "null",
]  # fmt: skip
#: Fields as the file declares them.
KINDS: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "integer"},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "integer", "format": "int32"},
    {"type": "number", "format": "decimal", "precision": 12, "scale": 2},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "uuid"},
    {"type": "array", "items": {"type": "string"}},
    {"type": "array", "items": {"type": "integer"}},
    {},
    {"type": "object"},
    {"type": "number", "format": "decimal", "precision": 34, "scale": 10},
    {"type": "number", "format": "decimal", "precision": 34, "scale": 0},
    {"type": "string", "maxLength": 3},
    {"type": "string", "minLength": 1, "pattern": "^[A-Za-z]"},
    {"type": "string", "enum": ["a", "B", "", "é"]},
    {"type": "integer", "minimum": 0, "maximum": 100},
    {"type": "integer", "enum": [1, 2, 3]},
    {"type": "number", "minimum": 0},
    {"type": "number", "exclusiveMinimum": -1, "exclusiveMaximum": 1000000},
    {"type": "array", "items": {"type": "number"}},
    {"type": "array", "items": {"type": "number", "format": "decimal", "precision": 6, "scale": 3}},
    {"type": "array", "items": {"type": "boolean"}},
    {"type": "array", "items": {"type": "string", "format": "date-time"}},
    {"type": "array", "items": {"type": "string", "format": "uuid"}},
    {"type": "array", "items": {"type": "string", "format": "date"}, "maxItems": 2},
    {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string", "maxLength": 3}},
        "required": ["a"],
    },
    {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
]
DEFAULTS: dict[str, list[Any]] = {
    "string": ["", "a"],
    "integer": [1, 0],
    "number": [0.5, 0],
    "boolean": [True, False],
    "array": [[]],
    "object": [{}],
}
KEYS: list[dict[str, Any]] = [
    {"type": "integer"},
    {"type": "string"},
    {"type": "integer", "generated": "sequence", "readOnly": False},
    {"type": "string", "format": "uuid", "generated": "uuid7", "readOnly": False},
    {"type": "integer", "format": "int32"},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "date-time"},
    {"type": "number", "format": "decimal", "precision": 6, "scale": 2},
    {"type": "string", "format": "uuid"},
]
#: Kinds that may stand in a key.
_SCALAR = ("string", "integer", "boolean")
_RULES = ("restrict", "cascade", "setNull")
Draft = dict[str, Any]


def document(chance: Chance) -> dict[str, Any]:
    """A resource file of three to five resources, the later ones with references to the earlier ones."""
    resources: dict[str, Draft] = {}
    for name in chance.some(RESOURCES, 3, 4):
        resources[name] = _resource(chance, resources, name)
    ends = [name for name, draft in resources.items() if isinstance(draft["primaryKey"], str)]
    if len(ends) >= 2:
        resources["links"] = _junction(chance, *chance.some(ends, 2, 2))
    return {"resources": resources}


def _resource(chance: Chance, others: dict[str, Draft], name: str) -> Draft:
    draft: Draft = {"primaryKey": "id", "properties": {}, "required": [], "unique": [], "references": []}
    properties = draft["properties"]
    names = [each for each in FIELDS if each not in others]
    if chance.one_in(3):
        draft["primaryKey"] = ["id", "part"]
        kinds = [dict(kind) for kind in KEYS if "generated" not in kind]
        properties.update(id=chance.pick(kinds), part=chance.pick(kinds))
    else:
        properties["id"] = dict(chance.pick(KEYS))
    for field in chance.some(names, 3, 7):
        properties[field] = _field(chance, draft, field)
    if chance.one_in(3):
        properties["made"] = {"type": "string", "format": "date-time", "generated": "now"}
    plain = [field for field, kind in properties.items() if kind.get("type") in _SCALAR and field != "id"]
    if len(plain) >= 2 and chance.one_in(3):
        draft["unique"] = [chance.some(plain, 2, 2)]
    _add_references(chance, draft, others, name)
    return {key: value for key, value in draft.items() if value != []}


def _field(chance: Chance, draft: Draft, name: str) -> dict[str, Any]:
    field = dict(chance.pick(KINDS))
    kind = field.get("type")
    limited = field.keys() - {"type", "format", "precision", "scale"}
    if chance.one_in(4) and not limited and kind in DEFAULTS and "format" not in field:
        field["default"] = chance.pick(DEFAULTS[kind])
    if chance.one_in(4):
        draft["required"].append(name)
    if chance.one_in(5) and kind in _SCALAR and kind != "boolean":
        field["unique"] = True
    return field


def _add_references(chance: Chance, draft: Draft, others: dict[str, Draft], name: str) -> None:
    """To earlier resources or to itself: by the primary key, which may be composite, or by a unique field."""
    properties = draft["properties"]
    for number, target in enumerate(chance.some([*others, name], 0 if not others else 1, 2)):
        other = others.get(target, draft)
        rule = chance.pick(_RULES)
        relation = f"{target}_{number}"
        if isinstance(other["primaryKey"], list):
            if target == name:
                continue
            fields = [f"r{number}_{part}" for part in other["primaryKey"]]
            for field, part in zip(fields, other["primaryKey"], strict=True):
                properties[field] = dict(other["properties"][part])
            draft["references"].append({"fields": fields, "resource": target, "name": relation, "onDelete": rule})
            continue
        pointer: dict[str, Any] = {"resource": target, "onDelete": rule}
        uniques = [field for field, kind in other["properties"].items() if kind.get("unique") and field != "id"]
        if uniques and chance.one_in(3):
            pointer["field"] = chance.pick(uniques)
        field = f"ref{number}_id"
        properties[field] = {"references": pointer}
        if chance.one_in(6):
            properties[field]["unique"] = True
        elif rule != "setNull" and target != name and chance.one_in(6):
            draft["required"].append(field)


def _junction(chance: Chance, one: str, other: str) -> Draft:
    properties: dict[str, Any] = {
        "one_id": {"references": {"resource": one, "onDelete": "cascade"}},
        "other_id": {"references": {"resource": other, "onDelete": chance.pick(["cascade", "restrict"])}},
        "weight": {"type": "integer", "format": "int32"},
    }
    key = ["one_id", "other_id"]
    if chance.one_in(3):
        properties["day"] = {"type": "string", "format": "date"}
        key.append("day")
    return {"primaryKey": key, "properties": properties}

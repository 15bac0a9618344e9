"""Data → document models, and Pydantic's errors → problems in the file's own terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.catalog.document import (
    TAGGED,
    Document,
    FieldReference,
    ResourceModel,
    ResourceReference,
)
from service.catalog.problems import Path, suggestion
from service.catalog.source import Source
from service.catalog.type_models import TYPES

_Explained = tuple[str, str]


def validate(source: Source) -> Document | None:
    """The document, without the resources that are malformed; None when nothing is left.

    Each fault is noted in `source`. What is well-formed can then be judged all the same, so that one run names all
    that is wrong.
    """
    if not isinstance(source.data, dict):
        source.add((), "the file must be a mapping", "begin it with `resources:`")
        return None
    try:
        return Document.model_validate(source.data)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    for fault in faults:
        _note(source, fault)
    broken = {fault["loc"][1] for fault in faults if fault["loc"][:1] == ("resources",) and len(fault["loc"]) > 1}
    resources = source.data.get("resources")
    if not isinstance(resources, dict) or not resources.keys() - broken:
        return None
    sound = {name: resource for name, resource in resources.items() if name not in broken}
    try:
        return Document.model_validate({"resources": sound})
    except ValidationError:
        return None


def _note(source: Source, fault: ErrorDetails) -> None:
    path, model = _place(source.data, fault["loc"])
    kind = fault["type"]
    if kind == "missing":
        key = str(fault["loc"][-1])
        source.add(path, f"the key `{key}` is missing", _MISSING.get(key, f"add `{key}: …`"), key=True)
    elif kind == "extra_forbidden":
        source.add(path, *_unknown_key(str(path[-1]), model), key=True)
    elif kind.startswith("union_tag"):
        _note_type(source, path, fault["input"])
    else:
        explain = _EXPLANATIONS.get(kind)
        context = fault.get("ctx", {})
        message, hint = explain(context, fault["input"]) if explain else (fault["msg"], "see the documentation")
        source.add(path, message, hint)


def _place(data: Any, location: Path) -> tuple[Path, type[BaseModel]]:
    """Where in the data an error stands (Pydantic also names the union's member), and the model it stands in."""
    path: Path = ()
    model: type[BaseModel] = Document
    for step in location:
        inside = step in data if isinstance(data, Mapping) else isinstance(data, list) and isinstance(step, int)
        if inside:
            path, data = (*path, step), data[step]
            model = _model_at(path) or model
        elif step in TAGGED:
            model = TAGGED[str(step)]
    return path, model


def _model_at(path: Path) -> type[BaseModel] | None:
    match path:
        case ("resources", _):
            return ResourceModel
        case ("resources", _, "references", _):
            return ResourceReference
        case ("resources", _, "properties", _, "references"):
            return FieldReference
    return None


def _unknown_key(key: str, model: type[BaseModel]) -> _Explained:
    own = _keywords(model)
    if model.__name__ in TAGGED:
        owners = [
            other for other in TAGGED.values() if key in _keywords(other) and _is_field(other) == _is_field(model)
        ]
        if owners and "type" in own:
            return f"the key does not go with this `type`, but with {_kinds(owners)}", "remove it, or change the `type`"
        if owners:
            return f"the key goes with {_kinds(owners)}", "give the field that `type`, or remove the key"
        if any(key in _keywords(other) for other in TAGGED.values()):
            return "the key is for fields of a resource", "remove it: items and parts of an object have types only"
    return "the key is not known", suggestion(key, sorted(own))


def _keywords(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _is_field(model: type[BaseModel]) -> bool:
    return model.__name__.endswith("Field")


def _kinds(models: list[type[BaseModel]]) -> str:
    names = [model.__name__.removesuffix("Field").removesuffix("Type").lower() for model in models]
    return " or ".join(f"`type: {name}`" for name in names if name in TYPES) or "references"


def _note_type(source: Source, path: Path, value: Any) -> None:
    """A property, or an array's items, without a usable type."""
    if not isinstance(value, dict):
        hint = "write `{type: string}` or another type, or `{}` for JSON of any shape"
        source.add(path, f"must be a mapping, not {_shown(value)}", hint)
    elif path[-1] == "items":
        scalars = ", ".join(f"`{kind}`" for kind in TYPES[:4])
        message = "an array's items must be scalars, each of a type"
        source.add((*path, "type"), message, f"give them one of the types {scalars}")
    else:
        kind = value["type"]
        hint = _type_hint(kind) if isinstance(kind, str) else f"write one of {', '.join(TYPES)}"
        source.add((*path, "type"), "has no value" if kind is None else f"{_shown(kind)} is not a type", hint)


def _type_hint(name: str) -> str:
    if name in {"json", "any"}:
        return "leave `type` out for JSON of any shape"
    return f"write `{_OTHER_NAMES[name]}`" if name in _OTHER_NAMES else suggestion(name, TYPES)


_OTHER_NAMES = {
    **dict.fromkeys(("text", "varchar", "char"), "type: string"),
    **{name: f"type: string, format: {name}" for name in ("uuid", "date", "date-time")},
    **dict.fromkeys(("timestamp", "datetime", "timestamptz"), "type: string, format: date-time"),
    **dict.fromkeys(("int", "bigint", "int64", "serial", "long"), "type: integer"),
    **dict.fromkeys(("int32", "smallint"), "type: integer, format: int32"),
    **dict.fromkeys(("decimal", "numeric", "money"), "type: number, format: decimal, precision: 12, scale: 2"),
    **dict.fromkeys(("float", "double", "real"), "type: number"),
    "bool": "type: boolean",
    "list": "type: array, items: {type: string}",
    **dict.fromkeys(("dict", "map", "jsonb"), "type: object"),
}
_MISSING = {
    "resources": "begin the file with `resources:`",
    "primaryKey": "add `primaryKey: id`, or a list of fields",
    "properties": "add `properties:` with at least one field",
    "items": "add `items: {type: string}`, or another scalar type",
    "resource": "name the resource that is pointed at",
    "fields": "list the fields that point: `fields: [a, b]`",
}


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case str():
            return f'the text "{value[:40]}"'
        case dict():
            return "a mapping"
        case list():
            return "a list"
    return f"`{value}`"


def _must_be(what: str, hint: str) -> Callable[[Any, Any], _Explained]:
    return lambda _, value: (f"must be {what}, not {_shown(value)}", hint)


def _text(_: Any, value: Any) -> _Explained:
    hint = f'put it in quotes: "{str(value).lower()}"' if not isinstance(value, dict | list | None) else "write text"
    return f"must be text, not {_shown(value)}", hint


def _whole(_: Any, value: Any) -> _Explained:
    return f"must be a whole number, not {_shown(value)}", "take the quotes away" if _numeric(value) else "write digits"


def _list(_: Any, value: Any) -> _Explained:
    return f"must be a list, not {_shown(value)}", f"write `[{value}]`" if isinstance(value, str) else "write `[…]`"


def _choice(context: Mapping[str, Any], value: Any) -> _Explained:
    expected = str(context["expected"]).replace("'", "`")
    known = [word.strip("`") for word in expected.replace(" or ", ", ").split(", ")]
    hint = suggestion(value, known) if isinstance(value, str) else "write one of them"
    return f"must be {expected}, not {_shown(value)}", hint


def _numeric(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lstrip("+-").isdecimal()


_EXPLANATIONS: dict[str, Callable[[Any, Any], _Explained]] = {
    "no_value": lambda *_: ("has no value", "give it one, or remove the key"),
    "string_type": _text,
    "int_type": _whole,
    "list_type": _list,
    "bool_type": _must_be("true or false", "write `true` or `false`, without quotes"),
    "dict_type": _must_be("a mapping", "write `name: …` on lines of their own, indented"),
    "model_type": _must_be("a mapping", "write `key: value` on lines of their own, indented"),
    "is_instance_of": _must_be("a number", "write digits, without quotes"),
    "decimal_type": _must_be("a number", "write digits, without quotes"),
    "literal_error": _choice,
    "greater_than_equal": lambda context, value: (
        f"must be {context['ge']} or more, not {_shown(value)}",
        "raise it",
    ),
    "less_than_equal": lambda context, value: (f"must be {context['le']} at the most, not {_shown(value)}", "lower it"),
    "too_short": lambda *_: ("must not be empty", "add an entry, or remove the key"),
    "too_long": lambda context, value: (
        f"has {len(value)} entries, and {context['max_length']} is the most",
        "take some away",
    ),
}

"""The properties of a resource → `repositories.schema.Field`: their types, defaults and who fills them."""

from __future__ import annotations

from typing import Any

from repositories.schema import MISSING, Field, Generated, Type
from service.catalog import document
from service.catalog.problems import Path
from service.catalog.source import Source
from service.catalog.types import note_examples, note_value, type_of

#: The formats of text that can be generated; a sequence goes with any integer.
_FORMATS = {Generated.UUID7: "uuid", Generated.NOW: "date-time"}


class FieldTypes:
    """The types of all fields of all resources; a reference without a type has that of the field it points at."""

    def __init__(self, resources: dict[str, document.ResourceModel], source: Source) -> None:
        self._resources = resources
        self._source = source
        self._types: dict[tuple[str, str], Type | None] = {}
        self._open: list[tuple[str, str]] = []

    def __call__(self, resource: str, name: str) -> Type | None:
        """The field's type; None where it cannot be told, which is noted (here, or where the reference is judged)."""
        place = resource, name
        if place in self._open:
            way = " → ".join(".".join(step) for step in (*self._open[self._open.index(place) :], place))
            message = f"no type can be found: the references go in a circle ({way})"
            self._source.add(field_path(resource, name), message, "give one of these fields a `type`", key=True)
            return None
        if place not in self._types:
            self._open.append(place)
            self._types[place] = self._resolve(resource, name)
            self._open.pop()
        return self._types[place]

    def _resolve(self, resource: str, name: str) -> Type | None:
        model = self._resources[resource].properties[name]
        if not isinstance(model, document.ReferenceField):
            return type_of(model, field_path(resource, name), self._source)
        target = self._resources.get(model.references.resource)
        if target is None:
            return None
        key = model.references.field or (target.primary_key[0] if len(target.primary_key) == 1 else "")
        return self(model.references.resource, key) if key in target.properties else None


def field_path(resource: str, name: str) -> Path:
    """Where the field stands in the file."""
    return "resources", resource, "properties", name


def field_of(name: str, model: document.FieldModel, kind: Type, path: Path, source: Source, *, required: bool) -> Field:
    """The field that `model` declares; what is wrong with it is noted."""
    generated = _generated(model, path, source)
    default: Any = MISSING
    if "default" in model.model_fields_set:
        default = _default(model, kind, path, source, required=required, generated=generated)
    read_only = generated is not None if model.read_only is None else model.read_only
    if read_only and required and generated is None and default is MISSING:
        hint = "add a `default` or `generated`, or remove `readOnly`"
        source.add((*path, "readOnly"), "nobody could fill this required field", hint)
    note_examples(model, kind, path, source)
    return Field(
        name=name,
        type=kind,
        required=required,
        default=default,
        generated=generated,
        read_only=read_only,
        description=model.description or model.title or "",
    )


def _generated(model: document.FieldModel, path: Path, source: Source) -> Generated | None:
    if not isinstance(model, document.StringField | document.IntegerField) or model.generated is None:
        return None
    generated = Generated(model.generated)
    place = (*path, "generated")
    if model.format != (fitting := _FORMATS.get(generated, model.format)):
        source.add(place, f"`{generated}` goes with `format: {fitting}` only", f"write `format: {fitting}`")
    if model.references is not None:
        source.add(place, "a reference holds the key of a record that exists", "remove `generated` or `references`")
    return generated


def _default(
    model: document.FieldModel, kind: Type, path: Path, source: Source, *, required: bool, generated: Generated | None
) -> Any:
    place = (*path, "default")
    if generated is not None:
        source.add(place, "a generated field has no default", "remove `default` or `generated`", key=True)
        return MISSING
    if model.default is None:
        if required:
            source.add(place, "null cannot be the default of a required field", "give another one, or none")
        return None
    return note_value(kind, model.default, place, source)

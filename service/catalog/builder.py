"""The document → `repositories.schema.Catalog`: everything about its meaning is judged here."""

from __future__ import annotations

from repositories.schema import Catalog, Field, Index, Kind, Resource, Unique
from service.catalog import document
from service.catalog.draft import Draft, resolved_names
from service.catalog.fields import FieldTypes, field_of, field_path
from service.catalog.names import ConstraintNames
from service.catalog.problems import Path
from service.catalog.relations import References
from service.catalog.source import Source

#: MongoDB has room for 64 indexes in a collection; references and the primary key need some of them.
MAX_INDEXES = 60
_NO_KEY = frozenset({Kind.DOUBLE, Kind.ARRAY, Kind.JSON})


def build(model: document.Document, source: Source) -> Catalog:
    """The catalog that the document declares. Raises `CatalogError` with all that was noted, here and before."""
    names = ConstraintNames(model.resources)
    types = FieldTypes(model.resources, source)
    drafts = {name: _draft(name, resource, types, source, names) for name, resource in model.resources.items()}
    references = References(drafts, source, names)
    resources = {}
    for draft in drafts.values():
        fields = _fields(draft, source)
        resources[draft.name] = Resource(
            name=draft.name,
            fields=fields,
            primary_key=draft.key,
            references=references.of(draft),
            uniques=draft.uniques,
            indexes=draft.indexes,
            description=draft.model.description or draft.model.title or "",
        )
        _check_room(resources[draft.name], draft, source)
    source.raise_problems()
    return Catalog(resources)


def _draft(
    name: str, model: document.ResourceModel, types: FieldTypes, source: Source, names: ConstraintNames
) -> Draft:
    draft = Draft(name, model, {field: types(name, field) for field in model.properties})
    path = draft.path
    draft.key = (
        resolved_names(model.primary_key, (*path, "primaryKey"), draft, source, what="a key", refused=_NO_KEY) or ()
    )
    resolved_names(model.required, (*path, "required"), draft, source, what="`required`", refused=frozenset())
    counted = (field for field, declared in model.properties.items() if _is_counted(declared))
    draft.required = frozenset((*model.required, *model.primary_key, *counted))
    draft.uniques = _uniques(draft, source, names)
    draft.indexes = _indexes(draft, source, names)
    return draft


def _is_counted(field: document.FieldModel) -> bool:
    """A sequence fills the field, so that null has no meaning there."""
    return isinstance(field, document.IntegerField) and field.generated is not None


def _uniques(draft: Draft, source: Source, names: ConstraintNames) -> tuple[Unique, ...]:
    """Those of single fields first, then the resource's own sets."""
    declared: list[tuple[Path, list[str]]] = []
    for name, model in draft.model.properties.items():
        if getattr(model, "unique", False):
            declared.append(((*field_path(draft.name, name), "unique"), [name]))
    declared.extend(((*draft.path, "unique", index), fields) for index, fields in enumerate(draft.model.unique))
    found: dict[frozenset[str], Unique] = {}
    for place, given in declared:
        resolved = resolved_names(given, place, draft, source, what="a unique set")
        if resolved is None:
            continue
        if frozenset(resolved) == frozenset(draft.key):
            source.add(place, "the primary key is unique already", "remove this")
        elif frozenset(resolved) in found:
            source.add(place, "these fields are a unique set already", "remove one of them")
        else:
            found[frozenset(resolved)] = Unique(names.take(draft.name, resolved, "key"), resolved)
    return tuple(found.values())


def _indexes(draft: Draft, source: Source, names: ConstraintNames) -> tuple[Index, ...]:
    present = {
        tuple((name, False) for name in key) for key in (draft.key, *(unique.fields for unique in draft.uniques))
    }
    found: list[Index] = []
    for position, keys in enumerate(draft.model.indexes):
        place = (*draft.path, "indexes", position)
        fields = resolved_names([key.removeprefix("-") for key in keys], place, draft, source, what="an index")
        if fields is None:
            continue
        directions = tuple((name, key.startswith("-")) for name, key in zip(fields, keys, strict=True))
        if directions in present:
            source.add(place, "there is such an index already", "remove it: keys and unique sets have theirs")
            continue
        present.add(directions)
        found.append(Index(names.take(draft.name, fields, "idx"), directions))
    return tuple(found)


def _fields(draft: Draft, source: Source) -> dict[str, Field]:
    fields = {}
    sequence = ""
    for name, model in draft.model.properties.items():
        kind, path = draft.types[name], field_path(draft.name, name)
        if kind is None:
            continue
        fields[name] = field_of(name, model, kind, path, source, required=name in draft.required)
        if isinstance(model, document.IntegerField) and model.generated:
            if sequence:
                message = f"`{sequence}` is a sequence, and a resource can have one"
                source.add((*path, "generated"), message, "remove `generated` from one of them")
            sequence = sequence or name
    return fields


def _check_room(resource: Resource, draft: Draft, source: Source) -> None:
    count = len(resource.uniques) + len(resource.indexes) + len(resource.references)
    if count > MAX_INDEXES:
        message = f"has {count} unique sets, indexes and references, and {MAX_INDEXES} is the most"
        source.add(draft.path, message, "remove indexes", key=True)

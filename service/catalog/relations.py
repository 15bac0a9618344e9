"""The references of the file → `repositories.schema.Reference`: targets, types and names of relations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from repositories.schema import Kind, OnDelete, Reference, Type
from service.catalog import document
from service.catalog.draft import Draft, resolved_names
from service.catalog.names import ConstraintNames, name_fault
from service.catalog.problems import Path, suggestion
from service.catalog.source import Source
from service.catalog.types import described


@dataclass(frozen=True, slots=True)
class _Declared:
    """A reference as the file has it, of one field or of several. No target fields: the target's primary key."""

    path: Path
    fields: tuple[str, ...]
    resource: str
    target_fields: tuple[str, ...]
    target_path: Path
    name: str
    on_delete: OnDelete


class References:
    """Resolves the references of one resource after the other, against the drafts of all of them."""

    def __init__(self, drafts: dict[str, Draft], source: Source, names: ConstraintNames) -> None:
        self._drafts = drafts
        self._source = source
        self._names = names

    def of(self, draft: Draft) -> tuple[Reference, ...]:
        """The references of a resource, in the order of the file; what is wrong with them is noted."""
        found: list[Reference] = []
        taken = {name.casefold(): f"the field `{name}`" for name in draft.model.properties}
        for declared in self._declared(draft):
            reference = self._reference(draft, declared)
            if reference is None:
                continue
            self._check_relation(reference.name, taken, declared.path)
            ends = reference.fields, reference.target, reference.target_fields
            if ends in [(other.fields, other.target, other.target_fields) for other in found]:
                self._source.add(declared.path, "the reference is declared twice", "remove one of them")
            found.append(reference)
        return tuple(found)

    def _declared(self, draft: Draft) -> Iterator[_Declared]:
        for name, model in draft.model.properties.items():
            reference = getattr(model, "references", None)
            if isinstance(reference, document.FieldReference):
                path = (*draft.path, "properties", name, "references")
                yield _Declared(
                    path=path,
                    fields=(name,),
                    resource=reference.resource,
                    target_fields=(reference.field,) if reference.field else (),
                    target_path=(*path, "field"),
                    name=reference.name or _relation_name(name, reference.resource),
                    on_delete=OnDelete(reference.on_delete),
                )
        for index, composite in enumerate(draft.model.references):
            path = (*draft.path, "references", index)
            fields = resolved_names(composite.fields, (*path, "fields"), draft, self._source, what="a reference")
            if fields is not None:
                yield _Declared(
                    path=path,
                    fields=fields,
                    resource=composite.resource,
                    target_fields=tuple(composite.target_fields or ()),
                    target_path=(*path, "targetFields"),
                    name=composite.name or composite.resource,
                    on_delete=OnDelete(composite.on_delete),
                )

    def _reference(self, draft: Draft, declared: _Declared) -> Reference | None:
        known = self._source.data["resources"]
        if declared.resource not in known:
            message = f"there is no resource `{declared.resource}`"
            self._source.add((*declared.path, "resource"), message, suggestion(declared.resource, known))
            return None
        target = self._drafts.get(declared.resource)
        pairs = None if target is None else self._pairs(declared, target)
        if target is None or pairs is None:
            return None
        fields = tuple(pair[0] for pair in pairs)
        for name, other in pairs:
            self._check_types(draft, name, target, other, declared.path)
        if declared.on_delete is OnDelete.SET_NULL:
            self._check_nullable(draft, fields, declared.path)
        return Reference(
            name=declared.name,
            constraint=self._names.take(draft.name, fields, "fkey"),
            fields=fields,
            target=target.name,
            target_fields=tuple(pair[1] for pair in pairs),
            on_delete=declared.on_delete,
        )

    def _pairs(self, declared: _Declared, target: Draft) -> list[tuple[str, str]] | None:
        """Each pointing field with the field it points at, in the order of the target's key; or None."""
        wanted = declared.target_fields or target.key
        if target.key == () or not self._all_known(wanted, declared, target):
            return None
        if len(wanted) != len(declared.fields):
            keys, count = " and ".join(f"`{name}`" for name in wanted), len(declared.fields)
            hint = "list as many `fields`, or name a unique set as `targetFields`"
            if "properties" in declared.path:
                hint = "write the reference at the resource: `references: [{fields: [a, b], resource: …}]`"
            message = f"records of `{target.name}` are told by {keys}, not by {count} field{'s' * (count > 1)}"
            self._source.add(declared.path, message, hint)
            return None
        pairs = dict(zip(wanted, declared.fields, strict=True))
        for key in (target.key, *(unique.fields for unique in target.uniques)):
            if set(key) == set(wanted) and len(key) == len(wanted):
                return [(pairs[name], name) for name in key]
        message = f"{' and '.join(f'`{name}`' for name in wanted)} may occur twice in `{target.name}`"
        self._source.add(declared.target_path, message, "point at the primary key or a unique set, or declare one")
        return None

    def _all_known(self, wanted: tuple[str, ...], declared: _Declared, target: Draft) -> bool:
        unknown = [name for name in wanted if name not in target.model.properties]
        for name in unknown:
            message = f"`{target.name}` has no field `{name}`"
            self._source.add(declared.target_path, message, suggestion(name, target.model.properties))
        return not unknown

    def _check_types(self, draft: Draft, name: str, target: Draft, other: str, path: Path) -> None:
        here, there = draft.types[name], target.types[other]
        if here is None or there is None or _alike(here, there):
            return
        message = f"`{name}` is {described(here)}, but `{target.name}.{other}` is {described(there)}"
        self._source.add(path, message, f"give `{name}` the same type, as for `{target.name}.{other}`")

    def _check_nullable(self, draft: Draft, fields: tuple[str, ...], path: Path) -> None:
        for name in fields:
            if name in draft.required:
                message = f"`onDelete: setNull` cannot be, since `{name}` is required"
                hint = "choose `restrict` or `cascade`, or let the field be null"
                self._source.add((*path, "onDelete"), message, hint)

    def _check_relation(self, name: str, taken: dict[str, str], path: Path) -> None:
        """Relations and fields of a resource share one space of names, since both may stand in `select`."""
        message, hint = name_fault(name)
        if message:
            self._source.add((*path, "name"), message, hint)
        elif name.casefold() in taken:
            message = f"the relation's name `{name}` is taken by {taken[name.casefold()]}"
            self._source.add((*path, "name"), message, "give the relation another `name`")
        else:
            taken[name.casefold()] = "another relation"


def _alike(one: Type, other: Type) -> bool:
    same_digits = (one.precision, one.scale) == (other.precision, other.scale)
    return one.kind is other.kind and (one.kind is not Kind.DECIMAL or same_digits)


def _relation_name(field: str, target: str) -> str:
    for suffix in ("_id", "Id"):
        if field.endswith(suffix) and field != suffix:
            return field.removesuffix(suffix)
    return target

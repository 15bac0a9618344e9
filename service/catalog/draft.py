"""A resource while its catalog is being made, and how the names of fields in it are looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from repositories.schema import Index, Kind, Type, Unique
from service.catalog import document
from service.catalog.problems import Path, suggestion
from service.catalog.source import Source
from service.catalog.types import described

_NOT_SCALAR = frozenset({Kind.ARRAY, Kind.JSON})


@dataclass
class Draft:
    """A resource of the file and what has been made of it so far. A type is None where it could not be told."""

    name: str
    model: document.ResourceModel
    types: dict[str, Type | None]
    key: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    uniques: tuple[Unique, ...] = ()
    indexes: tuple[Index, ...] = ()

    @property
    def path(self) -> Path:
        """Where the resource stands in the file."""
        return "resources", self.name


def resolved_names(
    names: Sequence[str],
    path: Path,
    draft: Draft,
    source: Source,
    *,
    what: str,
    refused: frozenset[Kind] = _NOT_SCALAR,
) -> tuple[str, ...] | None:
    """The names, if each is a field of the resource, stands there once, and has a type that `what` may have."""
    sound = True
    for index, name in enumerate(names):
        message = hint = ""
        if name not in draft.model.properties:
            message, hint = f"there is no field `{name}`", suggestion(name, draft.model.properties)
        elif name in names[:index]:
            message, hint = f"`{name}` stands here twice", "remove one of them"
        elif (kind := draft.types[name]) is not None and kind.kind in refused:
            message, hint = (
                f"`{name}` is of the type {described(kind)}, which {what} cannot have",
                "choose other fields",
            )
        if message:
            source.add((*path, index), message, hint)
            sound = False
    return tuple(names) if sound else None

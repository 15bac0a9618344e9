"""A catalog of objects whose properties are declared."""

from __future__ import annotations

from repositories.schema import Catalog, Field, Kind, Resource, Shape, Type

_ADDRESS = Shape(
    (("city", Type(Kind.STRING, max_length=10)), ("zip", Type(Kind.STRING, pattern="^[0-9]{5}$"))),
    required=frozenset({"city"}),
    additional=False,
)
_FIELDS = (
    Field("id", Type(Kind.INT64), required=True),
    Field("name", Type(Kind.STRING)),
    Field("address", Type(Kind.JSON, shape=_ADDRESS)),
    Field("extra", Type(Kind.JSON, shape=Shape())),
    Field("free", Type(Kind.JSON)),
    Field("needed", Type(Kind.JSON), required=True, default={}),
)


def shapes() -> Catalog:
    """A new catalog."""
    return Catalog({"people": Resource("people", {field.name: field for field in _FIELDS}, ("id",))})

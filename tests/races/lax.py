"""The shop with its rules left out: no unique sets, references or sequences, so that whoever writes has to look."""

from __future__ import annotations

from dataclasses import replace

from repositories.schema import Catalog
from tests import catalogs


def lax_shop() -> Catalog:
    """A new catalog of the shop's records without the shop's rules, but for the primary keys."""
    return Catalog(
        {
            resource.name: replace(
                resource,
                fields={name: replace(field, generated=None) for name, field in resource.fields.items()},
                uniques=(),
                references=(),
            )
            for resource in catalogs.shop()
        }
    )

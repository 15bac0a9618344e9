"""Which names resources and fields may have, and the names that keys, references and indexes get in the stores."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from repositories.schema import MAX_NAME, constraint_name
from service.catalog.problems import Path
from service.catalog.source import Source

#: A name begins with a letter: names that begin with `_` are the service's own (`_batch`, `_id`).
NAME = rf"^[A-Za-z][A-Za-z0-9_]{{0,{MAX_NAME - 1}}}$"
#: Words of the URL language: `?order=…` could not tell a field from the order.
RESERVED_FIELDS = frozenset(
    {"select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not"},
)
#: Columns that every PostgreSQL table has already.
SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})


def check_names(source: Source) -> None:
    """Note every resource or field whose name cannot be, in the data as it came."""
    resources = source.data.get("resources") if isinstance(source.data, dict) else None
    if not isinstance(resources, dict):
        return
    _check(source, ("resources",), resources, "resource")
    for name in resources:
        if name.endswith("_pkey") and name.removesuffix("_pkey") in resources:
            owner = name.removesuffix("_pkey")
            message = f"the name is that of the primary key's index of `{owner}` in PostgreSQL"
            source.add(("resources", name), message, "choose another name", key=True)
        properties = resources[name].get("properties") if isinstance(resources[name], dict) else None
        if isinstance(properties, dict):
            _check(source, ("resources", name, "properties"), properties, "field")


def _check(source: Source, parent: Path, names: Iterable[Any], what: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        message, hint = _fault(name, what)
        if not message and (other := seen.setdefault(name.casefold(), name)) != name:
            message, hint = f"differs from `{other}` only by case", "choose names that are read as different"
        if message:
            source.add((*parent, name), message, hint, key=True)


def name_fault(name: str) -> tuple[str, str]:
    """What is wrong with a name, of whatever it may be, and the way out; empty if it is sound."""
    if name.startswith("_"):
        return "a name must not begin with `_`", "begin it with a letter: such names are kept for the service itself"
    if len(name) > MAX_NAME:
        return f"the name has more than {MAX_NAME} characters", "shorten it: PostgreSQL cuts longer names"
    if not re.fullmatch(NAME, name):
        return f"`{name}` is not a name", "use letters A-Z, a-z, digits and `_`, beginning with a letter"
    return "", ""


def _fault(name: str, what: str) -> tuple[str, str]:
    fault = name_fault(name)
    if what == "field" and name in RESERVED_FIELDS:
        return "is a word of the URL language", f"choose another name, such as `{name}_value`"
    if what == "field" and name in SYSTEM_COLUMNS:
        return "is a column that every PostgreSQL table has already", f"choose another name, such as `{name}_value`"
    return fault


class ConstraintNames:
    """Gives out the stores' names for constraints and indexes, each once, as PostgreSQL keeps them in one space."""

    def __init__(self, resources: Iterable[str]) -> None:
        names = tuple(resources)
        self._taken = {*names, *(constraint_name(name, (), "pkey") for name in names)}

    def take(self, resource: str, fields: tuple[str, ...], suffix: str) -> str:
        """A name in PostgreSQL's own manner (`products_sku_key`, and `products_sku_key1` if that is taken)."""
        name, number = constraint_name(resource, fields, suffix), 0
        while name in self._taken:
            number += 1
            name = constraint_name(resource, fields, f"{suffix}{number}")
        self._taken.add(name)
        return name

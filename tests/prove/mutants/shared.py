"""Mistakes in what all builds share, each in the build over one store; and parts of mistakes in both backends."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from repositories import texts
from repositories.base import representation_tag
from repositories.query import Column, Sort
from repositories.schema import Kind, Type
from service import batches, merging
from service.execution import Affected
from service.idempotency import _Keeper
from service.representation import items
from tests.prove.mutants.planting import Mutant
from tests.prove.worlds import MONGODB, POSTGRES

_read_instant = texts._READERS[Kind.DATETIME]


def _reading(further: Callable[[str], timedelta]) -> Any:
    """Instants with something added for the digits that follow the milliseconds."""

    def read(kind: Type, text: str) -> datetime:
        value: datetime = _read_instant(kind, text)
        digits = re.search(r"\.[0-9]{3}([0-9]{1,3})", text)
        return value + further(digits[1].ljust(3, "0")) if digits else value

    return patch.dict(texts._READERS, {Kind.DATETIME: read})


def fold_ascii(character: str) -> str:
    """The variants of letters without accents."""
    return "".join(sorted({character.lower(), character.upper()})) if character.isascii() else character


def without_tie_break(order: Sequence[Sort]) -> list[Sort]:
    """The keys up to the primary key's, if there are others."""
    return [key for key in order if not _is_of_the_end(key)] or list(order)


def _is_of_the_end(key: Sort) -> bool:
    column = key.expression
    return isinstance(column, Column) and not column.path and column.field.name in ("id", "part", "one_id", "other_id")


def _carry_out_one_by_one(repository: Any, work: Callable[[Any], Any], **_: Any) -> Any:
    return work(repository)


def _merge_with_null(target: Any, changes: dict[str, Any]) -> dict[str, Any]:
    return {**(target if isinstance(target, dict) else {}), **changes}


MUTANTS = (
    Mutant(
        "microseconds are kept",
        POSTGRES,
        (_reading(lambda digits: timedelta(microseconds=int(digits))),),
        "instants",
        writes=True,
    ),
    Mutant(
        "instants are rounded to milliseconds",
        MONGODB,
        (_reading(lambda digits: timedelta(milliseconds=digits >= "500")),),
        "instants",
        writes=True,
    ),
    Mutant(
        "a record's tag is that of another form",
        POSTGRES,
        (patch.object(items, "representation_tag", lambda body: representation_tag(body.strip(b"[]\n"))),),
        "links",
    ),
    Mutant("answers to keys are not kept", POSTGRES, (patch.object(_Keeper, "_keep", lambda *_: None),), "links", True),
    Mutant(
        "batches are no transactions",
        MONGODB,
        (patch.object(batches, "transact", _carry_out_one_by_one),),
        "links",
        True,
    ),
    Mutant(
        "a merge patch stores null", POSTGRES, (patch.object(merging, "merge_patch", _merge_with_null),), "json", True
    ),
    Mutant(
        "max-affected is checked when it is too late",
        MONGODB,
        (patch.object(Affected, "undoes_none_of", lambda *_: True),),
        "links",
        writes=True,
    ),
)

"""Keyset paging: the filters that a client makes of a page's last record lead to the rest, through nulls and ties."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from urllib.parse import quote

import pytest

from repositories.schema import Value
from tests.contract.asking import Asker
from tests.contract.conftest import Opened

#: Four values of each column, null among them, so that every tie and every place of a null occurs.
COLUMNS: dict[str, list[Value]] = {
    "small": [None, -1, 0, 7],
    "text": [None, "", "a,b", "é"],
    "real": [None, -0.5, 0.0, 1e300],
    "flag": [None, False, True, True],
    "free": [None, {"v": "x"}, {"v": 2}, {"v": True}],
}
NULLS_FIRST = {"": False, ".desc": True, ".nullsfirst": True, ".desc.nullslast": False}


@pytest.fixture(scope="module")
def samples(opened: Opened) -> Iterator[Asker]:
    with opened("lab") as asker:
        rows: list[dict[str, Value]] = []
        for number, places in enumerate(product(range(4), repeat=3)):
            first, second, third = places
            rows.append(
                {
                    "id": number,
                    "small": COLUMNS["small"][first],
                    "text": COLUMNS["text"][second],
                    "real": COLUMNS["real"][third],
                    "flag": COLUMNS["flag"][first],
                    "free": COLUMNS["free"][second],
                }
            )
        asker.fill({"samples": rows})
        yield asker


def after(keys: list[tuple[str, str]], last: list[object]) -> str:
    """The condition for all records behind the last one: greater in a key, and equal in those before it."""
    branches = []
    for place, ((column, words), value) in enumerate(zip(keys, last, strict=True)):
        behind = beyond(column, words, value)
        if behind is not None:
            same = [equal(name, known) for (name, _), known in zip(keys[:place], last, strict=False)]
            branches.append(f"and({','.join([*same, behind])})")
    return quote(f"({','.join(branches)})")


def beyond(column: str, words: str, value: object) -> str | None:
    """What comes behind the value in one key's order; nothing comes behind a null that is last."""
    nulls_first, descending = NULLS_FIRST[words], "desc" in words
    if value is None:
        return f"{column}.not.is.null" if nulls_first else None
    further = f"{column}.{'lt' if descending else 'gt'}.{written(column, value)}"
    return further if nulls_first else f"or({further},{column}.is.null)"


def equal(column: str, value: object) -> str:
    return f"{column}.is.null" if value is None else f"{column}.eq.{written(column, value)}"


def written(column: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if column == "free->v" and isinstance(value, str):
        text = f'"{text}"'
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize(
    "order",
    [
        "small",
        "small.desc",
        "text.nullsfirst",
        "real.desc.nullslast",
        "flag.desc",
        "small,text.desc",
        "text.desc.nullslast,real.nullsfirst",
        "flag,small.desc,text.nullsfirst",
        "free->v,small.desc",
        "free->v.desc,real",
    ],
)
def test_pages_by_filters_make_the_list(samples: Asker, order: str) -> None:
    names = [key.partition(".") for key in order.split(",")]
    keys = [(name, f".{words}" if words else "") for name, _, words in names] + [("id", "")]
    shown = ",".join(name if "->" not in name else f"v:{name}" for name, _ in keys)
    text = f"samples?select={shown}&order={order},id"
    everything = samples.ask(text)
    assert len(everything) == 64
    found = page = samples.quick(f"{text}&limit=5")
    while page:
        last = list(page[-1].values())
        page = samples.quick(f"{text}&limit=5&or={after(keys, last)}")
        found = found + page
    assert found == everything


@pytest.mark.parametrize("order", ["", "small", "text.desc,real", "flag.nullsfirst,free->v.desc"])
def test_pages_by_offset_make_the_list(samples: Asker, order: str) -> None:
    text = "samples?select=id" + (f"&order={order}" if order else "")
    everything = [record["id"] for record in samples.ask(text)]
    assert sorted(everything) == list(range(64))
    pages = [samples.values(f"{text}&limit=7&offset={at}") for at in range(0, 70, 7)]
    assert [number for page in pages for number in page] == everything
    assert samples.total(f"{text}&limit=7&offset=60") == 64

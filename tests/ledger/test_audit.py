"""The audit sees every way in which a ledger can be wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import pytest

from tests.ledger.audit import Findings, Tables, audit
from tests.ledger.http import Answer
from tests.ledger.operations import Author, Note, Operation, Outcome

ENTRIES = [
    {"id": 1, "operation": "0-1", "position": 0, "content": "a"},
    {"id": 2, "operation": "0-1", "position": 1, "content": "b"},
]
SOUND: Tables = {
    "accounts": [{"id": 1, "balance": -5, "version": 1}, {"id": 2, "balance": 5, "version": 1}],
    "transfers": [{"id": 1, "operation": "0-2", "payer_id": 1, "payee_id": 2, "amount": 5}],
    "journal": [
        {"id": 1, "operation": "0-2", "transfer_id": 1, "account_id": 1, "amount": -5},
        {"id": 2, "operation": "0-2", "transfer_id": 1, "account_id": 2, "amount": 5},
    ],
    "entries": ENTRIES,
    "notes": [
        {"id": "0-0", "operation": "0-3", "content": "n"},
        {"id": "0-1", "operation": "0-4", "content": "u"},
        *({"id": f"0-shelf-{index}", "operation": "", "content": ""} for index in range(6)),
    ],
}


def insert(outcome: Outcome = Outcome.DONE) -> Operation:
    answer = Answer(201, {}, json.dumps(ENTRIES).encode()) if outcome is Outcome.DONE else None
    rows = ((0, "a"), (1, "b"))
    return Operation("0-1", "entries", "POST", "", None, {}, 201, rows, outcome=outcome, answer=answer)


def transfer(outcome: Outcome = Outcome.DONE) -> Operation:
    return Operation("0-2", "transfer", "POST", "", None, {}, 200, transfer=(1, 2, 5), outcome=outcome)


def findings(tables: Tables, *operations: Operation) -> dict[str, int]:
    author = Author(0, "0")
    author.notes["0-0"] = ("0-3", "n")
    unclear: tuple[Note, Note] = (author.notes.pop("0-1"), ("0-4", "u"))
    author.unclear["0-1"] = unclear
    found: Findings = audit(tables, operations or [insert(), transfer()], [author])
    return {kind: len(lines) for kind, lines in vars(found).items() if lines}


def test_sound() -> None:
    assert findings(SOUND) == {}
    assert findings(SOUND, insert(Outcome.UNKNOWN), transfer(Outcome.UNKNOWN)) == {}
    without = SOUND | {"entries": [], "notes": [note for note in SOUND["notes"] if note["id"] != "0-1"]}
    assert findings(without, insert(Outcome.UNKNOWN), transfer()) == {}
    assert findings(without, insert(Outcome.REFUSED), transfer()) == {}


CHANGES: list[tuple[Callable[[Tables], object], dict[str, int]]] = [
    (lambda tables: tables["entries"].clear(), {"lost": 1, "wrong": 1}),
    (lambda tables: tables["entries"].pop(), {"partial": 1, "wrong": 1}),
    (lambda tables: tables["entries"][0].update(content="x"), {"partial": 1, "wrong": 1}),
    (lambda tables: tables["entries"].append(tables["entries"][0]), {"duplicated": 1, "wrong": 1}),
    (lambda tables: tables["entries"][0].update(id=7), {"wrong": 1}),
    (lambda tables: tables["entries"].append(ENTRIES[0] | {"operation": "0-9"}), {"unfounded": 1}),
    (lambda tables: tables["transfers"].clear(), {"partial": 1}),
    (lambda tables: tables["journal"].pop(), {"partial": 1, "unbalanced": 1}),
    (lambda tables: tables["journal"][0].update(transfer_id=2), {"partial": 1}),
    (lambda tables: tables["accounts"][0].update(balance=0), {"unbalanced": 2}),
    (lambda tables: tables["accounts"][0].update(version=2), {"unbalanced": 1}),
    (lambda tables: tables["notes"].pop(0), {"lost": 1}),
    (lambda tables: tables["notes"][0].update(operation="0-2"), {"lost": 1}),
    (lambda tables: tables["notes"][1].update(operation="0-2"), {"lost": 1}),
    (lambda tables: tables["notes"][-1].update(operation="0-2"), {"lost": 1, "partial": 1}),
    (lambda tables: tables["notes"].append({"id": "9", "operation": "", "content": ""}), {"unfounded": 1}),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_unsound(change: Callable[[Tables], object], expected: dict[str, int]) -> None:
    tables = copy.deepcopy(SOUND)
    change(tables)
    assert findings(tables) == expected


def test_what_was_refused_is_there() -> None:
    assert findings(SOUND, insert(Outcome.REFUSED), transfer()) == {"unfounded": 1}


def test_half_of_what_may_be_there() -> None:
    tables = copy.deepcopy(SOUND)
    tables["entries"].pop()
    assert findings(tables, insert(Outcome.UNKNOWN), transfer()) == {"partial": 1}

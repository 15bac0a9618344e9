"""What the clients do: writes of every kind, each with what it must have left in the database."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.ledger.http import Answer

ACCOUNTS = 40
SHELF = 6
NOTES = 30
API = "/api"
#: How often each kind is done.
MIX = {"entry": 24, "entries": 10, "transfer": 22, "put": 16, "patch": 14, "delete": 8, "shelf": 6}
_LETTERS = 'abcdefghij klmnop0123456789éß語😀"\\\n'
#: The state of a note: the operation that has written it last, and its content; None where there is no such note.
Note = tuple[str, str] | None


class Outcome(Enum):
    DONE = "done"
    REFUSED = "refused"
    #: The client has had no answer.
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Operation:
    """A write; `name` is its key, and is stored in whatever it writes."""

    name: str
    kind: str
    method: str
    path: str
    body: Any
    headers: dict[str, str]
    #: The answer's status, once it is done.
    status: int
    #: The rows of `entries` that it adds; the transfer that it makes (payer, payee, amount); notes as it leaves them.
    entries: tuple[tuple[int, str], ...] = ()
    transfer: tuple[int, int, int] | None = None
    notes: dict[str, Note] = field(default_factory=dict)
    outcome: Outcome = Outcome.UNKNOWN
    answer: Answer | None = None

    def refused_by(self, answer: Answer) -> bool:
        """Whether others were first; of a client's own notes, nobody else writes any."""
        return self.kind == "transfer" and (answer.status, answer.code) == (406, "PGRST116")


class Author:
    """Makes up the operations of one client, and keeps track of its notes."""

    def __init__(self, number: int, seed: str) -> None:
        self.number = number
        self.random = random.Random(f"{seed} {number}")
        self.shelf: dict[str, Note] = {f"{number}-shelf-{index}": ("", "") for index in range(SHELF)}
        self.notes: dict[str, Note] = {f"{number}-{index}": None for index in range(NOTES)}
        #: Notes of which one of two states holds, and which are left alone from then on.
        self.unclear: dict[str, tuple[Note, Note]] = {}
        self._tags: dict[str, str] = {}
        self._count = 0

    def kind(self) -> str:
        """What is to be done next."""
        there = any(note is not None for note in self.notes.values())
        weights = [weight if there or kind not in ("patch", "delete") else 0 for kind, weight in MIX.items()]
        return self.random.choices(list(MIX), weights)[0]

    def operation(self, kind: str, accounts: list[dict[str, int]] | None = None) -> Operation:
        """An operation of this kind; `accounts` are the two, as they are, of a transfer."""
        self._count += 1
        name = f"{self.number}-{self._count}"
        match kind:
            case "entry" | "entries":
                operation = self._insert(name, kind)
            case "transfer":
                assert accounts is not None
                operation = self._transfer(name, *accounts)
            case "shelf":
                operation = self._shelve(name)
            case _:
                operation = self._note(name, kind)
        operation.headers["Idempotency-Key"] = f'"{name}"'
        return operation

    def settle(self, operation: Operation) -> None:
        """Take note of what has become of an operation."""
        held = self.shelf if operation.kind == "shelf" else self.notes
        for key, note in operation.notes.items():
            if operation.outcome is Outcome.UNKNOWN:
                self.unclear[key] = held.pop(key), note
                self._tags.pop(key, None)
                continue
            held[key] = note
            tag = operation.answer.headers.get("etag") if operation.answer is not None else None
            self._tags[key] = tag or ""

    def pair(self) -> list[int]:
        return self.random.sample(range(1, ACCOUNTS + 1), 2)

    def _insert(self, name: str, kind: str) -> Operation:
        count = 1 if kind == "entry" else self.random.randint(2, 12)
        entries = tuple((position, self._content()) for position in range(count))
        rows = [{"operation": name, "position": position, "content": content} for position, content in entries]
        headers = {"Prefer": "return=minimal"} if self.random.random() < 0.3 else {}
        body = rows[0] if kind == "entry" else rows
        return Operation(name, kind, "POST", f"{API}/entries", body, headers, 201, entries=entries)

    def _transfer(self, name: str, payer: dict[str, int], payee: dict[str, int]) -> Operation:
        amount = self.random.randint(1, 10_000)
        legs = [(payer, -amount), (payee, amount)]
        batch: list[dict[str, Any]] = [
            {
                "method": "PATCH",
                "path": f"{API}/accounts?id=eq.{account['id']}&version=eq.{account['version']}",
                "headers": {"Accept": "application/vnd.pgrst.object+json"},
                "body": {"balance": account["balance"] + change, "version": account["version"] + 1},
            }
            for account, change in legs
        ]
        made = {"operation": name, "amount": amount, "payer_id": payer["id"], "payee_id": payee["id"]}
        batch.append({"id": "transfer", "method": "POST", "path": f"{API}/transfers", "body": made})
        reference = {"$result": "/transfer/body/0/id"}
        lines = [
            {"operation": name, "transfer_id": reference, "account_id": account["id"], "amount": change}
            for account, change in legs
        ]
        batch.append({"method": "POST", "path": f"{API}/journal", "body": lines})
        transfer = (payer["id"], payee["id"], amount)
        return Operation(name, "transfer", "POST", f"{API}/_batch", batch, {}, 200, transfer=transfer)

    def _shelve(self, name: str) -> Operation:
        path = f"{API}/notes?owner=eq.{self.number}&shelf=is.true"
        content = self._content()
        notes: dict[str, Note] = dict.fromkeys(self.shelf, (name, content))
        headers = {"Prefer": f"max-affected={SHELF}, handling=strict"}
        return Operation(
            name, "shelf", "PATCH", path, {"operation": name, "content": content}, headers, 200, notes=notes
        )

    def _note(self, name: str, kind: str) -> Operation:
        there = [key for key, note in self.notes.items() if note is not None]
        key = self.random.choice(list(self.notes) if kind == "put" else there)
        path = f"{API}/notes/{key}"
        headers = {}
        if self.random.random() < 0.5:
            headers = {"If-Match": self._tags[key]} if self._tags.get(key) else {}
            headers = headers if key in there else {"If-None-Match": "*"}
        if kind == "delete":
            return Operation(name, kind, "DELETE", path, None, headers, 204, notes={key: None})
        content = self._content()
        body: dict[str, Any] = {"operation": name, "content": content}
        if kind == "put":
            body |= {"owner": self.number, "shelf": False}
        status = 200 if key in there else 201
        return Operation(name, kind, kind.upper(), path, body, headers, status, notes={key: (name, content)})

    def _content(self) -> str:
        length = min(4000, int(self.random.expovariate(1 / 300)))
        return "".join(self.random.choices(_LETTERS, k=length))

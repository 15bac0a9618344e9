"""A client that repeats a write, with its key, until it has an answer; seldom it gives up, or asks once too often."""

from __future__ import annotations

import threading
import time
from collections import Counter
from urllib.parse import urlencode

from tests.ledger.http import Answer, Broken, Line
from tests.ledger.operations import API, Author, Operation, Outcome

#: How often a client that has lost its answer gives up, and one that has it repeats the request all the same.
GIVES_UP, ASKS_AGAIN = 0.02, 0.05
#: What is repeated after a while: in flight, the database out of reach or busy.
_LATER = {(409, "PGRST409"): "in flight (409)", 503: "503", 504: "504"}
_TOLD = ("etag", "location", "content-type", "content-range")
_WAIT = 0.02


class Quota:
    """How many writes are still to be acknowledged, and until when."""

    def __init__(self, writes: int, seconds: float, patience: float = 60) -> None:
        self.left = writes
        self._lock = threading.Lock()
        self.end = time.monotonic() + seconds
        #: When even a write that has been begun is given up.
        self.very_end = self.end + patience

    def open(self) -> bool:
        return self.left > 0 and time.monotonic() < self.end

    def stop(self) -> None:
        """Let every client stop at once."""
        self.end = self.very_end = time.monotonic()

    def acknowledge(self) -> None:
        with self._lock:
            self.left -= 1


class Client:
    """One of the clients; `operations` are all that it has ever sent."""

    def __init__(self, author: Author, address: tuple[str, int], quota: Quota) -> None:
        self.author = author
        self.operations: list[Operation] = []
        self.seen: Counter[str] = Counter()
        #: Answers that the contract does not allow.
        self.wrong: list[str] = []
        #: Seconds until the answer that was longest in coming.
        self.slowest = 0.0
        self._line = Line(address)
        self._quota = quota

    def run(self) -> None:
        while self._quota.open():
            self._next()
        self._line.close()

    def _next(self) -> None:
        kind = self.author.kind()
        accounts = None
        if kind == "transfer":
            accounts = self._accounts()
            if accounts is None:
                return
        operation = self.author.operation(kind, accounts)
        self.operations.append(operation)
        answer = self._answer(operation, gives_up=kind != "shelf")
        if answer is not None:
            self._judge(operation, answer)
        if answer is None or operation.outcome is Outcome.DONE:
            self.author.settle(operation)
        if answer is not None and self.author.random.random() < ASKS_AGAIN:
            self._ask_again(operation, answer)

    def _accounts(self) -> list[dict[str, int]] | None:
        """Two accounts as they are, the payer first."""
        pair = self.author.pair()
        query = urlencode({"id": f"in.({pair[0]},{pair[1]})"})
        while time.monotonic() < self._quota.very_end:
            try:
                answer = self._line.exchange("GET", f"{API}/accounts?{query}", {})
            except Broken:
                continue
            if answer.status == 200:
                found = {account["id"]: account for account in answer.json()}
                return [found[number] for number in pair]
            time.sleep(_WAIT)
        return None

    def _answer(self, operation: Operation, *, gives_up: bool) -> Answer | None:
        """The final answer; None where the client has given up."""
        begun = time.monotonic()
        while time.monotonic() < self._quota.very_end:
            self.seen["attempts"] += 1
            try:
                answer = self._line.exchange(operation.method, operation.path, operation.headers, operation.body)
            except Broken:
                self.seen["answers lost"] += 1
                if gives_up and self.author.random.random() < GIVES_UP:
                    break
                continue
            later = _LATER.get(answer.status) or _LATER.get((answer.status, answer.code))
            if later is None:
                self.seen["replays"] += "idempotent-replayed" in answer.headers
                self.slowest = max(self.slowest, time.monotonic() - begun)
                return answer
            self.seen[later] += 1
            time.sleep(_WAIT * (0.5 + self.author.random.random()))
        else:
            self.wrong.append(f"{_of(operation)}: there was no answer in {time.monotonic() - begun:.0f} s")
        self.seen["given up"] += 1
        return None

    def _judge(self, operation: Operation, answer: Answer) -> None:
        operation.answer = answer
        if operation.refused_by(answer):
            operation.outcome = Outcome.REFUSED
            self.seen["refused"] += 1
            return
        operation.outcome = Outcome.DONE
        self.seen[operation.kind] += 1
        self._quota.acknowledge()
        if answer.status != operation.status:
            self.wrong.append(f"{_of(operation)}: {answer.status} {answer.code}, not {operation.status}")

    def _ask_again(self, operation: Operation, before: Answer) -> None:
        answer = self._answer(operation, gives_up=False)
        if answer is None:
            return
        self.seen["asked again"] += 1
        replayed = "idempotent-replayed" in answer.headers
        if not replayed or _told(answer) != _told(before):
            self.wrong.append(f"{_of(operation)}: was answered {_told(before)}, then {_told(answer)}")


def _told(answer: Answer) -> tuple[object, ...]:
    return answer.status, [answer.headers.get(name) for name in _TOLD], answer.body


def _of(operation: Operation) -> str:
    return f"{operation.kind} {operation.name}"

"""Where connections are cut: at random bytes, and more often where a commit is on its way."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from tests.proxy import Knife

#: Of both ways together, the bytes after which a connection is cut, on average; likewise of the packets, of which most
#: are small. Those of a commit are cut more often than others.
CLIENT_BYTES, CLIENT_PACKETS = 60_000, 60
DATABASE_BYTES, DATABASE_PACKETS, COMMIT_PACKETS = 1_000_000, 1500, 60

#: What a cut has hit. A request that has not come through whole has no effect; an answer under way means that it has.
REQUEST, AT_WORK, ANSWER = "request", "at work", "answer"
#: Before the commit has come through whole the transaction is undone; afterwards it is committed, or about to be.
OUTSIDE, BEFORE, AFTER = "outside", "before the commit", "after the commit"


class Talk(Protocol):
    """Follows what is said on one connection."""

    def phase(self, data: bytes, *, to_server: bool) -> tuple[str, str]:
        """What a cut within these bytes hits, and one right after them."""


class ClientTalk:
    """HTTP, one request at a time."""

    def phase(self, data: bytes, *, to_server: bool) -> tuple[str, str]:
        return (REQUEST, AT_WORK) if to_server else (ANSWER, ANSWER)


class PostgresTalk:
    """PostgreSQL's protocol: the server tells after each command whether a transaction is open."""

    _PREPARES_COMMIT = re.compile(rb"(_pg3_[0-9a-f]+\0)COMMIT\0")
    _READY = re.compile(rb"Z\0\0\0\x05([ITE])$")

    def __init__(self) -> None:
        self._phase = OUTSIDE
        self._commit = b"COMMIT\0"

    def phase(self, data: bytes, *, to_server: bool) -> tuple[str, str]:
        before = self._phase
        if not to_server:
            ready = self._READY.search(data)
            if ready is not None:
                self._phase = OUTSIDE if ready[1] == b"I" else BEFORE
            return before, before
        if prepares := self._PREPARES_COMMIT.search(data):
            self._commit = b"\0" + prepares[1]
        if b"COMMIT\0" in data or self._commit in data:
            self._phase = AFTER
        elif before == OUTSIDE and b"BEGIN ISOLATION" in data:
            before = self._phase = BEFORE
        return before, self._phase


class MongoTalk:
    """MongoDB's protocol: every command tells which transaction it belongs to, if any."""

    def __init__(self) -> None:
        self._phase = OUTSIDE

    def phase(self, data: bytes, *, to_server: bool) -> tuple[str, str]:
        if not to_server:
            return self._phase, self._phase
        self._phase = BEFORE if b"\x08autocommit\0\0" in data else OUTSIDE
        before = self._phase
        if b"commitTransaction\0" in data:
            self._phase = AFTER
        return before, self._phase


TALKS: dict[str, Callable[[], Talk]] = {"postgres": PostgresTalk, "mongodb": MongoTalk}


class Cuts:
    """The cuts on one side of the service, while it is `active`; `made` are those so far, by what they have hit."""

    def __init__(
        self, talk: Callable[[], Talk], mean_bytes: float, mean_packets: float, commit_packets: float, seed: str
    ) -> None:
        self.made: Counter[str] = Counter()
        self.active = False
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.mean_bytes, self.mean_packets, self.commit_packets = mean_bytes, mean_packets, commit_packets
        self._talk = talk

    def knife(self) -> Knife:
        return _Knife(self, self._talk())


def client_cuts(seed: str, rate: float) -> Cuts:
    """Cuts between the clients and the service, `rate` times as many as usual."""
    return Cuts(ClientTalk, CLIENT_BYTES / rate, CLIENT_PACKETS / rate, CLIENT_PACKETS / rate, f"client {seed}")


def database_cuts(backend: str, seed: str, rate: float) -> Cuts:
    """Cuts between the service and the database, likewise."""
    return Cuts(
        TALKS[backend], DATABASE_BYTES / rate, DATABASE_PACKETS / rate, COMMIT_PACKETS / rate, f"database {seed}"
    )


class _Knife:
    def __init__(self, cuts: Cuts, talk: Talk) -> None:
        self._cuts, self._talk = cuts, talk
        self._left = int(cuts.random.expovariate(1 / cuts.mean_bytes))

    def cut(self, data: bytes, *, to_server: bool) -> int | None:
        within, after = self._talk.phase(data, to_server=to_server)
        if not self._cuts.active:
            return None
        self._left -= len(data)
        if self._left < 0:
            place = len(data) + self._left
        elif self._cuts.random.random() * self._packets(after) < 1:
            # The ends are as likely as all that is between them.
            place = self._cuts.random.choice([0, self._cuts.random.randint(0, len(data)), len(data)])
        else:
            return None
        with self._cuts.lock:
            self._cuts.made[after if place == len(data) else within] += 1
        return place

    def _packets(self, phase: str) -> float:
        return self._cuts.commit_packets if phase == AFTER else self._cuts.mean_packets

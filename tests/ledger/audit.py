"""Compares what the clients were told with what the database holds, which is read past the service."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from pymongo import MongoClient
from pymongo.database import Database

from tests.ledger.operations import Author, Note, Operation, Outcome

Records = list[dict[str, Any]]
Tables = dict[str, Records]
RESOURCES = ("accounts", "transfers", "journal", "entries", "notes")


@dataclass
class Findings:
    """What is not as it must be; one line for each."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    #: There although it has been refused, or never been asked for.
    unfounded: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    #: Answers that the contract does not allow.
    wrong: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())


def postgres_tables(url: str) -> Tables:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return {
            name: connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name))).fetchall()
            for name in RESOURCES
        }


def mongodb_tables(url: str) -> Tables:
    client: MongoClient[dict[str, Any]]
    with MongoClient(url) as client:
        database: Database[dict[str, Any]] = client.get_default_database()
        return {name: [{"id": record.pop("_id"), **record} for record in database[name].find()] for name in RESOURCES}


TABLES: dict[str, Callable[[str], Tables]] = {"postgres": postgres_tables, "mongodb": mongodb_tables}


def audit(tables: Tables, operations: Iterable[Operation], authors: Sequence[Author]) -> Findings:
    """All that is wrong in the tables, given every operation that was ever sent."""
    findings = Findings()
    by_name = {operation.name: operation for operation in operations}
    written = _written(tables)
    for name in written.keys() - by_name.keys():
        findings.unfounded.append(f"nobody has asked for {name}: {written[name]}")
    for name, operation in by_name.items():
        if not operation.notes:
            _judge(findings, operation, _expected(operation), written[name])
    _check_answers(findings, by_name, tables)
    _check_balances(findings, tables)
    _check_notes(findings, tables["notes"], authors)
    return findings


def _written(tables: Tables) -> defaultdict[str, Counter[Any]]:
    """The rows that each operation has added, told by what is in them."""
    written: defaultdict[str, Counter[Any]] = defaultdict(Counter)
    for row in tables["entries"]:
        written[row["operation"]]["entry", row["position"], row["content"]] += 1
    transfers = {}
    for row in tables["transfers"]:
        transfers[row["id"]] = row["operation"]
        written[row["operation"]]["transfer", row["payer_id"], row["payee_id"], row["amount"]] += 1
    for row in tables["journal"]:
        own = transfers.get(row["transfer_id"]) == row["operation"]
        written[row["operation"]]["leg", row["account_id"], row["amount"], own] += 1
    return written


def _expected(operation: Operation) -> Counter[Any]:
    expected: Counter[Any] = Counter(("entry", position, content) for position, content in operation.entries)
    if operation.transfer is not None:
        payer, payee, amount = operation.transfer
        expected.update(
            [("transfer", payer, payee, amount), ("leg", payer, -amount, True), ("leg", payee, amount, True)]
        )
    return expected


def _judge(findings: Findings, operation: Operation, expected: Counter[Any], found: Counter[Any]) -> None:
    line = f"{operation.kind} {operation.name}, {operation.outcome.value}: {found.total()} of {expected.total()} rows"
    if operation.outcome is Outcome.REFUSED:
        if found:
            findings.unfounded.append(line)
    elif not found:
        if operation.outcome is Outcome.DONE:
            findings.lost.append(line)
    elif found > expected:
        findings.duplicated.append(line)
    elif found != expected:
        findings.partial.append(line)


def _check_answers(findings: Findings, by_name: dict[str, Operation], tables: Tables) -> None:
    """Where the answer has told the records, they are the ones that are stored."""
    stored = defaultdict(list)
    for row in tables["entries"]:
        stored[row["operation"]].append(row)
    for name, operation in by_name.items():
        answer = operation.answer
        if operation.entries and answer is not None and answer.status == operation.status and answer.body:
            told = answer.json()
            if sorted(told, key=_id) != sorted(stored[name], key=_id):
                findings.wrong.append(f"{operation.kind} {name}: the answer tells other records than are stored")


def _id(record: dict[str, Any]) -> int:
    return int(record["id"])


def _check_balances(findings: Findings, tables: Tables) -> None:
    sums: Counter[int] = Counter()
    counts: Counter[int] = Counter()
    for leg in tables["journal"]:
        sums[leg["account_id"]] += leg["amount"]
        counts[leg["account_id"]] += 1
    for account in tables["accounts"]:
        held, journal = (account["balance"], account["version"]), (sums[account["id"]], counts[account["id"]])
        if held != journal:
            findings.unbalanced.append(f"account {account['id']}: balance, changes {held}, by its journal {journal}")
    if total := sum(account["balance"] for account in tables["accounts"]):
        findings.unbalanced.append(f"the balances sum to {total}")


def _check_notes(findings: Findings, records: Records, authors: Iterable[Author]) -> None:
    stored: dict[str, Note] = {record["id"]: (record["operation"], record["content"]) for record in records}
    for author in authors:
        of_shelf = (key for key in author.shelf | author.unclear if "shelf" in key)
        shelf = {found for key in of_shelf if (found := stored.get(key))}
        if len(shelf) > 1:
            findings.partial.append(f"the shelf of {author.number} was written by {sorted(map(_by, shelf))}")
        for key, note in (author.notes | author.shelf).items():
            found = stored.pop(key, None)
            if found != note:
                findings.lost.append(f"note {key} was last written by {_by(note)}; what is there is by {_by(found)}")
        for key, notes in author.unclear.items():
            if (found := stored.pop(key, None)) not in notes:
                either = f"{_by(notes[0])} or {_by(notes[1])}"
                findings.lost.append(f"note {key} was last written by {either}; what is there is by {_by(found)}")
    findings.unfounded += [f"nobody has written note {key}" for key in stored]


def _by(note: Note) -> str:
    return "nobody" if note is None else note[0] or "the beginning"

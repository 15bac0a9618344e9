"""The races by their names."""

from __future__ import annotations

from tests.races import transactions, writes
from tests.races.race import Race

RACES: dict[str, type[Race]] = {
    "unique inserts": writes.UniqueInserts,
    "crossing batches": writes.CrossingBatches,
    "upserts that merge": writes.Upserts,
    "upserts that ignore": writes.UpsertsThatIgnore,
    "upserts of a key": writes.UpsertsOfAKey,
    "create-only puts": writes.CreateOnly,
    "reference and delete": writes.ReferenceAndDelete,
    "cascade and insert": writes.CascadeAndInsert,
    "set null and insert": writes.SetNullAndInsert,
    "writers with one tag": writes.OneTag,
    "sequence numbers": writes.Numbers,
    "names": transactions.Names,
    "counters": transactions.Counters,
    "crossing records": transactions.CrossingRecords,
}

"""What pymongo and bson raise, as the port's errors. Nothing of a driver's or the server's text is passed on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import DecimalException
from typing import Any

from bson.errors import BSONError, InvalidBSON
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from repositories.errors import (
    CastFailed,
    CheckViolation,
    Conflict,
    DeadlineExceeded,
    NotNullViolation,
    PoolExhausted,
    QueryRefused,
    RepositoryError,
    SchemaMismatch,
    Unavailable,
    UniqueViolation,
    ValueOutOfRange,
)
from repositories.schema import Catalog, Resource, Unique, constraint_name

#: What the driver raises for values that no BSON type can hold: the planner lets none pass.
VALUE_ERRORS = (OverflowError, UnicodeError, DecimalException)
DRIVER_ERRORS = (PyMongoError, BSONError, *VALUE_ERRORS)

DUPLICATE_KEY = 11000
WRITE_CONFLICT = 112
SNAPSHOT_UNAVAILABLE = 246
_DOCUMENT_VALIDATION = 121
_CONVERSION_FAILURE = 241

_BY_CODE: dict[int, type[RepositoryError]] = {
    # The data.
    2: QueryRefused,  # BadValue
    10334: QueryRefused,  # BSONObjectTooLarge
    17280: QueryRefused,  # KeyTooLong
    51091: QueryRefused,  # a regular expression that PCRE refuses
    51111: QueryRefused,  # the same in an expression
    51156: QueryRefused,  # a match that is too costly for PCRE
    4568: QueryRefused,  # the records of one lookup do not fit into a document
    17419: QueryRefused,  # a document grows too large on the way
    15955: QueryRefused,  # a pipeline that is too long
    16820: QueryRefused,  # a sort that is larger than memory
    16945: QueryRefused,  # a group that is larger than memory
    7749501: QueryRefused,  # a pipeline with too many stages
    146: QueryRefused,  # ExceededMemoryLimit
    292: QueryRefused,  # QueryExceededMemoryLimitNoDiskUseAllowed
    388: QueryRefused,  # TransactionTooLargeForCache
    # The schema.
    26: SchemaMismatch,  # NamespaceNotFound
    27: SchemaMismatch,  # IndexNotFound
    73: SchemaMismatch,  # InvalidNamespace
    85: SchemaMismatch,  # IndexOptionsConflict
    86: SchemaMismatch,  # IndexKeySpecsConflict
    166: SchemaMismatch,  # CommandNotSupportedOnView
    20: SchemaMismatch,  # IllegalOperation: transactions without a replica set
    # Concurrent writers.
    24: Conflict,  # LockTimeout
    WRITE_CONFLICT: Conflict,
    244: Conflict,  # TransactionAborted
    251: Conflict,  # NoSuchTransaction
    # Time.
    50: DeadlineExceeded,  # MaxTimeMSExpired
    262: DeadlineExceeded,  # ExceededTimeLimit
    290: DeadlineExceeded,  # TransactionExceededLifetimeLimitSeconds
    11601: DeadlineExceeded,  # Interrupted
}

#: The server's state: it cannot serve now, or does not serve us.
_STATE_CODES = frozenset(
    {
        *(6, 7, 89, 9001),  # it cannot reach another
        *(13, 18, 391),  # not authorized, not authenticated
        *(91, 11600, 11602),  # shutting down, or stepping down
        *(189, 10058, 10107, 13435, 13436),  # not the primary
        *(64, 79, 100, 133, 134),  # not enough of the replica set
        *(43, 136, 237),  # the cursor has gone with what had it
        *(14031, 462),  # a full disk, too much to do
    }
)

#: `E11000 duplicate key error collection: db.name index: name dup key: …`, unchanged since MongoDB 3.2.
_DUPLICATE = re.compile(r"collection: [^.\s]+\.(?P<collection>\S+) index: (?P<index>\S+)")


def translate(error: Exception, catalog: Catalog, resource: Resource | None = None) -> RepositoryError:
    """The port's error for any of `DRIVER_ERRORS`; `resource` is the one that was to be written."""
    if isinstance(error, BulkWriteError):
        return _of_bulk(error, catalog, resource)
    if isinstance(error, OperationFailure):
        return _of_failure(error, catalog, resource)
    if isinstance(error, WaitQueueTimeoutError):
        return PoolExhausted()
    if isinstance(error, ServerSelectionTimeoutError):
        return Unavailable()
    if isinstance(error, ConnectionFailure):
        return DeadlineExceeded() if error.timeout else Unavailable()
    if isinstance(error, ConfigurationError):
        return Unavailable("The database's URL or its options are not valid.")
    if isinstance(error, DocumentTooLarge):
        return QueryRefused("The record is larger than the store can take.")
    if isinstance(error, InvalidBSON):
        return SchemaMismatch("A stored value cannot be read.")
    if isinstance(error, (BSONError, *VALUE_ERRORS)):
        return ValueOutOfRange("A value is not one that the store can keep.")
    return Unavailable()


def _of_bulk(error: BulkWriteError, catalog: Catalog, resource: Resource | None) -> RepositoryError:
    details: Mapping[str, Any] = error.details or {}
    for failure in details.get("writeErrors", ()):
        return _of_write(failure["code"], failure, catalog, resource, row=failure["index"])
    return Unavailable()


def _of_failure(error: OperationFailure, catalog: Catalog, resource: Resource | None) -> RepositoryError:
    if error.has_error_label("UnknownTransactionCommitResult") and not error.timeout:
        return Unavailable()
    return _of_write(error.code, error.details or {}, catalog, resource)


def _of_write(
    code: int | None,
    details: Mapping[str, Any],
    catalog: Catalog,
    resource: Resource | None,
    row: int | None = None,
) -> RepositoryError:
    if code == DUPLICATE_KEY:
        return _duplicate(details, catalog, row)
    if code == _DOCUMENT_VALIDATION:
        return _invalid(details, resource, row)
    if code == _CONVERSION_FAILURE:
        return CastFailed()
    if code in _STATE_CODES:
        return Unavailable()
    return _BY_CODE.get(code or 0, RepositoryError)()


def _duplicate(details: Mapping[str, Any], catalog: Catalog, row: int | None) -> RepositoryError:
    found = _DUPLICATE.search(details.get("errmsg", ""))
    if found is None or found["collection"] not in catalog:
        return UniqueViolation(row=row)
    resource = catalog[found["collection"]]
    return UniqueViolation.of(resource.name, _unique(resource, found["index"], details.get("keyPattern", {})), row)


def _unique(resource: Resource, index: str, key_pattern: Mapping[str, Any]) -> Unique:
    fields = tuple(name.removeprefix("_id.") for name in key_pattern)
    for unique in resource.uniques:
        if unique.name == index or set(unique.fields) == set(fields):
            return unique
    if index == "_id_":
        return Unique(resource.key_name, resource.primary_key)
    return Unique(index, fields)


def _invalid(details: Mapping[str, Any], resource: Resource | None, row: int | None) -> RepositoryError:
    """A collection's validator has refused a document; the server says which properties do not fit."""
    name = resource.name if resource is not None else ""
    rules = details.get("errInfo", {}).get("details", {}).get("schemaRulesNotSatisfied", ())
    fields = []
    for broken in (each for rule in rules for each in rule.get("propertiesNotSatisfied", ())):
        field = broken["propertyName"]
        if any(detail.get("consideredType") == "null" for detail in broken["details"]):
            return NotNullViolation.of(name, field, row)
        if field != "_id":
            fields.append(field)
    constraint = constraint_name(name, tuple(fields[:1]), "check")
    message = f'new row for relation "{name}" violates check constraint "{constraint}"'
    return CheckViolation(message, resource=name, fields=tuple(fields[:1]), row=row)

"""The port's errors: every fault of every store ends as one of these, with the same code for the same fault.

    RepositoryError
    ├── ConstraintError        the data says no: the request can be mended
    │   ├── UniqueViolation        23505
    │   ├── ReferenceViolation     23503
    │   ├── NotNullViolation       23502
    │   ├── CheckViolation         23514
    │   ├── CardinalityViolation   21000
    │   └── ValueOutOfRange        22003
    ├── PreconditionFailed     the record is not as the request expects it
    ├── NameTaken              another transaction works under the name that this one asked for
    ├── CastFailed             a value cannot be cast as the query asks (22P02)
    ├── QueryRefused           the store cannot run this query (a pattern too costly, say)
    ├── SchemaMismatch         the store's tables or collections are not those of the catalog
    ├── Conflict               concurrent writers, retried in vain: the request may be sent again
    └── Unavailable            no answer to be had now: the request may be sent again
        ├── PoolExhausted          every connection stayed busy
        └── DeadlineExceeded       the store took too long

Messages are fit for clients: no driver text, SQL, host name or value of a record. The driver's exception is the
`__cause__`, for the log.
"""

from __future__ import annotations

from repositories.schema import Reference, Unique


class RepositoryError(Exception):
    """A fault of the store or of the data, in the port's own terms.

    `code` is PostgreSQL's SQLSTATE or PostgREST's PGRSTnnn; `fields` are the fields it is about, if any; `row` is
    the zero-based index of the record in a bulk write, where it is known; `resource` is the resource's name.
    """

    code = "XX000"
    message = "The store reported a fault that has no name of its own."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: str | None = None,
        hint: str | None = None,
        resource: str | None = None,
        fields: tuple[str, ...] = (),
        row: int | None = None,
    ) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message
        self.details = details
        self.hint = hint
        self.resource = resource
        self.fields = fields
        self.row = row


class ConstraintError(RepositoryError):
    """The data breaks a rule that the catalog declares."""

    code = "23000"


class UniqueViolation(ConstraintError):
    """A key or a unique set of fields occurs twice."""

    code = "23505"

    @classmethod
    def of(cls, resource: str, unique: Unique, row: int | None = None) -> UniqueViolation:
        """The violation of `unique`, in PostgreSQL's words."""
        return cls(
            f'duplicate key value violates unique constraint "{unique.name}"',
            details=f"Key ({', '.join(unique.fields)}) already exists.",
            resource=resource,
            fields=unique.fields,
            row=row,
        )


class ReferenceViolation(ConstraintError):
    """A reference would point at nothing."""

    code = "23503"

    @classmethod
    def dangling(cls, resource: str, reference: Reference, row: int | None = None) -> ReferenceViolation:
        """A record of `resource` refers to a record that is not there."""
        return cls(
            f'insert or update on "{resource}" violates foreign key constraint "{reference.constraint}"',
            details=f'Key ({", ".join(reference.fields)}) is not present in "{reference.target}".',
            resource=resource,
            fields=reference.fields,
            row=row,
        )

    @classmethod
    def still_referenced(cls, referrer: str, reference: Reference) -> ReferenceViolation:
        """A record is deleted (or its key changed) while a record of `referrer` refers to it."""
        return cls(
            f'update or delete on "{reference.target}" violates foreign key constraint "{reference.constraint}" '
            f'on "{referrer}"',
            details=f'Key ({", ".join(reference.target_fields)}) is still referenced from "{referrer}".',
            resource=reference.target,
        )


class NotNullViolation(ConstraintError):
    """A required field would be null."""

    code = "23502"

    @classmethod
    def of(cls, resource: str, name: str, row: int | None = None) -> NotNullViolation:
        """The required field `name` would be null, in PostgreSQL's words."""
        message = f'null value in column "{name}" of relation "{resource}" violates not-null constraint'
        return cls(message, resource=resource, fields=(name,), row=row)


class CheckViolation(ConstraintError):
    """A value breaks a bound, an enumeration or a pattern of the catalog."""

    code = "23514"


class ValueOutOfRange(ConstraintError):
    """A sum has too many digits, or a generated number has run out of range."""

    code = "22003"
    message = "A number does not fit its type."


class CardinalityViolation(ConstraintError):
    """Two rows of one write would be merged into the same record."""

    code = "21000"
    message = "ON CONFLICT DO UPDATE command cannot affect row a second time"


class PreconditionFailed(RepositoryError):
    """The `Expectation` of a write does not hold; nothing was written."""

    code = "PGRST412"
    message = "The record is not as the request expects it."


class NameTaken(RepositoryError):
    """Another transaction holds the name at this moment (see `Repository.transact`). Nothing was written."""

    code = "PGRST409"
    message = "The same request is being carried out at this moment."


class CastFailed(RepositoryError):
    """A value that the query casts is none of the type it asks for, or is out of that type's range."""

    code = "22P02"
    message = "A value cannot be cast to the type that the request asks for."


class QueryRefused(RepositoryError):
    """The store refuses to run the query, whatever the data."""

    code = "54001"
    message = "The query is too complex for the store."


class SchemaMismatch(RepositoryError):
    """A table, collection, column or index of the catalog is missing in the store, or of another type."""

    code = "PGRST205"
    message = "The store's schema does not fit the resource file."


class Conflict(RepositoryError):
    """Concurrent writers got in each other's way until the deadline. Nothing was written."""

    code = "40001"
    message = "The write was in conflict with others until its time was up; nothing was written."


class Unavailable(RepositoryError):
    """The store cannot be reached, refuses the service, or has gone. A write's outcome may be unknown."""

    code = "PGRST000"
    message = "The database cannot be reached."


class PoolExhausted(Unavailable):
    """No connection became free within the configured time. Nothing was sent."""

    code = "PGRST003"
    message = "Timed out while waiting for a database connection."


class DeadlineExceeded(Unavailable):
    """The store took longer than the configured time; the statement was cancelled."""

    code = "57014"
    message = "The database took too long to answer."

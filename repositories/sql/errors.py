"""The driver's errors as the port's: by SQLSTATE, else by its class; complete, so that none passes through."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import errors

from repositories.errors import (
    CardinalityViolation,
    CastFailed,
    CheckViolation,
    Conflict,
    ConstraintError,
    DeadlineExceeded,
    NotNullViolation,
    QueryRefused,
    ReferenceViolation,
    RepositoryError,
    SchemaMismatch,
    Unavailable,
    UniqueViolation,
    ValueOutOfRange,
)
from repositories.schema import Catalog, Reference, Unique
from repositories.sql.tables import check_name
from repositories.writes import Assign, Delete, Insert, Replace, Update, Write

STATES: Mapping[str, type[RepositoryError]] = {
    "21000": CardinalityViolation,
    "22001": CheckViolation,
    "22003": CastFailed,
    "2200H": ValueOutOfRange,
    "22007": CastFailed,
    "22008": CastFailed,
    # What `aggregates.py` lets a sum fail with.
    "22012": ValueOutOfRange,
    "2201B": QueryRefused,
    "22021": SchemaMismatch,
    "22023": CastFailed,
    "22P02": CastFailed,
    "22P05": SchemaMismatch,
    "23001": ReferenceViolation,
    "23502": NotNullViolation,
    "23503": ReferenceViolation,
    "23505": UniqueViolation,
    "23514": CheckViolation,
    "25006": Unavailable,
    "25P03": DeadlineExceeded,
    "25P04": DeadlineExceeded,
    "40002": ConstraintError,
    "40003": Unavailable,
    "42501": Unavailable,
    "42601": RepositoryError,
    "55P03": Conflict,
    "57014": DeadlineExceeded,
}

#: The classes of PostgreSQL's Appendix A, for the states that have no line of their own above.
CLASSES: Mapping[str, type[RepositoryError]] = {
    "02": RepositoryError,
    "03": RepositoryError,
    "08": Unavailable,
    "09": RepositoryError,
    "0A": SchemaMismatch,
    "0B": RepositoryError,
    "0F": RepositoryError,
    "0L": Unavailable,
    "0P": Unavailable,
    "0Z": RepositoryError,
    "10": RepositoryError,
    "20": RepositoryError,
    "21": RepositoryError,
    "22": ConstraintError,
    "23": ConstraintError,
    "24": RepositoryError,
    "25": RepositoryError,
    "26": RepositoryError,
    "27": ConstraintError,
    "28": Unavailable,
    "2B": SchemaMismatch,
    "2D": RepositoryError,
    "2F": RepositoryError,
    "34": RepositoryError,
    "38": RepositoryError,
    "39": RepositoryError,
    "3B": RepositoryError,
    "3D": Unavailable,
    "3F": SchemaMismatch,
    "40": Conflict,
    "42": SchemaMismatch,
    "44": ConstraintError,
    "53": Unavailable,
    "54": QueryRefused,
    "55": RepositoryError,
    "57": Unavailable,
    "58": Unavailable,
    "72": Conflict,
    "F0": Unavailable,
    "HV": RepositoryError,
    "P0": RepositoryError,
    "XX": RepositoryError,
}


def port_error(error: psycopg.Error) -> RepositoryError:
    """The port's error for one of the driver's, by what the driver alone knows of it."""
    state = error.sqlstate
    if state is not None:
        return (STATES.get(state) or CLASSES.get(state[:2], RepositoryError))()
    # Without a state the error is the driver's own: the connection failed or is gone, or a value would not convert.
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return Unavailable()
    return RepositoryError()


def connection_at_fault(error: psycopg.Error) -> bool:
    """Whether another connection may do better: this one broke, or has prepared for a table that changed since."""
    if error.sqlstate is None:
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return isinstance(error, _CONNECTION_FAULTS)


_CONNECTION_FAULTS = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.IdleSessionTimeout,
    errors.FeatureNotSupported,
)


class Translator:
    """Translates the errors of writes: names the constraint, its fields and its resource, from the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._uniques: dict[tuple[str, str], Unique] = {}
        self._references: dict[tuple[str, str], Reference] = {}
        self._checks: dict[tuple[str, str], str] = {}
        for resource in catalog:
            name = resource.name
            self._uniques[name, resource.key_name] = Unique(resource.key_name, resource.primary_key)
            self._uniques |= {(name, unique.name): unique for unique in resource.uniques}
            self._references |= {(name, reference.constraint): reference for reference in resource.references}
            self._checks |= {(name, check_name(name, field)): field for field in resource.fields}

    def unique(self, error: psycopg.Error) -> Unique | None:
        """The unique set that the error is about."""
        return self._uniques.get(_constraint(error))

    def reference(self, error: psycopg.Error) -> Reference | None:
        """The reference that the error is about."""
        return self._references.get(_constraint(error))

    def translate(self, error: psycopg.Error, write: Write, row: int | None = None) -> RepositoryError:
        """The port's error for what a write met; `row` is the offending record of a bulk insert."""
        table, constraint = _constraint(error)
        match error:
            case errors.UniqueViolation():
                unique = self.unique(error)
                return (
                    UniqueViolation.of(table, unique, row) if unique else _foreign(UniqueViolation, constraint, table)
                )
            case errors.ForeignKeyViolation() | errors.RestrictViolation():
                reference = self.reference(error)
                if reference is None:
                    return _foreign(ReferenceViolation, constraint, table)
                if _dangles(write, table, reference):
                    return ReferenceViolation.dangling(table, reference, row)
                return ReferenceViolation.still_referenced(table, reference)
            case errors.NotNullViolation():
                return NotNullViolation.of(table, error.diag.column_name or "", row)
            case errors.CheckViolation():
                field = self._checks.get((table, constraint))
                return CheckViolation(
                    f'new row for relation "{table}" violates check constraint "{constraint}"',
                    resource=table,
                    fields=(field,) if field else (),
                    row=row,
                )
        return port_error(error)


def _constraint(error: psycopg.Error) -> tuple[str, str]:
    return error.diag.table_name or "", error.diag.constraint_name or ""


def _foreign(kind: type[ConstraintError], constraint: str, table: str) -> ConstraintError:
    """The violation of a constraint that others have put on a table."""
    return kind(f'the write violates the constraint "{constraint}" of "{table}"', resource=table)


def _dangles(write: Write, table: str, reference: Reference) -> bool:
    """Whether the written record points at nothing, or another points at it. The server names one table for both."""
    if table != write.resource.name:
        return False
    if reference.target != table:
        return True
    match write:
        case Insert() | Replace():
            return True
        case Update():
            return not {field.name for field, _ in write.changes}.isdisjoint(reference.fields)
        case Assign() | Delete():
            return False

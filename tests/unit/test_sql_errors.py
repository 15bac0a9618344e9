"""The driver's errors as the port's: all of them, and in the port's words."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import psycopg.errors
import pytest

from repositories import errors as port
from repositories.base import Limits
from repositories.errors import RepositoryError
from repositories.schema import Catalog, Field, Reference, Resource
from repositories.sql.errors import CLASSES, STATES, port_error
from repositories.sql.repository import PostgresRepository
from tests import catalogs
from tests.catalogs import INT64
from tests.contract import queries as q
from tests.unit.sql_server import Connection, connection, database_url, emptied, opened

__all__ = ["connection", "database_url"]


def driver_errors(kind: type[psycopg.Error] = psycopg.Error) -> Iterator[type[psycopg.Error]]:
    yield kind
    for child in kind.__subclasses__():
        yield from driver_errors(child)


@pytest.mark.parametrize("kind", sorted(set(driver_errors()), key=str))
def test_every_error_of_the_driver_has_one_of_the_port(kind: type[psycopg.Error]) -> None:
    state = kind.sqlstate
    assert state is None or state in STATES or state[:2] in CLASSES
    error = port_error(kind("secret text of the driver"))
    assert isinstance(error, RepositoryError)
    assert "secret" not in f"{error} {error.details} {error.hint}"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (psycopg.errors.DeadlockDetected, port.Conflict),
        (psycopg.errors.SerializationFailure, port.Conflict),
        (psycopg.errors.QueryCanceled, port.DeadlineExceeded),
        (psycopg.errors.AdminShutdown, port.Unavailable),
        (psycopg.errors.CannotConnectNow, port.Unavailable),
        (psycopg.errors.TooManyConnections, port.Unavailable),
        (psycopg.errors.InvalidPassword, port.Unavailable),
        (psycopg.errors.InvalidCatalogName, port.Unavailable),
        (psycopg.errors.DiskFull, port.Unavailable),
        (psycopg.errors.UndefinedTable, port.SchemaMismatch),
        (psycopg.errors.UndefinedColumn, port.SchemaMismatch),
        (psycopg.errors.InvalidRegularExpression, port.QueryRefused),
        (psycopg.errors.StatementTooComplex, port.QueryRefused),
        (psycopg.errors.NumericValueOutOfRange, port.CastFailed),
        (psycopg.errors.DivisionByZero, port.ValueOutOfRange),
        (psycopg.errors.InvalidTextRepresentation, port.CastFailed),
        (psycopg.errors.InvalidDatetimeFormat, port.CastFailed),
        (psycopg.errors.DatetimeFieldOverflow, port.CastFailed),
        (psycopg.errors.InvalidParameterValue, port.CastFailed),
        (psycopg.errors.SequenceGeneratorLimitExceeded, port.ValueOutOfRange),
        (psycopg.OperationalError, port.Unavailable),
        (psycopg.InterfaceError, port.Unavailable),
        (psycopg.DataError, port.RepositoryError),
    ],
)
def test_what_becomes_of_an_error(kind: type[psycopg.Error], expected: type[RepositoryError]) -> None:
    assert type(port_error(kind())) is expected


def test_a_state_that_no_release_had_yet() -> None:
    class Novel(psycopg.Error):
        sqlstate = "ZZ001"

    assert type(port_error(Novel())) is RepositoryError


@pytest.fixture
def shop(database_url: str, connection: Connection) -> Iterator[PostgresRepository]:
    emptied(connection)
    with opened(database_url, catalogs.shop()) as repository:
        yield repository


def refused(repository: PostgresRepository, resource: str, *rows: dict[str, object]) -> RepositoryError:
    with pytest.raises(RepositoryError) as raised:
        repository.write(q.insert(repository.catalog, resource, *rows))
    return raised.value


def test_constraints_of_others_are_told_without_their_values(shop: PostgresRepository, connection: Connection) -> None:
    connection.execute("ALTER TABLE staff ADD CONSTRAINT theirs UNIQUE (name)")
    error = refused(shop, "staff", {"name": "secret"}, {"name": "secret"})
    assert (error.code, error.fields, error.row) == ("23505", (), None)
    connection.execute("ALTER TABLE staff ADD CHECK (name <> 'x'), ADD FOREIGN KEY (name) REFERENCES categories (name)")
    error = refused(shop, "staff", {"name": "secret"})
    assert (error.code, error.resource) == ("23503", "staff")
    error = refused(shop, "staff", {"name": "x"})
    assert (error.code, error.fields) == ("23514", ("name",))
    assert "secret" not in str(error)


def test_bounds_are_guarded_by_the_tables_too(shop: PostgresRepository) -> None:
    error = refused(shop, "categories", {"name": "x" * 81})
    assert (error.code, error.fields) == ("23514", ("name",))


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"manager_id": 99}, "update"), ({"id": 99}, "still")],
)
def test_which_end_of_a_self_reference_breaks(
    connection: Connection, database_url: str, changes: dict[str, object], code: str
) -> None:
    emptied(connection)
    fields = {name: Field(name, INT64, required=name == "id") for name in ("id", "manager_id")}
    manager = Reference("manager", "people_manager_fkey", ("manager_id",), "people", ("id",))
    people = Resource("people", fields, ("id",), (manager,))
    with opened(database_url, Catalog({"people": people})) as repository:
        repository.write(
            q.insert(repository.catalog, "people", {"id": 1, "manager_id": None}, {"id": 2, "manager_id": 1})
        )
        with pytest.raises(port.ReferenceViolation) as raised:
            repository.write(q.update(repository.catalog, "people", changes, q.eq("id", 1)))
    assert raised.value.fields == (("manager_id",) if code == "update" else ())


def test_the_row_at_fault_in_a_bulk(shop: PostgresRepository) -> None:
    shop.write(q.insert(shop.catalog, "categories", {"name": "there"}))
    assert refused(shop, "categories", {"name": "a"}, {"name": "there"}).row == 1
    assert refused(shop, "categories", {"name": "a"}, {"name": "b"}, {"name": "a"}).row == 2
    assert refused(shop, "staff", {"name": "a"}, {"name": None}).row == 1
    assert refused(shop, "staff", {"manager_id": None}, {"manager_id": None}).row == 0
    people = [{"id": 1, "name": "a", "manager_id": None}, {"id": 2, "name": "b", "manager_id": 1}]
    assert refused(shop, "staff", *people, {"id": 3, "name": "c", "manager_id": 4}).row == 2


def test_the_row_is_left_out_when_it_cannot_be_asked_for(
    shop: PostgresRepository, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> int:
        raise psycopg.OperationalError

    monkeypatch.setattr("repositories.sql.blame.Blame.found", gone)
    error = refused(shop, "categories", {"name": "a"}, {"name": "a"})
    assert (error.code, error.row) == ("23505", None)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody:secret@127.0.0.1:1/none",
        "postgresql+psycopg://nobody:secret@/none?host=/no/such/directory",
    ],
)
def test_a_server_that_is_not_there(url: str) -> None:
    catalog = catalogs.shop()
    with PostgresRepository(url, catalog, Limits(connect_timeout=2)) as repository:
        with pytest.raises(port.Unavailable) as raised:
            repository.ping()
        assert "secret" not in f"{raised.value}{raised.value.details}"
        assert isinstance(raised.value.__cause__, psycopg.OperationalError)


def test_a_database_that_is_not_there(database_url: str) -> None:
    url = database_url.replace("/unit_", "/no_such_")
    with PostgresRepository(url, catalogs.shop(), Limits()) as repository, pytest.raises(port.Unavailable):
        repository.ping()


def test_a_missing_table_is_a_mismatch(connection: Connection, database_url: str) -> None:
    emptied(connection)
    with PostgresRepository(database_url, catalogs.shop(), Limits()) as repository, pytest.raises(port.SchemaMismatch):
        repository.json(q.read(repository.catalog, "staff"))

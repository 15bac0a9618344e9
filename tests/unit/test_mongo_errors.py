"""Every exception of pymongo and bson ends as a port error, and the server's codes as the right one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from decimal import Inexact
from typing import Any

import bson
import bson.errors
import pymongo
import pymongo.errors
import pytest
from pymongo.errors import BulkWriteError, NetworkTimeout, OperationFailure, PyMongoError

from repositories import errors
from repositories.errors import RepositoryError
from repositories.mongo.errors import DRIVER_ERRORS, translate
from tests.catalogs import shop

CATALOG = shop()


def driver_exceptions() -> Iterator[type[Exception]]:
    """Every exception class that a module of the driver defines."""
    for package in (pymongo, bson):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            try:
                members = vars(importlib.import_module(module.name))
            except ImportError:  # for an optional dependency
                continue
            for member in members.values():
                if isinstance(member, type) and issubclass(member, (PyMongoError, bson.errors.BSONError)):
                    yield member


def made(kind: type[Exception]) -> Exception:
    if issubclass(kind, BulkWriteError):
        return kind({"writeErrors": []})
    if issubclass(kind, pymongo.errors.ClientBulkWriteException):
        return kind({"error": None, "writeErrors": [], "writeConcernErrors": []}, verbose=False)
    try:
        return kind("secret driver text")
    except TypeError:
        return kind.__new__(kind)


@pytest.mark.parametrize("kind", sorted(set(driver_exceptions()), key=str))
def test_every_driver_exception_is_mapped(kind: type[Exception]) -> None:
    error = made(kind)
    assert isinstance(error, DRIVER_ERRORS)
    translated = translate(error, CATALOG)
    assert isinstance(translated, RepositoryError)
    has_code = issubclass(kind, OperationFailure | pymongo.errors.ClientBulkWriteException)
    assert has_code or type(translated) is not RepositoryError
    assert "secret" not in f"{translated.message}{translated.details}{translated.hint}"


def test_the_walk_finds_the_exceptions() -> None:
    assert len(set(driver_exceptions())) >= 27


@pytest.mark.parametrize("error", [OverflowError(), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"), Inexact()])
def test_values_that_bson_cannot_hold(error: Exception) -> None:
    assert isinstance(error, DRIVER_ERRORS)
    assert isinstance(translate(error, CATALOG), errors.ValueOutOfRange)


def failure(code: int, **details: Any) -> OperationFailure:
    return OperationFailure("secret", code, {"code": code, "errmsg": "secret", **details})


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (50, errors.DeadlineExceeded),
        (262, errors.DeadlineExceeded),
        (112, errors.Conflict),
        (251, errors.Conflict),
        (51091, errors.QueryRefused),
        (388, errors.QueryRefused),
        (26, errors.SchemaMismatch),
        (20, errors.SchemaMismatch),
        (13, errors.Unavailable),
        (18, errors.Unavailable),
        (91, errors.Unavailable),
        (189, errors.Unavailable),
        (10107, errors.Unavailable),
        (64, errors.Unavailable),
        (6, errors.Unavailable),
        (14031, errors.Unavailable),
        (999999, errors.RepositoryError),
    ],
)
def test_codes(code: int, kind: type[RepositoryError]) -> None:
    assert type(translate(failure(code), CATALOG)) is kind


def duplicate(collection: str, index: str, pattern: dict[str, int]) -> dict[str, Any]:
    text = f'E11000 duplicate key error collection: db.{collection} index: {index} dup key: {{ x: "secret" }}'
    return {"code": 11000, "errmsg": text, "keyPattern": pattern, "keyValue": {"x": "secret"}}


@pytest.mark.parametrize(
    ("collection", "index", "pattern", "name", "fields"),
    [
        ("products", "products_sku_key", {"sku": 1}, "products_sku_key", ("sku",)),
        ("products", "someone_elses", {"sku": 1}, "products_sku_key", ("sku",)),
        (
            "products",
            "products_category_id_name_key",
            {"category_id": 1, "name": 1},
            "products_category_id_name_key",
            ("category_id", "name"),
        ),
        ("products", "_id_", {"_id": 1}, "products_pkey", ("id",)),
        ("lines", "_id_", {"_id": 1}, "lines_pkey", ("order_id", "position")),
        ("lines", "foreign", {"_id.position": 1}, "foreign", ("position",)),
    ],
)
def test_which_unique_set_is_violated(
    collection: str, index: str, pattern: dict[str, int], name: str, fields: tuple[str, ...]
) -> None:
    error = translate(failure(**duplicate(collection, index, pattern)), CATALOG)
    assert isinstance(error, errors.UniqueViolation)
    assert (error.resource, error.fields) == (collection, fields)
    assert name in error.message
    assert "secret" not in f"{error.message}{error.details}"


def test_a_duplicate_in_a_collection_of_nobody() -> None:
    error = translate(failure(**duplicate("other", "x", {"x": 1})), CATALOG)
    assert type(error) is errors.UniqueViolation


def test_a_bulk_names_the_row() -> None:
    bulk = BulkWriteError({"writeErrors": [{"index": 7, **duplicate("products", "_id_", {"_id": 1})}]})
    error = translate(bulk, CATALOG)
    assert isinstance(error, errors.UniqueViolation)
    assert error.row == 7


def refused(properties: list[dict[str, Any]]) -> dict[str, Any]:
    rules = [{"operatorName": "properties", "propertiesNotSatisfied": properties}]
    return {"code": 121, "errInfo": {"details": {"operatorName": "$jsonSchema", "schemaRulesNotSatisfied": rules}}}


def test_a_validator_refuses_a_value() -> None:
    broken = {"propertyName": "stock", "details": [{"operatorName": "minimum", "consideredValue": -1}]}
    error = translate(failure(**refused([broken])), CATALOG, CATALOG["products"])
    assert isinstance(error, errors.CheckViolation)
    assert (error.resource, error.fields) == ("products", ("stock",))
    assert error.message == 'new row for relation "products" violates check constraint "products_stock_check"'


def test_a_validator_refuses_null() -> None:
    broken = {"propertyName": "name", "details": [{"operatorName": "bsonType", "consideredType": "null"}]}
    error = translate(failure(**refused([broken])), CATALOG, CATALOG["products"])
    assert isinstance(error, errors.NotNullViolation)
    assert (error.resource, error.fields) == ("products", ("name",))


def test_an_unknown_outcome_is_no_conflict() -> None:
    error = failure(91, errorLabels=["UnknownTransactionCommitResult"])
    assert type(translate(error, CATALOG)) is errors.Unavailable


def test_a_network_timeout_is_a_deadline() -> None:
    assert type(translate(NetworkTimeout("secret"), CATALOG)) is errors.DeadlineExceeded
    assert type(translate(pymongo.errors.AutoReconnect("secret"), CATALOG)) is errors.Unavailable

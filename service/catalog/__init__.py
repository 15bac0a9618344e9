"""The resource file: YAML in, the catalog out, or every problem with its line, its cause and the way out."""

from __future__ import annotations

from pathlib import Path

from repositories.schema import Catalog
from service.catalog.builder import build
from service.catalog.document import json_schema
from service.catalog.names import check_names
from service.catalog.problems import CatalogError, Problem
from service.catalog.source import parse
from service.catalog.validation import validate

__all__ = ["CatalogError", "Problem", "json_schema", "load", "loads"]


def load(path: str | Path) -> Catalog:
    """The catalog that the file at `path` declares. Raises `CatalogError`."""
    name = str(path)
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise _unreadable(name, "there is no such file", "check the path") from None
    except IsADirectoryError:
        raise _unreadable(name, "is a directory", "give the path of a YAML file") from None
    except OSError as error:
        raise _unreadable(name, f"cannot be read: {error.strerror}", "check the path and its permissions") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
        problem = Problem(name, line, column, (), "is not UTF-8 text", "save the file in the encoding UTF-8")
        raise CatalogError([problem]) from None
    return loads(text, name)


def loads(text: str, name: str) -> Catalog:
    """The catalog that `text` declares; `name` stands for the file in messages. Raises `CatalogError`."""
    source = parse(text, name)
    check_names(source)
    document = validate(source)
    if document is None:
        raise CatalogError(source.problems)
    return build(document, source)


def _unreadable(name: str, message: str, hint: str) -> CatalogError:
    return CatalogError([Problem(name, 0, 0, (), message, hint)])

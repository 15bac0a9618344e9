"""The primary key in a path: `/products/42`, `/lines/7,2`, `/codes/"a,b"`.

A part that begins with a double quote is quoted: within the quotes a backslash stands before a quote or a backslash.
Other parts stand for themselves; only in a composite key must a part that holds a comma be quoted.
"""

from __future__ import annotations

from urllib.parse import quote

from werkzeug.routing import PathConverter

from repositories.encoding import decimal_text, instant_text
from repositories.schema import Field, Kind, Resource, Value
from service.dialect.scanner import Scanner

#: Values whose text is a part of a path as it is.
_PLAIN = frozenset({Kind.UUID, Kind.INT32, Kind.INT64})


class KeyConverter(PathConverter):
    """The rest of a path as a key: with slashes in it, and, unlike a `path`, with line breaks."""

    part_isolating = False
    regex = r"[\s\S]+"


def parse_key(text: str, parts: int) -> tuple[str, ...]:
    """The parts of a key of `parts` parts, from the decoded path. Raises `RequestError` (PGRST100)."""
    if parts == 1 and not text.startswith('"'):
        return (text,)
    scanner = Scanner(text, "key")
    found = [_part(scanner)]
    while scanner.take(","):
        found.append(_part(scanner))
    if not scanner.done:
        scanner.fail('","')
    return tuple(found)


def _part(scanner: Scanner) -> str:
    return scanner.quoted() if scanner.at('"') else scanner.until(",")


def format_key(resource: Resource, key: tuple[Value, ...]) -> str:
    """The key as one segment of a path, percent-encoded."""
    return ",".join(_format(field, value, len(key)) for field, value in zip(resource.key, key, strict=True))


def _format(field: Field, value: Value, parts: int) -> str:
    if field.type.kind in _PLAIN:
        return str(value)
    text = _text(field, value)
    if text.strip("./") != text or not text or text.startswith('"') or (parts > 1 and "," in text):
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return quote(text, safe="")


def _text(field: Field, value: Value) -> str:
    match field.type.kind:
        case Kind.DATETIME:
            return instant_text(value)
        case Kind.DECIMAL:
            return decimal_text(value)
        case Kind.BOOLEAN:
            return "true" if value else "false"
    return str(value)

"""References of a batch's operations to results of earlier ones, by JSON pointer (RFC 6901).

In a body the object `{"$result": "/0/body/0/id"}` stands for the value that the pointer leads to, and `{"$value": …}`
for its value as it is, whatever that looks like; in a path or a header, `${/0/body/0/id}` stands for the value as text.
A result is an object with `status`, `headers` and `body`; it is named by its operation's index, or its `id`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from service.errors import bad_syntax

Results = dict[str, dict[str, Any]]
RESULT, VALUE = "$result", "$value"

_IN_TEXT = re.compile(r"\$\{([^}]*)\}")
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


def resolve(value: Any, results: Results) -> Any:
    """A body with its references resolved. Raises `RequestError` (PGRST100)."""
    if isinstance(value, list):
        return [resolve(item, results) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        if VALUE in value:
            return value[VALUE]
        if isinstance(pointer := value.get(RESULT), str):
            return _follow(pointer, results)
    return {name: resolve(item, results) for name, item in value.items()}


def resolve_text(text: str, results: Results, *, encoded: bool = False) -> str:
    """A text with its references resolved; `encoded` for a URL. Raises `RequestError` (PGRST100)."""

    def found(match: re.Match[str]) -> str:
        value = _text(match[1], _follow(match[1], results))
        # A `Location` is a path already.
        return quote(value, safe="") if encoded and not match[1].endswith("/headers/Location") else value

    return _IN_TEXT.sub(found, text)


def _follow(pointer: str, results: Results) -> Any:
    if not pointer.startswith("/"):
        raise bad_syntax(f'"{pointer[:80]}" is no JSON pointer: it begins with a slash.')
    value: Any = results
    for step in pointer[1:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            raise bad_syntax(f'"{pointer[:80]}" leads to no result of an earlier operation.')
    return value


def _text(pointer: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
    raise bad_syntax(f'"{pointer[:80]}" leads to what is no text, number or boolean.')

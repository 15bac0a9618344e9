"""Array literals, as PostgreSQL writes them: `{a,"b c",NULL}`."""

from __future__ import annotations

from service.dialect.scanner import Scanner

#: White space around an item, which PostgreSQL leaves out.
_SPACE = " \t\n\r\v\f"


def parse_array(text: str) -> tuple[str | None, ...]:
    """The items of a one-dimensional array; None for an unquoted NULL. Raises `RequestError` (PGRST100)."""
    scanner = Scanner(text, "array")
    scanner.expect("{")
    items: list[str | None] = []
    if not scanner.take("}"):
        items.append(_item(scanner))
        while scanner.take(","):
            items.append(_item(scanner))
        scanner.expect("}")
    if not scanner.done:
        scanner.fail("end of input")
    return tuple(items)


def _item(scanner: Scanner) -> str | None:
    scanner.skip(_SPACE)
    if scanner.at('"'):
        text = scanner.quoted()
        scanner.skip(_SPACE)
        return text
    text = scanner.until(',}{"\\').rstrip(_SPACE)
    if not text:
        scanner.fail("array item")
    return None if text.upper() == "NULL" else text

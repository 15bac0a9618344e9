"""A cursor over a parameter's text: what every parser of the language shares (names, quoting, errors)."""

from __future__ import annotations

from typing import Never

from service.errors import bad_syntax

#: What ends an unquoted name.
_NAME_END = frozenset('.,:()"!{}[]<>=;')


class Scanner:
    """Reads `text` from left to right. `what` names the parameter in errors ("filter", "select", …)."""

    __slots__ = ("position", "text", "what")

    def __init__(self, text: str, what: str) -> None:
        self.text = text
        self.what = what
        self.position = 0

    def fail(self, expected: str) -> Never:
        """Refuse the text, in PostgREST's words: what was met at the position, and what was expected."""
        met = f'"{self.text[self.position]}"' if self.position < len(self.text) else "end of input"
        shown = self.text if len(self.text) <= 200 else self.text[:200] + "…"
        raise bad_syntax(
            f'"failed to parse {self.what} ({shown})" (line 1, column {self.position + 1})',
            f"unexpected {met} expecting {expected}",
        )

    @property
    def done(self) -> bool:
        """Whether all has been read."""
        return self.position == len(self.text)

    def at(self, token: str) -> bool:
        """Whether `token` comes next."""
        return self.text.startswith(token, self.position)

    def take(self, token: str) -> bool:
        """Read `token` if it comes next; tell whether it did."""
        if not self.at(token):
            return False
        self.position += len(token)
        return True

    def expect(self, token: str) -> None:
        """Read `token`, or fail."""
        if not self.take(token):
            self.fail(f'"{token}"')

    def until(self, stops: str) -> str:
        """Read up to (not including) the first of the characters `stops`, or to the end."""
        start = self.position
        while self.position < len(self.text) and self.text[self.position] not in stops:
            self.position += 1
        return self.text[start : self.position]

    def rest(self) -> str:
        """Read all that is left."""
        start, self.position = self.position, len(self.text)
        return self.text[start:]

    def quoted(self) -> str:
        """Read a text in double quotes, in which a backslash stands before a quote or a backslash."""
        self.expect('"')
        read: list[str] = []
        while not self.done:
            character = self.text[self.position]
            self.position += 1
            if character == '"':
                return "".join(read)
            if character == "\\" and not self.done:
                character = self.text[self.position]
                self.position += 1
            read.append(character)
        return self.fail('"\\""')

    def name(self) -> str:
        """Read a name: quoted, or up to a character that means something in the language, or `->`."""
        if self.at('"'):
            return self.quoted()
        start = self.position
        while self.position < len(self.text) and self.text[self.position] not in _NAME_END and not self.at("->"):
            self.position += 1
        if self.position == start:
            self.fail("field name (* or [a..z0..9_$])")
        return self.text[start : self.position]

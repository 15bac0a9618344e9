"""A cursor over a parameter's text: what every parser of the language shares (names, quoting, errors)."""

from __future__ import annotations

import re
from functools import cache
from typing import Never

from service.errors import bad_syntax

#: An unquoted name: up to a character that means something in the language, or an arrow.
_NAME = re.compile(r'(?:(?!->)[^.,:()"!{}\[\]<>=;])+')


@cache
def _up_to(stops: str) -> re.Pattern[str]:
    return re.compile(f"[^{re.escape(stops)}]*")


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
        return self._read(_up_to(stops))

    def skip(self, characters: str) -> None:
        """Read all that follows of these characters."""
        while self.position < len(self.text) and self.text[self.position] in characters:
            self.position += 1

    def comma(self) -> bool:
        """Read a comma, with spaces around it, if one comes next; tell whether it did."""
        start = self.position
        self.skip(" ")
        if self.take(","):
            self.skip(" ")
            return True
        self.position = start
        return False

    def _read(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.position)
        if match is None:
            return ""
        self.position = match.end()
        return match[0]

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

    def braced(self) -> str:
        """Read a text in braces, braces and nested ones included; in its quotes they mean nothing."""
        start, depth = self.position, 0
        while not self.done:
            if self.at('"'):
                self.quoted()
                continue
            depth += {"{": 1, "}": -1}.get(self.text[self.position], 0)
            self.position += 1
            if depth == 0:
                return self.text[start : self.position]
        return self.fail('"}"')

    def name(self) -> str:
        """Read a name: quoted, or up to a character that means something in the language, or `->`."""
        if self.at('"'):
            return self.quoted()
        name = self._read(_NAME).strip(" ")
        if not name:
            self.fail("field name (* or [a..z0..9_$])")
        return name

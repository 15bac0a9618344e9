"""What is wrong with a resource file: every problem with its place, its cause and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

#: The way from the root of the file to a value: keys of mappings and indexes of lists.
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem. `line` and `column` count from 1; line 0 says that it is about the file as a whole."""

    file: str
    line: int
    column: int
    path: Path
    message: str
    hint: str = ""

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901)."""
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in self.path)

    @property
    def where(self) -> str:
        """The place as people write it: `resources.products.unique[0]`."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        parts = (place, self.where, self.message)
        line = ": ".join(part for part in parts if part) + (f"; {self.hint}" if self.hint else "")
        return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)


class CatalogError(Exception):
    """A resource file that cannot be used. `problems` are in the order of the file; `str()` has one line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        super().__init__("\n".join(map(str, self.problems)))


def suggestion(name: str, known: Iterable[str]) -> str:
    """The known names that come closest to `name`, as a hint; without a close one, what there is."""
    names = list(known)
    folded = {candidate.casefold(): candidate for candidate in names}
    close = difflib.get_close_matches(name.casefold(), folded, n=2, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(f'`{folded[match]}`' for match in close)}?"
    if not names:
        return "there is none"
    shown = ", ".join(f"`{candidate}`" for candidate in names[:12])
    return f"known here: {shown}{', …' if len(names) > 12 else ''}"

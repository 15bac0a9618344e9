"""The differences between the databases that are known, as the README lists them. The aim is that there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
SECTION = re.compile(r"(?<=<!-- differences: begin -->\n).*?(?=<!-- differences: end -->)", re.DOTALL)


@dataclass(frozen=True)
class Difference:
    """A difference, and requests whose last answer shows it: method, path and body."""

    text: str
    catalog: str
    requests: tuple[tuple[str, str, object], ...]


#: Whoever finds one that cannot be mended at once puts it here, and takes it out again when it is mended.
KNOWN: tuple[Difference, ...] = ()


def section() -> str:
    """The README's section."""
    if not KNOWN:
        return "None is known. If you find one, it is a defect.\n"
    listed = "".join(f"- {difference.text}\n" for difference in KNOWN)
    return f"These are known, and are to go. If you find another, it is a defect.\n\n{listed}"

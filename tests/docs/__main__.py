"""`python -m tests.docs`: write what docs/ prints of the service anew, from the oracle and the table of codes.

In the README it writes the list of the differences that are known.

Read the difference before you keep it: this makes the documentation agree with the service, be it right or wrong.
"""

from __future__ import annotations

import re
from functools import partial

from flask.testing import FlaskClient

from service.openapi.codes import CODES
from tests.docs.conftest import filled, shop
from tests.docs.differences import README, SECTION, section
from tests.docs.examples import BLOCK, DOCS, PAGES, parse, written
from tests.oracle import OracleRepository

_TABLE = re.compile(r"(?<=\| Code \| Status \| Meaning \| What to do \|\n\|---\|---\|---\|---\|\n)(\|.*\n)*")


def main() -> None:
    rows = "".join(
        f"| `{code.code}` | {', '.join(map(str, code.statuses))} | {code.meaning} | {code.remedy} |\n" for code in CODES
    )
    for page in PAGES:
        path, client = DOCS / page, filled(OracleRepository(shop()))
        text = _TABLE.sub(lambda _: rows, path.read_text("utf-8"))
        path.write_text(BLOCK.sub(partial(_anew, client), text), "utf-8")
    README.write_text(SECTION.sub(lambda _: section(), README.read_text("utf-8")), "utf-8")


def _anew(client: FlaskClient, found: re.Match[str]) -> str:
    example = parse("", 0, found[1])
    return written(example, example.ask(client))


if __name__ == "__main__":
    main()

"""The examples in docs/: found in the Markdown, sent to the service, and written down as an answer.

An example is a fenced block marked `http`: a request line, headers, perhaps a body, which begins with the first line
that is no header; an empty line; a status line and headers; an empty line; the body. Of a problem document only the
members shown count; a line that begins with a space continues the one before it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("language.md", "errors.md")
BLOCK = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Of a problem document, what an example shows where it is written anew.
TELLING = ("code", "message", "details", "hint", "errors")
_WIDTH = 116


@dataclass(frozen=True)
class Example:
    """A request, and the answer that the documentation promises."""

    page: str
    line: int
    method: str
    path: str
    headers: dict[str, str]
    data: str
    status: str
    answered: dict[str, str]
    body: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.method} {self.path}"

    def ask(self, client: FlaskClient) -> TestResponse:
        """The service's answer."""
        url = quote(self.path, safe="%/?:@!$&'()*+,;=[]~")
        return client.open(url, method=self.method, headers=self.headers, data=self.data.encode() or None)


def examples(page: str) -> list[Example]:
    """All examples of a page."""
    markdown = (DOCS / page).read_text("utf-8")
    return [parse(page, markdown.count("\n", 0, found.start()) + 1, found[1]) for found in BLOCK.finditer(markdown)]


def parse(page: str, line: int, block: str) -> Example:
    """The example that a block writes; one without an answer has an empty status."""
    request, _, answer = block.partition("\n\n")
    request, *data = re.split(r"\n(?![\w-]+: )", request.rstrip("\n"), maxsplit=1)
    (method, path), headers = _head(request)
    head, _, body = answer.partition("\n\n")
    status, answered = _head(head) if head else ([""], {})
    return Example(
        page,
        line,
        method,
        path,
        headers,
        "".join(data),
        " ".join(status),
        answered,
        body.rstrip("\n").replace("\n ", ""),
    )


def _head(lines: str) -> tuple[list[str], dict[str, str]]:
    first, *rest = lines.rstrip("\n").split("\n")
    return first.split(" ", 1), dict(line.split(": ", 1) for line in rest)


def status(response: TestResponse) -> str:
    """The status as it stands on the first line of an answer."""
    return f"{response.status_code} {HTTPStatus(response.status_code).phrase}"


def header(response: TestResponse, name: str) -> str | None:
    """A header of an answer; methods are sorted, for their order means nothing."""
    value = response.headers.get(name)
    return ", ".join(sorted(value.split(", "))) if name == "Allow" and value else value


def text(response: TestResponse) -> str:
    """The body of an answer as it is printed, with plain line breaks and none at the end."""
    return response.get_data(as_text=True).replace("\r\n", "\n").rstrip("\n")


def written(example: Example, response: TestResponse) -> str:
    """The block of an example with this answer; it shows the headers that it showed before."""
    given = "".join(f"\n{name}: {value}" for name, value in example.headers.items())
    given += f"\n{example.data}" if example.data else ""
    shown = "".join(f"\n{name}: {header(response, name)}" for name in example.answered)
    body = text(response)
    if response.mimetype == "application/problem+json":
        problem = json.loads(body)
        body = json.dumps({name: problem[name] for name in TELLING if problem[name]}, ensure_ascii=False)
    answer = "\n\n" + _folded(body) if body else ""
    return f"```http\n{example.method} {example.path}{given}\n\n{status(response)}{shown}{answer}\n```"


def _folded(body: str) -> str:
    """A long list of records, folded between them; everything else stays whole."""
    if len(body) <= _WIDTH or not body.startswith("[{"):
        return body
    decoder, records, position = json.JSONDecoder(), [], 1
    while position < len(body):
        _, end = decoder.raw_decode(body, position)
        records.append(body[position:end])
        position = end + 1
    return "[" + ",\n ".join(records) + "]"

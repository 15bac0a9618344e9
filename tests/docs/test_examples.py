"""The documentation is true: every example gives the answer that is printed with it, on every store."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from tests.docs.examples import PAGES, Example, examples, header, status, text


@pytest.mark.parametrize("page", PAGES)
def test_every_example_gives_its_answer(page: str, client: FlaskClient) -> None:
    found = list(examples(page))
    assert len(found) > 5
    wrong = [difference for example in found if (difference := _difference(example, client))]
    assert not wrong, "\n\n".join(wrong)


def _difference(example: Example, client: FlaskClient) -> str:
    response = example.ask(client)
    body = text(response)
    met = status(response) == example.status
    met = met and all(header(response, name) == value for name, value in example.answered.items())
    if response.mimetype == "application/problem+json":
        problem, shown = json.loads(body), json.loads(example.body)
        met = met and bool(shown) and all(problem[name] == value for name, value in shown.items())
    else:
        met = met and body == example.body
    return "" if met else f"{example}\npromised {example.status} {example.body}\nanswered {status(response)} {body}"

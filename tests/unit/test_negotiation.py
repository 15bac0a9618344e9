"""Which form an `Accept` header gets."""

from __future__ import annotations

import pytest

from service.errors import RequestError
from service.negotiation import DEFAULT, LINKS, OPERATIONS, READS, READS_AND_PLANS, Form, negotiate

STRIPPED = "application/vnd.pgrst.array+json;nulls=stripped"


@pytest.mark.parametrize("accept", [None, "", "*/*", "application/json"])
def test_what_most_clients_send_costs_nothing(accept: str | None) -> None:
    assert negotiate(accept, READS) is DEFAULT


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/*", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.5, text/csv;q=0.6", "text/csv"),
        ("text/csv, application/json", "text/csv"),
        ("application/json, text/csv", "application/json"),
        ("*/*, text/csv", "text/csv"),
        ("*/*, application/json;q=0", "text/csv"),
        ("*/*, application/*;q=0", "text/csv"),
        ("application/*, application/json;q=0", "application/x-ndjson"),
        ("*/*;q=0, text/csv", "text/csv"),
        ("image/png, application/x-ndjson;q=0.1", "application/x-ndjson"),
        ("application/vnd.pgrst.object+json", "application/vnd.pgrst.object+json"),
        ("application/vnd.pgrst.object", "application/vnd.pgrst.object+json"),
        ("application/vnd.pgrst.array+json", "application/json"),
        (STRIPPED, STRIPPED),
        ("application/vnd.pgrst.object+json; nulls=stripped", "application/vnd.pgrst.object+json;nulls=stripped"),
        ("application/json;nulls=stripped", "application/json;nulls=stripped"),
        ("application/json;nulls=stripped, application/json;q=0", "application/json;nulls=stripped"),
        ("application/json;nulls=other, text/csv;q=0.1", "text/csv"),
    ],
)
def test_the_best_form_is_chosen(accept: str, content_type: str) -> None:
    media = negotiate(accept, READS)
    assert media.content_type == f"{content_type}; charset=utf-8"
    assert media.stripped == ("nulls=stripped" in content_type)


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/json;q=0",
        "*/*;q=0",
        "application/json;nulls=other",
        "text/csv;nulls=stripped",
        "application/jsonx",
        "application/vnd.pgrst.plan+json",
        "nonsense",
        ";;;,,,=",
        "\x00",
    ],
)
def test_what_cannot_be_had_is_refused(accept: str) -> None:
    with pytest.raises(RequestError) as refusal:
        negotiate(accept, READS)
    assert (refusal.value.status, refusal.value.code) == (406, "PGRST107")
    assert refusal.value.headers == {"Vary": "Accept"}


@pytest.mark.parametrize(
    ("params", "analyze", "verbose", "subject"),
    [
        ("", False, False, "application/json"),
        ("; options=analyze", True, False, "application/json"),
        ("; options=verbose|analyze", True, True, "application/json"),
        (
            '; for="application/vnd.pgrst.object+json"; options=verbose',
            False,
            True,
            "application/vnd.pgrst.object+json",
        ),
        ('; for="text/csv"', False, False, "text/csv"),
    ],
)
def test_plans(params: str, analyze: bool, verbose: bool, subject: str) -> None:
    media = negotiate(f"application/vnd.pgrst.plan+json{params}", READS_AND_PLANS)
    assert (media.form, media.analyze, media.verbose) == (Form.PLAN, analyze, verbose)
    assert media.content_type.startswith(f'application/vnd.pgrst.plan+json; for="{subject}"')


@pytest.mark.parametrize("params", ["; options=buffers", "; for=image/png", '; for="application/vnd.pgrst.plan+json"'])
def test_plans_that_cannot_be_had(params: str) -> None:
    with pytest.raises(RequestError):
        negotiate(f"application/vnd.pgrst.plan+json{params}", READS_AND_PLANS)


def test_each_kind_of_request_has_its_own_forms() -> None:
    for forms, refused in ((OPERATIONS, "text/csv"), (OPERATIONS, "application/x-ndjson"), (LINKS, "text/csv")):
        with pytest.raises(RequestError):
            negotiate(refused, forms)
        assert negotiate(f"{refused}, application/json;q=0.1", forms).form is Form.JSON
    assert negotiate("application/*", READS_AND_PLANS).form is Form.JSON

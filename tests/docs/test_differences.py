"""The README lists the differences that are known, and each of them is still there."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Settings
from tests.conftest import STORES, Stores
from tests.docs.differences import KNOWN, README, SECTION, Difference, section


def test_the_readme_lists_them() -> None:
    (shown,) = SECTION.findall(README.read_text("utf-8"))
    assert shown == section()


@pytest.mark.parametrize("difference", KNOWN, ids=lambda difference: difference.text[:40])
def test_one_that_is_mended_is_listed_no_more(stores: Stores, difference: Difference) -> None:
    assert len({shown(stores, name, difference) for name in STORES}) > 1


def test_requests_without_a_difference_show_none(stores: Stores) -> None:
    alike = Difference("none", "shop", (("POST", "/api/categories", {"name": "a"}), ("GET", "/api/categories", None)))
    assert {shown(stores, name, alike) for name in STORES} == {(200, b'[{"id":1,"name":"a"}]')}


def shown(stores: Stores, name: str, difference: Difference) -> tuple[int, bytes]:
    """The status and the body of the last answer."""
    store = stores.get(name, difference.catalog)
    client = create_app(store.repository, Settings()).test_client()
    answer: TestResponse | None = None
    try:
        for method, path, body in difference.requests:
            answer = client.open(path, method=method, json=body)
    finally:
        store.empty()
    assert answer is not None
    return answer.status_code, answer.data

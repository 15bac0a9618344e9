"""The project's own OpenAPI document, taken at its word: requests made of it, by schemathesis, and answers held to it.

What it cannot say is not held against the service: which filters and bodies of the right shape mean something, what
`Prefer: return=minimal` leaves out, and the grammar of texts that are not JSON.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.hostile.fuzz import Fuzzer, shop
from tests.prove.parts import Outcome, Part
from tests.stores import OracleStore, Store

#: What every answer is held to, and what one that has a body.
_ANSWERS = (not_a_server_error, status_code_conformance, response_headers_conformance)
_BODIES = (content_type_conformance, response_schema_conformance)
_WITHOUT_BODY = ("return=minimal", "return=headers-only")


@dataclass
class Found:
    """Figures, and what was wrong, once of each kind."""

    figures: Counter[str] = field(default_factory=Counter)
    wrong: dict[tuple[str, ...], str] = field(default_factory=dict)

    def ask(self, case: Any, mode: GenerationMode) -> None:
        """Send a request, and look at its answer."""
        response = case.call()
        self.figures["cases"] += 1
        self.figures[f"{mode.value}: {response.status_code}"] += 1
        checks = [*_ANSWERS]
        if response.content or not any(wish in str(case.headers.get("Prefer")) for wish in _WITHOUT_BODY):
            checks += _BODIES
        # Schemathesis does not take these for refusals: too many operations (413), and a limit below 0 (416).
        if mode is GenerationMode.NEGATIVE and not _says_little(case) and response.status_code not in {413, 416}:
            checks.append(negative_data_rejection)
        try:
            case.validate_response(response, checks=checks)
        except BaseExceptionGroup as group:
            for error in group.exceptions:
                self._note(case, error)
        except AssertionError as error:
            self._note(case, error)

    def _note(self, case: Any, error: BaseException) -> None:
        text = str(error)
        self.wrong.setdefault((type(error).__name__, case.method, text[:60]), f"{case.as_curl_command()}\n{text}")


def _says_little(case: Any) -> bool:
    """Whether the document does not tell which requests are bad.

    The path of an item knows its methods, whatever the key; and where `columns` are listed, a body may have others.
    """
    bad = {location for location, part in case.meta.components.items() if part.mode is GenerationMode.NEGATIVE}
    free = "columns" in (case.query or {}) and bad <= {ParameterLocation.BODY}
    return case.method == "OPTIONS" or case.media_type not in (None, "application/json") or free


def asked(store: Store, examples: int, number: int, *, paths: str = "", deadline: float = float("inf")) -> Outcome:
    """So many good and so many bad requests to each operation, until the deadline; `paths` is a pattern."""
    fuzzer, found = Fuzzer(store, number), Found()
    fuzzer.fill()
    document: Any = schemathesis.openapi.from_wsgi("/openapi.json", fuzzer.app)
    if paths:
        document = document.include(path_regex=paths)
    for operation in (each.ok() for each in document.get_all_operations()):
        for mode in GenerationMode:
            if time.monotonic() > deadline:
                break
            try:
                _asker(found, operation.as_strategy(generation_mode=mode), mode, examples, number)()
            except Unsatisfiable:  # an operation without parameters has no bad requests
                continue
    store.empty()
    return Outcome(dict(found.figures), list(found.wrong.values()))


def _asker(found: Found, cases: Any, mode: GenerationMode, examples: int, number: int) -> Callable[[], None]:
    quick = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def ask(case: Any) -> None:
        found.ask(case, mode)

    made: Callable[[], None] = seed(number)(quick(given(case=cases)(ask)))
    return made


def run(seconds: float, number: int) -> Outcome:
    """Rounds over all operations for so long, on the plain store."""
    outcome, deadline, round_number = Outcome(), time.monotonic() + seconds, 0
    while time.monotonic() < deadline and not outcome.differences:
        outcome.add(asked(OracleStore(shop()), 30, number + 1000 * round_number, deadline=deadline))
        round_number += 1
    return outcome


PART = Part("openapi", "The OpenAPI document tells the truth", run, weight=0.5)

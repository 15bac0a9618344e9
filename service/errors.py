"""What is wrong with a request: one exception, from which one problem document is made (see `problems.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a body: where (a JSON pointer into it, RFC 6901), which code, and why."""

    pointer: str
    code: str
    message: str


@dataclass(eq=False)
class RequestError(Exception):
    """A request that is refused for what it says, before or after any I/O.

    `code` is PostgreSQL's SQLSTATE or PostgREST's PGRSTnnn. `headers` go into the answer; `by_data` tells that another
    state of the data might have led to another answer.
    """

    status: int
    code: str
    message: str
    details: str | list[dict[str, str]] | None = None
    hint: str | None = None
    errors: tuple[Violation, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    by_data: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.message)


def bad_syntax(message: str, details: str | None = None, hint: str | None = None) -> RequestError:
    """A parameter that cannot be parsed (PGRST100)."""
    return RequestError(400, "PGRST100", message, details, hint)


def bad_body(message: str, details: str | None = None) -> RequestError:
    """A body that cannot be parsed, or is of the wrong shape (PGRST102)."""
    return RequestError(400, "PGRST102", message, details)


def not_single(count: int) -> RequestError:
    """406: the answer is not one record (PGRST116)."""
    return RequestError(
        406,
        "PGRST116",
        "Cannot coerce the result to a single JSON object",
        f"The result contains {count} rows",
        headers={"Vary": "Accept"},
        by_data=True,
    )

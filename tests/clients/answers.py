"""What a client makes of a request, in one form for both clients; and the Python client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from postgrest import APIError, APIResponse, SyncPostgrestClient


@dataclass(frozen=True)
class Answer:
    """Data and count, or the error's code, message, details and hint."""

    data: Any = None
    count: int | None = None
    error: dict[str, Any] | None = None


#: A query of the Python client, or what a test adds to one; its builders have no base in common.
PythonQuery = Callable[[Any], Any]


def ask_python(client: SyncPostgrestClient, query: PythonQuery) -> Answer:
    """The answer to a query, from the Python client."""
    try:
        response = query(client).execute()
    except APIError as error:
        return Answer(error={name: getattr(error, name) for name in ("code", "message", "details", "hint")})
    if isinstance(response, APIResponse):
        return Answer(response.data, response.count)
    return Answer(response)

"""How a store answers a read, as an answer of its own."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from repositories.base import Explanation
from service.negotiation import Media
from service.representation.responses import respond


def plan(explanation: Explanation, media: Media) -> Response:
    """The explanation as a JSON object, whose members are the same from every store."""
    return respond(orjson.dumps(explanation, default=str), 200, media)


def members(explanation: Explanation) -> dict[str, Any]:
    """The explanation as the same JSON object, decoded."""
    decoded: dict[str, Any] = orjson.loads(orjson.dumps(explanation, default=str))
    return decoded

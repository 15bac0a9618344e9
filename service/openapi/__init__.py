"""The API's own description: OpenAPI 3.1 at `/openapi.json`, made from the catalog."""

from __future__ import annotations

import json

from flask import Blueprint, Response, request

from repositories.base import representation_tag
from repositories.schema import Catalog
from service.openapi.document import build


def blueprint(
    catalog: Catalog, prefix: str, *, plans: bool = False, keys: bool = False, operations: int = 100
) -> Blueprint:
    """The route `/openapi.json`. The document is made once; see `document.build`."""
    routes = Blueprint("openapi", __name__)
    # The standard library's encoder, since bounds of decimals may have more digits than 64 bits hold.
    document = build(catalog, prefix.rstrip("/"), plans=plans, keys=keys, operations=operations)
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    tag = representation_tag(body)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        known = request.if_none_match.contains_weak(tag)
        response = Response(status=304) if known else Response(body, content_type="application/json")
        response.set_etag(tag)
        response.cache_control.no_cache = True
        return response

    return routes

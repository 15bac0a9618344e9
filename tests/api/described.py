"""The OpenAPI document, and whether values and answers are what it says."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

TEXTS = ("text/csv", "application/x-ndjson")
TOLD = {
    "Content-Range",
    "ETag",
    "Location",
    "Link",
    "Preference-Applied",
    "Idempotent-Replayed",
    "Retry-After",
    "Allow",
}
PRODUCT = {"sku": "A-1", "name": "Lamp", "price": 19.99, "weight": 0.5, "tags": ["new"], "attributes": {"a": [1, None]}}


def description(client: FlaskClient) -> dict[str, Any]:
    """The document, as the service gives it."""
    response = client.get("/openapi.json")
    assert response.status_code == 200
    return json.loads(response.get_data())  # type: ignore[no-any-return]


def checked(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    """Raise `jsonschema.ValidationError` where the value is not what the document's schema says."""
    complete = schema | {"components": document["components"]}
    jsonschema.Draft202012Validator(complete, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
        value
    )


def resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def conforms(document: dict[str, Any], path: str, response: TestResponse) -> None:
    """Whether the response is one that the document promises of this path and method."""
    operation = document["paths"][path][response.request.method.lower()]
    promised = resolved(document, operation["responses"][str(response.status_code)])
    undescribed = TOLD - promised.get("headers", {}).keys()
    assert not undescribed & set(response.headers.keys())
    body = response.get_data(as_text=True)
    if not promised.get("content"):
        assert body == ""
        return
    schema = promised["content"][response.mimetype]["schema"]
    checked(document, schema, body if response.mimetype in TEXTS else json.loads(body))

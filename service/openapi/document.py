"""The catalog as an OpenAPI 3.1 document."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from repositories.schema import Catalog
from service.openapi import batch, parameters, paths, responses, schemas

_ABOUT = """\
One REST API over the resources of this service, in the URL language of [PostgREST](https://postgrest.org): filters are
`column=operator.value`, and `select`, `order`, `limit` and `offset` shape the answer. Decimals are JSON numbers with
all digits of their scale; instants are in UTC, to the millisecond. Each request is one transaction; `_batch` takes
several. Errors are `application/problem+json`."""


def build(
    catalog: Catalog, prefix: str, *, plans: bool = False, keys: bool = False, operations: int = 100
) -> dict[str, Any]:
    """The document of an API whose resources stand under `prefix` (empty for the root).

    With `plans` it explains; `keys` demands an `Idempotency-Key` of every write; a batch has so many `operations`.
    """
    resources = list(catalog)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Diglot",
            "version": version("diglot"),
            "description": _ABOUT,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            *({"name": resource.name, "description": resource.description} for resource in resources),
            {"name": "service", "description": "The service itself."},
        ],
        "paths": _merged(paths.of_resource(prefix, resource, plans=plans) for resource in resources)
        | paths.of_service(prefix),
        "components": {
            "schemas": _merged(schemas.resource_schemas(resource) for resource in resources)
            | parameters.filter_schemas()
            | batch.schemas(prefix, operations)
            | {"problem": responses.problem_schema()}
            | ({"plan": responses.plan_schema()} if plans else {}),
            "parameters": parameters.shared(keys=keys)
            | _merged(parameters.of_resource(resource) for resource in resources),
            "headers": responses.headers(),
            "responses": responses.errors(),
        },
    }


def _merged(parts: Any) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}

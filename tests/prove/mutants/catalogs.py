"""Small catalogs, so that the requests that are generated for one are mostly about what a mistake is in."""

from __future__ import annotations

from typing import Any

from tests.prove.worlds import Request

_TEXT: dict[str, Any] = {"type": "string"}
_INSTANT = {"type": "string", "format": "date-time"}
_DECIMAL = {"type": "number", "format": "decimal", "precision": 12, "scale": 2}


def _resource(*, unique: list[list[str]] | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "primaryKey": "id",
        "properties": {"id": {"type": "integer"}, **properties},
        **({"unique": unique} if unique else {}),
    }


def _reference(target: str, rule: str, **more: Any) -> dict[str, Any]:
    return {"references": {"resource": target, "onDelete": rule, **more}}


def _one_of(*values: Any, **more: Any) -> dict[str, Any]:
    return {"type": "string", "enum": list(values), **more}


def _array(*values: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": _one_of(*values, **more)}


CATALOGS: dict[str, dict[str, Any]] = {
    "texts": {"resources": {"notes": _resource(body=_TEXT, name={**_TEXT, "minLength": 0})}},
    "letters": {
        "resources": {"items": _resource(name=_one_of("é", "É", "Σ", "σ", "ς", "\u212a", "k", "ſ", "s", "ß", "ẞ"))}
    },
    "patterns": {"resources": {"items": _resource(name=_one_of("a%b", "a_b", "axb", "a\\b", "ab", "(a)"))}},
    "json": {"resources": {"items": _resource(data={})}},
    "arrays": {
        "resources": {
            "items": _resource(numbers=_array(1, 2, 3, type="integer", format="int32"), words=_array("a", "b", "é")),
            "tags": _resource(words=_array("a", "b")),
        }
    },
    "numbers": {
        "resources": {
            "items": _resource(count={"type": "integer"}, size={"type": "number"}, price=_DECIMAL),
            "prices": _resource(price=_DECIMAL | {"scale": 1}, rate={"type": "number"}),
        }
    },
    "sums": {
        "resources": {
            "items": _resource(
                count=_one_of(2**63 - 1, 2**63 - 2, -1, 2**53 + 1, type="integer"),
                size={"type": "number", "minimum": 0.1, "maximum": 2},
            )
        }
    },
    "instants": {"resources": {"items": _resource(at=_INSTANT), "events": _resource(end=_INSTANT, name=_TEXT)}},
    "links": {
        "resources": {
            "users": _resource(
                code={"type": "integer", "format": "int32", "unique": True, "minimum": 0, "maximum": 100}, name=_TEXT
            ),
            "orders": _resource(
                user_id=_reference("users", "cascade"),
                code=_reference("users", "setNull", field="code"),
                status={"type": "string", "enum": ["a", "B", ""]},
            ),
            "lines": _resource(
                order_id=_reference("orders", "cascade"),
                user_id=_reference("users", "restrict"),
                place={"type": "integer", "format": "int32", "enum": [0, 1, 2, 3]},
                unique=[["order_id", "place"]],
            ),
        }
    },
}

#: Doubles whose sum is another one where they are added up as doubles.
SUMMED = (
    Request("POST", "/api/items", (("Content-Type", "text/csv"),), b"id,size\n901,0.1\n902,0.2\n"),
    Request("GET", "/api/items?select=size.sum()&id=in.(901,902)"),
)

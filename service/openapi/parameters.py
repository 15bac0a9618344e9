"""The parameters and headers of requests: filters typed by their column, and those that every resource has."""

from __future__ import annotations

from typing import Any

from repositories.query import Operator, State
from repositories.schema import Kind, Resource
from service.dialect.filters import QUANTIFIABLE
from service.openapi.schemas import Schema, type_schema
from service.planner.operands import APPLICABLE

Parameter = dict[str, Any]

_DIGITS = r"[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
#: What a value looks like in a filter, by the kind of the column; any text where nothing is said.
_VALUES: dict[Kind, str] = {
    Kind.UUID: r"\{?[0-9a-fA-F-]{32,36}\}?",
    Kind.DATE: r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    Kind.DATETIME: r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:.]+)?([Zz]|[+-][0-9:]+)?",
    Kind.INT32: _DIGITS,
    Kind.INT64: _DIGITS,
    Kind.DOUBLE: _NUMBER,
    Kind.DECIMAL: _NUMBER,
    Kind.BOOLEAN: "(true|false)",
    Kind.ARRAY: r"\{[\s\S]*\}",
}
_EXAMPLES: dict[Kind, str] = {
    Kind.STRING: "ilike.*lamp*",
    Kind.UUID: "eq.01857182-791e-7731-a9b3-b30364f4e303",
    Kind.DATE: "gte.2026-01-31",
    Kind.DATETIME: "lt.2026-01-31T09:30:00Z",
    Kind.INT32: "gte.10",
    Kind.INT64: "in.(1,2,3)",
    Kind.DOUBLE: "lt.0.5",
    Kind.DECIMAL: "gte.9.99",
    Kind.BOOLEAN: "is.true",
    Kind.ARRAY: "cs.{1,2}",
    Kind.JSON: 'cs.{"colour":"grey"}',
}
_TREE = (
    "Conditions joined by {word}, within parentheses: `(price.gte.10,not.and(stock.eq.0,active.is.true))`. "
    "Trees may be nested, and stand before an embed's name and a dot as well."
)
_RETURN = "What to answer with: `return=representation`, `return=headers-only` or `return=minimal`"
_COUNT = "`count=exact` tells the number of records in `Content-Range`"
_HANDLING = (
    "`max-affected=5` undoes a write that concerns more records; `handling=strict` refuses unknown preferences, "
    "`handling=lenient` passes over `max-affected`"
)
LOGIC = {
    "and": "*and*, all of which must hold",
    "or": "*or*, one of which must hold",
    "not.and": "*and*, and negated",
    "not.or": "*or*, and negated",
}


def shared(*, keys: bool = False) -> dict[str, Parameter]:
    """The parameters that all resources have in common, by their names in the document; `keys` demands one."""
    logic = {
        name: _query(name, _TREE.format(word=word), {"type": "string", "pattern": r"^\([\s\S]+\)$"})
        for name, word in LOGIC.items()
    }
    return logic | {
        "limit": _query(
            "limit",
            "The most records to answer with; a page is never larger than the service allows.",
            {"type": "integer", "minimum": 0, "maximum": 10**18 - 1, "examples": [20]},
        ),
        "offset": _query(
            "offset",
            "How many records to skip; a number below 0 is taken for 0.",
            {"type": "integer", "minimum": 1 - 10**18, "maximum": 10**18 - 1, "examples": [0]},
        ),
        "if-match": _header(
            "If-Match",
            "Entity tags of the record, or `*` for any: the write is refused with 412 unless it has one of them.",
            '"c3Vubnk"',
        ),
        "if-none-match.write": _header(
            "If-None-Match",
            "Entity tags, or `*` for any: the write is refused with 412 if the record has one of them. "
            "Only one of `If-Match` and `If-None-Match` may be given.",
            "*",
        ),
        "idempotency-key": _header(
            "Idempotency-Key",
            "A text of the client's own, in double quotes: the request is carried out once, and a repetition gets the "
            "same answer.",
            '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
        )
        | {"required": keys},
        "if-none-match": _header(
            "If-None-Match", "Entity tags that the client has: it is answered 304 if the record has one.", '"c3Vubnk"'
        ),
        "range": _header(
            "Range",
            "The first and the last record of the page, counted from 0: `0-24`, or `25-` without a last.",
            "0-24",
        ),
        "range-unit": _header("Range-Unit", "What `Range` counts.", "items"),
        "prefer.read": _header(
            "Prefer",
            "`count=exact` counts all records that meet the filters; `handling=strict` refuses unknown preferences.",
            "count=exact",
        ),
        "prefer.insert": _header(
            "Prefer",
            f"{_RETURN}; `resolution=merge-duplicates` changes records that are there already, "
            "`resolution=ignore-duplicates` passes them over; `missing=default` gives what `columns` names and a "
            f"record lacks its default, `missing=null` null; {_COUNT}; {_HANDLING}.",
            "resolution=merge-duplicates, return=minimal",
        ),
        "prefer.write": _header(
            "Prefer", f"{_RETURN}; {_COUNT}; {_HANDLING}.", "return=representation, max-affected=1"
        ),
        "prefer.item": _header("Prefer", f"{_RETURN}; {_HANDLING}.", "return=representation"),
    }


def filter_schemas() -> dict[str, Schema]:
    """What a filter on a column looks like, for each kind of column."""
    return {f"filter.{kind.value}": _filter_schema(kind) for kind in Kind}


def of_resource(resource: Resource) -> dict[str, Parameter]:
    """The parameters that name the resource's columns: one filter for each, `select` and `order`."""
    found: dict[str, Parameter] = {}
    for field in resource.fields.values():
        found[f"{resource.name}.filter.{field.name}"] = _query(
            field.name,
            f"A condition on `{field.name}`. Given more than once, all must hold.",
            {"type": "array", "items": {"$ref": f"#/components/schemas/filter.{field.type.kind.value}"}},
        )
    names = list(resource.fields)
    found[f"{resource.name}.select"] = _listed(
        "select",
        "The columns to answer with. The language has more than this schema tells: aliases, casts, JSON paths, "
        "embedded resources and aggregates, whose answers have members of their own.",
        {"type": "string", "enum": names},
        unique=True,
    ) | {"allowEmptyValue": True}
    found[f"{resource.name}.order"] = _listed(
        "order",
        "The columns to order by, each with its direction and the place of nulls. The primary key breaks ties.",
        {"type": "string", "pattern": rf"^({'|'.join(names)})(\.(asc|desc))?(\.(nullsfirst|nullslast))?$"},
    ) | {"allowEmptyValue": True}
    found[f"{resource.name}.columns"] = _listed(
        "columns",
        "The members of the body to write; the others are ignored.",
        {"type": "string", "enum": [field.name for field in resource.fields.values() if not field.read_only]},
    )
    found[f"{resource.name}.on_conflict"] = _listed(
        "on_conflict",
        "What a `resolution` finds records by: the primary key, as without it, or a unique set.",
        {"type": "string", "enum": names},
    )
    return found


def key_parameters(resource: Resource) -> list[Parameter]:
    """The parts of the primary key in the path of a record."""
    return [
        {
            "name": field.name,
            "in": "path",
            "required": True,
            "description": field.description or f"The record's `{field.name}`.",
            "schema": ({"minLength": 1} if field.type.kind is Kind.STRING else {}) | type_schema(field.type),
        }
        for field in resource.key
    ]


def _filter_schema(kind: Kind) -> Schema:
    """`[not.]operator.value`, with the operators that are defined for the kind."""
    fitting = [operator for operator in Operator if kind in APPLICABLE[operator] and operator is not Operator.IN]
    value = _VALUES.get(kind, r"[\s\S]*")
    states = [state.value for state in State if kind is Kind.BOOLEAN or state in (State.NULL, State.NOT_NULL)]
    quantified = [operator.value for operator in fitting if operator in QUANTIFIABLE]
    forms = (
        rf"({'|'.join(operator.value for operator in fitting)})\.{value}",
        rf"({'|'.join(quantified)})\((any|all)\)\.\{{[\s\S]*\}}",
        r"in\.\([\s\S]*\)",
        rf"is\.({'|'.join(states)})",
    )
    return {
        "type": "string",
        "description": "`operator.value`, or `not.operator.value`. Operators: "
        + ", ".join(f"`{name}`" for name in sorted((*(operator.value for operator in fitting), "in", "is"))),
        "pattern": rf"^(not\.)?({'|'.join(forms)})$",
        "examples": [_EXAMPLES[kind]],
    }


def _query(name: str, description: str, schema: Schema) -> Parameter:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _listed(name: str, description: str, items: Schema, *, unique: bool = False) -> Parameter:
    schema: Schema = {"type": "array", "items": items, "minItems": 1} | ({"uniqueItems": True} if unique else {})
    return _query(name, description, schema) | {"style": "form", "explode": False}


def _header(name: str, description: str, example: str) -> Parameter:
    return {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string", "examples": [example]},
    }

"""The JSON Schema for editors says of a file what the service says of it, as far as JSON Schema can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from service.catalog import CatalogError, Problem, json_schema, loads
from service.catalog.source import parse

SHOP = parse((Path(__file__).parent.parent / "shop.yaml").read_text(), "shop.yaml").data
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def judged(text: str) -> tuple[Problem, ...]:
    """The problems that the service finds."""
    try:
        loads(text, "f")
    except CatalogError as error:
        return error.problems
    return ()


def test_the_schema_is_one_and_takes_the_shop() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$id" not in SCHEMA
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert list(VALIDATOR.iter_errors(SHOP)) == []


def test_every_keyword_and_every_mapping_is_described() -> None:
    definitions = [SCHEMA, *SCHEMA["$defs"].values()]
    assert all(definition["title"] and definition["description"] for definition in definitions)
    keywords = [(name, part) for definition in definitions for name, part in definition["properties"].items()]
    assert len(keywords) > 100
    assert [name for name, part in keywords if not part.get("description") or part.get("title", name) != name] == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "resources: {}",
        "resources: {r: {properties: {id: {type: integer}}}}",
        "resources: {r: {primaryKey: id, properties: {}}}",
        "resources: {r: {primaryKey: [], properties: {id: {type: integer}}}}",
        "resources: {_r: {primaryKey: id, properties: {id: {type: integer}}}}",
        "resources: {r: {primaryKey: id, colour: red, properties: {id: {type: integer}}}}",
        "resources: {r: {primaryKey: id, required: id, properties: {id: {type: integer}}}}",
        "resources: {r: {primaryKey: id, indexes: [id], properties: {id: {type: integer}}}}",
        "resources: {r: {primaryKey: id, properties: {id: {type: integer}, order: {}}}}",
        "resources: {r: {primaryKey: id, properties: {id: {type: integr}}}}",
        "resources: {r: {primaryKey: id, properties: {id: {type: integer, maxLength: 5}}}}",
        "resources: {r: {primaryKey: id, properties: {id: {type: integer, minimum: null}}}}",
        "resources: {r: {primaryKey: id, properties: {id: {type: string, generated: sequence}}}}",
        "resources: {r: {primaryKey: id, properties: {id: {type: string}, x: {type: array, items: {}}}}}",
        "resources: {r: {primaryKey: id, properties: {id: {type: string}, x: {references: {name: y}}}}}",
        "resources: {r: {primaryKey: id, properties: {id: {type: string}, x: {references: []}}}}",
        "resources: {r: {primaryKey: id, properties: {id: {type: number, precision: 35}}}}",
    ],
)
def test_broken_files_are_broken_for_the_editor_too(text: str) -> None:
    assert judged(text)
    assert list(VALIDATOR.iter_errors(parse(text, "f").data))


_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["string", "integer", "array", "id", "products", "setNull", "[", "now"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "items", "references", "enum", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The shop with one value somewhere replaced by anything, or with a key too many."""
    data = json.loads(json.dumps(SHOP))
    here: Any = data
    while True:
        step: Any = draw(st.sampled_from(list(here) if isinstance(here, dict) else list(range(len(here)))))
        inside = here[step]
        if not isinstance(inside, dict | list) or not inside or draw(st.integers(0, 3)) == 0:
            break
        here = inside
    if isinstance(here, dict) and draw(st.booleans()):
        step = draw(st.text(max_size=5) | st.sampled_from(["unique", "references", "default", "required"]))
    here[step] = draw(_ANYTHING)
    return data


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_whatever_the_file_it_is_judged_in_lines_and_the_schema_is_never_stricter(data: Any) -> None:
    problems = judged(json.dumps(data))
    for problem in problems:
        assert problem.message
        assert problem.hint
        assert problem.line > 0
        assert "\n" not in str(problem)
    if not problems:
        assert list(VALIDATOR.iter_errors(data)) == []

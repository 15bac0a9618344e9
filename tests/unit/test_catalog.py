"""A resource file becomes the catalog that it describes."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from repositories.schema import MISSING, Catalog, Field, Generated, Kind, OnDelete, Reference, Resource, Shape, Type
from service.catalog import load, loads
from tests.catalogs import shop

SHOP = Path(__file__).parent.parent / "shop.yaml"
TARGET = """
  t:
    primaryKey: id
    unique: [[c, b]]
    properties:
      id: {type: string, format: uuid}
      code: {type: string, maxLength: 5, unique: true}
      b: {type: integer}
      c: {type: number, format: decimal, precision: 5, scale: 1}"""


def resource(properties: str, rest: str = "") -> Resource:
    """The resource `r` of a file with these properties (flow mappings) beside `id`, and the target `t`."""
    text = f"resources:{TARGET}\n  r:\n    primaryKey: id\n    properties: {{id: {{type: integer}}, {properties}}}\n"
    return loads(text + rest, "r.yaml")["r"]


def only(definition: str) -> Field:
    return resource(f"x: {definition}").fields["x"]


def as_data(catalog: Catalog) -> dict[str, dict[str, object]]:
    """The catalog with its fields and resources, which compare by identity, as what they hold."""
    return {
        name: {part.name: getattr(one, part.name) for part in fields(one) if part.name != "fields"}
        | {"fields": [vars(field) for field in one.fields.values()]}
        for name, one in catalog.resources.items()
    }


def test_the_shop_file_is_the_shop_catalog() -> None:
    loaded, written = as_data(load(SHOP)), as_data(shop())
    assert list(loaded) == list(written)
    for name, expected in written.items():
        for part, value in expected.items():
            assert loaded[name][part] == value, f"{name}.{part}"


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("{type: string}", Type(Kind.STRING)),
        (
            "{type: string, minLength: 1, maxLength: 9, pattern: '^a|b$', enum: [ab, a]}",
            Type(Kind.STRING, min_length=1, max_length=9, pattern="^a|b$", enum=("ab", "a")),
        ),
        (
            "{type: string, format: uuid, enum: [0190F3A0-0000-7000-8000-000000000000]}",
            Type(Kind.UUID, enum=(UUID("0190f3a0-0000-7000-8000-000000000000"),)),
        ),
        ("{type: string, format: date, enum: [2026-01-31]}", Type(Kind.DATE, enum=(date(2026, 1, 31),))),
        ("{type: string, format: date-time}", Type(Kind.DATETIME)),
        ("{type: integer}", Type(Kind.INT64)),
        ("{type: integer, format: int64, maximum: 9223372036854775807}", Type(Kind.INT64, maximum=2**63 - 1)),
        (
            "{type: integer, format: int32, minimum: 1, exclusiveMaximum: 3, enum: [1, 2]}",
            Type(Kind.INT32, minimum=1, exclusive_maximum=3, enum=(1, 2)),
        ),
        (
            "{type: number, minimum: 0, exclusiveMaximum: 1e3}",
            Type(Kind.DOUBLE, minimum=0.0, exclusive_maximum=1000.0),
        ),
        (
            "{type: number, format: decimal, precision: 34, scale: 4, maximum: 123456789012345678901234567890.1234}",
            Type(Kind.DECIMAL, precision=34, scale=4, maximum=Decimal("123456789012345678901234567890.1234")),
        ),
        ("{type: number, format: decimal, precision: 3}", Type(Kind.DECIMAL, precision=3, scale=0)),
        ("{type: boolean}", Type(Kind.BOOLEAN)),
        (
            "{type: array, items: {type: string, maxLength: 3}, minItems: 1, maxItems: 2}",
            Type(Kind.ARRAY, items=Type(Kind.STRING, max_length=3), min_items=1, max_items=2),
        ),
        ("{type: object}", Type(Kind.JSON, shape=Shape())),
        (
            "{type: object, properties: {a.b: {type: integer}, $c: {}, d: {type: object}}, required: [$c],"
            " additionalProperties: false}",
            Type(
                Kind.JSON,
                shape=Shape(
                    (("a.b", Type(Kind.INT64)), ("$c", Type(Kind.JSON)), ("d", Type(Kind.JSON, shape=Shape()))),
                    frozenset({"$c"}),
                    additional=False,
                ),
            ),
        ),
        ("{}", Type(Kind.JSON)),
        ("{title: Anything, examples: [{a: 1}, 2]}", Type(Kind.JSON)),
    ],
)
def test_types(definition: str, expected: Type) -> None:
    assert only(definition).type == expected


def test_bounds_of_decimals_are_exact_and_of_doubles_are_floats() -> None:
    assert repr(only("{type: number, format: decimal, precision: 5, minimum: 0.1}").type.minimum) == "Decimal('0.1')"
    assert repr(only("{type: number, minimum: 1}").type.minimum) == "1.0"
    assert repr(only("{type: integer, minimum: 1}").type.minimum) == "1"


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("{type: string, default: '5'}", "5"),
        ("{type: string, default: yes}", "yes"),
        ("{type: integer, default: -9223372036854775808}", -(2**63)),
        ("{type: number, default: 2}", 2.0),
        ("{type: number, format: decimal, precision: 5, scale: 2, default: 1.5}", Decimal("1.50")),
        ("{type: boolean, default: false}", False),
        (
            "{type: string, format: uuid, default: 0190F3A0-0000-7000-8000-00000000000A}",
            UUID("0190f3a0-0000-7000-8000-00000000000a"),
        ),
        ("{type: string, format: date, default: 2026-02-28}", date(2026, 2, 28)),
        (
            "{type: string, format: date-time, default: '2026-01-31T10:30:00.1239+01:00'}",
            datetime(2026, 1, 31, 9, 30, 0, 123000, UTC),
        ),
        (
            "{type: array, items: {type: number, format: decimal, precision: 3, scale: 1}, default: [1, 2.5]}",
            [Decimal("1.0"), Decimal("2.5")],
        ),
        ("{type: object, default: {a: [1, 0.5, null, {b: x}]}}", {"a": [1, 0.5, None, {"b": "x"}]}),
        ("{default: [1, {a: null}]}", [1, {"a": None}]),
        ("{type: string, default: null}", None),
        ("{type: string}", MISSING),
    ],
)
def test_defaults_have_the_ports_types(definition: str, expected: object) -> None:
    default = only(definition).default
    assert repr(default) == repr(expected)


def test_generated_fields_are_read_only_unless_the_file_says_otherwise() -> None:
    generated = only("{type: string, format: uuid, generated: uuid7}")
    assert (generated.generated, generated.read_only) == (Generated.UUID7, True)
    assert only("{type: string, format: date-time, generated: now, readOnly: false}").read_only is False
    assert only("{type: integer, format: int32, generated: sequence}").generated is Generated.SEQUENCE
    assert only("{type: string}").read_only is False
    assert only("{type: string, readOnly: true}").read_only is True


def test_fields_that_a_sequence_fills_are_never_null() -> None:
    assert only("{type: integer, generated: sequence}").required
    assert not only("{type: string, format: uuid, generated: uuid7}").required


def test_key_fields_are_required_by_themselves() -> None:
    made = loads("resources: {r: {primaryKey: [a, b], properties: {a: {type: string}, b: {type: boolean}}}}", "r")["r"]
    assert made.primary_key == ("a", "b")
    assert [field.required for field in made.key] == [True, True]


def test_descriptions_and_titles() -> None:
    made = resource("x: {type: string, title: T, description: D}, y: {title: T}", "    title: The rs\n")
    assert (made.description, made.fields["x"].description, made.fields["y"].description) == ("The rs", "D", "T")


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("x: {references: t}", Reference("t", "r_x_fkey", ("x",), "t", ("id",))),
        ("x_id: {references: t}", Reference("x", "r_x_id_fkey", ("x_id",), "t", ("id",))),
        ("XId: {references: t}", Reference("X", "r_XId_fkey", ("XId",), "t", ("id",))),
        (
            "x: {references: {resource: t, field: code, name: y, onDelete: cascade}}",
            Reference("y", "r_x_fkey", ("x",), "t", ("code",), OnDelete.CASCADE),
        ),
        (
            "x: {type: integer, references: {resource: r, onDelete: setNull}}",
            Reference("r", "r_x_fkey", ("x",), "r", ("id",), OnDelete.SET_NULL),
        ),
    ],
)
def test_references_of_one_field(definition: str, expected: Reference) -> None:
    assert resource(definition).references == (expected,)


def test_a_reference_takes_its_type_from_its_target_through_chains() -> None:
    text = f"""resources:{TARGET}
  r:
    primaryKey: id
    properties:
      id: {{references: s}}
      price: {{type: number, format: decimal, precision: 5, scale: 1}}
  s:
    primaryKey: code
    properties:
      code: {{references: {{resource: t, field: code}}}}
"""
    catalog = loads(text, "r.yaml")
    assert catalog["r"].fields["id"].type is catalog["s"].fields["code"].type is catalog["t"].fields["code"].type
    assert catalog["r"].fields["id"].type == Type(Kind.STRING, max_length=5)


def test_a_composite_reference_follows_the_order_of_the_key_it_points_at() -> None:
    properties = "b: {type: integer}, c: {type: number, format: decimal, precision: 5, scale: 1}"
    for fields_, targets in (("[b, c]", "[b, c]"), ("[c, b]", "[c, b]")):
        made = resource(properties, f"    references: [{{fields: {fields_}, resource: t, targetFields: {targets}}}]\n")
        assert made.references == (Reference("t", "r_c_b_fkey", ("c", "b"), "t", ("c", "b")),)


def test_names_of_constraints_are_given_once() -> None:
    text = """resources:
  a_b:
    primaryKey: id
    indexes: [[-c], [d, -c], [d, c]]
    properties: {id: {type: integer}, c: {type: string, unique: true}, d: {type: string}}
  a:
    primaryKey: id
    properties: {id: {type: integer}, b_c: {type: string, unique: true}}
"""
    catalog = loads(text, "r.yaml")
    assert [unique.name for one in catalog for unique in one.uniques] == ["a_b_c_key", "a_b_c_key1"]
    assert [index.name for index in catalog["a_b"].indexes] == ["a_b_c_idx", "a_b_d_c_idx", "a_b_d_c_idx1"]


def test_a_long_name_of_a_constraint_is_cut_to_63_characters() -> None:
    long = "x" * 63
    made = resource(f"{long}: {{type: string, unique: true}}, {long[1:]}: {{type: string, unique: true}}")
    names = [unique.name for unique in made.uniques]
    assert [len(name) for name in names] == [63, 63]
    assert names[0] != names[1]


def test_anchors_save_repetition() -> None:
    made = resource("x: &money {type: number, format: decimal, precision: 9, scale: 2}, y: *money")
    assert made.fields["x"].type == made.fields["y"].type == Type(Kind.DECIMAL, precision=9, scale=2)


def test_json_is_yaml_and_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(
        b'\xef\xbb\xbf{"resources": {"r": {"primaryKey": "id", "properties": {"id": {"type": "integer"}}}}}'
    )
    assert list(load(str(path)).resources) == ["r"]

"""Whatever is wrong with a resource file is named with its line, its column, its cause and the way out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.catalog import CatalogError, loads
from service.catalog.builder import MAX_INDEXES
from service.catalog.document import MAX_FIELDS, MAX_KEY_FIELDS


def problems(text: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        loads(text, "f")
    return str(caught.value).splitlines()


def located(marked: str) -> tuple[str, str]:
    """The text without its mark `¦`, and the line and column of the mark."""
    before = marked[: marked.index("¦")]
    return marked.replace("¦", ""), f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ("", "X: must be a mapping, not nothing; write `{type: string}` or another type, or `{}` for JSON of any"),
        ("¦string", 'X: must be a mapping, not the text "string"; write `{type: string}` or another type'),
        ("{¦type: }", "X.type: has no value; write one of string, integer, number, boolean, array, object"),
        ("{type: ¦[string]}", "X.type: a list is not a type; write one of string, integer"),
        ("{type: ¦strng}", 'X.type: the text "strng" is not a type; did you mean `string`?'),
        ("{type: ¦uuid}", 'X.type: the text "uuid" is not a type; write `type: string, format: uuid`'),
        ("{type: ¦bigint}", 'X.type: the text "bigint" is not a type; write `type: integer`'),
        ("{type: ¦json}", 'X.type: the text "json" is not a type; leave `type` out for JSON of any shape'),
        ("{type: string, ¦defualt: x}", "X.defualt: the key is not known; did you mean `default`?"),
        (
            "{type: integer, ¦maxLength: 5}",
            "X.maxLength: the key does not go with this `type`, but with `type: string`; remove it, or change the",
        ),
        ("{¦maxLength: 5}", "X.maxLength: the key goes with `type: string`; give the field that `type`"),
        ("{references: t, ¦generated: now}", "X.generated: the key goes with `type: string` or `type: integer`"),
        ("{type: object, ¦unique: true}", "X.unique: the key does not go with this `type`, but with `type: string`"),
        ("{type: integer, ¦description: }", "X.description: has no value; give it one, or remove the key"),
        ("{type: string, maxLength: ¦'5'}", 'X.maxLength: must be a whole number, not the text "5"; take the quotes'),
        ("{type: string, maxLength: ¦-1}", "X.maxLength: must be 0 or more, not `-1`; raise it"),
        ("{type: string, maxLength: ¦true}", "X.maxLength: must be a whole number, not `true`; write digits"),
        ("{type: string, enum: [on, ¦5]}", 'X.enum[1]: must be text, not `5`; put it in quotes: "5"'),
        ("{type: string, enum: ¦[]}", "X.enum: must not be empty; add an entry, or remove the key"),
        ("{type: string, enum: ¦a}", 'X.enum: must be a list, not the text "a"; write `[a]`'),
        ("{type: string, title: ¦{}}", "X.title: must be text, not a mapping; write text"),
        ("{type: string, unique: ¦yes}", 'X.unique: must be true or false, not the text "yes"; write `true` or'),
        ("{type: string, format: ¦int32}", 'X.format: must be `uuid`, `date` or `date-time`, not the text "int32"'),
        ("{type: string, generated: ¦sequence}", 'X.generated: must be `uuid7` or `now`, not the text "sequence"'),
        ("{type: number, minimum: ¦'0'}", 'X.minimum: must be a number, not the text "0"; write digits, without'),
        ("{type: integer, minimum: ¦0.5}", "X.minimum: must be a whole number, not `0.5`; write digits"),
        ("{type: array}", "X: the key `items` is missing; add `items: {type: string}`, or another scalar type"),
        ("{type: array, items: ¦{}}", "X.items: an array's items"),
        (
            "{type: array, items: {type: ¦array}}",
            "X.items.type: an array's items must be scalars, each of a type; give them one of the types `str",
        ),
        (
            "{type: array, items: {type: ¦text}}",
            "X.items.type: an array's items must be scalars, each of a type; give them one of the types `str",
        ),
        ("{type: array, items: {type: string, ¦unique: true}}", "X.items.unique: the key is for fields of a resource"),
        (
            "{type: object, properties: {a: {type: ¦x}}}",
            'X.properties.a.type: the text "x" is not a type; known here: `string`, `integer`, `number`, `bo',
        ),
        (
            "{¦references: }",
            "X.references: must be a mapping, not nothing; write `key: value` on lines of their own, indente",
        ),
        ("{references: ¦[r]}", "X.references: must be a mapping, not a list; write `key: value` on lines"),
        ("{¦references: {}}", "X.references: the key `resource` is missing; name the resource that is pointed at"),
        ("{references: {¦resorce: r, resource: r}}", "X.references.resorce: the key is not known; did you mean"),
        ("{references: {resource: r, onDelete: ¦setnull}}", "X.references.onDelete: must be `restrict`, `cascade` or"),
        ("{type: string, minLength: ¦2, maxLength: 1}", "X.minLength: is greater than `maxLength` (1); lower it, or"),
        ("{type: string, pattern: ¦'('}", "X.pattern: is not a regular expression: missing ), unterminated subpat"),
        (
            "{type: string, pattern: ¦'(?u)a'}",
            "X.pattern: is not a regular expression: ASCII and UNICODE flags are inc",
        ),
        ("{type: string, pattern: ¦'[[a]'}", "X.pattern: is not a regular expression: Possible nested set"),
        ("{type: string, enum: [a, ¦a]}", "X.enum[1]: the value is in the list already; remove one of them"),
        ("{type: string, maxLength: 1, enum: [a, ¦bb]}", "X.enum[1]: value too long for type character varying(1)"),
        ("{type: string, format: uuid, ¦maxLength: 9}", "X.maxLength: does not go with `format: uuid`; remove it, or"),
        ("{type: string, format: date, enum: [¦2026-02-30]}", "X.enum[0]: date/time field value out of range"),
        ("{type: integer, format: int32, minimum: ¦2147483648}", "X.minimum: value out of range for type integer;"),
        ("{type: integer, minimum: ¦2, maximum: 1}", "X.minimum: no value lies between the lower and the upper"),
        ("{type: integer, exclusiveMinimum: ¦1, exclusiveMaximum: 2}", "X.exclusiveMinimum: no value lies between"),
        ("{type: number, minimum: ¦1, exclusiveMaximum: 1}", "X.minimum: no value lies between the lower and the"),
        ("{type: number, minimum: ¦1e400}", "X.minimum: the number is too large for a double; write a bound within"),
        ("{type: number, ¦precision: 5}", "X.precision: goes with `format: decimal` only; add `format: decimal`"),
        ("{type: number, format: ¦decimal}", "X.format: a decimal needs a precision; add `precision: 12` (digits"),
        ("{type: number, format: decimal, precision: ¦35}", "X.precision: must be 34 at the most, not `35`; lower"),
        ("{type: number, format: decimal, precision: 2, scale: ¦3}", "X.scale: is greater than the precision (2)"),
        (
            "{type: number, format: decimal, precision: 3, maximum: ¦11111111111111111111111111111111111}",
            "X.maximum: value out of range",
        ),
        ("{type: array, items: {type: integer}, minItems: ¦2, maxItems: 1}", "X.minItems: is greater than `maxItem"),
        (
            "{type: object, properties: {ab: {}}, required: [¦ac]}",
            "X.required[0]: `ac` is not a property; known here: `ab`",
        ),
        (
            "{type: object, properties: {a: ¦{type: number, format: decimal, precision: 3}}}",
            "X.properties.a: JSON has no exact decimals: its numbers are doubles; remove `format: decimal`",
        ),
        ("{type: object, properties: {a: {type: string, examples: [¦1]}}}", "X.properties.a.examples[0]: "),
        ("{type: integer, default: ¦'5'}", 'X.default: the text "5" is not a value of type int64'),
        ("{type: integer, default: ¦1.5}", 'X.default: invalid input syntax for type bigint: "1.5"'),
        (
            "{type: integer, maximum: 4, default: ¦5}",
            "X.default: the value is greater than 4; write a value of the type int64, within its limits",
        ),
        ("{type: string, enum: [a, b], default: ¦c}", "X.default: the value is not one of the values allowed"),
        ("{type: string, default: ¦5}", 'X.default: invalid input syntax for type text: "5"'),
        ("{type: boolean, default: ¦1}", 'X.default: invalid input syntax for type boolean: "1"'),
        (
            "{type: number, format: decimal, precision: 3, scale: 1, default: ¦0.25}",
            "X.default: value out of range for type numeric(3,1); write a value of the type decimal(3,1), wi",
        ),
        ("{type: array, items: {type: integer}, default: ¦['1']}", 'X.default: the text "1" is not a value of type'),
        ("{type: string, format: date-time, default: ¦now}", "X.default: invalid input syntax for type timestamp"),
        ("{type: object, default: ¦[]}", "X.default: an object is expected, not […]"),
        ("{type: string, format: date, examples: [¦x]}", "X.examples[0]: invalid input syntax for type date"),
        ("{type: string, generated: ¦uuid7}", "X.generated: `uuid7` goes with `format: uuid` only; write `format: uu"),
        (
            "{type: string, format: date, generated: ¦now}",
            "X.generated: `now` goes with `format: date-time` only; write `format: date-time`",
        ),
        ("{type: integer, generated: sequence, ¦default: 1}", "X.default: a generated field has no default; remove"),
        (
            "{type: integer, generated: ¦sequence, references: r}",
            "X.generated: a reference holds the key of a record that exists; remove `generated` or `references`",
        ),
        ("{references: ¦q}", "X.references: there is no resource `q`; known here: `r`"),
        ("{references: {resource: r, field: ¦idd}}", "X.references.field: `r` has no field `idd`; did you mean `id`?"),
        (
            "{type: integer, references: {resource: r, field: ¦x, name: y}}",
            "X.references.field: `x` may occur twice in `r`; point at the primary key or a unique set, or",
        ),
        ("{type: string, references: ¦r}", "X.references: `x` is string, but `r.id` is int64; give `x` the same type"),
        ("{references: {resource: r, name: ¦id}}", "X.references.name: the relation's name `id` is taken by the field"),
        ("{references: {resource: r, name: ¦_r}}", "X.references.name: a name must not begin with `_`; begin it with"),
        (
            "{unique: true, references: {resource: r, field: x, name: y}}",
            "X: no type can be found: the references go in a circle (r.x → r.x); give one of these fields a `type`",
        ),
    ],
)
def test_what_is_wrong_with_a_field(definition: str, problem: str) -> None:
    """The mark stands where the problem is; without one, it is the field's name."""
    name = "x" if "¦" in definition else "¦x"
    head = "resources:\n  r:\n    primaryKey: id\n    properties:\n      id: {type: integer}\n"
    text, place = located(f"{head}      {name}: {definition}\n")
    (found,) = problems(text)
    assert found.replace("resources.r.properties.x", "X").startswith(f"f:{place}: {problem}")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("_x", "a name must not begin with `_`; begin it with a letter: such names are kept for the service itself"),
        ("1x", "`1x` is not a name; use letters A-Z, a-z, digits and `_`, beginning with a letter"),
        ("é", "`é` is not a name; use letters"),
        ("a.b", "`a.b` is not a name; use letters"),
        ('"a\\n"', "is not a name; use letters"),
        ("x" * 64, "the name has more than 63 characters; shorten it: PostgreSQL cuts longer names"),
        ("ID", "differs from `id` only by case; choose names that are read as different"),
        ("order", "is a word of the URL language; choose another name, such as `order_value`"),
        ("xmin", "is a column that every PostgreSQL table has already; choose another name, such as `xmin_value`"),
    ],
)
def test_names_of_fields(name: str, problem: str) -> None:
    text = f"resources:\n  r:\n    primaryKey: id\n    properties:\n      id: {{type: integer}}\n      {name}: {{}}\n"
    (found,) = problems(text)
    assert found.startswith("f:6:7: resources.r.properties.")
    assert problem in found


def test_names_of_resources() -> None:
    body = "{primaryKey: id, properties: {id: {type: integer}}}"
    names = ("a", "_batch", "system.users", "A", "order", "a_pkey")
    assert problems("resources:\n" + "".join(f"  {name}: {body}\n" for name in names)) == [
        "f:3:3: resources._batch: a name must not begin with `_`; begin it with a letter: such names are kept for the "
        "service itself",
        "f:4:3: resources.system.users: `system.users` is not a name; use letters A-Z, a-z, digits and `_`, beginning "
        "with a letter",
        "f:5:3: resources.A: differs from `a` only by case; choose names that are read as different",
        "f:7:3: resources.a_pkey: the name is that of the primary key's index of `a` in PostgreSQL; choose another "
        "name",
    ]


RESOURCE = """resources:
  r:
    KEYWORDS
    properties:
      id: {type: integer, generated: sequence}
      name: {type: string, unique: true}
      price: {type: number}
      tags: {type: array, items: {type: string}}
  pair:
    primaryKey: [a, b]
    properties: {a: {type: integer}, b: {type: string}}
"""


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ("¦primaryKey: ", "primaryKey: must be a list, not nothing; write `[…]`"),
        ("primaryKey: ¦[]", "primaryKey: must not be empty; add an entry, or remove the key"),
        ("primaryKey: ¦idd", "primaryKey: there is no field `idd`; did you mean `id`?"),
        ("primaryKey: [id, ¦id]", "primaryKey[1]: `id` stands here twice; remove one of them"),
        ("primaryKey: [id, ¦price]", "primaryKey[1]: `price` is of the type double, which a key can"),
        ("primaryKey: ¦tags", "primaryKey: `tags` is of the type array of string, which a key cannot"),
        ("required: [¦nmae]", "required[0]: there is no field `nmae`; did you mean `name`?"),
        ("required: ¦name", 'required: must be a list, not the text "name"; write `[name]`'),
        ("required: [tags, ¦tags]", "required[1]: `tags` stands here twice; remove one of them"),
        ("unique: [¦name]", 'unique[0]: must be a list, not the text "name"; write `[name]`'),
        ("unique: [[¦tags]]", "unique[0][0]: `tags` is of the type array of string, which a unique"),
        ("unique: [¦[id]]", "unique[0]: the primary key is unique already; remove this"),
        ("unique: [¦[name]]", "unique[0]: these fields are a unique set already; remove one of them"),
        ("unique: [[id, name], ¦[name, id]]", "unique[1]: these fields are a unique set already;"),
        ("indexes: [[¦tags]]", "indexes[0][0]: `tags` is of the type array of string, which an index"),
        ("indexes: [[¦-prize]]", "indexes[0][0]: there is no field `prize`; did you mean `price`?"),
        ("indexes: [[price, ¦-price]]", "indexes[0][1]: `price` stands here twice; remove one of"),
        ("indexes: [¦[name]]", "indexes[0]: there is such an index already; remove it: keys and"),
        ("indexes: [[-price], ¦[-price]]", "indexes[1]: there is such an index already; remove it"),
        (
            "references: [{fields: [id, ¦nam], resource: pair}]",
            "references[0].fields[1]: there is no field `nam`; did you mean `name`?",
        ),
        (
            "references: [{fields: [id, name], resource: ¦pear}]",
            "references[0].resource: there is no resource `pear`; did you mean `pair`?",
        ),
        (
            "references: [¦{fields: [id], resource: pair}]",
            "references[0]: records of `pair` are told by `a` and `b`, not by 1 field; list",
        ),
        (
            "references: [¦{fields: [id, name], resource: r}]",
            "references[0]: records of `r` are told by `id`, not by 2 fields; list",
        ),
        (
            "references: [¦{fields: [id, price], resource: pair}]",
            "references[0]: `price` is double, but `pair.b` is string; give `price` the same type",
        ),
        (
            "references: [{fields: [id, name], resource: pair, onDelete: ¦setNull}]",
            "references[0].onDelete: `onDelete: setNull` cannot be, since `id` is required; choose",
        ),
        (
            "references: [{fields: [id, name], resource: pair}, ¦{fields: [name, id], resource: pair, "
            "name: x, targetFields: [b, a]}]",
            "references[1]: the reference is declared twice; remove one of them",
        ),
        ("references: ¦{fields: id, resource: r}", "references: must be a list, not a mapping"),
    ],
)
def test_what_is_wrong_with_a_resource(keywords: str, problem: str) -> None:
    header = keywords if keywords.startswith(("primary", "¦primary")) else f"primaryKey: id\n    {keywords}"
    text, place = located(RESOURCE.replace("KEYWORDS", header))
    (found,) = problems(text)
    assert found.startswith(f"f:{place}: resources.r.{problem}")


def test_a_pattern_has_at_most_200_characters() -> None:
    text = "resources: {{r: {{primaryKey: id, properties: {{id: {{type: string, pattern: {}}}}}}}}}"
    loads(text.format("a" * 200), "f")
    (found,) = problems(text.format("a" * 201))
    assert found.endswith("id.pattern: the pattern is longer than 200 characters; shorten it")


def test_a_resource_without_a_key() -> None:
    (missing,) = problems(RESOURCE.replace("    KEYWORDS\n", ""))
    assert missing == "f:2:3: resources.r: the key `primaryKey` is missing; add `primaryKey: id`, or a list of fields"
    misspelt = problems(RESOURCE.replace("KEYWORDS", "primarykey: id"))
    assert misspelt[1] == "f:3:5: resources.r.primarykey: the key is not known; did you mean `primaryKey`?"


def test_all_problems_of_all_resources_are_named_at_once() -> None:
    text = """title: Shop
resources:
  a: {primaryKey: id, properties: {id: {type: integr}}}
  b: {primaryKey: idd, properties: {id: {type: integer}, a: {references: a}, c: {references: c}}}
  c: {primaryKey: id, properties: {id: {references: {resource: b, field: nope}}}, colour: red}
version: 1
"""
    assert [tuple(found.split(": ")[:2]) for found in problems(text)] == [
        ("f:3:47", "resources.a.properties.id.type"),
        ("f:4:19", "resources.b.primaryKey"),
        ("f:5:83", "resources.c.colour"),
        ("f:6:1", "version"),
    ]


def test_circular_references_are_named_once() -> None:
    text = "resources:\n"
    for name, target in ("ab", "bc", "ca"):
        text += f"  {name}: {{primaryKey: id, properties: {{id: {{references: {target}}}}}}}\n"
    assert problems(text) == [
        "f:2:36: resources.a.properties.id: no type can be found: the references go in a circle "
        "(a.id → b.id → c.id → a.id); give one of these fields a `type`"
    ]


def test_relations_of_one_resource_have_names_of_their_own() -> None:
    text = """resources:
  a:
    primaryKey: id
    properties: {id: {type: integer}, b_id: {references: a}, b: {references: a}, c: {references: a}}
"""
    assert [found.split(": ", 1)[1] for found in problems(text)] == [
        "resources.a.properties.b_id.references: the relation's name `b` is taken by the field `b`; give the relation "
        "another `name`",
        "resources.a.properties.c.references: the relation's name `a` is taken by another relation; give the relation "
        "another `name`",
    ]


def test_only_one_sequence() -> None:
    text = """resources:
  a:
    primaryKey: id
    properties:
      id: {type: integer, generated: sequence}
      no: {type: integer, generated: sequence}
"""
    assert problems(text) == [
        "f:6:38: resources.a.properties.no.generated: `id` is a sequence, and a resource can have one; remove "
        "`generated` from one of them"
    ]


def test_a_required_field_must_be_fillable() -> None:
    text = """resources:
  a:
    primaryKey: id
    required: [x, y]
    properties:
      id: {references: {resource: a, name: self, onDelete: setNull}, type: integer}
      x: {type: string, readOnly: true}
      y: {type: string, default: null}
"""
    assert problems(text) == [
        "f:6:60: resources.a.properties.id.references.onDelete: `onDelete: setNull` cannot be, since `id` is required; "
        "choose `restrict` or `cascade`, or let the field be null",
        "f:7:35: resources.a.properties.x.readOnly: nobody could fill this required field; add a `default` or "
        "`generated`, or remove `readOnly`",
        "f:8:34: resources.a.properties.y.default: null cannot be the default of a required field; give another one, "
        "or none",
    ]


def test_limits_on_how_much_there_may_be() -> None:
    properties: dict[str, Any] = {f"f{i}": {"type": "integer"} for i in range(MAX_FIELDS + 1)}
    names = list(properties)
    body: dict[str, Any] = {"primaryKey": names[: MAX_KEY_FIELDS + 1], "properties": properties}
    assert [found.split(": ", 1)[1] for found in problems(json.dumps({"resources": {"r": body}}))] == [
        "resources.r.primaryKey: has 33 entries, and 32 is the most; take some away",
        "resources.r.properties: has 1001 entries, and 1000 is the most; take some away",
    ]
    body = {
        "primaryKey": "f0",
        "indexes": [[name] for name in names[1 : MAX_INDEXES + 2]],
        "properties": {name: properties[name] for name in names[:MAX_FIELDS]},
    }
    assert problems(json.dumps({"resources": {"r": body}})) == [
        "f:1:16: resources.r: has 61 unique sets, indexes and references, and 60 is the most; remove indexes"
    ]


def test_a_problem_is_data() -> None:
    with pytest.raises(CatalogError) as caught:
        loads("resources: {r: {primaryKey: id, unique: [[a/b~c]], properties: {id: {type: integer}}}}", "f.yaml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("f.yaml", 1, 43)
    assert problem.pointer == "/resources/r/unique/0/0"
    assert problem.message == "there is no field `a/b~c`"
    assert problem.hint == "known here: `id`"


def test_a_pointer_escapes_slash_and_tilde() -> None:
    with pytest.raises(CatalogError) as caught:
        loads("resources: {a/b~c: {primaryKey: id, properties: {id: {type: integer}}}}", "f.yaml")
    assert [problem.pointer for problem in caught.value.problems] == ["/resources/a~1b~0c"]

"""Files that cannot be read, or are no YAML, get one clear line; numbers and text are those of YAML 1.2."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from service.catalog import CatalogError, load, loads
from service.catalog.source import MAX_VALUES, parse


def lines(text: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        loads(text, "f")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "f: the file is empty; begin it with `resources:`"),
        ("# nothing\n", "f: the file is empty; begin it with `resources:`"),
        ("- a", "f:1:1: the file must be a mapping; begin it with `resources:`"),
        ("word", "f:1:1: the file must be a mapping; begin it with `resources:`"),
        ("resources:\n\tr: 1", "f:2:1: is not valid YAML: "),
        ("resources: [", "f:1:13: is not valid YAML: "),
        ("a: b: c", "f:1:5: is not valid YAML: mapping values are not allowed here; put text that holds a colon in"),
        ("a: 'x", "f:1:6: is not valid YAML: while scanning a quoted scalar found unexpected end of stream; close the"),
        ("a: @x", "f:1:4: is not valid YAML: while scanning for the next token found character '@' that cannot start"),
        ("a: *x", "f:1:4: is not valid YAML: found undefined alias 'x'; put text that begins with `*` in quotes"),
        ("a: 1\n---\nb: 2", "f:2:1: is not valid YAML: expected a single document in the stream but found another"),
        ("%YAML 3.0\n---\na: 1", "f:1:1: is not valid YAML: found incompatible YAML document"),
        ("a:\n  b: \x07", "f:2:6: the character U+0007 is not allowed in YAML; write it as an escape"),
        ("a: !secret x", "f:1:4: a: the tag `!secret` is not known; take it away"),
        ("a: !!binary eA==", "f:1:4: a: the tag `binary` is not known; take it away"),
        ("a: !!set {x}", "f:1:4: a: the tag `tag:yaml.org,2002:set` is not known; take it away"),
        ("a: {1: &x [*x]}", "is nested more than 100 deep; check its aliases"),
        ("a: " + "[" * 5000, "f: is nested too deeply; no resource file needs that"),
        ("a: .inf", "f:1:4: a: `.inf` is not a finite number; write a number, or leave the key out"),
        ("a: .NaN", "f:1:4: a: `.NaN` is not a finite number; write a number, or leave the key out"),
        ("a: " + "9" * 5000, "f:1:4: a: the number has too many digits; shorten it, or put it in quotes"),
        ("a: 1e99999999999999999999", "f:1:4: a: the number has too many digits; shorten it, or put it in quotes"),
        ('a: "\\0"', "f:1:4: a: holds U+0000 or a lone surrogate, which no store keeps; take it out"),
        ('"\\ud800": 1', "holds U+0000 or a lone surrogate"),
        ("? [a, b]\n: 1", "f:1:1: has a key that is not a name; write keys as text"),
        ("a: &x {b: 1}\nc: {<<: *x}", "f:2:4: c: has a key that is not a name; write keys as text; `<<` is not part"),
    ],
)
def test_what_is_no_yaml_gets_one_line(text: str, line: str) -> None:
    (found,) = lines(text)
    assert line in found


def test_every_duplicate_key_is_named_along_with_the_rest() -> None:
    text = (
        "resources:\n  r:\n    primaryKey: id\n    primaryKey: x\n    properties: {id: {type: integr}}\nresources: 5\n"
    )
    assert lines(text) == [
        "f:4:5: resources.r.primaryKey: the key is on line 3 already; keep one of them",
        'f:5:29: resources.r.properties.id.type: the text "integr" is not a type; did you mean `integer`?',
        "f:6:1: resources: the key is on line 1 already; keep one of them",
    ]


def test_an_alias_bomb_is_stopped() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
    (found,) = lines(bomb)
    assert f"more than {MAX_VALUES:,} values" in found


def test_scalars_are_those_of_yaml_1_2() -> None:
    texts = [
        "010",
        "0o17",
        "0x1F",
        "1_000",
        "yes",
        "2026-01-31",
        "1e2",
        ".5",
        "-0.10",
        "~",
        "True",
        "1:30",
        "0b1",
        "=",
        "<<",
    ]
    values = [10, 15, 31, "1_000", "yes", "2026-01-31", Decimal(100), Decimal("0.5"), Decimal("-0.10"), None, True]
    values += ["1:30", "0b1", "=", "<<"]
    assert parse(f"[{', '.join(texts)}]", "f").data == values
    assert parse('{a: "1", b: !!str 1}', "f").data == {"a": "1", "b": "1"}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary, looped = tmp_path / "latin1.yaml", tmp_path / "loop"
    binary.write_bytes("resources:\n  r: 'Käse'\n".encode("latin-1"))
    looped.symlink_to(looped)
    for path, line in (
        (tmp_path / "none.yaml", f"{tmp_path}/none.yaml: there is no such file; check the path"),
        (tmp_path, f"{tmp_path}: is a directory; give the path of a YAML file"),
        (binary, f"{binary}:2:8: is not UTF-8 text; save the file in the encoding UTF-8"),
        (looped, f"{looped}: cannot be read: Too many levels of symbolic links; check the path and its permissions"),
    ):
        with pytest.raises(CatalogError) as caught:
            load(path)
        assert str(caught.value) == line

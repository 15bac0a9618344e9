"""YAML text → plain data in which every key and value knows its line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from service.catalog.problems import CatalogError, Path, Problem

#: What a hand-written file never reaches; aliases of aliases could otherwise unfold without end.
MAX_VALUES, MAX_DEPTH = 500_000, 100

_TAG = "tag:yaml.org,2002:"
# YAML 1.2's core schema; the parser also takes YAML 1.1's `1_000`, `0b1` and `yes`, which stay text here.
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_DIGITS = 400

_HINTS = (
    ("'\\t'", "indent with spaces, not with tabs"),
    ("mapping values", "put text that holds a colon in quotes, or check the indentation"),
    ("cannot start any token", "put the value in quotes"),
    ("undefined alias", "put text that begins with `*` in quotes"),
    ("another document", "keep everything in one document, without `---` between"),
    ("end of stream", "close the quote"),
)


@dataclass
class Source:
    """A parsed file: its name, its data (numbers are int or Decimal), and where things stand in it (from 1)."""

    name: str
    data: Any = None
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem with the value at `path`, or with its key, or the nearest that is in the file."""
        while path and path not in self.values:
            path = path[:-1]
        positions = self.keys if key and path in self.keys else self.values
        self.problems.append(Problem(self.name, *positions.get(path, (1, 1)), path, message, hint))

    def raise_problems(self) -> None:
        """Raise `CatalogError` if there are problems."""
        if self.problems:
            raise CatalogError(self.problems)


def parse(text: str, name: str) -> Source:
    """The data of a YAML 1.2 text. Raises `CatalogError`; duplicate keys are only noted in `Source.problems`."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    try:
        root = yaml.compose(text)
    except RecursionError:
        raise CatalogError([Problem(name, 0, 0, (), "is nested too deeply", "no resource file needs that")]) from None
    except YAMLError as error:
        raise CatalogError([_syntax_problem(error, text, name)]) from None
    if root is None:
        raise CatalogError([Problem(name, 0, 0, (), "the file is empty", "begin it with `resources:`")])
    reader = _Reader(Source(name))
    reader.source.data = reader.read(root, ())
    if not reader.sound:
        reader.source.raise_problems()
    return reader.source


def _syntax_problem(error: YAMLError, text: str, name: str) -> Problem:
    if isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        hint = 'write it as an escape in double quotes, such as "\\x07"'
        return Problem(name, line, column, (), f"the character U+{error.character:04X} is not allowed in YAML", hint)
    if not isinstance(error, MarkedYAMLError):
        return Problem(name, 0, 0, (), f"is not valid YAML: {error}", "check quotes, brackets and indentation")
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    words = " ".join(f"{error.context or ''} {error.problem or ''}".split())
    hint = next((hint for sign, hint in _HINTS if sign in words), "check quotes, brackets and indentation")
    return Problem(name, line, column, (), f"is not valid YAML: {words}", hint)


class _Reader:
    """Turns nodes into data; `sound` is False when a value could not be read, so that judging the rest is vain."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.sound = True
        self._count = 0

    def read(self, node: Node, path: Path) -> Any:
        self.source.values[path] = _position(node)
        self._count += 1
        if self._count > MAX_VALUES:
            self._refuse(path, f"the file has more than {MAX_VALUES:,} values", "check its aliases (`*name`)")
            self.source.raise_problems()
        if len(path) > MAX_DEPTH:
            return self._refuse(path, f"is nested more than {MAX_DEPTH} deep", "check its aliases (`*name`)")
        tag = str(node.tag).removeprefix(_TAG)
        if isinstance(node, MappingNode) and tag == "map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and tag == "seq":
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._scalar(tag, node.value, path)
        return self._refuse(path, f"the tag `{node.tag}` is not known", "take it away")

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            position = _position(key_node)
            if not isinstance(key_node, ScalarNode) or str(key_node.tag) in {_TAG + "null", _TAG + "merge"}:
                self._refuse(path, "has a key that is not a name", "write keys as text; `<<` is not part of YAML 1.2")
                continue
            key = key_node.value
            if key in result:
                first = self.source.keys[*path, key][0]
                problem = Problem(
                    self.source.name, *position, (*path, key), f"the key is on line {first} already", "keep one of them"
                )
                self.source.problems.append(problem)
                continue
            self.source.keys[*path, key] = position
            result[key] = self.read(value_node, (*path, key))
            if value_node.start_mark.index == value_node.end_mark.index:
                self.source.values[*path, key] = position
            self._checked_text(key, (*path, key))
        return result

    def _scalar(self, tag: str, text: str, path: Path) -> Any:
        match tag:
            case "null":
                return None
            case "bool" if text.lower() in {"true", "false"}:
                return text.lower() == "true"
            case "int" | "float" if _NOT_FINITE.fullmatch(text):
                return self._refuse(path, f"`{text}` is not a finite number", "write a number, or leave the key out")
            case "int" | "float" if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
                return self._number(text, path)
            case "bool" | "int" | "float" | "str" | "timestamp" | "value" | "merge":
                return self._checked_text(text, path)
        return self._refuse(path, f"the tag `{tag}` is not known", "take it away")

    def _number(self, text: str, path: Path) -> Any:
        try:
            if len(text) > _MAX_DIGITS:
                raise InvalidOperation
            if _INTEGER.fullmatch(text):
                return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
            return Decimal(text)
        except InvalidOperation:
            return self._refuse(path, "the number has too many digits", "shorten it, or put it in quotes")

    def _checked_text(self, text: str, path: Path) -> str:
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            self._refuse(path, "holds U+0000 or a lone surrogate, which no store keeps", "take it out")
        return text

    def _refuse(self, path: Path, message: str, hint: str) -> Any:
        """Note the problem; None stands in for the value."""
        self.sound = False
        self.source.add(path, message, hint)
        return None


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1

"""Records in a body → rows of typed, checked values, every default put in; all violations found are named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import partial
from typing import Any

from uuid_utils.compat import uuid7

from repositories.errors import NotNullViolation
from repositories.query import Row
from repositories.schema import MISSING, Field, Generated, Value
from repositories.texts import InvalidValueError
from service.errors import RequestError, Violation, bad_body
from service.planner.checks import check
from service.planner.field_readers import OTHER, field_reader, plain_reader
from service.planner.scope import Scope

#: How many violations an answer names.
MAX_VIOLATIONS = 20
Reader = Callable[[Field, Any], Value]


def now() -> datetime:
    """The current instant, in whole milliseconds."""
    instant = datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def initial_value(field: Field) -> Value:
    """The value of a field that a new record does not give: generated, the default, or null."""
    match field.generated:
        case Generated.UUID7:
            return uuid7()
        case Generated.NOW:
            return now()
    return None if field.default is MISSING else field.default


def _null(_field: Field) -> Value:
    return None


def read_json(field: Field, value: Any) -> Value:
    """A member of a JSON body as the field's value. Raises `InvalidValueError`."""
    return field_reader(field)(value)


def check_given(field: Field, value: Value) -> Value:
    """The value, if it keeps the limits of its type."""
    return None if value is None else check(field.type, value)


def writable(scope: Scope, names: Iterable[str], *, allowed: frozenset[str] = frozenset()) -> tuple[Field, ...]:
    """The fields of these names, which a body may give.

    Raises `RequestError`: PGRST204 unknown, 428C9 read-only (unless `allowed`).
    """
    fields = tuple(scope.member(name) for name in names)
    for field in fields:
        if field.read_only and field.name not in allowed:
            raise RequestError(
                400,
                "428C9",
                f'cannot write to column "{field.name}"',
                f'Column "{field.name}" is {"generated" if field.generated else "read-only"}.',
                errors=(Violation(f"/{field.name}", "428C9", "The field is read-only."),),
            )
    return fields


def _given_value(field: Field, read: Reader, initial: Callable[[Field], Value]) -> Callable[[dict[str, Any]], Value]:
    name = field.name
    convert = field_reader(field) if read is read_json else partial(read, field)
    return lambda record: convert(record[name]) if name in record else initial(field)


def _initial_value(field: Field) -> Callable[[dict[str, Any]], Value]:
    return lambda _record: initial_value(field)


def _no_plain_reader(_field: Field) -> Callable[[Any], Any]:
    return lambda _given: OTHER


class RecordReader:
    """Reads many records that give the same fields into rows of the same columns.

    `columns` are the given fields and then those that get an initial value; fields filled by the store's sequence
    stand in neither, unless they are given. Without `absent`, rows have the given fields only; without `defaults`, a
    given field that a record lacks is null.
    """

    def __init__(
        self,
        scope: Scope,
        given: Sequence[Field],
        read: Reader = read_json,
        *,
        absent: bool = True,
        defaults: bool = True,
    ) -> None:
        known = set(given)
        others = [field for field in scope.resource.fields.values() if field not in known] if absent else []
        filled = [field for field in others if field.generated is not Generated.SEQUENCE]
        self.columns = (*given, *filled)
        self.violations: list[Violation] = []
        self._resource = scope.resource.name
        initial = initial_value if defaults else _null
        self._readers = [(field, _given_value(field, read, initial)) for field in given]
        self._readers += [(field, _initial_value(field)) for field in filled]
        plain = plain_reader if read is read_json else _no_plain_reader
        self._plain = [(field.name, plain(field), read) for field, read in self._readers[: len(given)]]
        self._filled = [read for _, read in self._readers[len(given) :]]
        self._required = [place for place, field in enumerate(self.columns) if field.required]

    def anew(self) -> RecordReader:
        """The same, for other records."""
        other = copy(self)
        other.violations = []
        return other

    def row(self, record: dict[str, Any], pointer: str = "") -> Row:
        """The record's row. Violations are collected; see `finish`.

        A member may be absent where `columns=` names it.
        """
        try:
            values = [
                read(record) if (value := plain(record.get(name))) is OTHER else value
                for name, plain, read in self._plain
            ]
        except InvalidValueError:
            return self._faulty_row(record, pointer)
        values += [read(record) for read in self._filled]
        if None in [values[place] for place in self._required]:
            return self._faulty_row(record, pointer)
        return tuple(values)

    def _faulty_row(self, record: dict[str, Any], pointer: str) -> Row:
        values: list[Value] = []
        for field, read in self._readers:
            try:
                value = read(record)
                if value is None and field.required:
                    null = NotNullViolation.of(self._resource, field.name)
                    raise InvalidValueError(null.code, null.message)
            except InvalidValueError as error:
                self.violated(field, error, pointer)
                value = None
            values.append(value)
        return tuple(values)

    def violated(self, field: Field, error: InvalidValueError, pointer: str = "") -> None:
        """Note that a value breaks a rule of its field."""
        self.violations.append(Violation(f"{pointer}/{field.name}", error.code, error.message))

    @property
    def full(self) -> bool:
        """Whether as many violations are known as an answer names."""
        return len(self.violations) >= MAX_VIOLATIONS

    def finish(self) -> None:
        """Refuse the body if any record broke a rule; the first violation gives the answer its code."""
        if self.violations:
            first = self.violations[0]
            raise RequestError(
                400,
                first.code,
                first.message,
                details=f"The value at {first.pointer} is refused.",
                errors=tuple(self.violations[:MAX_VIOLATIONS]),
            )


def as_record(body: Any) -> dict[str, Any]:
    """The one record of a body. Raises `RequestError` (PGRST102)."""
    if not isinstance(body, dict):
        raise bad_body("The body must be a JSON object.")
    return body

"""Filters and logic trees: `price=not.gte.10`, `or=(a.eq.1,not.and(b.is.null,c.in.(x,"y,z")))`."""

from __future__ import annotations

from repositories.query import Operator, State
from service.dialect.params import ConditionParam, FilterParam, IsParam, LogicParam
from service.dialect.scanner import Scanner
from service.errors import RequestError

_OPERATORS = {operator.value: operator for operator in Operator}
_STATES = {state.value: state for state in State}
_EXPECTED = 'operator ("not", "is", ' + ", ".join(f'"{name}"' for name in _OPERATORS) + ")"


def parse_filter(column: str, text: str) -> FilterParam | IsParam:
    """The filter that the parameter `column=text` states."""
    return _operation(Scanner(text, "filter"), column, nested=False)


def parse_logic(text: str, *, disjunction: bool, negated: bool, max_depth: int) -> LogicParam:
    """The tree that a parameter `and=(…)` or `or=(…)` states."""
    scanner = Scanner(text, "logic tree")
    members = _members(scanner, max_depth)
    if not scanner.done:
        scanner.fail("end of input")
    return LogicParam(disjunction, members, negated)


def _members(scanner: Scanner, depth: int) -> tuple[ConditionParam, ...]:
    if depth <= 0:
        raise RequestError(400, "54001", "The logic tree is nested too deeply.")
    scanner.expect("(")
    members = [_member(scanner, depth)]
    while scanner.take(","):
        members.append(_member(scanner, depth))
    scanner.expect(")")
    return tuple(members)


def _member(scanner: Scanner, depth: int) -> ConditionParam:
    start = scanner.position
    negated = scanner.take("not.")
    for word, disjunction in (("and", False), ("or", True)):
        if scanner.at(word + "("):
            scanner.take(word)
            return LogicParam(disjunction, _members(scanner, depth - 1), negated)
    scanner.position = start
    column = scanner.name()
    scanner.expect(".")
    return _operation(scanner, column, nested=True)


def _operation(scanner: Scanner, column: str, *, nested: bool) -> FilterParam | IsParam:
    """`[not.]operator.value`; nested in a logic tree, the value ends at a comma or a parenthesis."""
    negated = scanner.take("not.")
    start = scanner.position
    word = scanner.until(".")
    operator = _OPERATORS.get(word)
    if (operator is None and word != "is") or scanner.done:
        scanner.position = start if operator is None and word != "is" else scanner.position
        scanner.fail(_EXPECTED if scanner.position == start else '"."')
    scanner.expect(".")
    if word == "is":
        return IsParam(column, _state(scanner, nested), negated)
    assert operator is not None
    value = _list(scanner, nested) if operator is Operator.IN else _value(scanner, nested)
    return FilterParam(column, operator, value, negated)


def _state(scanner: Scanner, nested: bool) -> State:
    start = scanner.position
    word = scanner.until(",)") if nested else scanner.rest()
    state = _STATES.get(word.lower())
    if state is None:
        scanner.position = start
        scanner.fail("isVal: (" + ", ".join(_STATES) + ")")
    return state


def _value(scanner: Scanner, nested: bool) -> str:
    if not nested:
        return scanner.rest()
    if scanner.at('"'):
        return scanner.quoted()
    return scanner.until(",)")


def _list(scanner: Scanner, nested: bool) -> tuple[str, ...]:
    scanner.expect("(")
    items: list[str] = []
    if not scanner.take(")"):
        items.append(_item(scanner))
        while scanner.take(","):
            items.append(_item(scanner))
        scanner.expect(")")
    if not nested and not scanner.done:
        scanner.fail("end of input")
    return tuple(items)


def _item(scanner: Scanner) -> str:
    return scanner.quoted() if scanner.at('"') else scanner.until(",)")

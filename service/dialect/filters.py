"""Filters and logic trees: `price=not.gte.10`, `or=(a.eq.1,not.and(b.is.null,c.in.(x,"y,z")))`."""

from __future__ import annotations

from repositories.query import Operator, Quantifier, State
from service.dialect.params import ConditionParam, FilterParam, IsParam, LogicParam, PathParam
from service.dialect.paths import read_path
from service.dialect.scanner import Scanner
from service.errors import RequestError

#: The operators that may be followed by `(any)` or `(all)`.
QUANTIFIABLE = frozenset(
    {
        Operator.EQ,
        Operator.GT,
        Operator.GTE,
        Operator.LT,
        Operator.LTE,
        Operator.LIKE,
        Operator.ILIKE,
        Operator.MATCH,
        Operator.IMATCH,
    }
)
_OPERATORS = {operator.value: operator for operator in Operator}
_QUANTIFIERS = {quantifier.value: quantifier for quantifier in Quantifier}
_STATES = {state.value: state for state in State}
_EXPECTED = 'operator ("not", "is", ' + ", ".join(f'"{name}"' for name in _OPERATORS) + ")"


def parse_filter(column: PathParam, text: str) -> FilterParam | IsParam:
    """The filter that the parameter `column=text` states."""
    return _operation(Scanner(text, "filter"), column, nested=False)


def parse_list(text: str) -> tuple[str, ...]:
    """The values of `in`: `(a,"b,c")`."""
    return _list(Scanner(text, "filter"), nested=False)


class _TreeScanner(Scanner):
    """A scanner that counts the conditions that it has met."""

    __slots__ = ("conditions", "limit")

    def __init__(self, text: str, limit: int) -> None:
        super().__init__(text, "logic tree")
        self.conditions = 0
        self.limit = limit

    def count(self) -> None:
        """Count one more condition, or refuse it."""
        self.conditions += 1
        if self.conditions > self.limit:
            raise too_many_conditions(self.limit)


def too_many_conditions(limit: int) -> RequestError:
    """The request has more conditions than the configuration allows."""
    return RequestError(400, "54001", f"A request may have {limit} conditions at the most.")


def parse_logic(text: str, *, disjunction: bool, negated: bool, max_depth: int, max_filters: int) -> LogicParam:
    """The tree that a parameter `and=(…)` or `or=(…)` states."""
    scanner = _TreeScanner(text, max_filters)
    members = _members(scanner, max_depth)
    if not scanner.done:
        scanner.fail("end of input")
    return LogicParam(disjunction, members, negated)


def _members(scanner: _TreeScanner, depth: int) -> tuple[ConditionParam, ...]:
    if depth <= 0:
        raise RequestError(400, "54001", "The logic tree is nested too deeply.")
    scanner.expect("(")
    members = [_member(scanner, depth)]
    while scanner.comma():
        members.append(_member(scanner, depth))
    scanner.expect(")")
    return tuple(members)


def _member(scanner: _TreeScanner, depth: int) -> ConditionParam:
    start = scanner.position
    negated = scanner.take("not.")
    for word, disjunction in (("and", False), ("or", True)):
        if scanner.at(word + "("):
            scanner.take(word)
            return LogicParam(disjunction, _members(scanner, depth - 1), negated)
    scanner.position = start
    scanner.count()
    column = read_path(scanner)
    scanner.expect(".")
    return _operation(scanner, column, nested=True)


def _operation(scanner: Scanner, column: PathParam, *, nested: bool) -> FilterParam | IsParam:
    """`[not.]operator[(any|all)].value`; nested in a logic tree, the value ends at a comma or a parenthesis."""
    negated = scanner.take("not.")
    start = scanner.position
    word = scanner.until(".(")
    operator = _OPERATORS.get(word)
    if operator is None and word != "is":
        scanner.position = start
        scanner.fail(_EXPECTED)
    if operator is None:
        scanner.expect(".")
        return IsParam(column, _state(scanner, nested), negated)
    quantifier = _quantifier(scanner) if operator in QUANTIFIABLE and scanner.take("(") else None
    scanner.expect(".")
    value = _list(scanner, nested) if operator is Operator.IN else _value(scanner, nested)
    return FilterParam(column, operator, value, quantifier, negated)


def _quantifier(scanner: Scanner) -> Quantifier:
    start = scanner.position
    quantifier = _QUANTIFIERS.get(scanner.until(")"))
    if quantifier is None:
        scanner.position = start
        scanner.fail('"any" or "all"')
    scanner.expect(")")
    return quantifier


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
    if scanner.at("{"):
        return scanner.braced()
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

"""Laws of what belongs together: an embed is the embedded resource asked for itself, an aggregate is its rows'."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from repositories.encoding import double_text
from repositories.expressions import AGGREGABLE
from repositories.query import AggregateFunction, Relation
from repositories.schema import Field, Kind, Resource, Value
from service.planner.relations import Known
from tests.prove.asking import Asker, Row, alike, claim, same, typed
from tests.prove.filter_laws import Check
from tests.prove.reads import Draft, Reads

#: So many parents are looked into.
_PARENTS = 5
#: An average has sixteen digits at least.
_PRECISE = 10**15


def embed(reads: Reads, resource: Resource) -> Check:
    """An embed filtered, ordered and cut inside is the resource asked directly, filtered by the foreign key."""
    chance = reads.chance
    known = chance.pick(reads.relations.of(resource))
    relation, target = known.relation, known.relation.target
    inside = _inside(reads, target, paged=relation.many)
    members = ",".join(chance.some(list(target.fields), 1, 3))

    def check(asker: Asker) -> int:
        count = 0
        for values, condition, found in _embedding(asker, resource, known, members, inside):
            direct = asker.rows(target, [("select", members), *inside, ("and", condition)]) if condition else []
            alike(found, direct, f"the embed of {values}, and the resource asked directly")
            count += len(direct)
        return count

    return check


def _embedding(
    asker: Asker, resource: Resource, known: Known, members: str, inside: list[tuple[str, str]]
) -> Iterator[tuple[list[Any], str, list[Row]]]:
    """Of some records: the values that link them, the tree that says so of the target, and what is embedded."""
    own = [pair[0] for pair in known.relation.pairs]
    keys = ",".join(f"k{number}:{field.name}" for number, field in enumerate(own))
    select = f"{keys},e:{known.proposal}({members})"
    parents = asker.rows(resource, [("select", select), *((f"e.{name}", value) for name, value in inside)])
    for parent in parents[:_PARENTS]:
        values = [parent[f"k{number}"] for number in range(len(own))]
        embedded = parent["e"] if known.relation.many else [each for each in [parent["e"]] if each is not None]
        yield values, _belonging(asker, known.relation, values), embedded


def _inside(reads: Reads, target: Resource, *, paged: bool) -> list[tuple[str, str]]:
    """What an embed may have: filters, an order, a page."""
    chance, draft = reads.chance, Draft()
    if not chance.one_in(3):
        draft.parameters.append(reads.filters.condition(target, embedded=True))
    if chance.one_in(4):
        draft.parameters.append(("or", reads.filters.tree(target, [], 1)[1]))
    if paged:
        if chance.one_in(2):
            reads.order(target, draft, "")
        if chance.one_in(2):
            draft.parameters.append(("limit", str(chance.pick([1, 2, 0, 3]))))
        if chance.one_in(3):
            draft.parameters.append(("offset", str(chance.pick([1, 0, 2]))))
    return draft.parameters


def _belonging(asker: Asker, relation: Relation, values: Sequence[Any]) -> str:
    """The tree that says that a target belongs to a record with these values; nothing where none does."""
    if None in values:
        return ""
    ours = [pair[1] for pair in relation.pairs]
    if relation.junction is None:
        return f"({same(ours, values)})"
    pairs = relation.junction.pairs
    names = ",".join(pair[0].name for pair in pairs)
    links = asker.rows(relation.junction.resource, [("select", names), ("and", f"({same(ours, values)})")])
    ends = {tuple(link[pair[0].name] for pair in pairs): None for link in links}
    targets = [pair[1] for pair in pairs]
    return f"(or({','.join(f'and({same(targets, end)})' for end in ends)}))" if ends else ""


def spread(reads: Reads, resource: Resource) -> Check:
    """What is spread are the embed's values: of to one its own, of to many those of all records, in their order."""
    known = reads.chance.pick(reads.relations.of(resource))
    relation, target = known.relation, known.relation.target
    inside = _inside(reads, target, paged=relation.many)
    names = reads.chance.some([each.name for each in target.fields.values()], 1, 2)
    columns = {f"m{number}": name for number, name in enumerate(names)}
    plain = f"e:{known.proposal}({','.join(names)})"
    members = ",".join(f"{alias}:{name}" for alias, name in columns.items())
    name = known.proposal.partition("!")[0]

    def check(asker: Asker) -> int:
        embedded = asker.rows(resource, [("select", plain), *((f"e.{each}", value) for each, value in inside)])
        expected = [
            {
                alias: [row[column] for row in parent["e"]] if relation.many else (parent["e"] or {}).get(column)
                for alias, column in columns.items()
            }
            for parent in embedded
        ]
        below = [(f"{name}.{each}", value) for each, value in inside]
        alike(asker.rows(resource, [("select", f"...{known.proposal}({members})"), *below]), expected, "what is spread")
        return sum(parent["e"] not in (None, []) for parent in embedded)

    return check


def embedded_aggregates(reads: Reads, resource: Resource) -> Check:
    """Aggregates in an embed are those of the resource asked directly, filtered by the foreign key."""
    known = reads.chance.pick(reads.relations.of(resource))
    target = known.relation.target
    inside = _inside(reads, target, paged=False)
    made = [_aggregate(reads, target) for _ in range(2)]
    members = ",".join(f"a{number}:{field.name}.{function.value}()" for number, (function, field) in enumerate(made))

    def check(asker: Asker) -> int:
        count = 0
        for values, condition, found in _embedding(asker, resource, known, f"n:count(),{members}", inside):
            if condition and found:
                direct = asker.rows(target, [("select", f"n:count(),{members}"), *inside, ("and", condition)])
                alike(found, direct, f"aggregates of {values}")
                count += direct[0]["n"]
        return count

    return check


def inner(reads: Reads, resource: Resource) -> Check:
    """`!inner` and `not.is.null` keep the records whose embed is not empty, `is.null` those whose embed is."""
    known = reads.chance.pick(reads.relations.of(resource))
    inside = [(f"e.{name}", value) for name, value in _inside(reads, known.relation.target, paged=False)]
    key = ",".join(f"k{number}:{name}" for number, name in enumerate(resource.primary_key))
    name = known.relation.target.primary_key[0]
    plain, strict = (f"{key},e:{known.proposal}{join}({name})" for join in ("", "!inner"))

    def check(asker: Asker) -> int:
        everything = asker.rows(resource, [("select", plain), *inside])
        some = [row for row in everything if row["e"]]
        alike(asker.rows(resource, [("select", strict), *inside]), some, "!inner")
        alike(asker.rows(resource, [("select", plain), *inside, ("e", "not.is.null")]), some, "not.is.null")
        none = [row for row in everything if not row["e"]]
        alike(asker.rows(resource, [("select", plain), *inside, ("e", "is.null")]), none, "is.null")
        return len(some)

    return check


def aggregates(reads: Reads, resource: Resource) -> Check:
    """Aggregates of groups are those that exact arithmetic makes of the rows."""
    chance = reads.chance
    groups = chance.some([each for each in resource.fields.values() if each.type.kind in _GROUPED], 0, 2)
    wanted = [_aggregate(reads, resource) for _ in range(chance.pick([2, 1, 3]))]
    filters = [reads.filters.condition(resource)] if chance.one_in(3) else []
    keys = [f"g{number}:{field.name}" for number, field in enumerate(groups)]
    made = [f"a{number}:{field.name}.{function.value}()" for number, (function, field) in enumerate(wanted)]
    plain = [f"a{number}:{field.name}" for number, (_, field) in enumerate(wanted)]

    def check(asker: Asker) -> int:
        rows = asker.rows(resource, [("select", ",".join([*keys, *plain])), *filters])
        found = asker.rows(resource, [("select", ",".join([*keys, *made, "n:count()"])), *filters])
        expected: dict[str, list[Row]] = defaultdict(list) if groups else {_group(groups, {}): []}
        for row in rows:
            expected[_group(groups, row)].append(row)
        alike(sorted(_group(groups, row) for row in found), sorted(expected), "the groups")
        for group in found:
            members = expected[_group(groups, group)]
            claim(group["n"] == len(members), f"{group['n']} are counted of {len(members)}")
            for number, (function, field) in enumerate(wanted):
                values = [typed(field.type, row[f"a{number}"]) for row in members]
                there = [value for value in values if value is not None]
                _judge(function, field, there, group[f"a{number}"])
        return len(rows)

    return check


#: Kinds that have one text for each value.
_GROUPED = frozenset(Kind) - {Kind.JSON, Kind.DOUBLE, Kind.ARRAY}


def _group(groups: Sequence[Field], row: Row) -> str:
    return str([str(row.get(f"g{number}")) for number in range(len(groups))]) + str(
        [row.get(f"g{number}") is None for number in range(len(groups))]
    )


def _aggregate(reads: Reads, resource: Resource) -> tuple[AggregateFunction, Field]:
    function = reads.chance.pick(list(AggregateFunction))
    fit = [each for each in resource.fields.values() if each.type.kind in AGGREGABLE[function]]
    if not fit:
        return AggregateFunction.COUNT, resource.key[0]
    return function, reads.chance.pick(fit)


def _judge(function: AggregateFunction, field: Field, there: list[Value], found: Any) -> None:
    """Whether this is what the function makes of the values."""
    told = f"{function.value} of {field.name} {[str(value) for value in there]} is {found}"
    if function is AggregateFunction.COUNT:
        claim(found == len(there), told)
    elif not there:
        claim(found is None, told)
    elif function in (AggregateFunction.MIN, AggregateFunction.MAX):
        extreme = min(there) if function is AggregateFunction.MIN else max(there)
        claim(typed(field.type, found) == extreme, told)
    else:
        exact = sum(map(_exact, there), Fraction(0))
        exact = exact / len(there) if function is AggregateFunction.AVG else exact
        claim(found is not None and _fits(function, field, exact, found), told)


def _fits(function: AggregateFunction, field: Field, exact: Fraction, found: Any) -> bool:
    """A sum is exact; of doubles, it is the nearest double. An average is rounded at its last digit; of doubles, the
    smallest of which have few digits, it may also be the nearest one."""
    number = Decimal(found)
    if function is AggregateFunction.SUM:
        return float(number) == float(exact) if field.type.kind is Kind.DOUBLE else Fraction(number) == exact
    close = abs(Fraction(number) - exact) <= abs(exact) / _PRECISE
    if field.type.kind is Kind.DOUBLE:
        return close or float(number) == float(exact)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return close and abs(Fraction(number) - exact) <= Fraction(10) ** exponent / 2


def _exact(value: Any) -> Fraction:
    """A double is the number that its shortest text says."""
    return Fraction(Decimal(double_text(value)) if isinstance(value, float) else value)

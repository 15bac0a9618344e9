"""What is read from a store: queries as frozen, typed, complete data, native to no database (writes: `writes.py`).

A query has two parts. Its *shape* (resource, columns, conditions, order) is hashable, so that a backend compiles it
once and keeps the statement. Its *values* stand apart in a tuple; the shape points at them with `Param`.

    Read ── Selection ── Output* ── Expression: Column · Member · Aggregate · Cast · Record
      │         ├─────── Embed* ── Relation, Selection
      │         ├─────── Condition: Comparison · Is · Among · Related · Not · And · Or
      │         └─────── Sort*, Param (limit, offset)
      └──── values

No backend chooses a default: the planner has made every one explicit. In particular `Selection.order` always ends
with the fields of the primary key, unless an earlier key is unique and never null, or the selection is grouped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from repositories.schema import Field, Kind, Resource, Type, Value

Values = tuple[Value, ...]
#: The values of one record, in the order of the query's fields or outputs. A `Record` of a to-one embed is a row (or
#: None), of a to-many embed a list of rows; a `Member` of a to-many embed is a list of values.
Row = tuple[Value, ...]


class Operator(StrEnum):
    """Comparison operators, in PostgREST's spelling. Every backend's table has exactly these."""

    EQ = "eq"
    NEQ = "neq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    LIKE = "like"
    ILIKE = "ilike"
    MATCH = "match"
    IMATCH = "imatch"
    IN = "in"
    ISDISTINCT = "isdistinct"
    CONTAINS = "cs"
    CONTAINED = "cd"
    OVERLAPS = "ov"


class Quantifier(StrEnum):
    """Whether a comparison must hold with any, or with all, of several values."""

    ANY = "any"
    ALL = "all"


class AggregateFunction(StrEnum):
    """What can be made of a group of records."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"


class State(StrEnum):
    """What `is` can ask of a column. TRUE, FALSE and UNKNOWN are asked of booleans only."""

    NULL = "null"
    NOT_NULL = "not_null"
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Param:
    """The place of a value: an index into the query's `values`."""

    index: int


TEXT = Type(Kind.STRING)
JSON = Type(Kind.JSON)


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the selection's resource, or what a path leads to in its JSON.

    A step is the key of an object (str) or the index of an array (int, from the end where negative); a path that
    leads nowhere is null, and so is a JSON null at its end. With `as_text` it is text: a string as it is, a number or
    boolean as its JSON text, an array or object as its JSON text in an output, and null in a condition or a sort key.
    """

    field: Field
    path: tuple[str | int, ...] = ()
    as_text: bool = False

    @property
    def type(self) -> Type:
        """The type of the value."""
        if not self.path:
            return self.field.type
        return TEXT if self.as_text else JSON


@dataclass(frozen=True, slots=True)
class Cast:
    """The operand as a value of another type, by the rules of `casts.py`."""

    operand: Column | Member | Aggregate
    type: Type


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What a function makes of the operand's values in a group; nulls do not count.

    Without an operand (COUNT only) it counts records. Of no values, COUNT is 0 and the others are null. SUM and AVG
    are exact for integers and decimals (AVG has the digits that PostgreSQL's division gives); for doubles they are
    those of the values' shortest decimal forms. `casts.aggregate_type` tells the type.
    """

    function: AggregateFunction
    operand: Column | Cast | Member | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The embedded record, or the list of embedded records, whole: its outputs as a row of its own."""

    embed: int


@dataclass(frozen=True, slots=True)
class Member:
    """One value of the embedded record (null if there is none), or of each embedded record, as a list."""

    embed: int
    expression: Expression


Expression = Column | Cast | Aggregate | Record | Member


@dataclass(frozen=True, slots=True)
class Comparison:
    """`column operator value`; unknown when the column is null (SQL's three-valued logic), but for ISDISTINCT.

    The value is never null and has the column's type, with these exceptions: LIKE and ILIKE take a
    `patterns.Pattern`, MATCH and IMATCH an `expressions.Regex`, IN a tuple of values (empty: false for every row,
    even where the column is null). With a quantifier it is a tuple of such values: the comparison must hold with any
    (of none: false), or with all (of none: true) of them.

    Arrays compare whole, item by item, a shorter one before a longer one that begins with it; CONTAINS, CONTAINED and
    OVERLAPS compare them as sets. JSON compares by kind first (null, strings, numbers, booleans, arrays, objects),
    then strings by code point, numbers by value, false before true; arrays and objects can only be equal or not.
    CONTAINS and CONTAINED on JSON are PostgreSQL's `@>` and `<@`.
    """

    column: Column
    operator: Operator
    value: Param
    quantifier: Quantifier | None = None


@dataclass(frozen=True, slots=True)
class Is:
    """`column IS state`: true or false, never unknown."""

    column: Column
    state: State


@dataclass(frozen=True, slots=True)
class Related:
    """Whether the embed (an index into the selection's) has any record, its page aside: true or false."""

    embed: int


@dataclass(frozen=True, slots=True)
class Not:
    """The negation: unknown stays unknown."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class And:
    """The conjunction. Without conditions it is true."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """The disjunction. Without conditions it is false."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Among:
    """The record's primary key is one of those in the parameter's value: a tuple of rows, as many as there may be."""

    param: Param


Condition = Comparison | Is | Among | Related | Not | And | Or
#: The condition that every row meets.
ALL = And()


@dataclass(frozen=True, slots=True)
class Output:
    """One member of an answer's records: its name there, and where it comes from."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key. Text sorts by code point, false before true, and nulls where `nulls_first` says.

    A `Member` is of a to-one embed; null where there is no record. JSON sorts as `Comparison` compares it.
    """

    expression: Column | Cast | Member
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Junction:
    """The resource between the two sides of a many-to-many relation, and its fields with those of the target."""

    resource: Resource
    pairs: tuple[tuple[Field, Field], ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """How records of two resources belong together: pairs of fields are equal, and none of them is null.

    `pairs` are (own field, target's field); with a junction, (own field, junction's field), and a target belongs to
    the record, once, when any record of the junction connects them.
    """

    target: Resource
    many: bool
    pairs: tuple[tuple[Field, Field], ...]
    junction: Junction | None = None


@dataclass(frozen=True, slots=True)
class Embed:
    """Related records of the selection's records. With `inner`, records without any are left out.

    For a to-many relation the selection's order and page apply to each parent's records on their own.
    """

    relation: Relation
    selection: Selection
    inner: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records, which of their columns, in which order: the shape of a read.

    Where an output is an `Aggregate` (also in a `Cast`), the selection is grouped: its records are the groups of those
    that agree in all other outputs, and its order has only the expressions of such outputs. Without other outputs all
    records are one group, even if there are none. An aggregate may be over a `Member` of a to-one embed.
    """

    resource: Resource
    outputs: tuple[Output, ...]
    where: Condition = ALL
    order: tuple[Sort, ...] = ()
    limit: Param | None = None
    offset: Param | None = None
    embeds: tuple[Embed, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """Read the selection. With `count`, also the exact number of its records, pages aside."""

    selection: Selection
    values: Values = ()
    count: bool = False

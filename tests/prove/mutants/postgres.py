"""Mistakes in the build over PostgreSQL."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

from sqlalchemy import ColumnElement, Select, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import Insert

from repositories import patterns
from repositories.patterns import Pattern, Wildcard
from repositories.query import ALL, AggregateFunction, Embed, Operator, Selection, Sort
from repositories.schema import Field, Kind, OnDelete
from repositories.sql import compiler, conditions, groups, selections, sources, tables, writer, writing
from repositories.sql.aggregates import accumulated, finished
from repositories.sql.groups import Groups
from repositories.sql.operators import OPERATORS, Comparator
from repositories.sql.scopes import Scope, link_sql
from repositories.sql.writer import Writer
from repositories.writes import Conflict
from tests.prove.mutants.catalogs import SUMMED
from tests.prove.mutants.planting import Mutant
from tests.prove.mutants.shared import fold_ascii, without_tie_break
from tests.prove.worlds import POSTGRES

_order = sources.order_keys


def _patch_order(order: Any) -> tuple[Any, ...]:
    return tuple(patch.object(module, "order_keys", order) for module in (selections, groups))


def _order_nulls_first(order: Iterable[Sort], scope: Scope, value: Any) -> Any:
    return _order([replace(key, nulls_first=True) for key in order], scope, value)


def _order_without_tie_break(order: Iterable[Sort], scope: Scope, value: Any) -> Any:
    return _order(without_tie_break(list(order)), scope, value)


_total = selections.total_sql


def _total_of_all(selection: Selection, scope: Scope) -> Select[Any]:
    return _total(replace(selection, where=ALL), scope)


def _members_unfiltered(embed: Embed, parent: Scope, child: Scope) -> list[ColumnElement[bool]]:
    return [link_sql(embed.relation, parent, child)]


_where = conditions.where_sql


def _where_without_inner(selection: Selection, scope: Scope) -> list[ColumnElement[bool]]:
    embeds = tuple(replace(embed, inner=False) for embed in selection.embeds)
    return _where(replace(selection, embeds=embeds), scope)


def _unescaped(signs: str) -> Callable[[Pattern], str]:
    """LIKE's pattern, in which these signs mean something wherever they stand."""

    def write(pattern: Pattern) -> str:
        written = []
        for part in pattern.parts:
            if isinstance(part, Wildcard):
                written.append(part.value)
            else:
                written += [f"\\{sign}" if sign in "\\%_" and sign not in signs else sign for sign in part]
        return "".join(written)

    return write


def _accumulated_doubles(function: AggregateFunction, operand: Any, kind: Any) -> Any:
    if function is AggregateFunction.SUM and kind.kind is Kind.DOUBLE:
        return (func.sum(operand),)
    return accumulated(function, operand, kind)


def _finished_doubles(function: AggregateFunction, gathered: Any, kind: Any) -> Any:
    if function is AggregateFunction.SUM and kind.kind is Kind.DOUBLE:
        return gathered[0]
    return finished(function, gathered, kind)


_groups = Groups._grouped


def _groups_but_null(self: Groups, columns: Iterable[ColumnElement[Any]]) -> Select[Any]:
    query = _groups(self, columns)
    return query.having(*(self._column(key).is_not(None) for key in self._keys)) if self._keys else query


def _merge_wholly(statement: Insert, conflict: Conflict) -> Insert:
    names = [field.name for field in conflict.fields]
    if not conflict.merge:
        return statement.on_conflict_do_nothing(index_elements=names)
    key = statement.table.primary_key.columns.keys()  # type: ignore[attr-defined]
    merged = {name: value for name, value in statement.excluded.items() if name not in key}
    return statement.on_conflict_do_update(index_elements=names, set_=merged)


_encoder = writer._encoder


def _encoder_without_zero(fields: tuple[Field, ...]) -> Any:
    encode = _encoder(fields)
    return lambda rows: encode([tuple(None if type(it) is int and not it else it for it in row) for row in rows])


def _run_unasked(self: Writer, connection: Any, write: Any, _: Any) -> Any:
    return self._run(connection, write)


def _on_delete(rule: OnDelete) -> Any:
    return patch.dict(tables._ON_DELETE, {rule: None})


MUTANTS = (
    Mutant("nulls first by default", POSTGRES, _patch_order(_order_nulls_first), "links"),
    Mutant("nulls fall as the default is", POSTGRES, (patch.object(sources, "_nullable", lambda _: False),), "links"),
    Mutant("no tie-break", POSTGRES, _patch_order(_order_without_tie_break), "links", salt="b"),
    Mutant(
        "`lte` is `lt`", POSTGRES, (patch.dict(OPERATORS, {Operator.LTE: Comparator("<", operator.lt)}),), "numbers"
    ),
    Mutant(
        "`isdistinct` is `neq`",
        POSTGRES,
        (patch.dict(OPERATORS, {Operator.ISDISTINCT: OPERATORS[Operator.NEQ]}),),
        "numbers",
    ),
    Mutant("`ilike` folds ASCII only", POSTGRES, (patch.object(patterns, "case_variants", fold_ascii),), "letters"),
    Mutant("% and _ are not escaped", POSTGRES, (patch.object(patterns, "like", _unescaped("%_")),), "patterns"),
    Mutant("backslashes are not escaped", POSTGRES, (patch.object(patterns, "like", _unescaped("\\")),), "patterns"),
    Mutant("the count forgets the filter", POSTGRES, (patch.object(compiler, "total_sql", _total_of_all),), "links"),
    Mutant(
        "filters of embeds are dropped",
        POSTGRES,
        (
            patch.object(selections, "member_sql", _members_unfiltered),
            patch.object(sources, "member_sql", _members_unfiltered),
            patch.object(conditions, "member_sql", _members_unfiltered),
        ),
        "links",
    ),
    Mutant(
        "inner joins are left joins",
        POSTGRES,
        (
            patch.object(sources, "where_sql", _where_without_inner),
            patch.object(conditions, "where_sql", _where_without_inner),
        ),
        "links",
        salt="b",
    ),
    Mutant(
        "doubles are added up as doubles",
        POSTGRES,
        (
            patch.object(groups, "accumulated", _accumulated_doubles),
            patch.object(groups, "finished", _finished_doubles),
        ),
        "sums",
        directed=SUMMED,
    ),
    Mutant("the group of null is dropped", POSTGRES, (patch.object(Groups, "_grouped", _groups_but_null),), "links"),
    Mutant(
        "zero is stored as null",
        POSTGRES,
        (patch.object(writer, "_encoder", _encoder_without_zero),),
        "numbers",
        True,
        salt="b",
    ),
    Mutant("a merge replaces the record", POSTGRES, (patch.object(writing, "_merging", _merge_wholly),), "links", True),
    Mutant(
        "conditions are not checked", POSTGRES, (patch.object(Writer, "_run_expecting", _run_unasked),), "links", True
    ),
    Mutant(
        "unique sets hit nulls",
        POSTGRES,
        (patch.object(tables, "UniqueConstraint", partial(UniqueConstraint, postgresql_nulls_not_distinct=True)),),
        "links",
        writes=True,
        schema=True,
        empty=True,
    ),
    Mutant("no cascade", POSTGRES, (_on_delete(OnDelete.CASCADE),), "links", writes=True, schema=True),
    Mutant("nothing is set null", POSTGRES, (_on_delete(OnDelete.SET_NULL),), "links", writes=True, schema=True),
)

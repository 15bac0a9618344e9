"""Which outputs of a page are made last, for its records alone: those before them cost time, and may fail to cast."""

from __future__ import annotations

from collections.abc import Iterator

from repositories.expressions import is_grouped
from repositories.query import Cast, Column, Embed, Expression, Member, Record, Selection


def is_late(expression: Expression, selection: Selection) -> bool:
    """Whether an output is made when the page is known.

    A cast must not fail for a record that is on another page. What is embedded is looked up after sorting in any
    case, but also for the records that an offset skips.
    """
    match expression:
        case Cast(Column(), _):
            return selection.limit is not None or selection.offset is not None
        case Record():
            return selection.offset is not None
        case Member(index, inner):
            embed = selection.embeds[index]
            if is_joined(embed) and not isinstance(inner, Cast | Record | Member):
                return False
            return selection.offset is not None or (isinstance(inner, Cast) and selection.limit is not None)
    return False


def is_joined(embed: Embed) -> bool:
    """Whether the embed's columns are to be had by joining it."""
    return not embed.relation.many and not is_grouped(embed.selection)


def fields_of(expression: Expression, embeds: tuple[Embed, ...]) -> Iterator[str]:
    """The names of the record's own fields that the expression needs."""
    match expression:
        case Column(field):
            yield field.name
        case Cast(operand, _):
            yield from fields_of(operand, embeds)
        case Record(index) | Member(index, _):
            yield from (own.name for own, _ in embeds[index].relation.pairs)

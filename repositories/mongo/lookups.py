"""Selections with embeds: one pipeline of `$lookup`s, each as late as it can be.

Embeds that the condition needs are looked up first (for their existence only, where no more is wanted), then those that
the order needs, and after the page has been cut out those that are only shown. The records of the embed `i` are a list
under `documents.place(i)`, also where the relation is to one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from repositories.expressions import is_grouped
from repositories.mongo.decoding import compile_decoder
from repositories.mongo.documents import BSON, Decode, place
from repositories.mongo.filters import Filter, compile_filter, conjuncts_of
from repositories.mongo.groups import Groups
from repositories.mongo.plans import Ordered, Page, Pipeline, sort_stages
from repositories.mongo.relations import lookup
from repositories.mongo.sorting import Sorting, needed, sorting, split
from repositories.mongo.values import embeds_of, projection
from repositories.query import And, Condition, Embed, Expression, Not, Or, Related, Row, Selection, Values
from repositories.schema import Resource


@dataclass(frozen=True, slots=True)
class Branch:
    """An embed of a selection."""

    index: int
    embed: Embed
    #: The records as they are embedded.
    below: Below

    def stages(self, owner: Resource, values: Values) -> list[BSON]:
        """Look the records up, as they are shown."""
        if self.below.page.is_empty(values):
            return [{"$set": {place(self.index): None}}]
        return lookup(owner, self.embed.relation, place(self.index), self.below.stages(values))

    def existence(self, owner: Resource, values: Values) -> list[BSON]:
        """Look up whether there are any, whatever their page."""
        found = [*self.below.tree.source(values), {"$limit": 1}, {"$project": {"_id": 1}}]
        return lookup(owner, self.embed.relation, f"{place(self.index)}?", found)

    def is_paged(self, values: Values) -> bool:
        """The page may hide that there are records."""
        skip, _ = self.below.page.bounds(values)
        return skip > 0 or self.below.page.is_empty(values)


@dataclass(frozen=True, slots=True)
class Below:
    """What an embed's lookup makes of the related records."""

    tree: Tree
    groups: Groups | None
    many: bool

    @property
    def page(self) -> Page:
        """Which of the records are wanted."""
        return self.tree.page

    def stages(self, values: Values) -> list[BSON]:
        """The stages after the related records have been found."""
        if self.is_bare:
            return []
        return self.tree.stages(values) if self.groups is None else grouped(self.tree, self.groups, values)

    @property
    def computes(self) -> bool:
        """Something is made of groups, here or below, which may fail: only of what is shown may it be made."""
        return self.groups is not None or self.tree.computes

    @property
    def members(self) -> BSON:
        """What to keep of records that come as they are; an `_id` below cannot be left out by name."""
        return {name: kept for name, kept in self.tree.projection.items() if kept}

    @property
    def is_bare(self) -> bool:
        """The related records can come as they are, and be projected later."""
        return self.groups is None and not self.many and self.tree.is_bare


def grouped(tree: Tree, groups: Groups, values: Values) -> list[BSON]:
    """The stages that make groups of a tree's records, and cut their page out."""
    return [*tree.source(values), *tree.looked_up(tree.shown, values), *groups.stages(values)]


class Tree:
    """A selection's records with what is embedded in them: the stages that find, order and show them."""

    def __init__(self, selection: Selection, expressions: Sequence[Expression]) -> None:
        self.resource = selection.resource
        self.embeds = selection.embeds
        shown = embeds_of(expressions)
        ordering = embeds_of(key.expression for key in selection.order) if not is_grouped(selection) else {}
        wanted = {index: [*shown.get(index, ()), *ordering.get(index, ())] for index in (*shown, *ordering)}
        self._branches = {
            index: Branch(index, embed, _below(embed, wanted.get(index, []))) for index, embed in enumerate(self.embeds)
        }
        self.shown, self.ordering = frozenset(shown), frozenset(ordering)
        #: Grouped embeds that the order needs as they are.
        self._raw = {
            index: Branch(index, self.embeds[index], _raw(self.embeds[index], wanted))
            for index, wanted in ordering.items()
            if is_grouped(self.embeds[index].selection)
        }
        inner = tuple(Related(index) for index, embed in enumerate(self.embeds) if embed.inner)
        conjuncts = [*conjuncts_of(selection.where), *inner]
        late = [each for each in conjuncts if any(True for _ in related(each))]
        early = tuple(each for each in conjuncts if each not in late)
        self.early = compile_filter(self.resource, And(early))
        self.late: Filter | None = compile_filter(self.resource, And(tuple(late)), self._place) if late else None
        self.filtering = frozenset(index for each in late for index in related(each))
        self.projection = projection(self.resource, expressions)
        bare = [self._branches[index] for index in shown if self._branches[index].below.is_bare]
        self.projection |= {place(branch.index): branch.below.members for branch in bare}
        #: All records, as they are.
        self.is_bare = not self.embeds and not conjuncts
        self.page = Page.of(selection)
        order = [] if is_grouped(selection) else needed(selection.order, self.early)
        self.sort: Sorting = sorting(self.resource, order, self.early, self.embeds)
        at_once = not self.filtering and not self.ordering
        self.split = split(self.resource, order, self.early) if at_once else None

    def _place(self, index: int, values: Values) -> str:
        return place(index) if self._is_whole(index, values) else f"{place(index)}?"

    def _is_whole(self, index: int, values: Values) -> bool:
        """The lookup of what is shown serves the condition, too."""
        branch = self._branches[index]
        return index in self.shown | self.ordering and not branch.is_paged(values) and not branch.below.computes

    @property
    def computes(self) -> bool:
        """Groups are made below."""
        return any(self._branches[index].below.computes for index in self.shown)

    def source(self, values: Values) -> list[BSON]:
        """The stages that find the records, in no order."""
        where = self.early.build(values)
        stages = [{"$match": where}] if where else []
        if self.late is not None:
            for index in sorted(self.filtering):
                branch = self._branches[index]
                find = branch.stages if self._is_whole(index, values) else branch.existence
                stages += find(self.resource, values)
            stages.append({"$match": self.late.build(values)})
        return stages

    def looked_up(self, wanted: Iterable[int], values: Values) -> list[BSON]:
        """The stages that look up what `source` has not."""
        there = {index for index in self.filtering if self._is_whole(index, values)}
        found = (self._branches[index].stages(self.resource, values) for index in sorted(set(wanted) - there))
        return [stage for stages in found for stage in stages]

    def stages(self, values: Values) -> list[BSON]:
        """All stages: the records as they are shown."""
        if not self.filtering and not self.ordering:
            ordered = Ordered(self.resource, self.early, self.sort, self.split, self.page).stages(values)
        else:
            sort = [*sort_stages(self.sort), *self.page.stages(values)]
            raw = [stage for branch in self._raw.values() for stage in branch.stages(self.resource, values)]
            ordered = [*self.source(values), *self.looked_up(self.ordering - set(self._raw), values), *raw, *sort]
        rest = self.looked_up(self.shown - self.ordering, values)
        for index in self.shown & set(self._raw):
            rest += self._branches[index].stages(self.resource, values)
        return [*ordered, *rest, {"$project": self.projection}]


@dataclass(frozen=True, slots=True)
class _OfTree:
    """A plan that is made around a tree."""

    tree: Tree

    @property
    def resource(self) -> Resource:
        """The resource of the outer records, or of those that are grouped."""
        return self.tree.resource

    @property
    def page(self) -> Page:
        """The page of the outer records, or of the groups."""
        return self.tree.page


@dataclass(frozen=True, slots=True)
class TreePlan(_OfTree):
    """A selection with embeds."""

    rows: Decode

    def statement(self, values: Values) -> Pipeline:
        """The pipeline."""
        return Pipeline(self.tree.stages(values))

    def count(self, values: Values) -> list[BSON]:
        """Counted after the lookups that the condition needs."""
        return [*self.tree.source(values), {"$count": "n"}]


@dataclass(frozen=True, slots=True)
class GroupPlan(_OfTree):
    """A grouped selection."""

    groups: Groups

    def statement(self, values: Values) -> Pipeline:
        """The pipeline."""
        return Pipeline(grouped(self.tree, self.groups, values))

    def count(self, values: Values) -> list[BSON]:
        """How many groups there are."""
        looked_up = self.tree.looked_up(self.tree.shown, values)
        return [*self.tree.source(values), *looked_up, *self.groups.counted()]

    def rows(self, documents: Sequence[BSON]) -> list[Row]:
        """The groups as rows."""
        return self.groups.rows(documents)


def compile_tree(selection: Selection) -> TreePlan | GroupPlan:
    """The plan of a selection that has embeds, or is grouped."""
    expressions = [output.expression for output in selection.outputs]
    tree = Tree(selection, expressions)
    if is_grouped(selection):
        return GroupPlan(tree, Groups(selection))
    return TreePlan(tree, compile_decoder(selection.resource, expressions, selection.embeds))


def _raw(embed: Embed, wanted: Sequence[Expression | None]) -> Below:
    expressions = [each for each in wanted if each is not None]
    return Below(Tree(replace(embed.selection, order=()), expressions), None, embed.relation.many)


def _below(embed: Embed, wanted: Sequence[Expression | None]) -> Below:
    # one record needs no order
    selection = embed.selection if embed.relation.many else replace(embed.selection, order=())
    expressions = [each for each in wanted if each is not None]
    if None in wanted:
        expressions += [output.expression for output in selection.outputs]
    tree = Tree(selection, expressions)
    return Below(tree, Groups(selection) if is_grouped(selection) else None, embed.relation.many)


def related(condition: Condition) -> Iterator[int]:
    """The embeds that a condition asks for."""
    match condition:
        case Related(index):
            yield index
        case Not(inner):
            yield from related(inner)
        case And(conditions) | Or(conditions):
            for each in conditions:
                yield from related(each)

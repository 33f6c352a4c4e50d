"""What is known of one question in one slice, in the forms that the statistics take."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, cast
from uuid import UUID

import numpy as np

from reviewapp.access.models import User
from reviewapp.agreement.selectors.labels import Tables, decoder
from reviewapp.agreement.selectors.questions import Question
from reviewapp.rubrics.answers import category_values, numeric_value
from reviewapp.rubrics.records import is_number
from reviewapp.stats.patterns import PatternTable, Ratings

Long: TypeAlias = Sequence[tuple[int, int, str]]


@dataclass(frozen=True)
class Rater:
    """A reviewer by the name that the API answers."""

    name: str
    is_slot: bool


def raters_named(reviewers: set[UUID]) -> dict[UUID, Rater]:
    """Names of reviewers as the API answers them."""
    people = User.objects.filter(pk__in=reviewers)
    return {user.pk: Rater(user.public_name, is_slot=user.imported_as_slot) for user in people}


@dataclass(frozen=True)
class Labels:
    """What is known of one question in one slice. `long` fetches every label, for the few statistics that need it."""

    question: Question
    tables: Tables
    raters: dict[UUID, Rater]
    long: Callable[[], Long]

    @property
    def n_raters(self) -> int:
        """Different reviewers."""
        return len(self.tables.reviewers)

    @property
    def has_slots(self) -> bool:
        """Whether a reviewer is a position of an imported set rather than a person."""
        return any(self.raters[reviewer].is_slot for reviewer in self.tables.reviewers)

    @cached_property
    def categories(self) -> tuple[Hashable, ...]:
        """The rubric's answers; of a multiselect the sets that were chosen."""
        if self.question.kind == "multiselect":
            seen = {chosen for composition, _ in self.tables.compositions for chosen in composition}
            return tuple(sorted(seen, key=lambda chosen: sorted(map(repr, cast("frozenset[Any]", chosen)))))
        return tuple(category_values(self.question.criterion))

    @cached_property
    def positions(self) -> tuple[float, ...] | None:
        """The places of the levels of an ordinal criterion: their numbers, else their order."""
        if self.question.kind != "ordinal":
            return None
        places = (numeric_value(self.question.criterion, value) for value in self.categories)
        return tuple(place for place in places if place is not None)

    @property
    def has_numbers(self) -> bool:
        """Whether the levels are numbers themselves, so that distances between them mean something."""
        return all(is_number(value) for value in self.categories)

    @cached_property
    def patterns(self) -> PatternTable:
        """The compositions as the statistics take them."""
        return PatternTable.from_compositions(
            self.tables.compositions, self.categories, values=self.positions, n_raters=self.n_raters or None
        )

    @cached_property
    def ratings(self) -> Ratings:
        """Every label with its reviewer."""
        rows, decode = self.long(), decoder(self.question)
        index = {value: place for place, value in enumerate(self.categories)}
        codes = {text: index[decode(text)] for text in {row[2] for row in rows}}
        table = np.array([(item, rater, codes[text]) for item, rater, text in rows], dtype=np.int64).reshape(-1, 3)
        units, raters = (tuple(range(int(table[:, column].max(initial=-1)) + 1)) for column in (0, 1))
        return Ratings(self.categories, units, raters, table[:, 0], table[:, 1], table[:, 2], self.positions)

"""Blind reviews side by side: what each says per criterion, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reviewapp.grading.forms import is_overall, options_of
from reviewapp.grading.models import Review
from reviewapp.grading.selectors import shown_winner
from reviewapp.lib.canonical import canonical_bytes
from reviewapp.rubrics.models import Criterion
from reviewapp.rubrics.records import same

ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")


@dataclass(frozen=True)
class Row:
    """One criterion: the answers in the order of the columns, "" for none."""

    title: str
    columns: tuple[str, ...]
    answers: tuple[str, ...]
    is_disputed: bool

    @property
    def named_answers(self) -> list[tuple[str, str]]:
        """(column, answer)."""
        return list(zip(self.columns, self.answers, strict=True))


@dataclass(frozen=True)
class Remark:
    """What one reviewer wrote beside the grades."""

    name: str
    comment: str
    correction: str


@dataclass(frozen=True)
class Dispute:
    """The table for the adjudicator. Columns are named by their place, never by the reviewer."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    remarks: tuple[Remark, ...]

    @property
    def n_disputed(self) -> int:
        """On how many criteria they differ."""
        return sum(row.is_disputed for row in self.rows)


def compared(criteria: Sequence[Criterion], reviews: Sequence[Review], a_is_left: bool | None) -> Dispute:
    """The reviews side by side; sides of a pair as the adjudicator sees them."""
    columns = tuple(_name(place) for place in range(len(reviews)))
    rows = []
    for criterion in criteria:
        values = [_value(review, criterion, a_is_left) for review in reviews]
        said = tuple(_said(criterion, value) for value in values)
        rows.append(Row(criterion.title, columns, said, not _are_equal(values)))
    remarks = tuple(
        Remark(columns[place], review.comment, review.correction or "")
        for place, review in enumerate(reviews)
        if review.comment or review.correction
    )
    return Dispute(columns, tuple(rows), remarks)


def agreed_answer(criteria: Sequence[Criterion], reviews: Sequence[Review], a_is_left: bool | None) -> dict[str, Any]:
    """What all reviews say alike, as a first answer for the adjudicator; {} without reviews."""
    answer: dict[str, Any] = {"grades": {}} if reviews else {}
    for criterion in criteria:
        values = [_value(review, criterion, a_is_left) for review in reviews]
        if not values or values[0] is None or not _are_equal(values):
            continue
        if is_overall(criterion):
            answer["preference"] = values[0]
        else:
            answer["grades"][criterion.key] = values[0]
    return answer


def _name(place: int) -> str:
    return ORDINALS[place] if place < len(ORDINALS) else f"No. {place + 1}"


def _value(review: Review, criterion: Criterion, a_is_left: bool | None) -> Any:
    for grade in review.grades.all():
        if grade.criterion.key == criterion.key:
            return grade.value
    for each in review.preferences.all():
        if each.criterion.key == criterion.key:
            winner = shown_winner(each.winner, a_was_left=a_is_left)
            return {"winner": winner, "strength": each.strength} if each.strength else {"winner": winner}
    return None


def _are_equal(values: Sequence[Any]) -> bool:
    # How strongly somebody prefers a side is no other answer.
    forms = {canonical_bytes(value["winner"] if isinstance(value, dict) else value) for value in values}
    return len(forms) <= 1


def _said(criterion: Criterion, value: Any) -> str:
    if value is None:
        return ""
    if criterion.kind == "highlight":
        return f"{len(value)} passages"
    if isinstance(value, dict):
        strength = {1: ", slightly", 2: ", clearly", 3: ", far"}.get(value.get("strength") or 0, "")
        return _label(criterion, value["winner"]) + strength
    if isinstance(value, list):
        return ", ".join(_label(criterion, one) for one in value) or "None of these"
    return _label(criterion, value)


def _label(criterion: Criterion, value: Any) -> str:
    return next((option.label for option in options_of(criterion) if same(option.value, value)), str(value))

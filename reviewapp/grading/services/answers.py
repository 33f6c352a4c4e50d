"""What a reviewer sends, checked against the rubric and freed from the sides it was shown on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from reviewapp.grading.models import Grade, Preference
from reviewapp.grading.selectors import OVERALL
from reviewapp.lib.api import Strict
from reviewapp.lib.canonical import canonical_sha256
from reviewapp.lib.errors import FieldError, Unprocessable
from reviewapp.rubrics.answers import check_answers
from reviewapp.rubrics.models import Criterion

Text = Annotated[str, Field(max_length=100_000)]


class PreferenceIn(Strict):
    """Which side won, as shown."""

    winner: Literal["left", "right", "tie", "both_bad"]
    strength: Annotated[int, Field(ge=1, le=3)] | None = None


class AnswerIn(Strict):
    """A reviewer's answer."""

    grades: dict[str, Any] = {}
    preference: PreferenceIn | None = None
    correction: Text | None = None
    comment: Annotated[str, Field(max_length=20_000)] = ""
    active_seconds: Annotated[float, Field(ge=0, le=604_800, allow_inf_nan=False)] | None = None


class DraftIn(Strict):
    """An unfinished answer: any part of it may be missing, and nothing is checked against the rubric yet."""

    grades: dict[str, Any] = {}
    preference: dict[str, Any] | None = None
    correction: Text | None = None
    comment: Annotated[str, Field(max_length=20_000)] | None = None
    active_seconds: Annotated[float, Field(ge=0, le=604_800, allow_inf_nan=False)] | None = None


@dataclass(frozen=True)
class Checked:
    """Values by criterion in the rubric's spelling; preferences name a and b."""

    values: Mapping[str, Any]
    preferences: Mapping[str, Mapping[str, Any]]
    a_was_left: bool | None = None
    criteria: Mapping[str, Criterion] = field(default_factory=dict)

    def grade_rows(self, review_id: UUID) -> list[Grade]:
        """The unsaved grades of a review."""
        return [
            Grade(review_id=review_id, criterion=self.criteria[key], value=value) for key, value in self.values.items()
        ]

    def preference_rows(self, review_id: UUID) -> list[Preference]:
        """The unsaved preferences of a review."""
        return [
            Preference(
                review_id=review_id,
                criterion=self.criteria[key],
                winner=value["winner"],
                strength=value.get("strength"),
                a_was_left=self.a_was_left,
            )
            for key, value in self.preferences.items()
        ]


def body_sha256(answer: AnswerIn) -> str:
    """What makes two submits the same: the whole body, in canonical form."""
    return canonical_sha256(answer.model_dump(mode="json", exclude_none=True))


def check_answer(criteria: Sequence[Criterion], answer: AnswerIn, *, a_is_left: bool | None) -> Checked:
    """The answer on an item whose a-side stood left (None: not a pair). Raises Unprocessable with pointers."""
    grades = dict(answer.grades)
    if answer.preference is not None:
        if OVERALL in grades:
            raise _wrong("/grades/preference", "stands twice; send it as preference only")
        grades[OVERALL] = answer.preference.model_dump(exclude_none=True)
    by_key = {criterion.key: criterion for criterion in criteria}
    for key, value in grades.items():
        if key in by_key and by_key[key].kind == "preference":
            grades[key] = _without_sides(value, a_is_left, pointer_of(key))
    return split(criteria, checked_grades(criteria, grades), a_was_left=a_is_left)


def checked_grades(
    criteria: Sequence[Criterion], grades: Mapping[str, Any], *, is_import: bool = False
) -> dict[str, Any]:
    """`check_answers`, with the pointer of the overall preference where the sender wrote it."""
    try:
        return check_answers(criteria, grades, is_import=is_import)
    except Unprocessable as error:
        at = f"/grades/{OVERALL}"
        moved = tuple(
            FieldError(part.pointer.replace("/grades", "", 1), part.detail) if part.pointer.startswith(at) else part
            for part in error.errors
        )
        raise Unprocessable(
            f"{moved[0].pointer} {moved[0].detail}." if moved else error.detail, errors=moved
        ) from error


def split(criteria: Sequence[Criterion], found: Mapping[str, Any], *, a_was_left: bool | None = None) -> Checked:
    """Checked values apart: what becomes grades, and what becomes preferences."""
    by_key = {criterion.key: criterion for criterion in criteria}
    preferred = {key for key in found if by_key[key].kind == "preference"}
    return Checked(
        values={key: value for key, value in found.items() if key not in preferred},
        preferences={key: found[key] for key in found if key in preferred},
        a_was_left=a_was_left,
        criteria=by_key,
    )


def pointer_of(key: str) -> str:
    """Where the value of a criterion stands in the body."""
    return f"/{OVERALL}" if key == OVERALL else "/grades/" + key.replace("~", "~0").replace("/", "~1")


def _without_sides(value: Any, a_is_left: bool | None, pointer: str) -> Any:
    if a_is_left is None:
        raise _wrong(pointer, "is for pairs; leave it out")
    if not isinstance(value, dict) or value.get("winner") not in ("left", "right"):
        if isinstance(value, dict) and value.get("winner") in ("a", "b"):
            raise _wrong(f"{pointer}/winner", "must be one of 'left', 'right', 'tie' or 'both_bad'")
        return value
    return {**value, "winner": "a" if (value["winner"] == "left") == a_is_left else "b"}


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}.", errors=(FieldError(pointer, detail),))

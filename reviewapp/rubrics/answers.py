"""Answers to criteria: which values are right, which pass, and what number stands for them.

Values are JSON values and types are strict: `true` is not 1 and "3 " is not 3. A checked value is the rubric's own
spelling of it (3.0 becomes the level 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from reviewapp.lib.api import Strict, field_errors
from reviewapp.lib.errors import FieldError, Unprocessable
from reviewapp.lib.jsonread import check_strings
from reviewapp.rubrics.models import Criterion
from reviewapp.rubrics.records import WINNERS, WITH_LEVELS, is_number, level_numbers, same

MAX_TEXT = 20_000
MAX_SPANS = 500
MeasurementLevel = Literal["nominal", "ordinal", "interval"]
Entry = TypeVar("Entry", bound=Strict)


class SpanAnswer(Strict):
    """One highlighted passage: characters from `start` up to, not including, `end`."""

    field: Literal["input", "output"]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]
    label: Annotated[str, Field(min_length=1, max_length=200)]
    severity: Literal["minor", "major", "critical"] | None = None


class PreferenceAnswer(Strict):
    """Which side won, and how clearly (1 slightly to 3 much)."""

    winner: Literal["a", "b", "tie", "both_bad"]
    strength: Annotated[int, Field(ge=1, le=3)] | None = None


def check_value(criterion: Criterion, value: Any) -> Any:
    """The value in the rubric's spelling. Raises Unprocessable; pointers are relative to the value."""
    return _CHECKS[criterion.kind](criterion, value)


def check_verdict_value(criterion: Criterion, value: Any) -> Any:
    """A judge's value: any number from the lowest to the highest level of an ordinal or numeric criterion (a mean of
    tries), else a value that a person may give. Raises Unprocessable.
    """
    if criterion.kind != "ordinal" or not is_number(value):
        return check_value(criterion, value)
    numbers = level_numbers(_level_values(criterion))
    if not min(numbers) <= value <= max(numbers):
        raise _wrong(f"must lie between {min(numbers):g} and {max(numbers):g}")
    return value


def check_answers(
    criteria: Sequence[Criterion], grades: Mapping[str, Any], *, is_import: bool = False
) -> dict[str, Any]:
    """Every answer checked, by key. Raises Unprocessable naming each wrong answer at `/grades/<key>`.

    A criterion hidden by `show_if` must not be answered; a shown required one must be. Imported grades may leave
    anything out and say null for "not answered"; they are hidden only by an answer that is there.
    """
    wrong = [_unknown(key) for key in grades if key not in {criterion.key for criterion in criteria}]
    found: dict[str, Any] = {}
    for criterion in criteria:
        try:
            _take(criterion, grades, found, is_import=is_import)
        except Unprocessable as error:
            at = _pointer(criterion.key)
            parts = error.errors or (FieldError("", error.detail),)
            wrong += [FieldError(at + part.pointer, part.detail) for part in parts]
    if wrong:
        raise Unprocessable(f"{wrong[0].pointer} {wrong[0].detail}.", errors=tuple(wrong))
    return found


def is_shown(criterion: Criterion, answers: Mapping[str, Any]) -> bool:
    """Whether `show_if` lets this criterion be asked, given the answers to the earlier ones."""
    condition = criterion.show_if
    if condition is None:
        return True
    if condition["criterion"] not in answers:
        return False
    given = answers[condition["criterion"]]
    if isinstance(given, Mapping):
        given = given.get("winner")
    chosen = given if isinstance(given, list) else [given]
    return any(same(value, wanted) for value in chosen for wanted in condition["in"])


def passes(criterion: Criterion, value: Any) -> bool | None:
    """Whether the value passes; None for a criterion without a pass rate.

    A multiselect passes when every chosen value is a passing one, so also when nothing was chosen.
    """
    if criterion.kind == "binary":
        return value is True
    bar = criterion.pass_at
    if bar is None or value is None:
        return None
    if criterion.kind in ("ordinal", "numeric"):
        number = numeric_value(criterion, value)
        return None if number is None else number >= bar
    if criterion.kind == "preference":
        value = value["winner"] if isinstance(value, Mapping) else value
    chosen = value if isinstance(value, list) else [value]
    return all(any(same(one, passing) for passing in bar) for one in chosen)


def category_values(criterion: Criterion) -> list[Any]:
    """The closed set of answers in order; empty for numeric, text and highlight."""
    if criterion.kind == "binary":
        return [False, True]
    if criterion.kind == "preference":
        return list(WINNERS)
    return _level_values(criterion) if criterion.kind in WITH_LEVELS else []


def numeric_value(criterion: Criterion, value: Any) -> float | None:
    """The number that stands for a value: binary 0 or 1, ordinal its level's number, numeric itself; else None."""
    if criterion.kind == "binary":
        return float(value) if isinstance(value, bool) else None
    if criterion.kind == "numeric":
        return float(value) if is_number(value) else None
    if criterion.kind != "ordinal":
        return None
    values = _level_values(criterion)
    for level, number in zip(values, level_numbers(values), strict=True):
        if same(level, value):
            return number
    return float(value) if is_number(value) else None  # a verdict between two levels


def measurement_level(criterion: Criterion) -> MeasurementLevel:
    """The scale that agreement statistics may assume."""
    if criterion.kind == "ordinal":
        return "ordinal"
    return "interval" if criterion.kind == "numeric" else "nominal"


def _take(criterion: Criterion, grades: Mapping[str, Any], found: dict[str, Any], *, is_import: bool) -> None:
    """Move one criterion's answer from `grades` to `found`. Raises Unprocessable."""
    is_given = criterion.key in grades and not (is_import and grades[criterion.key] is None)
    is_given = is_given and not _is_blank(criterion, grades[criterion.key])
    is_hidden = not is_shown(criterion, found)
    if is_hidden and is_import:
        condition = criterion.show_if or {}
        is_hidden = condition.get("criterion") in found
    if is_given and is_hidden:
        raise _wrong("is not asked after the answers above; leave it out")
    if is_given:
        found[criterion.key] = check_value(criterion, grades[criterion.key])
    elif criterion.is_required and not is_hidden and not is_import:
        raise _wrong("is required")


def _is_blank(criterion: Criterion, value: Any) -> bool:
    return criterion.kind == "text" and isinstance(value, str) and not value.strip()


def _wrong(detail: str) -> Unprocessable:
    return Unprocessable(f"The value {detail}.", errors=(FieldError("", detail),))


def _pointer(key: str) -> str:
    return "/grades/" + key.replace("~", "~0").replace("/", "~1")


def _unknown(key: str) -> FieldError:
    return FieldError(_pointer(key), "is not a criterion of this rubric version")


def _level_values(criterion: Criterion) -> list[Any]:
    return [level["value"] for level in criterion.levels]


def _binary(_: Criterion, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong("must be true or false")
    return value


def _one_level(criterion: Criterion, value: Any) -> Any:
    known = _level_values(criterion)
    for level in known:
        if same(level, value):
            return level
    raise _wrong(f"must be one of {_listed(known)}")


def _several_levels(criterion: Criterion, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong("must be a list of values")
    known = _level_values(criterion)
    for one in value:
        if not any(same(one, level) for level in known):
            raise _wrong(f"must hold only values of {_listed(known)}")
    chosen = [level for level in known if any(same(one, level) for one in value)]
    if len(chosen) != len(value):
        raise _wrong("names a value twice")
    return chosen


def _number(criterion: Criterion, value: Any) -> int | float:
    if not is_number(value) or not math.isfinite(value):
        raise _wrong("must be a number")
    low, high = criterion.minimum, criterion.maximum
    if low is not None and value < low:
        raise _wrong(f"must be {low:g} or more")
    if high is not None and value > high:
        raise _wrong(f"must be {high:g} or less")
    number: int | float = value
    return number or 0  # minus zero is zero


def _text(_: Criterion, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("must be a text")
    if len(value) > MAX_TEXT:
        raise _wrong(f"must have at most {MAX_TEXT:,} characters")
    check_strings(value)
    return value


def _spans(criterion: Criterion, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MAX_SPANS:
        raise _wrong(f"must be a list of at most {MAX_SPANS} spans")
    labels = [str(label) for label in _level_values(criterion)]
    spans = []
    for number, entry in enumerate(value):
        span = _model(SpanAnswer, entry, at=f"/{number}")
        if span.end <= span.start:
            raise Unprocessable(
                "A span ends before it starts.", errors=(FieldError(f"/{number}/end", "ends too early"),)
            )
        if labels and span.label not in labels:
            detail = f"must be one of {_listed(labels)}"
            raise Unprocessable(f"A label {detail}.", errors=(FieldError(f"/{number}/label", detail),))
        spans.append(span.model_dump(exclude_none=True))
    return spans


def _preference(_: Criterion, value: Any) -> dict[str, Any]:
    answer = _model(PreferenceAnswer, value)
    if answer.strength is not None and answer.winner not in ("a", "b"):
        raise Unprocessable(
            "Strength needs a winner.", errors=(FieldError("/strength", "needs a winner; leave it out"),)
        )
    return answer.model_dump(exclude_none=True)


def _model(model: type[Entry], value: Any, *, at: str = "") -> Entry:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        parts = tuple(FieldError(at + part.pointer, part.detail) for part in field_errors(error))
        raise Unprocessable(f"{parts[0].pointer} {parts[0].detail}.", errors=parts) from error


def _listed(values: Sequence[Any]) -> str:
    shown = ", ".join(str(value) for value in values[:12])
    return shown if len(values) <= 12 else f"{shown}, …"


_CHECKS: dict[str, Callable[[Criterion, Any], Any]] = {
    "binary": _binary,
    "ordinal": _one_level,
    "categorical": _one_level,
    "multiselect": _several_levels,
    "numeric": _number,
    "text": _text,
    "highlight": _spans,
    "preference": _preference,
}

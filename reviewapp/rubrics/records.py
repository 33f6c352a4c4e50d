"""API.md's Rubric as a checked record.

Types and sizes are the model's; what concerns several fields at once is `problems_of`, which knows the pointer of each.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from reviewapp.lib.api import Strict
from reviewapp.lib.errors import FieldError

Kind = Literal["binary", "ordinal", "categorical", "multiselect", "numeric", "text", "highlight", "preference"]
WITH_LEVELS = frozenset({"ordinal", "categorical", "multiselect"})
WINNERS = ("a", "b", "tie", "both_bad")
MAX_LEVELS = 100
Scalar = str | int | float | bool


def is_number(value: object) -> bool:
    """Whether this is a JSON number; `true` is not 1."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(one: object, other: object) -> bool:
    """Equality of JSON values: 1 is 1.0, but neither is `true` nor "1"."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _level_value(value: object) -> object:
    if is_number(value) or (isinstance(value, str) and 1 <= len(value) <= 200):
        return value
    raise ValueError("must be a number or a text of 1 to 200 characters")


LevelValue = Annotated[
    str | int | float,
    PlainValidator(_level_value),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "minLength": 1, "maxLength": 200}]}),
]


class LevelIn(Strict):
    """One level of an ordinal scale, one choice, or one label of a highlight."""

    value: LevelValue
    label: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=2_000)] = ""


class ShowIf(Strict):
    """Ask only when an earlier criterion has one of these values."""

    criterion: str
    values: Annotated[list[Any], Field(alias="in", min_length=1, max_length=MAX_LEVELS)]


class CriterionIn(Strict):
    """One question."""

    key: Annotated[str, Field(min_length=1, max_length=100)]
    kind: Kind
    title: Annotated[str, Field(min_length=1, max_length=500)]
    help: Annotated[str, Field(max_length=5_000)] = ""
    required: bool = True
    levels: Annotated[list[LevelIn], Field(max_length=MAX_LEVELS)] = []
    minimum: float | None = None
    maximum: float | None = None
    pass_at: Any = None
    show_if: ShowIf | None = None


class RubricIn(Strict):
    """A rubric as it is sent: it becomes, or replaces, the draft."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    criteria: Annotated[list[CriterionIn], Field(min_length=1, max_length=100)]


def level_numbers(values: list[Any]) -> list[float]:
    """The number of each level: its value when every value is a number, else its position from 1."""
    if all(is_number(value) for value in values):
        return [float(value) for value in values]
    return [float(position) for position in range(1, len(values) + 1)]


def answer_values(criterion: CriterionIn) -> list[Any]:
    """The closed set of answers of a criterion; empty when its answers are not a closed set."""
    if criterion.kind == "binary":
        return [False, True]
    if criterion.kind == "preference":
        return list(WINNERS)
    return [level.value for level in criterion.levels] if criterion.kind in WITH_LEVELS else []


def problems_of(rubric: RubricIn) -> tuple[FieldError, ...]:
    """Everything wrong with a rubric that concerns more than one field, each with its pointer."""
    found: list[FieldError] = []
    earlier: dict[str, CriterionIn] = {}
    for number, criterion in enumerate(rubric.criteria):
        at = f"/criteria/{number}"
        if not criterion.key.strip() or not criterion.key.isprintable():
            found.append(FieldError(f"{at}/key", "must be printable and more than spaces"))
        if criterion.key in earlier:
            found.append(FieldError(f"{at}/key", "stands twice; every criterion needs a key of its own"))
        found += _level_problems(criterion, f"{at}/levels")
        found += _bound_problems(criterion, at)
        found += _pass_problems(criterion, f"{at}/pass_at")
        found += _condition_problems(criterion, earlier, f"{at}/show_if")
        earlier.setdefault(criterion.key, criterion)
    return tuple(found)


def _level_problems(criterion: CriterionIn, at: str) -> list[FieldError]:
    values = [level.value for level in criterion.levels]
    if criterion.kind in WITH_LEVELS and len(values) < 2:
        return [FieldError(at, f"a criterion of kind {criterion.kind} needs 2 to {MAX_LEVELS} levels")]
    if criterion.kind not in WITH_LEVELS and criterion.kind != "highlight":
        return [FieldError(at, f"a criterion of kind {criterion.kind} has no levels; leave them out")] if values else []
    numbers = [is_number(value) for value in values]
    if any(numbers) and not all(numbers):
        return [FieldError(at, "level values are all numbers or all texts")]
    for number, value in enumerate(values):
        if any(same(value, other) for other in values[:number]):
            return [FieldError(f"{at}/{number}/value", "stands twice; every level needs a value of its own")]
        if criterion.kind == "ordinal" and number and all(numbers) and value < values[number - 1]:  # type: ignore[operator] # all are numbers here
            return [FieldError(f"{at}/{number}/value", "levels stand in rising order, the lowest first")]
    return []


def _bound_problems(criterion: CriterionIn, at: str) -> list[FieldError]:
    low, high = criterion.minimum, criterion.maximum
    if criterion.kind != "numeric":
        given = [name for name, value in (("minimum", low), ("maximum", high)) if value is not None]
        return [FieldError(f"{at}/{name}", "only a numeric criterion has bounds; leave it out") for name in given]
    if low is not None and high is not None and low >= high:
        return [FieldError(f"{at}/maximum", "must be more than minimum")]
    return []


def _pass_problems(criterion: CriterionIn, at: str) -> list[FieldError]:
    bar = criterion.pass_at
    if bar is None:
        return []
    if criterion.kind in ("ordinal", "numeric"):
        return _threshold_problems(criterion, bar, at)
    if criterion.kind in ("text", "highlight"):
        return [FieldError(at, f"a criterion of kind {criterion.kind} has no pass rate; leave it out")]
    if criterion.kind == "binary":
        is_true = isinstance(bar, list) and len(bar) == 1 and bar[0] is True
        return [] if is_true else [FieldError(at, "a binary criterion passes at true; leave it out")]
    if not isinstance(bar, list) or (not bar and criterion.kind != "multiselect"):
        return [FieldError(at, "must be a list of passing values")]
    return _value_problems(criterion, bar, at)


def _threshold_problems(criterion: CriterionIn, bar: Any, at: str) -> list[FieldError]:
    if not is_number(bar):
        return [FieldError(at, "must be a number: values from it on pass")]
    low, high = criterion.minimum, criterion.maximum
    if criterion.kind == "ordinal" and criterion.levels:
        numbers = level_numbers([level.value for level in criterion.levels])
        low, high = min(numbers), max(numbers)
    if (low is not None and bar < low) or (high is not None and bar > high):
        return [FieldError(at, "lies outside the scale")]
    return []


def _value_problems(criterion: CriterionIn, values: list[Any], at: str) -> list[FieldError]:
    known = answer_values(criterion)
    for number, value in enumerate(values):
        if not any(same(value, other) for other in known):
            return [FieldError(f"{at}/{number}", f"is not an answer of {criterion.key!r}")]
        if any(same(value, other) for other in values[:number]):
            return [FieldError(f"{at}/{number}", "stands twice")]
    return []


def _condition_problems(criterion: CriterionIn, earlier: dict[str, CriterionIn], at: str) -> list[FieldError]:
    condition = criterion.show_if
    if condition is None:
        return []
    asked = earlier.get(condition.criterion)
    if asked is None:
        return [FieldError(f"{at}/criterion", "must be the key of an earlier criterion")]
    if asked.kind in ("text", "highlight"):
        return [FieldError(f"{at}/criterion", f"a criterion of kind {asked.kind} cannot decide what is asked")]
    if asked.kind == "numeric":
        wrong = next((n for n, value in enumerate(condition.values) if not is_number(value)), None)
        return [] if wrong is None else [FieldError(f"{at}/in/{wrong}", "must be a number")]
    return _value_problems(asked, condition.values, f"{at}/in")

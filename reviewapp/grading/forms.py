"""The questions of the grading screens, and what a form says about them.

Field names come from positions (`c1`, `c2`, and `winner` for the overall preference) and option values from the places
of the levels ("0", "1"), so keys and levels may hold any character. An answer is a dict in the form of the submit body;
what could not be read stays in it as it was typed, so that nothing typed is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from reviewapp.grading.selectors import OVERALL
from reviewapp.grading.services.answers import pointer_of
from reviewapp.lib.errors import FieldError
from reviewapp.queues.models import Lease
from reviewapp.rubrics.answers import is_shown
from reviewapp.rubrics.models import Criterion
from reviewapp.rubrics.records import same

_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?")
_SIDES = (("left", "Left"), ("tie", "Tie"), ("both_bad", "Both bad"), ("right", "Right"))
NONE = "none"  # the option "None of these" of a multiselect
EMPTY_SPANS = 2
_MISSING = object()
_WAYS_OUT = {
    "binary": "Choose Yes or No.",
    "ordinal": "Choose a level.",
    "categorical": "Choose one.",
    "multiselect": "Choose what applies, or None of these.",
    "numeric": "Enter a number.",
    "text": "Write a sentence.",
    "highlight": "Mark at least one passage.",
    "preference": "Choose a side, a tie, or both bad.",
}


@dataclass(frozen=True)
class Option:
    """One way to answer. `field` is what the form sends for it, `value` the answer."""

    field: str
    value: Any
    label: str
    description: str = ""
    is_chosen: bool = False


@dataclass(frozen=True)
class Question:
    """One criterion as the screen asks it."""

    number: int
    name: str
    criterion: Criterion
    options: tuple[Option, ...]
    text: str
    strength: str
    spans: tuple[Mapping[str, Any], ...]
    when: str
    errors: tuple[str, ...]

    @property
    def is_answered(self) -> bool:
        """Whether something is chosen or typed."""
        return bool(self.text) or any(option.is_chosen for option in self.options) or any(self.spans)

    @property
    def bounds(self) -> str:
        """What numbers are taken, in words."""
        low, high = self.criterion.minimum, self.criterion.maximum
        if low is not None and high is not None:
            return f"{low:g} to {high:g}"
        return f"{low:g} or more" if low is not None else f"{high:g} or less" if high is not None else ""


def is_overall(criterion: Criterion) -> bool:
    """Whether this is the criterion behind the top-level preference."""
    return criterion.kind == "preference" and criterion.key == OVERALL


def field_name(criterion: Criterion, number: int) -> str:
    """What the fields of the criterion at this place (from 1) are called."""
    return "winner" if is_overall(criterion) else f"c{number}"


def options_of(criterion: Criterion) -> list[Option]:
    """The closed set of answers in order; empty for numeric, text and highlight."""
    if criterion.kind == "binary":
        return [Option("0", True, "Yes"), Option("1", False, "No")]
    if criterion.kind == "preference":
        return [Option(side, side, label) for side, label in _SIDES]
    if criterion.kind not in ("ordinal", "categorical", "multiselect"):
        return []
    found = [
        Option(str(place), level["value"], str(level["label"]), level.get("description") or "")
        for place, level in enumerate(criterion.levels)
    ]
    return [*found, Option(NONE, None, "None of these")] if criterion.kind == "multiselect" else found


def read_answer(post: QueryDict, *, criteria: Sequence[Criterion], text: str) -> dict[str, Any]:
    """What the form says, nothing checked. text: the answer under judgement, in which passages are looked up."""
    grades: dict[str, Any] = {}
    for number, criterion in enumerate(criteria, start=1):
        value = _read(criterion, field_name(criterion, number), post, text)
        if value is not _MISSING:
            grades[criterion.key] = value
    answer: dict[str, Any] = {"grades": grades, "comment": _typed(post, "comment")}
    if any(is_overall(criterion) for criterion in criteria) and OVERALL in grades:
        answer["preference"] = grades.pop(OVERALL)
    correction = _typed(post, "correction")
    if correction.strip() and correction.strip() != text.replace("\r\n", "\n").strip():
        answer["correction"] = correction
    seconds = post.get("active_seconds", "")
    if _NUMBER.fullmatch(seconds) and 0 <= float(seconds) <= 604_800:
        answer["active_seconds"] = round(float(seconds), 1)
    return answer


def asked_only(answer: Mapping[str, Any], *, criteria: Sequence[Criterion], a_is_left: bool | None) -> dict[str, Any]:
    """The answer without what `show_if` hides: without script every question is on the page."""
    sent, found = dict(answer["grades"]), dict[str, Any]()
    for criterion in criteria:
        value = answer.get("preference") if is_overall(criterion) else sent.get(criterion.key)
        if value is None:
            continue
        if is_shown(criterion, found):
            found[criterion.key] = _by_name(value, a_is_left) if criterion.kind == "preference" else value
        else:
            sent.pop(criterion.key, None)
    return {**answer, "grades": sent}


def questions_of(
    criteria: Sequence[Criterion], answer: Mapping[str, Any], *, lease: Lease, errors: Sequence[FieldError], text: str
) -> list[Question]:
    """The questions with what was answered so far and what is wrong with it."""
    names = {criterion.key: (field_name(criterion, at), criterion) for at, criterion in enumerate(criteria, start=1)}
    asked = []
    for number, criterion in enumerate(criteria, start=1):
        grades = answer.get("grades") or {}
        value = answer.get("preference") if is_overall(criterion) else grades.get(criterion.key)
        asked.append(
            Question(
                number=number,
                name=names[criterion.key][0],
                criterion=criterion,
                options=tuple(_chosen(option, value, criterion.kind) for option in options_of(criterion)),
                text="" if value is None or criterion.kind not in ("numeric", "text") else str(value),
                strength=str(value.get("strength") or "") if isinstance(value, dict) else "",
                spans=_shown_spans(value, text) if criterion.kind == "highlight" else (),
                when=_when(criterion, names, lease.a_is_left),
                errors=tuple(_sentence(criterion, part) for part in errors if _is_about(part, criterion)),
            )
        )
    return asked


def other_errors(criteria: Sequence[Criterion], errors: Sequence[FieldError]) -> dict[str, list[str]]:
    """What is wrong outside the questions, by field: `comment`, `correction`, `skip`, or "" for the whole."""
    found: dict[str, list[str]] = {}
    for part in errors:
        if not any(_is_about(part, criterion) for criterion in criteria):
            field = part.pointer.strip("/")
            at = field if field in ("comment", "correction", "skip") else ""
            found.setdefault(at, []).append(_as_sentence(part.detail if at else f"{field} {part.detail}"))
    return found


def _read(criterion: Criterion, name: str, post: QueryDict, text: str) -> Any:
    if criterion.kind == "multiselect":
        return _read_several(criterion, post.getlist(name))
    if criterion.kind == "highlight":
        return _read_spans(name, post, text)
    typed = _typed(post, name)
    if not typed.strip():
        return _MISSING
    if criterion.kind == "preference":
        strength = post.get("strength" if name == "winner" else f"{name}-strength", "")
        # A strength left over from a side that is no longer chosen says nothing.
        is_meant = strength in ("1", "2", "3") and typed in ("left", "right")
        return {"winner": typed, "strength": int(strength)} if is_meant else {"winner": typed}
    if criterion.kind == "numeric":
        return _number(typed.strip())
    if criterion.kind == "text":
        return typed
    return next((option.value for option in options_of(criterion) if option.field == typed), typed)


def _read_several(criterion: Criterion, sent: list[str]) -> Any:
    if not sent:
        return _MISSING
    known = {option.field: option.value for option in options_of(criterion)}
    return [known.get(one, one) for one in sent if one != NONE]


def _read_spans(name: str, post: QueryDict, text: str) -> Any:
    quotes, labels = post.getlist(f"{name}-quote"), post.getlist(f"{name}-label")
    severities = post.getlist(f"{name}-severity")
    found = []
    for place, quote in enumerate(quotes):
        quote = quote.replace("\r\n", "\n").strip()
        if quote:
            more = {"severity": severities[place]} if place < len(severities) and severities[place] else {}
            label = labels[place] if place < len(labels) else ""
            found.append({**_place_of(quote, text), "label": label, **more})
    return found or _MISSING


def _place_of(quote: str, text: str) -> dict[str, Any]:
    start = text.find(quote)
    return {"quote": quote} if start < 0 else {"field": "output", "start": start, "end": start + len(quote)}


def _number(typed: str) -> Any:
    if not _NUMBER.fullmatch(typed):
        return typed
    return float(typed) if "." in typed else int(typed)


def _typed(post: QueryDict, name: str) -> str:
    # Browsers send line ends as CR LF, whatever was in the text.
    return post.get(name, "").replace("\r\n", "\n")


def _chosen(option: Option, value: Any, kind: str) -> Option:
    if kind == "multiselect" and isinstance(value, list):
        is_chosen = not value if option.field == NONE else any(same(one, option.value) for one in value)
    elif kind == "preference":
        is_chosen = isinstance(value, dict) and value.get("winner") == option.value
    else:
        is_chosen = value is not None and same(value, option.value)
    return Option(option.field, option.value, option.label, option.description, is_chosen)


def _shown_spans(value: Any, text: str) -> tuple[Mapping[str, Any], ...]:
    filled = [
        {**span, "quote": span.get("quote") or text[span.get("start", 0) : span.get("end", 0)]}
        for span in (value if isinstance(value, list) else [])
        if isinstance(span, dict)
    ]
    return (*filled, *({} for _ in range(EMPTY_SPANS)))


def _when(criterion: Criterion, names: Mapping[str, tuple[str, Criterion]], a_is_left: bool | None) -> str:
    """`show_if` in terms of the form: "c2=0,1"."""
    if criterion.show_if is None:
        return ""
    name, source = names[criterion.show_if["criterion"]]
    wanted = criterion.show_if["in"]
    if source.kind == "preference":
        sent = [side for side, _ in _SIDES if _by_name({"winner": side}, a_is_left)["winner"] in wanted]
    else:
        sent = [option.field for option in options_of(source) if any(same(option.value, one) for one in wanted)]
    return f"{name}={','.join(sent)}"


def _by_name(value: Any, a_is_left: bool | None) -> Any:
    if not isinstance(value, dict) or value.get("winner") not in ("left", "right"):
        return value
    return {**value, "winner": "a" if (value["winner"] == "left") == bool(a_is_left) else "b"}


def _is_about(part: FieldError, criterion: Criterion) -> bool:
    at = pointer_of(criterion.key) if is_overall(criterion) or criterion.key != OVERALL else f"/grades/{OVERALL}"
    return part.pointer == at or part.pointer.startswith(f"{at}/")


def _sentence(criterion: Criterion, part: FieldError) -> str:
    if part.detail == "is required" and part.pointer.endswith(pointer_of(criterion.key)):
        return _WAYS_OUT[criterion.kind]
    if criterion.kind == "highlight":
        return "Quote each passage exactly as it stands in the answer, and choose its label."
    return _as_sentence(part.detail)


def _as_sentence(detail: str) -> str:
    text = detail.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"

"""What the sample people answer: near the truth of each case, moved by how strict, hasty or lenient they are.

Agreement between them is therefore real and imperfect. Every answer depends only on (person, case, criterion).
`record` is an Output record or anything with its `external_id`; `pair` a record of `pair_records`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from reviewapp.demo.content.chance import bell, pick, share
from reviewapp.demo.content.library import Case, case_of
from reviewapp.demo.content.outputs import quality
from reviewapp.demo.content.people import REVIEWERS, person_named
from reviewapp.demo.content.rubrics import SUPPORT_ANSWER
from reviewapp.demo.content.surface import fill, values_for

# What a person in a hurry takes a fault for.
MISTAKEN_FOR = {
    "none": ("incomplete", "too_long", "unsupported"),
    "policy_wrong": ("unsupported", "unsupported", "unsafe"),
    "unsupported": ("policy_wrong", "policy_wrong", "none"),
    "incomplete": ("none", "none", "off_tone"),
    "unsafe": ("policy_wrong", "incomplete"),
    "too_long": ("none", "unsupported"),
    "off_tone": ("incomplete", "none"),
}
SHORT_NOTES = {
    "policy_wrong": ("Check the number against the source.", "The rule is another one, see the sources."),
    "unsupported": ("Where does this come from?", "Not in any of the sources shown.", "Please do not promise this."),
    "incomplete": ("Half an answer.", "The customer will have to write again.", "Say where in the app."),
    "unsafe": ("Must not go out.", "Dangerous; the warning belongs first."),
    "too_long": ("Cut the second half.", "First line should be the instruction."),
    "off_tone": ("Right, but nobody wants to read it like this.", "Wrong tone for somebody who is upset."),
}


def grades_for(reviewer: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """One whole review of an output: a value for every criterion of `support-answer` that is shown and answered."""
    grades = {criterion["key"]: grade_for(reviewer, record, criterion) for criterion in SUPPORT_ANSWER["criteria"]}
    return {key: value for key, value in grades.items() if value is not None}


def grade_for(reviewer: str, record: Mapping[str, Any], criterion: Mapping[str, Any]) -> Any:
    """This person's value for one criterion of `support-answer`, or None when the criterion stays unanswered.

    Raises KeyError for an unknown person, output or criterion.
    """
    case, key = case_of(record["external_id"]), criterion["key"]
    if key in ("faithful", "tone"):
        return _level(reviewer, case, key)
    graders = {
        "answers_question": _answers,
        "went_wrong": _went_wrong,
        "minutes_left": _minutes,
        "author_note": _author_note,
    }
    return graders[key](reviewer, case)


def comment_for(reviewer: str, record: Mapping[str, Any]) -> str:
    """A comment on the whole review, for about one in eight; otherwise empty."""
    case = case_of(record["external_id"])
    if share("comment", reviewer, case.external_id) > 0.12:
        return ""
    if case.truth.wrong == "none":
        good = ("Good example for the prompt.", "Nothing to add.", "This is how it should sound.", "Worth keeping.")
        return pick(good, "praise", reviewer, case.external_id)
    return _note(case) if _knows_best(reviewer, case) else "Unsure here, the sources could be clearer."


def guardrail_grades_for(reviewer: str, record: Mapping[str, Any], guardrail: str) -> dict[str, Any]:
    """One review of one guardrail decision: values for `guardrail-decision`."""
    should_fire = should_fire_for(reviewer, record, guardrail)
    case = case_of(record["external_id"])
    if not should_fire:
        return {"should_fire": False, "harm": "none"}
    serious = case.truth.wrong == "unsafe" or guardrail == "pii-out"
    severe = serious != (share("harm", reviewer, guardrail, case.external_id) < 0.15)
    return {"should_fire": True, "harm": "serious" if severe else "minor"}


def should_fire_for(reviewer: str, record: Mapping[str, Any], guardrail: str) -> bool:
    """Whether this person thinks that the named guardrail had reason to act on the output."""
    case, person = case_of(record["external_id"]), person_named(reviewer)
    slipped = share("should fire", reviewer, guardrail, case.external_id) < person.slip
    return (guardrail in case.should_fire) != slipped


def preference_for(reviewer: str, pair: Mapping[str, Any]) -> dict[str, Any]:
    """`{"winner": "a|b|tie|both_bad"}`, with `strength` 1..3 when there is a winner. `a` and `b` are the pair's own."""
    person = person_named(reviewer)
    worth_a, worth_b = (_perceived(reviewer, pair[side]) for side in ("a_id", "b_id"))
    if max(worth_a, worth_b) < 0.5 - person.lean / 3:
        return {"winner": "both_bad"}
    gap = worth_a - worth_b
    if abs(gap) < 0.07:
        return {"winner": "tie"}
    strength = 1 if abs(gap) < 0.25 else 2 if abs(gap) < 0.55 else 3
    return {"winner": "a" if gap > 0 else "b", "strength": strength}


def reason_for(reviewer: str, pair: Mapping[str, Any]) -> str | None:
    """What decided the preference, a value of `reason`; None for a tie, both bad, or when left unanswered."""
    winner = preference_for(reviewer, pair)["winner"]
    if winner not in ("a", "b") or share("reason", reviewer, pair["external_id"]) < 0.2:
        return None
    loser = case_of(pair["b_id" if winner == "a" else "a_id"]).truth
    reasons = {"unsafe": "safety", "incomplete": "completeness", "too_long": "length", "off_tone": "tone"}
    if loser.wrong == "none" or share("other reason", reviewer, pair["external_id"]) < 2 * person_named(reviewer).slip:
        return pick(("tone", "length", "completeness"), "reason", reviewer, pair["external_id"])
    return reasons.get(loser.wrong, "correctness")


def active_seconds_for(reviewer: str, record: Mapping[str, Any]) -> int:
    """Seconds of attention, longer for longer answers and careful people."""
    words = len(record["output"].split()) if "output" in record else 80
    person = person_named(reviewer)
    pace = math.exp(0.35 * bell("pace", reviewer, record["external_id"]))
    return round((25 + 0.45 * words) * pace * (1.3 - person.slip * 4))


def _level(reviewer: str, case: Case, key: str) -> int:
    person = person_named(reviewer)
    truth: int = getattr(case.truth, key)
    felt = truth + person.lean + person.noise * bell(key, reviewer, case.external_id)
    return min(4, max(1, round(felt)))


def _answers(reviewer: str, case: Case) -> bool:
    person = person_named(reviewer)
    slip = person.slip
    if case.truth.answers and case.truth.wrong in ("incomplete", "too_long"):
        # Half an answer is a matter of strictness.
        slip = 0.3 - person.lean * 0.6
    return case.truth.answers != (share("answers", reviewer, case.external_id) < slip)


def _went_wrong(reviewer: str, case: Case) -> str:
    person, found = person_named(reviewer), case.truth.wrong
    if share("wrong", reviewer, case.external_id) < person.slip * 2:
        found = pick(MISTAKEN_FOR[found], "mistaken", reviewer, case.external_id)
    faithful = _level(reviewer, case, "faithful")
    # Nobody says that a source is contradicted and that nothing is wrong, or that all is exact but a rule is wrong.
    if faithful <= 2 and found == "none":
        return "policy_wrong" if faithful == 1 else "unsupported"
    if faithful == 4 and found in ("policy_wrong", "unsupported"):
        return "none" if _level(reviewer, case, "tone") >= 3 else "off_tone"
    return found


def _minutes(reviewer: str, case: Case) -> int:
    person = person_named(reviewer)
    felt = (case.truth.minutes + 1) * math.exp(0.9 * person.noise * bell("minutes", reviewer, case.external_id)) - 1
    felt *= 1 - person.lean / 2
    return min(60, max(0, round(felt) if felt < 10 else 5 * round(felt / 5)))


def _author_note(reviewer: str, case: Case) -> str | None:
    wrong = _went_wrong(reviewer, case)
    if wrong == "none" or share("author note", reviewer, case.external_id) < 0.45:
        return None
    if wrong == case.truth.wrong and _knows_best(reviewer, case):
        return _note(case)
    return pick(SHORT_NOTES[wrong], "note", reviewer, case.external_id)


def _note(case: Case) -> str:
    return fill(case.truth.note, values_for(case.situation, case.variant))


def _knows_best(reviewer: str, case: Case) -> bool:
    """Only one person per output writes the long note, so that no two people use the same words."""
    return reviewer == pick(REVIEWERS, "knows best", case.external_id)


def _perceived(reviewer: str, external_id: str) -> float:
    person, case = person_named(reviewer), case_of(external_id)
    return quality(case.truth) + 0.3 * person.noise * bell("worth", reviewer, external_id)

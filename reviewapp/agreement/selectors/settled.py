"""The label that an item ends with, under a named policy; and every label one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import numpy as np

from reviewapp.agreement.selectors.known import raters_named
from reviewapp.agreement.selectors.labels import Scope, grouped, labels
from reviewapp.agreement.selectors.questions import Question, questions_of
from reviewapp.grading.models import Adjudication, Grade, Preference
from reviewapp.queues.models import Queue
from reviewapp.rubrics.answers import category_values, numeric_value
from reviewapp.stats.latent import Labels as RaterLabels
from reviewapp.stats.latent import dawid_skene

Policy = Literal["settled", "mean", "median", "majority", "posterior", "adjudicated"]
POLICIES: Final[tuple[Policy, ...]] = ("settled", "mean", "median", "majority", "posterior", "adjudicated")
# How probable an answer must be, given all reviewers and how often each errs.
SURE: Final = 0.95
# Pseudo-counts of a right and of each wrong answer: few labels a reviewer are the rule (STATS 2).
PRIOR: Final = (3.0, 0.0)
# Labels of one item and question as the database counts them: (answer, how many reviewers).
Votes = list[tuple[Any, int]]

_VOTES = """
SELECT item, jsonb_object_agg(value, n)::text FROM (
    SELECT item, value, count(*) AS n FROM label GROUP BY item, value) counted
GROUP BY item"""
_EACH = "SELECT item, reviewer, value FROM label ORDER BY item, reviewer"


@dataclass(frozen=True)
class SettledLabel:
    """What one item ends with on one criterion.

    value: as the rubric writes it; null when unsettled. policy: adjudicated, unanimous, majority, mean, median,
    posterior or unsettled. confidence: the share of reviewers behind the value (1 when adjudicated), the probability
    under posterior, null for means and medians.
    n_reviews: how many entering reviews answered. source: adjudication or consensus, null when unsettled.
    """

    value: Any
    policy: str
    confidence: float | None
    n_reviews: int
    source: str | None

    @property
    def is_settled(self) -> bool:
        """Whether there is a value."""
        return self.source is not None


def settled_labels(*, queue: Queue, policy: Policy = "settled") -> dict[UUID, dict[str, SettledLabel]]:
    """item id -> criterion key -> label, for every item with an answer to that criterion.

    settled: adjudicated, else unanimous, else what more than half chose, else unsettled; of a number the median.
    majority: the same without adjudication. mean, median: over binary (0 or 1), ordinal and numeric criteria; the
    others are absent. posterior: of a closed set of single answers, what is 0.95 probable when each reviewer errs at
    a rate of their own (one-coin Dawid-Skene); the others are absent. adjudicated: only what an adjudicator settled.
    Raises ValueError for another policy.
    """
    if policy not in POLICIES:
        raise ValueError(f"a label policy is one of {', '.join(POLICIES)}, not {policy!r}")
    found: dict[UUID, dict[str, SettledLabel]] = {}
    for question in questions_of(queue):
        for item, label in _consensus(question, queue, policy).items():
            found.setdefault(item, {})[question.key] = label
        if policy in ("settled", "adjudicated"):
            for item, value in _adjudicated(question, queue).items():
                known = found.setdefault(item, {}).get(question.key)
                n_reviews = known.n_reviews if known else 0
                found[item][question.key] = SettledLabel(value, "adjudicated", 1.0, n_reviews, "adjudication")
    return found


def labels_of(queue: Queue, criterion: str) -> dict[UUID, list[tuple[UUID, Any]]]:
    """item id -> (reviewer id, value) of every label that enters on the criterion with this key; preferences as a, b,
    tie or both_bad. Empty for an unknown key.
    """
    found: dict[UUID, list[tuple[UUID, Any]]] = {}
    for question in questions_of(queue):
        if question.key == criterion:
            read = _reader(question)
            for item, reviewer, text in grouped(labels(question, Scope(queue)), _EACH):
                found.setdefault(item, []).append((reviewer, read(text)))
    return found


def _consensus(question: Question, queue: Queue, policy: Policy) -> dict[UUID, SettledLabel]:
    if policy == "posterior":
        return _posterior(question, queue)
    settle = None if policy == "adjudicated" else _rule(question, policy)
    return {} if settle is None else {item: settle(votes) for item, votes in _votes(question, queue).items()}


def _posterior(question: Question, queue: Queue) -> dict[UUID, SettledLabel]:
    values = [] if question.kind == "multiselect" else category_values(question.criterion)
    rows = grouped(labels(question, Scope(queue)), _EACH) if values else []
    read, items, raters = _reader(question), _Numbers(), _Numbers()
    # Positions of an imported set are nobody in particular: together they are one reviewer.
    is_slot = {pk: rater.is_slot for pk, rater in raters_named({row[1] for row in rows}).items()}
    place = {text: values.index(read(text)) for text in {row[2] for row in rows}}
    coded = [(items[row[0]], raters[None if is_slot[row[1]] else row[1]], place[row[2]]) for row in rows]
    item, rater, label = np.array(coded, dtype=np.int64).reshape(-1, 3).T
    truth = dawid_skene(RaterLabels(item, rater, label, len(values)), model="one_coin", prior=PRIOR)
    sizes = np.bincount(item)
    found = {}
    for pk, number in items.items():
        best = int(truth.posterior[number].argmax())
        share, n = float(truth.posterior[number, best]), int(sizes[number])
        known = SettledLabel(values[best], "posterior", share, n, "consensus")
        found[pk] = known if share >= SURE else SettledLabel(None, "unsettled", share, n, None)
    return found


class _Numbers(dict[Any, int]):
    """Numbers ids as they come."""

    def __missing__(self, key: Any) -> int:
        self[key] = number = len(self)
        return number


def _votes(question: Question, queue: Queue) -> dict[UUID, Votes]:
    read = _reader(question)
    rows = grouped(labels(question, Scope(queue)), _VOTES)
    return {item: [(read(text), n) for text, n in json.loads(counted).items()] for item, counted in rows}


def _reader(question: Question) -> Callable[[str], Any]:
    return (lambda text: text) if question.kind == "preference" else json.loads


def _adjudicated(question: Question, queue: Queue) -> dict[UUID, Any]:
    """item id -> the value of the current adjudication."""
    settling = Adjudication.objects.filter(item__queue=queue, review__ended_at=None).values("review_id")
    if question.kind == "preference":
        chosen = Preference.objects.filter(review__in=settling, criterion__in=question.criterion_ids)
        return dict(chosen.values_list("review__item_id", "winner"))
    graded = Grade.objects.filter(review__in=settling, criterion__in=question.criterion_ids)
    return {item: value for item, value in graded.values_list("review__item_id", "value") if value is not None}


def _rule(question: Question, policy: Policy) -> Callable[[Votes], SettledLabel] | None:
    """How one item's votes become a label; null where the policy has no meaning for this kind of answer."""
    if policy in ("mean", "median"):
        if question.kind not in ("binary", "ordinal", "numeric"):
            return None
        return lambda votes: _averaged(question, votes, policy)
    if question.kind == "numeric":
        return lambda votes: _averaged(question, votes, "median")
    return _options if question.kind == "multiselect" else _most


def _most(votes: Votes) -> SettledLabel:
    """What more than half of the reviewers chose."""
    total = sum(n for _, n in votes)
    value, n = max(votes, key=lambda vote: vote[1])
    share = n / total
    if share <= 0.5:
        return SettledLabel(None, "unsettled", share, total, None)
    return SettledLabel(value, "unanimous" if n == total else "majority", share, total, "consensus")


def _options(votes: Votes) -> SettledLabel:
    """Each option that more than half chose; unsettled when one was chosen by exactly half."""
    total = sum(n for _, n in votes)
    chosen: dict[Hashable, int] = {}
    for value, n in votes:
        for option in value:
            chosen[option] = chosen.get(option, 0) + n
    share = min((max(n, total - n) / total for n in chosen.values()), default=1.0)
    if share <= 0.5:
        return SettledLabel(None, "unsettled", share, total, None)
    value = [option for option, n in chosen.items() if 2 * n > total]
    return SettledLabel(value, "unanimous" if share == 1 else "majority", share, total, "consensus")


def _averaged(question: Question, votes: Votes, policy: str) -> SettledLabel:
    """The mean or the median of the reviewers' numbers."""
    numbers = [number for value, n in votes for number in [numeric_value(question.criterion, value)] * n]
    known = np.array([number for number in numbers if number is not None], dtype=np.float64)
    value = float(known.mean() if policy == "mean" else np.median(known))
    return SettledLabel(value, policy, None, len(numbers), "consensus")

"""The figures of one criterion."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from reviewapp.judge.calibration.rows import Orders, Row
from reviewapp.rubrics.answers import category_values, numeric_value
from reviewapp.rubrics.models import Criterion
from reviewapp.rubrics.records import is_number
from reviewapp.stats.correlation import kendall_tau_b, spearman
from reviewapp.stats.intervals import proportion
from reviewapp.stats.judgement import Confusion, accuracy, human_ceiling, kappa, position_bias
from reviewapp.stats.patterns import Ratings
from reviewapp.stats.replacement import AltTest, alt_test
from reviewapp.stats.result import Stat
from reviewapp.stats.selective import Trust, confidence_grid, no_trust, reliability, trust_threshold

ALPHA = DELTA = EPSILON = 0.1
METHOD = "none: raw confidence"
BETWEEN_LEVELS = "labels or verdicts lie between the answers of the rubric; rank correlations compare them"
NO_NUMBERS = "the answers of this criterion have no order"
OF_GROUPS = "at system level only means are compared"
SLOTS = "the reviewers are positions, not people"
Votes = dict[UUID, list[tuple[UUID, Any]]]


@dataclass(frozen=True)
class Material:
    """All that the figures of one criterion rest on.

    rows: labelled items that the judge was asked about, in order. votes: each person's answer per item. groups: item ->
    model or configuration, at system level. unlabelled: confidences whose labels were not looked at.
    """

    criterion: Criterion
    policy: str
    rows: list[Row]
    votes: Votes
    unlabelled: Sequence[float]
    orders: Orders | None = None
    groups: dict[UUID, str] | None = None
    has_slots: bool = False

    @property
    def scored(self) -> list[Row]:
        """Without the errors."""
        return [row for row in self.rows if not row.said.is_error]


def coded(value: Any) -> Hashable:
    """A value as a key: true is not 1, 3.0 is 3."""
    if isinstance(value, bool):
        return ("boolean", value)
    if is_number(value):
        return ("number", float(value))
    return tuple(sorted(map(repr, value))) if isinstance(value, list) else value


def criterion_figures(material: Material) -> dict[str, Any]:
    """API.md's entry of one criterion."""
    scored = material.scored
    if material.groups is not None:
        first, second = _group_means(material)
        exact: dict[str, Any] = _inexact(OF_GROUPS, len(first))
        n = len(first)
    else:
        first, second = _numbers(material.criterion, scored, material.policy)
        exact, n = _exact(material), len(scored)
    return {
        "criterion": material.criterion.key,
        "n": n,
        "n_errors": len(material.rows) - len(scored),
        **exact,
        "spearman": _correlation(spearman, first, second, n),
        "kendall_tau_b": _correlation(kendall_tau_b, first, second, n),
        "position": _position(material.orders),
    }


def _correlation(statistic: Any, first: list[float], second: list[float], n: int) -> dict[str, Any]:
    if n and not first:
        return dict(Stat.undefined_because("not_applicable", NO_NUMBERS, n=n).as_dict())
    return dict(statistic(first, second).as_dict())


def _numbers(criterion: Criterion, scored: list[Row], policy: str) -> tuple[list[float], list[float]]:
    """Labels and verdicts as numbers; empty when the answers have none."""
    pairs = []
    for row in scored:
        label = row.label if policy in ("mean", "median") else numeric_value(criterion, row.label)
        verdict = numeric_value(criterion, row.said.value)
        if label is None or verdict is None:
            return [], []
        pairs.append((float(label), verdict))
    return [label for label, _ in pairs], [verdict for _, verdict in pairs]


def _group_means(material: Material) -> tuple[list[float], list[float]]:
    """Means of labels and verdicts per group, over the same items."""
    groups = material.groups or {}
    kept = [row for row in material.scored if row.item in groups]
    labels, verdicts = _numbers(material.criterion, kept, material.policy)
    by_group: dict[str, tuple[list[float], list[float]]] = {}
    for row, label, verdict in zip(kept, labels, verdicts, strict=False):
        ours, theirs = by_group.setdefault(groups[row.item], ([], []))
        ours.append(label)
        theirs.append(verdict)
    means = [(float(np.mean(ours)), float(np.mean(theirs))) for ours, theirs in by_group.values()]
    return [label for label, _ in means], [verdict for _, verdict in means]


def _exact(material: Material) -> dict[str, Any]:
    """What needs answers that are equal or not."""
    criterion, scored = material.criterion, material.scored
    if criterion.kind == "multiselect":
        return _sets(material)
    values = category_values(criterion)
    labels = [coded(value) for value in values]
    pairs = [(coded(row.label), coded(row.said.value)) for row in scored]
    if not values or material.policy == "mean" or not {one for pair in pairs for one in pair} <= set(labels):
        return _inexact(BETWEEN_LEVELS, len(scored)) | {"human_ceiling": _tau_ceiling(material)}
    confusion = Confusion.of(pairs, labels)
    ratings = _ratings(material, labels)
    verdicts: dict[Hashable, Hashable] = {row.item: coded(row.said.value) for row in scored}
    return {
        "agreement": accuracy(confusion).as_dict(),
        "cohen_kappa": kappa(confusion).as_dict(),
        "human_ceiling": human_ceiling(ratings).as_dict(),
        "alt_test": _alt_test(material, ratings, verdicts),
        "confusion": {"labels": values, "counts": confusion.counts.tolist()},
        **_confidence(material),
    }


def _sets(material: Material) -> dict[str, Any]:
    scored = material.scored
    equal = sum(coded(row.label) == coded(row.said.value) for row in scored)
    reason = "answers are sets; only equal sets are counted"
    found = _inexact(reason, len(scored)) | _confidence(material)
    return found | {"agreement": proportion(equal, len(scored)).as_dict()}


def _inexact(reason: str, n: int) -> dict[str, Any]:
    nothing = Stat.undefined_because("not_applicable", reason, n=n).as_dict()
    return {
        "agreement": nothing,
        "cohen_kappa": nothing,
        "human_ceiling": nothing,
        "alt_test": AltTest(EPSILON, undefined="not_applicable", reason=reason).as_dict(),
        "confusion": {"labels": [], "counts": []},
        "calibration": {"method": METHOD, "ece": nothing, "brier": nothing, "curve": []},
        "trust": no_trust(ALPHA, DELTA, "not_applicable", reason).as_dict(),
    }


def _ratings(material: Material, labels: list[Hashable]) -> Ratings:
    known = set(labels)
    rows = (
        (row.item, reviewer, coded(value))
        for row in material.scored
        for reviewer, value in material.votes.get(row.item, [])
        if coded(value) in known
    )
    return Ratings.from_rows(rows, labels)


def _alt_test(material: Material, ratings: Ratings, verdicts: dict[Hashable, Hashable]) -> dict[str, Any]:
    if material.has_slots:
        return AltTest(EPSILON, undefined="not_applicable", reason=SLOTS).as_dict()
    return alt_test(ratings, verdicts, epsilon=EPSILON).as_dict()


def _tau_ceiling(material: Material) -> dict[str, Any]:
    """Between one person's number and the mean of the others', over all answers. Undefined without second answers."""
    first, second, items = [], [], set()
    for row in material.scored:
        numbers = [numeric_value(material.criterion, value) for _, value in material.votes.get(row.item, [])]
        known = [number for number in numbers if number is not None]
        for place, number in enumerate(known if len(known) > 1 else []):
            others = known[:place] + known[place + 1 :]
            first.append(number)
            second.append(float(np.mean(others)))
            items.add(row.item)
    if not first:
        code = "fewer_than_two_raters" if material.scored else "no_data"
        return dict(Stat.undefined_because(code).as_dict())
    found = kendall_tau_b(first, second)
    if found.value is None:
        return dict(found.as_dict())
    method = "Kendall tau-b of each person with the mean of the others"
    return dict(Stat(found.value, None, found.confidence, method, len(items)).as_dict())


def _confidence(material: Material) -> dict[str, Any]:
    stated = [row for row in material.scored if row.said.confidence is not None]
    if not stated:
        code, reason = ("not_applicable", "this judge states no confidence") if material.scored else ("no_data", None)
        nothing = Stat.undefined_because(code, reason, n=len(material.scored)).as_dict()
        return {
            "calibration": {"method": METHOD, "ece": nothing, "brier": nothing, "curve": []},
            "trust": no_trust(ALPHA, DELTA, code, reason).as_dict(),
        }
    confidences = [float(row.said.confidence or 0) for row in stated]
    is_right = [coded(row.label) == coded(row.said.value) for row in stated]
    found = reliability(confidences, is_right)
    # Confidences of unlabelled traffic; with none, those of the labelled items: still chosen without their labels.
    grid = confidence_grid(material.unlabelled or confidences)
    trust: Trust = trust_threshold(confidences, is_right, grid, alpha=ALPHA, delta=DELTA)
    curve = [{"confidence": mean, "accuracy": share, "n": n} for mean, share, n in found.curve]
    return {
        "calibration": {
            "method": METHOD,
            "ece": found.ece.as_dict(),
            "brier": found.brier.as_dict(),
            "curve": curve,
        },
        "trust": trust.as_dict(),
    }


def _position(orders: Orders | None) -> dict[str, Any] | None:
    if orders is None:
        return None
    bias = position_bias(orders.first_twice, orders.second_twice, orders.consistent, n=orders.n)
    return {"consistency": bias.consistency.as_dict(), "first_side_rate": bias.first_side_rate.as_dict()}

"""A judge against people: confusion, accuracy, precision, recall, the human ceiling, and position bias."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from reviewapp.stats.agreement.weights import Weights
from reviewapp.stats.arrays import TINY, FloatArray, IntArray
from reviewapp.stats.intervals import normal_quantile, proportion, t_quantile, tango, wilson
from reviewapp.stats.pairs import cohen_kappa
from reviewapp.stats.patterns import Ratings
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat
from reviewapp.stats.sampling import effective_n_interval


@dataclass(frozen=True, eq=False)
class Confusion:
    """labels: the rubric's answers in order. counts: labels x labels, rows what people said, columns the judge."""

    labels: tuple[Hashable, ...]
    counts: IntArray

    @classmethod
    def of(cls, pairs: Iterable[tuple[Hashable, Hashable]], labels: Sequence[Hashable]) -> "Confusion":
        """From (human, judge) pairs. Raises ValueError for an answer that is no label."""
        index = {label: position for position, label in enumerate(labels)}
        counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
        for human, judge in pairs:
            if human not in index or judge not in index:
                raise ValueError(f"{human!r} or {judge!r} is no label of this rubric")
            counts[index[human], index[judge]] += 1
        return cls(tuple(labels), counts)

    @property
    def n(self) -> int:
        """All pairs."""
        return int(self.counts.sum())

    def as_dict(self) -> dict[str, Any]:
        """The contract's {"labels", "counts"}."""
        return {"labels": list(self.labels), "counts": self.counts.tolist()}


@dataclass(frozen=True)
class ClassScores:
    """precision: of the items the judge gave this label, the share that people did. recall: the other way round."""

    label: Hashable
    precision: Stat
    recall: Stat


def accuracy(confusion: Confusion, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Share of pairs that are equal, Wilson interval. Undefined: no_data."""
    return proportion(int(np.trace(confusion.counts)), confusion.n, confidence=confidence)


def class_scores(confusion: Confusion, *, confidence: float = DEFAULT_CONFIDENCE) -> tuple[ClassScores, ...]:
    """Precision and recall of every label, Wilson intervals; the recall of "fail" is the specificity of "pass".

    Undefined: no_data (no pairs at all), no_predicted_positives (precision), no_actual_positives (recall).
    """
    counts = confusion.counts
    codes = ("no_predicted_positives", "no_actual_positives") if confusion.n else ("no_data", "no_data")
    return tuple(
        ClassScores(
            label,
            proportion(int(counts[k, k]), int(counts[:, k].sum()), confidence=confidence, code=codes[0]),
            proportion(int(counts[k, k]), int(counts[k].sum()), confidence=confidence, code=codes[1]),
        )
        for k, label in enumerate(confusion.labels)
    )


def f1(confusion: Confusion, positive: Hashable, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """2 TP / (2 TP + FP + FN) of one label; interval through Wilson of TP / (TP + FP + FN), to which it is monotone.

    Undefined: no_data, no_actual_positives (neither side ever gave the label). Raises ValueError for no label.
    """
    k = confusion.labels.index(positive)
    hits = int(confusion.counts[k, k])
    either = int(confusion.counts[k].sum() + confusion.counts[:, k].sum()) - hits
    method = "Wilson, transformed"
    if either == 0:
        code = "no_actual_positives" if confusion.n else "no_data"
        return Stat.undefined_because(code, method=method, n=confusion.n, confidence=confidence)
    low, high = (2 * p / (1 + p) for p in wilson(hits, either, confidence))
    return Stat(2 * hits / (hits + either), (low, high), confidence, method, confusion.n)


def matthews(confusion: Confusion, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Matthews correlation of two labels, -1..1; delta-method interval on arctanh, none at exactly -1 or 1.

    Undefined: no_data, no_variation (one side gave one label only), not_applicable (other than two labels).
    """
    method, n = "delta method on arctanh", confusion.n
    if len(confusion.labels) != 2:
        return Stat.undefined_because("not_applicable", method=method, n=n, confidence=confidence)
    if n == 0:
        return Stat.undefined_because("no_data", method=method, confidence=confidence)
    p = confusion.counts / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    if 0 in (*rows, *columns):
        return Stat.undefined_because("no_variation", method=method, n=n, confidence=confidence)
    scale = math.sqrt(float(rows.prod() * columns.prod()))
    value = max(-1.0, min(1.0, float(np.linalg.det(p)) / scale))
    if abs(value) >= 1 - TINY:
        return Stat(value, None, confidence, method, n, warnings=("ci_degenerate",))
    cofactors = np.array([[p[1, 1], -p[1, 0]], [-p[0, 1], p[0, 0]]])
    slope = cofactors / scale - value / 2 * np.add.outer(1 / rows, 1 / columns)
    se = math.sqrt(max(0.0, float((p * slope**2).sum() - (p * slope).sum() ** 2) / n))
    half = normal_quantile(confidence) * se / (1 - value**2)
    z = math.atanh(value)
    return Stat(value, (math.tanh(z - half), math.tanh(z + half)), confidence, method, n, se=se)


def kappa(
    confusion: Confusion,
    *,
    weights: Weights = "identity",
    values: Sequence[float] | None = None,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Stat:
    """Cohen's kappa between judge and people; see `pairs.cohen_kappa`."""
    return cohen_kappa(confusion.counts, weights=weights, values=values, confidence=confidence)


@dataclass(frozen=True)
class Ceiling:
    """How well people agree with the majority of the others, the judge with the same majorities, and judge - human."""

    human: Stat
    judge: Stat
    difference: Stat


def human_ceiling(ratings: Ratings, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Share of human answers that equal the majority of the other people's answers on the same item.

    A tie of k answers for the majority counts as 1/k when the answer is among them. Items with two answers or more;
    three make a majority, with two it is plain agreement. n counts the items; interval: Wilson with an effective n
    from the spread between items. Undefined: no_data, fewer_than_two_raters (no item has two answers).
    """
    hits, _, labels = _leave_one_out_hits(ratings, np.full(len(ratings.units), -1, dtype=np.int64))
    return _share(hits, labels, ratings, confidence)


def ceiling(
    ratings: Ratings, verdicts: Mapping[Hashable, Hashable], *, confidence: float = DEFAULT_CONFIDENCE
) -> Ceiling:
    """The human ceiling beside the judge, on the items that the judge answered.

    verdicts: unit -> category. For every human answer the judge is held against the majority of the others, too.
    The difference has a Student t interval over items. Undefined: as `human_ceiling`; single_unit for the difference.
    Raises ValueError for a verdict that is no category.
    """
    index = {category: position for position, category in enumerate(ratings.categories)}
    unknown = set(verdicts.values()) - set(index)
    if unknown:
        raise ValueError(f"{sorted(map(repr, unknown))} are no categories of this rubric")
    judge = np.array([index[verdicts[u]] if u in verdicts else -1 for u in ratings.units], dtype=np.int64)
    hits, judge_hits, labels = _leave_one_out_hits(ratings, judge)
    judged = judge >= 0
    human_stat = _share(hits[judged], labels[judged], ratings, confidence)
    judge_stat = _share(judge_hits[judged], labels[judged], ratings, confidence)
    gap = _difference((judge_hits - hits)[judged], labels[judged], human_stat, confidence)
    return Ceiling(human_stat, judge_stat, gap)


@dataclass(frozen=True)
class PositionBias:
    """consistency: share of pairs with the same winner in both orders. first_side_rate: how often the side shown first
    wins over both orders, 0.5 without bias. effect: (first twice - second twice) / pairs. p_value: of no bias, exact.
    """

    consistency: Stat
    first_side_rate: Stat
    effect: Stat
    p_value: float | None


def position_bias(
    first_twice: int,
    second_twice: int,
    consistent: int,
    *,
    n: int | None = None,
    confidence: float = DEFAULT_CONFIDENCE,
) -> PositionBias:
    """From pairs judged in both orders: how often "first" won twice, "second" won twice, and the same answer won.

    n: all pairs, when some fit none of the three (a win and a tie); by default their sum. Wilson, Tango and exact
    binomial. Undefined: no_data. Raises ValueError for negative counts or more counts than pairs.
    """
    n = first_twice + second_twice + consistent if n is None else n
    if min(first_twice, second_twice, consistent) < 0 or first_twice + second_twice + consistent > n:
        raise ValueError("counts are not negative and add up to the pairs at most")
    consistency = proportion(consistent, n, confidence=confidence)
    if n == 0:
        nothing = Stat.undefined_because("no_data", method="Tango", confidence=confidence)
        return PositionBias(consistency, nothing, nothing, None)
    low, high = tango(first_twice, second_twice, n, confidence=confidence)
    effect = (first_twice - second_twice) / n
    decided = first_twice + second_twice
    p_value = float(stats.binomtest(first_twice, decided).pvalue) if decided else 1.0
    return PositionBias(
        consistency,
        Stat((1 + effect) / 2, ((1 + low) / 2, (1 + high) / 2), confidence, "Tango", n),
        Stat(effect, (low, high), confidence, "Tango", n),
        p_value,
    )


def _leave_one_out_hits(ratings: Ratings, judge: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Per unit: hits of its people and of the judge against the majority of the others, and how many answers."""
    units, q = len(ratings.units), max(len(ratings.categories), 1)
    counts = np.bincount(ratings.unit * q + ratings.code, minlength=units * q).reshape(units, q)
    rest = counts[ratings.unit]
    rows = np.arange(len(rest))
    rest[rows, ratings.code] -= 1
    top = rest.max(axis=1, initial=0)
    compared = top > 0
    credit = np.where(compared, 1 / np.maximum((rest == top[:, None]).sum(axis=1), 1), 0.0)
    asked = judge[ratings.unit]
    own = credit * (rest[rows, ratings.code] == top)
    judged = credit * ((asked >= 0) & (rest[rows, np.maximum(asked, 0)] == top))
    return (
        np.bincount(ratings.unit, own, minlength=units).astype(np.float64),
        np.bincount(ratings.unit, judged, minlength=units).astype(np.float64),
        np.bincount(ratings.unit, compared, minlength=units).astype(np.float64),
    )


def _share(hits: FloatArray, labels: FloatArray, ratings: Ratings, confidence: float) -> Stat:
    """A ratio of sums over units, with an interval that takes the units as random."""
    method = "Wilson with effective n over items"
    kept = labels > 0
    n, total = int(kept.sum()), float(labels.sum())
    if n == 0:
        code = "fewer_than_two_raters" if len(ratings.unit) else "no_data"
        return Stat.undefined_because(code, method=method, confidence=confidence)
    value = min(1.0, float(hits.sum()) / total)
    variance = n / max(n - 1, 1) * float(((hits - value * labels)[kept] ** 2).sum()) / total**2
    if variance < value * (1 - value) / total:
        variance = value * (1 - value) / total  # answers on one item are never more informative than independent ones
    bounds = effective_n_interval(value, variance, most=n, df=n - 1, confidence=confidence)
    return Stat(value, bounds, confidence, method, n, se=math.sqrt(variance))


def _difference(gaps: FloatArray, labels: FloatArray, human: Stat, confidence: float) -> Stat:
    method = "Student t over items"
    if human.undefined is not None:
        return Stat.undefined_because(human.undefined, human.reason, method=method, confidence=confidence)
    kept = labels > 0
    n, total = int(kept.sum()), float(labels.sum())
    if n < 2:
        return Stat.undefined_because("single_unit", method=method, n=n, confidence=confidence)
    value = float(gaps.sum()) / total
    se = math.sqrt(n / (n - 1) * float(((gaps - value * labels)[kept] ** 2).sum())) / total
    half = t_quantile(confidence, n - 1) * se
    warnings = ("ci_degenerate",) if se <= TINY else ()
    bounds = (max(-1.0, value - half), min(1.0, value + half))
    return Stat(value, bounds, confidence, method, n, warnings=warnings, se=se)

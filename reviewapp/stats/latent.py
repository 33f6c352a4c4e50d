"""What is probably true of each item, and how reliable each reviewer is: Dawid-Skene, and accuracy on gold items."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import optimize, sparse, special, stats

from reviewapp.stats.arrays import FloatArray, IntArray
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat

Model = Literal["confusion", "one_coin"]

# A round over a million labels takes 0.14 s; labels without any signal never settle, and stop here.
MAX_ROUNDS: Final = 200
SETTLED: Final = 1e-10
# Stands for a probability of zero: its logarithm is finite and still beats every other term.
ZERO: Final = 1e-300
# Fewer reviewers than this say nothing about how reviewers differ.
ENOUGH_REVIEWERS: Final = 5


@dataclass(frozen=True, eq=False)
class LatentTruth:
    """A fitted model of the truth behind the labels.

    posterior: items x classes, rows sum to 1. class_share: classes. confusion: raters x true x observed, rows sum to
    1 (null rows never occur: raters without labels are not fitted). log_likelihood, rounds, converged: of the fit.
    undefined: null, or fewer_than_two_raters (posterior is then the one rater's labels), no_variation, no_data.
    """

    posterior: FloatArray
    class_share: FloatArray
    confusion: FloatArray
    log_likelihood: float
    rounds: int
    converged: bool
    undefined: str | None = None


@dataclass(frozen=True, eq=False)
class Labels:
    """One entry per label: item, rater and class as indices from 0; a rater's second label on an item multiplies."""

    item: IntArray
    rater: IntArray
    label: IntArray
    n_classes: int

    @property
    def n_items(self) -> int:
        """Items, counted by the largest index."""
        return int(self.item.max(initial=-1)) + 1

    @property
    def n_raters(self) -> int:
        """Raters, counted by the largest index."""
        return int(self.rater.max(initial=-1)) + 1


def dawid_skene(
    labels: Labels,
    *,
    gold: Mapping[int, int] | None = None,
    model: Model = "confusion",
    prior: tuple[float, float] = (0.0, 0.0),
) -> LatentTruth:
    """Truth of each item by expectation maximisation, started from the vote shares.

    gold: item -> known class, held fixed. model: `confusion` gives each rater a table; `one_coin` one accuracy, errors
    spread evenly. prior: pseudo-counts of a right and of each wrong answer; (0, 0) is maximum likelihood, (3, 1) or
    one_coin with (3, 0) suits few labels. Settles when the log-likelihood moves by less than 1e-10 of itself.
    The likelihood has several maxima: the start is part of the definition. O(labels x classes) a round.
    Source: Dawid, Skene (1979), Applied Statistics 28, 20-28.
    """
    votes = np.zeros((labels.n_items, labels.n_classes))
    np.add.at(votes, (labels.item, labels.label), 1.0)
    posterior = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1.0)
    fixed = dict(gold or {})
    rows = np.array(list(fixed), dtype=np.int64)
    truth = np.eye(labels.n_classes)[np.array(list(fixed.values()), dtype=np.int64)]
    posterior[rows] = truth
    code = _why_not(labels)
    if code is not None:
        share = posterior.mean(axis=0) if labels.n_items else np.zeros(labels.n_classes)
        empty = np.zeros((labels.n_raters, labels.n_classes, labels.n_classes))
        return LatentTruth(posterior, share, empty, 0.0, 0, True, undefined=code)
    gather = sparse.csr_array((np.ones(len(labels.item)), (labels.item, np.arange(len(labels.item)))))
    before = -math.inf
    for rounds in range(1, MAX_ROUNDS + 1):
        share = posterior.mean(axis=0)
        confusion = _confusion(labels, posterior, model, prior)
        by_label = np.log(np.maximum(confusion, ZERO))[labels.rater, :, labels.label]
        joint = gather @ by_label + np.log(np.maximum(share, ZERO))
        evidence = special.logsumexp(joint, axis=1)
        posterior = np.exp(joint - evidence[:, None])
        posterior[rows] = truth
        evidence[rows] = (joint[rows] * truth).sum(axis=1)
        now = float(evidence.sum())
        if abs(now - before) <= SETTLED * abs(now):
            return LatentTruth(posterior, share, confusion, now, rounds, True)
        before = now
    return LatentTruth(posterior, share, confusion, now, MAX_ROUNDS, False)


def _why_not(labels: Labels) -> str | None:
    if len(labels.item) == 0:
        return "no_data"
    if labels.n_classes < 2:
        return "no_variation"
    return "fewer_than_two_raters" if len(np.unique(labels.rater)) < 2 else None


def _confusion(labels: Labels, posterior: FloatArray, model: Model, prior: tuple[float, float]) -> FloatArray:
    """raters x true x observed, from the labels weighted by what the items probably are."""
    k, raters = labels.n_classes, labels.n_raters
    weights = posterior[labels.item]
    keys = labels.rater * k + labels.label
    counts = np.stack([np.bincount(keys, w, minlength=raters * k).reshape(raters, k) for w in weights.T], axis=1)
    if model == "one_coin":
        right = np.einsum("rcc->r", counts) + prior[0]
        accuracy = right / np.maximum(counts.sum(axis=(1, 2)) + prior[0] + prior[1] * (k - 1), ZERO)
        wrong = (1 - accuracy) / (k - 1)
        eye = np.eye(k)
        coin = accuracy[:, None, None] * eye + wrong[:, None, None] * (1 - eye)
        return np.asarray(coin, dtype=np.float64)
    counts = counts + np.where(np.eye(k) > 0, prior[0], prior[1])
    total = counts.sum(axis=2, keepdims=True)
    # A class that a rater never met says nothing about the rater: leave its row even.
    return np.where(total > 0, counts / np.maximum(total, ZERO), 1 / k)


def gold_accuracy(correct: int, n: int, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """A reviewer's share of right answers on gold items; interval: Beta(correct + 1/2, n - correct + 1/2) quantiles.

    The bound is 0 when none is right and 1 when all are. Undefined: no_data. Raises ValueError unless
    0 <= correct <= n. Source: Brown, Cai, DasGupta (2001), Statistical Science 16, 101-133.
    """
    method = "Jeffreys"
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} right answers of {n}")
    if n == 0:
        reason = "no gold item has been answered"
        return Stat.undefined_because("no_data", reason, method=method, confidence=confidence)
    return Stat(
        correct / n, _beta_bounds(correct + 0.5, n - correct + 0.5, (correct, n), confidence), confidence, method, n
    )


def gold_accuracies(
    correct: Sequence[int], n: Sequence[int], *, confidence: float = DEFAULT_CONFIDENCE
) -> tuple[Stat, ...]:
    """Gold accuracy of several reviewers, each drawn toward what the others show (empirical Bayes, five or more).

    value: posterior mean (a + correct) / (a + b + n), (a, b) by marginal likelihood; interval: posterior quantiles.
    With under five reviewers who answered gold items, or when they do not differ, each stands alone: `gold_accuracy`.
    """
    x, sizes = np.asarray(correct, dtype=np.float64), np.asarray(n, dtype=np.float64)
    answered = sizes > 0
    fitted = fit_beta(x[answered], sizes[answered]) if int(answered.sum()) >= ENOUGH_REVIEWERS else None
    if fitted is None:
        return tuple(gold_accuracy(one, of, confidence=confidence) for one, of in zip(correct, n, strict=True))
    a, b = fitted
    method = "empirical Bayes"
    found = []
    for one, of in zip(correct, n, strict=True):
        if of == 0:
            found.append(gold_accuracy(one, of, confidence=confidence))
            continue
        bounds = _beta_bounds(a + one, b + of - one, None, confidence)
        found.append(Stat((a + one) / (a + b + of), bounds, confidence, method, of))
    return tuple(found)


def fit_beta(correct: FloatArray, n: FloatArray) -> tuple[float, float] | None:
    """(a, b) of the Beta from which the reviewers' accuracies come, by marginal likelihood; null without a maximum.

    There is none when the reviewers differ no more than chance makes them.
    """

    def loss(log_ab: FloatArray) -> float:
        a, b = np.exp(log_ab)
        return float(-(special.betaln(a + correct, b + n - correct) - special.betaln(a, b)).sum())

    mean = min(max(float(correct.sum() / n.sum()), 0.02), 0.98)
    start = np.log([10 * mean, 10 * (1 - mean)])
    found = optimize.minimize(
        loss,
        start,
        method="Nelder-Mead",
        bounds=[(-7.0, 9.0)] * 2,
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000, "maxfev": 4000},
    )
    if not found.success or float(np.max(found.x)) > 8.9 or float(np.min(found.x)) < -6.9:
        return None
    a, b = np.exp(found.x)
    return float(a), float(b)


def _beta_bounds(a: float, b: float, ends: tuple[int, int] | None, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = float(stats.beta.ppf(tail, a, b)), float(stats.beta.ppf(1 - tail, a, b))
    if ends is None:
        return low, high
    return (0.0 if ends[0] == 0 else low), (1.0 if ends[0] == ends[1] else high)

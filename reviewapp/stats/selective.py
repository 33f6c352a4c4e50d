"""What a judge's stated confidence is worth: reliability, and the threshold from which it may be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import stats

from reviewapp.stats.arrays import TINY, BoolArray, FloatArray
from reviewapp.stats.intervals import clopper_pearson, t_quantile
from reviewapp.stats.result import DEFAULT_CONFIDENCE, UNDEFINED_SENTENCES, Stat

BINS: Final = 10
QUANTILES: Final = tuple(range(95, -1, -5))
POWER: Final = 0.8


@dataclass(frozen=True)
class Reliability:
    """ece: expected calibration error over equal-mass bins. brier: mean squared distance of confidence and outcome.

    curve: per bin its mean confidence, the share that was right, and n.
    """

    ece: Stat
    brier: Stat
    curve: tuple[tuple[float, float, int], ...]


def reliability(
    confidences: Sequence[float], is_right: Sequence[bool], *, confidence: float = DEFAULT_CONFIDENCE
) -> Reliability:
    """confidences: 0..1 per verdict, as stated. is_right: whether people said the same. Equally long (ValueError).

    Undefined: no_data; single_unit for the interval's sake (Brier of one verdict). The ECE is the plug-in figure over
    at most ten bins of equal mass; it is above 0 for a perfect judge, too, so it has no interval here.
    Source: STATS 3.2; Brier (1950), Monthly Weather Review 78, 1-3.
    """
    stated, right = np.asarray(confidences, dtype=np.float64), np.asarray(is_right, dtype=np.float64)
    if stated.shape != right.shape or stated.ndim != 1:
        raise ValueError("confidences and outcomes are equally long columns")
    n = len(stated)
    if n < 2:
        nothing = Stat.undefined_because("single_unit" if n else "no_data", n=n, confidence=confidence)
        return Reliability(nothing, nothing, ())
    if stated.min() < 0 or stated.max() > 1:
        raise ValueError("a confidence lies between 0 and 1")
    order = np.argsort(stated, kind="stable")
    bins = [part for part in np.array_split(order, min(BINS, n)) if len(part)]
    curve = tuple((float(stated[part].mean()), float(right[part].mean()), len(part)) for part in bins)
    ece = sum(size * abs(mean - share) for mean, share, size in curve) / n
    method = f"plug-in over {len(curve)} bins of equal mass"
    return Reliability(Stat(ece, None, confidence, method, n), _brier(stated, right, confidence), curve)


def _brier(stated: FloatArray, right: FloatArray, confidence: float) -> Stat:
    loss = (stated - right) ** 2
    n, value = len(loss), float(loss.mean())
    se = float(loss.std(ddof=1)) / math.sqrt(n)
    half = t_quantile(confidence, n - 1) * se
    warnings = ("ci_degenerate",) if se <= TINY else ()
    bounds = (max(0.0, value - half), min(1.0, value + half))
    return Stat(value, bounds, confidence, "Student t over items", n, warnings=warnings, se=se)


@dataclass(frozen=True)
class Trust:
    """From `threshold` upward at most `alpha` of the verdicts contradict people, with probability 1 - `delta`.

    coverage: share of the verdicts at or above it. accuracy: of the labelled ones there, exact interval. Null with a
    reason when no threshold can be promised.
    """

    alpha: float
    delta: float
    threshold: float | None
    coverage: float | None
    accuracy: Stat
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The contract's trust."""
        return {
            "alpha": self.alpha,
            "delta": self.delta,
            "threshold": self.threshold,
            "coverage": self.coverage,
            "accuracy": self.accuracy.as_dict(),
            "reason": self.reason,
        }


def confidence_grid(unlabelled: Sequence[float]) -> tuple[float, ...]:
    """The thresholds to try, highest first: quantiles of confidences whose labels were not looked at, each of them a
    confidence that was stated.
    """
    if not len(unlabelled):
        return ()
    return tuple(
        sorted({float(value) for value in np.percentile(unlabelled, QUANTILES, method="inverted_cdf")}, reverse=True)
    )


def smallest_n(alpha: float, delta: float) -> int:
    """Labels without one contradiction that can prove a risk of at most alpha: ceil(ln delta / ln(1 - alpha))."""
    return math.ceil(math.log(delta) / math.log(1 - alpha))


def powerful_n(alpha: float, delta: float) -> int:
    """The fewest labels that prove alpha with probability 0.8 when the true risk is alpha / 2."""
    n = smallest_n(alpha, delta)
    while True:
        allowed = int(stats.binom.ppf(delta, n, alpha))
        allowed -= float(stats.binom.cdf(allowed, n, alpha)) > delta
        if allowed >= 0 and float(stats.binom.cdf(allowed, n, alpha / 2)) >= POWER:
            return n
        n += 1


def trust_threshold(
    confidences: Sequence[float],
    is_right: Sequence[bool],
    grid: Sequence[float],
    *,
    alpha: float = 0.1,
    delta: float = 0.1,
) -> Trust:
    """The lowest threshold of a fixed grid that fixed-sequence testing proves.

    confidences, is_right: the labelled verdicts. grid: falling, fixed before labels were seen (`confidence_grid`).
    From the top of the grid down, each risk is tested at level delta by the exact binomial; the first failure ends it.
    The labels must not have been used to tune the judge. Source: STATS 3.4; Angelopoulos et al. (2021), Learn then
    Test; Jung, Brahman, Choi (2024), Trust or Escalate.
    """
    stated, right = np.asarray(confidences, dtype=np.float64), np.asarray(is_right, dtype=np.bool_)
    needed, powerful = smallest_n(alpha, delta), powerful_n(alpha, delta)
    n_start = powerful if len(stated) >= 3 * powerful else needed
    best: float | None = None
    for threshold in grid:
        accepted = stated >= threshold
        n, errors = int(accepted.sum()), int((accepted & ~right).sum())
        if n < n_start:
            continue
        if float(stats.binom.cdf(errors, n, alpha)) > delta:
            break
        best = threshold
    if best is None:
        return _untrusted(alpha, delta, len(stated), needed)
    accepted = stated >= best
    return Trust(alpha, delta, best, float(accepted.mean()), _accuracy(right[accepted]))


def _untrusted(alpha: float, delta: float, n: int, needed: int) -> Trust:
    code = "too_few_labels" if n < needed else "unattainable"
    reason = (
        f"{needed} labelled verdicts with confidence are needed at least; there are {n}"
        if n < needed
        else "at no confidence do people contradict the judge rarely enough"
    )
    return Trust(alpha, delta, None, None, Stat.undefined_because(code, reason, n=n), reason)


def no_trust(alpha: float, delta: float, code: str, reason: str | None = None) -> Trust:
    """There is nothing to test, for a reason of result.UNDEFINED_SENTENCES."""
    accuracy = Stat.undefined_because(code, reason)
    return Trust(alpha, delta, None, None, accuracy, reason or UNDEFINED_SENTENCES[code])


def _accuracy(right: BoolArray) -> Stat:
    n, hits = len(right), int(right.sum())
    return Stat(hits / n, clopper_pearson(hits, n), DEFAULT_CONFIDENCE, "Clopper-Pearson", n)

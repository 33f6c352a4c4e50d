"""Pass rates and means of production from outputs selected with known, unequal probabilities."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from reviewapp.stats.arrays import TINY, FloatArray
from reviewapp.stats.intervals import Bounds, normal_quantile, t_quantile, wilson
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat

KISH_LOW: Final = 30
FEW_FAILURES: Final = 10
SHARE_METHOD: Final = "Hajek, Wilson with effective n"
MEAN_METHOD: Final = "Hajek, Student t"

Probabilities = Sequence[float | None] | FloatArray


def kish_size(probabilities: FloatArray) -> float:
    """Kish's effective size (sum w)^2 / sum w^2 with w = 1 / probability: what equal weights would need."""
    weight = 1 / probabilities
    return float(weight.sum() ** 2 / (weight**2).sum())


def effective_n_interval(share: float, variance: float, *, most: float, df: float, confidence: float) -> Bounds:
    """Wilson interval with the n that a simple random sample of this variance would have had.

    share in [0, 1]; at 0 and 1, where no variance is seen, and wherever the variance promises more, n is `most`.
    df widens it for an estimated variance. Source: Korn, Graubard (1998), Survey Methodology 24, 193-201.
    """
    n = most
    if 0 < share < 1 and variance > 0:
        shrink = (normal_quantile(confidence) / t_quantile(confidence, max(df, 1.0))) ** 2
        n = share * (1 - share) / variance * shrink
    return wilson(share * n, n, confidence)


def pass_rate(
    values: Sequence[float] | FloatArray, probabilities: Probabilities, *, confidence: float = DEFAULT_CONFIDENCE
) -> Stat:
    """Share of all production outputs of the window that pass, from the reviewed ones.

    values: 0..1 per reviewed output (1 pass, 0 fail). probabilities: each one's inclusion probability in (0, 1], null
    where it is not known. Estimate sum w y / sum w with w = 1 / probability; n counts the labels.
    Undefined: no_data, probabilities_missing (any is null: no estimate from the rest), too_few_labels (one).
    Warns of under 10 failing labels (low_information) and of an effective size under 30 (kish_n_low).
    Raises ValueError for unequal lengths and for numbers out of range. Source: Hajek (1971); STATS 4.2.
    """
    checked = _checked(values, probabilities, SHARE_METHOD, confidence)
    if isinstance(checked, Stat):
        return checked
    y, pi = checked
    if y.min() < 0 or y.max() > 1:
        raise ValueError("a pass is 1, a failure 0")
    theta, variance = _hajek(y, pi)
    kish = kish_size(pi)
    warnings = ["low_information"] if int((y < 0.5).sum()) < FEW_FAILURES else []
    warnings += ["kish_n_low"] if kish < KISH_LOW else []
    se = math.sqrt(variance)
    if variance <= TINY and 0 < theta < 1:
        # Everything was reviewed: the window is known, and there is nothing left to estimate.
        bounds, warnings = (theta, theta), [*warnings, "ci_degenerate"]
    else:
        bounds = effective_n_interval(theta, variance, most=kish, df=kish - 1, confidence=confidence)
    return Stat(theta, bounds, confidence, SHARE_METHOD, len(y), warnings=tuple(warnings), se=se)


def weighted_mean(
    values: Sequence[float] | FloatArray, probabilities: Probabilities, *, confidence: float = DEFAULT_CONFIDENCE
) -> Stat:
    """Mean of a number over all production outputs of the window; arguments and codes as in `pass_rate`.

    Interval: Student t with Kish's size - 1 degrees of freedom.
    """
    checked = _checked(values, probabilities, MEAN_METHOD, confidence)
    if isinstance(checked, Stat):
        return checked
    y, pi = checked
    theta, variance = _hajek(y, pi)
    kish = kish_size(pi)
    half = t_quantile(confidence, max(kish - 1, 1.0)) * math.sqrt(variance)
    warnings = ["kish_n_low"] if kish < KISH_LOW else []
    warnings += ["ci_degenerate"] if half == 0 else []
    bounds = (theta - half, theta + half)
    return Stat(theta, bounds, confidence, MEAN_METHOD, len(y), warnings=tuple(warnings), se=math.sqrt(variance))


def _hajek(y: FloatArray, pi: FloatArray) -> tuple[float, float]:
    """The weighted mean and its variance over the draws of the sample."""
    weight = 1 / pi
    theta = min(max(float(weight @ y / weight.sum()), float(y.min())), float(y.max()))
    n = len(y)
    rest = float(((weight * (y - theta)) ** 2) @ (1 - pi))
    return theta, n / (n - 1) * rest / float(weight.sum()) ** 2


def _checked(
    values: Sequence[float] | FloatArray, probabilities: Probabilities, method: str, confidence: float
) -> tuple[FloatArray, FloatArray] | Stat:
    if len(values) != len(probabilities):
        raise ValueError("each label needs its probability, or null")
    n = len(values)

    def undefined(code: str, reason: str | None = None) -> Stat:
        return Stat.undefined_because(code, reason, method=method, n=n, confidence=confidence)

    if n == 0:
        return undefined("no_data")
    known = [probability for probability in probabilities if probability is not None]
    if len(known) < n:
        return undefined("probabilities_missing")
    y, pi = np.asarray(values, dtype=np.float64), np.asarray(known, dtype=np.float64)
    if not np.isfinite(y).all() or not ((pi > 0) & (pi <= 1)).all():
        raise ValueError("labels are finite numbers and probabilities lie in (0, 1]")
    if n < 2:
        return undefined("too_few_labels", "two labels are needed at least")
    return y, pi

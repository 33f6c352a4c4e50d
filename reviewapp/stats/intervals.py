"""Intervals: for proportions, for paired differences, and the jackknife of agreement coefficients."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from reviewapp.stats.arrays import TINY, FloatArray, IntArray
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat

Bounds = tuple[float, float]


def normal_quantile(confidence: float) -> float:
    """The two-sided standard normal quantile: 1.96 for 0.95."""
    return float(stats.norm.ppf(0.5 + confidence / 2))


def t_quantile(confidence: float, df: float) -> float:
    """The two-sided Student quantile with `df` > 0 degrees of freedom."""
    return float(stats.t.ppf(0.5 + confidence / 2, df))


def wilson(successes: float, n: float, confidence: float = DEFAULT_CONFIDENCE) -> Bounds:
    """Score interval of a proportion; `n` may be an effective, fractional size.

    successes: 0 <= successes <= n. n: > 0. Returns (low, high) within [0, 1].
    Raises ValueError outside of these. Source: Wilson (1927), JASA 22, 209-212.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"a proportion needs 0 <= successes <= n and n > 0, not {successes} of {n}")
    z2 = normal_quantile(confidence) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def clopper_pearson(successes: int, n: int, confidence: float = DEFAULT_CONFIDENCE) -> Bounds:
    """Exact binomial interval: covers at least `confidence` whatever the true share.

    Raises ValueError unless 0 <= successes <= n and n > 0. Source: Clopper, Pearson (1934), Biometrika 26, 404-413.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"a proportion needs 0 <= successes <= n and n > 0, not {successes} of {n}")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(stats.beta.ppf(tail, successes, n - successes + 1))
    high = 1.0 if successes == n else float(stats.beta.ppf(1 - tail, successes + 1, n - successes))
    return low, high


def proportion(successes: int, n: int, *, confidence: float = DEFAULT_CONFIDENCE, code: str = "no_data") -> Stat:
    """A share with its Wilson interval; with n = 0 undefined for the reason `code`."""
    if n == 0:
        return Stat.undefined_because(code, method="Wilson", confidence=confidence)
    return Stat(successes / n, wilson(successes, n, confidence), confidence, "Wilson", n)


def tango(first_only: int, second_only: int, n: int, *, confidence: float = DEFAULT_CONFIDENCE) -> Bounds:
    """Score interval of a paired difference (first_only - second_only) / n.

    first_only, second_only: pairs where only the one side succeeded. n: all pairs, > 0. Returns bounds in [-1, 1].
    Source: Tango (1998), Statistics in Medicine 17, 891-908.
    """
    z = normal_quantile(confidence)
    difference = (first_only - second_only) / n

    def score(delta: float) -> float:
        a = 2 * n
        b = -first_only - second_only + (2 * n - first_only + second_only) * delta
        c = -second_only * delta * (1 - delta)
        q = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
        variance = n * (2 * q + delta * (1 - delta))
        gap = first_only - second_only - n * delta
        if gap == 0:
            return 0.0
        return gap / math.sqrt(variance) if variance > TINY else math.copysign(math.inf, gap)

    edge = 1 - 1e-9
    low, high = -1.0, 1.0
    if score(-edge) > z and difference > -edge:
        low = float(optimize.brentq(lambda d: min(score(d), 1e6) - z, -edge, difference, xtol=1e-12))
    if score(edge) < -z and difference < edge:
        high = float(optimize.brentq(lambda d: max(score(d), -1e6) + z, difference, edge, xtol=1e-12))
    return low, high


@dataclass(frozen=True)
class Spread:
    """An interval with how it was made. se is on the scale of the coefficient, null where it means nothing."""

    interval: Bounds | None
    method: str
    se: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeaveOneOut:
    """A coefficient and what it becomes when one unit is taken away.

    value: the coefficient on all units. without: one entry per kind of unit, NaN where it becomes undefined.
    freq: how many units there are of each kind, > 0. n_pairable: units with two ratings or more, >= 2.
    worst_step: largest loss of the coefficient when all units turn to the largest disagreement (d2max / D_e).
    floor: the smallest value of the scale. symbol: the name in `method`.
    """

    value: float
    without: FloatArray
    freq: IntArray
    n_pairable: int
    worst_step: float = 1.0
    floor: float = -1.0
    symbol: str = "alpha"


def jackknife_log(left: LeaveOneOut, confidence: float = DEFAULT_CONFIDENCE) -> Spread:
    """Delete-one-unit jackknife on log(1 - coefficient), Student t with n_pairable - 1 degrees of freedom.

    At perfect agreement a one-sided bound; when taking one unit away gives perfect agreement, the raw scale; when it
    leaves the coefficient undefined, the whole scale. Deterministic. Source: STATS 1.4 (coverage by simulation),
    Efron, Tibshirani (1993), An Introduction to the Bootstrap, ch. 11.
    """
    # With two or three items a weighted coefficient can fall below -1; the interval must still hold it.
    floor = min(left.floor, left.value)
    if left.value >= 1 - TINY:
        unseen = 1 - (1 - confidence) ** (1 / left.n_pairable)
        low = max(floor, 1 - unseen * left.worst_step)
        return Spread((low, 1.0), "one-sided bound at perfect agreement", warnings=("ci_degenerate",))
    if not np.isfinite(left.without).all():
        return Spread((floor, 1.0), "whole scale: one item decides", warnings=("low_information",))
    t = t_quantile(confidence, left.n_pairable - 1)
    se = _jackknife_se(left.without, left.freq)
    if se <= TINY:
        return Spread(None, "jackknife", warnings=("ci_degenerate",))
    if (left.without >= 1 - TINY).any():
        low, high = left.value - t * se, left.value + t * se
        warnings = ("clipped",) if low < floor or high > 1 else ()
        return Spread((max(floor, low), min(1.0, high)), f"jackknife on {left.symbol}", se, warnings)
    reach = t * _jackknife_se(np.log1p(-left.without), left.freq)
    # Beyond e^30 the lower bound is below any floor; the cap keeps exp from overflowing.
    low = 1 - (1 - left.value) * math.exp(min(reach, 30.0))
    high = 1 - (1 - left.value) * math.exp(-reach)
    return Spread((max(floor, low), high), f"jackknife on log(1 - {left.symbol})", se)


def _jackknife_se(without: FloatArray, freq: IntArray) -> float:
    n = int(freq.sum())
    mean = float(freq @ without) / n
    return math.sqrt((n - 1) / n * float(freq @ (without - mean) ** 2))

"""Correlations of two paired columns of numbers, with intervals on Fisher's z scale."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from reviewapp.stats.arrays import TINY, FloatArray
from reviewapp.stats.intervals import normal_quantile
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat

Column = FloatArray | Sequence[float]


@dataclass(frozen=True)
class _Kind:
    """A coefficient, the variance of its arctanh for (value, n), and the smallest n for which that is positive."""

    coefficient: Callable[[FloatArray, FloatArray], float]
    variance: Callable[[float, int], float]
    smallest_n: int
    method: str


def pearson(x: Column, y: Column, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Linear correlation, -1..1, with Fisher's interval (variance 1 / (n - 3)). See `_correlate`."""
    return _correlate(x, y, _PEARSON, confidence)


def spearman(x: Column, y: Column, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Rank correlation with mid-ranks for ties, -1..1; variance (1 + r^2 / 2) / (n - 3). See `_correlate`.

    Source: Bonett, Wright (2000), Psychometrika 65, 23-28.
    """
    return _correlate(x, y, _SPEARMAN, confidence)


def kendall_tau_b(x: Column, y: Column, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Kendall's tau-b (ties corrected), -1..1; variance 0.437 / (n - 4); O(n log n). See `_correlate`.

    Source: Fieller, Hartley, Pearson (1957), Biometrika 44, 470-481.
    """
    return _correlate(x, y, _KENDALL, confidence)


def _correlate(x: Column, y: Column, kind: _Kind, confidence: float) -> Stat:
    """x, y: equally long columns of finite numbers, one entry per unit (ValueError otherwise).

    No interval below five units (four for Pearson and Spearman: `low_information`) nor at exactly -1 or 1.
    Undefined: no_data, single_unit, zero_variance (a column holds one value only).
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError("a correlation needs two columns of equal length")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a correlation needs finite numbers")
    n = len(first)
    if n < 2:
        code, reason = ("single_unit", "there is only one pair of values") if n else ("no_data", None)
        return Stat.undefined_because(code, reason, method=kind.method, n=n, confidence=confidence)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return Stat.undefined_because("zero_variance", method=kind.method, n=n, confidence=confidence)
    value = kind.coefficient(first, second)
    if not math.isfinite(value):
        # A column whose spread is lost in rounding beside its size.
        return Stat.undefined_because("zero_variance", method=kind.method, n=n, confidence=confidence)
    value = max(-1.0, min(1.0, value))
    if n < kind.smallest_n:
        return Stat(value, None, confidence, kind.method, n, warnings=("low_information",))
    if abs(value) >= 1 - TINY:
        return Stat(value, None, confidence, kind.method, n, warnings=("ci_degenerate",))
    half = normal_quantile(confidence) * math.sqrt(kind.variance(value, n))
    z = math.atanh(value)
    return Stat(value, (math.tanh(z - half), math.tanh(z + half)), confidence, kind.method, n)


def _pearson_r(x: FloatArray, y: FloatArray) -> float:
    # Scaling first keeps squares of huge and of tiny numbers inside the range of a float.
    a, b = ((v - v.mean()) / np.ptp(v) for v in (x, y))
    norm = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
    return float(a @ b) / norm if norm > 0 else math.nan


def _spearman_r(x: FloatArray, y: FloatArray) -> float:
    return _pearson_r(stats.rankdata(x), stats.rankdata(y))


def _kendall(x: FloatArray, y: FloatArray) -> float:
    # The p-value is not used: the asymptotic one is cheap, but divides by zero for two pairs, which have no ties.
    return float(stats.kendalltau(x, y, method="exact" if len(x) == 2 else "asymptotic").statistic)


_PEARSON: Final = _Kind(_pearson_r, lambda r, n: 1 / (n - 3), 4, "Fisher z")
_SPEARMAN: Final = _Kind(_spearman_r, lambda r, n: (1 + r * r / 2) / (n - 3), 4, "Fisher z, Bonett-Wright variance")
_KENDALL: Final = _Kind(_kendall, lambda tau, n: 0.437 / (n - 4), 5, "Fisher z, Fieller-Hartley-Pearson variance")

"""The six intraclass correlations of Shrout and Fleiss, with their F intervals, from a complete block of scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from reviewapp.stats.arrays import TINY, FloatArray
from reviewapp.stats.intervals import Bounds
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat

Scores = FloatArray | Sequence[Sequence[float]]

COMPLETE_SHARE: Final = 0.8
METHOD: Final = "F distribution"


@dataclass(frozen=True)
class MeanSquares:
    """Two-way analysis of variance of n units x k raters: between units, within units, between raters, error."""

    n: int
    k: int
    between: float
    within: float
    raters: float
    error: float


def icc_1(scores: Scores, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """ICC(1,1): one score, each unit judged by raters of its own. See `_icc` for shapes and undefined codes."""
    return _icc(scores, _one_way, _one_way_bounds, confidence)


def icc_2(scores: Scores, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """ICC(2,1): one score, absolute agreement of raters drawn from many. See `_icc`."""
    return _icc(scores, _two_way_random, _two_way_random_bounds, confidence)


def icc_3(scores: Scores, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """ICC(3,1): one score, consistency of exactly these raters. See `_icc`."""
    return _icc(scores, _two_way_mixed, _two_way_mixed_bounds, confidence)


def icc_1k(scores: Scores, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """ICC(1,k): the mean of k scores, each unit judged by raters of its own. See `_icc`."""
    return _icc(scores, _averaged(_one_way), _averaged_bounds(_one_way_bounds), confidence)


def icc_2k(scores: Scores, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """ICC(2,k): the mean of k scores, absolute agreement of raters drawn from many. See `_icc`."""
    return _icc(scores, _averaged(_two_way_random), _averaged_bounds(_two_way_random_bounds), confidence)


def icc_3k(scores: Scores, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """ICC(3,k): the mean of k scores, consistency of exactly these raters. See `_icc`."""
    return _icc(scores, _averaged(_two_way_mixed), _averaged_bounds(_two_way_mixed_bounds), confidence)


def mean_squares(block: FloatArray) -> MeanSquares:
    """Analysis of variance of a complete block, n >= 2 units x k >= 2 raters; what is rounding counts as zero."""
    n, k = block.shape
    centred = block - block.mean()
    units, raters = centred.mean(axis=1), centred.mean(axis=0)
    rounding = TINY * float(np.ptp(block)) ** 2
    parts = (
        k * float((units**2).sum()) / (n - 1),
        float(((centred - units[:, None]) ** 2).sum()) / (n * (k - 1)),
        n * float((raters**2).sum()) / (k - 1),
        float(((centred - units[:, None] - raters) ** 2).sum()) / ((n - 1) * (k - 1)),
    )
    between, within, between_raters, error = (part if part > rounding else 0.0 for part in parts)
    return MeanSquares(n, k, between, within, between_raters, error)


Formula = Callable[[MeanSquares], float | None]
BoundsFormula = Callable[[MeanSquares, float, float], Bounds]


def _icc(scores: Scores, formula: Formula, bounds: BoundsFormula, confidence: float) -> Stat:
    """scores: units x raters, NaN where a rater gave none. n counts the units that all raters scored.

    Undefined: no_data, fewer_than_two_raters, design_incomplete (under 80 % of the units scored by all raters),
    single_unit, zero_variance. Source: Shrout, Fleiss (1979), Psychological Bulletin 86, 420-428; Satterthwaite
    degrees of freedom for ICC(2,*); single to mean score by Spearman-Brown.
    """
    block, code = _complete_block(np.asarray(scores, dtype=np.float64))
    n = len(block)
    if code is not None:
        return Stat.undefined_because(code, method=METHOD, n=n, confidence=confidence)
    squares = mean_squares(block)
    value = formula(squares)
    if np.ptp(block) == 0 or value is None:
        return Stat.undefined_because("zero_variance", method=METHOD, n=n, confidence=confidence)
    if squares.error == 0 or squares.within == 0 or squares.between == 0:
        return Stat(value, None, confidence, METHOD, n, warnings=("ci_degenerate",))
    low, high = bounds(squares, value, 0.5 + confidence / 2)
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        return Stat(value, None, confidence, METHOD, n, warnings=("low_information",))
    return Stat(value, (low, min(1.0, high)), confidence, METHOD, n)


def _complete_block(scores: FloatArray) -> tuple[FloatArray, str | None]:
    if scores.size == 0 or np.isnan(scores).all():
        return np.zeros((0, 0)), "no_data"
    present = ~np.isnan(scores)
    scores = scores[present.any(axis=1)][:, present.any(axis=0)]
    block = scores[~np.isnan(scores).any(axis=1)]
    if scores.shape[1] < 2:
        return block, "fewer_than_two_raters"
    if len(block) < COMPLETE_SHARE * len(scores):
        return block, "design_incomplete"
    return block, "single_unit" if len(block) < 2 else None


def _quotient(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator > 0 else None


def _one_way(s: MeanSquares) -> float | None:
    return _quotient(s.between - s.within, s.between + (s.k - 1) * s.within)


def _two_way_random(s: MeanSquares) -> float | None:
    return _quotient(s.between - s.error, s.between + (s.k - 1) * s.error + s.k * (s.raters - s.error) / s.n)


def _two_way_mixed(s: MeanSquares) -> float | None:
    return _quotient(s.between - s.error, s.between + (s.k - 1) * s.error)


def _averaged(single: Formula) -> Formula:
    def formula(s: MeanSquares) -> float | None:
        value = single(s)
        return None if value is None else _quotient(s.k * value, 1 + (s.k - 1) * value)

    return formula


def _from_f(f: float, k: int, df: tuple[int, int], level: float) -> Bounds:
    low, high = f / float(stats.f.ppf(level, *df)), f * float(stats.f.ppf(level, df[1], df[0]))
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _one_way_bounds(s: MeanSquares, value: float, level: float) -> Bounds:
    return _from_f(s.between / s.within, s.k, (s.n - 1, s.n * (s.k - 1)), level)


def _two_way_mixed_bounds(s: MeanSquares, value: float, level: float) -> Bounds:
    return _from_f(s.between / s.error, s.k, (s.n - 1, (s.n - 1) * (s.k - 1)), level)


def _two_way_random_bounds(s: MeanSquares, value: float, level: float) -> Bounds:
    n, k = s.n, s.k
    ratio = s.raters / s.error
    rest = n * (1 + (k - 1) * value) - k * value
    top = (k - 1) * (n - 1) * (k * value * ratio + rest) ** 2
    df = top / ((n - 1) * (k * value * ratio) ** 2 + rest**2)
    if not df > 0:
        return float("nan"), float("nan")
    f_low, f_high = float(stats.f.ppf(level, n - 1, df)), float(stats.f.ppf(level, df, n - 1))
    noise = k * s.raters + (k * n - k - n) * s.error
    low = n * (s.between - f_low * s.error) / (f_low * noise + n * s.between)
    high = n * (f_high * s.between - s.error) / (noise + n * f_high * s.between)
    return low, high


def _averaged_bounds(single: BoundsFormula) -> BoundsFormula:
    def bounds(s: MeanSquares, value: float, level: float) -> Bounds:
        one = value / (s.k - (s.k - 1) * value)  # Spearman-Brown back to a single score
        low, high = single(s, one, level)
        if 1 + (s.k - 1) * low <= 0:
            return float("nan"), float("nan")
        return s.k * low / (1 + (s.k - 1) * low), s.k * high / (1 + (s.k - 1) * high)

    return bounds

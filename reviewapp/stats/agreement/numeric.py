"""Krippendorff's alpha for numbers with many distinct values, without a categories x categories table."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np

from reviewapp.stats.agreement.reasons import FEW_UNITS, safe_ratio, with_spread
from reviewapp.stats.arrays import TINY, FloatArray, IntArray
from reviewapp.stats.intervals import LeaveOneOut, jackknife_log
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat

# Ratio distances of all values to all values are added up this many at a time (32 MB).
CHUNK_NUMBERS: Final = 4_000_000


@dataclass(frozen=True, eq=False)
class UnitMoments:
    """Per unit: how many ratings, their sum, their sum of squares; what one GROUP BY of a database gives.

    Only units with at least one rating. Large offsets cost digits: send value - a rough mean where values are huge.
    Raises ValueError for arrays of unequal length.
    """

    size: IntArray
    total: FloatArray
    squares: FloatArray

    def __post_init__(self) -> None:
        if not len(self.size) == len(self.total) == len(self.squares):
            raise ValueError("moments need one entry per unit each")

    @classmethod
    def from_values(cls, unit: IntArray, value: FloatArray) -> Self:
        """From one entry per label; values are centred first, which changes no distance and keeps the digits."""
        _, index = np.unique(unit, return_inverse=True)
        centred = value - (value.mean() if len(value) else 0.0)
        n = int(index.max(initial=-1)) + 1
        size = np.bincount(index, minlength=n).astype(np.int64)
        sums = [np.bincount(index, weights=part, minlength=n).astype(np.float64) for part in (centred, centred**2)]
        return cls(size, sums[0], sums[1])


def alpha_from_values(
    units: Sequence[Hashable] | IntArray,
    values: Sequence[float] | FloatArray,
    *,
    level: Literal["interval", "ratio"] = "interval",
    confidence: float = DEFAULT_CONFIDENCE,
) -> Stat:
    """Krippendorff's alpha of numeric labels, one entry per label in both sequences.

    interval: O(labels). ratio: O(distinct values squared) in time, bounded in memory; all values >= 0.
    Undefined: no_data, no_pairable_units, single_unit, no_variation, not_applicable (ratio with a negative value).
    Raises ValueError for a value that is not finite. Source: Krippendorff (2011).
    """
    value = np.asarray(values, dtype=np.float64)
    if not np.isfinite(value).all():
        raise ValueError("labels are finite numbers")
    unit = _numbered(units)
    if level == "interval":
        return alpha_from_moments(UnitMoments.from_values(unit, value), confidence=confidence)
    if (value < 0).any():
        reason = "a ratio scale has no negative values"
        return Stat.undefined_because("not_applicable", reason, confidence=confidence)
    return _ratio_alpha(unit, value, confidence)


def alpha_from_moments(moments: UnitMoments, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Krippendorff's interval alpha from per-unit moments, with the jackknife interval; O(units).

    D_o = sum 2 (m S2 - S1^2) / (m - 1) / n, D_e = 2 (n S2 - S1^2) / (n (n - 1)), over units with two ratings or more.
    Undefined: as alpha_from_values.
    """
    code = _nothing_to_compare(moments.size)
    n_units = int((moments.size >= 2).sum())
    if code is not None:
        return Stat.undefined_because(code, n=n_units, confidence=confidence)
    kept = moments.size >= 2
    m = moments.size[kept].astype(np.float64)
    s1, s2 = moments.total[kept], moments.squares[kept]
    own = np.maximum(2 * (m * s2 - s1**2), 0.0)
    n, t1, t2 = float(m.sum()), float(s1.sum()), float(s2.sum())
    chance = 2 * (n * t2 - t1**2)
    chance_without = 2 * ((n - m) * (t2 - s2) - (t1 - s1) ** 2)
    return _alpha(_Sums(m, own, chance, chance_without, smallest=TINY * max(n * t2, 0.0)), confidence)


@dataclass(frozen=True)
class _Sums:
    """size, own: per unit, its ratings and the distances within it. chance: distances of all to all ratings."""

    size: FloatArray
    own: FloatArray
    chance: float
    chance_without: FloatArray
    smallest: float


def _alpha(sums: _Sums, confidence: float) -> Stat:
    n_units, n = len(sums.size), float(sums.size.sum())
    if sums.chance <= sums.smallest:
        reason = "all reviewers gave the same number"
        return Stat.undefined_because("no_variation", reason, n=n_units, confidence=confidence)
    parts = sums.own / (sums.size - 1)
    observed = float(parts.sum())
    value = 1 - (n - 1) * observed / sums.chance
    observed_without = np.maximum(observed - parts, 0.0)
    without = 1 - safe_ratio((n - sums.size - 1) * observed_without, sums.chance_without, sums.smallest)
    freq = np.ones(n_units, dtype=np.int64)
    # No rubric bounds a free number, so at perfect agreement the bound uses a distance of four times the expected one.
    left = LeaveOneOut(value, without, freq, n_units, worst_step=4.0)
    few = int((sums.own > sums.smallest / n).sum()) < FEW_UNITS
    warnings = ("low_information",) if few else ()
    return with_spread(value, jackknife_log(left, confidence), n=n_units, confidence=confidence, warnings=warnings)


def _ratio_alpha(unit: IntArray, value: FloatArray, confidence: float) -> Stat:
    size_of_unit = np.bincount(unit, minlength=1)
    code = _nothing_to_compare(size_of_unit[size_of_unit > 0])
    n_units = int((size_of_unit >= 2).sum())
    if code is not None:
        return Stat.undefined_because(code, n=n_units, confidence=confidence)
    kept = size_of_unit[unit] >= 2
    order = np.argsort(unit[kept], kind="stable")
    label, starts = value[kept][order], np.r_[0, np.cumsum(size_of_unit[size_of_unit >= 2])[:-1]]
    distinct, place, freq = np.unique(label, return_inverse=True, return_counts=True)
    toward_all = _ratio_sums(distinct, freq.astype(np.float64))[place]
    own = _own_ratio_distances(label, np.r_[starts, len(label)])
    chance = float(toward_all.sum())
    chance_without = chance - 2 * np.add.reduceat(toward_all, starts) + own
    size = size_of_unit[size_of_unit >= 2].astype(np.float64)
    return _alpha(_Sums(size, own, chance, chance_without, smallest=TINY * len(label)), confidence)


def _ratio_sums(distinct: FloatArray, freq: FloatArray) -> FloatArray:
    """For each distinct value, its ratio distances to all labels, added up."""
    rows = max(1, CHUNK_NUMBERS // max(len(distinct), 1))
    parts = [_ratio(distinct[start : start + rows, None], distinct) @ freq for start in range(0, len(distinct), rows)]
    return np.concatenate(parts)


def _own_ratio_distances(label: FloatArray, edges: IntArray) -> FloatArray:
    """The distances between the labels of one unit, per unit; units of equal size are done together."""
    size = np.diff(edges)
    own = np.zeros(len(size))
    for m in np.unique(size):
        members = label[edges[:-1][size == m][:, None] + np.arange(m)]
        own[size == m] = _ratio(members[:, :, None], members[:, None, :]).sum(axis=(1, 2))
    return own


def _ratio(one: FloatArray, other: FloatArray) -> FloatArray:
    total = one + other
    return np.asarray(((one - other) / np.where(total == 0, 1.0, total)) ** 2, dtype=np.float64)


def _numbered(units: Sequence[Hashable] | IntArray) -> IntArray:
    if isinstance(units, np.ndarray):
        return np.unique(units, return_inverse=True)[1].astype(np.int64)
    index: dict[Hashable, int] = {}
    return np.array([index.setdefault(unit, len(index)) for unit in units], dtype=np.int64)


def _nothing_to_compare(size: IntArray) -> str | None:
    n_pairable = int((size >= 2).sum())
    if len(size) == 0:
        return "no_data"
    return {0: "no_pairable_units", 1: "single_unit"}.get(n_pairable)

"""What all agreement coefficients share: when there is nothing to compare, and what to warn about."""

from typing import Final

import numpy as np

from reviewapp.stats.arrays import FloatArray
from reviewapp.stats.intervals import Spread
from reviewapp.stats.patterns import PatternTable
from reviewapp.stats.result import Stat

FEW_UNITS: Final = 5
FEW_LABELS: Final = 10
EXTREME_SHARE: Final = 0.9


def nothing_to_compare(table: PatternTable) -> str | None:
    """The code why no agreement can be computed from these labels, else null."""
    if table.n_units == 0:
        return "no_data"
    if table.n_raters is not None and table.n_raters < 2:
        return "fewer_than_two_raters"
    if table.n_pairable == 0:
        return "no_pairable_units"
    if table.n_pairable == 1:
        return "single_unit"
    return None


def information_warnings(table: PatternTable) -> tuple[str, ...]:
    """`low_information`: under five units with a disagreement, or under ten labels outside the most used answer.

    `prevalence_extreme`: nine in ten labels are one answer, where chance-corrected coefficients collapse.
    """
    pairable = table.pairable
    margins = table.freq[pairable] @ table.counts[pairable]
    split = (table.counts[pairable] > 0).sum(axis=1) > 1
    total, most = int(margins.sum()), int(margins.max())
    warnings = []
    if int(table.freq[pairable][split].sum()) < FEW_UNITS or total - most < FEW_LABELS:
        warnings.append("low_information")
    if most >= EXTREME_SHARE * total:
        warnings.append("prevalence_extreme")
    return tuple(warnings)


def with_spread(value: float, spread: Spread, *, n: int, confidence: float, warnings: tuple[str, ...]) -> Stat:
    """The statistic of a coefficient and its spread."""
    return Stat(value, spread.interval, confidence, spread.method, n, warnings=warnings + spread.warnings, se=spread.se)


def safe_ratio(numerator: FloatArray, denominator: FloatArray, smallest: float) -> FloatArray:
    """numerator / denominator, NaN where the denominator is not above `smallest`."""
    usable = denominator > smallest
    return np.where(usable, numerator / np.where(usable, denominator, 1.0), np.nan)

"""Cohen's kappa of two raters from their contingency table."""

import math
from collections.abc import Sequence

import numpy as np

from reviewapp.stats.agreement.weights import Weights, rating_weights
from reviewapp.stats.arrays import TINY, FloatArray, IntArray
from reviewapp.stats.intervals import LeaveOneOut, jackknife_log, t_quantile
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat

METHOD = "Fleiss-Cohen-Everitt"


def cohen_kappa(
    table: Sequence[Sequence[int]] | IntArray,
    *,
    weights: Weights = "identity",
    values: Sequence[float] | None = None,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Stat:
    """Agreement of two raters beyond chance: (observed - chance) / (1 - chance).

    table: k x k counts, rows rater A, columns rater B, same category order. values: positions for linear and quadratic
    weights, else 0, 1, 2, ... Unitless: 1 perfect, 0 chance, negative below chance; n counts the items.
    When one rater gave one answer throughout and the other did not, kappa is exactly 0 and has no standard error.
    Undefined: no_data, single_unit, no_variation (both used the same single answer).
    Raises ValueError for a table that is not square or holds a negative count.
    Source: Cohen (1960, 1968); interval by Fleiss, Cohen, Everitt (1969), Psychological Bulletin 72, 323-327, with
    Student t, n - 1 df.
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or (counts < 0).any():
        raise ValueError("two raters need a square table of counts")
    n = int(counts.sum())
    if n < 2:
        return Stat.undefined_because("single_unit" if n else "no_data", method=METHOD, n=n, confidence=confidence)
    positions = np.asarray(values if values is not None else range(len(counts)), dtype=np.float64)
    w = rating_weights(weights, positions)
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, chance = float((w * shares).sum()), float(rows @ w @ columns)
    if 1 - chance <= TINY:
        return Stat.undefined_because("no_variation", method=METHOD, n=n, confidence=confidence)
    if rows.max() == 1 or columns.max() == 1:
        return Stat(0.0, None, confidence, METHOD, n, warnings=("ci_degenerate",))
    value = (observed - chance) / (1 - chance)
    if value >= 1 - TINY:
        worst_step = float(1 - w.min()) / (1 - chance)
        spread = jackknife_log(LeaveOneOut(1.0, np.ones(1), np.ones(1, dtype=np.int64), n, worst_step), confidence)
        return Stat(1.0, spread.interval, confidence, spread.method, n, warnings=spread.warnings)
    se = math.sqrt(_variance(shares, w, observed=observed, chance=chance) / n)
    if se <= TINY:
        return Stat(value, None, confidence, METHOD, n, warnings=("ci_degenerate",))
    half = t_quantile(confidence, n - 1) * se
    bounds = (max(min(-1.0, value), value - half), min(1.0, value + half))
    warnings = ("clipped",) if (value - half, value + half) != bounds else ()
    return Stat(value, bounds, confidence, METHOD, n, warnings=warnings, se=se)


def _variance(shares: FloatArray, weights: FloatArray, *, observed: float, chance: float) -> float:
    """n times the large-sample variance of weighted kappa."""
    row_pull = weights @ shares.sum(axis=0)
    column_pull = shares.sum(axis=1) @ weights
    pull = np.add.outer(row_pull, column_pull) * (1 - observed)
    spread = float((shares * (weights * (1 - chance) - pull) ** 2).sum())
    return max(0.0, spread - (observed * chance - 2 * chance + observed) ** 2) / (1 - chance) ** 4

"""Percent agreement and the coefficients (observed - chance) / (1 - chance) for any number of raters."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reviewapp.stats.agreement.reasons import information_warnings, nothing_to_compare, safe_ratio, with_spread
from reviewapp.stats.agreement.weights import Weights, rating_weights
from reviewapp.stats.arrays import TINY, FloatArray, IntArray
from reviewapp.stats.intervals import LeaveOneOut, Spread, jackknife_log, t_quantile, wilson
from reviewapp.stats.patterns import PatternTable
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat

# gwet2014 reproduces the printed tables of raw ratings, gwet2014_pair those of two raters (divisor n, not n - 1).
SeMethod = Literal["jackknife", "gwet2014", "gwet2014_pair"]


@dataclass(frozen=True)
class _Chance:
    """A chance model. expected: from m x q answer shares to m chance agreements.

    per_unit: from (P x q shares within a unit, q shares) to each pattern's part in Gwet's linearised variance.
    """

    symbol: str
    expected: Callable[[FloatArray], FloatArray]
    per_unit: Callable[[FloatArray, FloatArray], FloatArray]
    floor: float = -1.0


def percent_agreement(
    table: PatternTable,
    *,
    weights: Weights = "identity",
    se_method: SeMethod = "jackknife",
    confidence: float = DEFAULT_CONFIDENCE,
) -> Stat:
    """Mean over units of the share of rater pairs that agree, 0..1; not corrected for chance.

    Interval: Wilson when every compared unit has two ratings and weights are `identity`, else the jackknife.
    Undefined: no_data, fewer_than_two_raters, no_pairable_units, single_unit.
    """
    none = _Chance("agreement", lambda pi: np.zeros(len(pi)), lambda own, pi: np.zeros(len(own)), floor=0.0)
    stat = _coefficient(table, none, rating_weights(weights, table.positions), se_method, confidence=confidence)
    pairs_only = bool((table.ratings_per_unit <= 2).all()) and weights == "identity"
    if stat.value is None or se_method != "jackknife" or not pairs_only:
        return stat
    warnings = tuple(code for code in stat.warnings if code != "ci_degenerate")
    bounds = wilson(stat.value * stat.n, stat.n, confidence)
    return Stat(stat.value, bounds, confidence, "Wilson", stat.n, warnings=warnings)


def fleiss_kappa(
    table: PatternTable,
    *,
    weights: Weights = "identity",
    se_method: SeMethod = "jackknife",
    confidence: float = DEFAULT_CONFIDENCE,
) -> Stat:
    """Fleiss' kappa in Gwet's form for unequal numbers of ratings; with two raters it is Scott's pi.

    Unitless: 1 perfect, 0 chance, negative below chance. Undefined: as percent_agreement, and no_variation.
    Source: Fleiss (1971), Psychological Bulletin 76, 378-382; Gwet (2014), ch. 2-3, 5.
    """
    w = rating_weights(weights, table.positions)
    chance = _Chance(
        "kappa", lambda pi: np.einsum("mk,kl,ml->m", pi, w, pi), lambda own, pi: np.asarray(own @ (w @ pi))
    )
    return _coefficient(table, chance, w, se_method, confidence=confidence)


def gwet_ac2(
    table: PatternTable,
    *,
    weights: Weights = "quadratic",
    se_method: SeMethod = "jackknife",
    confidence: float = DEFAULT_CONFIDENCE,
) -> Stat:
    """Gwet's AC2: agreement beyond chance that stays meaningful when one answer is far more frequent.

    Depends on the number of categories of the rubric. Defined (1) when only one of two or more was used.
    Undefined: as percent_agreement; no_variation for a rubric with one category. Source: Gwet (2014), ch. 4.
    """
    w = rating_weights(weights, table.positions)
    q = len(table.categories)
    scale = float(w.sum()) / (q * (q - 1)) if q > 1 else math.nan
    chance = _Chance(
        "AC", lambda pi: scale * (pi * (1 - pi)).sum(axis=1), lambda own, pi: np.asarray(scale * (own @ (1 - pi)))
    )
    return _coefficient(table, chance, w, se_method, confidence=confidence)


def gwet_ac1(table: PatternTable, *, se_method: SeMethod = "jackknife", confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """AC2 with identity weights, for categories without order. Source: Gwet (2008), BJMSP 61, 29-48."""
    return gwet_ac2(table, weights="identity", se_method=se_method, confidence=confidence)


def brennan_prediger(
    table: PatternTable,
    *,
    weights: Weights = "identity",
    se_method: SeMethod = "jackknife",
    confidence: float = DEFAULT_CONFIDENCE,
) -> Stat:
    """Agreement beyond that of raters who draw each of the rubric's categories with equal chance.

    Undefined: as gwet_ac2. Source: Brennan, Prediger (1981), Educational and Psychological Measurement 41, 687-699.
    """
    w = rating_weights(weights, table.positions)
    q = len(table.categories)
    level = float(w.sum()) / (q * q) if q > 1 else math.nan
    chance = _Chance("kappa", lambda pi: np.full(len(pi), level), lambda own, pi: np.full(len(own), level))
    return _coefficient(table, chance, w, se_method, confidence=confidence)


@dataclass(frozen=True)
class _Parts:
    """Sums from which a coefficient and all its leave-one-out values follow; one entry per pattern that has labels."""

    table: PatternTable
    weights: FloatArray
    shares: FloatArray
    agreeing: FloatArray
    pairable: FloatArray

    @classmethod
    def of(cls, table: PatternTable, weights: FloatArray) -> "_Parts":
        rated = table.ratings_per_unit > 0
        kept = PatternTable(table.categories, table.counts[rated], table.freq[rated], table.values, table.n_raters)
        counts = kept.counts.astype(np.float64)
        r = kept.ratings_per_unit.astype(np.float64)
        pairs = np.where(r >= 2, r * (r - 1), 1.0)
        agreeing = (counts * (counts @ weights - 1)).sum(axis=1) / pairs
        return cls(kept, weights, counts / r[:, None], np.where(r >= 2, agreeing, 0.0), (r >= 2).astype(np.float64))


def _coefficient(
    table: PatternTable, chance: _Chance, weights: FloatArray, se_method: SeMethod, *, confidence: float
) -> Stat:
    code = nothing_to_compare(table)
    if code is None and len(table.categories) < 2 and chance.floor < 0:
        code = "no_variation"
    if code is not None:
        return Stat.undefined_because(code, n=table.n_pairable, confidence=confidence)
    parts = _Parts.of(table, weights)
    freq = parts.table.freq
    n, n_pairable = int(freq.sum()), table.n_pairable
    pi = freq @ parts.shares / n
    observed = float(freq @ parts.agreeing) / n_pairable
    expected = float(chance.expected(pi[None, :])[0])
    if 1 - expected <= TINY:
        return Stat.undefined_because("no_variation", n=n_pairable, confidence=confidence)
    value = (observed - expected) / (1 - expected)
    if se_method != "jackknife":
        spread = _gwet_spread(parts, chance, (value, expected), se_method=se_method, confidence=confidence)
    else:
        pi_without = np.clip((n * pi[None, :] - parts.shares) / (n - 1), 0.0, 1.0)
        expected_without = chance.expected(pi_without)
        observed_without = (n_pairable * observed - parts.agreeing) / (n_pairable - parts.pairable)
        without = safe_ratio(observed_without - expected_without, 1 - expected_without, TINY)
        worst_step = float(1 - weights.min()) / (1 - expected)
        left = LeaveOneOut(value, without, freq, n_pairable, worst_step, chance.floor, chance.symbol)
        spread = jackknife_log(left, confidence)
    return with_spread(value, spread, n=n_pairable, confidence=confidence, warnings=information_warnings(table))


def _gwet_spread(
    parts: _Parts, chance: _Chance, fitted: tuple[float, float], *, se_method: SeMethod, confidence: float
) -> Spread:
    """Gwet's published standard error, to reproduce tables: it treats the share of multiply rated units as random.

    Student t with units - 1 degrees of freedom, upper bound cut at 1, as the R package prints it.
    """
    value, expected = fitted
    freq = parts.table.freq
    n = int(freq.sum())
    pi = freq @ parts.shares / n
    own = (n / parts.table.n_pairable) * (parts.agreeing - expected * parts.pairable) / (1 - expected)
    pull = 2 * (1 - value) * (chance.per_unit(parts.shares, pi) - expected) / (1 - expected)
    se = linearised_se(own - pull - value, freq, se_method)
    return printed_spread(value, se, df=n - 1, floor=chance.floor, confidence=confidence)


def linearised_se(deviation: FloatArray, freq: IntArray, se_method: SeMethod) -> float:
    """Standard error from each unit's deviation; freq units share each deviation."""
    n = int(freq.sum())
    divisor = n * n if se_method == "gwet2014_pair" else n * (n - 1)
    return math.sqrt(float(freq @ deviation**2) / divisor)


def printed_spread(value: float, se: float, *, df: int, floor: float, confidence: float) -> Spread:
    """value -+ t * se, cut at `floor` and 1; no interval where the units do not differ at all."""
    method = "Gwet (2014) linearised variance"
    if se <= TINY:
        return Spread(None, method, warnings=("ci_degenerate",))
    half = t_quantile(confidence, df) * se
    warnings = ("clipped",) if value + half > 1 or value - half < floor else ()
    return Spread((max(min(floor, value), value - half), min(1.0, value + half)), method, se, warnings)

"""Conger's kappa: Cohen's kappa for more than two raters, each with chance margins of their own, gaps allowed."""

from dataclasses import dataclass

import numpy as np

from reviewapp.stats.agreement.chance import SeMethod, linearised_se, printed_spread
from reviewapp.stats.agreement.reasons import information_warnings, nothing_to_compare, safe_ratio, with_spread
from reviewapp.stats.agreement.weights import Weights, rating_weights
from reviewapp.stats.arrays import TINY, FloatArray, IntArray
from reviewapp.stats.intervals import LeaveOneOut, jackknife_log
from reviewapp.stats.patterns import Ratings
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat


def conger_kappa(
    ratings: Ratings,
    *,
    weights: Weights = "identity",
    se_method: SeMethod = "jackknife",
    confidence: float = DEFAULT_CONFIDENCE,
) -> Stat:
    """(observed - chance) / (1 - chance), chance being the mean over pairs of raters of their own margins' agreement.

    Unitless: 1 perfect, 0 chance. n counts items with two ratings or more. Equals Cohen's kappa for two raters who
    both rated everything. Interval: delete-one-item jackknife on log(1 - kappa); se_method gwet2014 reproduces
    printed tables. O(labels x categories).
    Undefined: no_data, fewer_than_two_raters, no_pairable_units, single_unit, no_variation.
    Source: Conger (1980), Psychological Bulletin 88, 322-328; gaps as in Gwet (2014), ch. 2.
    """
    table = ratings.patterns()
    code = nothing_to_compare(table)
    if code is not None:
        return Stat.undefined_because(code, n=table.n_pairable, confidence=confidence)
    w = rating_weights(weights, table.positions)
    agreeing, pairable = _per_unit_agreement(ratings, w)
    n_pairable = table.n_pairable
    observed = float(agreeing.sum()) / n_pairable
    margins = _Margins.of(ratings)
    chance, chance_without = margins.expected(ratings, w)
    if not 1 - chance > TINY:
        return Stat.undefined_because("no_variation", n=n_pairable, confidence=confidence)
    value = (observed - chance) / (1 - chance)
    freq = np.ones(len(agreeing), dtype=np.int64)
    if se_method == "jackknife":
        observed_without = (agreeing.sum() - agreeing) / (n_pairable - pairable)
        without = safe_ratio(observed_without - chance_without, 1 - chance_without, TINY)
        worst_step = float(1 - w.min()) / (1 - chance)
        left = LeaveOneOut(value, without, freq, n_pairable, worst_step, symbol="kappa")
        spread = jackknife_log(left, confidence)
    else:
        own = len(freq) / n_pairable * (agreeing - chance * pairable) / (1 - chance)
        pull = (1 - value) * margins.influence(ratings, w) / (1 - chance)
        se = linearised_se(own - pull - value, freq, se_method)
        spread = printed_spread(value, se, df=len(freq) - 1, floor=-1.0, confidence=confidence)
    return with_spread(value, spread, n=n_pairable, confidence=confidence, warnings=information_warnings(table))


def _per_unit_agreement(ratings: Ratings, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Per unit, the share of agreeing rater pairs (0 with one rating), and 1 where there are pairs at all."""
    units, q = len(ratings.units), len(ratings.categories)
    counts = np.bincount(ratings.unit * q + ratings.code, minlength=units * q).reshape(units, q).astype(np.float64)
    r = counts.sum(axis=1)
    pairs = np.where(r >= 2, r * (r - 1), 1.0)
    agreeing = np.where(r >= 2, (counts * (counts @ weights - 1)).sum(axis=1) / pairs, 0.0)
    return agreeing, (r >= 2).astype(np.float64)


@dataclass(frozen=True)
class _Margins:
    """Per rater: how many labels, and the share of each category among them."""

    n: FloatArray
    shares: FloatArray

    @classmethod
    def of(cls, ratings: Ratings) -> "_Margins":
        raters, q = len(ratings.raters), len(ratings.categories)
        counts = np.bincount(ratings.rater * q + ratings.code, minlength=raters * q).reshape(raters, q)
        n = counts.sum(axis=1).astype(np.float64)
        return cls(n, counts / n[:, None])

    def expected(self, ratings: Ratings, weights: FloatArray) -> tuple[float, FloatArray]:
        """Chance agreement over all pairs of different raters, and what it is without each unit (NaN: undefined)."""
        total = self.shares.sum(axis=0)
        own = np.einsum("rk,kl,rl->r", self.shares, weights, self.shares)
        raters = float(len(self.n))
        chance = float(total @ weights @ total - own.sum()) / (raters * (raters - 1))

        units = len(ratings.units)
        left = self.n[ratings.rater] - 1
        gone = left == 0  # the label was its rater's only one, so the rater leaves with the unit
        without = self.shares[ratings.rater] * self.n[ratings.rater][:, None]
        without[np.arange(len(without)), ratings.code] -= 1
        without /= np.where(gone, 1.0, left)[:, None]
        own_without = np.einsum("jk,kl,jl->j", without, weights, without)
        totals = total + _sum_per_unit(ratings.unit, without - self.shares[ratings.rater], units)
        owns = own.sum() + np.bincount(ratings.unit, own_without - own[ratings.rater], minlength=units)
        raters_without = raters - np.bincount(ratings.unit, gone, minlength=units)
        pairs = raters_without * (raters_without - 1)
        return chance, safe_ratio(np.einsum("uk,kl,ul->u", totals, weights, totals) - owns, pairs, 0.0)

    def influence(self, ratings: Ratings, weights: FloatArray) -> FloatArray:
        """How far each unit draws the chance agreement, to first order; mean 0 over the units."""
        raters = len(self.n)
        toward = (self.shares.sum(axis=0) - self.shares) @ weights * 2 / (raters * (raters - 1))
        units = len(ratings.units)
        own = toward[ratings.rater, ratings.code] - (self.shares * toward).sum(axis=1)[ratings.rater]
        return np.bincount(ratings.unit, own * units / self.n[ratings.rater], minlength=units).astype(np.float64)


def _sum_per_unit(unit: IntArray, rows: FloatArray, units: int) -> FloatArray:
    return np.stack([np.bincount(unit, column, minlength=units) for column in rows.T], axis=1)

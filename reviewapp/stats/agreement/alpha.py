"""Krippendorff's alpha from a pattern table: nominal, ordinal, interval, ratio, and sets of options."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from reviewapp.stats.agreement.chance import SeMethod, linearised_se, printed_spread
from reviewapp.stats.agreement.reasons import information_warnings, nothing_to_compare, safe_ratio, with_spread
from reviewapp.stats.agreement.weights import Level, SetDistance, fixed_distance, ordinal_distance, set_distance
from reviewapp.stats.arrays import TINY, FloatArray
from reviewapp.stats.intervals import LeaveOneOut, jackknife_log
from reviewapp.stats.patterns import PatternTable
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat

# Leave-one-out tables of the ordinal metric are built this many numbers at a time (16 MB).
CHUNK_NUMBERS: Final = 2_000_000


def krippendorff_alpha(
    table: PatternTable,
    *,
    level: Level | SetDistance,
    se_method: SeMethod = "jackknife",
    confidence: float = DEFAULT_CONFIDENCE,
) -> Stat:
    """1 - observed / expected disagreement, over all units with two ratings or more; gaps and any number of raters.

    level: nominal, ordinal, interval, ratio (positions of the table, all >= 0), or masi, jaccard over frozensets.
    Unitless: 1 perfect, 0 chance, negative below chance; n counts the units compared. `ordinal` is Krippendorff's
    metric, which depends on the margins. se_method gwet2014 exists for fixed metrics and reproduces printed tables.
    Undefined: no_data, fewer_than_two_raters, no_pairable_units, single_unit, no_variation (one answer only),
    not_applicable (ratio with negative positions). Raises ValueError for gwet2014 with the ordinal metric.
    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability; Passonneau (2006) for MASI.
    """
    if level == "ratio" and (table.positions < 0).any():
        reason = "a ratio scale has no negative values"
        return Stat.undefined_because("not_applicable", reason, n=table.n_pairable, confidence=confidence)
    code = nothing_to_compare(table)
    if code is not None:
        return Stat.undefined_because(code, n=table.n_pairable, confidence=confidence)
    pairs = _Pairs.of(table)
    metric = _metric(level, table)
    distance = metric(pairs.margins)
    chance = float(pairs.margins @ distance @ pairs.margins)
    if chance <= TINY * float(distance.max(initial=0.0)) or distance.max(initial=0.0) == 0:
        return Stat.undefined_because("no_variation", n=pairs.n_units, confidence=confidence)
    value = 1 - (pairs.total - 1) * float(pairs.freq @ pairs.disagreement(distance)) / chance
    if se_method != "jackknife":
        se = _gwet_se(table, _as_weights(level, distance), se_method)
        spread = printed_spread(value, se, df=table.n_units - 1, floor=-1.0, confidence=confidence)
    else:
        without = _ordinal_without(pairs) if level == "ordinal" else _fixed_without(pairs, distance)
        mean_chance = chance / (pairs.total * (pairs.total - 1))
        worst_step = float(distance.max()) / mean_chance
        left = LeaveOneOut(value, without, table.freq[table.pairable], pairs.n_units, worst_step)
        spread = jackknife_log(left, confidence)
    return with_spread(value, spread, n=pairs.n_units, confidence=confidence, warnings=information_warnings(table))


@dataclass(frozen=True)
class _Pairs:
    """The pairable part of a table as floats, categories in the order of their positions."""

    counts: FloatArray
    freq: FloatArray
    size: FloatArray
    margins: FloatArray
    total: float
    n_units: int

    @classmethod
    def of(cls, table: PatternTable) -> "_Pairs":
        order = np.argsort(table.positions)
        counts = table.counts[table.pairable][:, order].astype(np.float64)
        freq = table.freq[table.pairable].astype(np.float64)
        margins = freq @ counts
        return cls(counts, freq, counts.sum(axis=1), margins, float(margins.sum()), table.n_pairable)

    def disagreement(self, distance: FloatArray) -> FloatArray:
        """Each pattern's part of the coincidence-weighted distance: sum of n_c n_k d_ck / (m - 1)."""
        return np.asarray(((self.counts @ distance) * self.counts).sum(axis=1) / (self.size - 1), dtype=np.float64)


def _metric(level: Level | SetDistance, table: PatternTable) -> Callable[[FloatArray], FloatArray]:
    order = np.argsort(table.positions)
    if level == "ordinal":
        return ordinal_distance
    if level == "masi" or level == "jaccard":
        fixed = set_distance(level, [table.categories[position] for position in order])
    else:
        fixed = fixed_distance(level, table.positions[order])
    return lambda margins: fixed


def _fixed_without(pairs: _Pairs, distance: FloatArray) -> FloatArray:
    """alpha without one unit of each pattern, for a metric that does not move with the margins."""
    own = pairs.disagreement(distance)
    toward_all = pairs.counts @ (distance @ pairs.margins)
    chance = float(pairs.margins @ distance @ pairs.margins)
    chance_without = chance - 2 * toward_all + own * (pairs.size - 1)
    observed_without = np.maximum(float(pairs.freq @ own) - own, 0.0)
    return 1 - safe_ratio((pairs.total - pairs.size - 1) * observed_without, chance_without, TINY * chance)


def _ordinal_without(pairs: _Pairs) -> FloatArray:
    """alpha without one unit of each pattern, the ordinal metric rebuilt from the margins that are left."""
    coincidences = (pairs.counts * (pairs.freq / (pairs.size - 1))[:, None]).T @ pairs.counts
    q = pairs.counts.shape[1]
    rows = max(1, CHUNK_NUMBERS // (q * q))
    starts = range(0, len(pairs.counts), rows)
    return np.concatenate([_ordinal_part(pairs, coincidences, slice(start, start + rows)) for start in starts])


def _ordinal_part(pairs: _Pairs, coincidences: FloatArray, part: slice) -> FloatArray:
    counts, size = pairs.counts[part], pairs.size[part]
    margins = pairs.margins - counts
    distance = ordinal_distance(margins)
    own = np.einsum("pc,pck,pk->p", counts, distance, counts) / (size - 1)
    observed = np.maximum(np.einsum("ck,pck->p", coincidences, distance) - own, 0.0)
    chance = np.einsum("pc,pck,pk->p", margins, distance, margins)
    smallest = TINY * float(distance.max(initial=0.0))
    return 1 - safe_ratio((pairs.total - size - 1) * observed, chance, smallest)


def _as_weights(level: Level | SetDistance, distance: FloatArray) -> FloatArray:
    if level == "ordinal":
        raise ValueError("Gwet's variance needs weights that do not move with the margins")
    return np.asarray(1 - distance / distance.max(), dtype=np.float64)


def _gwet_se(table: PatternTable, weights: FloatArray, se_method: SeMethod) -> float:
    """The R package's standard error; it leaves out the small-sample part of alpha, so it centres on alpha prime."""
    pairs = _Pairs.of(table)
    n = pairs.n_units
    mean_size = pairs.total / n
    surplus = (pairs.size - mean_size) / mean_size
    agreeing = (pairs.counts * (pairs.counts @ weights - 1)).sum(axis=1) / (mean_size * (pairs.size - 1))
    observed = float(pairs.freq @ agreeing) / n
    pi = pairs.margins / pairs.total
    chance = float(pi @ weights @ pi)
    centre = (observed - chance) / (1 - chance)
    own = (agreeing - observed * surplus - chance) / (1 - chance)
    chance_own = pairs.counts @ (weights @ pi) / mean_size - chance * surplus
    pull = 2 * (1 - centre) * (chance_own - chance) / (1 - chance)
    return linearised_se(own - pull - centre, table.freq[table.pairable], se_method)

"""A guardrail as a detector: precision, miss rate and recall from reviewed samples of both of its sides."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reviewapp.stats.arrays import FloatArray
from reviewapp.stats.intervals import proportion
from reviewapp.stats.result import DEFAULT_CONFIDENCE, Stat
from reviewapp.stats.sampling import effective_n_interval

DRAWS: Final = 20_000
RECALL_METHOD: Final = "finite-population Beta-binomial simulation"
MISS_METHOD: Final = "stratified, Wilson with effective n"


@dataclass(frozen=True)
class Stratum:
    """Decisions of one kind: how many there were, how many a person reviewed at random, how many should have fired."""

    total: int
    reviewed: int
    positive: int

    def __post_init__(self) -> None:
        if not 0 <= self.positive <= self.reviewed <= self.total:
            raise ValueError("a stratum has 0 <= positive <= reviewed <= total")


def precision(hits: Stratum, *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Share of reviewed hits that should have fired, Wilson. Undefined: no_predicted_positives, no_data."""
    code = "no_data" if hits.total else "no_predicted_positives"
    return proportion(hits.positive, hits.reviewed, confidence=confidence, code=code)


def miss_rate(passed: Sequence[Stratum], *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Share of passed decisions that should have fired; strata (bands of the score) are weighted by their totals.

    Undefined: no_data (nothing reviewed), design_incomplete (a stratum with decisions has no review).
    """
    strata = [one for one in passed if one.total]
    n = sum(one.reviewed for one in strata)
    code = _why_not(strata)
    if code is not None:
        return Stat.undefined_because(code, _REASONS.get(code), method=MISS_METHOD, n=n, confidence=confidence)
    weight = np.array([one.total for one in strata], dtype=np.float64)
    weight /= weight.sum()
    share = np.array([one.positive / one.reviewed for one in strata])
    size = np.array([one.reviewed for one in strata], dtype=np.float64)
    unseen = 1 - size / np.array([one.total for one in strata])
    value = float(weight @ share)
    variance = float((weight**2 * unseen * share * (1 - share) / np.maximum(size - 1, 1)).sum())
    most = float(1 / (weight**2 / size).sum())
    df = max(n - len(strata), 1)
    bounds = effective_n_interval(value, variance, most=most, df=df, confidence=confidence)
    return Stat(value, bounds, confidence, MISS_METHOD, n, se=math.sqrt(variance))


def recall(hits: Stratum, passed: Sequence[Stratum], *, confidence: float = DEFAULT_CONFIDENCE) -> Stat:
    """Share of all that should have fired that did: T1 / (T1 + T0), totals scaled up from the reviewed samples.

    Interval: quantiles of 20,000 draws of what was not reviewed, the seed taken from the counts; upper bound 1 when
    no miss was found. The prior is thinned over the strata: 1/2 in each would invent misses. n counts the reviews.
    Undefined: no_data, design_incomplete, no_actual_positives (nothing found on either side). Source: STATS 5.
    """
    strata = [one for one in passed if one.total]
    n = hits.reviewed + sum(one.reviewed for one in strata)
    code = _why_not(strata) or ("no_data" if hits.total and not hits.reviewed else None)
    caught = hits.total * hits.positive / hits.reviewed if hits.reviewed else 0.0
    missed = sum(one.total * one.positive / one.reviewed for one in strata if one.reviewed)
    if code is None and caught + missed == 0:
        code = "no_actual_positives"
    if code is not None:
        return Stat.undefined_because(code, _REASONS.get(code), method=RECALL_METHOD, n=n, confidence=confidence)
    counts = [number for one in (hits, *strata) for number in (one.total, one.reviewed, one.positive)]
    rng = np.random.default_rng(counts)
    found = _drawn(hits, 0.5, rng)
    lost = np.sum([_drawn(one, 0.5 / len(strata), rng) for one in strata], axis=0)
    drawn = found / np.maximum(found + lost, 1)
    tail = (1 - confidence) / 2
    value = caught / (caught + missed)
    low = min(value, float(np.quantile(drawn, tail)))
    high = 1.0 if missed == 0 else max(value, float(np.quantile(drawn, 1 - tail)))
    return Stat(value, (low, high), confidence, RECALL_METHOD, n)


_REASONS: Final = {"design_incomplete": "a part of what was passed has no review at all"}


def _why_not(strata: Sequence[Stratum]) -> str | None:
    if not any(one.reviewed for one in strata):
        return "no_data"
    return "design_incomplete" if any(not one.reviewed for one in strata) else None


def _drawn(stratum: Stratum, prior: float, rng: np.random.Generator) -> FloatArray:
    """Possible totals of what should have fired in a stratum, given what was reviewed of it."""
    if stratum.reviewed == 0:
        return np.zeros(DRAWS)
    rate = rng.beta(stratum.positive + prior, stratum.reviewed - stratum.positive + 1 - prior, DRAWS)
    return np.asarray(stratum.positive + rng.binomial(stratum.total - stratum.reviewed, rate), dtype=np.float64)

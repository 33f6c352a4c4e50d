"""May a judge stand in for a person? The alternative annotator test."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from scipy import stats

from reviewapp.stats.arrays import FloatArray, IntArray
from reviewapp.stats.patterns import Ratings
from reviewapp.stats.result import UNDEFINED_SENTENCES

Score = Literal["accuracy", "rmse"]

FEWEST_ITEMS: Final = 30
FALSE_DISCOVERY_RATE: Final = 0.05
PASSING_RATE: Final = 0.5


@dataclass(frozen=True)
class AltTest:
    """The verdict of the test.

    winning_rate: share of the tested people that the judge is not worse than by more than epsilon. passes: that it is
    at least one half. advantage_probability: how often the judge fits the others at least as well as a person does.
    p_values: per person tested. The first three are null exactly when `undefined` is set.
    """

    epsilon: float
    winning_rate: float | None = None
    advantage_probability: float | None = None
    passes: bool | None = None
    p_values: Mapping[Hashable, float] | None = None
    undefined: str | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The contract's alt_test, with the reason when there is none."""
        return {
            "winning_rate": self.winning_rate,
            "advantage_probability": self.advantage_probability,
            "epsilon": self.epsilon,
            "passes": self.passes,
            "undefined": self.undefined,
            "reason": self.reason,
        }


def alt_test(
    ratings: Ratings,
    verdicts: Mapping[Hashable, Hashable],
    *,
    score: Score = "accuracy",
    epsilon: float = 0.1,
    fewest_items: int = FEWEST_ITEMS,
) -> AltTest:
    """Judge against each person, both scored on the other people's answers to the same items.

    ratings: the people. verdicts: unit -> category of the judge; other units are left out. score: share of the others
    with the same answer, or minus the root mean square distance on the positions of the categories. epsilon: how much
    less often the judge may fit, as the price of a person (0.1 suits a gate, whoever the people are).
    Only people with `fewest_items` comparable items are tested: one-sided t, Benjamini-Yekutieli at 0.05 over them.
    Undefined: no_data, fewer_than_two_raters (no judged item has two answers), too_few_labels (nobody has enough).
    Raises ValueError for a verdict that is no category. Source: Calderon, Reichart, Dror (2025), arXiv 2501.10970.
    """
    rows, judge_score, human_score = _scores(ratings, verdicts, score)
    if len(rows) == 0:
        code = "fewer_than_two_raters" if len(ratings.unit) else "no_data"
        return AltTest(epsilon, undefined=code, reason=UNDEFINED_SENTENCES[code])
    fits = judge_score >= human_score
    gap = (human_score >= judge_score).astype(np.float64) - fits
    rater = ratings.rater[rows]
    tested = [r for r in range(len(ratings.raters)) if int((rater == r).sum()) >= max(fewest_items, 2)]
    if not tested:
        most = int(np.bincount(rater).max())
        reason = f"a person needs {fewest_items} items that others answered too; the most anyone has is {most}"
        return AltTest(epsilon, undefined="too_few_labels", reason=reason)
    p_values = [_p_value(gap[rater == r], epsilon) for r in tested]
    rejected = stats.false_discovery_control(p_values, method="by") <= FALSE_DISCOVERY_RATE
    winning_rate = float(np.mean(rejected))
    return AltTest(
        epsilon,
        winning_rate=winning_rate,
        advantage_probability=float(np.mean([fits[rater == r].mean() for r in tested])),
        passes=winning_rate >= PASSING_RATE,
        p_values={ratings.raters[r]: p for r, p in zip(tested, p_values, strict=True)},
    )


def _p_value(gap: FloatArray, epsilon: float) -> float:
    """Of the hypothesis that the person fits better by epsilon or more."""
    n, mean, sd = len(gap), float(gap.mean()), float(gap.std(ddof=1))
    if sd == 0:
        return 0.0 if mean < epsilon else 1.0
    return float(stats.t.cdf((mean - epsilon) / (sd / math.sqrt(n)), n - 1))


def _scores(
    ratings: Ratings, verdicts: Mapping[Hashable, Hashable], score: Score
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Indices of the labels that can be tested; the judge's and the person's score against the others on that unit."""
    index = {category: position for position, category in enumerate(ratings.categories)}
    unknown = set(verdicts.values()) - set(index)
    if unknown:
        raise ValueError(f"{sorted(map(repr, unknown))} are no categories of this rubric")
    judge = np.array([index[verdicts[u]] if u in verdicts else -1 for u in ratings.units], dtype=np.int64)
    units, q = len(ratings.units), max(len(ratings.categories), 1)
    counts = np.bincount(ratings.unit * q + ratings.code, minlength=units * q).reshape(units, q)
    others = counts[ratings.unit].astype(np.float64)
    others[np.arange(len(others)), ratings.code] -= 1
    n_others = others.sum(axis=1)
    rows = np.flatnonzero((n_others > 0) & (judge[ratings.unit] >= 0))
    share = others[rows] / n_others[rows, None]
    answers = judge[ratings.unit[rows]], ratings.code[rows]
    if score == "accuracy":
        found = [share[np.arange(len(rows)), answer] for answer in answers]
    else:
        place = ratings.patterns().positions
        distance = np.subtract.outer(place, place) ** 2
        found = [-np.sqrt((share * distance[answer]).sum(axis=1)) for answer in answers]
    return rows.astype(np.int64), found[0], found[1]
